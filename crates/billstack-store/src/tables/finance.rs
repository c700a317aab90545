//! Sums and exports over credits and entries, for reports. It owns no table and writes nothing.

use std::collections::BTreeMap;

use billstack_core::ledger::Account;
use billstack_core::money::Currency;
use billstack_core::time::Micros;

use super::credits::{self, Credit, credit_columns};
use super::customers::{self, Contact};
use super::entries::{self, Posting, posting_columns};
use super::many::{self, ids};
use crate::seam::{Fault, Place, Tx};
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
    MOVED = concat!("SELECT ", posting_columns!(), ", e.credit_id, c.currency FROM ", lines!(), " \
        WHERE c.team_id = $1 AND c.project_id = $2 AND c.customer_id = $3 AND e.created_at < $4 \
        ORDER BY e.created_at, e.credit_id, e.seq, l.amount");
    CREDITS = concat!("SELECT ", credit_columns!(), ", u.external_id, u.stripe_customer_id, \
        (SELECT MAX(o.transaction_id) FROM stripe_operations o WHERE o.credit_id = credits.id \
        AND o.team_id = credits.team_id AND o.project_id = credits.project_id AND o.kind = 'grant') \
        FROM credits JOIN customers u ON u.team_id = credits.team_id AND u.project_id = credits.project_id \
        AND u.id = credits.customer_id WHERE credits.team_id = $1 AND credits.project_id = $2 \
        AND (credits.created_at, credits.id) > ($3, $4) AND credits.created_at < $5 \
        ORDER BY credits.created_at, credits.id LIMIT $6");
    TRANSACTIONS = concat!("SELECT credit_id, MAX(transaction_id) FROM stripe_operations \
        WHERE team_id = $1 AND project_id = $2 AND kind = 'grant' AND credit_id IN ", ids!(), " GROUP BY credit_id");
    POSTINGS = concat!("SELECT ", posting_columns!(), ", e.credit_id, COALESCE(c.side, 'manual'), c.customer_id, c.currency FROM ", lines!(), " \
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
    /// Of which currency.
    pub currency: Currency,
    /// Where it was taken from.
    pub from: Account,
    /// Where it went and how much, and what the entry says.
    pub to: Posting,
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
        let posting = entries::decode(row)?;
        let Some(from) = taken.take() else {
            taken = Some(posting.account);
            return Ok(());
        };
        moved.push(Moved {
            credit_id: row.string(10)?,
            currency: row.currency(11)?,
            from,
            to: posting,
        });
        Ok(())
    })?;
    Ok(moved)
}

/// A credit as an export tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportedCredit {
    /// The credit.
    pub credit: Credit,
    /// What the team calls its customer.
    pub external_id: Option<String>,
    /// Who they are in Stripe.
    pub stripe_customer_id: Option<String>,
    /// The line of the balance that they have there.
    pub transaction_id: Option<String>,
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
            credit: credits::decode(row)?,
            external_id: row.opt_string(22)?,
            stripe_customer_id: row.opt_string(23)?,
            transaction_id: row.opt_string(24)?,
        })
    })
}

/// The same for credits that have been read, with how their customers are called.
pub fn with_contacts(
    tx: &mut dyn Tx,
    place: &Place,
    credits: Vec<Credit>,
) -> Result<Vec<(ExportedCredit, Contact)>, Fault> {
    let ids = credits.iter().map(|credit| credit.customer_id.as_str());
    let contacts = customers::contacts(tx, place, ids)?;
    let mut transactions: BTreeMap<String, String> = BTreeMap::new();
    let ids = credits.iter().map(|credit| credit.id.as_str()).collect();
    many::each(tx, TRANSACTIONS, place, &ids, &mut |row| {
        if let Some(transaction) = row.opt_string(1)? {
            transactions.insert(row.string(0)?, transaction);
        }
        Ok(())
    })?;
    let exported = credits.into_iter().map(|credit| {
        let contact = contacts
            .get(&credit.customer_id)
            .cloned()
            .unwrap_or_default();
        let exported = ExportedCredit {
            external_id: contact.external_id.clone(),
            stripe_customer_id: contact.stripe_customer_id.clone(),
            transaction_id: transactions.remove(&credit.id),
            credit,
        };
        (exported, contact)
    });
    Ok(exported.collect())
}

/// A posting as an export tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportedPosting {
    /// The posting.
    pub posting: Posting,
    /// The credit.
    pub credit_id: String,
    /// Its side, or `manual`.
    pub side: String,
    /// Who has it.
    pub customer_id: String,
    /// Of which currency.
    pub currency: Currency,
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
    tx.all(POSTINGS, scope, |row| {
        Ok(ExportedPosting {
            posting: entries::decode(row)?,
            credit_id: row.string(10)?,
            side: row.string(11)?,
            customer_id: row.string(12)?,
            currency: row.currency(13)?,
        })
    })
}
