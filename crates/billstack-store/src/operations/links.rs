//! The links of a project: what they are called, and how they are set up.

use std::collections::BTreeMap;

use billstack_core::click::Key;
use billstack_core::event::Event;
use billstack_core::link::Settings;
use billstack_core::period::Days;

use super::codes::names as of_codes;
use super::refusal::Abort;
use crate::seam::list::{Page, Part};
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::codes::{self, Code};
use crate::tables::program_days::Figures;
use crate::tables::{
    click_days, code_totals, events, link_keys, link_settings, link_slugs, program_days, programs,
    projects,
};

pub use crate::tables::click_days::{Counted, of_code};
pub use crate::tables::link_settings::get as settings;
pub use crate::tables::link_slugs::{FIRST, find};

/// How many fresh names one run tries before it gives up.
const TRIES: usize = 8;

/// How often the links of a code were followed on a day by a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Clicks {
    /// The code, the day and the channel.
    pub counted: Counted,
    /// How often.
    pub count: i64,
    /// Whose code it is.
    pub customer_id: String,
    /// Under which name the code is shared, where it has another one.
    pub name: Option<String>,
}

/// What a project is called in links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Its short name.
    pub slug: String,
    /// Whether links without a short name lead to it.
    pub is_first: bool,
}

/// Gives a new project a short name for its links. The first one of a server is where links without one lead, and
/// stays it: the write decides who was first.
pub(super) fn name(tx: &mut dyn Tx, act: &mut Act, place: &Place) -> Result<(), Abort> {
    let _is_first = link_slugs::insert(tx, place, FIRST, act.at)?;
    for _ in 0..TRIES {
        let slug = act.ids.slug();
        if link_slugs::insert(tx, place, &slug, act.at)? {
            return Ok(());
        }
    }
    Err(Fault::Conflict("no short name for links was free".to_owned()).into())
}

/// What a project is called in links.
pub fn names(tx: &mut dyn Tx, place: &Place) -> Result<Names, Fault> {
    let all = link_slugs::of_project(tx, place)?;
    let is_first = all.iter().any(|slug| slug == FIRST);
    let slug = all.into_iter().find(|slug| slug != FIRST);
    Ok(Names {
        slug: slug.ok_or_else(|| Fault::Defect("links have no short name".to_owned()))?,
        is_first,
    })
}

/// Sets up the links of a project. `change` makes of the settings so far what they shall be.
pub fn set_up(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    change: impl FnOnce(Settings) -> Result<Settings, Abort>,
) -> Result<(Settings, Names), Abort> {
    // Two changes of different members must not undo each other.
    tx.lock(&place.team_id, &[&format!("links:{}", place.project_id)])?;
    let settings = change(settings(tx, place)?)?;
    link_settings::put(tx, place, &settings, act.at)?;
    // Following a link waits for no write, so the key of its token is there before.
    of_codes::key(tx, act, place)?;
    let event = Event::LinksUpdated {
        enabled: settings.enabled,
        landing_url: settings.landing_url.as_deref(),
        window_days: settings.window_days,
    };
    events::record(tx, act, place, place.project_id.as_str(), &event)?;
    let called = names(tx, place)?;
    Ok((settings, called))
}

/// What a link leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The project.
    pub place: Place,
    /// How its links are set up.
    pub settings: Settings,
    /// The key of its click tokens; it has one as soon as its links are set up.
    pub key: Option<Key>,
    /// Whether codes can be applied.
    pub is_open: bool,
    /// How far its clock is ahead of the time of day.
    pub ahead: i64,
    /// The code, if it has one that the text is, or is a name of.
    pub code: Option<Code>,
}

/// Looks where a link leads: the project of this short name, and in it the code that `read` is or names, in the form
/// in which both are compared.
pub fn look(tx: &mut dyn Tx, slug: &str, read: Option<&str>) -> Result<Option<Found>, Fault> {
    let Some(place) = find(tx, slug)? else {
        return Ok(None);
    };
    let code = match read {
        Some(read) => of_codes::resolve_read(tx, &place, read.to_owned())?,
        None => None,
    };
    let code = match code {
        Some(code) => codes::get(tx, &place, &code)?,
        None => None,
    };
    Ok(Some(Found {
        settings: settings(tx, &place)?,
        key: link_keys::get(tx, &place)?,
        is_open: programs::get(tx, &place)?.enabled,
        ahead: projects::clock(tx, &place)?.unwrap_or(0),
        code,
        place,
    }))
}

/// Clicks by code, day and channel on these days, the last day first.
pub fn clicks(
    tx: &mut dyn Tx,
    place: &Place,
    days: Days,
    page: &Page,
) -> Result<Part<Clicks>, Fault> {
    let part = click_days::list(tx, place, days, page)?;
    let counted = part.rows.iter().map(|(counted, _)| counted.code.as_str());
    let codes = codes::some(tx, place, counted)?;
    let mut rows = Vec::with_capacity(part.rows.len());
    for (counted, count) in part.rows {
        let code = codes.get(&counted.code);
        let code = code.ok_or_else(|| Fault::Defect("clicks have no code".to_owned()))?;
        rows.push(Clicks {
            customer_id: code.customer_id.clone(),
            name: code.names.0.first().cloned(),
            counted,
            count,
        });
    }
    Ok(Part {
        rows,
        next: part.next,
    })
}

/// All of them.
pub fn clicks_in_all(tx: &mut dyn Tx, place: &Place, days: Days) -> Result<i64, Fault> {
    let mut figures = Figures::default();
    figures.add_kept(tx, place, (days.first, days.last))?;
    let of_clicks = figures
        .0
        .iter()
        .filter(|(figure, _)| figure.name == "clicks");
    Ok(of_clicks.map(|(_, sum)| sum.number).sum())
}

/// Adds clicks that were counted. Every node has them in one order, so that no two wait for each other.
pub fn count(tx: &mut dyn Tx, clicks: &[(Place, Counted, i64)]) -> Result<(), Fault> {
    let mut days: BTreeMap<(i64, i64, i64), i64> = BTreeMap::new();
    for (place, counted, clicks) in clicks {
        click_days::add(tx, place, counted, *clicks)?;
        code_totals::add_clicks(tx, place, &counted.code, *clicks)?;
        let (team, project) = (place.team_id.number(), place.project_id.number());
        *days.entry((team, project, counted.day)).or_default() += clicks;
    }
    for ((team, project, day), clicks) in days {
        program_days::add_clicks(tx, (team, project), day, clicks)?;
    }
    Ok(())
}
