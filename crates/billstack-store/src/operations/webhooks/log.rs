//! What was sent to an endpoint, and what is on its way.

use billstack_core::time::Micros;
use billstack_core::webhook::endpoint::DeliveryState;

use super::{Attempt, Delivery, DeliveryFilter, KIND, endpoints};
use crate::operations::refusal::{Abort, Refusal, Thing};
use crate::seam::list::{Page, Part};
use crate::seam::tx::Question;
use crate::seam::{Fault, Place, Tx};
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
