//! `…/credits/move`: the step between picking credits and moving them. It says how many, how much, and what that means.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::response::Response;
use billstack_core::money::Currency;
use billstack_store::credits::{self, Credit};
use billstack_store::{Act, Place, Tx};
use maud::{Markup, html};

use super::moves::{self, Move, Wish};
use super::path;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::QueryString;
use crate::http::query::Query;
use crate::pages::form::Form;
use crate::pages::parts::form::{fault, once, submit as button};
use crate::pages::parts::money::amount;
use crate::pages::parts::pager::with_query;
use crate::pages::parts::people::People;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::words;
use crate::pages::picked::{PICK, each, picked};
use crate::pages::view::{View, read, see_other};

const TITLE: &str = "Move credits · Credits";

/// The parameter that names the move, and the one that names all credits.
const MOVE: &str = "move";
const PICKED: &str = "picked";

/// What was picked on the list: the way to this step, which keeps the filters of the list.
pub(super) fn way(place: &Place, form: &Form, query: &Query) -> Result<String, ApiError> {
    form.is_meant()?;
    let all: Vec<_> = picked(form)?.into_iter().collect();
    let (all, what) = (all.join(","), Move::read(form)?);
    let mut pairs = vec![(MOVE, what.as_str()), (PICKED, &all)];
    pairs.extend(of_list(query));
    Ok(with_query(&format!("{}/move", path(place)), &pairs))
}

/// What of a query is of the list.
fn of_list(query: &Query) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.pairs();
    pairs.filter(|(name, _)| *name != MOVE && *name != PICKED)
}

/// The step. Without anything picked it leads back to the list.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let of = |name: &str| {
        let mut pairs = query.pairs();
        let found = pairs.find(|(other, _)| *other == name);
        found.map_or("", |(_, value)| value)
    };
    let mut form = Form::with(MOVE, of(MOVE));
    for id in of(PICKED).split(',').filter(|id| !id.is_empty()) {
        form.add(PICK, id);
    }
    let back: Vec<_> = of_list(&query).collect();
    let back = with_query(&path(&access.place), &back);
    if picked(&form).is_err() || Move::read(&form).is_err() {
        return Ok(see_other(&back));
    }
    let shown = body(&app, &access.place, &back, (&form, None)).await?;
    Ok(view.page(TITLE, shown))
}

/// Moves what is picked.
pub async fn act(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    form: Form,
) -> Result<Response, ApiError> {
    let back = path(&access.place);
    match moved(&app, &access, &form).await {
        Ok(once) => Ok(see_other(&format!("{back}/moved/{once}"))),
        Err(_) if picked(&form).is_err() || Move::read(&form).is_err() => Ok(see_other(&back)),
        Err(error) => {
            let typed = (&form, Some(&error));
            let shown = body(&app, &access.place, &back, typed).await?;
            Ok(view.again(&error, TITLE, shown))
        }
    }
}

async fn moved(app: &App, access: &ProjectAccess, form: &Form) -> Result<String, ApiError> {
    let wish = Wish::read(form, None)?;
    let (place, said) = (access.place.clone(), wish.what.done());
    let op = move |tx: &mut dyn Tx, act: &mut Act, id: &str| wish.make(tx, act, &place, id);
    each(app, access, form, op, move |_: &Credit| said.to_owned()).await
}

/// What was picked, as it is now.
struct Told {
    found: Vec<Credit>,
    people: People,
}

async fn told(app: &App, place: &Place, ids: BTreeSet<String>) -> Result<Told, ApiError> {
    read(app, place, move |tx, place| {
        let mut found = Vec::new();
        for id in &ids {
            found.extend(credits::get(tx, place, id)?);
        }
        let customers = found
            .iter()
            .map(|credit: &Credit| credit.customer_id.as_str());
        let people = People::read(tx, place, customers)?;
        Ok(Told { found, people })
    })
    .await
}

async fn body(
    app: &App,
    place: &Place,
    back: &str,
    (typed, error): (&Form, Option<&ApiError>),
) -> Result<Markup, ApiError> {
    let what = Move::read(typed)?;
    let ids: BTreeSet<String> = picked(typed)?.into_iter().map(str::to_owned).collect();
    let told = told(app, place, ids.clone()).await?;
    let moving = told
        .found
        .iter()
        .filter(|credit| what.is_for(credit))
        .count();
    let label = match moving {
        1 => format!("{} one credit", what.verb()),
        _ => format!("{} {moving} credits", what.verb()),
    };
    let fields: &[&str] = if what == Move::Settle {
        &["reason", "reference"]
    } else {
        &["reason"]
    };
    Ok(html! {
        h1 { (what.verb()) " what is picked" }
        section {
            (sums(&told, what))
            p { (what.means()) }
            @if moving < ids.len() {
                p { "Of the " (ids.len()) " that are picked, " (ids.len() - moving)
                    " cannot be moved so as they stand now, and would be left as they are." }
            }
            (fault(error, fields))
            @if moving > 0 {
                form method="post" action={ (path(place)) "/move" } {
                    (once())
                    input type="hidden" name=(MOVE) value=(what.as_str());
                    @for id in &ids { input type="hidden" name=(PICK) value=(id); }
                    (moves::reason_field(typed, error))
                    @if what == Move::Settle { (moves::reference_field(typed, error)) }
                    (button(&label))
                }
            }
            p { a href=(back) { "Move nothing, back to the list" } }
        }
        (list(&told, what, place))
    })
}

/// How many, and how much of each currency.
fn sums(told: &Told, what: Move) -> Markup {
    let mut sums: BTreeMap<Currency, (usize, i64)> = BTreeMap::new();
    for credit in told.found.iter().filter(|credit| what.is_for(credit)) {
        let sum = sums.entry(credit.currency).or_default();
        *sum = (sum.0 + 1, sum.1.saturating_add(what.moves(credit)));
    }
    html! {
        dl.figures {
            @for (currency, (count, units)) in &sums {
                div { dt { @if *count == 1 { "One credit" } @else { (count) " credits" } } dd { (amount(*units, *currency)) } }
            }
        }
    }
}

fn list(told: &Told, what: Move, place: &Place) -> Markup {
    let columns = [
        Column::number("Credit"),
        Column::text("Customer"),
        Column::words("Status"),
        Column::number("Moves"),
    ];
    let path = path(place);
    let rows = told.found.iter().map(|credit| {
        [
            html! { a href={ (path) "/" (credit.id) } { (amount(credit.amount.get(), credit.currency)) } },
            told.people.link(place, &credit.customer_id),
            words::of_credit(credit.status),
            match what.is_for(credit) {
                true => amount(what.moves(credit), credit.currency),
                false => html! { span.quiet { "not so" } },
            },
        ]
    });
    table(
        "What is picked",
        columns,
        rows,
        "None of them is there any more.",
    )
}
