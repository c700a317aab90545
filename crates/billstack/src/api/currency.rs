//! Currencies in requests.

use billstack_core::money::Currency;
use serde::de::{Deserialize, Deserializer, Error};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use crate::http::json::Text;

/// A currency that Stripe bills in, sent in any case.
pub struct SentCurrency(pub Currency);

impl<'de> Deserialize<'de> for SentCurrency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::<0, 3>::deserialize(deserializer)?;
        Currency::parse(&text)
            .map(SentCurrency)
            .ok_or_else(|| D::Error::custom("must be the code of a currency that Stripe bills in."))
    }
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
