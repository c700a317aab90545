//! Delivering credits: what is to be done to balances in Stripe follows from what became of the credits.
//!
//! What a customer has available of a credit that is delivered, and what no operation under way gives already, is
//! given by one operation. It is written by the transaction that moves the credit, together with a row of `work`
//! for the customer of Stripe: the *lane*, whose lease makes sure that one call at a time is made for them.
//!
//! Whoever changes operations has changed their credit before, in the same transaction, so that nobody else can.

pub(in crate::operations) mod attention;
pub(in crate::operations) mod back;
pub mod by_hand;
pub mod cure;
mod repair;
mod shown;
mod told;
pub mod turns;

use billstack_core::delivery::operation::Operation;
use billstack_core::delivery::{Body, DeliveryState, Kind, Reason, State, of_credit};
use billstack_core::ids::{IdKind, TeamId};
use billstack_core::money::Amount;
use billstack_core::time::Micros;
use serde::{Deserialize, Serialize};

use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::{self, Credit};
use crate::tables::stripe_operations::{self, Because, StripeOperation};
use crate::tables::work::{self, Key};
use crate::tables::{customers, programs, referrals, stripe_balances};

pub use repair::take_back_line;
pub use shown::{Shown, shown};
pub(in crate::operations) use told::{are_balances_followed, balance_changed};

pub use crate::tables::stripe_operations::waiting::{on_their_way, pending};
pub use crate::tables::stripe_operations::{of_credit as operations_of, of_line};

/// The kind of work. Its subjects are customers of Stripe; the empty one stands for the team, whose connection was
/// mended.
pub const KIND: &str = stripe_operations::LANE;

/// What a lane knows besides its subject.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::operations) struct LaneFacts {
    pub(in crate::operations) team_id: String,
}

/// Brings the operations of a credit in line with what is available of it, and tells when that needs attention.
pub(in crate::operations) fn sync(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &mut Credit,
) -> Result<(), Fault> {
    let before = (credit.delivery, credit.delivery_reason);
    bring_in_line(tx, act, place, credit)?;
    match before == (credit.delivery, credit.delivery_reason) {
        true => Ok(()),
        false => attention::tell(tx, act, place, credit),
    }
}

/// The same for a credit that is just being made, of which nothing is told yet.
pub(super) fn bring_in_line(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &mut Credit,
) -> Result<(), Fault> {
    if !credit.by_stripe {
        return Ok(());
    }
    let all = stripe_operations::of_credit(tx, place, &credit.id)?;
    let (loose, fixed): (Vec<_>, Vec<_>) = all.into_iter().partition(is_loose);
    let wanted = credit.parts.available - fixed.iter().filter_map(still_gives).sum::<i64>();
    if wanted < 0 {
        let why = format!("credit {} is being delivered", credit.id);
        return Err(Fault::Conflict(why));
    }
    let link = customers::link_of(tx, place, &credit.customer_id)?;
    let mut states: Vec<_> = fixed.iter().map(state_of).collect();
    states.extend(unclear(tx, place, &fixed)?);
    let fits = |one: &StripeOperation| {
        one.amount.get() == wanted && Some(&one.stripe_customer_id) == link.as_ref()
    };
    match loose.as_slice() {
        [one] if fits(one) => states.push(state_of(one)),
        _ => {
            remove(tx, place, &loose)?;
            states.extend(give(tx, act, place, credit, wanted, link, &fixed)?);
        }
    }
    (credit.delivery, credit.delivery_reason) = of_credit(&states, credit.parts.held > 0);
    credits::deliver(tx, place, credit)
}

/// An operation that gives, and of which Stripe knows nothing yet. What was taken too much is put back as it is.
fn is_loose(operation: &StripeOperation) -> bool {
    let is_over = operation.progress.state == State::Delivered;
    let is_fixed = is_over || operation.progress.is_open() || operation.is_booked();
    gives(operation) && operation.kind != Kind::PutBack && !is_fixed
}

fn gives(operation: &StripeOperation) -> bool {
    operation.kind.gives()
}

/// What an operation gives that the books do not have yet.
fn still_gives(operation: &StripeOperation) -> Option<i64> {
    (gives(operation) && !operation.is_booked()).then_some(operation.amount.get())
}

/// What is said of a credit in a balance whose lines are not clear.
fn unclear(
    tx: &mut dyn Tx,
    place: &Place,
    operations: &[StripeOperation],
) -> Result<Option<(State, Option<Reason>)>, Fault> {
    for (customer, given) in back::given_to(operations) {
        let balance = stripe_balances::get(tx, &place.team_id, &customer)?;
        if given > 0 && balance.is_some_and(|balance| balance.is_unclear) {
            return Ok(Some((State::NeedsAttention, Some(Reason::HistoryUnclear))));
        }
    }
    Ok(None)
}

fn state_of(operation: &StripeOperation) -> (State, Option<Reason>) {
    (operation.progress.state, operation.progress.reason)
}

fn remove(tx: &mut dyn Tx, place: &Place, loose: &[StripeOperation]) -> Result<(), Fault> {
    for one in loose {
        if !stripe_operations::remove(tx, &place.team_id, one)? {
            return Err(changed(&one.id));
        }
    }
    Ok(())
}

/// Writes the operation that gives what is wanted, if anything is, and says where it stands.
fn give(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &Credit,
    wanted: i64,
    link: Option<String>,
    fixed: &[StripeOperation],
) -> Result<Option<(State, Option<Reason>)>, Fault> {
    let Some(amount) = Amount::new(wanted).filter(|amount| !amount.is_zero()) else {
        return Ok(None);
    };
    let Some(link) = link else {
        return Ok(Some((
            State::NeedsAttention,
            Some(Reason::NoStripeCustomer),
        )));
    };
    let kind = match fixed.iter().any(|one| one.kind == Kind::Grant) {
        true => Kind::Restore,
        false => Kind::Grant,
    };
    let new = NewOperation {
        kind,
        amount,
        stripe_customer_id: link,
        cause: Because::job(),
        takes_back: None,
    };
    begin(tx, act, place, credit, new)?;
    Ok(Some((State::Queued, None)))
}

