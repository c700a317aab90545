//! Webhook bodies.

use serde_json::{Value, json};

use crate::generation::Generation;
use crate::ids;
use crate::object::EventObject;

/// What an event says about itself besides its kind and object.
#[derive(Debug, Clone, PartialEq)]
pub struct EventOptions {
    id: String,
    generation: Generation,
    created: i64,
    livemode: bool,
    account: Option<String>,
    previous: Option<Value>,
    request: Option<(String, Option<String>)>,
}

impl EventOptions {
    /// A test-mode event of the newest generation with a fresh id, created at this time (seconds
    /// since 1970).
    pub fn at(created: i64) -> Self {
        Self {
            id: ids::new("evt_1", 23),
            generation: Generation::Endive,
            created,
            livemode: false,
            account: None,
            previous: None,
            request: None,
        }
    }

    /// Sets the event's id.
    #[must_use]
    pub fn id(self, id: &str) -> Self {
        Self {
            id: id.to_owned(),
            ..self
        }
    }

    /// Sets the API version, and with it the shape of the object.
    #[must_use]
    pub fn generation(self, generation: Generation) -> Self {
        Self { generation, ..self }
    }

    /// Makes it a live-mode event.
    #[must_use]
    pub fn live(self) -> Self {
        Self {
            livemode: true,
            ..self
        }
    }

    /// Sets `account`, which events of connected accounts carry.
    #[must_use]
    pub fn account(self, account: &str) -> Self {
        Self {
            account: Some(account.to_owned()),
            ..self
        }
    }

    /// Sets `data.previous_attributes`, which updates carry.
    #[must_use]
    pub fn previous_attributes(self, previous: Value) -> Self {
        Self {
            previous: Some(previous),
            ..self
        }
    }

    /// Names the API request that caused it.
    #[must_use]
    pub fn request(self, id: &str, idempotency_key: Option<&str>) -> Self {
        Self {
            request: Some((id.to_owned(), idempotency_key.map(str::to_owned))),
            ..self
        }
    }
}

/// An event of this kind, such as `customer.subscription.created`, about this object.
pub fn event(kind: &str, object: &impl EventObject, options: &EventOptions) -> Value {
    let (request, key) = options
        .request
        .clone()
        .map_or((None, None), |(id, key)| (Some(id), key));
    let mut event = json!({
        "id": options.id,
        "object": "event",
        "api_version": options.generation.api_version(),
        "created": options.created,
        "data": {"object": object.render(options.generation, options.livemode)},
        "livemode": options.livemode,
        "pending_webhooks": 1,
        "request": {"id": request, "idempotency_key": key},
        "type": kind
    });
    if let Some(previous) = &options.previous {
        event["data"]["previous_attributes"] = previous.clone();
    }
    if let Some(account) = &options.account {
        event["account"] = json!(account);
    }
    event
}

/// A thin event about the object with this id: it names the object and does not hold it.
///
/// `kind` is that of the full event, such as `customer.subscription.created`; `snapshot` is the id of
/// that event, when there is one.
pub fn thin_event(
    kind: &str,
    object_id: &str,
    snapshot: Option<&str>,
    options: &EventOptions,
) -> Value {
    let (object_type, collection) = match object_id.split('_').next().unwrap_or_default() {
        "sub" => ("subscription", "subscriptions"),
        "cs" => ("checkout.session", "checkout/sessions"),
        "cus" => ("customer", "customers"),
        "in" => ("invoice", "invoices"),
        "inpay" => ("invoice_payment", "invoice_payments"),
        "pi" => ("payment_intent", "payment_intents"),
        "ch" | "py" => ("charge", "charges"),
        "re" | "pyr" => ("refund", "refunds"),
        "du" => ("dispute", "disputes"),
        "cn" => ("credit_note", "credit_notes"),
        other => (other, other),
    };
    let created =
        jiff::Timestamp::from_second(options.created).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let mut event = json!({
        "id": options.id,
        "object": "v2.core.event",
        "context": options.account,
        "created": format!("{created:.3}"),
        "livemode": options.livemode,
        "reason": options.request.as_ref().map(|(id, key)| json!({
            "type": "request", "request": {"id": id, "idempotency_key": key}
        })),
        "related_object": {
            "id": object_id, "type": object_type, "url": format!("/v1/{collection}/{object_id}")
        },
        "type": format!("v1.{kind}")
    });
    if let Some(snapshot) = snapshot {
        event["snapshot_event"] = json!(snapshot);
    }
    event
}

/// The bytes in which an event travels, indented as Stripe's are.
pub fn body(event: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(event).expect("a JSON value is always written")
}

#[cfg(test)]
mod tests {
    use super::{EventOptions, event, thin_event};
    use crate::{CheckoutSession, CustomerRef, Generation, Subscription};
    use serde_json::{Value, json};

    fn rendered(generation: Generation) -> (Value, Value) {
        let options = EventOptions::at(1_760_000_000).generation(generation);
        let subscription = Subscription::new("sub_1", "cus_1").customer_account("acct_1");
        let session =
            CheckoutSession::new("cs_test_1", CustomerRef::Null).customer_account("acct_1");
        let subscription = event("customer.subscription.created", &subscription, &options);
        (
            subscription,
            event("checkout.session.completed", &session, &options),
        )
    }

    #[test]
    fn members_move_with_the_generation() {
        for generation in Generation::ALL {
            let (subscription, session) = rendered(generation);
            assert_eq!(subscription["api_version"], generation.api_version());
            let subscription = &subscription["data"]["object"];
            let session = &session["data"]["object"];
            let on_items = generation >= Generation::Basil;
            assert_eq!(subscription.get("current_period_end").is_none(), on_items);
            assert_eq!(
                subscription["items"]["data"][0]
                    .get("current_period_end")
                    .is_some(),
                on_items
            );
            assert_eq!(
                subscription.get("customer_account").is_some(),
                generation == Generation::Endive
            );
            assert_eq!(
                session.get("shipping").is_some(),
                generation == Generation::V2020
            );
            assert_eq!(session.get("collected_information").is_some(), on_items);
            assert_eq!(
                session.get("customer_account").is_some(),
                generation == Generation::Endive
            );
            assert_eq!(session["customer"], Value::Null);
            assert_eq!(session["subscription"], "sub_1");
        }
    }

    #[test]
    fn a_customer_can_be_expanded() {
        let customer = json!({"id": "cus_1", "object": "customer", "deleted": true});
        let subscription = Subscription::new("sub_1", customer.clone());
        let event = event(
            "customer.subscription.created",
            &subscription,
            &EventOptions::at(1).live(),
        );
        assert_eq!(event["data"]["object"]["customer"], customer);
        assert_eq!(
            (&event["livemode"], &event["data"]["object"]["livemode"]),
            (&json!(true), &json!(true))
        );
    }

    #[test]
    fn a_thin_event_only_names_its_object() {
        let options = EventOptions::at(1_760_000_000).id("evt_thin");
        let event = thin_event(
            "checkout.session.completed",
            "cs_test_1",
            Some("evt_1"),
            &options,
        );
        assert_eq!(event["created"], "2025-10-09T08:53:20.000Z");
        assert_eq!(event["type"], "v1.checkout.session.completed");
        assert_eq!(
            event["related_object"]["url"],
            "/v1/checkout/sessions/cs_test_1"
        );
        assert_eq!(event["snapshot_event"], "evt_1");
        assert!(event.get("data").is_none());
    }
}
