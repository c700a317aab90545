//! Texts that stand in more than one request.

use billstack_core::email;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::http::json::Text;

/// The longest e-mail address, in characters, with the white space around it.
const LONGEST: usize = 255;

/// An e-mail address in a request.
pub struct EmailText {
    /// As it was sent: Stripe compares case.
    pub typed: String,
    /// As it is kept and compared here.
    pub normal: String,
}

impl<'de> Deserialize<'de> for EmailText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(typed) = Text::<1, LONGEST>::deserialize(deserializer)?;
        match email::normalize(&typed) {
            Some(normal) => Ok(EmailText { typed, normal }),
            None => Err(D::Error::custom("must be an e-mail address.")),
        }
    }
}

impl PartialSchema for EmailText {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .description(Some(
                "An e-mail address; white space and invisible characters around it, `mailto:`, case and a dot at its end do not matter.",
            ))
            .max_length(Some(LONGEST))
            .pattern(Some(email::PATTERN))
            .examples([json!("ada@example.com")])
            .build();
        Schema::Object(schema).into()
    }
}

impl ToSchema for EmailText {}
