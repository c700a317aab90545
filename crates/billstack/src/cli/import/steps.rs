//! What is done with a row: the customer, the code and the referral that are not there yet.

use billstack_core::code;
use billstack_store::apply::{self, Applied, Apply, InStripe};
use billstack_store::codes::{self, Code, names};
use billstack_store::customers::{self, Customer, CustomerPatch};
use billstack_store::{Abort, Act, Place, Tx, referrals};
use serde_json::json;

use super::folded;
use super::formats::{By, Row, Someone, State};
use crate::api::customers::create::CreateCustomerRequest;
use crate::api::referrals::codes::name;
use crate::error::ApiError;
use crate::http::json::read_json;
use crate::http::known::Known;

/// Why a row is not taken.
pub(super) enum Stop {
    /// The row itself is wrong.
    Refused(String),
    Abort(Abort),
}

impl<E: Into<Abort>> From<E> for Stop {
    fn from(error: E) -> Stop {
        Stop::Abort(error.into())
    }
}

fn refused(error: &ApiError) -> Stop {
    Stop::Refused(error.to_string())
}

/// What came of a row.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Made {
    /// Whom, by their addresses.
    pub(super) customers: Vec<String>,
    /// Whose code, by their addresses.
    pub(super) codes: Vec<String>,
    /// Further names of codes.
    pub(super) names: u64,
    pub(super) referrals: u64,
    /// By whom, and who, by their addresses, where there is a referral now that was not there.
    pub(super) brought: Option<(String, String)>,
    /// The referral was rewarded elsewhere, so there is none here.
    pub(super) rewarded: bool,
    /// It never will be, elsewhere, so there is none here.
    pub(super) closed: bool,
    /// What of the row could not be kept.
    pub(super) notes: Vec<String>,
}

/// Somebody who is there now.
struct There {
    customer: Customer,
    code: Option<Code>,
}

/// Makes what a row tells of. `beside` is the row of whoever brought them, where that is another of the same file.
pub(super) fn take(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    row: &Row,
    beside: Option<&Someone>,
) -> Result<Made, Stop> {
    let mut made = Made::default();
    let by = match &row.by {
        None => None,
        Some(By::Told(told)) => Some(ensure(tx, act, place, told, &mut made)?),
        Some(By::Key(key)) => Some(match beside {
            Some(beside) => ensure(tx, act, place, beside, &mut made)?,
            None => find(tx, place, key)?,
        }),
    };
    let referee = ensure(tx, act, place, &row.person, &mut made)?;
    if let Some(by) = by {
        bring(
            tx,
            act,
            place,
            (by, &referee.customer, &row.state),
            &mut made,
        )?;
    }
    Ok(made)
}

/// The customer with the code that somebody has, made where they are not there.
fn ensure(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    someone: &Someone,
    made: &mut Made,
) -> Result<There, Stop> {
    let request = json!({
        "email": someone.email, "name": someone.name, "externalId": someone.external_id,
        "stripeCustomerId": someone.stripe_customer_id,
    });
    let request: CreateCustomerRequest =
        read_json(request.to_string().as_bytes(), &Known::default())
            .map_err(|error| refused(&error))?;
    let new = request.into_new();
    let customer = match customers::get_by_email(tx, place, &new.email)? {
        Some(there) => fill(tx, act, place, there, someone)?,
        None => {
            made.customers.push(new.email.clone());
            customers::create(tx, act, place, &new)?
        }
    };
    let code = ensure_code(tx, act, place, &customer, someone, made)?;
    if let Some(code) = &code {
        add_names(tx, act, place, code, &someone.more_codes, made)?;
    }
    Ok(There { customer, code })
}

/// Further codes of somebody become further names of the one that they have.
fn add_names(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    code: &Code,
    texts: &[String],
    made: &mut Made,
) -> Result<(), Stop> {
    for text in texts {
        let why = match (names::resolve(tx, place, text)?, name(text)) {
            (Some(whose), _) if whose == code.code => continue,
            (Some(_), Ok(_)) => "it is somebody else's here".to_owned(),
            (_, Err(unfit)) => unfit.to_string(),
            (None, Ok(vanity)) => {
                names::add(tx, act, place, &code.code, &vanity)?;
                made.names += 1;
                continue;
            }
        };
        made.notes.push(format!(
            "`{text}` is not kept beside the code {}: {why}",
            code.code
        ));
    }
    Ok(())
}

