//! `/t/{teamId}/stripe/events`: what Stripe told, and what became of it.

pub mod one;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use billstack_core::attribution::Outcome;
use billstack_core::ids::TeamId;
use billstack_store::intake::StripeEvent;
use billstack_store::list::Part;
use billstack_store::{Abort, Place, Share, Tx, received};
use maud::{Markup, html};
use percent_encoding::utf8_percent_encode;

use crate::api::teams::stripe::events::list::filter;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::page::{QueryString, page, weight};
use crate::pages::dress::PLAIN;
use crate::pages::parts::days::in_times;
use crate::pages::parts::form::{apply, choice, line};
use crate::pages::parts::notice::copyable;
use crate::pages::parts::pager::{Trail, only_known, pager};
use crate::pages::parts::people::People;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::moment;
use crate::pages::parts::words;
use crate::pages::teams::project::address;
use crate::pages::view::View;

/// Rows of a page.
const ROWS: i64 = 25;

/// The filters, by the names of the API.
const FILTERS: [&str; 4] = ["outcome", "type", "from", "to"];

/// Names of customers, by project.
type Known = BTreeMap<String, People>;

/// The list.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let query = query.without_empty();
    only_known(&query, &FILTERS)?;
    let (wanted, page) = (filter(&in_times(query.clone()))?, page(&query, ROWS)?);
    let trail = Trail::of(&query);
    let share = Share {
        team: access.team_id.number(),
        weight: weight(&page),
    };
    let team_id = access.team_id.clone();
    let found = app.store.scan_for(share, move |tx| {
        let part = received::list(tx, &team_id, &wanted, &page)?;
        let known = people_of(tx, &team_id, &part.rows)?;
        Ok((part, known))
    });
    let (part, known) = found.await?;
    let path = format!("/t/{}/stripe/events", access.team_id);
    let kept = query.only(&FILTERS);
    let url = app.webhook_url(&access.team_id);
    let body = html! {
        h1 { "Events of Stripe" }
        (filters(&path, &kept))
        @if part.rows.is_empty() { (nothing(&path, &url, !kept.is_empty())) }
        @else { (list(&part, &known, &access.team_id, &path)) }
        (pager(&path, &kept, &trail, part.next.as_ref()))
    };
    Ok(view.page("Events · Stripe", body))
}

/// The names of all customers that the events are about.
fn people_of(tx: &mut dyn Tx, team_id: &TeamId, events: &[StripeEvent]) -> Result<Known, Abort> {
    let mut ids: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in events {
        let settled = &event.settled;
        if let (Some(project), Some(customer)) = (&settled.project_id, &settled.customer_id) {
            ids.entry(project.as_str()).or_default().push(customer);
        }
    }
    let mut known = Known::new();
    for (project, ids) in ids {
        let place = Place::new(team_id.as_str(), project);
        known.insert(project.to_owned(), People::read(tx, &place, ids)?);
    }
    Ok(known)
}

fn filters(path: &str, kept: &[(&str, &str)]) -> Markup {
    let value = |name: &str| {
        let found = kept.iter().find(|(filter, _)| *filter == name);
        found.map_or("", |(_, value)| *value)
    };
    let outcomes = [
        ("", "any"),
        ("converted", "converted"),
        ("waiting", "waiting"),
        ("failed", "failed"),
        ("ambiguous", "ambiguous"),
        ("no_customer", "nobody's"),
        ("no_referral", "no referral"),
        ("recorded", "payment kept"),
        ("ignored", "not for us"),
    ];
    html! {
        form.row.filters method="get" autocomplete="off" action=(path) {
            (choice("Outcome", "outcome", outcomes, value("outcome")))
            (line("Type", "type", "text", value("type")))
            (line("From (UTC)", "from", "date", value("from")))
            (line("To (UTC)", "to", "date", value("to")))
            (apply(path, !kept.is_empty()))
        }
    }
}

/// The two ways in which the list can be empty.
fn nothing(path: &str, url: &str, is_filtered: bool) -> Markup {
    html! {
        @if is_filtered {
            p.empty { "No event matches the filters. " a href=(path) { "Clear filters" } }
        } @else {
            section {
                p { "No event has come in yet. Stripe sends them to " (copyable(url)) }
                p { "Send one with the Stripe CLI: " (copyable("stripe trigger customer.subscription.created"))
                    ", or start a subscription in test mode." }
            }
        }
    }
}

fn list(part: &Part<StripeEvent>, known: &Known, team_id: &TeamId, path: &str) -> Markup {
    let columns = [
        Column::text("Type"),
        Column::words("What became of it"),
        Column::text("Customer"),
        Column::text("Referral"),
        Column::short("Received"),
    ];
    let rows = part.rows.iter().map(|event| {
        let id = utf8_percent_encode(&event.id, &PLAIN);
        [
            html! { a href={ (path) "/" (id) } { (event.kind) } },
            outcome(event.settled.outcome, &event.settled.reason),
            customer(event, known, team_id),
            referral(event, team_id),
            moment(event.received_at),
        ]
    });
    table("Events of Stripe, the latest first", columns, rows, "")
}

fn outcome(outcome: Outcome, reason: &str) -> Markup {
    html! {
        (words::of_outcome(outcome))
        @if outcome != Outcome::Converted { span.quiet { (reason) } }
    }
}

fn customer(event: &StripeEvent, known: &Known, team_id: &TeamId) -> Markup {
    let settled = &event.settled;
    let (Some(project), Some(id)) = (&settled.project_id, &settled.customer_id) else {
        return html! { span.quiet { "nobody" } };
    };
    let place = Place::new(team_id.as_str(), project.as_str());
    match known.get(project.as_str()) {
        Some(people) => people.link(&place, id),
        None => html! { code { (id) } },
    }
}

fn referral(event: &StripeEvent, team_id: &TeamId) -> Markup {
    let settled = &event.settled;
    match (&settled.project_id, &settled.referral_id) {
        (Some(project), Some(id)) => html! {
            a href={ (address(team_id, project)) "/referrals/" (id) } aria-label={ "open referral " (id) } { "open" }
        },
        _ => html! { span.quiet { "none" } },
    }
}
