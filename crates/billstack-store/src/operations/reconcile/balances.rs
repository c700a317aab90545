//! Comparing operations with the lines of balances in Stripe: whom a run looks at next, and what it makes of what it
//! found there.
//!
//! A look reads our operations before Stripe's lines and again afterwards; what has changed meanwhile is not judged.
//! What it found is told, repaired and taken note of by one transaction, which also moves the run on, so that after a
//! crash nothing is told or repaired twice.

use billstack_core::ids::TeamId;
use billstack_core::reconcile::Drift;
use billstack_core::reconcile::lines::Cure;
use billstack_core::reconcile::walk::{Stage, Walk};

use super::{Line, Run, tell};
use crate::operations::credits::delivery::take_back_line;
use crate::operations::refusal::Abort;
use crate::operations::stripe_lane::{Written, drift};
use crate::operations::test_clock::inside;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::compared::{self, Compared};
use crate::tables::stripe_operations;
use crate::tables::{reconcile_notes, reconcile_runs};

pub use crate::tables::stripe_operations::{StripeOperation, on_balance};

/// Whom a run looks at next in its stage and slot, so many at most.
pub fn next(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    run: &Run,
    limit: i64,
) -> Result<Vec<String>, Fault> {
    let walk = &run.walk;
    let which = match walk.stage {
        Stage::Changed => Compared::Changed,
        Stage::Sample => Compared::InSlot(walk.slot(run.created_at)),
        Stage::Unlinked | Stage::Payments | Stage::Over | Stage::Other(_) => {
            return Ok(Vec::new());
        }
    };
    compared::customers(tx, team_id, which, &walk.after, limit)
}

/// Something that differs.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which.
    pub kind: Drift,
    /// The id of what it is about.
    pub subject: String,
    /// What there is to know of it, for a person; no personal data.
    pub detail: String,
    /// What it looks like: as long as that is the same, it is not told again once it was taken note of.
    pub appearance: String,
    /// The operation, as it was when it was found.
    pub operation: Option<StripeOperation>,
    /// The line.
    pub line: Option<Written>,
    /// What can be done about it.
    pub cure: Cure,
    /// Whether another difference explains it, so that it is not told.
    pub is_explained: bool,
}

impl Found {
    /// Whether a second look has found the same.
    pub fn is_same(&self, other: &Found) -> bool {
        let of = |found: &Found| (found.kind, found.cure);
        of(self) == of(other)
            && self.subject == other.subject
            && self.appearance == other.appearance
    }
}

/// What a look at the balance of a customer of Stripe came to.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The operations that were compared.
    pub compared: Vec<StripeOperation>,
    /// What differs.
    pub found: Vec<Found>,
    /// How far the run has come with it.
    pub walk: Walk,
    /// How many customers it knows of whom it has yet to look at.
    pub left: i64,
}

/// Tells what a look has found, repairs what the run may repair, and keeps how far it has come with that; tells whether
/// nobody else has carried the run on meanwhile.
pub fn conclude(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    run: &Run,
    looked: &Looked,
) -> Result<bool, Abort> {
    if !pass(tx, team_id, run, &looked.walk, looked.left)? {
        return Ok(false);
    }
    let mut is_left_open = false;
    let mut to_settle = Vec::new();
    for found in &looked.found {
        match is_as_it_was(tx, team_id, found)? {
            true => to_settle.push(found),
            false => is_left_open = true,
        }
    }
    for found in to_settle {
        is_left_open |= !settle(tx, act, team_id, run, found)?;
    }
    // Whoever is left with something open is looked at again by the next run.
    if !is_left_open {
        for operation in &looked.compared {
            stripe_operations::looked(tx, team_id, operation)?;
        }
    }
    Ok(true)
}

/// Keeps how far a run has come that had nobody to look at; tells whether nobody else has carried it on meanwhile.
pub fn pass(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    run: &Run,
    walk: &Walk,
    left: i64,
) -> Result<bool, Fault> {
    reconcile_runs::walk(tx, team_id, &run.id, (&run.walk, walk), left)
}

/// Whether the operation of a difference has not changed since that was found.
fn is_as_it_was(tx: &mut dyn Tx, team_id: &TeamId, found: &Found) -> Result<bool, Fault> {
    let Some(operation) = &found.operation else {
        return Ok(true);
    };
    let now = stripe_operations::get(tx, team_id, &operation.id)?;
    Ok(now.is_some_and(|now| now.is_as(operation)))
}

/// Tells a difference, unless it was taken note of. Tells whether nothing is left to do about it.
pub(super) fn settle(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    run: &Run,
    found: &Found,
) -> Result<bool, Fault> {
    let noted = reconcile_notes::get(tx, team_id, found.kind, &found.subject)?;
    if noted.as_ref() == Some(&found.appearance) {
        return Ok(true);
    }
    let may_repair = run.remedy.repairs();
    let is_repaired = may_repair && repair(tx, act, team_id, found)?;
    let takes_note = may_repair && found.cure == Cure::TakeNote;
    if takes_note {
        let what = (found.kind, found.subject.as_str());
        reconcile_notes::note(tx, team_id, what, &found.appearance, act.real())?;
    }
    if !found.is_explained {
        let line = Line {
            kind: found.kind,
            subject: found.subject.clone(),
            detail: found.detail.clone(),
            is_repaired,
        };
        tell(tx, team_id, &run.id, &line)?;
    }
    Ok(is_repaired || takes_note)
}

/// Repairs a difference; tells whether it could.
fn repair(tx: &mut dyn Tx, act: &mut Act, team_id: &TeamId, found: &Found) -> Result<bool, Fault> {
    let Some(operation) = &found.operation else {
        return Ok(false);
    };
    let place = Place::new(team_id.clone(), operation.project_id.clone());
    inside(tx, act, &place, true, |tx, act| {
        match (found.cure, &found.line) {
            (Cure::CallAnew, _) => drift::call_anew(tx, act, &place, operation),
            (Cure::Adopt, Some(line)) => drift::adopt(tx, act, &place, operation, line),
            (Cure::TakeBack, Some(line)) => {
                take_back_line(tx, act, team_id, &operation.id, &line.id)
            }
            (Cure::Adopt | Cure::TakeBack, None) | (Cure::TakeNote, _) => Ok(false),
        }
    })
}