/// Adds ids that a customer does not have yet; what is there stays.
fn fill(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    there: Customer,
    someone: &Someone,
) -> Result<Customer, Stop> {
    let differs = |ours: &Option<String>, theirs: &Option<String>| matches!((ours, theirs), (Some(ours), Some(theirs)) if ours != theirs);
    if differs(&there.stripe_customer_id, &someone.stripe_customer_id) {
        let why = "the customer has another id in Stripe here";
        return Err(Stop::Refused(why.to_owned()));
    }
    if differs(&there.external_id, &someone.external_id) {
        return Err(Stop::Refused(
            "the customer has another external id here".to_owned(),
        ));
    }
    let missing = |ours: &Option<String>, theirs: &Option<String>| match (ours, theirs) {
        (None, Some(theirs)) => Some(Some(theirs.clone())),
        _ => None,
    };
    let patch = CustomerPatch {
        external_id: missing(&there.external_id, &someone.external_id),
        stripe_customer_id: missing(&there.stripe_customer_id, &someone.stripe_customer_id),
        ..CustomerPatch::default()
    };
    if patch.external_id.is_none() && patch.stripe_customer_id.is_none() {
        return Ok(there);
    }
    Ok(customers::update(tx, act, place, &there.id, &patch)?)
}

/// The code keeps its text: eight letters and digits are the code itself, anything else becomes its name.
fn ensure_code(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer: &Customer,
    someone: &Someone,
    made: &mut Made,
) -> Result<Option<Code>, Stop> {
    let there = codes::get_active(tx, place, &customer.id)?;
    let Some(text) = &someone.code else {
        return Ok(there);
    };
    let (given, named) = (code::normalize(text), name(text));
    if let Some(there) = there {
        let owner = names::resolve(tx, place, text)?;
        if owner.as_ref() == Some(&there.code) {
            return Ok(Some(there));
        }
        return Ok(Some(match (&named, there.names.0.is_empty()) {
            (Ok(vanity), true) => names::rename(tx, act, place, &there.code, vanity)?,
            _ => {
                made.notes.push(format!(
                    "`{text}` is not kept: the customer has the code {} here",
                    there.code
                ));
                there
            }
        }));
    }
    made.codes.push(customer.email.clone());
    Ok(Some(match (given, named) {
        (Some(given), _) => codes::create_as(tx, act, place, &customer.id, &given)?,
        (None, Ok(vanity)) => names::create(tx, act, place, &customer.id, &vanity)?,
        (None, Err(unfit)) => {
            made.notes.push(format!(
                "`{text}` is not kept, the customer has a new code: {unfit}"
            ));
            codes::create(tx, act, place, &customer.id)?
        }
    }))
}

/// Whose address or code it is.
fn find(tx: &mut dyn Tx, place: &Place, key: &str) -> Result<There, Stop> {
    let nobody = || {
        Stop::Refused(format!(
            "nobody here or in the file has the address, code or id `{key}`"
        ))
    };
    let address = folded(key);
    let customer = match customers::get_by_email(tx, place, &address)? {
        Some(customer) => customer,
        None => {
            let code = names::resolve(tx, place, key)?.ok_or_else(nobody)?;
            let code = codes::get(tx, place, &code)?.ok_or_else(nobody)?;
            customers::get(tx, place, &code.customer_id)?.ok_or_else(nobody)?
        }
    };
    let code = codes::get_active(tx, place, &customer.id)?;
    Ok(There { customer, code })
}

/// Applies the code of whoever brought somebody, unless that is so already, or was decided elsewhere.
fn bring(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    (by, referee, state): (There, &Customer, &State),
    made: &mut Made,
) -> Result<(), Stop> {
    if let Some(there) = referrals::of_referee(tx, place, &referee.id)? {
        return match there.referrer_customer_id == by.customer.id {
            true => Ok(()),
            false => Err(Stop::Refused(
                "somebody else has brought the customer here".to_owned(),
            )),
        };
    }
    match state {
        State::Waits => {}
        State::Rewarded => {
            made.rewarded = true;
            return Ok(());
        }
        State::Closed(status) => {
            made.closed = true;
            made.notes.push(format!(
                "its referral is `{status:.40}` where it comes from, so there is none here"
            ));
            return Ok(());
        }
    }
    let code = match by.code {
        Some(code) => code,
        None => {
            made.codes.push(by.customer.email.clone());
            codes::create(tx, act, place, &by.customer.id)?
        }
    };
    let mut cmd = Apply {
        code: Some(code.code),
        is_typed: true,
        click_token: None,
        referee_customer_id: referee.id.clone(),
        in_stripe: InStripe::NotAsked,
    };
    if let Applied::AskStripe(_) = apply::apply(tx, act, place, &cmd)? {
        // The server asks as soon as it can, and the referral waits until then.
        cmd.in_stripe = InStripe::NoAnswer;
        apply::apply(tx, act, place, &cmd)?;
    }
    made.referrals += 1;
    made.brought = Some((by.customer.email, referee.email.clone()));
    Ok(())
}
