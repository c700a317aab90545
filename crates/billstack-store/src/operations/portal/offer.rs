//! What is promised to somebody who comes by a recommendation, as sign-up pages ask for it.

use billstack_core::portal::Settings;
use billstack_core::program::Program;
use billstack_core::source::Token;
use billstack_core::time::Micros;

use crate::operations::codes::{self, Code};
use crate::operations::{customers, links};
use crate::seam::{Fault, Place, Tx};
use crate::tables::{link_keys, programs, projects};

/// What somebody shows who comes by a recommendation.
#[derive(Clone, Debug)]
pub enum Shown {
    /// A code, or a name of one, as it was typed.
    Code(String),
    /// The token of a click.
    ClickToken(String),
}

/// What is promised to somebody who comes by a recommendation.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    pub code: Code,
    pub program: Program,
    /// The whole name of who recommends, where the project lets it be told.
    pub referrer_name: Option<String>,
}

/// What is promised to somebody who shows this, and the origins that may ask. `None` for whatever promises nothing:
/// nobody learns why.
pub fn offer(
    tx: &mut dyn Tx,
    place: &Place,
    shown: &Shown,
    now: Micros,
) -> Result<(Option<Offer>, Vec<String>), Fault> {
    if !projects::exists(tx, place)? {
        return Ok((None, Vec::new()));
    }
    let settings = super::settings(tx, place)?;
    let now = now.plus(projects::clock(tx, place)?.unwrap_or(0));
    let offer = promised(tx, place, shown, now, &settings)?;
    Ok((offer, settings.allowed_origins))
}

fn promised(
    tx: &mut dyn Tx,
    place: &Place,
    shown: &Shown,
    now: Micros,
    settings: &Settings,
) -> Result<Option<Offer>, Fault> {
    let program = programs::get(tx, place)?;
    let code = match shown {
        _ if !program.enabled => None,
        Shown::Code(typed) => codes::names::resolve(tx, place, typed)?,
        Shown::ClickToken(token) => clicked(tx, place, token, now)?,
    };
    let code = match code {
        Some(code) => codes::get(tx, place, &code)?,
        None => None,
    };
    let Some(code) = code.filter(|code| code.is_active) else {
        return Ok(None);
    };
    let owner = customers::get(tx, place, &code.customer_id)?;
    Ok(owner.map(|owner| Offer {
        code,
        program,
        referrer_name: owner.name.filter(|_| settings.offer_name),
    }))
}

/// The code whose link was clicked, if the click would count now.
fn clicked(
    tx: &mut dyn Tx,
    place: &Place,
    token: &str,
    now: Micros,
) -> Result<Option<String>, Fault> {
    let days = links::settings(tx, place)?.window_days;
    let key = link_keys::get(tx, place)?;
    let project = place.project_id.number();
    match Token::read(token, project, key.as_ref(), now, days) {
        Token::Good(click) => codes::names::resolve_read(tx, place, click.code),
        Token::Expired(_) | Token::Invalid => Ok(None),
    }
}
