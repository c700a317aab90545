//! What is done with a row: the customer, the code and the referral that are not there yet.

use billstack_core::code;
use billstack_core::vanity::{Unfit, Vanity};
use billstack_store::apply::{self, Applied, Apply, InStripe};
use billstack_store::codes::{self, Code, names};
use billstack_store::customers::{self, Customer, CustomerPatch};
use billstack_store::{Abort, Act, Place, Tx, referrals};
use serde_json::json;

use super::formats::{By, Given, Someone, State};
use super::people::{Task, folded, folded_code};
use crate::api::customers::create::CreateCustomerRequest;
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
    /// Further names of codes, as they are compared.
    pub(super) names: Vec<String>,
    pub(super) referrals: u64,
    /// By whom, and who, by their addresses, where there is a referral now that was not there.
    pub(super) brought: Option<(String, String)>,
    /// The referral was rewarded elsewhere, so there is none here.
    pub(super) rewarded: bool,
    /// It never will be, elsewhere, so there is none here.
    pub(super) closed: bool,
    /// What could not be kept, and of which line, where it is not this one.
    pub(super) notes: Vec<(Option<u64>, String)>,
}

/// Why a line is not taken that names another referrer than one before, or than there is.
pub(super) const BROUGHT_BEFORE: &str = "somebody else has brought the customer";

/// Somebody who is there now.
struct There {
    customer: Customer,
    code: Option<Code>,
}

/// Makes what a row tells of.
pub(super) fn take(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    task: &Task,
) -> Result<Made, Stop> {
    let (row, mut made) = (&task.row, Made::default());
    let by = match &row.by {
        None => None,
        Some(By::Told(told)) => Some(ensure(tx, act, place, told, &mut made)?),
        Some(By::Key(key)) => Some(match &task.beside {
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
        add_names(tx, act, place, code, &someone.codes, made)?;
    }
    Ok(There { customer, code })
}

/// The other codes of somebody become further names of the one that they have.
fn add_names(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    code: &Code,
    given: &[Given],
    made: &mut Made,
) -> Result<(), Stop> {
    for Given { text, line } in given {
        let why = match (names::resolve(tx, place, text)?, Vanity::parse(text)) {
            (Some(whose), _) if whose == code.code => continue,
            _ if code::normalize(text).is_some() => {
                "the customer has another code, and eight letters and digits are no further name"
                    .to_owned()
            }
            (_, Err(unfit)) => why_unfit(unfit).to_owned(),
            (Some(_), Ok(_)) if owner(tx, place, text)?.as_ref() != Some(&code.customer_id) => {
                "it is somebody else's here".to_owned()
            }
            (_, Ok(vanity)) => {
                names::add(tx, act, place, &code.code, &vanity)?;
                made.names.push(folded_code(text));
                continue;
            }
        };
        let note = format!("`{text:.40}` is not kept: {why}");
        made.notes.push((Some(*line), note));
    }
    Ok(())
}

/// Why a text cannot be the name of a code.
fn why_unfit(unfit: Unfit) -> &'static str {
    match unfit {
        Unfit::Shape => "a name has 3 to 24 letters `A` to `Z`, digits, hyphens and underscores",
        Unfit::LikeACode => "eight letters and digits are a code and no name",
        Unfit::Reserved => "the word is reserved",
        Unfit::Rude => "the word is not allowed",
    }
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

/// The code that somebody has, or one of those that they had elsewhere. It keeps its text: eight letters and digits are the
/// code itself, anything else becomes its name.
fn ensure_code(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer: &Customer,
    someone: &Someone,
    made: &mut Made,
) -> Result<Option<Code>, Stop> {
    let there = codes::get_active(tx, place, &customer.id)?;
    if there.is_some() || someone.codes.is_empty() {
        return Ok(there);
    }
    made.codes.push(customer.email.clone());
    let id = &customer.id;
    Ok(Some(match kept(&someone.codes) {
        Some((text, Kept::AsItIs(code))) => {
            let there = codes::get(tx, place, &code)?;
            must_be_free(text, there.is_none())?;
            codes::create_as(tx, act, place, id, &code)?
        }
        Some((text, Kept::AsName(vanity))) => {
            let owner = owner(tx, place, text)?;
            must_be_free(text, owner.is_none_or(|owner| owner == *id))?;
            names::create(tx, act, place, id, &vanity)?
        }
        None => codes::create(tx, act, place, id)?,
    }))
}

/// As what a text is kept.
enum Kept {
    AsItIs(String),
    AsName(Vanity),
}

/// Which of these texts a new code is made of: only as the code itself can one of eight letters and digits be kept.
fn kept(given: &[Given]) -> Option<(&str, Kept)> {
    let texts = || given.iter().map(|given| given.text.as_str());
    let mut codes = texts().filter_map(|text| Some((text, Kept::AsItIs(code::normalize(text)?))));
    let mut names =
        texts().filter_map(|text| Some((text, Kept::AsName(Vanity::parse(text).ok()?))));
    codes.next().or_else(|| names.next())
}

fn must_be_free(text: &str, is_free: bool) -> Result<(), Stop> {
    let why = || Stop::Refused(format!("the code `{text:.40}` is taken here already"));
    is_free.then_some(()).ok_or_else(why)
}

/// Whose code a text is, or is a name of.
fn owner(tx: &mut dyn Tx, place: &Place, text: &str) -> Result<Option<String>, Stop> {
    let Some(code) = names::resolve(tx, place, text)? else {
        return Ok(None);
    };
    Ok(codes::get(tx, place, &code)?.map(|code| code.customer_id))
}

/// Whose address or code it is.
fn find(tx: &mut dyn Tx, place: &Place, key: &str) -> Result<There, Stop> {
    let nobody = || {
        Stop::Refused(format!(
            "nobody here or in the file has the address, code or id `{key:.80}`"
        ))
    };
    let address = folded(key);
    let customer = match customers::get_by_email(tx, place, &address)? {
        Some(customer) => customer,
        None => {
            let owner = owner(tx, place, key)?.ok_or_else(nobody)?;
            customers::get(tx, place, &owner)?.ok_or_else(nobody)?
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
            false => Err(Stop::Refused(BROUGHT_BEFORE.to_owned())),
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
            let note = format!(
                "its referral is `{status:.40}` where it comes from, so there is none here"
            );
            made.notes.push((None, note));
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
