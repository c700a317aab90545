//! `/t/{teamId}/p/{projectId}/credits/{id}`: what became of a credit, why, and what can be done about it.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use billstack_core::credit::Side;
use billstack_core::delivery::DeliveryState;
use billstack_core::explanation::CreditFacts;
use billstack_core::money::Currency;
use billstack_store::credits::delivery::{Shown, shown};
use billstack_store::credits::{self, Credit, Posting};
use billstack_store::list::Page;
use billstack_store::{Act, Place, Tx, activity, explained, referrals, stripe_connection};
use maud::{Markup, html};

use super::bookings::bookings;
use super::moves::{self, Move, Wish};
use super::path;
use crate::api::actors::actor_of;
use crate::api::attention::{mend, why_stuck};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::path::Item;
use crate::pages::form::Form;
use crate::pages::parts::deeds::Reader;
use crate::pages::parts::form::{Field, fault, field, once, submit as button};
use crate::pages::parts::lock::Need;
use crate::pages::parts::money::amount;
use crate::pages::parts::notice::{beside, copyable};
use crate::pages::parts::people::People;
use crate::pages::parts::said::saying;
use crate::pages::parts::time::{moment, sentence};
use crate::pages::parts::words;
use crate::pages::submit::{Submitted, submit};
use crate::pages::teams::project::address;
use crate::pages::view::{View, read};

/// The most postings that are shown at once; the API tells the rest.
const POSTINGS: i64 = 400;

/// The fields of the form.
const FIELDS: [&str; 4] = ["move", "amount", "reference", "reason"];

/// All that the page tells.
struct Told {
    shown: Shown,
    facts: CreditFacts,
    /// Whether there is a key to tell Stripe with.
    has_key: bool,
    postings: Vec<Posting>,
    /// What the people and the keys are called who made some.
    names: BTreeMap<String, String>,
    has_more: bool,
    people: People,
    /// The other one of its referral.
    other: Option<String>,
}

/// The page.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let told = told(&app, &access.place, id).await?;
    let shown = body(&told, (&view, &access.place), (&Form::default(), None));
    Ok(view.page(&title(&told), shown))
}

/// Moves the credit.
pub async fn act(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(id): Item,
    form: Form,
) -> Result<Response, ApiError> {
    let told = told(&app, &access.place, id.clone()).await?;
    match moved(&app, &access, &told, &form).await {
        Ok(submitted) => Ok(submitted.answer(&view)),
        Err(error) => {
            let shown = body(&told, (&view, &access.place), (&form, Some(&error)));
            Ok(view.again(&error, &title(&told), shown))
        }
    }
}

async fn moved(
    app: &App,
    access: &ProjectAccess,
    told: &Told,
    form: &Form,
) -> Result<Submitted, ApiError> {
    let credit = &told.shown.credit;
    let wish = Wish::read(form, Some(credit.currency))?;
    let (place, id) = (access.place.clone(), credit.id.clone());
    let op = move |tx: &mut dyn Tx, act: &mut Act| wish.make(tx, act, &place, &id);
    let back = saying(&format!("{}/{}", path(&access.place), credit.id), "moved");
    let team_id = &access.place.team_id;
    submit(
        app,
        &access.caller,
        (team_id, form),
        op,
        move |_: &Credit| back.clone(),
    )
    .await
}

fn title(told: &Told) -> String {
    let credit = &told.shown.credit;
    let text = credit.currency.text(credit.amount.get());
    let whose = told.people.name(&credit.customer_id);
    format!("{text} of {whose}, {} · Credits", told.what_for())
}

impl Told {
    /// What the customer has it for.
    fn what_for(&self) -> String {
        match (&self.other, self.shown.credit.side) {
            (_, None) => "given by hand".to_owned(),
            (Some(other), Some(Side::Referee)) => {
                format!("who came by {}", self.people.name(other))
            }
            (Some(other), Some(_)) => format!("who brought {}", self.people.name(other)),
            (None, side) => words::of_side(side).to_owned(),
        }
    }

