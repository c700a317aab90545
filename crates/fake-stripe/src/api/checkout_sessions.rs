//! `/v1/checkout/sessions`

use serde_json::{Map, Value, json};

use super::{Answer, customers, params};
use crate::books::Books;
use crate::call::Call;
use crate::error::StripeError;
use crate::ids;
use crate::object::{CheckoutSession, CustomerRef, EventObject};

const CREATE: [&str; 18] = [
    "allow_promotion_codes",
    "cancel_url",
    "client_reference_id",
    "currency",
    "customer",
    "customer_account",
    "customer_creation",
    "customer_email",
    "discounts",
    "expires_at",
    "line_items",
    "locale",
    "metadata",
    "mode",
    "payment_intent_data",
    "return_url",
    "subscription_data",
    "success_url",
];
const LONGEST_REFERENCE: usize = 200;

pub(super) fn create(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    params::allow(call, &CREATE)?;
    let refuse =
        |param: &str, message: &str| StripeError::parameter("parameter_invalid", param, message);
    let mode =
        params::choice(call, "mode", &["payment", "setup", "subscription"])?.unwrap_or("payment");
    let success_url = params::required(call, "success_url")?;
    if mode != "setup" && !call.params.contains_key("line_items") {
        return Err(StripeError::parameter(
            "parameter_missing",
            "line_items",
            "Missing required param: line_items.",
        ));
    }
    let customer = params::text(call, "customer")?;
    if let Some(id) = customer {
        customers::existing(books, id, "customer")?;
    }
    let prefix = if call.livemode {
        "cs_live_a1"
    } else {
        "cs_test_a1"
    };
    let mut session = CheckoutSession::new(
        &ids::new(prefix, 56),
        customer.map_or(CustomerRef::Null, CustomerRef::from),
    )
    .mode(mode)
    .status("open")
    .payment_status(if mode == "setup" {
        "no_payment_required"
    } else {
        "unpaid"
    })
    .subscription(None)
    .success_url(success_url)
    .created(call.now);
    if let Some(email) = params::text(call, "customer_email")? {
        if customer.is_some() {
            return Err(refuse(
                "customer_email",
                "Only one of customer and customer_email can be given.",
            ));
        }
        session = session.customer_email(email);
    }
    if let Some(reference) = params::text(call, "client_reference_id")? {
        if reference.chars().count() > LONGEST_REFERENCE {
            return Err(refuse("client_reference_id", "The reference is too long."));
        }
        session = session.client_reference_id(reference);
    }
    let mut metadata = Map::new();
    params::merge_metadata(call, &mut metadata)?;
    let mut session = session.render(call.generation, call.livemode);
    session["metadata"] = Value::Object(metadata);
    session["cancel_url"] = json!(params::text(call, "cancel_url")?);
    books.checkout_sessions.put(session.clone());
    Ok(session)
}

pub(super) fn retrieve(books: &mut Books, call: &Call, ids: &[String]) -> Answer {
    params::allow(call, &[])?;
    let found = books.checkout_sessions.get(&ids[0]).cloned();
    found.ok_or_else(|| StripeError::missing("checkout.session", &ids[0], "session"))
}
