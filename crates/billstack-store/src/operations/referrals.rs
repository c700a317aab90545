//! Referrals, read. They are made by an [apply](super::apply).

use crate::seam::list::{Cursor, Page, Part};
use crate::seam::{Fault, Place, Tx};
use billstack_core::referral::Referral;

pub use crate::tables::referrals::{
    Episode, ReferralFilter, ReferralSort, get, history, list, of_referee,
};

/// More than there are referrals in which one customer is the referee: one in each program of the project.
const MOST_AS_REFEREE: i64 = 1000;

/// Referrals in which a customer is on either side, the newest first.
///
/// Each side is a list of its own with an index of its own; nobody is on both sides of a referral.
pub fn list_of_customer(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
    filter: &ReferralFilter,
    page: &Page,
) -> Result<Part<Referral>, Fault> {
    let as_referee = ReferralFilter {
        referee_customer_id: Some(customer_id.to_owned()),
        ..filter.clone()
    };
    let as_referrer = ReferralFilter {
        referrer_customer_id: Some(customer_id.to_owned()),
        ..filter.clone()
    };
    let may_be = |asked: &Option<String>| asked.as_deref().is_none_or(|id| id == customer_id);
    let mut part = Part {
        rows: Vec::new(),
        next: None,
    };
    if may_be(&filter.referee_customer_id) {
        let all = Page {
            limit: MOST_AS_REFEREE,
            offset: 0,
            after: page.after.clone(),
        };
        part = list(tx, place, &as_referee, &all)?;
    }
    // As many of the rows that are skipped may be of the other side.
    let few = i64::try_from(part.rows.len()).unwrap_or(MOST_AS_REFEREE);
    let skipped = (page.offset - few).max(0);
    if may_be(&filter.referrer_customer_id) {
        let wide = Page {
            limit: page.limit + few,
            offset: skipped,
            after: page.after.clone(),
        };
        let more = list(tx, place, &as_referrer, &wide)?;
        part.rows.extend(more.rows);
        part.next = [part.next, more.next]
            .into_iter()
            .flatten()
            .max_by(|one, other| {
                let key = |cursor: &Cursor| (cursor.at, cursor.key.clone());
                key(one).cmp(&key(other))
            });
    }
    Ok(cut(part, page.offset - skipped, page.limit))
}

/// Sorts the rows of both sides and keeps those of the page. A side may have ended early, so nothing older than
/// where one of them goes on is known to be complete.
fn cut(part: Part<Referral>, skip: i64, limit: i64) -> Part<Referral> {
    let count = |number: i64| usize::try_from(number).unwrap_or_default();
    let mut rows = part.rows;
    if let Some(next) = &part.next {
        rows.retain(|row| (row.created_at.0, &row.id) >= (next.at, &next.key));
    }
    rows.sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
    rows.drain(..count(skip).min(rows.len()));
    let more = part.next.is_some() || rows.len() > count(limit);
    rows.truncate(count(limit));
    let next = rows.last().filter(|_| more).map(|last| Cursor {
        at: last.created_at.0,
        key: last.id.clone(),
    });
    Part { rows, next }
}
