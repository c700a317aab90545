//! The form as it is shown: what every team sets, and the rest folded, each group with a line of what it is set to.

use billstack_core::money::Currency;
use billstack_core::program::{Clawback, ConversionTrigger, Program};
use billstack_store::Place;
use maud::{Markup, html};

use super::form::{FIELDS, filled};
use super::path;
use super::settings::{APPLIED, CLAWBACKS, DELIVERIES, TRIGGERS, label, word};
use crate::error::ApiError;
use crate::pages::form::{Form, filled_with};
use crate::pages::parts::entry::{Entry, Sort, entry, pick};
use crate::pages::parts::form::{check, fault, submit as button};
use crate::pages::parts::lock::Need;
use crate::pages::view::View;

const CONVERSION: [&str; 4] = [
    "conversionTrigger",
    "minimumPaidAmount",
    "referralExpiryDays",
    "excludeTrials",
];
const CREDITS: [&str; 5] = [
    "creditDelivery",
    "creditDescription",
    "clawback",
    "clawbackWindowDays",
    "clawbackApplied",
];
const LIMITS: [&str; 3] = ["maxConversionsTotal", "maxConversionsPerMonth", "budget"];

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
            form.groups method="post" action=(path(place)) { (view.lock(Need::Writer).around(inside(program, shown))) }
        }
    }
}

fn inside(program: &Program, shown: Shown<'_>) -> Markup {
    let is_open = |names| is_touched(program, names, shown);
    html! {
        (filled_with(&filled(program), &FIELDS, shown))
        (promise(program, shown))
        (folded("Conversion", &told_of_conversion(program), is_open(&CONVERSION), conversion(program, shown)))
        (folded("Credits", &told_of_credits(program), is_open(&CREDITS), credits(shown)))
        (folded("Limits", &told_of_limits(program), is_open(&LIMITS), limits(shown)))
        (button("Look at the change"))
    }
}

type Shown<'s> = (&'s Form, Option<&'s ApiError>);

/// A group that is out of the way until somebody opens it, or until there is something to see to.
fn folded(name: &str, told: &str, is_open: bool, fields: Markup) -> Markup {
    html! {
        details.group open[is_open] {
            summary { b { (name) } " " span.quiet { (told) } }
            div.grid { (fields) }
        }
    }
}

/// Whether a field of a group was refused, or was typed into.
fn is_touched(program: &Program, names: &[&str], (typed, error): Shown<'_>) -> bool {
    let refused = error.and_then(|error| error.field.as_deref());
    let now = filled(program);
    let mut names = names.iter();
    names.any(|name| refused == Some(*name) || typed.text(name).trim() != now.text(name))
}

fn told_of_conversion(program: &Program) -> String {
    let terms = &program.terms;
    let is_payment = terms.conversion_trigger == ConversionTrigger::FirstPaidInvoice;
    let mut told = sentence_case(word("conversionTrigger", terms.conversion_trigger.as_str()));
    let least = terms.minimum_paid_amount.get();
    if is_payment && least > 0 {
        told += &format!(", at least {}", terms.currency.text(least));
    }
    if terms.exclude_trials {
        told += "; trials do not count";
    }
    match terms.referral_expiry_days {
        None => told + ". Waiting never ends.",
        Some(1) => told + ". Waiting ends after a day.",
        Some(days) => format!("{told}. Waiting ends after {days} days."),
    }
}

fn told_of_credits(program: &Program) -> String {
    let terms = &program.terms;
    let given = sentence_case(word("creditDelivery", terms.credit_delivery.as_str()));
    let days = terms.clawback_window_days;
    let lost = match &terms.clawback {
        Clawback::None => "takes nothing back".to_owned(),
        Clawback::WithinHold => "takes back what is still held".to_owned(),
        Clawback::Always => format!("takes credits back for {days} days"),
        Clawback::Other(word) => format!("is met by {}", word.as_str()),
    };
    format!("{given}. A lost payment {lost}.")
}

fn told_of_limits(program: &Program) -> String {
    let of_referrers = match (program.caps.total, program.caps.per_month) {
        (None, None) => "No limit a referrer".to_owned(),
        (Some(total), None) => format!("{total} paid conversions a referrer"),
        (None, Some(month)) => format!("{month} paid conversions a referrer and month"),
        (Some(total), Some(month)) => {
            format!("{total} paid conversions a referrer, {month} in a month")
        }
    };
    match program.budget {
        None => format!("{of_referrers}; no budget."),
        Some(units) => format!(
            "{of_referrers}; a budget of {}.",
            program.terms.currency.text(units)
        ),
    }
}

fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

