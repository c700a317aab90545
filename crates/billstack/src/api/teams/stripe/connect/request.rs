//! The body of the call, for the API document.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AllOfBuilder, AnyOfBuilder, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// What to connect with. Surrounding white space does not matter.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "the fields describe the body in the API document")]
struct Members {
    /// A secret or restricted API key. Without one, customers are not created in Stripe and Stripe is
    /// not asked about earlier subscriptions.
    #[schema(
        max_length = 300,
        pattern = "^[\\t\\n\\f\\r ]*(sk|rk)_(test|live)_[A-Za-z0-9_]{1,255}[\\t\\n\\f\\r ]*$"
    )]
    secret_key: Option<String>,
    /// A publishable API key of the same mode.
    #[schema(
        max_length = 300,
        pattern = "^[\\t\\n\\f\\r ]*pk_(test|live)_[A-Za-z0-9_]{1,255}[\\t\\n\\f\\r ]*$"
    )]
    publishable_key: Option<String>,
    /// The signing secret of the webhook endpoint.
    #[schema(value_type = String, min_length = 7, max_length = 300, pattern = "^[\\t\\n\\f\\r ]*whsec_[!-~]{1,255}[\\t\\n\\f\\r ]*$")]
    webhook_secret: String,
}

/// The members, and that both keys are of one mode.
pub(super) struct ConnectRequest;

impl PartialSchema for ConnectRequest {
    fn schema() -> RefOr<Schema> {
        let modes = AnyOfBuilder::new()
            .description(Some("The keys are of the same mode."))
            .item(of_mode("test"))
            .item(of_mode("live"));
        let all = AllOfBuilder::new()
            .description(Some(
                "What to connect with. Surrounding white space does not matter.",
            ))
            .item(Members::schema())
            .item(modes)
            .build();
        Schema::AllOf(all).into()
    }
}

impl ToSchema for ConnectRequest {}

fn of_mode(mode: &str) -> ObjectBuilder {
    let key = || {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .pattern(Some(format!("^[\\t\\n\\f\\r ]*(sk|rk|pk)_{mode}_")))
    };
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Object))
        .property("secretKey", key())
        .property("publishableKey", key())
}
