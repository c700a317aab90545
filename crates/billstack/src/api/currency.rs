//! Currencies in requests.

use billstack_core::money::Currency;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use crate::error::ApiError;
use crate::http::json::JsonObject;

/// The `currency` of a body, folded to lower case.
pub fn read(body: &JsonObject) -> Result<Option<Currency>, ApiError> {
    let Some(text) = body.optional_str("currency", 3)? else {
        return Ok(None);
    };
    let Some(currency) = Currency::parse(&text) else {
        let message = "`currency` must be the code of a currency that Stripe bills in.";
        return Err(ApiError::invalid("currency", message));
    };
    Ok(Some(currency))
}

/// Its schema: any of the known codes, in any case.
pub fn schema() -> Schema {
    let any_case = |code: &&str| -> String {
        code.chars()
            .map(|c| format!("[{c}{}]", c.to_ascii_uppercase()))
            .collect()
    };
    let codes: Vec<String> = Currency::all().iter().map(any_case).collect();
    let kinds = [Type::String, Type::Null].into_iter().collect();
    Schema::Object(
        ObjectBuilder::new()
            .schema_type(SchemaType::Array(kinds))
            .pattern(Some(format!("^({})$", codes.join("|"))))
            .description(Some(
                "ISO 4217 code of a currency that Stripe bills in; `usd` if left out.",
            ))
            .examples([serde_json::json!("usd")])
            .build(),
    )
}
