//! Sums and exports over credits and entries, for reports. It owns no table and writes nothing.

use billstack_core::credit::{CreditKind, CreditStatus};
use billstack_core::ledger::{Account, Cause};
use billstack_core::money::Currency;
use billstack_core::time::Micros;

use crate::seam::{self, Fault, Place, Tx};
use crate::{params, statements};

/// The entries of a project, each line with its credit.
macro_rules! lines {
    () => {
        "entries e JOIN entry_lines l ON l.team_id = e.team_id AND l.project_id = e.project_id \
         AND l.credit_id = e.credit_id AND l.seq = e.seq JOIN credits c ON c.team_id = e.team_id \
         AND c.project_id = e.project_id AND c.id = e.credit_id"
    };
}

statements! {
    MOVED = concat!("SELECT e.credit_id, e.seq, c.currency, l.account, l.amount, e.cause, e.cause_id, e.reason, \
        e.reference, e.stripe_object, e.effective_at, e.created_at FROM ", lines!(), " \
        WHERE c.team_id = $1 AND c.project_id = $2 AND c.customer_id = $3 AND e.created_at < $4 \
        ORDER BY e.created_at, e.credit_id, e.seq, l.amount");
    CREDITS = "SELECT c.id, c.kind, c.referral_id, COALESCE(c.side, 'manual'), c.customer_id, u.external_id, \
        u.stripe_customer_id, c.currency, c.amount, c.held, c.available, c.delivered, c.applied, c.reversed, \
        c.settled, c.shortfall, c.status, c.delivery, c.delivery_reason, (SELECT MAX(o.transaction_id) \
        FROM stripe_operations o WHERE o.credit_id = c.id AND o.team_id = c.team_id \
        AND o.project_id = c.project_id AND o.kind = 'grant'), c.created_at, c.held_until \
        FROM credits c JOIN customers u \
        ON u.team_id = c.team_id AND u.project_id = c.project_id AND u.id = c.customer_id \
        WHERE c.team_id = $1 AND c.project_id = $2 AND (c.created_at, c.id) > ($3, $4) AND c.created_at < $5 \
        ORDER BY c.created_at, c.id LIMIT $6";
    POSTINGS = concat!("SELECT e.credit_id, e.seq, COALESCE(c.side, 'manual'), c.customer_id, l.account, l.amount, \
        c.currency, e.cause, e.cause_id, e.stripe_object, e.reason, e.effective_at, e.created_at FROM ", lines!(), " \
        WHERE e.team_id = $1 AND e.project_id = $2 AND (e.created_at, e.credit_id, e.seq) > ($3, $4, $5) \
        AND e.created_at < $6 ORDER BY e.created_at, e.credit_id, e.seq, l.amount LIMIT $7");
}

/// Sums of the parts of credits, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Held.
    pub held: i64,
    /// The customers', in our books.
    pub available: i64,
    /// In balances in Stripe, and not used.
    pub delivered: i64,
    /// Used for invoices.
    pub applied: i64,
    /// Paid by other ways.
    pub settled: i64,
    /// Taken back.
    pub reversed: i64,
    /// What could not be taken back.
    pub shortfall: i64,
}

impl Sums {
    /// What is owed.
    pub const fn open(&self) -> i64 {
        self.held + self.available + self.delivered
    }

    /// Both together.
    #[must_use]
    pub const fn plus(&self, other: &Sums) -> Sums {
        Sums {
            held: self.held + other.held,
            available: self.available + other.available,
            delivered: self.delivered + other.delivered,
            applied: self.applied + other.applied,
            settled: self.settled + other.settled,
            reversed: self.reversed + other.reversed,
            shortfall: self.shortfall + other.shortfall,
        }
    }
}

/// An entry: an amount that went from one account to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// The credit.
    pub credit_id: String,
    /// The number of the entry among those of the credit.
    pub seq: i64,
    /// Of which currency.
    pub currency: Currency,
    /// Where it was taken from.
    pub from: Account,
    /// Where it went.
    pub to: Account,
    /// How much, in minor units.
    pub amount: i64,
    /// What kind of thing caused it.
    pub cause: Cause,
    /// Which one.
    pub cause_id: String,
    /// Why, when a person said so.
    pub reason: Option<String>,
    /// What a payment is called elsewhere.
    pub reference: Option<String>,
    /// What in Stripe it is about.
    pub stripe_object: Option<String>,
    /// When what it tells of happened.
    pub effective_at: Micros,
    /// When it was booked.
    pub created_at: Micros,
}

