//! Filters that ask for somebody or something, and understand whatever people call them.

use billstack_core::ids::TeamId;
use billstack_store::named::{self, Named};
use billstack_store::{Fault, Place, Tx};
use maud::{Markup, html};

use super::pager::with_query;
use crate::app::App;
use crate::error::ApiError;
use crate::http::page::text;
use crate::http::query::Query;
use crate::pages::view::read;

/// What no filter finds.
const NOBODY: &str = "nobody";

/// The longest that is understood: an address.
const LONGEST: usize = 255;

/// The list that is narrowed: its address, and the filters that it has now.
#[derive(Clone, Copy, Debug)]
pub(in crate::pages) struct Narrowed<'n> {
    pub(in crate::pages) path: &'n str,
    pub(in crate::pages) kept: &'n [(&'n str, &'n str)],
}

/// A field for whatever somebody is called.
pub(in crate::pages) fn line(label: &str, name: &str, hint: &str, value: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) type="text" value=(value) maxlength=(LONGEST) placeholder=(hint) autocomplete="off";
        }
    }
}

/// Puts the id of the customer who is meant into the filter, or says why nobody can be.
pub(in crate::pages) async fn customer(
    app: &App,
    place: &Place,
    list: Narrowed<'_>,
    asked: &mut Query,
) -> Result<Option<Markup>, ApiError> {
    let Some(typed) = typed(asked, "customerId")? else {
        return Ok(None);
    };
    let sought = typed.clone();
    let found = read(app, place, move |tx, place| {
        Ok(named::customers(tx, place, &sought)?)
    });
    let none = "No customer has this id, address or external id. It counts as a whole.";
    Ok(settle(
        ("customerId", &typed),
        found.await?,
        list,
        none,
        asked,
    ))
}

/// The same of who did it, in the log of a team.
pub(in crate::pages) async fn actor(
    app: &App,
    team_id: &TeamId,
    list: Narrowed<'_>,
    asked: &mut Query,
) -> Result<Option<Markup>, ApiError> {
    let none =
        "No member of the team and no API key has this name, address or id. It counts as a whole.";
    in_log(app, team_id, ("actor", named::actors, none), list, asked).await
}

/// The same of what it was about.
pub(in crate::pages) async fn subject(
    app: &App,
    team_id: &TeamId,
    list: Narrowed<'_>,
    asked: &mut Query,
) -> Result<Option<Markup>, ApiError> {
    let none =
        "No member, key, customer or code has this name, address or id. It counts as a whole.";
    in_log(
        app,
        team_id,
        ("subject", named::subjects, none),
        list,
        asked,
    )
    .await
}

/// Looks a name up in a team.
type LookUp = fn(&mut dyn Tx, &TeamId, &str) -> Result<Vec<Named>, Fault>;

async fn in_log(
    app: &App,
    team_id: &TeamId,
    (name, look_up, none): (&'static str, LookUp, &str),
    list: Narrowed<'_>,
    asked: &mut Query,
) -> Result<Option<Markup>, ApiError> {
    let Some(typed) = typed(asked, name)? else {
        return Ok(None);
    };
    let (team_id, sought) = (team_id.clone(), typed.clone());
    let found = app
        .store
        .scan(move |tx| Ok(look_up(tx, &team_id, &sought)?))
        .await?;
    Ok(settle((name, &typed), found, list, none, asked))
}

fn typed(asked: &Query, name: &'static str) -> Result<Option<String>, ApiError> {
    let typed = text(asked, name, LONGEST)?;
    Ok(typed.map(|typed| typed.trim().to_owned()))
}

fn settle(
    (name, typed): (&str, &str),
    found: Vec<Named>,
    list: Narrowed<'_>,
    none: &str,
    asked: &mut Query,
) -> Option<Markup> {
    if let [one] = found.as_slice() {
        asked.replace(name, |_| Some(one.id.clone()));
        return None;
    }
    asked.replace(name, |_| Some(NOBODY.to_owned()));
    Some(html! {
        p.notice.bad role="alert" {
            @if found.is_empty() { "“" (typed) "”: " (none) }
            @else {
                "Several are called “" (typed) "”: "
                @for (index, one) in found.iter().enumerate() {
                    @if index > 0 { ", " }
                    a href=(with(list, name, &one.id)) { (one.name) }
                }
                ". Which one?"
            }
        }
    })
}

fn with(list: Narrowed<'_>, name: &str, id: &str) -> String {
    let kept = list.kept.iter().copied();
    let kept = kept.map(|(filter, value)| match filter == name {
        true => (filter, id),
        false => (filter, value),
    });
    with_query(list.path, &kept.collect::<Vec<_>>())
}