    /// Who was brought.
    fn friend(&self) -> &str {
        let credit = &self.shown.credit;
        match (&self.other, &credit.side) {
            (Some(other), Some(Side::Referrer)) => self.people.name(other),
            _ => self.people.name(&credit.customer_id),
        }
    }
}

async fn told(app: &App, place: &Place, id: String) -> Result<Told, ApiError> {
    let (first, now) = (Page::first(POSTINGS), app.now());
    read(app, place, move |tx, place| {
        let credit = credits::require(tx, place, &id)?;
        let part = credits::postings(tx, place, &id, &first)?;
        let referral = match &credit.referral_id {
            Some(id) => referrals::get(tx, place, id)?,
            None => None,
        };
        let other = referral.map(|referral| match credit.side {
            Some(Side::Referee) => referral.referrer_customer_id,
            _ => referral.referee_customer_id,
        });
        let known = [Some(&credit.customer_id), other.as_ref()]
            .into_iter()
            .flatten();
        let by = part.rows.iter().filter_map(actor_of);
        Ok(Told {
            names: activity::names(tx, &place.team_id, by)?,
            people: People::read(tx, place, known.map(String::as_str))?,
            other,
            facts: explained::credit(tx, place, &credit, now)?,
            has_key: stripe_connection::has_secret_key(tx, &place.team_id)?,
            shown: shown(tx, place, credit)?,
            has_more: part.next.is_some(),
            postings: part.rows,
        })
    })
    .await
}

fn body(
    told: &Told,
    (view, place): (&View, &Place),
    (typed, error): (&Form, Option<&ApiError>),
) -> Markup {
    let credit = &told.shown.credit;
    html! {
        h1 { (amount(credit.amount.get(), credit.currency)) " of " (told.people.name(&credit.customer_id)) ", " (told.what_for()) }
        section {
            // What needs somebody is in no other state as well.
            @if credit.delivery == DeliveryState::NeedsAttention { (stuck(told)) }
            @else { (standing(told)) }
            (parts(credit))
        }
        (facts(told, place))
        (move_it(told, (view, place), (typed, error)))
        h2 { "Bookings" }
        (bookings(&told.postings, credit.currency, (Reader::new(view, &place.team_id), &told.names)))
        @if told.has_more { p.quiet { "There are more, which the API tells: " code { "…/postings" } } }
    }
}

/// Why it waits for a person, and what helps.
fn stuck(told: &Told) -> Markup {
    let reason = told.shown.credit.delivery_reason;
    let reason = reason.as_ref().map_or("", |reason| reason.as_str());
    html! {
        div.notice.bad {
            p { span.state.bad { "Needs a person" } (why_stuck(reason)) "." }
            @if let Some(said) = &told.shown.refusal { p { "Stripe said: " (said) } }
            p { (mend(reason)) }
        }
    }
}

/// What has become of it and why, and what must still happen.
fn standing(told: &Told) -> Markup {
    let credit = &told.shown.credit;
    let in_books_alone = credit.delivery == DeliveryState::None && credit.parts.available > 0;
    html! {
        p { (words::of_credit(credit.status)) (told.facts.standing()) }
        @if let Some(next) = told.facts.next() { p { (sentence(&next)) } }
        @if in_books_alone { p.quiet { "It stands in our books alone and is not put into Stripe." } }
    }
}

/// What became of the amount; parts of nothing are left out.
fn parts(credit: &Credit) -> Markup {
    let parts = &credit.parts;
    let all = [
        ("Held", parts.held),
        ("Owed", parts.available),
        ("In Stripe's balance", parts.delivered),
        ("Used", parts.applied),
        ("Paid elsewhere", parts.settled),
        ("Taken back", parts.reversed),
        ("Not taken back any more", parts.shortfall),
    ];
    let all = all.into_iter().filter(|(_, units)| *units > 0);
    html! {
        dl.figures {
            @for (name, units) in all { div { dt { (name) } dd { (amount(units, credit.currency)) } } }
        }
    }
}

