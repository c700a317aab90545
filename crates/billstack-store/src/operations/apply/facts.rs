//! What an apply is decided from, read while everybody it concerns is held.

use billstack_core::referral::Referral;
use billstack_core::source::{Chosen, NoCode, Sent, Token, choose};

use super::Apply;
use crate::operations::codes::names;
use crate::operations::hold::{confirm, take_with_owner};
use crate::params;
use crate::seam::tx::Question;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::codes::{self, HeldCode};
use crate::tables::customers::{self, Customer, names_of};
use crate::tables::programs::{self, KeptProgram};
use crate::tables::referrals;
use crate::tables::stripe_connections;
use crate::tables::subscription_starts::{self, KnownStarts};
use crate::tables::{link_keys, link_settings};

/// The facts, as they stay until the transaction ends.
pub(super) struct Facts {
    pub(super) referee: Customer,
    /// Which code counts, and why.
    pub(super) chosen: Result<Chosen, NoCode>,
    /// That code, if there is one.
    pub(super) code: Option<HeldCode>,
    /// The referral that the referee, or anyone who is or was the same Stripe customer, has already.
    pub(super) existing: Option<Referral>,
    pub(super) program: KeptProgram,
    pub(super) starts: KnownStarts,
    /// Whether the owner of the code was brought by the referee.
    pub(super) is_reciprocal: bool,
    /// Whether a secret key is connected to ask Stripe with.
    pub(super) stripe_answers: bool,
}

/// Holds the referee and reads the facts; `None` when there is no such customer.
pub(super) fn gather(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    cmd: &Apply,
) -> Result<Option<Facts>, Fault> {
    // A name leads to codes of one customer only, for ever, so it can be read before anybody is held.
    let chosen = choose_code(tx, act, place, cmd)?;
    let code = chosen.as_ref().ok().map(|chosen| chosen.code.clone());
    let Some(taken) = take(tx, act, place, cmd, code.as_deref())? else {
        return Ok(None);
    };
    let read = read(tx, place, code.as_deref(), &taken, act.is_test())?;
    let referee = match tx.is_alone() {
        true => Some(taken),
        false => confirm(&taken, read.now, None)?,
    };
    let Some(referee) = referee else {
        return Ok(None);
    };
    let existing = match read.existing {
        None => oldest_of(tx, place, &read.sharing)?,
        existing => existing,
    };
    Ok(Some(Facts {
        referee,
        chosen,
        code: read.code,
        existing,
        program: read.program.ok_or_else(programs::missing)?,
        starts: read.starts,
        is_reciprocal: read.is_reciprocal,
        stripe_answers: read.stripe_answers,
    }))
}

/// Which of what was sent counts. A key of links never changes, and of the settings only the window is asked for.
fn choose_code(
    tx: &mut dyn Tx,
    act: &Act,
    place: &Place,
    cmd: &Apply,
) -> Result<Result<Chosen, NoCode>, Fault> {
    let typed = match &cmd.code {
        Some(read) => names::resolve_read(tx, place, read.clone())?,
        None => None,
    };
    let typed = cmd.is_typed.then_some(typed.as_deref());
    let Some(text) = &cmd.click_token else {
        let token = None;
        return Ok(choose(&Sent { typed, token }));
    };
    let key = link_keys::get(tx, place)?;
    let window = link_settings::get(tx, place)?.window_days;
    let project = place.project_id.number();
    let token = Token::read(text, project, key.as_ref(), act.at, window);
    let clicked = match token.click() {
        Some(click) => names::resolve_read(tx, place, click.code.clone())?,
        None => None,
    };
    let token = Some((&token, clicked.as_deref()));
    Ok(choose(&Sent { typed, token }))
}

