//! Operations on balances in Stripe: each is one line there, and how far it has come.

mod because;
pub(crate) mod waiting;

use billstack_core::delivery::operation::{KeyState, Operation, Step};
use billstack_core::delivery::{Kind, Reason, State};
use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::ledger::Cause;
use billstack_core::money::{Amount, Currency};
use billstack_core::reconcile::walk::slot_of;
use billstack_core::time::Micros;

use super::projects::project_of;
use crate::seam::{Fault, Place, Row, Tx, Val};
use crate::{params, statements};

pub(crate) use because::Because;

/// The columns of an operation, in the order of [`decode`].
macro_rules! operations_where {
    ($condition:literal) => {
        concat!(
            "SELECT id, ",
            project_of!("stripe_operations"),
            ", credit_id, kind, stripe_customer_id, amount, currency, body, refusal, transaction_id, created_at, \
             version, state, reason, generation, key_state, attempts, failures, first_try, last_try, tried_from, \
             silent_since, absent_at, is_doubtful, is_retried, others_are_known, step, due, cause, cause_id, \
             cause_reason, takes_back, lost_transaction_id, looked_version \
             FROM stripe_operations WHERE team_id = $1",
            $condition
        )
    };
}

statements! {
    GET = operations_where!(" AND id = $2");
    OF_CREDIT = operations_where!(" AND project_id = $2 AND credit_id = $3 ORDER BY created_at, id");
    /// What goes on next with a customer of Stripe; a call that somebody left behind comes first, and then what was
    /// taken too much, which the customer owes.
    DUE = operations_where!(" AND stripe_customer_id = $2 AND due IS NOT NULL \
        ORDER BY state <> 'in_flight', kind <> 'putback' OR due > $3, due, id LIMIT 1");
    OF_CUSTOMER = operations_where!(" AND stripe_customer_id = $2 ORDER BY created_at, id");
    NEXT_DUE = "SELECT CAST(MIN(due) AS BIGINT) FROM stripe_operations \
        WHERE team_id = $1 AND stripe_customer_id = $2 AND due IS NOT NULL";
    /// What waits for a customer of Stripe to be mended.
    STUCK = operations_where!(" AND stripe_customer_id = $2 AND state = 'needs_attention' ORDER BY id LIMIT 100");
    /// What waits in a team for its connection to be mended.
    STUCK_IN_TEAM = operations_where!(" AND state = 'needs_attention' \
        AND reason IN ('customer_unknown', 'stripe_unreachable') AND id > $2 ORDER BY id LIMIT 100");
    OF_LINE = "SELECT id FROM stripe_operations WHERE team_id = $1 AND transaction_id = $2";
    INSERT = "INSERT INTO stripe_operations (team_id, id, project_id, credit_id, kind, stripe_customer_id, amount, \
        currency, body, created_at, version, state, generation, key_state, attempts, failures, is_doubtful, \
        is_retried, others_are_known, step, due, cause, cause_id, cause_reason, takes_back, slot, looked_version) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, 1, $12, 0, 0, FALSE, FALSE, FALSE, $13, $14, $15, \
        $16, $17, $18, $19, 0)";
    /// Whoever changes an operation names the version that they saw.
    UPDATE = "UPDATE stripe_operations SET version = version + 1, state = $4, reason = $5, generation = $6, \
        key_state = $7, attempts = $8, failures = $9, first_try = $10, last_try = $11, tried_from = $12, \
        silent_since = $13, absent_at = $14, is_doubtful = $15, is_retried = $16, others_are_known = $17, \
        step = $18, due = $19, refusal = $20, transaction_id = $21, amount = $22, body = $23 \
        WHERE team_id = $1 AND id = $2 AND version = $3";
    BRING_FORWARD = "UPDATE stripe_operations SET due = CASE WHEN due - CAST($4 AS BIGINT) < $3 THEN $3 \
        ELSE due - CAST($4 AS BIGINT) END WHERE team_id = $1 AND project_id = $2 AND due > $3";
    /// Its line is gone.
    LOSE = "UPDATE stripe_operations SET lost_transaction_id = $3 WHERE team_id = $1 AND id = $2";
    /// What was last compared is an operation of this version.
    LOOKED = "UPDATE stripe_operations SET looked_version = $3 WHERE team_id = $1 AND id = $2";
    ON_BALANCE = operations_where!(" AND slot = $2 AND stripe_customer_id = $3 ORDER BY created_at, id");
    DELETE = "DELETE FROM stripe_operations WHERE team_id = $1 AND id = $2 AND version = $3";
}

/// The kind of work that goes on with operations.
pub(crate) const LANE: &str = "stripe_delivery";

