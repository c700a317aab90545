//! Outgoing webhooks in the API document: a schema and an entry for each type.

use billstack_core::webhook::types::Type;
use serde_json::{Map, Value, json};
use utoipa::openapi::schema::{
    Discriminator, KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, SchemaType,
    Type as Kind,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::body::{credits, others, referrals};
use super::samples;

type Schemas = Vec<(String, RefOr<Schema>)>;

/// An event of any type that is told.
pub struct EventSchema;

impl PartialSchema for EventSchema {
    fn schema() -> RefOr<Schema> {
        let one_of = OneOfBuilder::new()
            .description(Some(
                "An event, as its webhook tells it. A type only ever gains members.",
            ))
            .discriminator(Some(Discriminator::with_mapping(
                "type",
                Type::ALL
                    .iter()
                    .map(|kind| (kind.as_str(), reference(*kind))),
            )));
        let one_of = Type::ALL.iter().fold(one_of, |one_of, kind| {
            one_of.item(Ref::new(reference(*kind)))
        });
        Schema::OneOf(one_of.build()).into()
    }
}

impl ToSchema for EventSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        "Event".into()
    }

    fn schemas(schemas: &mut Schemas) {
        for kind in Type::ALL {
            let (data, schema) = data_of(*kind, schemas);
            schemas.push((data.clone(), schema));
            schemas.push((name_of(*kind), envelope(*kind, &data)));
        }
    }
}

/// The name of the schema of a type: `EventReferralNotConverted`.
fn name_of(kind: Type) -> String {
    let words = kind.as_str().split(['.', '_']);
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    words.fold("Event".to_owned(), |name, word| name + &capital(word))
}

fn reference(kind: Type) -> String {
    format!("#/components/schemas/{}", name_of(kind))
}

/// The name and the schema of what a type says, whose parts are added to the others.
fn data_of(kind: Type, schemas: &mut Schemas) -> (String, RefOr<Schema>) {
    fn of<T: ToSchema>(schemas: &mut Schemas) -> (String, RefOr<Schema>) {
        T::schemas(schemas);
        (T::name().into_owned(), T::schema())
    }
    match kind {
        Type::ReferralApplied => of::<referrals::WebhookReferralApplied>(schemas),
        Type::ReferralConverted => of::<referrals::WebhookReferralConverted>(schemas),
        Type::ReferralNotConverted => of::<referrals::WebhookReferralNotConverted>(schemas),
        Type::ReferralCreditWithheld => of::<referrals::WebhookCreditWithheld>(schemas),
        Type::ReferralExpired => of::<referrals::WebhookReferralExpired>(schemas),
        Type::CreditGranted | Type::CreditHeld => of::<credits::WebhookCreditMade>(schemas),
        Type::CreditReleased
        | Type::CreditDelivered
        | Type::CreditApplied
        | Type::CreditUnapplied
        | Type::CreditPutBack
        | Type::CreditReversed
        | Type::CreditRestored
        | Type::CreditSettled
        | Type::CreditShortfall
        | Type::CreditShortfallCanceled => of::<credits::WebhookCreditMoved>(schemas),
        Type::CreditNeedsAttention
        | Type::CreditDeliveryRequested
        | Type::CreditDeliveryRetried => of::<credits::WebhookCreditDelivery>(schemas),
        Type::CreditDeliveryFellShort => of::<credits::WebhookCreditFellShort>(schemas),
        Type::CodeCreated | Type::CodeDeactivated | Type::CodeRenamed => {
            of::<others::WebhookCode>(schemas)
        }
        Type::CustomerCreated => of::<others::WebhookCustomerCreated>(schemas),
        Type::CustomerUpdated => of::<others::WebhookCustomerUpdated>(schemas),
        Type::CustomerLinked => of::<others::WebhookCustomerLinked>(schemas),
        Type::CustomerErased => of::<others::WebhookCustomerErased>(schemas),
        Type::ProgramUpdated => of::<others::WebhookProgram>(schemas),
        Type::BudgetLow | Type::BudgetExhausted => of::<others::WebhookBudget>(schemas),
        Type::WebhookEndpointFailing => of::<others::WebhookEndpointFailing>(schemas),
        Type::WebhookEndpointDisabled => of::<others::WebhookEndpointDisabled>(schemas),
        Type::Ping | Type::Other(_) => of::<others::WebhookPing>(schemas),
    }
}

/// Whether events of a type have a number in the story of a referral: always, where they are about a referral; and
/// where they are about a credit, if a referral has earned it.
fn is_numbered(kind: Type) -> bool {
    ["referral.", "credit."]
        .iter()
        .any(|about| kind.as_str().starts_with(about))
}

