//! What a subscription or a session can do for a referral, by its status.

use super::meaning::{Eligibility, Kind};

/// Source of the statuses: <https://docs.stripe.com/api/subscriptions/object#subscription_object-status>.
pub(super) fn subscription_eligibility(
    kind: Kind,
    status: Option<&str>,
) -> (Eligibility, Option<&'static str>) {
    // A deleted subscription existed, whatever status it ends in, and its end pays nobody.
    if matches!(kind, Kind::SubscriptionDeleted) {
        return (Eligibility::Past, Some("subscription deleted"));
    }
    match status {
        Some("active" | "trialing") => (Eligibility::Counts, None),
        Some("incomplete") => (Eligibility::Waits, Some("subscription incomplete")),
        Some("past_due") => (Eligibility::Past, Some("subscription past due")),
        Some("unpaid") => (Eligibility::Past, Some("subscription unpaid")),
        Some("paused") => (Eligibility::Past, Some("subscription paused")),
        Some("canceled") => (Eligibility::Past, Some("subscription canceled")),
        Some("incomplete_expired") => (Eligibility::Never, Some("subscription incomplete expired")),
        // The list of statuses is open; one we do not know must not pay, nor close the matter.
        _ => (Eligibility::Waits, Some("subscription status unknown")),
    }
}

/// Sources: <https://docs.stripe.com/api/checkout/sessions/object#checkout_session_object-mode>
/// and <https://docs.stripe.com/api/checkout/sessions/object#checkout_session_object-payment_status>.
pub(super) fn session_eligibility(
    kind: Kind,
    mode: Option<&str>,
    payment_status: Option<&str>,
) -> (Eligibility, Option<&'static str>) {
    match mode {
        Some("subscription") => {}
        Some("payment") => return (Eligibility::Never, Some("mode payment")),
        // A card changed in the customer portal arrives as a completed session of this mode.
        Some("setup") => return (Eligibility::Never, Some("mode setup")),
        _ => return (Eligibility::Never, Some("mode unknown")),
    }
    match kind {
        Kind::SessionExpired => return (Eligibility::Never, Some("session expired")),
        Kind::SessionFailed => return (Eligibility::Never, Some("payment failed")),
        _ => {}
    }
    match payment_status {
        Some("paid" | "no_payment_required") => (Eligibility::Counts, None),
        Some("unpaid") => (Eligibility::Waits, Some("payment unpaid")),
        _ => (Eligibility::Waits, Some("payment status unknown")),
    }
}
