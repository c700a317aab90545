//! Asking about the payments that credits depend on: whose turn it is, and what is made of what Stripe tells.
//!
//! Nothing but the answer itself finds a refund of which no event is listed any more, a payment that was taken off its
//! invoice, or an invoice that was opened again. What makes a difference to the credits is told, and taken in as an
//! event is, by one transaction, which also moves the run on.

use billstack_core::ids::TeamId;
use billstack_core::payments::{Case, Facts, Told};
use billstack_core::reconcile::Drift;
use billstack_core::reconcile::payments::{News, news};
use billstack_core::reconcile::walk::{Walk, slot_of};
use billstack_core::time::{DAY, Micros};

use super::balances::pass;
use super::{Line, Run, tell};
use crate::operations::intake::{self, Delivery};
use crate::operations::payment_answers;
use crate::operations::payments::known_of;
use crate::operations::refusal::Abort;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::conversions::{self, Granted};
use crate::tables::{credits, projects, reconcile_runs, referrals, terms};

/// For how long after the window payments are asked about: what came at its end is found by a run after it.
const AFTER_WINDOW: i64 = 2 * DAY;

/// How many credits are read at once.
const AT_ONCE: i64 = 200;

/// How many conversions are handed out at once.
const MOST: usize = 20;

/// A conversion whose payment is to be asked about.
#[derive(Clone, Debug)]
pub struct Conversion {
    place: Place,
    referral_id: String,
    at: String,
    /// The subscription that converted.
    pub subscription: String,
    /// What is known of its first payment.
    pub known: Facts,
}

/// Some conversions.
#[derive(Clone, Debug)]
pub struct Some {
    /// Those to be asked about.
    pub conversions: Vec<Conversion>,
    /// How far the run has come with all of them.
    pub walk: Walk,
}

/// Which conversions a run asks about next, at this time; `None` when there are no more in its slot.
///
/// # Errors
/// When the database fails.
pub fn next(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    run: &Run,
    now: Micros,
) -> Result<Option<Some>, Fault> {
    let Some(days) = terms::longest_window(tx, team_id)? else {
        return Ok(None);
    };
    let begin = now.plus(-days.saturating_mul(DAY)).plus(-AFTER_WINDOW);
    let (mut project, mut after) = match Spot::read(&run.walk.after) {
        Some(spot) => (Some(spot.project.into()), (spot.at, spot.credit.to_owned())),
        None => (
            conversions::project_after(tx, team_id, "")?,
            (begin, String::new()),
        ),
    };
    while let Some(id) = project {
        let place = Place::new(team_id.clone(), id);
        let rows = conversions::granted(tx, &place, (after.0, &after.1), AT_ONCE)?;
        if !rows.is_empty() {
            return some(tx, &place, run, rows, now).map(Option::Some);
        }
        project = conversions::project_after(tx, team_id, place.project_id.as_str())?;
        after = (begin, String::new());
    }
    Ok(None)
}

/// The last credit that a run has passed.
struct Spot<'w> {
    project: &'w str,
    at: Micros,
    credit: &'w str,
}

impl<'w> Spot<'w> {
    fn read(after: &'w str) -> Option<Spot<'w>> {
        let mut parts = after.splitn(3, ' ');
        let (project, at, credit) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Spot {
            project,
            at: Micros(at.parse().ok()?),
            credit,
        })
    }

    fn of(place: &Place, credit: &Granted) -> String {
        format!("{} {} {}", place.project_id, credit.at.0, credit.id)
    }
}

/// The conversions of some credits, as far as they have their turn.
fn some(
    tx: &mut dyn Tx,
    place: &Place,
    run: &Run,
    rows: Vec<Granted>,
    now: Micros,
) -> Result<Some, Fault> {
    let slot = run.walk.slot(run.created_at);
    let now = now.plus(projects::clock(tx, place)?.unwrap_or(0));
    let (mut found, mut walk) = (Vec::<Conversion>::new(), run.walk.clone());
    for row in rows {
        let at = Spot::of(place, &row);
        walk = walk.passing(&at);
        let Some(referral_id) = row.referral_id else {
            continue;
        };
        let is_other = !run.is_whole && slot_of(&referral_id) != slot;
        if is_other || !is_first_of(tx, place, &referral_id, &row.id)? {
            continue;
        }
        found.extend(conversion(tx, place, (referral_id, at), now)?);
        if found.len() == MOST {
            break;
        }
    }
    Ok(Some {
        conversions: found,
        walk,
    })
}

