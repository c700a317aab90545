//! What was sent to an endpoint, and what is on its way.

use billstack_core::time::{DAY, Micros};
use billstack_core::webhook::endpoint::DeliveryState;

use super::{Attempt, Delivery, DeliveryFilter, KIND, endpoints};
use crate::operations::refusal::{Abort, Refusal, Thing};
use crate::seam::list::{Page, Part};
use crate::seam::tx::Question;
use crate::seam::{Fault, Lane, Place, Tx};
use crate::tables::webhook_deliveries::trouble;
use crate::tables::{projects, webhook_attempts, webhook_deliveries, work};

/// A delivery, as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The delivery.
    pub delivery: Delivery,
    /// How it went each time, the first one first.
    pub attempts: Vec<Attempt>,
    /// When it is sent next; in the past while it is being sent.
    pub next_attempt_at: Option<Micros>,
}

/// Deliveries to an endpoint, the newest first.
pub fn list(
    tx: &mut dyn Tx,
    place: &Place,
    endpoint_id: &str,
    filter: &DeliveryFilter,
    page: &Page,
) -> Result<Part<Shown>, Abort> {
    endpoints::get(tx, place, endpoint_id)?;
    let part = webhook_deliveries::list(tx, &place.team_id, endpoint_id, filter, page)?;
    Ok(Part {
        rows: show(tx, place, part.rows)?,
        next: part.next,
    })
}

/// Up to how many deliveries of the last day are counted.
pub const MOST_LATELY: i64 = 10_000;

/// How many of those that wait are looked at: whether they have failed before.
pub const MOST_RETRIED: i64 = 1_000;

/// How an endpoint did in the last day, and what comes next.
#[derive(Clone, Debug, PartialEq)]
pub struct Lately {
    /// Since when deliveries are counted.
    pub since: Micros,
    /// How many of these it took, up to [`MOST_LATELY`].
    pub delivered: i64,
    /// How many it did not take.
    pub failed: i64,
    /// How many failed and are tried again, up to [`MOST_RETRIED`].
    pub retried: i64,
    /// The latest attempt that failed, of these or of the newest that it did not take.
    pub last_failure: Option<Attempt>,
    /// When something is sent to it next; in the past while that is being sent.
    pub next: Option<Micros>,
}

/// How an endpoint did in the day before `now`, by the clock of its project.
pub fn lately(
    tx: &mut dyn Tx,
    place: &Place,
    endpoint_id: &str,
    now: Micros,
) -> Result<Lately, Fault> {
    let ahead = projects::clock(tx, place)?.unwrap_or_default();
    let (since, of) = (now.plus(-DAY), (&place.team_id, endpoint_id));
    let mut count = |state| webhook_deliveries::count_since(tx, of, state, since, MOST_LATELY);
    let (delivered, failed) = (
        count(DeliveryState::Delivered)?,
        count(DeliveryState::Failed)?,
    );
    let (retried, again) = trouble::retried(tx, of, MOST_RETRIED)?;
    let given_up = trouble::given_up(tx, of)?;
    let failures = again.into_iter().chain(given_up);
    let failures = failures.filter(|attempt| attempt.error.is_some());
    let next = work::next_in_lane(tx, KIND, &Lane::new(place, endpoint_id))?;
    Ok(Lately {
        retried,
        last_failure: failures.max_by_key(|attempt| attempt.at),
        since,
        delivered,
        failed,
        next: next.map(|at| at.plus(ahead)),
    })
}

/// When the first event was recorded that an endpoint did not take, and that was not sent again since.
pub fn undelivered_since(
    tx: &mut dyn Tx,
    place: &Place,
    endpoint_id: &str,
) -> Result<Option<Micros>, Fault> {
    let of = (&place.team_id, endpoint_id);
    trouble::undelivered_since(tx, of, Micros(0), MOST_LATELY)
}

/// A delivery to an endpoint.
pub fn get(tx: &mut dyn Tx, place: &Place, endpoint_id: &str, id: &str) -> Result<Shown, Abort> {
    endpoints::get(tx, place, endpoint_id)?;
    let found = webhook_deliveries::get(tx, place, id)?;
    let delivery = found.filter(|found| found.endpoint_id == endpoint_id);
    let delivery = delivery.ok_or(Refusal::NotFound(Thing::WebhookDelivery))?;
    let shown = show(tx, place, vec![delivery])?.pop();
    Ok(shown.ok_or(Refusal::NotFound(Thing::WebhookDelivery))?)
}

/// Adds what other tables tell of deliveries, by one flight for all of them.
fn show(tx: &mut dyn Tx, place: &Place, rows: Vec<Delivery>) -> Result<Vec<Shown>, Fault> {
    let ahead = projects::clock(tx, place)?.unwrap_or_default();
    let mut attempts: Vec<Vec<Attempt>> = vec![Vec::new(); rows.len()];
    let mut next: Vec<Option<Micros>> = vec![None; rows.len()];
    let scopes: Vec<_> = rows
        .iter()
        .map(|row| {
            let of_delivery = [(&place.team_id).into(), row.id.as_str().into()];
            let of_work = [
                (&place.team_id).into(),
                (&place.project_id).into(),
                KIND.into(),
                row.id.as_str().into(),
            ];
            (of_delivery, of_work)
        })
        .collect();
    let slots = attempts.iter_mut().zip(&mut next);
    let mut questions = Vec::new();
    for ((row, (of_delivery, of_work)), (tried, due)) in rows.iter().zip(&scopes).zip(slots) {
        if row.attempts > 0 {
            questions.push(Question::new(
                webhook_attempts::OF_DELIVERY,
                of_delivery,
                |found| {
                    tried.push(webhook_attempts::decode(found)?);
                    Ok(())
                },
            ));
        }
        if row.state == DeliveryState::Waiting {
            questions.push(Question::new(work::GET, of_work, move |found| {
                *due = Some(found.time(3)?.plus(ahead));
                Ok(())
            }));
        }
    }
    tx.ask_together(&mut questions)?;
    drop(questions);
    let shown = rows.into_iter().zip(attempts).zip(next);
    Ok(shown
        .map(|((delivery, attempts), next_attempt_at)| Shown {
            delivery,
            attempts,
            next_attempt_at,
        })
        .collect())
}
