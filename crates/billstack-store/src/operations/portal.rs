//! Customers' own pages: how they are set up, who is let in, and what there is to see.

mod offer;

use billstack_core::event::Event;
use billstack_core::ids::TeamId;
use billstack_core::portal::{Locale, Session, Settings};
use billstack_core::program::Program;
use billstack_core::referral::ApplyRefusal;
use billstack_core::time::{Micros, SECOND};
use billstack_core::vanity::Vanity;

use super::codes::{self, Code};
use super::refusal::{Abort, NotOnPage, Refusal};
use super::{customers, links, test_clock};
use crate::seam::list::{Page, Part};
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::{self, Credit, CreditFilter};
use crate::tables::referrals::friends;
use crate::tables::{events, portal_settings, portal_tickets, programs, projects};

pub use offer::{Offer, Shown, offer};

pub use crate::tables::credits::Earned;
pub use crate::tables::portal_settings::Kept;
pub use crate::tables::referrals::friends::{Counts, Friend};

/// For how long a ticket is good.
pub const TICKET: i64 = 60 * SECOND;

/// How the pages of a project are set up.
pub fn settings(tx: &mut dyn Tx, place: &Place) -> Result<Settings, Fault> {
    Ok(portal_settings::get(tx, place)?.settings)
}

/// How the pages of a project that anybody may name are set up, if there is such a project.
pub fn settings_of(tx: &mut dyn Tx, place: &Place) -> Result<Option<Settings>, Fault> {
    match projects::exists(tx, place)? {
        true => Ok(Some(settings(tx, place)?)),
        false => Ok(None),
    }
}

/// Sets up the pages of a project. `change` makes of the settings so far what they shall be.
pub fn set_up(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    change: impl FnOnce(Settings) -> Result<Settings, Abort>,
) -> Result<Settings, Abort> {
    hold(tx, place)?;
    let settings = change(settings(tx, place)?)?;
    portal_settings::put(tx, place, &settings, act.at)?;
    let event = Event::PortalUpdated {
        allow_vanity: settings.allow_vanity,
        allowed_origins: &settings.allowed_origins,
        names: settings.names,
        offer_name: settings.offer_name,
    };
    events::record(tx, act, place, place.project_id.as_str(), &event)?;
    Ok(settings)
}

/// Ends all sessions of a project: those that there are, and those that tickets would begin.
pub fn end_sessions(tx: &mut dyn Tx, act: &mut Act, place: &Place) -> Result<(), Fault> {
    hold(tx, place)?;
    let settings = settings(tx, place)?;
    portal_settings::put(tx, place, &settings, act.at)?;
    portal_settings::next_epoch(tx, place)?;
    let subject = place.project_id.as_str();
    events::record(tx, act, place, subject, &Event::PortalSessionsEnded {})
}

/// Two changes of different members must not undo each other.
fn hold(tx: &mut dyn Tx, place: &Place) -> Result<(), Fault> {
    tx.lock(&place.team_id, &[&format!("portal:{}", place.project_id)])
}

/// A session that somebody asks for.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub customer_id: String,
    /// In seconds.
    pub lasts: i64,
    pub read_only: bool,
    pub locale: Option<Locale>,
    /// The hash of the ticket to it.
    pub ticket_hash: String,
}

/// Makes a session of a customer, and keeps the ticket to it. The session itself is kept nowhere.
pub fn open(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    new: &NewSession,
) -> Result<Session, Abort> {
    // Whoever erases the customer takes the tickets away.
    tx.lock(&place.team_id, &[&format!("customer:{}", new.customer_id)])?;
    customers::require(tx, place, &new.customer_id)?;
    let now = Micros::from_secs(act.real().as_secs());
    let session = Session {
        team_id: place.team_id.clone(),
        project_id: place.project_id.clone(),
        customer_id: new.customer_id.clone(),
        read_only: new.read_only,
        locale: new.locale,
        issued_at: now,
        expires_at: now.plus(new.lasts.saturating_mul(SECOND)),
        epoch: portal_settings::get(tx, place)?.epoch,
    };
    portal_tickets::insert(tx, place, &new.ticket_hash, &session, now.plus(TICKET))?;
    Ok(session)
}

