//! A range of events sent again: counted first.

use axum::extract::State;
use axum::response::Response;
use billstack_core::time::{DAY, MINUTE, Micros};
use billstack_store::webhooks::replay::{self as store, Range};
use billstack_store::{Act, Tx};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::acts::done;
use super::one::{Asked, Found, path};
use super::{fields, log::Wanted, one, words};
use crate::api::webhook_endpoints::replay::ReplayRequest;
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::{QueryString, text};
use crate::http::path::Item;
use crate::http::query::Query;
use crate::pages::form::Form;
use crate::pages::parts::entry::{Entry, carried, entry};
use crate::pages::parts::form::{choice, once, submit as button};
use crate::pages::parts::lock::Lock;
use crate::pages::parts::pager::with_query;
use crate::pages::submit::submit;
use crate::pages::view::{View, see_other};

pub(super) const FIELDS: [&str; 4] = ["since", "until", "status", "only"];

/// The field that says how many somebody has seen before they had them sent.
const COUNTED: &str = "counted";

/// What a range has.
pub async fn counted(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(id): Item,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let asked = Asked::new((&app, &view), &access, &id);
    let found = asked.found().await?;
    let form = Form::of_query(&query, &FIELDS);
    if !form.has("since") {
        return Ok(see_other(&path(asked.place, asked.id)));
    }
    match count_them(&asked, &found, &form).await {
        Ok(answer) => Ok(answer),
        Err(error) => asked.again(&form, &error).await,
    }
}

async fn count_them(asked: &Asked<'_>, found: &Found, form: &Form) -> Result<Response, ApiError> {
    let request: ReplayRequest = form.read_members(&members(form))?;
    let range = request.into_range(found.now)?;
    let count = asked.count(&range).await?;
    let top = confirm(asked, form, &range, count);
    let mut filled = fields::filled(&found.endpoint);
    for (name, value) in form.fields() {
        filled.add(name, value);
    }
    let log = Wanted::read(Query::default())?;
    let body = asked.page(found, log, top, (&filled, None)).await;
    Ok(asked.view.page(&one::title(&found.endpoint), body))
}

/// Leads to what a range has, or has it sent.
pub async fn range(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(id): Item,
    form: Form,
) -> Result<Response, ApiError> {
    let asked = Asked::new((&app, &view), &access, &id);
    match ranged(&asked, &access, &form).await {
        Ok(answer) => Ok(answer),
        Err(error) => asked.again(&form, &error).await,
    }
}

async fn ranged(
    asked: &Asked<'_>,
    access: &ProjectAccess,
    form: &Form,
) -> Result<Response, ApiError> {
    let found = asked.found().await?;
    let request: ReplayRequest = form.read_members(&members(form))?;
    let range = request.into_range(found.now)?;
    let count = asked.count(&range).await?;
    if form.text(COUNTED).is_empty() || count == 0 {
        return Ok(see_other(&way(asked, form, &range)));
    }
    let (place, id, to) = (
        asked.place.clone(),
        asked.id.to_owned(),
        done(asked, "replay"),
    );
    let begin =
        move |tx: &mut dyn Tx, act: &mut Act| store::begin(tx, act, &place, &id, &range, count);
    let form = (&asked.place.team_id, form);
    let made = submit(asked.app, &access.caller, form, begin, move |(): &()| {
        to.clone()
    });
    Ok(made.await?.answer(asked.view))
}

/// The address that tells what a range has. What was left out is what it is now.
fn way(asked: &Asked<'_>, form: &Form, range: &Range) -> String {
    let until = rfc3339(range.until.0);
    let mut pairs: Vec<_> = form
        .fields()
        .filter(|(name, _)| FIELDS.contains(name))
        .collect();
    pairs.retain(|(name, value)| *name != "until" && !value.is_empty());
    match form.text("until") {
        "" => pairs.push(("until", &until)),
        typed => pairs.push(("until", typed)),
    }
    if !form.has("since") {
        pairs.push(("since", ""));
    }
    with_query(&format!("{}/replay", path(asked.place, asked.id)), &pairs)
}

impl Asked<'_> {
    /// How many events a range has.
    async fn count(&self, range: &Range) -> Result<i64, ApiError> {
        let share = billstack_store::Share {
            team: self.place.team_id.number(),
            weight: billstack_store::Weight::Long,
        };
        let (place, id, range) = (self.place.clone(), self.id.to_owned(), range.clone());
        let counted = self
            .app
            .store
            .scan_for(share, move |tx| store::count(tx, &place, &id, &range));
        Ok(counted.await?)
    }
}

