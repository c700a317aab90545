//! Names of deeds and of their facts, as people call them.

/// Each type of event with what it says, in the order of the log's catalogue.
const SAID: &[(&str, &str)] = &[
    ("api_key.created", "An API key was made"),
    ("api_key.revoked", "An API key was revoked"),
    ("attention.dismissed", "A line of attention was dismissed"),
    ("budget.exhausted", "The budget is used up"),
    ("budget.low", "Four fifths of the budget are out"),
    ("code.created", "A code was made"),
    ("code.deactivated", "A code was deactivated"),
    ("code.renamed", "A code got another name"),
    ("credit.applied", "An invoice used a credit"),
    ("credit.delivered", "A credit reached Stripe's balance"),
    ("credit.granted", "A credit was granted"),
    (
        "credit.put_back",
        "A credit was put back into Stripe's balance",
    ),
    ("credit.released", "The hold of a credit ended"),
    ("credit.restored", "A credit was given again"),
    ("credit.reversed", "A credit was taken back"),
    ("credit.settled", "A credit was paid elsewhere"),
    ("credit.shortfall", "A credit could not be taken back"),
    (
        "credit.shortfall_canceled",
        "A credit need not be taken back any more",
    ),
    ("credit.unapplied", "An invoice gave a credit back"),
    ("customer.created", "A customer was created"),
    ("customer.erased", "A customer was erased"),
    ("customer.linked", "A customer was linked to Stripe"),
    ("customer.updated", "A customer was changed"),
    (
        "delivery.fell_short",
        "Less was in Stripe's balance than was to be taken back",
    ),
    (
        "delivery.needs_attention",
        "The delivery of a credit waits for a person",
    ),
    ("delivery.requested", "A credit was sent to Stripe"),
    ("delivery.retried", "The delivery of a credit was resumed"),
    ("invitation.accepted", "An invitation was accepted"),
    ("invitation.created", "Somebody was invited"),
    ("invitation.revoked", "An invitation was taken back"),
    ("links.updated", "The share links were changed"),
    ("member.joined", "Somebody joined the team"),
    ("member.removed", "Somebody left the team"),
    ("member.role_changed", "A member got another role"),
    ("portal.sessions_ended", "All portal sessions were ended"),
    ("portal.updated", "The portal was changed"),
    ("program.updated", "The program was changed"),
    ("project.clock_advanced", "The test clock was moved"),
    ("project.created", "A project was created"),
    ("referral.applied", "The code was applied"),
    ("referral.converted", "The referral converted"),
    ("referral.credit_withheld", "A side got no credit"),
    (
        "referral.expired",
        "The referral ended without a conversion",
    ),
    (
        "referral.not_converted",
        "An event of Stripe did not convert it",
    ),
    ("stripe.connected", "Stripe was connected"),
    ("stripe.disconnected", "Stripe was disconnected"),
    (
        "stripe.webhook_secret_rolled",
        "The secret of Stripe's webhooks was replaced",
    ),
    ("team.created", "The team was created"),
    ("user.password_set", "A password was set"),
    ("webhook_endpoint.created", "A webhook endpoint was made"),
    ("webhook_endpoint.deleted", "A webhook endpoint was removed"),
    (
        "webhook_endpoint.disabled",
        "A webhook endpoint was disabled",
    ),
    ("webhook_endpoint.enabled", "A webhook endpoint was enabled"),
    ("webhook_endpoint.failing", "A webhook endpoint is failing"),
    (
        "webhook_endpoint.replayed",
        "Events were sent to a webhook endpoint again",
    ),
    (
        "webhook_endpoint.secret_rotated",
        "The secret of a webhook endpoint was replaced",
    ),
    ("webhook_endpoint.updated", "A webhook endpoint was changed"),
];

/// Facts whose name alone, taken apart, would not be what people call them.
const FACTS: &[(&str, &str)] = &[
    ("amounts", "Since then"),
    ("budgetOut", "Of it out"),
    ("changed", "What"),
    ("clickIgnored", "The click does not count"),
    ("customerId", "Customer"),
    ("line", "Line"),
    ("livemode", "Live"),
    ("oldValidUntil", "The old one is good until"),
    ("paidBeforeInMonth", "Paid before in the month"),
    ("paidBeforeTotal", "Paid before in all"),
    ("refereeCreditAmount", "Promised to the friend"),
    ("refereeCustomerId", "Friend"),
    ("referrerCreditAmount", "Promised to who referred"),
    ("referrerCustomerId", "Referred by"),
    ("stripeEventId", "Stripe's event"),
    ("stripeEventType", "Its type"),
    ("stripeObjectId", "At Stripe"),
    ("stripeTransactionId", "Line of the balance"),
    ("userId", "Who"),
];

/// What an event says; one that this version does not know is told by its type.
pub(in crate::pages) fn said(kind: &str) -> &str {
    let found = SAID.iter().find(|(known, _)| *known == kind);
    found.map_or(kind, |(_, words)| words)
}

/// What a fact is called.
pub(super) fn fact(name: &str) -> String {
    if let Some((_, known)) = FACTS.iter().find(|(known, _)| *known == name) {
        return (*known).to_owned();
    }
    let name = name.strip_suffix("Id").unwrap_or(name);
    let mut words = String::new();
    for letter in name.chars() {
        match (words.is_empty(), letter.is_ascii_uppercase()) {
            (true, _) => words.push(letter.to_ascii_uppercase()),
            (false, true) => words.extend([' ', letter.to_ascii_lowercase()]),
            (false, false) => words.push(letter),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use billstack_core::event::Event;

    use super::*;

    #[test]
    fn every_type_of_event_is_said_in_words() {
        let known: Vec<_> = SAID.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(known, Event::KINDS);
        assert_eq!(said("of.tomorrow"), "of.tomorrow");
    }

    #[test]
    fn a_fact_has_a_name_of_words() {
        assert_eq!(fact("heldUntil"), "Held until");
        assert_eq!(fact("stripeCustomerId"), "Stripe customer");
        assert_eq!(fact("amount"), "Amount");
        assert_eq!(fact("refereeCustomerId"), "Friend");
    }
}
