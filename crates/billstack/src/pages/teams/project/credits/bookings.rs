//! The bookings of a credit: from where to where, why, and by whom.

use billstack_core::ledger::{Account, Cause};
use billstack_core::money::Currency;
use billstack_store::Place;
use billstack_store::credits::Posting;
use maud::{Markup, html};
use percent_encoding::utf8_percent_encode;

use crate::pages::dress::PLAIN;
use crate::pages::parts::money::amount;
use crate::pages::parts::notice::beside;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::moment;
use crate::pages::view::View;

/// A row for each entry: its lines have the same number.
pub(super) fn bookings(
    postings: &[Posting],
    currency: Currency,
    (view, place): (&View, &Place),
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
        let names = |lines: &mut dyn Iterator<Item = &Posting>| {
            let names: Vec<_> = lines.map(|line| name(line.account)).collect();
            names.join(", ")
        };
        let (from, to) = (names(&mut gives.clone()), names(&mut takes.clone()));
        Some([
            moment(first.created_at),
            html! { (from) " → " (to) },
            amount(units, currency),
            cause(first, (view, place)),
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

/// What caused an entry, and the way there.
pub(in crate::pages::teams::project) fn cause(
    posting: &Posting,
    (view, place): (&View, &Place),
) -> Markup {
    let id = &posting.cause_id;
    let encoded = utf8_percent_encode(id, &PLAIN).to_string();
    let team = format!("/t/{}", place.team_id);
    let (what, to) = match posting.cause {
        Cause::Event => (
            "Stripe",
            view.can_write()
                .then(|| format!("{team}/stripe/events/{encoded}")),
        ),
        Cause::User => (
            "by hand",
            view.can_administer()
                .then(|| format!("{team}/activity?actor={encoded}")),
        ),
        Cause::Job => ("the server", None),
        Cause::Other(_) => ("", None),
    };
    let shown = html! {
        @match to {
            Some(to) => a href=(to) { code { (id) } },
            None => code { (id) },
        }
    };
    html! { (what) " " (beside(shown, id)) }
}
