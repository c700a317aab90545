//! The bookings of a credit: from where to where, why, and by whom.

use std::collections::BTreeMap;

use billstack_core::ledger::Account;
use billstack_core::money::Currency;
use billstack_store::credits::Posting;
use maud::{Markup, html};

use crate::pages::parts::deeds::Reader;
use crate::pages::parts::money::amount;
use crate::pages::parts::notice::beside;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::moment;

/// A row for each entry: its lines have the same number.
pub(super) fn bookings(
    postings: &[Posting],
    currency: Currency,
    (reader, names): (Reader<'_>, &BTreeMap<String, String>),
) -> Markup {
    let columns = [
        Column::short("When"),
        Column::text("What"),
        Column::number("Amount"),
        Column::text("By"),
        Column::text("Why"),
        Column::text("At Stripe"),
    ];
    let entries = postings.chunk_by(|one, other| one.seq == other.seq);
    let rows = entries.filter_map(|lines| {
        let first = lines.first()?;
        let gives = lines.iter().filter(|line| line.amount < 0);
        let takes = lines.iter().filter(|line| line.amount > 0);
        let units: i64 = takes.clone().map(|line| line.amount).sum();
        let accounts = |lines: &mut dyn Iterator<Item = &Posting>| {
            let names: Vec<_> = lines.map(|line| name(line.account)).collect();
            names.join(", ")
        };
        let (from, to) = (accounts(&mut gives.clone()), accounts(&mut takes.clone()));
        Some([
            moment(first.created_at),
            html! { (from) " → " (to) },
            amount(units, currency),
            reader.booked_by(first, names),
            html! {
                @if let Some(reason) = &first.reason { (reason) }
                @if let Some(reference) = &first.reference { " " code { (reference) } }
            },
            html! { @if let Some(object) = &first.stripe_object { (beside(html! { code { (object) } }, object)) } },
        ])
    });
    table("Bookings, from the first", columns, rows, "No booking.")
}

/// An account, as people call it.
pub(in crate::pages::teams::project) fn name(account: Account) -> String {
    let name = match account {
        Account::Program => "program",
        Account::Held => "held",
        Account::Customer => "owed",
        Account::Stripe => "in Stripe's balance",
        Account::Applied => "used",
        Account::Settled => "paid elsewhere",
        Account::Shortfall => "not taken back",
        Account::Memo => "memo",
        Account::Other(word) => return word.as_str().to_owned(),
    };
    name.to_owned()
}