/// Takes a ticket, and lets the customer in whose it is. `None` for one that is unknown, used or over.
pub fn enter(
    tx: &mut dyn Tx,
    act: &Act,
    team_id: &TeamId,
    ticket_hash: &str,
) -> Result<Option<Session>, Fault> {
    let Some(session) = portal_tickets::find(tx, team_id, ticket_hash, act.real())? else {
        return Ok(None);
    };
    if !portal_tickets::use_up(tx, team_id, ticket_hash)? {
        return Ok(None);
    }
    let visit = visit(tx, &session, act.real())?;
    Ok(visit.is_let_in.then_some(session))
}

/// Whether a session lets its customer in.
#[derive(Clone, Debug, PartialEq)]
pub struct Visit {
    pub place: Place,
    pub settings: Settings,
    pub is_let_in: bool,
}

/// Looks whether a session lets its customer in now: it has not ended, neither by time nor with the epoch of the
/// project, and the customer has not been erased.
pub fn visit(tx: &mut dyn Tx, session: &Session, now: Micros) -> Result<Visit, Fault> {
    let place = Place::new(session.team_id.clone(), session.project_id.clone());
    let Kept { settings, epoch } = portal_settings::get(tx, &place)?;
    let is_there = customers::get(tx, &place, &session.customer_id)?.is_some();
    Ok(Visit {
        is_let_in: !session.is_over(now) && epoch == session.epoch && is_there,
        place,
        settings,
    })
}

/// What there is to see of one customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    pub program: Program,
    /// The code that the customer shares, if there is one.
    pub code: Option<Code>,
    /// What the project is called in links.
    pub links: links::Names,
    /// Whether links lead somewhere, and bring the code along.
    pub links_work: bool,
    pub earned: Vec<Earned>,
    pub counts: Counts,
}

/// What there is to see of a customer.
pub fn overview(tx: &mut dyn Tx, place: &Place, customer_id: &str) -> Result<Overview, Fault> {
    let counts = friends::counts(tx, place, customer_id)?;
    let mut earned = credits::earned(tx, place, customer_id)?;
    for (currency, promised) in &counts.promised {
        match earned.iter_mut().find(|of| of.currency == *currency) {
            Some(of) => of.pending += promised,
            None => earned.push(Earned {
                currency: *currency,
                earned: 0,
                pending: *promised,
            }),
        }
    }
    earned.retain(|of| of.earned != 0 || of.pending != 0);
    earned.sort_by_key(|of| of.currency);
    let of_links = links::settings(tx, place)?;
    Ok(Overview {
        program: programs::get(tx, place)?,
        code: codes::get_active(tx, place, customer_id)?,
        links: links::names(tx, place)?,
        links_work: of_links.enabled && of_links.landing_url.is_some(),
        earned,
        counts,
    })
}

/// The friends of a customer, the newest first.
pub fn friends(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
    page: &Page,
) -> Result<Part<Friend>, Fault> {
    friends::list(tx, place, customer_id, page)
}

/// What a customer has earned, the newest first.
pub fn credits(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
    page: &Page,
) -> Result<Part<Credit>, Fault> {
    let filter = CreditFilter {
        customer_id: Some(customer_id.to_owned()),
        ..CreditFilter::default()
    };
    credits::list(tx, place, &filter, page)
}

/// Gives a customer who asks for it a code, and that a name. One who has both already has them.
pub fn take_code(
    tx: &mut dyn Tx,
    act: &mut Act,
    session: &Session,
    vanity: Option<&Vanity>,
) -> Result<Code, Abort> {
    let visit = visit(tx, session, act.real())?;
    let refused = match vanity {
        _ if !visit.is_let_in => Some(NotOnPage::SessionOver),
        _ if session.read_only => Some(NotOnPage::ReadOnly),
        Some(_) if !visit.settings.allow_vanity => Some(NotOnPage::NoNames),
        _ => None,
    };
    if let Some(why) = refused {
        return Err(Refusal::NotOnPage(why).into());
    }
    let (place, customer_id) = (&visit.place, &session.customer_id);
    test_clock::enter(tx, act, place)?;
    // Of two who ask at once, the second finds the code of the first.
    tx.lock(&place.team_id, &[&format!("customer:{customer_id}")])?;
    if !programs::get(tx, place)?.enabled {
        return Err(Refusal::Apply(ApplyRefusal::ReferralsDisabled).into());
    }
    let code = match codes::get_active(tx, place, customer_id)? {
        Some(code) => code,
        None => codes::create(tx, act, place, customer_id)?,
    };
    match vanity {
        None => Ok(code),
        Some(vanity) => codes::names::rename(tx, act, place, &code.code, vanity),
    }
}
