//! Credits: what a conversion gave to whom, and what each customer has in sum.

use billstack_core::credit::{CreditStatus, Side};
use billstack_core::money::{Amount, Currency};
use billstack_core::time::Micros;

use crate::act::Place;
use crate::list::{Cursor, Filter, List, Order, Page, Part, Texts, Wanted};
use crate::refusal::Refusal;
use crate::tx::{Abort, Fault, Row, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT id, referral_id, customer_id, side, amount, currency, status, created_at \
        FROM credits WHERE team_id = $1 AND project_id = $2 AND id = $3";
    /// By way of the customer's credits: an index of the postings themselves would be two more pages
    /// written at random places at every conversion.
    BALANCES = "SELECT p.currency, CAST(SUM(p.amount) AS BIGINT) FROM credits AS c \
        JOIN postings AS p ON p.team_id = c.team_id AND p.project_id = c.project_id \
        AND p.credit_id = c.id AND p.customer_id = c.customer_id \
        WHERE c.team_id = $1 AND c.project_id = $2 AND c.customer_id = $3 \
        GROUP BY p.currency ORDER BY p.currency";
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
        Filter::Equals("referral_id"),
        Filter::Equals("side"),
        Filter::Equals("status"),
    ],
    keys: ["created_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// Money promised to one side of a converted referral.
#[derive(Clone, Debug, PartialEq)]
pub struct Credit {
    /// `cr_…`.
    pub id: String,
    /// The referral that earned it.
    pub referral_id: String,
    /// Who has it.
    pub customer_id: String,
    /// Which side of the referral that is.
    pub side: Side,
    /// How much, in minor units.
    pub amount: Amount,
    /// Of which currency.
    pub currency: Currency,
    /// How far it has come.
    pub status: CreditStatus,
    /// When it was granted.
    pub created_at: Micros,
}

fn decode(row: &dyn Row) -> Result<Credit, Fault> {
    Ok(Credit {
        id: row.string(0)?,
        referral_id: row.string(1)?,
        customer_id: row.string(2)?,
        side: row.parsed(3, Side::parse)?,
        amount: row.amount(4)?,
        currency: row.currency(5)?,
        status: row.parsed(6, CreditStatus::parse)?,
        created_at: row.time(7)?,
    })
}

/// The credit with this id.
pub fn get(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Credit, Abort> {
    let found = tx.one(GET, params![&place.team_id, &place.project_id, id], decode)?;
    Ok(found.ok_or(Refusal::NotFound("credit"))?)
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
    /// How far it has come.
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
    LIST.read(
        tx,
        params![&place.team_id, &place.project_id],
        &wanted,
        page,
        decode,
        |credit| Cursor {
            at: credit.created_at.0,
            key: credit.id.clone(),
        },
    )
}

/// The sum of a customer's postings in one currency.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// The currency.
    pub currency: Currency,
    /// The sum in minor units; negative when corrections took more than there was.
    pub amount: i64,
}

/// What a customer has, one balance per currency that was ever posted.
pub fn balances(tx: &mut dyn Tx, place: &Place, customer_id: &str) -> Result<Vec<Balance>, Fault> {
    tx.all(
        BALANCES,
        params![&place.team_id, &place.project_id, customer_id],
        |row| {
            Ok(Balance {
                currency: row.currency(0)?,
                amount: row.int(1)?,
            })
        },
    )
}
