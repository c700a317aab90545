//! Short phrases of the log, as a sentence says them.

use crate::delivery::{Pause, Reason};
use crate::payments::LossCause;

/// Why an event of Stripe did not convert a referral. What is not in this list is said as the log says it: the
/// phrases are ours, and hold nothing of anybody.
pub fn of_event(phrase: &str) -> String {
    let said = match phrase {
        "already converted" => {
            "its subscription or its customer of Stripe has converted a referral before"
        }
        "already referred" => "the friend had been referred as another customer before",
        "self-referral" => "the friend and the referrer are the same person",
        "referral expired" => "the time of the referral was over",
        "began too early" => "its subscription began too long before the code was applied",
        "in its trial" => "its subscription is in its trial, which does not count in this program",
        "waits for a paid invoice" => "only a paid invoice counts in this program",
        "invoice without a subscription" => "its invoice is of no subscription",
        "invoice not paid" => "its invoice is not paid in full",
        "nothing was paid" => "nothing was paid with real money",
        "less than the minimum was paid" => "less was paid than the program asks for",
        "minimum_in_other_currency" => {
            "the program asks for a minimum in another currency than the invoice has; somebody must decide"
        }
        "it is not known when the subscription began" => {
            "it is not known when its subscription began; Stripe is asked"
        }
        "waits for Stripe to tell whether the customer was new" => {
            "Stripe had not told yet whether the friend was new"
        }
        "ambiguous" => "several customers with a pending referral share its customer of Stripe",
        "named by client_reference_id, but linked to another Stripe customer" => {
            "it names the friend, who is linked to another customer of Stripe"
        }
        "subscription deleted" | "subscription canceled" => "its subscription has ended",
        "subscription incomplete" => "its subscription waits for its first payment",
        "subscription incomplete expired" => "the first payment of its subscription was never made",
        "subscription past due" => "a payment of its subscription is late",
        "subscription unpaid" => "its subscription is unpaid",
        "subscription paused" => "its subscription is paused",
        "mode payment" => "its checkout session was for a single payment",
        "mode setup" => "its checkout session only stored a way to pay",
        "session expired" => "its checkout session was left unfinished",
        "payment failed" => "the payment of its checkout session failed",
        "payment unpaid" => "its checkout session is not paid yet",
        other => other,
    };
    said.to_owned()
}

/// Why a referral was closed.
pub(super) fn of_end(phrase: &str) -> String {
    let said = match phrase {
        "customer erased" => "the friend or the referrer was erased",
        "not a new customer" => "Stripe told that the friend was not new when the code was applied",
        "not converted in time" => "nothing had converted it in time",
        other => other,
    };
    said.to_owned()
}

/// What the delivery of a credit waits for somebody to do.
pub(super) fn of_delivery(reason: Option<Reason>) -> String {
    let said = match reason {
        Some(Reason::NoStripeCustomer) => "the customer must be linked to a customer of Stripe",
        Some(Reason::CustomerDeleted) => {
            "the customer was deleted in Stripe, and must be linked to another one"
        }
        Some(Reason::CustomerUnknown) => {
            "the connected account of Stripe does not know the customer, who must be linked to one that it knows"
        }
        Some(Reason::CurrencyUnset) => {
            "the customer has no currency in Stripe yet, and must pay there first, or somebody must settle it"
        }
        Some(Reason::CurrencyMismatch) => {
            "the customer pays in another currency in Stripe, so somebody must settle it otherwise"
        }
        Some(Reason::StripeRefused) => {
            "Stripe refused it, so somebody must see to that and try again"
        }
        Some(Reason::PossibleDuplicate) => {
            "the same amount was given in Stripe by somebody else, who may have meant the same; somebody must decide"
        }
        Some(Reason::AmountDiffers) => {
            "its line in Stripe has another amount; somebody must decide"
        }
        Some(Reason::HistoryUnclear) => {
            "the history of the balance in Stripe is unclear; somebody must look"
        }
        Some(Reason::KeyConflict) => {
            "its key was used for another call to Stripe; somebody must try again"
        }
        Some(Reason::StripeUnreachable) => {
            "Stripe has not answered for days; somebody must try again"
        }
        Some(Reason::Other(_)) | None => "somebody must see to its delivery",
    };
    said.to_owned()
}

/// That a part of a credit was taken back, and by what.
pub(super) fn of_losses(causes: &[LossCause]) -> String {
    let causes: Vec<_> = causes.iter().copied().map(of_loss).collect();
    match causes.is_empty() {
        true => "was taken back".to_owned(),
        false => format!("was taken back because {}", causes.join(" and ")),
    }
}

const fn of_loss(cause: LossCause) -> &'static str {
    match cause {
        LossCause::Refund => "the friend's payment was refunded",
        LossCause::Dispute => "the friend's payment was disputed",
        LossCause::CreditNote => "a credit note gave the friend's payment back",
        LossCause::Unpaid => "the friend's invoice does not count as paid any more",
        LossCause::Ended => "the friend's subscription ended before anything was paid",
    }
}

/// Why nothing of a team is delivered, and who must do what.
pub(super) fn of_pause(pause: Pause, lacks: Option<&str>) -> String {
    match (pause, lacks) {
        (Pause::KeyInvalid, _) => {
            "Stripe does not take the secret key of the team any more; somebody must put in another one".to_owned()
        }
        (Pause::PermissionMissing, Some(lacks)) => format!(
            "the secret key of the team lacks the permission {lacks}; somebody must give it to the key"
        ),
        (Pause::PermissionMissing, None) => {
            "the secret key of the team lacks a permission; somebody must give it to the key".to_owned()
        }
        (Pause::Other(_), _) => "somebody must see to the secret key of the team".to_owned(),
    }
}
