//! Other names of codes: given by people, and theirs for ever.

use billstack_core::click::Key;
use billstack_core::event::Event;
use billstack_core::time::{DAY, Micros};
use billstack_core::vanity::{Vanity, erased, read_any};

use super::{Code, get};
use crate::operations::refusal::{Abort, NotNamed, Refusal, Thing};
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::code_aliases::{self, Alias};
use crate::tables::codes::{self, Names, Renames};
use crate::tables::{events, link_keys};

/// How often a code may be given another name on a day of UTC.
pub const MOST_A_DAY: i64 = 5;

/// The code that a typed text is, or is a name of.
pub fn resolve(tx: &mut dyn Tx, place: &Place, typed: &str) -> Result<Option<String>, Fault> {
    match read_any(typed) {
        Some(read) => resolve_read(tx, place, read),
        None => Ok(None),
    }
}

/// The same for a text in the form in which codes and names are compared.
pub(in crate::operations) fn resolve_read(
    tx: &mut dyn Tx,
    place: &Place,
    read: String,
) -> Result<Option<String>, Fault> {
    match read.len() == billstack_core::code::LENGTH {
        true => Ok(Some(read)),
        false => code_aliases::get(tx, place, &read),
    }
}

/// Makes a code that has another name from the start.
pub fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer_id: &str,
    vanity: &Vanity,
) -> Result<Code, Abort> {
    let code = super::create(tx, act, place, customer_id)?;
    let names = take(tx, act, place, &code, vanity)?;
    codes::set_names(tx, place, &code.code, &names)?;
    Ok(Code { names, ..code })
}

/// Gives a code another name. The names before go on leading to it. The same name again changes nothing.
pub fn rename(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    code: &str,
    vanity: &Vanity,
) -> Result<Code, Abort> {
    let found = held(tx, place, code)?;
    if found
        .names
        .0
        .first()
        .is_some_and(|name| name == vanity.as_shown())
    {
        return Ok(found);
    }
    if !found.is_active {
        return Err(Refusal::NotNamed(NotNamed::Inactive).into());
    }
    let renames = count(tx, place, code, act.at)?;
    let names = take(tx, act, place, &found, vanity)?;
    codes::rename(tx, place, code, &names, renames)?;
    events::record(tx, act, place, code, &Event::CodeRenamed {})?;
    Ok(Code { names, ..found })
}

/// The code, which gets no name from anybody else until the transaction ends.
fn held(tx: &mut dyn Tx, place: &Place, code: &str) -> Result<Code, Abort> {
    let missing = || Refusal::NotFound(Thing::Code);
    let owner = get(tx, place, code)?.ok_or_else(missing)?.customer_id;
    // Whoever erases the owner, and whoever else renames the code, holds the same name.
    tx.lock(&place.team_id, &[&format!("customer:{owner}")])?;
    Ok(get(tx, place, code)?.ok_or_else(missing)?)
}

/// Gives a code one more name behind those that it has, which counts for no day: it had the name elsewhere.
pub fn add(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    code: &str,
    vanity: &Vanity,
) -> Result<(), Abort> {
    let found = held(tx, place, code)?;
    if !found.is_active {
        return Err(Refusal::NotNamed(NotNamed::Inactive).into());
    }
    take(tx, act, place, &found, vanity)?;
    let mut names = found.names;
    names.0.retain(|name| name != vanity.as_shown());
    names.0.push(vanity.as_shown().to_owned());
    codes::set_names(tx, place, code, &names)?;
    events::record(tx, act, place, code, &Event::CodeRenamed {})?;
    Ok(())
}

/// Counts one more name on this day, if one more may be given.
fn count(tx: &mut dyn Tx, place: &Place, code: &str, at: Micros) -> Result<Renames, Abort> {
    let day = at.0.div_euclid(DAY);
    let before = codes::renames(tx, place, code)?;
    let today = before.filter(|before| before.day == day);
    let count = today.map_or(0, |today| today.count) + 1;
    if count > MOST_A_DAY {
        let next_day = Micros((day + 1).saturating_mul(DAY));
        return Err(Refusal::NotNamed(NotNamed::TooOften(next_day.since(at))).into());
    }
    Ok(Renames { day, count })
}

/// Takes a name for a code, and tells what its names are then.
fn take(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    code: &Code,
    vanity: &Vanity,
) -> Result<Names, Abort> {
    let before = code_aliases::get(tx, place, vanity.as_folded())?;
    let alias = Alias {
        alias: vanity.as_folded(),
        shown: vanity.as_shown(),
        code: &code.code,
        customer_id: &code.customer_id,
        created_at: act.at,
    };
    if !code_aliases::claim(tx, place, &alias)? {
        return Err(Refusal::NotNamed(NotNamed::Taken).into());
    }
    // After the claim, which waits for an erasure that is about to leave this behind.
    let key = key(tx, act, place)?;
    let left = erased(vanity.as_folded(), &key).ok_or_else(no_hash)?;
    if code_aliases::get(tx, place, &left)?.is_some() {
        return Err(Refusal::NotNamed(NotNamed::Taken).into());
    }
    if let Some(other) = before.filter(|before| *before != code.code) {
        give_up(tx, place, &other, vanity)?;
    }
    Ok(first(vanity, &code.names))
}

/// Takes a name away from an earlier code of the same customer.
fn give_up(tx: &mut dyn Tx, place: &Place, code: &str, vanity: &Vanity) -> Result<(), Fault> {
    let Some(found) = get(tx, place, code)? else {
        return Ok(());
    };
    codes::set_names(tx, place, code, &others(vanity, &found.names))
}

fn first(vanity: &Vanity, names: &Names) -> Names {
    let mut all = vec![vanity.as_shown().to_owned()];
    all.extend(others(vanity, names).0);
    Names(all)
}

/// The names that are not this one, however it is written.
fn others(vanity: &Vanity, names: &Names) -> Names {
    let is_other = |name: &&String| read_any(name).as_deref() != Some(vanity.as_folded());
    Names(names.0.iter().filter(is_other).cloned().collect())
}

/// The key of a project's links, made when it is needed first.
pub(in crate::operations) fn key(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
) -> Result<Key, Fault> {
    if let Some(key) = link_keys::get(tx, place)? {
        return Ok(key);
    }
    let fresh = act.ids.key();
    if link_keys::insert(tx, place, &fresh, act.at)? {
        return Ok(fresh);
    }
    let why = "the key of share links was made meanwhile".to_owned();
    link_keys::get(tx, place)?.ok_or(Fault::Conflict(why))
}

/// Leaves of the names of an erased customer's codes only what refuses them to others.
pub(in crate::operations) fn erase(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer_id: &str,
) -> Result<(), Fault> {
    let names = code_aliases::of_customer(tx, place, customer_id)?;
    if names.is_empty() {
        return Ok(());
    }
    let key = key(tx, act, place)?;
    for alias in names {
        let left = erased(&alias, &key).ok_or_else(no_hash)?;
        code_aliases::erase(tx, place, &alias, &left)?;
    }
    codes::forget_names(tx, place, customer_id)
}

fn no_hash() -> Fault {
    Fault::Defect("a name of a code could not be hashed".to_owned())
}
