//! The form: every setting, in the words of people.

use billstack_core::money::{Amount, Currency};
use billstack_core::program::{Change, LARGEST_BUDGET, Program};
use billstack_store::Place;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::path;
use super::settings::{APPLIED, CLAWBACKS, DELIVERIES, TRIGGERS, label};
use crate::api::referrals::config::put::PutConfigRequest;
use crate::error::ApiError;
use crate::pages::form::{Form, filled_with};
use crate::pages::parts::entry::{Entry, Sort, entry, pick};
use crate::pages::parts::form::{check, fault, submit as button};
use crate::pages::view::View;

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

const EXAMPLE: &str = "Such as 10.00.";

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

/// The form.
pub(super) fn form(
    view: &View,
    place: &Place,
    program: &Program,
    (typed, error): (&Form, Option<&ApiError>),
) -> Markup {
    let shown = (typed, error);
    html! {
        section {
            h2 { "Change the program" }
            p.quiet { "You see what would change before it is saved. Referrals that wait keep the terms of the day on which "
                "their code was applied; limits and the budget are read when somebody converts." }
            (fault(error, &FIELDS))
            form.groups method="post" action=(path(place)) {
                (filled_with(&filled(program), &FIELDS, shown))
                fieldset {
                    legend { "Promise" }
                    (pick((label("enabled"), "enabled"), [("on", "yes"), ("off", "no")], shown, None))
                    (money("referrerCreditAmount", EXAMPLE, program.terms.referrer_credit_amount.get(), shown))
                    (money("refereeCreditAmount", EXAMPLE, program.terms.referee_credit_amount.get(), shown))
                    (currencies(shown))
                }
                (conversion(program, shown))
                (credits(shown))
                (limits(shown))
                (button("Look at the change").when(view.can_write(), "Viewers of the team cannot change the program."))
            }
        }
    }
}

type Shown<'s> = (&'s Form, Option<&'s ApiError>);

fn money(name: &str, hint: &str, units: i64, (typed, error): Shown<'_>) -> Markup {
    let hint = format!("{hint} In the API: {units} at present.");
    let field = Entry {
        label: label(name),
        name,
        sort: Sort::Amount,
        hint: Some(&hint),
        most: 20,
        ..Entry::default()
    };
    entry(&field, typed, error)
}

fn whole(name: &str, hint: Option<&str>, (typed, error): Shown<'_>) -> Markup {
    let field = Entry {
        label: label(name),
        name,
        sort: Sort::Whole,
        hint,
        most: 9,
        ..Entry::default()
    };
    entry(&field, typed, error)
}

fn currencies(shown: Shown<'_>) -> Markup {
    let all: Vec<_> = Currency::all()
        .iter()
        .map(|code| (*code, code.to_ascii_uppercase()))
        .collect();
    let mut all: Vec<_> = all
        .iter()
        .map(|(code, shown)| (*code, shown.as_str()))
        .collect();
    // One that is gone is shown where it stands.
    let now = shown.0.text("currency");
    if !now.is_empty() && !Currency::all().contains(&now) {
        all.push((now, now));
    }
    pick((label("currency"), "currency"), all, shown, None)
}

fn conversion(program: &Program, shown: Shown<'_>) -> Markup {
    let minimum = "Of the invoice that converts, with tax; 0 for any.";
    html! {
        fieldset {
            legend { "Conversion" }
            (pick((label("conversionTrigger"), "conversionTrigger"), TRIGGERS, shown, None))
            (money("minimumPaidAmount", minimum, program.terms.minimum_paid_amount.get(), shown))
            (whole("referralExpiryDays", Some("Empty for never."), shown))
            (check("A trial does not count until it is over", "excludeTrials", shown.0))
        }
    }
}

fn credits(shown: Shown<'_>) -> Markup {
    let description = Entry {
        label: label("creditDescription"),
        name: "creditDescription",
        hint: Some("Your customer reads it."),
        most: 350,
        ..Entry::default()
    };
    html! {
        fieldset {
            legend { "Credits" }
            (pick((label("creditDelivery"), "creditDelivery"), DELIVERIES, shown, Some("The balance in Stripe needs a secret key.")))
            (entry(&description, shown.0, shown.1))
            (whole("holdDays", Some("Up to 365; 0 for none."), shown))
            (pick((label("clawback"), "clawback"), CLAWBACKS, shown, Some("A refund, a dispute, a credit note.")))
            (whole("clawbackWindowDays", Some("Where it is for a number of days: 1 to 730."), shown))
            (pick((label("clawbackApplied"), "clawbackApplied"), APPLIED, shown, None))
        }
    }
}

fn limits(shown: Shown<'_>) -> Markup {
    let budget = Entry {
        label: label("budget"),
        name: "budget",
        sort: Sort::Amount,
        hint: Some("What may be out at once, granted and not taken back. Empty for no limit."),
        most: 20,
        ..Entry::default()
    };
    html! {
        fieldset {
            legend { "Limits" }
            (whole("maxConversionsTotal", Some("Empty for no limit. Further friends convert, and only they are credited."), shown))
            (whole("maxConversionsPerMonth", Some("By months of UTC. Empty for no limit."), shown))
            (entry(&budget, shown.0, shown.1))
        }
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
