//! What a body must be to count as an event, for the API document.

use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{
    AllOfBuilder, AnyOfBuilder, ObjectBuilder, Schema, SchemaType, Type,
};
use utoipa::{PartialSchema, ToSchema};

/// An event as Stripe sends it; of any API version, with or without its object.
pub(super) struct StripeEventBody;

impl PartialSchema for StripeEventBody {
    fn schema() -> RefOr<Schema> {
        let with_object = object()
            .property(
                "data",
                object().property("object", object()).required("object"),
            )
            .required("data");
        let thin = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .enum_values(Some(["v2.core.event"]));
        let thin = object().property("object", thin).required("object");
        let all = AllOfBuilder::new()
            .description(Some(
                "An event as Stripe sends it; of any API version. A thin event has no object.",
            ))
            .item(named())
            .item(AnyOfBuilder::new().item(with_object).item(thin))
            .examples([json!({
                "id": "evt_1RfX2cQ",
                "object": "event",
                "type": "customer.subscription.created",
                "created": 1_774_872_000,
                "livemode": true,
                "data": {"object": {
                    "id": "sub_1RfX2cQ",
                    "object": "subscription",
                    "customer": "cus_QXr1c2",
                    "status": "active",
                    "created": 1_774_872_000,
                }},
            })])
            .build();
        Schema::AllOf(all).into()
    }
}

impl ToSchema for StripeEventBody {}

/// The members that every event has.
fn named() -> ObjectBuilder {
    let name = |description: &str| {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .description(Some(description))
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some(r"^[^\u0000]*$"))
    };
    object()
        .property("id", name("Stripe's id of the event."))
        .property("type", name("Its type."))
        .required("id")
        .required("type")
}

fn object() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::Object))
}
