//! Credits: what was given to whom, and for what.

use billstack_core::credit::{CreditKind, CreditStatus, Side};
use billstack_core::money::{Amount, Currency};
use billstack_core::time::Micros;

use crate::seam::list::{Cursor, Filter, List, Order, Page, Part, Texts, Wanted};
use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT id, referral_id, customer_id, side, amount, currency, status, created_at \
        FROM credits WHERE team_id = $1 AND project_id = $2 AND id = $3";
    INSERT = "INSERT INTO credits (team_id, project_id, id, kind, seq, referral_id, side, customer_id, \
        amount, currency, status, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
}

/// Every list of credits.
pub(crate) const LISTS: &[&List] = &[&LIST];

static LIST: List = List {
    name: "credits",
    select: "SELECT id, referral_id, customer_id, side, amount, currency, status, created_at \
        FROM credits WHERE team_id = $1 AND project_id = $2",
    scope: 2,
    filters: &[
        Filter::Equals("customer_id"),
        Filter::Few("referral_id"),
        Filter::Equals("side"),
        Filter::Equals("status"),
    ],
    keys: ["created_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// Money given to a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Credit {
    /// `cr_…`.
    pub id: String,
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
    /// Where it stands.
    pub status: CreditStatus,
    /// When it was granted.
    pub created_at: Micros,
}

fn decode(row: &dyn Row) -> Result<Credit, Fault> {
    let side = match row.opt_text(3)? {
        Some(_) => Some(row.read(3, Side::read)?),
        None => None,
    };
    Ok(Credit {
        id: row.string(0)?,
        referral_id: row.opt_string(1)?,
        customer_id: row.string(2)?,
        side,
        amount: row.amount(4)?,
        currency: row.currency(5)?,
        status: row.read(6, CreditStatus::read)?,
        created_at: row.time(7)?,
    })
}

/// The credit with this id.
pub fn get(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Option<Credit>, Fault> {
    tx.one(GET, params![&place.team_id, &place.project_id, id], decode)
}

/// Adds a credit of a referral. The key of the table refuses a second one of its side.
pub(crate) fn insert(tx: &mut dyn Tx, place: &Place, credit: &Credit) -> Result<(), Fault> {
    let row = params![
        &place.team_id,
        &place.project_id,
        &credit.id,
        CreditKind::Referral.as_str(),
        1_i64,
        credit.referral_id.as_deref(),
        credit.side.as_ref().map(Side::as_str),
        &credit.customer_id,
        credit.amount,
        &credit.currency,
        credit.status.as_str(),
        credit.created_at,
    ];
    tx.must_later(INSERT, row)
}

/// What a list of credits may be narrowed by.
#[derive(Clone, Debug, Default)]
pub struct CreditFilter {
    /// Who has it.
    pub customer_id: Option<String>,
    /// The referral that earned it.
    pub referral_id: Option<String>,
    /// Which side.
    pub side: Option<Side>,
    /// Where it stands.
    pub status: Option<CreditStatus>,
}

/// Credits, the newest first.
pub fn list(
    tx: &mut dyn Tx,
    place: &Place,
    filter: &CreditFilter,
    page: &Page,
) -> Result<Part<Credit>, Fault> {
    let wanted = [
        Wanted::from(filter.customer_id.clone()),
        Wanted::from(filter.referral_id.clone()),
        Wanted::from(filter.side.map(|side| side.as_str().to_owned())),
        Wanted::from(filter.status.map(|status| status.as_str().to_owned())),
    ];
    let scope = params![&place.team_id, &place.project_id];
    LIST.read(tx, scope, &wanted, page, decode, |credit| Cursor {
        at: credit.created_at.0,
        key: credit.id.clone(),
    })
}
