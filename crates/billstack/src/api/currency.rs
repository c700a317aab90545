//! Currencies in requests.

use billstack_core::money::Currency;
use serde::de::{Deserialize, Deserializer, Error};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use crate::error::ApiError;
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

/// The refusal of an amount that Stripe could not bill in its currency.
pub fn not_billable(field: &'static str, currency: Currency) -> ApiError {
    let step = currency.step();
    let why = format!("`{field}` must be a multiple of {step} in {currency}.");
    ApiError::invalid(field, why)
}

/// Its schema where it may be left out: any of the known codes, in any case.
pub fn schema() -> Schema {
    let kinds = [Type::String, Type::Null].into_iter().collect();
    of_kind(SchemaType::Array(kinds), "; `usd` if left out.")
}

/// Its schema where it must be sent.
pub fn required() -> Schema {
    of_kind(SchemaType::Type(Type::String), ".")
}

fn of_kind(kind: SchemaType, end: &str) -> Schema {
    let any_case = |code: &&str| -> String {
        code.chars()
            .map(|c| format!("[{c}{}]", c.to_ascii_uppercase()))
            .collect()
    };
    let codes: Vec<String> = Currency::all().iter().map(any_case).collect();
    let what = "ISO 4217 code of a currency that Stripe bills in";
    Schema::Object(
        ObjectBuilder::new()
            .schema_type(kind)
            .pattern(Some(format!("^({})$", codes.join("|"))))
            .description(Some(format!("{what}{end}")))
            .examples([serde_json::json!("usd")])
            .build(),
    )
}
