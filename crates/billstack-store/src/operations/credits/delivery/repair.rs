//! Taking back the second of two lines that one operation has.

use billstack_core::delivery::Kind;
use billstack_core::ids::TeamId;
use billstack_core::ledger::Cause;

use super::{NewOperation, begin, hold_credit, sync};
use crate::operations::test_clock::inside;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::stripe_operations::{self, Because};

/// What the log names as the cause.
const RECONCILE: &str = "reconcile";

/// Takes back a line that an operation has besides its own; tells whether nobody had done so before.
pub fn take_back_line(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    operation_id: &str,
    line_id: &str,
) -> Result<bool, Fault> {
    let Some(doubled) = stripe_operations::get(tx, team_id, operation_id)? else {
        return Ok(false);
    };
    let place = Place::new(team_id.clone(), doubled.project_id.clone());
    inside(tx, act, &place, true, |tx, act| {
        let mut credit = hold_credit(tx, &place, &doubled)?;
        let all = stripe_operations::of_credit(tx, &place, &credit.id)?;
        let takes_it = |line: &String| line == line_id;
        if all
            .iter()
            .any(|one| one.takes_back.as_ref().is_some_and(takes_it))
        {
            return Ok(false);
        }
        let new = NewOperation {
            kind: Kind::Repair,
            amount: doubled.amount,
            stripe_customer_id: doubled.stripe_customer_id.clone(),
            cause: Because {
                cause: Cause::Job,
                id: RECONCILE.to_owned(),
                reason: None,
            },
            takes_back: Some(line_id.to_owned()),
        };
        begin(tx, act, &place, &credit, new)?;
        sync(tx, act, &place, &mut credit)?;
        Ok(true)
    })
}
