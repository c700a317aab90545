//! What Stripe told when it was asked, taken for events.

use billstack_core::payments::Told;
use billstack_core::stripe_event::Start;
use billstack_core::time::Micros;
use serde_json::json;

use super::{Content, Incoming, PAYMENT_FOUND, Source};

impl Incoming {
    /// A subscription that Stripe told of when it was asked, taken for an event of its own: whoever asks
    /// why the referral converted finds it among the others.
    pub(in crate::operations) fn asked(start: &Start, at: Micros) -> Incoming {
        Incoming {
            id: format!("asked_{}", start.object_id),
            kind: "customer.subscription.found".to_owned(),
            created_at: at,
            livemode: None,
            source: Source::Asked,
            content: Content::Start(Box::new(start.clone())),
            payload: json!({"id": start.object_id, "object": "subscription"}).to_string(),
            signed_with: None,
            link_answer: None,
        }
    }

    /// What Stripe told of payments when it was asked, taken for an event of its own as well.
    pub(in crate::operations) fn payment_asked(id: String, told: Told, at: Micros) -> Incoming {
        Incoming {
            id,
            kind: PAYMENT_FOUND.to_owned(),
            created_at: at,
            livemode: None,
            source: Source::Asked,
            content: Content::Money(Box::new(told)),
            payload: String::new(),
            signed_with: None,
            link_answer: None,
        }
    }
}