/// Every entry of a customer's credits that was booked before a time, in the order of booking.
pub(crate) fn moved_before(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
    to: Micros,
) -> Result<Vec<Moved>, Fault> {
    let scope = params![&place.team_id, &place.project_id, customer_id, to];
    // The line that takes away comes first.
    let mut taken: Option<Account> = None;
    let mut moved = Vec::new();
    tx.query(MOVED, scope, &mut |row| {
        let account = row.read(3, Account::read)?;
        let Some(from) = taken.take() else {
            taken = Some(account);
            return Ok(());
        };
        moved.push(Moved {
            credit_id: row.string(0)?,
            seq: row.int(1)?,
            currency: row.currency(2)?,
            from,
            to: account,
            amount: row.int(4)?,
            cause: row.read(5, Cause::read)?,
            cause_id: row.string(6)?,
            reason: row.opt_string(7)?,
            reference: row.opt_string(8)?,
            stripe_object: row.opt_string(9)?,
            effective_at: row.time(10)?,
            created_at: row.time(11)?,
        });
        Ok(())
    })?;
    Ok(moved)
}

/// A credit as an export tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportedCredit {
    /// Its id.
    pub id: String,
    /// What it was given for.
    pub kind: CreditKind,
    /// The referral that earned it.
    pub referral_id: Option<String>,
    /// Its side, or `manual`.
    pub side: String,
    /// Who has it.
    pub customer_id: String,
    /// What the team calls them.
    pub external_id: Option<String>,
    /// Who they are in Stripe.
    pub stripe_customer_id: Option<String>,
    /// Of which currency.
    pub currency: Currency,
    /// How much, in minor units.
    pub amount: i64,
    /// What became of it.
    pub sums: Sums,
    /// Where it stands.
    pub status: CreditStatus,
    /// How far it has come into the balance that the customer has in Stripe.
    pub delivery: String,
    /// Why that needs attention.
    pub delivery_reason: Option<String>,
    /// The line of that balance.
    pub transaction_id: Option<String>,
    /// When it was granted.
    pub created_at: Micros,
    /// When its hold ends or would have ended.
    pub held_until: Option<Micros>,
}

/// The next credits of an export after the one that was granted at this time with this id, before `to`.
pub fn exported_credits(
    tx: &mut dyn Tx,
    place: &Place,
    after: (Micros, &str),
    to: Micros,
    limit: i64,
) -> Result<Vec<ExportedCredit>, Fault> {
    let (at, id) = after;
    let scope = params![&place.team_id, &place.project_id, at, id, to, limit];
    tx.all(CREDITS, scope, |row| {
        Ok(ExportedCredit {
            id: row.string(0)?,
            kind: row.read(1, CreditKind::read)?,
            referral_id: row.opt_string(2)?,
            side: row.string(3)?,
            customer_id: row.string(4)?,
            external_id: row.opt_string(5)?,
            stripe_customer_id: row.opt_string(6)?,
            currency: row.currency(7)?,
            amount: row.int(8)?,
            sums: Sums {
                held: row.int(9)?,
                available: row.int(10)?,
                delivered: row.int(11)?,
                applied: row.int(12)?,
                reversed: row.int(13)?,
                settled: row.int(14)?,
                shortfall: row.int(15)?,
            },
            status: row.read(16, CreditStatus::read)?,
            delivery: row.string(17)?,
            delivery_reason: row.opt_string(18)?,
            transaction_id: row.opt_string(19)?,
            created_at: row.time(20)?,
            held_until: row.opt_time(21)?,
        })
    })
}

/// A posting as an export tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportedPosting {
    /// The credit.
    pub credit_id: String,
    /// The number of its entry.
    pub seq: i64,
    /// The side of the credit, or `manual`.
    pub side: String,
    /// Who has it.
    pub customer_id: String,
    /// The account that changed.
    pub account: Account,
    /// By how much, in minor units.
    pub amount: i64,
    /// Of which currency.
    pub currency: Currency,
    /// What kind of thing caused it.
    pub cause: Cause,
    /// Which one.
    pub cause_id: String,
    /// What in Stripe it is about.
    pub stripe_object: Option<String>,
    /// Why, when a person said so.
    pub reason: Option<String>,
    /// When what it tells of happened.
    pub effective_at: Micros,
    /// When it was booked.
    pub created_at: Micros,
}

/// The next postings of an export after an entry, two to each entry, booked before `to`.
pub fn exported_postings(
    tx: &mut dyn Tx,
    place: &Place,
    after: (Micros, &str, i64),
    to: Micros,
    entries: i64,
) -> Result<Vec<ExportedPosting>, Fault> {
    let (at, credit_id, seq) = after;
    let lines = 2 * entries;
    let scope = params![
        &place.team_id,
        &place.project_id,
        at,
        credit_id,
        seq,
        to,
        lines
    ];
    tx.all(POSTINGS, scope, decode_posting)
}

fn decode_posting(row: &dyn seam::Row) -> Result<ExportedPosting, Fault> {
    Ok(ExportedPosting {
        credit_id: row.string(0)?,
        seq: row.int(1)?,
        side: row.string(2)?,
        customer_id: row.string(3)?,
        account: row.read(4, Account::read)?,
        amount: row.int(5)?,
        currency: row.currency(6)?,
        cause: row.read(7, Cause::read)?,
        cause_id: row.string(8)?,
        stripe_object: row.opt_string(9)?,
        reason: row.opt_string(10)?,
        effective_at: row.time(11)?,
        created_at: row.time(12)?,
    })
}