fn promise(program: &Program, shown: Shown<'_>) -> Markup {
    let terms = &program.terms;
    let units = [
        terms.referrer_credit_amount.get(),
        terms.referee_credit_amount.get(),
    ];
    html! {
        fieldset {
            legend { "Promise" }
            (pick((label("enabled"), "enabled"), [("on", "yes"), ("off", "no")], shown, None))
            (money("referrerCreditAmount", None, shown))
            (money("refereeCreditAmount", None, shown))
            (currencies(shown))
            (whole("holdDays", Some("Up to 365; 0 for none."), shown))
            @if differ(terms.currency, &units) {
                p.wide.quiet { "In the API amounts are whole numbers of the smallest unit: " (units[0]) " and " (units[1]) " at present." }
            }
        }
    }
}

/// Whether the API writes any of these amounts in another way than people do.
fn differ(currency: Currency, units: &[i64]) -> bool {
    let is_other = |units: &i64| *units != 0 && currency.decimal(*units) != units.to_string();
    units.iter().any(is_other)
}

fn money(name: &str, hint: Option<&str>, (typed, error): Shown<'_>) -> Markup {
    let field = Entry {
        label: label(name),
        name,
        sort: Sort::Amount,
        hint,
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
    let units = program.terms.minimum_paid_amount.get();
    let mut minimum = "Of the invoice that converts, with tax; 0 for any.".to_owned();
    if differ(program.terms.currency, &[units]) {
        minimum += &format!(" In the API: {units}.");
    }
    html! {
        (pick((label("conversionTrigger"), "conversionTrigger"), TRIGGERS, shown, None))
        (money("minimumPaidAmount", Some(&minimum), shown))
        (whole("referralExpiryDays", Some("Empty for never."), shown))
        (check("A trial does not count until it is over", "excludeTrials", shown.0))
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
        (pick((label("creditDelivery"), "creditDelivery"), DELIVERIES, shown, Some("The balance in Stripe needs a secret key.")))
        (entry(&description, shown.0, shown.1))
        (pick((label("clawback"), "clawback"), CLAWBACKS, shown, Some("A refund, a dispute, a credit note.")))
        (whole("clawbackWindowDays", Some("Where it is for a number of days: 1 to 730."), shown))
        (pick((label("clawbackApplied"), "clawbackApplied"), APPLIED, shown, None))
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
        (whole("maxConversionsTotal", Some("Empty for no limit. Further friends convert, and only they are credited."), shown))
        (whole("maxConversionsPerMonth", Some("By months of UTC. Empty for no limit."), shown))
        (entry(&budget, shown.0, shown.1))
    }
}

#[cfg(test)]
mod tests {
    use billstack_core::program::CreditDelivery;

    use super::*;

    #[test]
    fn each_folded_group_says_what_it_is_set_to() {
        let mut program = Program::default();
        assert_eq!(
            told_of_conversion(&program),
            "When the friend subscribes. Waiting never ends."
        );
        assert_eq!(
            told_of_credits(&program),
            "In the books; you give them. A lost payment takes nothing back."
        );
        assert_eq!(told_of_limits(&program), "No limit a referrer; no budget.");
        let terms = &mut program.terms;
        terms.conversion_trigger = ConversionTrigger::FirstPaidInvoice;
        terms.minimum_paid_amount = billstack_core::money::Amount::new(500).expect("an amount");
        terms.exclude_trials = true;
        terms.referral_expiry_days = Some(30);
        terms.credit_delivery = CreditDelivery::StripeBalance;
        terms.clawback = Clawback::Always;
        program.caps.per_month = Some(3);
        program.budget = Some(100_000);
        assert_eq!(
            told_of_conversion(&program),
            "When the friend first pays, at least 5.00 USD; trials do not count. Waiting ends after 30 days."
        );
        assert_eq!(
            told_of_credits(&program),
            "Into the balance in Stripe. A lost payment takes credits back for 180 days."
        );
        assert_eq!(
            told_of_limits(&program),
            "3 paid conversions a referrer and month; a budget of 1,000.00 USD."
        );
    }

    #[test]
    fn a_group_opens_where_there_is_something_to_see_to() {
        let program = Program::default();
        let typed = filled(&program);
        assert!(!is_touched(&program, &LIMITS, (&typed, None)));
        let error = ApiError::invalid("budget", "`budget` is wrong.");
        assert!(is_touched(&program, &LIMITS, (&typed, Some(&error))));
        assert!(!is_touched(&program, &CREDITS, (&typed, Some(&error))));
        let mut other = program.clone();
        other.caps.total = Some(3);
        assert!(is_touched(&program, &LIMITS, (&filled(&other), None)));
    }

    #[test]
    fn every_field_is_open_or_in_one_group() {
        let open = [
            "enabled",
            "referrerCreditAmount",
            "refereeCreditAmount",
            "currency",
            "holdDays",
        ];
        let groups = [&open[..], &CONVERSION, &CREDITS, &LIMITS].concat();
        let mut shown = groups.clone();
        shown.sort_unstable();
        let mut all = FIELDS.to_vec();
        all.sort_unstable();
        assert_eq!(shown, all);
    }
}
