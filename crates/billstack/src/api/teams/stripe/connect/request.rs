//! The body of the call.

use serde::de::{Deserialize, Deserializer, Error};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AllOfBuilder, AnyOfBuilder, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

use crate::api::teams::stripe::{LONGEST_SECRET, WebhookSecret};
use crate::http::json::Text;
use crate::settings::SecretText;
use crate::stripe::{self, Mode};

/// What to connect with. Surrounding white space does not matter.
#[derive(serde::Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Members {
    /// A secret or restricted API key. Without one, customers are not created in Stripe and Stripe is
    /// not asked about earlier subscriptions.
    #[schema(
        value_type = Option<String>,
        max_length = 300,
        pattern = "^[\\t\\n\\f\\r ]*(sk|rk)_(test|live)_[A-Za-z0-9_]{1,255}[\\t\\n\\f\\r ]*$"
    )]
    pub(super) secret_key: Option<SecretKey>,
    /// A publishable API key of the same mode.
    #[schema(
        value_type = Option<String>,
        max_length = 300,
        pattern = "^[\\t\\n\\f\\r ]*pk_(test|live)_[A-Za-z0-9_]{1,255}[\\t\\n\\f\\r ]*$"
    )]
    pub(super) publishable_key: Option<PublishableKey>,
    /// The signing secret of the webhook endpoint. Without one, an endpoint is made with the secret key.
    #[schema(value_type = Option<String>, min_length = 7, max_length = 300, pattern = "^[\\t\\n\\f\\r ]*whsec_[!-~]{1,255}[\\t\\n\\f\\r ]*$")]
    pub(super) webhook_secret: Option<WebhookSecret>,
}

/// A key that Stripe can be asked with.
pub(super) struct SecretKey {
    pub(super) text: SecretText,
    pub(super) mode: Mode,
}

impl<'de> Deserialize<'de> for SecretKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::<0, LONGEST_SECRET>::deserialize(deserializer)?;
        match stripe::secret_key(&text) {
            Some((text, mode)) => Ok(SecretKey { text, mode }),
            None => Err(D::Error::custom(
                "must begin with sk_test_, sk_live_, rk_test_ or rk_live_.",
            )),
        }
    }
}

/// A key that may be shown.
pub(super) struct PublishableKey {
    pub(super) text: String,
    pub(super) mode: Mode,
}

impl<'de> Deserialize<'de> for PublishableKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::<0, LONGEST_SECRET>::deserialize(deserializer)?;
        match stripe::publishable_key(&text) {
            Some((text, mode)) => Ok(PublishableKey { text, mode }),
            None => Err(D::Error::custom("must begin with pk_test_ or pk_live_.")),
        }
    }
}

/// The members, and that both keys are of one mode.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub struct ConnectRequest(pub(super) Members);

impl PartialSchema for ConnectRequest {
    fn schema() -> RefOr<Schema> {
        let modes = AnyOfBuilder::new()
            .description(Some("The keys are of the same mode."))
            .item(of_mode("test"))
            .item(of_mode("live"));
        let either = AnyOfBuilder::new()
            .description(Some("A signing secret, a secret key, or both."))
            .item(with("webhookSecret"))
            .item(with("secretKey"));
        let all = AllOfBuilder::new()
            .description(Some(
                "What to connect with. Surrounding white space does not matter.",
            ))
            .item(Members::schema())
            .item(modes)
            .item(either)
            .build();
        Schema::AllOf(all).into()
    }
}

impl ToSchema for ConnectRequest {}

fn with(member: &str) -> ObjectBuilder {
    let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Object))
        .property(member, text)
        .required(member)
}

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
