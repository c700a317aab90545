//! Schemas of texts that stand in more than one request.

use billstack_core::email;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

/// An e-mail address as it may be sent.
pub struct EmailText;

impl PartialSchema for EmailText {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .description(Some(
                "An e-mail address; white space around it and case do not matter.",
            ))
            .max_length(Some(255))
            .pattern(Some(email::PATTERN))
            .examples([json!("ada@example.com")])
            .build();
        Schema::Object(schema).into()
    }
}

impl ToSchema for EmailText {}
