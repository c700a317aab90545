//! What we need of a team's Stripe account: the events that come in, and what a key may do.

/// The types of event that a webhook endpoint should send. Stripe lists at most twenty types at once when it is asked
/// for events, so they are asked for in two passes.
pub const EVENTS: [&str; 25] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.updated",
    "customer.deleted",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.voided",
    "invoice.marked_uncollectible",
    "invoice_payment.paid",
    "charge.refunded",
    "charge.refund.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "credit_note.created",
    "credit_note.voided",
];

/// The permissions of a restricted key that are of use, as Stripe names them.
pub const PERMISSIONS: [&str; 11] = [
    "rak_customer_write",
    "rak_charge_read",
    "rak_dispute_read",
    "rak_credit_note_read",
    "rak_invoice_read",
    "rak_subscription_read",
    "rak_event_read",
    "rak_webhook_write",
    "rak_connected_account_read",
    "rak_payment_intent_read",
    "rak_checkout_session_read",
];

/// Every type but those that want to be named one by one; none of ours does.
const ALL: &str = "*";

/// From this version on a refund has events of its own, whatever it refunds.
const REFUNDS: &str = "2024-10-28";

/// From this version on a charge no longer names its invoice.
const NO_INVOICE: &str = "2025-03-31";

/// From this version on an event tells what paid an invoice.
const INVOICE_PAYMENTS: &str = "2025-05-28";

/// The types that an endpoint does not send, of those that it should.
pub fn missing(enabled: &[String]) -> Vec<&'static str> {
    let is_sent = |kind: &str| enabled.iter().any(|one| one == kind || one == ALL);
    EVENTS.into_iter().filter(|kind| !is_sent(kind)).collect()
}

/// Whether an endpoint alone tells which invoice a refund or dispute is about. `None` where it sends events in the
/// account's own version, which nobody tells us.
pub fn links_refunds(api_version: Option<&str>, enabled: &[String]) -> Option<bool> {
    let date = api_version?.get(..INVOICE_PAYMENTS.len())?;
    if (NO_INVOICE..INVOICE_PAYMENTS).contains(&date) {
        return Some(false);
    }
    let is_needed = |kind: &&str| match *kind {
        "invoice.paid" | "charge.refunded" => true,
        "invoice_payment.paid" => date >= INVOICE_PAYMENTS,
        "charge.refund.updated" => date < INVOICE_PAYMENTS,
        kind => {
            kind.starts_with("charge.dispute.") || (kind.starts_with("refund.") && date >= REFUNDS)
        }
    };
    Some(!missing(enabled).iter().any(is_needed))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all_but(left_out: &[&str]) -> Vec<String> {
        let sent = EVENTS.iter().filter(|kind| !left_out.contains(kind));
        sent.map(|kind| (*kind).to_owned()).collect()
    }

    #[test]
    fn every_type_and_permission_is_named_once() {
        assert_eq!(BTreeSet::from(EVENTS).len(), EVENTS.len());
        assert_eq!(BTreeSet::from(PERMISSIONS).len(), PERMISSIONS.len());
    }

    #[test]
    fn what_an_endpoint_lacks() {
        assert!(missing(&all_but(&[])).is_empty());
        assert!(missing(&["*".to_owned()]).is_empty());
        let lacks = ["invoice.paid", "credit_note.voided"];
        assert_eq!(missing(&all_but(&lacks)), lacks);
        assert_eq!(missing(&["customer.created".to_owned()]), EVENTS);
    }

    #[test]
    fn an_endpoint_links_refunds_when_its_version_and_its_events_do() {
        let links = |version, left_out: &[&str]| links_refunds(Some(version), &all_but(left_out));
        for version in ["2020-08-27", "2022-11-15", "2024-09-30.acacia"] {
            assert_eq!(links(version, &[]), Some(true), "{version}");
            let newer = ["refund.created", "refund.updated", "refund.failed"];
            let newer = [&newer[..], &["invoice_payment.paid"]].concat();
            assert_eq!(links(version, &newer), Some(true), "{version}");
            assert_eq!(links(version, &["charge.refund.updated"]), Some(false));
            assert_eq!(links(version, &["invoice.paid"]), Some(false));
        }
        for version in ["2024-10-28.acacia", "2025-02-24.acacia"] {
            assert_eq!(links(version, &["invoice_payment.paid"]), Some(true));
            assert_eq!(links(version, &["refund.created"]), Some(false));
        }
        for version in ["2025-03-31.basil", "2025-04-30.basil"] {
            assert_eq!(links(version, &[]), Some(false), "{version}");
        }
        for version in ["2025-05-28.basil", "2026-10-28.endive"] {
            assert_eq!(links(version, &["charge.refund.updated"]), Some(true));
            assert_eq!(links(version, &["invoice_payment.paid"]), Some(false));
            assert_eq!(links(version, &["charge.dispute.closed"]), Some(false));
            assert_eq!(links_refunds(Some(version), &["*".to_owned()]), Some(true));
        }
        assert_eq!(links_refunds(None, &all_but(&[])), None);
        assert_eq!(links_refunds(Some("?"), &all_but(&[])), None);
    }
}
