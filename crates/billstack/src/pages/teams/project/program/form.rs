//! The form as it is filled and read: every setting, in the words of people.

use billstack_core::money::{Amount, Currency};
use billstack_core::program::{Change, LARGEST_BUDGET, Program};
use serde_json::{Map, Value, json};

use crate::api::referrals::config::put::PutConfigRequest;
use crate::error::ApiError;
use crate::pages::form::Form;

/// The fields, which a step to confirm carries along.
pub(super) const FIELDS: [&str; 17] = [
    "enabled",
    "referrerCreditAmount",
    "refereeCreditAmount",
    "currency",
    "conversionTrigger",
    "excludeTrials",
    "minimumPaidAmount",
    "referralExpiryDays",
    "creditDelivery",
    "creditDescription",
    "holdDays",
    "clawback",
    "clawbackWindowDays",
    "clawbackApplied",
    "maxConversionsTotal",
    "maxConversionsPerMonth",
    "budget",
];

/// The form with what a program is.
pub(super) fn filled(program: &Program) -> Form {
    let terms = &program.terms;
    let amount = |units: i64| terms.currency.decimal(units);
    let number = |number: Option<i64>| number.map(|n| n.to_string()).unwrap_or_default();
    let flag = |flag: bool| if flag { "yes" } else { "" }.to_owned();
    Form::of([
        (
            "enabled",
            if program.enabled { "on" } else { "off" }.to_owned(),
        ),
        (
            "referrerCreditAmount",
            amount(terms.referrer_credit_amount.get()),
        ),
        (
            "refereeCreditAmount",
            amount(terms.referee_credit_amount.get()),
        ),
        ("currency", terms.currency.to_string()),
        (
            "conversionTrigger",
            terms.conversion_trigger.as_str().to_owned(),
        ),
        ("excludeTrials", flag(terms.exclude_trials)),
        ("minimumPaidAmount", amount(terms.minimum_paid_amount.get())),
        ("referralExpiryDays", number(terms.referral_expiry_days)),
        ("creditDelivery", terms.credit_delivery.as_str().to_owned()),
        ("creditDescription", terms.credit_description.clone()),
        ("holdDays", terms.hold_days.to_string()),
        ("clawback", terms.clawback.as_str().to_owned()),
        ("clawbackWindowDays", terms.clawback_window_days.to_string()),
        (
            "clawbackApplied",
            terms.clawback_applied.as_str().to_owned(),
        ),
        ("maxConversionsTotal", number(program.caps.total)),
        ("maxConversionsPerMonth", number(program.caps.per_month)),
        ("budget", program.budget.map(amount).unwrap_or_default()),
    ])
}

/// What a form wishes, read as the call reads its body.
pub(super) fn wished(form: &Form, grace: i64) -> Result<Change, ApiError> {
    let code = form.text("currency");
    // A currency that is none is refused by name below.
    let currency = Currency::parse(code).unwrap_or(Currency::USD);
    let amount = |name: &'static str, most: i64| amount(form, name, (currency, most));
    let number = |name: &str| number(form.text(name));
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
    add("enabled", json!(form.text("enabled") == "on"));
    add("currency", json!(code));
    for name in [
        "referrerCreditAmount",
        "refereeCreditAmount",
        "minimumPaidAmount",
    ] {
        add(name, amount(name, Amount::MAX.get())?);
    }
    for name in [
        "conversionTrigger",
        "creditDelivery",
        "creditDescription",
        "clawback",
        "clawbackApplied",
    ] {
        add(name, json!(form.text(name)));
    }
    for name in ["holdDays", "clawbackWindowDays"] {
        add(name, number(name));
    }
    add(
        "excludeTrials",
        json!(!form.text("excludeTrials").is_empty()),
    );
    add(
        "referralExpiryDays",
        or_null(form, "referralExpiryDays", number("referralExpiryDays")),
    );
    let caps = json!({"total": cap(form, "maxConversionsTotal")?, "perMonth": cap(form, "maxConversionsPerMonth")?});
    add("maxConversionsPerReferrer", caps);
    let budget = match form.text("budget") {
        "" => Value::Null,
        _ => amount("budget", LARGEST_BUDGET)?,
    };
    add("budget", budget);
    form.read_members::<PutConfigRequest>(&members)?
        .into_change(grace)
}

/// An amount in whole units as the smallest ones of the API.
fn amount(
    form: &Form,
    name: &'static str,
    (currency, most): (Currency, i64),
) -> Result<Value, ApiError> {
    let units = currency.units(form.text(name).trim());
    let units = units.filter(|units| *units <= most);
    let units = units.ok_or_else(|| {
        let (least, most) = (currency.decimal(0), currency.text(most));
        ApiError::invalid(
            name,
            format!(
                "`{name}` must be an amount from {least} to {most}, such as {}.",
                currency.decimal(1000)
            ),
        )
    })?;
    Ok(json!(units))
}

/// A number as it was typed; what is none is refused by the reader.
fn number(text: &str) -> Value {
    text.trim()
        .parse::<i64>()
        .map_or(json!(text), |number| json!(number))
}

fn or_null(form: &Form, name: &str, value: Value) -> Value {
    match form.text(name) {
        "" => Value::Null,
        _ => value,
    }
}

/// A limit of conversions, of which two are one member.
fn cap(form: &Form, name: &'static str) -> Result<Value, ApiError> {
    let value = or_null(form, name, number(form.text(name)));
    let is_fine = value.is_null() || value.as_i64().is_some_and(|n| (0..=1_000_000).contains(&n));
    match is_fine {
        true => Ok(value),
        false => Err(ApiError::invalid(
            name,
            format!("`{name}` must be a whole number from 0 to 1000000, or empty for no limit."),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_is_sent_as_it_came_changes_nothing() {
        let mut program = Program {
            enabled: true,
            budget: Some(12_345),
            ..Program::default()
        };
        program.caps.per_month = Some(3);
        program.terms.exclude_trials = true;
        program.terms.referral_expiry_days = Some(30);
        for code in ["usd", "jpy", "kwd"] {
            program.terms.currency = Currency::parse(code).expect("a currency");
            program.terms.referrer_credit_amount = Amount::new(1_230).expect("an amount");
            let wished = wished(&filled(&program), program.terms.grace).expect("a change");
            assert_eq!(wished.of(program.clone()), Ok(program.clone()), "{code}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let of = |name: &str, value: &str| {
            let fields = filled(&Program::default());
            let fields = fields
                .fields()
                .map(|(field, old)| (field, if field == name { value } else { old }));
            let body: String = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            let error = wished(&Form::parse(body.as_bytes()), 0).expect_err("refused");
            (
                error.field.unwrap_or_default().to_string(),
                error.message.to_string(),
            )
        };
        for (name, value) in [
            ("referrerCreditAmount", "10,00"),
            ("refereeCreditAmount", "1000000"),
            ("minimumPaidAmount", "-1"),
            ("currency", "xyz"),
            ("holdDays", "366"),
            ("holdDays", ""),
            ("clawbackWindowDays", "x"),
            ("maxConversionsTotal", "-1"),
            ("maxConversionsPerMonth", "1.5"),
            ("budget", "lots"),
            ("referralExpiryDays", "0"),
            ("creditDescription", ""),
            ("conversionTrigger", "never"),
        ] {
            assert_eq!(of(name, value).0, name, "{value}");
        }
        assert_eq!(
            of("referrerCreditAmount", "10,00").1,
            "`referrerCreditAmount` must be an amount from 0.00 to 999,999.99 USD, such as 10.00."
        );
    }
}
