//! Credits: what was given to whom, and for what.

use billstack_core::credit::limits::PaidBefore;
use billstack_core::credit::{CreditKind, CreditStatus, Parts, Side};
use billstack_core::delivery::{DeliveryState, Reason};
use billstack_core::money::{Amount, Currency};
use billstack_core::time::Micros;

use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

/// The columns of a credit, in the order of [`decode`].
macro_rules! credit_columns {
    () => {
        "credits.id, credits.kind, credits.referral_id, credits.customer_id, credits.side, credits.amount, \
         credits.currency, credits.status, credits.held_until, credits.held, credits.available, \
         credits.delivered, credits.applied, credits.settled, credits.reversed, credits.shortfall, \
         credits.reversed_by_hand, credits.entries, credits.created_at, credits.by_stripe, \
         credits.delivery, credits.delivery_reason"
    };
}

pub(super) use credit_columns;

macro_rules! credits_where {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            credit_columns!(),
            " FROM credits WHERE team_id = $1 AND project_id = $2",
            $condition
        )
    };
}

mod list;

pub(crate) use list::LISTS;
pub use list::{CreditFilter, list};

statements! {
    GET = credits_where!(" AND id = $3");
    OF_REFERRAL = credits_where!(" AND referral_id = $3 ORDER BY side DESC");
    INSERT = "INSERT INTO credits (team_id, project_id, id, kind, seq, referral_id, side, customer_id, \
        amount, currency, status, held_until, held, available, delivered, applied, settled, reversed, \
        shortfall, reversed_by_hand, entries, created_at, by_stripe, delivery) VALUES ($1, $2, $3, $4, 1, \
        $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, 0, $14, 0, 0, $15, $16, $17, 'none')";
    BOOK = "UPDATE credits SET status = $4, held = $5, available = $6, delivered = $7, applied = $8, \
        settled = $9, reversed = $10, shortfall = $11, reversed_by_hand = $12, entries = $13 \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND entries = $14";
    /// Holds a credit against all other changes until the transaction ends.
    HOLD = "UPDATE credits SET delivery = delivery WHERE team_id = $1 AND project_id = $2 AND id = $3";
    DELIVER = "UPDATE credits SET by_stripe = $4, delivery = $5, delivery_reason = $6 \
        WHERE team_id = $1 AND project_id = $2 AND id = $3";
    /// Of a customer, what is still to be put into a balance in Stripe and has not been begun.
    UNDELIVERED_OF = "SELECT id FROM credits WHERE team_id = $1 AND project_id = $2 AND customer_id = $3 \
        AND by_stripe AND delivery IN ('queued', 'needs_attention') ORDER BY created_at, id";
    /// How many conversions have paid a referrer, and how many of them in a month.
    PAID_BEFORE = "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN r.converted_at >= $4 AND r.converted_at < $5 \
        THEN 1 ELSE 0 END), 0) AS BIGINT) FROM credits c JOIN referrals r ON r.team_id = c.team_id \
        AND r.project_id = c.project_id AND r.id = c.referral_id WHERE c.team_id = $1 AND c.project_id = $2 \
        AND c.customer_id = $3 AND c.side = 'referrer'";
    BALANCES = "SELECT currency, CAST(SUM(available + delivered) AS BIGINT), CAST(SUM(held) AS BIGINT) FROM credits \
        WHERE team_id = $1 AND project_id = $2 AND customer_id = $3 \
        GROUP BY currency ORDER BY currency";
    /// What a customer has had of each currency, wherever it is now, and what is still held.
    EARNED = "SELECT currency, CAST(SUM(available + delivered + applied + settled) AS BIGINT), \
        CAST(SUM(held) AS BIGINT) FROM credits WHERE team_id = $1 AND project_id = $2 AND customer_id = $3 \
        GROUP BY currency ORDER BY currency";
}

/// Money given to a customer, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Credit {
    /// `cr_…`.
    pub id: String,
    /// What it was given for.
    pub kind: CreditKind,
    /// The referral that earned it; `None` for a credit of another kind.
    pub referral_id: Option<String>,
    /// Who has it.
    pub customer_id: String,
    /// Which side of the referral that is.
    pub side: Option<Side>,
    /// How much, in minor units.
    pub amount: Amount,
    /// Of which currency.
    pub currency: Currency,
    /// Where it stands: what its parts say.
    pub status: CreditStatus,
    /// When its hold ends or would have ended.
    pub held_until: Option<Micros>,
    /// What became of the amount.
    pub parts: Parts,
    /// How much of what was taken back a person took, in minor units.
    pub reversed_by_hand: i64,
    /// How many entries it has.
    pub(crate) entries: i64,
    /// When it was granted.
    pub created_at: Micros,
    /// Whether it is put into the balance that the customer has in Stripe.
    pub by_stripe: bool,
    /// How far that has come.
    pub delivery: DeliveryState,
    /// Why it needs attention, if it does.
    pub delivery_reason: Option<Reason>,
}