/// Whether a credit stands for all of its referral.
fn is_first_of(
    tx: &mut dyn Tx,
    place: &Place,
    referral_id: &str,
    credit_id: &str,
) -> Result<bool, Fault> {
    let all = credits::of_referral(tx, place, referral_id)?;
    let first = all
        .iter()
        .min_by_key(|credit| (credit.created_at, &credit.id));
    Ok(first.is_some_and(|first| first.id == credit_id))
}

/// The conversion of a referral, if its credits may still come back at this time.
fn conversion(
    tx: &mut dyn Tx,
    place: &Place,
    (referral_id, at): (String, String),
    now: Micros,
) -> Result<Option<Conversion>, Fault> {
    let Some((referral, subscription)) = referrals::converted(tx, place, &referral_id)? else {
        return Ok(None);
    };
    let Some(converted_at) = referral.converted_at else {
        return Ok(None);
    };
    let case = Case::new(&referral.terms, &subscription, converted_at);
    if case
        .losses_until
        .is_none_or(|until| until.plus(AFTER_WINDOW) < now)
    {
        return Ok(None);
    }
    Ok(Some(Conversion {
        known: known_of(tx, &place.team_id, &subscription)?,
        place: place.clone(),
        referral_id,
        at,
        subscription,
    }))
}

/// What Stripe has told of a conversion's payment.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The conversion.
    pub conversion: Conversion,
    /// What Stripe told.
    pub told: Told,
    /// When it was asked.
    pub at: Micros,
    /// How many more are known to be left.
    pub left: i64,
}

impl Asked {
    /// How far a run has come with it.
    pub fn walk(&self, run: &Run) -> Walk {
        run.walk.clone().past_conversion(&self.conversion.at)
    }
}

/// Tells what makes a difference, takes it in if the run may, and keeps how far it has come with that; tells whether
/// nobody else has carried the run on meanwhile.
///
/// # Errors
/// As taking in an event.
pub fn conclude(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    run: &Run,
    asked: &Asked,
) -> Result<bool, Abort> {
    let now = reconcile_runs::get(tx, team_id, &run.id)?;
    if now.is_none_or(|now| now.status != run.status || now.walk != run.walk) {
        return Ok(false);
    }
    let conversion = &asked.conversion;
    let found = found(tx, conversion, &asked.told)?;
    let is_repaired = run.remedy.feeds();
    if is_repaired && !found.is_empty() {
        let (told, subject) = (asked.told.clone(), &conversion.subscription);
        let event = payment_answers::found(act, subject, told, asked.at);
        intake::receive(tx, act, team_id, &event, Delivery::Delivered)?;
    }
    if !pass(tx, team_id, run, &asked.walk(run), asked.left)? {
        return Err(Fault::Conflict("somebody else has carried the run on".to_owned()).into());
    }
    for news in found {
        let line = Line {
            kind: Drift::EventMissed,
            detail: detail(&news, &conversion.subscription),
            subject: news.subject,
            is_repaired,
        };
        tell(tx, team_id, &run.id, &line)?;
    }
    Ok(true)
}

/// What makes a difference by now.
fn found(tx: &mut dyn Tx, conversion: &Conversion, told: &Told) -> Result<Vec<News>, Fault> {
    let (place, id) = (&conversion.place, &conversion.referral_id);
    let Some((referral, subscription)) = referrals::converted(tx, place, id)? else {
        return Ok(Vec::new());
    };
    let Some(converted_at) = referral.converted_at else {
        return Ok(Vec::new());
    };
    let case = Case::new(&referral.terms, &subscription, converted_at);
    let known = known_of(tx, &place.team_id, &subscription)?;
    Ok(news(&known, told, &case))
}

fn detail(news: &News, subscription: &str) -> String {
    let (thing, told) = match news.was_told {
        true => (news.thing, "is not what was told of it"),
        false => (news.thing, "was never told"),
    };
    format!("{thing} of {subscription}: what Stripe shows of it {told}")
}
