//! Lists of referrals: filters and order.

use billstack_core::referral::{Referral, Status};
use billstack_core::source::Source;
use billstack_core::time::Micros;

use super::super::terms::terms_columns;
use super::friends::FRIENDS;
use super::history::HISTORY;
use super::{decode, referral_where};
use crate::seam::list::{Cursor, Filter, List, Order, Page, Part, Texts, Wanted};
use crate::seam::{Fault, Place, Tx};
use crate::{params, statements};

statements! {
    /// Referrals of several codes must be sorted; those of one are in order already.
    CODES_OF = "SELECT code FROM codes \
        WHERE team_id = $1 AND project_id = $2 AND customer_id = $3 LIMIT 2";
}

/// Every list of referrals.
pub(crate) const LISTS: &[&List] = &[&LIST, &OF_TIME, &BY_CONVERSION, &FRIENDS, &HISTORY];

const FILTERS: &[Filter] = &[
    Filter::Equals("r.status"),
    // A code is its owner's for ever, and there are few to each owner.
    Filter::Within(
        "r.code",
        "SELECT code FROM codes WHERE team_id = $1 AND project_id = $2 AND customer_id",
    ),
    Filter::Few("r.referee_customer_id"),
    Filter::Equals("r.code"),
    Filter::Equals("r.source"),
];

static LIST: List = List {
    name: "referrals",
    select: referral_where!(""),
    scope: 2,
    filters: FILTERS,
    keys: ["r.created_at", "r.id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// Apart from [`LIST`], where a range that holds everything would lead PostgreSQL to the wrong index.
static OF_TIME: List = List {
    name: "referrals of a time",
    select: referral_where!(" AND r.created_at >= $3 AND r.created_at < $4"),
    scope: 4,
    filters: FILTERS,
    keys: ["r.created_at", "r.id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// By when they converted; those that did not are not in it.
static BY_CONVERSION: List = List {
    name: "referrals by conversion",
    select: referral_where!(" AND r.converted_at >= $3 AND r.converted_at < $4"),
    scope: 4,
    filters: &[],
    keys: ["r.converted_at", "r.id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// By what referrals are in order.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ReferralSort {
    /// The one applied last first.
    #[default]
    Applied,
    /// Those that converted, the last one first. Nothing else narrows them but when they did.
    Converted,
}

/// What a list of referrals may be narrowed by, and its order.
#[derive(Clone, Debug, Default)]
pub struct ReferralFilter {
    /// Where it stands.
    pub status: Option<Status>,
    /// Who owns the code.
    pub referrer_customer_id: Option<String>,
    /// Who applied it.
    pub referee_customer_id: Option<String>,
    /// The normalised code.
    pub code: Option<String>,
    /// By what it came about.
    pub source: Option<Source>,
    /// Applied at this time or later, or converted, by the order.
    pub from: Option<Micros>,
    /// Applied before this time, or converted.
    pub to: Option<Micros>,
    /// The order.
    pub sort: ReferralSort,
}

/// The range of time that a page is looked for in: it begins where the one before ended, not at the newest row.
fn range(filter: &ReferralFilter, page: &Page) -> (Micros, Micros) {
    let last = page.after.as_ref().map_or(i64::MAX, |after| after.at);
    let from = filter.from.unwrap_or(Micros(i64::MIN));
    let to = filter.to.unwrap_or(Micros(i64::MAX));
    (from, to.min(Micros(last.saturating_add(1))))
}

fn by_conversion(
    tx: &mut dyn Tx,
    place: &Place,
    filter: &ReferralFilter,
    page: &Page,
) -> Result<Part<Referral>, Fault> {
    let (from, to) = range(filter, page);
    let scope = params![&place.team_id, &place.project_id, from, to];
    let place_of = |referral: &Referral| Cursor {
        at: referral.converted_at.unwrap_or(referral.created_at).0,
        key: referral.id.clone(),
    };
    BY_CONVERSION.read(tx, scope, &[], page, decode, place_of)
}

/// Referrals, the newest first.
pub fn list(
    tx: &mut dyn Tx,
    place: &Place,
    filter: &ReferralFilter,
    page: &Page,
) -> Result<Part<Referral>, Fault> {
    if filter.sort == ReferralSort::Converted {
        return by_conversion(tx, place, filter, page);
    }
    let status = filter.status.map(|status| status.as_str().to_owned());
    let (mut referrer, mut code) = (filter.referrer_customer_id.clone(), filter.code.clone());
    if let (Some(id), None) = (&referrer, &code) {
        let of_referrer = params![&place.team_id, &place.project_id, id];
        let codes = tx.all(CODES_OF, of_referrer, |row| row.string(0))?;
        if let [only] = codes.as_slice() {
            (referrer, code) = (None, Some(only.clone()));
        }
    }
    let wanted = [
        Wanted::from(status),
        Wanted::from(referrer),
        Wanted::from(filter.referee_customer_id.clone()),
        Wanted::from(code),
        Wanted::from(filter.source.map(|source| source.as_str().to_owned())),
    ];
    let place_of = |referral: &Referral| Cursor {
        at: referral.created_at.0,
        key: referral.id.clone(),
    };
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    if filter.from.is_none() && filter.to.is_none() {
        let scope = params![team_id, project_id];
        return LIST.read(tx, scope, &wanted, page, decode, place_of);
    }
    let (from, to) = range(filter, page);
    let scope = params![team_id, project_id, from, to];
    OF_TIME.read(tx, scope, &wanted, page, decode, place_of)
}