/// The referee as they were before they were held. A code is its owner's for ever, so the owner can be read
/// before, too.
fn take(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    cmd: &Apply,
    code: Option<&str>,
) -> Result<Option<Customer>, Fault> {
    let (team, project) = (&place.team_id, &place.project_id);
    if tx.is_alone() {
        return customers::get(tx, place, &cmd.referee_customer_id);
    }
    let (mut referee, mut owner) = (None, None);
    let of_referee = params![team, project, &cmd.referee_customer_id];
    let of_code = params![team, project, code];
    tx.ask_together(&mut [
        Question::new(customers::GET, of_referee, |row| {
            referee = Some(customers::decode(row)?);
            Ok(())
        }),
        Question::new(codes::GET, of_code, |row| {
            owner = Some(codes::decode(row)?.customer_id);
            Ok(())
        }),
    ])?;
    if let Some(referee) = &referee {
        take_with_owner(tx, act, place, referee, owner.as_deref())?;
    }
    Ok(referee)
}

/// What was read about a customer who is held.
#[derive(Default)]
struct Read {
    code: Option<HeldCode>,
    existing: Option<Referral>,
    /// Other customers of the project who are or were the same Stripe customer.
    sharing: Vec<String>,
    starts: KnownStarts,
    is_reciprocal: bool,
    stripe_answers: bool,
    /// The customer as it is now; not asked where nobody else writes.
    now: Option<Customer>,
    program: Option<KeptProgram>,
}

/// Sends all queries together, because on PostgreSQL a round trip costs more than a query.
fn read(
    tx: &mut dyn Tx,
    place: &Place,
    code: Option<&str>,
    taken: &Customer,
    is_test: bool,
) -> Result<Read, Fault> {
    let (team, project) = (&place.team_id, &place.project_id);
    let stripe_id = taken.stripe_customer_id.as_deref();
    let names = names_of(&taken.id, stripe_id);
    let mut read = Read::default();

    let of_code = params![team, project, code];
    let of_project = params![team, project];
    let of_referee = params![team, project, &taken.id];
    let of_stripe = params![team, stripe_id];
    let of_names = params![team, &names[0], &names[names.len() - 1], project];
    let of_pair = params![team, project, code, &taken.id];
    let of_team = params![team];
    let mut questions = vec![
        Question::new(codes::HOLD, of_code, |row| {
            read.code = Some(codes::decode_held(row)?);
            Ok(())
        }),
        Question::new(referrals::OF_REFEREE, of_referee, |row| {
            read.existing = Some(referrals::decode(row)?);
            Ok(())
        }),
        Question::new(referrals::RECIPROCAL, of_pair, |_| {
            read.is_reciprocal = true;
            Ok(())
        }),
        Question::new(customers::IDS_OF_STRIPE, of_stripe, |row| {
            let other = row.string(1)?;
            if row.int(0)? == project.number() && other != taken.id {
                read.sharing.push(other);
            }
            Ok(())
        }),
        Question::new(subscription_starts::KNOWN, of_names, |row| {
            read.starts = subscription_starts::decode(row)?;
            Ok(())
        }),
        Question::new(stripe_connections::WITH_SECRET_KEY, of_team, |row| {
            // Nobody of a test project is looked for among real customers.
            read.stripe_answers = !(is_test && row.opt_flag(0)? == Some(true));
            Ok(())
        }),
    ];
    // Where nobody else writes, nothing can have changed and nothing needs a lock.
    if !tx.is_alone() {
        questions.push(Question::new(programs::HOLD, of_project, |_| Ok(())));
        questions.push(Question::new(customers::GET, of_referee, |row| {
            read.now = Some(customers::decode(row)?);
            Ok(())
        }));
    }
    questions.push(Question::new(programs::GET, of_project, |row| {
        read.program = Some(programs::decode(row)?);
        Ok(())
    }));
    tx.ask_together(&mut questions)?;
    drop(questions);
    Ok(read)
}

/// The oldest referral in which one of these customers is the referee.
fn oldest_of(
    tx: &mut dyn Tx,
    place: &Place,
    customer_ids: &[String],
) -> Result<Option<Referral>, Fault> {
    let mut oldest: Option<Referral> = None;
    for id in customer_ids {
        let found = referrals::of_referee(tx, place, id)?;
        oldest = oldest.into_iter().chain(found).min_by_key(|r| r.created_at);
    }
    Ok(oldest)
}
