//! The clock of a project: the time of day, or, in a test project, ahead of it by as much as it was moved.
//!
//! An operation in a project goes by its clock from the moment when it [`enter`]s: `Act::at` is what the clock shows,
//! and stays so, because nobody can move the clock until the transaction ends. It is asked together with whom the
//! project tells of its events, because nearly every operation there needs both. An event of Stripe belongs to a team
//! and may concern several projects, so it goes by the clock of each only while it writes `inside` of it.
//!
//! Times that Stripe tells are times of day. What is compared with them is too: a referral keeps how far the clock was
//! ahead when the code was applied, so a later move of the clock changes nothing about which subscription converts
//! it.

use billstack_core::event::Event;
use billstack_core::project;
use billstack_core::time::Micros;

use super::refusal::{Abort, Refusal};
use crate::params;
use crate::seam::tx::Question;
use crate::seam::{Act, Fault, Place, ProjectClock, Tx};
use crate::tables::{events, projects, stripe_operations, webhook_endpoints, work};

pub use crate::tables::projects::clock;

/// What the clock of a project shows at this time of day.
pub fn shown(tx: &mut dyn Tx, place: &Place, at: Micros) -> Result<Micros, Fault> {
    Ok(at.plus(clock(tx, place)?.unwrap_or(0)))
}

/// Goes by the clock of a project until the operation ends.
pub fn enter(tx: &mut dyn Tx, act: &mut Act, place: &Place) -> Result<(), Fault> {
    let scope = params![&place.team_id, &place.project_id];
    let (mut ahead, mut listeners) = (None, Vec::new());
    tx.ask_together(&mut [
        Question::new(projects::CLOCK, scope, |row| {
            ahead = Some(row.int(0)?);
            Ok(())
        }),
        Question::new(webhook_endpoints::LISTENING, scope, |row| {
            listeners.push(webhook_endpoints::decode_listener(row)?);
            Ok(())
        }),
    ])?;
    act.keep_listeners(place, listeners);
    go_by(act, place, ahead);
    Ok(())
}

/// The same for whoever has held the clock already.
pub(super) fn go_by(act: &mut Act, place: &Place, ahead: Option<i64>) {
    let project = place.project_id.number();
    act.go_by(Some(ProjectClock { project, ahead }));
}

/// Does something in a project of this mode by its clock, and goes by the one before again.
pub(super) fn inside<T>(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    is_test: bool,
    then: impl FnOnce(&mut dyn Tx, &mut Act) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let before = act.clock;
    let project = place.project_id.number();
    if before.is_some_and(|clock| clock.project == project) {
        return then(tx, act);
    }
    // Mostly it is a live one, which has nothing to ask for.
    let ahead = match is_test {
        true => projects::hold_clock(tx, place)?,
        false => None,
    };
    go_by(act, place, ahead);
    let done = then(tx, act)?;
    act.go_by(before);
    Ok(done)
}

/// Moves the clock of the test project that the operation is in, and returns what it shows. What waits there is due
/// so much earlier.
pub fn advance(tx: &mut dyn Tx, act: &mut Act, place: &Place, to: Micros) -> Result<Micros, Abort> {
    let ahead = act.clock.and_then(|clock| clock.ahead);
    let before = ahead.ok_or(Refusal::NotATestProject)?;
    let from = act.at;
    let by = project::advance(from, to).map_err(Refusal::NotAdvanced)?;
    if !projects::advance(tx, place, before, before + by)? {
        return Err(Fault::Conflict("the clock was moved meanwhile".to_owned()).into());
    }
    work::bring_forward(tx, act, place, by)?;
    if stripe_operations::bring_forward(tx, place, act.real(), by)? {
        work::hasten_all(tx, act, &place.team_id, stripe_operations::LANE)?;
    }
    go_by(act, place, Some(before + by));
    let event = Event::ProjectClockAdvanced { from, to };
    events::record(tx, act, place, place.project_id.as_str(), &event)?;
    Ok(act.at)
}
