//! The ledger: entries of credits and their lines. They are never changed and never removed.

use billstack_core::ledger::{Account, Cause, Transfer};
use billstack_core::time::Micros;

use crate::seam::list::{Cursor, List, Order, Page, Part, Texts};
use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

/// The columns of a [`Posting`], in the order of [`decode`]: of a line `l` and its entry `e`.
macro_rules! posting_columns {
    () => {
        "l.seq, l.account, l.amount, e.cause, e.cause_id, e.reason, e.reference, e.stripe_object, \
         e.effective_at, e.created_at"
    };
}

pub(super) use posting_columns;

statements! {
    INSERT = "INSERT INTO entries (team_id, project_id, credit_id, seq, cause, cause_id, \
        reason, reference, stripe_object, operation_id, effective_at, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    INSERT_LINE = "INSERT INTO entry_lines (team_id, project_id, credit_id, seq, account, amount) \
        VALUES ($1, $2, $3, $4, $5, $6)";
}

/// Every list of entries.
pub(crate) const LISTS: &[&List] = &[&POSTINGS];

static POSTINGS: List = List {
    name: "postings of a credit",
    select: concat!(
        "SELECT ",
        posting_columns!(),
        " FROM entry_lines AS l JOIN entries AS e ON e.team_id = l.team_id \
         AND e.project_id = l.project_id AND e.credit_id = l.credit_id AND e.seq = l.seq \
         WHERE l.team_id = $1 AND l.project_id = $2 AND l.credit_id = $3"
    ),
    scope: 3,
    filters: &[],
    keys: ["l.seq", "l.account"],
    order: Order::OldestFirst,
    texts: Texts::new(),
};

/// Why an entry is written, and when what it tells of happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reason<'a> {
    pub(crate) cause: Cause,
    pub(crate) cause_id: &'a str,
    pub(crate) reason: Option<&'a str>,
    pub(crate) reference: Option<&'a str>,
    /// What in Stripe it is about.
    pub(crate) stripe_object: Option<&'a str>,
    /// The operation on the balance in Stripe that it tells of.
    pub(crate) operation_id: Option<&'a str>,
    pub(crate) effective_at: Micros,
}

impl<'a> Reason<'a> {
    /// What caused it and when, and nothing else.
    pub(crate) const fn new(cause: Cause, cause_id: &'a str, effective_at: Micros) -> Reason<'a> {
        Reason {
            cause,
            cause_id,
            reason: None,
            reference: None,
            stripe_object: None,
            operation_id: None,
            effective_at,
        }
    }
}

/// Adds an entry as number `seq` of a credit.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    place: &Place,
    credit_id: &str,
    seq: i64,
    transfer: &Transfer,
    reason: Reason<'_>,
    at: Micros,
) -> Result<(), Fault> {
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    let row = params![
        team_id,
        project_id,
        credit_id,
        seq,
        reason.cause.as_str(),
        reason.cause_id,
        reason.reason,
        reason.reference,
        reason.stripe_object,
        reason.operation_id,
        reason.effective_at,
        at,
    ];
    tx.must_later(INSERT, row)?;
    for line in transfer.lines() {
        let account = line.account.as_str();
        let row = params![team_id, project_id, credit_id, seq, account, line.amount];
        tx.must_later(INSERT_LINE, row)?;
    }
    Ok(())
}

/// A line of an entry with what the entry says: what finance calls a posting.
#[derive(Clone, Debug, PartialEq)]
pub struct Posting {
    /// The number of its entry among those of the credit, from 1.
    pub seq: i64,
    /// The account that changed.
    pub account: Account,
    /// By how much, in minor units.
    pub amount: i64,
    /// What kind of thing caused it.
    pub cause: Cause,
    /// Which one.
    pub cause_id: String,
    /// Why, when a person said so.
    pub reason: Option<String>,
    /// What a payment is called elsewhere.
    pub reference: Option<String>,
    /// What in Stripe it is about: an invoice, a charge, a refund, a dispute, a note, or a line of a balance.
    pub stripe_object: Option<String>,
    /// When what it tells of happened.
    pub effective_at: Micros,
    /// When it was booked.
    pub created_at: Micros,
}

/// Reads the first ten columns.
pub(super) fn decode(row: &dyn Row) -> Result<Posting, Fault> {
    Ok(Posting {
        seq: row.int(0)?,
        account: row.read(1, Account::read)?,
        amount: row.int(2)?,
        cause: row.read(3, Cause::read)?,
        cause_id: row.string(4)?,
        reason: row.opt_string(5)?,
        reference: row.opt_string(6)?,
        stripe_object: row.opt_string(7)?,
        effective_at: row.time(8)?,
        created_at: row.time(9)?,
    })
}

/// The postings of a credit, from its first.
pub fn postings(
    tx: &mut dyn Tx,
    place: &Place,
    credit_id: &str,
    page: &Page,
) -> Result<Part<Posting>, Fault> {
    let scope = params![&place.team_id, &place.project_id, credit_id];
    POSTINGS.read(tx, scope, &[], page, decode, |posting| Cursor {
        at: posting.seq,
        key: posting.account.as_str().to_owned(),
    })
}
