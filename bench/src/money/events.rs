//! What Stripe tells of those who convert.

use super::world::Team;
use crate::client::post;
use crate::seed::stripe_id;
use crate::workloads::{now, sign, subscription_event};

fn tell(team: &Team, event: &[u8]) -> Vec<u8> {
    let header = format!(
        "stripe-signature: {}\r\n",
        sign(&team.target.secret, now(), event)
    );
    let path = format!("/api/webhooks/stripe/{}", team.target.place.team_id);
    post(&path, &header, event)
}

/// The Stripe customer of the n-th referee.
fn referee(team: &Team, n: u64) -> String {
    stripe_id(team.first + team.target.size.codes() + n)
}

/// Their subscription begins.
pub(super) fn converted(team: &Team, n: u64) -> Vec<u8> {
    let customer = referee(team, n);
    tell(team, &subscription_event(&customer, &customer, now()))
}

/// Its first invoice is paid.
pub(super) fn paid(team: &Team, n: u64) -> Vec<u8> {
    let (id, now) = (referee(team, n), now());
    let event = format!(
        r#"{{"id":"evt_i{id}","object":"event","api_version":"2024-06-20","created":{now},"livemode":false,
"type":"invoice.paid","data":{{"object":{{"id":"in_{id}","object":"invoice","amount_due":2000,"amount_paid":2000,
"billing_reason":"subscription_create","charge":"ch_{id}","created":{now},"currency":"usd","customer":"{id}",
"paid":true,"payment_intent":"pi_{id}","status":"paid","subscription":"sub_{id}"}}}}}}"#
    );
    tell(team, event.as_bytes())
}

/// Three tenths of that are paid back.
pub(super) fn refunded(team: &Team, n: u64) -> Vec<u8> {
    let (id, now) = (referee(team, n), now());
    let event = format!(
        r#"{{"id":"evt_r{id}","object":"event","api_version":"2024-06-20","created":{now},"livemode":false,
"type":"charge.refunded","data":{{"object":{{"id":"ch_{id}","object":"charge","amount":2000,"amount_captured":2000,
"amount_refunded":600,"currency":"usd","customer":"{id}","invoice":"in_{id}","payment_intent":"pi_{id}"}},
"previous_attributes":{{"amount_refunded":0}}}}}}"#
    );
    tell(team, event.as_bytes())
}
