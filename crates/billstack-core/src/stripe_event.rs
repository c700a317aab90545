//! What a Stripe webhook says, for every API version since 2020.
//!
//! An endpoint receives events in the version it was created under, for as long as it lives, so
//! this module never asks which version it has. It reads only members that sit in the same place
//! in all of them, each on its own: a member that is missing or of another type counts as absent
//! and never spoils the rest. Unknown members, statuses and types pass.
//!
//! Events come in two forms. A *snapshot* (<https://docs.stripe.com/api/events/object>) carries
//! the object it is about; a *thin* event (<https://docs.stripe.com/api/v2/core/events>) only
//! names it, and the object has to be fetched and handed to [`read_object`].

mod eligibility;
mod meaning;
mod members;
mod money;
mod subscriptions;

pub use meaning::{Eligibility, Meaning, Source, Start, is_customer_id, is_known, read_object};
pub use money::{Hint, hint_of, is_about_payments, refunds_listed, told_by};
pub use subscriptions::Subscriptions;

use crate::time::Micros;
use members::{is_object, members, root, text, time};
use serde_json::value::RawValue;
use std::fmt;

/// The longest event id or type taken, in characters. Stripe's are far shorter.
const LONGEST: usize = 255;

/// The `object` member of an event that carries its object.
const EVENT: &str = "event";

/// The `object` member that marks a thin event.
const THIN: &str = "v2.core.event";

/// An event, as far as we read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Stripe's id of the event; the same id means the same event, however often it arrives.
    pub id: String,
    /// The type, such as `customer.subscription.created`. Thin events write the types of the v1
    /// API with a leading `v1.`, which is removed here.
    pub kind: String,
    /// When it happened, by Stripe's clock.
    pub created: Micros,
    /// Whether it is from live mode; `None` when the event does not say.
    pub livemode: Option<bool>,
    /// What it means to us.
    pub meaning: Meaning,
}

/// A body that is not a Stripe event.
///
/// It says nothing of what the body held, because the sentence goes back to the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnEvent;

impl fmt::Display for NotAnEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body is not a Stripe event")
    }
}

impl std::error::Error for NotAnEvent {}

/// Reads a webhook body whose signature has been verified.
///
/// A body is an event when it is a JSON object in UTF-8 with a string `id` and a string `type` of
/// 1 to 255 characters without NUL (PostgreSQL cannot keep one) and, unless it is thin or calls
/// itself an event of a type we do not act on, an object at `data.object`. Of repeated members the last counts. `received_at` stands in for a time of
/// the event that is missing or cannot be read.
pub fn parse(body: &[u8], received_at: Micros) -> Result<Event, NotAnEvent> {
    let names = [
        "id",
        "object",
        "type",
        "created",
        "livemode",
        "data",
        "related_object",
        "context",
    ];
    let [id, object, kind, created, livemode, data, related, context] = root(body)
        .and_then(|body| members(body, names))
        .ok_or(NotAnEvent)?;

    let id = name(id).ok_or(NotAnEvent)?;
    let kind = name(kind).ok_or(NotAnEvent)?;
    let created = time(created).unwrap_or(received_at);
    let livemode = livemode.and_then(|raw| raw.get().parse().ok());

    if text(object).as_deref() == Some(THIN) {
        return Ok(Event {
            id,
            kind: without_version(kind),
            created,
            livemode,
            meaning: thin(related, context),
        });
    }
    let [inner, previous] = data
        .and_then(|data| members(data, ["object", "previous_attributes"]))
        .unwrap_or_default();
    let meaning = match inner.filter(|inner| is_object(inner)) {
        Some(inner) => meaning::read(&kind, inner, previous, created).ok_or(NotAnEvent)?,
        // An event we do not act on may come in a shape that we do not know.
        None if text(object).as_deref() == Some(EVENT) && !is_known(&kind) => Meaning::Irrelevant,
        None => return Err(NotAnEvent),
    };
    Ok(Event {
        id,
        kind,
        created,
        livemode,
        meaning,
    })
}

/// The `id` of a body, whether it is an event or an object.
pub fn id_of(body: &[u8]) -> Option<String> {
    let [id] = root(body).and_then(|body| members(body, ["id"]))?;
    text(id)
}

/// The customer of Stripe that an event of this type says was changed or deleted.
pub fn customer_changed(kind: &str, body: &[u8]) -> Option<String> {
    if !matches!(kind, "customer.updated" | "customer.deleted") {
        return None;
    }
    let [data, related] = root(body).and_then(|body| members(body, ["data", "related_object"]))?;
    let within = |data| members(data, ["object"]).and_then(|[object]| object);
    let object = related.or_else(|| data.and_then(within))?;
    let [id] = members(object, ["id"])?;
    members::identifier(id)
}

/// The customers of Stripe whose balances an event of this type (without a leading `v1.`) says may have changed.
pub fn balances_changed(kind: &str, body: &[u8]) -> Vec<String> {
    let data = root(body).and_then(|body| members(body, ["data"]));
    let [data] = data.unwrap_or_default();
    let of_data = data.and_then(|data| members(data, ["object", "previous_attributes"]));
    let [object, previous] = of_data.unwrap_or_default();
    if changes_balance(kind) {
        let named = object.and_then(|object| members(object, ["customer", "customer_account"]));
        return money::customers(named.unwrap_or_default());
    }
    // A thin event does not say what was changed.
    let names = ["balance", "invoice_credit_balance"];
    let told = previous.and_then(|previous| members(previous, names));
    let is_changed = data.is_none() || told.is_some_and(|told| told.iter().any(Option::is_some));
    let customer = customer_changed(kind, body).filter(|_| kind == "customer.updated");
    customer.filter(|_| is_changed).into_iter().collect()
}

/// Whether an event of this type (without a leading `v1.`) may have changed the balances of the customers that it
/// names.
pub fn changes_balance(kind: &str) -> bool {
    matches!(
        kind,
        "invoice.finalized" | "invoice.paid" | "invoice.voided"
    )
}

fn thin(related: Option<&RawValue>, context: Option<&RawValue>) -> Meaning {
    let [object_id] = related
        .and_then(|related| members(related, ["id"]))
        .unwrap_or_default();
    let named = context.filter(|context| context.get() != "null");
    let context = named.and_then(|named| members::identifier(Some(named)));
    let context = context.filter(|context| is_context(context));
    Meaning::Thin {
        // In a context that cannot be read it would be another account's object.
        object_id: members::identifier(object_id).filter(|_| named.is_none() || context.is_some()),
        context,
    }
}

/// Ids of accounts, each inside the one before, and nothing that is more than a word in a header.
fn is_context(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/".contains(&byte);
    text.bytes().all(is_plain)
}

/// The id or type of an event, if it is one we can keep.
fn name(raw: Option<&RawValue>) -> Option<String> {
    text(raw)
        .filter(|name| !name.is_empty() && name.chars().count() <= LONGEST && !name.contains('\0'))
}

fn without_version(kind: String) -> String {
    match kind.strip_prefix("v1.") {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => kind,
    }
}

#[cfg(test)]
mod tests;
