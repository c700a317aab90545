//! What people type where somebody or something is asked for, and the ids that it may mean.
//!
//! As in [`find`](super::find) nothing is searched: a name counts as a whole.

use billstack_core::email;
use billstack_core::ids::TeamId;
use billstack_core::vanity::read_any;

use crate::seam::list::Page;
use crate::seam::{Fault, Place, Tx};
use crate::tables::found::{self, By, Within};
use crate::tables::{api_keys, customers, members};

/// How many members and keys of a team are looked at; the newest.
const MOST: i64 = 1_000;

/// Something that may be meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// As a filter understands it.
    pub id: String,
    /// As people tell it from others.
    pub name: String,
}

/// The customers of a project who have this id, address, id of the team's own or id in Stripe.
pub fn customers(tx: &mut dyn Tx, place: &Place, text: &str) -> Result<Vec<Named>, Fault> {
    let within = Within {
        team_id: &place.team_id,
        project_id: Some(&place.project_id),
    };
    let ids = customers_within(tx, within, text)?;
    let contacts = customers::contacts(tx, place, ids.iter().map(String::as_str))?;
    let named = ids.into_iter().map(|id| {
        let contact = contacts.get(&id).cloned().unwrap_or_default();
        let name = contact.name.or(contact.email);
        Named {
            name: name.unwrap_or_else(|| "an erased customer".to_owned()),
            id,
        }
    });
    Ok(named.collect())
}

fn customers_within(tx: &mut dyn Tx, within: Within<'_>, text: &str) -> Result<Vec<String>, Fault> {
    let address = email::normalize(text);
    let ways = [
        (By::Customer, Some(text)),
        (By::CustomerEmail, address.as_deref()),
        (By::CustomerExternalId, Some(text)),
        (By::CustomerStripeId, Some(text)),
    ];
    let mut ids: Vec<String> = Vec::new();
    for (by, text) in ways {
        let Some(text) = text else { continue };
        for thing in found::things(tx, within, by, text)? {
            if !ids.contains(&thing.id) {
                ids.push(thing.id);
            }
        }
    }
    Ok(ids)
}

/// Who in the log of a team has this name, address or id.
pub fn actors(tx: &mut dyn Tx, team_id: &TeamId, text: &str) -> Result<Vec<Named>, Fault> {
    // As the log names them: also Stripe's events and whoever has left.
    if text.contains(':') || ["command_line", "system"].contains(&text) {
        return Ok(vec![as_it_is(text)]);
    }
    let as_actor = |(kind, named): (&str, Named)| Named {
        id: format!("{kind}:{}", named.id),
        ..named
    };
    let known = known(tx, team_id, text)?;
    Ok(known.into_iter().map(as_actor).collect())
}

/// What in the log of a team has this name, address, code or id.
pub fn subjects(tx: &mut dyn Tx, team_id: &TeamId, text: &str) -> Result<Vec<Named>, Fault> {
    let within = Within {
        team_id,
        project_id: None,
    };
    let mut all: Vec<Named> = known(tx, team_id, text)?
        .into_iter()
        .map(|(_, named)| named)
        .collect();
    for id in customers_within(tx, within, text)? {
        all.push(as_it_is(&id));
    }
    if let Some(code) = read_any(text) {
        for by in [By::Code, By::CodeName] {
            let codes = found::things(tx, within, by, &code)?.into_iter();
            all.extend(codes.map(|code| as_it_is(&code.id)));
        }
    }
    all.sort_by(|one, other| one.id.cmp(&other.id));
    all.dedup_by(|one, other| one.id == other.id);
    if all.is_empty() && text.contains('_') {
        // An id of something else, or of what is not there any more.
        all.push(as_it_is(text));
    }
    Ok(all)
}

fn as_it_is(text: &str) -> Named {
    Named {
        id: text.to_owned(),
        name: text.to_owned(),
    }
}

/// Members and keys of a team with this name, address or id, each with what kind of actor they are.
fn known(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    text: &str,
) -> Result<Vec<(&'static str, Named)>, Fault> {
    let (address, all) = (email::normalize(text), Page::first(MOST));
    let is_called = |name: &str| name.to_lowercase() == text.to_lowercase();
    let mut known = Vec::new();
    for member in members::list(tx, team_id, &all)?.rows {
        let has_address = address.as_deref() == Some(member.email.as_str());
        if member.user_id == text || has_address || is_called(&member.name) {
            let name = format!("{} ({})", member.name, member.email);
            let id = member.user_id;
            known.push(("user", Named { id, name }));
        }
    }
    for key in api_keys::list(tx, team_id, &all)?.rows {
        if key.id == text || is_called(&key.name) {
            let name = format!("{} ({}…)", key.name, key.prefix);
            known.push(("api_key", Named { id: key.id, name }));
        }
    }
    let left = [("usr_", "user"), ("key_", "api_key")];
    let left = left
        .into_iter()
        .find(|(prefix, _)| text.starts_with(prefix));
    if let Some((_, kind)) = left.filter(|_| known.is_empty()) {
        // Whoever has left is in the log all the same.
        known.push((kind, as_it_is(text)));
    }
    Ok(known)
}