/// The schema of a type.
fn envelope(kind: Type, data: &str) -> RefOr<Schema> {
    let text = |description: &str| {
        let text = ObjectBuilder::new().schema_type(SchemaType::Type(Kind::String));
        text.description(Some(description))
    };
    let object = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Kind::Object))
        .description(Some(summary(kind)))
        .property(
            "type",
            text("What happened.").enum_values(Some([kind.as_str()])),
        )
        .property(
            "id",
            text("Its id. It is the same however often it is sent, and to whom.")
                .examples([json!("evt_01kgv5r3mq7x2h9d4t8w6c0b1e")]),
        )
        .property(
            "timestamp",
            text("When it happened, by the clock of the project.")
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))),
        )
        .property("teamId", text("The team."))
        .property("projectId", text("The project."))
        .property("data", Ref::from_schema_name(data));
    let object = match is_numbered(kind) {
        true => object.property(
            "sequence",
            ObjectBuilder::new()
                .schema_type(SchemaType::Type(Kind::Integer))
                .minimum(Some(1))
                .examples([json!(2)])
                .description(Some("Its number in the story of its referral.")),
        ),
        false => object,
    };
    Schema::Object(object.build()).into()
}

/// What a type tells, in a sentence.
pub fn summary(kind: Type) -> &'static str {
    match kind {
        Type::BudgetExhausted => "Nothing is left of a budget, or not enough for a credit.",
        Type::BudgetLow => "Four fifths of a budget are out.",
        Type::CodeCreated => "A customer got a code.",
        Type::CodeDeactivated => "A code can no longer be applied.",
        Type::CodeRenamed => "A code got another name.",
        Type::CreditApplied => "An invoice used of a credit what was in the balance at Stripe.",
        Type::CreditDelivered => "A credit was put into the customer's balance at Stripe.",
        Type::CreditDeliveryFellShort => {
            "Not all that somebody wanted to take back of a balance at Stripe was there."
        }
        Type::CreditDeliveryRequested => {
            "Somebody decided that a credit is put into a balance at Stripe."
        }
        Type::CreditDeliveryRetried => "Somebody decided that the delivery of a credit goes on.",
        Type::CreditGranted => "A credit was made, and is the customer's at once.",
        Type::CreditHeld => "A credit was made, and becomes the customer's later.",
        Type::CreditNeedsAttention => "The delivery of a credit waits for a person.",
        Type::CreditPutBack => "What was taken back of a credit had been used meanwhile.",
        Type::CreditReleased => "What was held of a credit became the customer's.",
        Type::CreditRestored => "What had been taken back of a credit was given again.",
        Type::CreditReversed => "A credit was taken back, in whole or in part.",
        Type::CreditSettled => "A credit was paid to the customer, in whole or in part.",
        Type::CreditShortfall => "A credit should have been taken back, and could not be any more.",
        Type::CreditShortfallCanceled => {
            "What could not be taken back of a credit need not be any more."
        }
        Type::CreditUnapplied => "What an invoice had used of a credit came back into the balance.",
        Type::CustomerCreated => "A customer was created.",
        Type::CustomerErased => "A customer's personal data were erased.",
        Type::CustomerLinked => "It became known which customer in Stripe this one is.",
        Type::CustomerUpdated => "Other members of a customer were changed.",
        Type::Ping => "Nothing has happened: somebody tries the endpoint.",
        Type::ProgramUpdated => "The program was changed.",
        Type::ReferralApplied => "A code was applied: a referral begins.",
        Type::ReferralConverted => "A referral converted.",
        Type::ReferralCreditWithheld => {
            "A side of a conversion got no credit, because the program gives no more."
        }
        Type::ReferralExpired => "A referral was closed without a conversion.",
        Type::ReferralNotConverted => {
            "An event of Stripe was looked at for a referral and did not convert it."
        }
        Type::WebhookEndpointDisabled => {
            "Another endpoint of the project is sent nothing any more."
        }
        Type::WebhookEndpointFailing => {
            "Another endpoint of the project has taken nothing for a day."
        }
        Type::Other(_) => "",
    }
}

/// The entry of each type.
pub fn webhooks() -> Value {
    let entries = Type::ALL
        .iter()
        .map(|kind| (kind.to_string(), entry(*kind)));
    entries.collect::<Map<_, _>>().into()
}

fn entry(kind: Type) -> Value {
    let id = kind.as_str().replace('.', "_");
    let sample: Value = serde_json::from_str(samples::of(kind)).unwrap_or_default();
    json!({"post": {
        "operationId": format!("told_{id}"),
        "summary": summary(kind),
        "description": "We send it to the endpoints of the project that want it, signed as Standard Webhooks say.",
        "tags": ["Webhooks"],
        "security": [],
        "parameters": [
            header("webhook-id", "The event; the same on every attempt.", "evt_01kgv5r3mq7x2h9d4t8w6c0b1e"),
            header("webhook-timestamp", "When it was sent, in seconds since 1970.", "1764408600"),
            header(
                "webhook-signature",
                "`v1,` and the HMAC-SHA256 of id, time stamp and body, joined by dots, in base64; two of them, \
                 separated by a space, while the secret is being rotated.",
                "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
            ),
            header("billstack-attempt", "Which attempt this is, from 1.", "1"),
        ],
        "requestBody": {"required": true, "content": {"application/json": {
            "schema": {"$ref": reference(kind)},
            "example": sample,
        }}},
        "responses": {
            "2XX": {"description": "You have it."},
            "410": {"description": "Send nothing more: the endpoint is disabled."},
            "default": {"description": "It is sent again later."},
        },
    }})
}

fn header(name: &str, description: &str, example: &str) -> Value {
    json!({
        "name": name, "in": "header", "required": true, "description": description,
        "schema": {"type": "string"}, "example": example,
    })
}