fn facts(told: &Told, place: &Place) -> Markup {
    let Shown { credit, .. } = &told.shown;
    let base = address(&place.team_id, &place.project_id);
    html! {
        section {
            h2 { "Facts" }
            dl.facts {
                div { dt { "Customer" } dd { (told.people.link(place, &credit.customer_id)) } }
                div { dt { "For" } dd { (words::of_side(credit.side)) } }
                @if let Some(id) = &credit.referral_id {
                    div { dt { "Referral" } dd { (beside(html! { a href={ (base) "/referrals/" (id) } { (told.friend()) "'s referral" } }, id)) } }
                }
                div { dt { "Granted" } dd { (moment(credit.created_at)) } }
                @if let Some(until) = credit.held_until.filter(|_| credit.parts.held > 0) {
                    div { dt { "Held until" } dd { (moment(until)) } }
                }
                @if let Some(id) = &told.shown.stripe_customer_id {
                    div { dt { "Balance of" } dd { (copyable(id)) } }
                }
                @if let Some(id) = &told.shown.transaction_id {
                    div { dt { "Line at Stripe" } dd { (copyable(id)) } }
                }
                @if credit.by_stripe {
                    div { dt { "Stripe was told" } dd { (times(told.shown.attempts))
                        @if let Some(at) = told.shown.next_attempt_at { ", next " (moment(at)) } } }
                }
                div { dt { "Id" } dd { (copyable(&credit.id)) } }
            }
        }
    }
}

fn times(count: i64) -> String {
    match count {
        0 => "not yet".to_owned(),
        1 => "once".to_owned(),
        _ => format!("{count} times"),
    }
}

fn move_it(
    told: &Told,
    (view, place): (&View, &Place),
    (typed, error): (&Form, Option<&ApiError>),
) -> Markup {
    let credit = &told.shown.credit;
    let is_possible = |one: &Move| one.is_for(credit) && (told.has_key || *one != Move::Deliver);
    let possible: Vec<_> = Move::ALL.into_iter().filter(is_possible).collect();
    let without_key = !told.has_key && Move::Deliver.is_for(credit);
    let fields: &[&str] = if possible.is_empty() { &[] } else { &FIELDS };
    let can = |found: fn(Move) -> bool| possible.iter().any(|one| found(*one));
    html! {
        section {
            h2 { "Move it" }
            (fault(error, fields))
            @if without_key {
                p.quiet { "It can be put into the balance in Stripe when the team has "
                    a href={ "/t/" (place.team_id) "/stripe" } { "put in its secret key" } "." }
            }
            @if possible.is_empty() {
                p.quiet { "Nothing of it can be moved any more." }
            } @else {
                form.moves method="post" action={ (path(place)) "/" (credit.id) } {
                    (view.lock(Need::Writer).around(html! {
                    (once())
                    (choices(&possible, credit, (typed, error)))
                    @if can(Move::takes_part) {
                        div.of-part { (field(&of_amount(credit.currency), typed, error)) }
                    }
                    (moves::reason_field(typed, error))
                    @if can(|one| one == Move::Settle) {
                        div.of-settle { (moves::reference_field(typed, error)) }
                    }
                    (button("Move it"))
                    }))
                }
            }
        }
    }
}

/// What can be done, of which nothing is chosen: how much each moves, and what comes of it.
fn choices(
    possible: &[Move],
    credit: &Credit,
    (typed, error): (&Form, Option<&ApiError>),
) -> Markup {
    let error = error.filter(|error| error.field.as_deref() == Some("move"));
    html! {
        fieldset aria-describedby=[error.map(|_| "move-error")] {
            legend { "What to do" }
            @if let Some(error) = error { p.error.wide id="move-error" role="alert" { (error.message) } }
            @for one in possible {
                label.check.wide {
                    input type="radio" name="move" value=(one.as_str()) required checked[typed.text("move") == one.as_str()];
                    span { strong { (one.label()) } ": " (amount(one.moves(credit), credit.currency)) ". "
                        span.quiet { (one.means()) } }
                }
            }
        }
    }
}

fn of_amount(currency: Currency) -> Field<'static> {
    Field {
        label: "Amount",
        name: "amount",
        hint: Some(match currency.decimals() {
            0 => "In whole units, such as 10. Empty means all that is there.",
            _ => "In whole units, such as 10.50. Empty means all that is there.",
        }),
        is_optional: true,
        longest: 20,
        ..Field::default()
    }
}