/// An operation on the balance of a customer in Stripe.
#[derive(Clone, Debug, PartialEq)]
pub struct StripeOperation {
    /// `op_…`.
    pub id: String,
    /// The project of its credit.
    pub project_id: ProjectId,
    /// Its credit.
    pub credit_id: String,
    /// What it does.
    pub kind: Kind,
    /// Whose balance it is.
    pub stripe_customer_id: String,
    /// How much it gives or takes.
    pub amount: Amount,
    /// The currency of the balance.
    pub currency: Currency,
    /// The body of its call, byte for byte.
    pub body: String,
    /// What Stripe said when it refused.
    pub refusal: Option<String>,
    /// Its line, once that is there.
    pub transaction_id: Option<String>,
    /// The line that it had before and that is gone: its entry was made for that one.
    pub lost_transaction_id: Option<String>,
    /// When it was caused.
    pub created_at: Micros,
    /// Why.
    pub cause: Because,
    /// The line that it takes back, where that is all that it is for.
    pub takes_back: Option<String>,
    pub(crate) version: i64,
    /// The version that was last compared with Stripe's lines.
    pub(crate) looked_version: i64,
    /// How far it has come. It goes by the clock of its project; when it goes on is kept by the time of day, by which
    /// the queue goes, and so it is read.
    pub progress: Operation,
}

fn decode(row: &dyn Row) -> Result<StripeOperation, Fault> {
    Ok(StripeOperation {
        id: row.string(0)?,
        project_id: row.project_id(1)?,
        credit_id: row.string(2)?,
        kind: row.read(3, Kind::read)?,
        stripe_customer_id: row.string(4)?,
        amount: row.amount(5)?,
        currency: row.currency(6)?,
        body: row.string(7)?,
        refusal: row.opt_string(8)?,
        transaction_id: row.opt_string(9)?,
        created_at: row.time(10)?,
        version: row.int(11)?,
        progress: Operation {
            state: row.read(12, State::read)?,
            reason: row.opt_read(13, Reason::read)?,
            generation: row.int(14)?,
            key: row.read(15, KeyState::read)?,
            attempts: row.int(16)?,
            failures: row.int(17)?,
            first_try: row.opt_time(18)?,
            last_try: row.opt_time(19)?,
            tried_from: row.opt_time(20)?,
            silent_since: row.opt_time(21)?,
            absent_at: row.opt_time(22)?,
            is_doubtful: row.flag(23)?,
            is_retried: row.flag(24)?,
            others_are_known: row.flag(25)?,
            step: row.read(26, Step::read)?,
            due: row.opt_time(27)?.unwrap_or(Micros(0)),
        },
        cause: Because {
            cause: row.read(28, Cause::read)?,
            id: row.string(29)?,
            reason: row.opt_string(30)?,
        },
        takes_back: row.opt_string(31)?,
        lost_transaction_id: row.opt_string(32)?,
        looked_version: row.int(33)?,
    })
}

impl StripeOperation {
    /// Whether the books have it: its line is there, or was.
    pub(crate) fn is_booked(&self) -> bool {
        self.progress.state == State::Delivered || self.lost_transaction_id.is_some()
    }

    /// Whether it has changed since it was last compared with Stripe's lines.
    pub fn has_changed(&self) -> bool {
        self.version != self.looked_version
    }

    /// Whether it is the same as when it was read before.
    pub fn is_as(&self, before: &StripeOperation) -> bool {
        self.id == before.id && self.version == before.version
    }

    /// When it goes on by itself, as it was read or by the clock; `None` when it is over or waits for somebody.
    pub fn due(&self) -> Option<Micros> {
        let progress = &self.progress;
        let goes_on = match progress.state {
            State::Queued | State::InFlight | State::Unknown => true,
            State::NeedsAttention => progress.reason == Some(Reason::StripeUnreachable),
            State::Delivered | State::Other(_) => false,
        };
        goes_on.then_some(progress.due)
    }
}

/// The operation with this id.
pub(crate) fn get(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
) -> Result<Option<StripeOperation>, Fault> {
    tx.one(GET, params![team_id, id], decode)
}

/// All operations of a credit, the oldest first.
pub fn of_credit(
    tx: &mut dyn Tx,
    place: &Place,
    credit_id: &str,
) -> Result<Vec<StripeOperation>, Fault> {
    let scope = params![&place.team_id, &place.project_id, credit_id];
    tx.all(OF_CREDIT, scope, decode)
}

/// All operations on the balance of a customer, the oldest first.
pub(crate) fn of_customer(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
) -> Result<Vec<StripeOperation>, Fault> {
    tx.all(OF_CUSTOMER, params![team_id, stripe_customer_id], decode)
}

/// What goes on next with a customer of Stripe, at that time of day.
pub(crate) fn next(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
    now: Micros,
) -> Result<Option<StripeOperation>, Fault> {
    tx.one(DUE, params![team_id, stripe_customer_id, now], decode)
}

