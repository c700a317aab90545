//! Amounts beside themselves in whole units, so that nobody has to know the decimals of a currency.

use billstack_core::money::Currency;
use serde_json::{Map, Value};

/// Members that are amounts wherever their object, or the one around, names a currency.
const AMOUNTS: [&str; 24] = [
    "amount",
    "applied",
    "available",
    "budget",
    "closing",
    "delivered",
    "granted",
    "held",
    "limit",
    "minimumPaidAmount",
    "open",
    "opening",
    "out",
    "refereeCreditAmount",
    "referrerCreditAmount",
    "reversed",
    "settled",
    "shortfall",
    "unexplained",
    "used",
    "moved",
    "balance",
    "before",
    "after",
];

/// Members whose objects have the currency of the object around them.
const WITHIN: [&str; 2] = ["amounts", "ages"];

/// Adds to each object with amounts a member `decimal` that says each in whole units with its currency.
pub(super) fn with_decimals(value: &mut Value) {
    decorate(value, None);
}

fn decorate(value: &mut Value, around: Option<Currency>) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|one| decorate(one, around)),
        Value::Object(object) => {
            let own = object.get("currency").and_then(Value::as_str);
            let currency = own.and_then(Currency::parse).or(around);
            for (name, member) in object.iter_mut() {
                let inherited = currency.filter(|_| WITHIN.contains(&name.as_str()));
                decorate(member, inherited);
            }
            if let Some(currency) = currency {
                let decimal = decimals(object, currency);
                if !decimal.is_empty() {
                    object.insert("decimal".to_owned(), Value::Object(decimal));
                }
            }
        }
        _ => {}
    }
}

fn decimals(object: &Map<String, Value>, currency: Currency) -> Map<String, Value> {
    let amounts = object
        .iter()
        .filter(|(name, _)| AMOUNTS.contains(&name.as_str()));
    amounts
        .filter_map(|(name, value)| Some((name.clone(), text(value.as_i64()?, currency).into())))
        .collect()
}

/// An amount with its currency: `1234.56 USD`.
pub(super) fn text(units: i64, currency: Currency) -> String {
    let code = currency.as_str().to_ascii_uppercase();
    format!("{} {code}", currency.decimal(units))
}

/// The amount in this member of an object with a currency, as a sentence takes it.
pub(super) fn told(object: &Value, name: &str) -> String {
    let currency = object["currency"].as_str().and_then(Currency::parse);
    match (object[name].as_i64(), currency) {
        (Some(units), Some(currency)) => text(units, currency),
        _ => "an unknown amount".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_are_told_in_whole_units_of_their_own_currency() {
        let mut value = json!({"credits": [
            {"amount": 1234, "currency": "usd", "amounts": {"held": 5, "applied": -1}, "attempts": 3},
            {"amount": 1234, "currency": "jpy"},
            {"amount": 1234, "currency": "kwd"},
        ]});
        with_decimals(&mut value);
        let credits = &value["credits"];
        assert_eq!(credits[0]["decimal"], json!({"amount": "12.34 USD"}));
        let within = json!({"applied": "-0.01 USD", "held": "0.05 USD"});
        assert_eq!(credits[0]["amounts"]["decimal"], within);
        assert_eq!(credits[0]["amounts"]["held"], json!(5));
        assert_eq!(credits[1]["decimal"], json!({"amount": "1234 JPY"}));
        assert_eq!(credits[2]["decimal"], json!({"amount": "1.234 KWD"}));
    }

    /// Figures of the same names count referrals.
    #[test]
    fn numbers_without_a_currency_stay_numbers() {
        let counts =
            json!({"period": {"applied": 3, "credited": [{"amount": 5, "currency": "eur"}]}});
        let mut value = counts.clone();
        with_decimals(&mut value);
        assert_eq!(
            value["period"]["credited"][0]["decimal"],
            json!({"amount": "0.05 EUR"})
        );
        assert_eq!(value["period"]["decimal"], Value::Null);
        let mut unknown = json!({"amount": 5, "currency": "zzz"});
        with_decimals(&mut unknown);
        assert_eq!(unknown, json!({"amount": 5, "currency": "zzz"}));
    }
}
