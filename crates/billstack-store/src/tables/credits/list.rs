//! Credits as they are looked for.

use billstack_core::credit::{CreditKind, CreditStatus, Side};
use billstack_core::delivery::DeliveryState;
use billstack_core::money::Currency;
use billstack_core::time::Micros;

use super::{Credit, decode};
use crate::params;
use crate::seam::list::{Cursor, Filter, List, Order, Page, Part, Texts, Wanted};
use crate::seam::{Fault, Place, Tx};

/// Every list of credits.
pub(crate) const LISTS: &[&List] = &[&LIST, &OF_TIME, &OF_CURRENCY, &OF_CUSTOMER_IN_CURRENCY];

const FILTERS: &[Filter] = &[
    Filter::Equals("customer_id"),
    Filter::Equals("referral_id"),
    Filter::Equals("side"),
    Filter::Equals("status"),
    // By their sides, which an index leads to: only what a referral has earned has one.
    Filter::Holds("side IS NULL"),
    Filter::Holds("side IS NOT NULL"),
    Filter::Equals("delivery"),
];

/// The same where a currency is asked for. Customers have a list of their own then, and a referral has one currency.
const IN_CURRENCY: &[Filter] = &[
    Filter::Equals("side"),
    Filter::Equals("status"),
    Filter::Holds("side IS NULL"),
    Filter::Holds("side IS NOT NULL"),
    Filter::Equals("delivery"),
];

static LIST: List = List {
    name: "credits",
    select: credits_where!(""),
    scope: 2,
    filters: FILTERS,
    keys: ["created_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// Apart from [`LIST`], where a range that holds everything would lead PostgreSQL to the wrong index.
static OF_TIME: List = List {
    name: "credits of a time",
    select: credits_where!(" AND created_at >= $3 AND created_at < $4"),
    scope: 4,
    filters: FILTERS,
    keys: ["created_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// Those of a currency, of which there are few: by an index of their own, of any time.
static OF_CURRENCY: List = List {
    name: "credits of a currency",
    select: credits_where!(" AND currency = $3 AND created_at >= $4 AND created_at < $5"),
    scope: 5,
    filters: IN_CURRENCY,
    keys: ["created_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// Of a customer there are few, whatever the currency: it is asked for in a form that no index has.
static OF_CUSTOMER_IN_CURRENCY: List = List {
    name: "credits of a customer in a currency",
    select: credits_where!(
        " AND (currency || '') = $3 AND created_at >= $4 AND created_at < $5 AND customer_id = $6"
    ),
    scope: 6,
    filters: IN_CURRENCY,
    keys: ["created_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// What a list of credits may be narrowed by.
#[derive(Clone, Debug, Default)]
pub struct CreditFilter {
    /// What it was given for.
    pub kind: Option<CreditKind>,
    /// Who has it.
    pub customer_id: Option<String>,
    /// The referral that earned it.
    pub referral_id: Option<String>,
    /// Which side.
    pub side: Option<Side>,
    /// Where it stands.
    pub status: Option<CreditStatus>,
    /// How far its delivery has come.
    pub delivery: Option<DeliveryState>,
    /// Of which currency.
    pub currency: Option<Currency>,
    /// Granted at this time or later.
    pub from: Option<Micros>,
    /// Granted before this time.
    pub to: Option<Micros>,
}

fn holds(wanted: bool) -> Wanted {
    match wanted {
        true => Wanted::Holds,
        false => Wanted::Any,
    }
}

/// Credits, the newest first.
pub fn list(
    tx: &mut dyn Tx,
    place: &Place,
    filter: &CreditFilter,
    page: &Page,
) -> Result<Part<Credit>, Fault> {
    if let (Some(currency), Some(_)) = (filter.currency, &filter.referral_id) {
        let any = CreditFilter {
            currency: None,
            ..filter.clone()
        };
        // All of a referral are of one currency.
        let mut part = list(tx, place, &any, page)?;
        part.rows.retain(|credit| credit.currency == currency);
        return Ok(part);
    }
    let wanted = [
        Wanted::from(filter.customer_id.clone()),
        Wanted::from(filter.referral_id.clone()),
        Wanted::from(filter.side.map(|side| side.as_str().to_owned())),
        Wanted::from(filter.status.map(|status| status.as_str().to_owned())),
        holds(filter.kind == Some(CreditKind::Manual)),
        holds(filter.kind == Some(CreditKind::Referral)),
        Wanted::from(filter.delivery.map(|state| state.as_str().to_owned())),
    ];
    let place_of = |credit: &Credit| Cursor {
        at: credit.created_at.0,
        key: credit.id.clone(),
    };
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    if filter.from.is_none() && filter.to.is_none() && filter.currency.is_none() {
        let scope = params![team_id, project_id];
        return LIST.read(tx, scope, &wanted, page, decode, place_of);
    }
    // A page begins where the one before ended, not at the newest row of the range.
    let last = page.after.as_ref().map_or(i64::MAX, |after| after.at);
    let from = filter.from.unwrap_or(Micros(i64::MIN));
    let to = filter
        .to
        .unwrap_or(Micros(i64::MAX))
        .min(Micros(last.saturating_add(1)));
    if let Some(currency) = &filter.currency {
        let wanted = &wanted[2..];
        let Some(customer_id) = &filter.customer_id else {
            let scope = params![team_id, project_id, currency, from, to];
            return OF_CURRENCY.read(tx, scope, wanted, page, decode, place_of);
        };
        let scope = params![team_id, project_id, currency, from, to, customer_id];
        return OF_CUSTOMER_IN_CURRENCY.read(tx, scope, wanted, page, decode, place_of);
    }
    let scope = params![team_id, project_id, from, to];
    OF_TIME.read(tx, scope, &wanted, page, decode, place_of)
}
