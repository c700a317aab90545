//! Referral codes: made for a customer, and deactivated.

pub mod names;

use std::cmp::Reverse;

use billstack_core::event::Event;

use super::refusal::{Abort, NotNamed, Refusal, Thing};
use super::{counting, customers};
use crate::seam::list::{Cursor, Page};
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::{codes, events, programs};

pub use crate::tables::code_totals::CodeTotal;
pub use crate::tables::codes::{
    Code, CodeFilter, CodeSort, Listed, Names, WithTotal, get, get_active,
};

/// How many of the codes that are in use right now are looked at for the best.
const MOST_SINCE: usize = 100;

/// How many fresh codes one run tries before it gives up.
const TRIES: usize = 8;

/// Shows codes with what they have brought by now, and tells where the next page begins. In the order of a figure they
/// stand by what is [added up](super::counting).
pub fn list(
    tx: &mut dyn Tx,
    place: &Place,
    filter: &CodeFilter,
    page: &Page,
    mut each: impl FnMut(&WithTotal<'_>),
) -> Result<Option<Cursor>, Fault> {
    let since = counting::codes_since_mark(tx, place)?;
    codes::list(tx, place, filter, page, |(listed, mut total)| {
        total.add(since.of(listed.code));
        each(&(listed, total));
    })
}

/// A code among those that have brought most.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Best {
    /// Eight upper-case letters and digits.
    pub code: String,
    /// What it is called now, where it has another name.
    pub name: Option<String>,
    /// Whose it is.
    pub customer_id: String,
    /// What it has brought.
    pub total: CodeTotal,
}

/// The codes that have brought most of a figure by now, those included that began to since all was
/// [added up](super::counting).
pub fn best(
    tx: &mut dyn Tx,
    place: &Place,
    sort: CodeSort,
    limit: usize,
) -> Result<Vec<Best>, Fault> {
    let filter = CodeFilter {
        sort,
        ..CodeFilter::default()
    };
    let first = Page::first(i64::try_from(limit).unwrap_or(i64::MAX));
    let since = counting::codes_since_mark(tx, place)?;
    let mut best = Vec::new();
    codes::list(tx, place, &filter, &first, |(listed, mut total)| {
        total.add(since.of(listed.code));
        best.push(Best {
            code: listed.code.to_owned(),
            name: listed.names.first().map(|name| (*name).to_owned()),
            customer_id: listed.customer_id.to_owned(),
            total,
        });
    })?;
    for (code, total) in since.most(MOST_SINCE) {
        if best.iter().any(|known| known.code == code) {
            continue;
        }
        let Some(code) = get(tx, place, code)? else {
            continue;
        };
        best.push(Best {
            name: code.names.0.into_iter().next(),
            code: code.code,
            customer_id: code.customer_id,
            total,
        });
    }
    // Those that stand alike stay as the list has them.
    best.sort_by_key(|best| Reverse(sort.of(best.total)));
    best.truncate(limit);
    Ok(best)
}

/// Makes a code for a customer that has no active one.
pub fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer_id: &str,
) -> Result<Code, Abort> {
    let program_id = hold(tx, place, customer_id)?;
    for _ in 0..TRIES {
        let drawn = act.ids.code();
        if let Some(code) = insert(tx, act, place, customer_id, (drawn, &program_id))? {
            return Ok(code);
        }
    }
    Err(Refusal::CodeCollision.into())
}

/// Makes a code of this text, eight letters and digits, which somebody has from elsewhere.
pub fn create_as(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer_id: &str,
    code: &str,
) -> Result<Code, Abort> {
    let program_id = hold(tx, place, customer_id)?;
    let made = insert(tx, act, place, customer_id, (code.to_owned(), &program_id))?;
    Ok(made.ok_or(Refusal::NotNamed(NotNamed::Taken))?)
}

/// Erasing the customer deactivates its code; the two must not run side by side. Returns the program.
fn hold(tx: &mut dyn Tx, place: &Place, customer_id: &str) -> Result<String, Abort> {
    tx.lock(&place.team_id, &[&format!("customer:{customer_id}")])?;
    customers::require(tx, place, customer_id)?;
    Ok(programs::default_of(tx, place)?)
}

/// The code, unless its text is another's.
fn insert(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer_id: &str,
    (code, program_id): (String, &str),
) -> Result<Option<Code>, Abort> {
    let code = Code {
        code,
        customer_id: customer_id.to_owned(),
        is_active: true,
        created_at: act.at,
        names: Names::default(),
    };
    if codes::insert(tx, place, &code, program_id)? {
        let event = Event::CodeCreated { customer_id };
        events::record(tx, act, place, &code.code, &event)?;
        return Ok(Some(code));
    }
    match get_active(tx, place, customer_id)? {
        Some(existing) => Err(Refusal::ActiveCodeExists(place.clone(), Box::new(existing)).into()),
        None => Ok(None),
    }
}

/// Deactivates a code. Doing it again changes nothing.
pub fn deactivate(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    code: &str,
) -> Result<Code, Abort> {
    if codes::deactivate(tx, place, code, act.at)? {
        events::record(tx, act, place, code, &Event::CodeDeactivated {})?;
    }
    Ok(get(tx, place, code)?.ok_or(Refusal::NotFound(Thing::Code))?)
}
