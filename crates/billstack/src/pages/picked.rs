//! Forms that do something to each of many picked things, each by itself, and tell what became of each.
//!
//! Each is a change of its own under the key of the form and the thing, so a form that is sent again goes on where it was
//! cut off. What became of all is kept as the answer to the form, and shown at an address of its own.

use std::collections::BTreeSet;

use billstack_store::idempotency::{self, Answer};
use billstack_store::{Abort, Act, Fault, Place, Tx};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::form::Form;
use super::parts::lock::Lock;
use super::submit::{key_of, once_of};
use crate::app::App;
use crate::error::ApiError;
use crate::http::access::{Caller, ProjectAccess};
use crate::http::answer::json;

/// The field of a thing that is picked.
pub(super) const PICK: &str = "pick";

/// The most things of one form.
const MOST: usize = 100;

/// What became of a thing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Became {
    pub(super) id: String,
    pub(super) is_done: bool,
    /// A sentence, or why not.
    pub(super) said: String,
}

impl Became {
    /// Whether it was done, and what there is to say.
    pub(super) fn shown(&self) -> Markup {
        html! {
            @if self.is_done { span.state.on { "Done" } } @else { span.state.bad { "Not done" } }
            (self.said)
        }
    }
}

/// A list below which a form does this to what is picked. Those who may not have the list alone, and read why.
pub(super) fn list(lock: &Lock, here: &str, what: &str, (list, form): (Markup, Markup)) -> Markup {
    html! {
        @if let Some(why) = lock.why(what) {
            (list)
            p.quiet { (why) }
        } @else {
            form method="post" action=(here) {
                // Scripts show it: without them each is picked by itself.
                label.check hidden { input type="checkbox" data-pick-all autocomplete="off"; "Pick all of this page" }
                (list)
                (form)
            }
        }
    }
}

/// The box that picks a thing.
pub(super) fn pick(id: &str, what: &str, typed: &Form) -> Markup {
    let is_picked = typed.fields().any(|field| field == (PICK, id));
    html! {
        input type="checkbox" name=(PICK) value=(id) checked[is_picked] aria-label={ "Pick " (what) };
    }
}

/// All that a form picks, each once.
pub(super) fn picked(form: &Form) -> Result<BTreeSet<&str>, ApiError> {
    let picked: BTreeSet<&str> = form.all(PICK).collect();
    if picked.is_empty() || picked.len() > MOST {
        let message = format!("Pick from 1 to {MOST}.");
        return Err(ApiError::invalid(PICK, message));
    }
    Ok(picked)
}

/// Does it to each, keeps what became of all, and returns the name under which that is kept.
pub(super) async fn each<T: Send + 'static>(
    app: &App,
    access: &ProjectAccess,
    form: &Form,
    op: impl Fn(&mut dyn Tx, &mut Act, &str) -> Result<T, Abort> + Clone + Send + 'static,
    said: impl Fn(&T) -> String + Clone + Send + 'static,
) -> Result<String, ApiError> {
    let once = once_of(form)?.to_owned();
    let mut became = Vec::new();
    for id in picked(form)? {
        let (is_done, said) = match one(app, access, (&once, id), op.clone(), said.clone()).await {
            Ok(said) => (true, said),
            Err(error) => (false, error.message.to_string()),
        };
        became.push(Became {
            id: id.to_owned(),
            is_done,
            said,
        });
    }
    keep(app, access, &once, &became).await?;
    Ok(once)
}

/// Does it to one, once.
async fn one<T: Send + 'static>(
    app: &App,
    access: &ProjectAccess,
    (once, id): (&str, &str),
    op: impl Fn(&mut dyn Tx, &mut Act, &str) -> Result<T, Abort> + Clone + Send + 'static,
    said: impl Fn(&T) -> String + Clone + Send + 'static,
) -> Result<String, ApiError> {
    let part = format!("{once} {id}");
    let keyed = key_of(&access.caller, &access.place.team_id, &part);
    let id = id.to_owned();
    let op = move |tx: &mut dyn Tx, act: &mut Act| op(tx, act, &id);
    let kept = move |made: &T| Some(answer(said(made)));
    let done = app.change(&access.caller, Some(&keyed), op, kept).await?;
    Ok(match done {
        crate::http::answer::Done::Fresh(_, answer) => answer.map(|answer| answer.body),
        crate::http::answer::Done::Replayed(answer) => Some(answer.body),
    }
    .unwrap_or_default())
}

async fn keep(
    app: &App,
    access: &ProjectAccess,
    once: &str,
    became: &[Became],
) -> Result<(), ApiError> {
    let keyed = of_all(&access.caller, &access.place, once);
    let report = json(became);
    let nothing = |_: &mut dyn Tx, _: &mut Act| Ok::<_, Abort>(());
    let kept = move |(): &()| Some(answer(report.clone()));
    app.change(&access.caller, Some(&keyed), nothing, kept)
        .await?;
    Ok(())
}

/// What became of all things of a form, for whoever sent it, as long as answers are kept.
fn found(tx: &mut dyn Tx, keyed: &idempotency::Keyed) -> Result<Option<Vec<Became>>, Fault> {
    let report = idempotency::find(tx, keyed)?;
    Ok(report.map(|report| serde_json::from_str(&report).unwrap_or_default()))
}

/// Things of a form as they are now, if they are there, and what became of each.
pub(super) type Report<T> = Vec<(Option<T>, Became)>;

/// The same, each with the thing as it is now.
pub(super) fn found_with<T>(
    tx: &mut dyn Tx,
    keyed: &idempotency::Keyed,
    get: impl Fn(&mut dyn Tx, &str) -> Result<Option<T>, Fault>,
) -> Result<Option<Report<T>>, Fault> {
    let Some(became) = found(tx, keyed)? else {
        return Ok(None);
    };
    let mut rows = Vec::new();
    for one in became {
        rows.push((get(tx, &one.id)?, one));
    }
    Ok(Some(rows))
}

/// Under which key that is kept: what is of another project is not found.
pub(super) fn of_all(caller: &Caller, place: &Place, once: &str) -> idempotency::Keyed {
    let part = format!("{once} all {}", place.project_id);
    key_of(caller, &place.team_id, &part)
}

fn answer(body: String) -> Answer {
    Answer {
        status: 303,
        body,
        customer_id: None,
    }
}