/// What a new operation is made of.
#[derive(Clone, Debug)]
pub(in crate::operations) struct NewOperation {
    pub(in crate::operations) kind: Kind,
    pub(in crate::operations) amount: Amount,
    /// Whose balance it changes.
    pub(in crate::operations) stripe_customer_id: String,
    pub(in crate::operations) cause: Because,
    /// The line that it takes back, where that is all that it is for.
    pub(in crate::operations) takes_back: Option<String>,
}

/// Writes a new operation on a balance for a credit that the caller has changed or holds, and wakes its lane.
pub(in crate::operations) fn begin(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &Credit,
    new: NewOperation,
) -> Result<StripeOperation, Fault> {
    let id = act.id(IdKind::Operation);
    let operation = StripeOperation {
        body: body_of(tx, place, credit, &id, new.kind.signed(new.amount.get()))?,
        id,
        project_id: place.project_id.clone(),
        credit_id: credit.id.clone(),
        kind: new.kind,
        stripe_customer_id: new.stripe_customer_id,
        amount: new.amount,
        currency: credit.currency,
        refusal: None,
        transaction_id: None,
        lost_transaction_id: None,
        created_at: act.at,
        cause: new.cause,
        takes_back: new.takes_back,
        version: 1,
        looked_version: 0,
        progress: Operation::new(act.at),
    };
    stripe_operations::insert(tx, &place.team_id, &operation, act.ahead())?;
    stripe_balances::insert(tx, &place.team_id, &operation.stripe_customer_id)?;
    let now = act.real();
    wake(tx, act, &place.team_id, &operation.stripe_customer_id, now)?;
    Ok(operation)
}

/// The body of the call of an operation that changes the balance by so much.
pub(in crate::operations) fn body_of(
    tx: &mut dyn Tx,
    place: &Place,
    credit: &Credit,
    operation: &str,
    amount: i64,
) -> Result<String, Fault> {
    let description = description(tx, place, credit)?;
    let body = Body {
        operation,
        credit: &credit.id,
        project: place.project_id.as_str(),
        amount,
        currency: credit.currency,
        description: &description,
    };
    Ok(body.form())
}

/// What the customer reads: what was promised with the referral, or what the program says now.
fn description(tx: &mut dyn Tx, place: &Place, credit: &Credit) -> Result<String, Fault> {
    let referral = match &credit.referral_id {
        Some(id) => referrals::get(tx, place, id)?,
        None => None,
    };
    Ok(match referral {
        Some(referral) => referral.terms.credit_description,
        None => programs::get(tx, place)?.terms.credit_description,
    })
}

/// The operation whose line this is: we know the line by its id, or else the operation that it names, if that is one of
/// ours.
pub fn whose_line(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    line_id: &str,
    named: Option<&str>,
) -> Result<Option<String>, Fault> {
    let known = of_line(tx, team_id, line_id)?;
    match (known, named) {
        (None, Some(id)) => Ok(stripe_operations::get(tx, team_id, id)?.map(|one| one.id)),
        (known, _) => Ok(known),
    }
}

fn key_of(team_id: &TeamId, stripe_customer_id: &str) -> Key {
    Key::of_team(team_id, KIND, stripe_customer_id)
}

/// Sees to it that somebody looks at a customer of Stripe at that time of day.
pub(in crate::operations) fn wake(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    stripe_customer_id: &str,
    at: Micros,
) -> Result<(), Fault> {
    let facts = LaneFacts {
        team_id: team_id.to_string(),
    };
    let facts = serde_json::to_string(&facts).map_err(|e| Fault::Defect(e.to_string()))?;
    let key = key_of(team_id, stripe_customer_id);
    work::hasten(tx, act, &key, &facts, at)
}

/// Keeps what became of an operation whose credit is held, and shows it at the credit.
pub(in crate::operations) fn keep(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    operation: &mut StripeOperation,
    credit: &mut Credit,
) -> Result<(), Fault> {
    if !stripe_operations::update(tx, &place.team_id, operation, act.ahead())? {
        return Err(changed(&operation.id));
    }
    operation.version += 1;
    sync(tx, act, place, credit)
}

pub(in crate::operations) fn changed(id: &str) -> Fault {
    Fault::Conflict(format!("operation {id} was changed since it was read"))
}

/// The credit of an operation, held against all other changes until the transaction ends.
pub(in crate::operations) fn hold_credit(
    tx: &mut dyn Tx,
    place: &Place,
    operation: &StripeOperation,
) -> Result<Credit, Fault> {
    let id = &operation.credit_id;
    credits::hold(tx, place, id)?;
    let credit = credits::get(tx, place, id)?;
    credit.ok_or_else(|| Fault::Defect(format!("operation {} has no credit", operation.id)))
}

/// Whether a call may be on its way that has to do with a credit, or must be made at once, so that nothing else may be
/// done with it.
pub(in crate::operations) fn is_under_way(
    tx: &mut dyn Tx,
    place: &Place,
    credit: &Credit,
) -> Result<bool, Fault> {
    if !credit.by_stripe || credit.delivery == DeliveryState::None {
        return Ok(false);
    }
    let all = stripe_operations::of_credit(tx, place, &credit.id)?;
    Ok(back::is_busy(&all))
}