/// The members of the call. A form knows minutes of UTC.
fn members(form: &Form) -> Map<String, Value> {
    let mut members = Map::new();
    for name in ["since", "until", "status"] {
        let text = form.text(name).trim();
        if !text.is_empty() {
            let value = if name == "status" {
                text.to_owned()
            } else {
                exact(text)
            };
            members.insert(name.to_owned(), json!(value));
        }
    }
    let only = form.text("only");
    if !only.is_empty() {
        members.insert("types".to_owned(), json!([only]));
    }
    members
}

/// `2026-11-03T10:12`, as a browser sends it, as a time of UTC; what is none is refused by the reader.
fn exact(text: &str) -> String {
    match text.len() {
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text.to_owned(),
    }
}

/// A time as a field for minutes takes it.
fn minute(at: Micros) -> String {
    rfc3339(at.0)[..16].to_owned()
}

/// The form.
pub(super) fn form(
    here: &str,
    found: &Found,
    lock: &Lock,
    (typed, error): (&Form, Option<&ApiError>),
) -> Markup {
    let is_open = typed.has("since");
    let proposed = proposed(found);
    let typed = match is_open {
        false => &proposed,
        true => typed,
    };
    let states = [
        ("", "all in the log, sent or not"),
        ("failed", "only what failed"),
        ("delivered", "only what was delivered"),
    ];
    let types = [("", "those it is told")]
        .into_iter()
        .chain(words::all().map(|name| (name, name)));
    let at = |label, name| Entry {
        label,
        name,
        most: 32,
        ..Entry::default()
    };
    let form = html! {
        p.quiet { "What happened in a range of time, each under the id that it always has, signed with the present secret. "
            "You see how many they are before anything is sent." }
        form.row method="post" action={ (here) "/replay" } {
            (lock.inside(html! {
                (entry(&at("From, in UTC", "since"), typed, error))
                (entry(&at("Until, in UTC", "until"), typed, error))
                (choice("Which", "status", states, typed.text("status")))
                (choice("Types", "only", types, typed.text("only")))
                (button("Count them"))
            }))
        }
    };
    one::act("Send again what happened", is_open, form)
}

/// What is proposed: all that it did not take, or the last day.
fn proposed(found: &Found) -> Form {
    let (since, status) = match found.undelivered_since {
        Some(first) => (first, "failed"),
        None => (found.now.plus(-DAY), ""),
    };
    Form::of([
        ("since", minute(since)),
        ("until", minute(found.now.plus(MINUTE))),
        ("status", status.to_owned()),
    ])
}

/// What a range has, and the button that has it sent.
fn confirm(asked: &Asked<'_>, form: &Form, range: &Range, count: i64) -> Markup {
    // What was left out is what it was when it was counted.
    let until = form
        .text("until")
        .is_empty()
        .then(|| rfc3339(range.until.0));
    html! {
        section aria-labelledby="counted" {
            h2 #counted { @match count {
                0 => "No event is in this range",
                1 => "One event is in this range",
                _ => { (count) " events are in this range" }
            } }
            @if count == 0 { p { "Nothing was sent." } }
            @else {
                p { "Each is sent once, twenty in a second, in order. It does not count for the state of the endpoint." }
                form method="post" action={ (path(asked.place, asked.id)) "/replay" } {
                    (carried(form, &FIELDS))
                    @if let Some(until) = until { input type="hidden" name="until" value=(until); }
                    input type="hidden" name=(COUNTED) value=(count);
                    (once())
                    (button("Send them"))
                }
            }
        }
    }
}

/// What an endpoint missed while it was disabled, after it was enabled.
pub(super) async fn missed(asked: &Asked<'_>, query: &Query) -> Result<Markup, ApiError> {
    let of = |name| text(query, name, 64).ok().flatten();
    let (Some(since), Some(until)) = (of("since"), of("until")) else {
        return Ok(html! {});
    };
    let read = (Micros::from_rfc3339(&since), Micros::from_rfc3339(&until));
    let (Some(from), Some(to)) = read else {
        return Ok(html! {});
    };
    let range = Range {
        since: from,
        until: to,
        state: None,
        types: None,
    };
    let count = asked.count(&range).await?;
    let form = Form::of([("since", since), ("until", until)]);
    Ok(html! {
        @if count == 0 { p.notice { "Nothing happened meanwhile that it would have been told of." } }
        @else { p.notice { "It was told nothing for some time. Shall it be told now of what it missed?" } (confirm(asked, &form, &range, count)) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_of_utc() {
        assert_eq!(exact("2026-11-03T10:12"), "2026-11-03T10:12:00Z");
        assert_eq!(exact("2026-11-03T10:12:13"), "2026-11-03T10:12:13Z");
        assert_eq!(
            exact("2026-11-03T10:12:13+01:00"),
            "2026-11-03T10:12:13+01:00"
        );
        let at = Micros::from_rfc3339("2026-11-03T10:12:13Z").expect("a time");
        assert_eq!(minute(at), "2026-11-03T10:12");
    }
}
