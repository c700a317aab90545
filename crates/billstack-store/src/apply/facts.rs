//! What an apply is decided from, read while everybody it concerns is held.

use billstack_core::program::Program;

use super::Apply;
use crate::act::Place;
use crate::codes::{self, Held};
use crate::customers::{self, Customer, Kept};
use crate::params;
use crate::programs;
use crate::referrals::{self, Referral};
use crate::stripe_connections;
use crate::subscription_starts::{self, KnownStarts, names_of};
use crate::tx::{Fault, Tx};

/// The facts, as they stay until the transaction ends.
pub(super) struct Facts {
    pub(super) referee: Customer,
    pub(super) code: Option<Held>,
    /// The referral that the referee, or anyone who is or was the same Stripe customer, has already.
    pub(super) existing: Option<Referral>,
    pub(super) program: Program,
    pub(super) starts: KnownStarts,
    /// Whether a secret key is connected to ask Stripe with.
    pub(super) stripe_answers: bool,
}

/// Holds the referee and reads the facts; `None` when there is no such customer.
///
/// They are asked for together, because on PostgreSQL each way there and back costs more than what
/// is done there.
pub(super) fn gather(tx: &mut dyn Tx, place: &Place, cmd: &Apply) -> Result<Option<Facts>, Fault> {
    let id = &cmd.referee_customer_id;
    let Some(taken) = customers::take(tx, place, id, None, Kept::LookedAt)? else {
        return Ok(None);
    };
    let (team, project) = (&place.team_id, &place.project_id);
    let names = names_of(&taken);
    let queries = [
        (
            codes::HOLD,
            params![team, project, cmd.code.as_deref()] as &[_],
        ),
        (programs::HOLD, params![team, project]),
        (referrals::GET_OF_REFEREE, params![team, project, id]),
        (
            referrals::CUSTOMERS_OF_STRIPE,
            params![team, taken.stripe_customer_id.as_deref()],
        ),
        (
            subscription_starts::KNOWN_STARTS,
            params![team, &names[0], &names[names.len() - 1], project],
        ),
        (stripe_connections::WITH_SECRET_KEY, params![team]),
        (customers::GET, params![team, project, id]),
    ];
    // Nothing can have changed where nobody else writes.
    let asked = queries.len() - usize::from(tx.is_alone());
    let (mut code, mut program, mut existing) = (None, Program::default(), None);
    let (mut sharing, mut starts, mut now) = (Vec::new(), KnownStarts::default(), None);
    let mut stripe_answers = false;
    tx.query_together(&queries[..asked], &mut |number, row| {
        match number {
            0 => code = Some(codes::decode_held(row)?),
            1 => program = programs::decode(row)?,
            2 => existing = Some(referrals::decode(row)?),
            3 if row.int(0)? == project.number() => sharing.push(row.string(1)?),
            3 => {}
            4 => starts = subscription_starts::decode_starts(row)?,
            5 => stripe_answers = true,
            _ => now = Some(customers::decode(row)?),
        }
        Ok(())
    })?;
    let referee = if tx.is_alone() {
        Some(taken)
    } else {
        customers::confirm(&taken, now, None)?
    };
    let Some(referee) = referee else {
        return Ok(None);
    };
    if existing.is_none() {
        sharing.retain(|other| *other != referee.id);
        existing = referrals::get_oldest_of(tx, place, &sharing)?;
    }
    Ok(Some(Facts {
        referee,
        code,
        existing,
        program,
        starts,
        stripe_answers,
    }))
}