/// Reads the first 22 columns.
pub(crate) fn decode(row: &dyn Row) -> Result<Credit, Fault> {
    Ok(Credit {
        id: row.string(0)?,
        kind: row.read(1, CreditKind::read)?,
        referral_id: row.opt_string(2)?,
        customer_id: row.string(3)?,
        side: row.opt_read(4, Side::read)?,
        amount: row.amount(5)?,
        currency: row.currency(6)?,
        status: row.read(7, CreditStatus::read)?,
        held_until: row.opt_time(8)?,
        parts: Parts {
            held: row.int(9)?,
            available: row.int(10)?,
            delivered: row.int(11)?,
            applied: row.int(12)?,
            settled: row.int(13)?,
            reversed: row.int(14)?,
            shortfall: row.int(15)?,
        },
        reversed_by_hand: row.int(16)?,
        entries: row.int(17)?,
        created_at: row.time(18)?,
        by_stripe: row.flag(19)?,
        delivery: row.read(20, DeliveryState::read)?,
        delivery_reason: row.opt_read(21, Reason::read)?,
    })
}

/// The credit with this id.
pub fn get(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Option<Credit>, Fault> {
    tx.one(GET, params![&place.team_id, &place.project_id, id], decode)
}

/// The credits of a referral, the referrer's first.
pub fn of_referral(
    tx: &mut dyn Tx,
    place: &Place,
    referral_id: &str,
) -> Result<Vec<Credit>, Fault> {
    let scope = params![&place.team_id, &place.project_id, referral_id];
    tx.all(OF_REFERRAL, scope, decode)
}

/// Adds a credit. The key of the table refuses a second one of the same side of a referral.
pub(crate) fn insert(tx: &mut dyn Tx, place: &Place, credit: &Credit) -> Result<(), Fault> {
    let row = params![
        &place.team_id,
        &place.project_id,
        &credit.id,
        credit.kind.as_str(),
        credit.referral_id.as_deref(),
        credit.side.as_ref().map(Side::as_str),
        &credit.customer_id,
        credit.amount,
        &credit.currency,
        credit.status.as_str(),
        credit.held_until,
        credit.parts.held,
        credit.parts.available,
        credit.parts.reversed,
        credit.entries,
        credit.created_at,
        credit.by_stripe,
    ];
    tx.must_later(INSERT, row)
}

/// Holds a credit against all other changes until the transaction ends; tells whether there is one.
pub(crate) fn hold(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<bool, Fault> {
    tx.hit(HOLD, params![&place.team_id, &place.project_id, id])
}

/// Keeps whether a credit is put into a balance in Stripe, and how far that has come.
pub(crate) fn deliver(tx: &mut dyn Tx, place: &Place, credit: &Credit) -> Result<(), Fault> {
    let row = params![
        &place.team_id,
        &place.project_id,
        &credit.id,
        credit.by_stripe,
        credit.delivery.as_str(),
        credit.delivery_reason.as_ref().map(Reason::as_str),
    ];
    tx.must(DELIVER, row)
}

/// The credits of a customer that are still to be put into a balance in Stripe and have not been begun.
pub(crate) fn undelivered_of(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
) -> Result<Vec<String>, Fault> {
    let scope = params![&place.team_id, &place.project_id, customer_id];
    tx.all(UNDELIVERED_OF, scope, |row| row.string(0))
}

/// Keeps what entries have made of a credit that had `entries` of them before; tells whether it still had.
pub(crate) fn book(
    tx: &mut dyn Tx,
    place: &Place,
    credit: &Credit,
    entries: i64,
) -> Result<bool, Fault> {
    let row = params![
        &place.team_id,
        &place.project_id,
        &credit.id,
        credit.status.as_str(),
        credit.parts.held,
        credit.parts.available,
        credit.parts.delivered,
        credit.parts.applied,
        credit.parts.settled,
        credit.parts.reversed,
        credit.parts.shortfall,
        credit.reversed_by_hand,
        credit.entries,
        entries,
    ];
    tx.hit(BOOK, row)
}

/// How many conversions have paid a referrer, in all and in the month that holds a time.
pub(crate) fn paid_before(
    tx: &mut dyn Tx,
    place: &Place,
    referrer_id: &str,
    at: Micros,
) -> Result<PaidBefore, Fault> {
    let (first, next) = at.month();
    let of = params![&place.team_id, &place.project_id, referrer_id, first, next];
    let found = tx.one(PAID_BEFORE, of, |row| {
        Ok(PaidBefore {
            total: row.int(0)?,
            in_month: row.int(1)?,
        })
    })?;
    Ok(found.unwrap_or_default())
}

/// What a customer may count on in one currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// The currency.
    pub currency: Currency,
    /// The sum in minor units of what their credits have available.
    pub amount: i64,
    /// What of them is still held.
    pub held: i64,
}

/// What a customer has, one balance for each currency of their credits.
pub fn balances(tx: &mut dyn Tx, place: &Place, customer_id: &str) -> Result<Vec<Balance>, Fault> {
    let scope = params![&place.team_id, &place.project_id, customer_id];
    tx.all(BALANCES, scope, |row| {
        Ok(Balance {
            currency: row.currency(0)?,
            amount: row.int(1)?,
            held: row.int(2)?,
        })
    })
}

/// What a customer has earned in one currency, in minor units.
#[derive(Clone, Debug, PartialEq)]
pub struct Earned {
    /// The currency.
    pub currency: Currency,
    /// What was and is theirs, wherever it is now.
    pub earned: i64,
    /// What is still held, or waits for friends.
    pub pending: i64,
}

/// What a customer has earned, by currency; what is pending is what is held.
pub(crate) fn earned(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
) -> Result<Vec<Earned>, Fault> {
    let scope = params![&place.team_id, &place.project_id, customer_id];
    tx.all(EARNED, scope, |row| {
        Ok(Earned {
            currency: row.currency(0)?,
            earned: row.int(1)?,
            pending: row.int(2)?,
        })
    })
}
