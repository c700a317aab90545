//! Events as Stripe would send them, signed as Stripe would sign them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// The customer whom the story's referee is in Stripe.
pub(super) const CUSTOMER: &str = "cus_DemoGrace";

/// The customer whom the story's referrer is in Stripe.
pub(super) const REFERRER: &str = "cus_DemoAda";

pub(super) const SUBSCRIPTION: &str = "sub_DemoGrace";

/// What the team is connected with. Whatever stands in for Stripe takes it.
pub(super) const SECRET_KEY: &str = "sk_test_Demo";

/// Stripe's version of its own API that these shapes are of.
const API_VERSION: &str = "2025-09-30.clover";

/// The value of `Stripe-Signature` for a body sent at that time, in seconds.
pub(super) fn sign(body: &[u8], secret: &str, at: i64) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(format!("{at}.").as_bytes());
    mac.update(body);
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}

/// The buyer has paid in a checkout that opens a subscription.
pub(super) fn checkout_completed(at: i64) -> Value {
    let session = json!({
        "id": "cs_test_DemoGrace",
        "object": "checkout.session",
        "created": at,
        "customer": CUSTOMER,
        "livemode": false,
        "mode": "subscription",
        "payment_status": "paid",
        "status": "complete",
        "subscription": SUBSCRIPTION,
    });
    event(
        "evt_DemoCheckout",
        "checkout.session.completed",
        at,
        session,
    )
}

/// The subscription that the checkout opened.
pub(super) fn subscription_created(at: i64) -> Value {
    let subscription = json!({
        "id": SUBSCRIPTION,
        "object": "subscription",
        "created": at,
        "customer": CUSTOMER,
        "livemode": false,
        "status": "active",
    });
    event(
        "evt_DemoSubscription",
        "customer.subscription.created",
        at,
        subscription,
    )
}

fn event(id: &str, kind: &str, at: i64, object: Value) -> Value {
    json!({
        "id": id,
        "object": "event",
        "api_version": API_VERSION,
        "created": at,
        "data": {"object": object},
        "livemode": false,
        "type": kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_stripe_does() {
        // Computed with: printf '1.{}' | openssl dgst -sha256 -hmac whsec_test
        let header = sign(b"{}", "whsec_test", 1);
        assert_eq!(header, SIGNED);
    }

    const SIGNED: &str = "t=1,v1=7500d5d4be4b3ef07af1fe56f7d522d135cdaa7530de557e67cc1049c52de094";
}