/// When anything goes on with a customer of Stripe.
pub(crate) fn next_due(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
) -> Result<Option<Micros>, Fault> {
    let scope = params![team_id, stripe_customer_id];
    let due = tx.one(NEXT_DUE, scope, |row| row.opt_time(0))?;
    Ok(due.flatten())
}

/// What waits for a customer of Stripe to be mended, up to a hundred of them.
pub(crate) fn stuck(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
) -> Result<Vec<StripeOperation>, Fault> {
    tx.all(STUCK, params![team_id, stripe_customer_id], decode)
}

/// What waits for the connection of a team to be mended: up to a hundred of them, whose ids come after this one.
pub(crate) fn stuck_in_team(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    after: &str,
) -> Result<Vec<StripeOperation>, Fault> {
    tx.all(STUCK_IN_TEAM, params![team_id, after], decode)
}

/// The operation whose line this is.
pub fn of_line(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    transaction_id: &str,
) -> Result<Option<String>, Fault> {
    tx.one(OF_LINE, params![team_id, transaction_id], |row| {
        row.string(0)
    })
}

/// Adds a new operation of a project whose clock is so far ahead.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    new: &StripeOperation,
    ahead: i64,
) -> Result<(), Fault> {
    let row = params![
        team_id,
        &new.id,
        &new.project_id,
        &new.credit_id,
        new.kind.as_str(),
        &new.stripe_customer_id,
        new.amount,
        &new.currency,
        &new.body,
        new.created_at,
        new.progress.state.as_str(),
        new.progress.key.as_str(),
        new.progress.step.as_str(),
        new.due().map(|due| due.plus(-ahead)),
        new.cause.cause.as_str(),
        &new.cause.id,
        new.cause.reason.as_deref(),
        new.takes_back.as_deref(),
        slot_of(&new.stripe_customer_id),
    ];
    tx.must(INSERT, row)
}

/// Keeps how far an operation has come, in a project whose clock is so far ahead; tells whether nobody else has changed
/// it since it was read.
pub(crate) fn update(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    now: &StripeOperation,
    ahead: i64,
) -> Result<bool, Fault> {
    let progress = &now.progress;
    let row: [Val<'_>; 23] = [
        Val::from(team_id),
        Val::from(&now.id),
        Val::from(now.version),
        Val::from(progress.state.as_str()),
        Val::from(progress.reason.as_ref().map(Reason::as_str)),
        Val::from(progress.generation),
        Val::from(progress.key.as_str()),
        Val::from(progress.attempts),
        Val::from(progress.failures),
        Val::from(progress.first_try),
        Val::from(progress.last_try),
        Val::from(progress.tried_from),
        Val::from(progress.silent_since),
        Val::from(progress.absent_at),
        Val::from(progress.is_doubtful),
        Val::from(progress.is_retried),
        Val::from(progress.others_are_known),
        Val::from(progress.step.as_str()),
        Val::from(now.due().map(|due| due.plus(-ahead))),
        Val::from(now.refusal.as_deref()),
        Val::from(now.transaction_id.as_deref()),
        Val::from(now.amount),
        Val::from(&now.body),
    ];
    tx.hit(UPDATE, &row)
}

/// Brings what waits in a project forward by so much, but not before `now`; tells whether anything does.
pub(crate) fn bring_forward(
    tx: &mut dyn Tx,
    place: &Place,
    now: Micros,
    by: i64,
) -> Result<bool, Fault> {
    let row = params![&place.team_id, &place.project_id, now, by];
    Ok(tx.execute(BRING_FORWARD, row)? > 0)
}

/// Removes an operation of which Stripe has never been told; tells whether nobody else has changed it since it was
/// read.
pub(crate) fn remove(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    operation: &StripeOperation,
) -> Result<bool, Fault> {
    tx.hit(DELETE, params![team_id, &operation.id, operation.version])
}

/// All operations on the balance of a customer of Stripe, the oldest first.
pub fn on_balance(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
) -> Result<Vec<StripeOperation>, Fault> {
    let scope = params![team_id, slot_of(stripe_customer_id), stripe_customer_id];
    tx.all(ON_BALANCE, scope, decode)
}

/// Notes that an operation was compared as it was in this version.
pub(crate) fn looked(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    operation: &StripeOperation,
) -> Result<(), Fault> {
    // One that is gone since then has nothing to be compared.
    let row = params![team_id, &operation.id, operation.version];
    tx.execute(LOOKED, row).map(drop)
}

/// Notes that the line of an operation is gone.
pub(crate) fn lose(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    id: &str,
    transaction_id: &str,
) -> Result<(), Fault> {
    tx.must(LOSE, params![team_id, id, transaction_id])
}
