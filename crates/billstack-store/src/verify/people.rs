//! Customers, and what erasing one must have taken away.

use crate::tables::teams::team_of;

declare_rules! {
    erased_person, "an erased customer has no e-mail address, name, external id or metadata, and \
        any other has an address" =
        concat!("SELECT id, ", place_of!("customers"), " FROM customers \
        WHERE (erased_at IS NULL AND email IS NULL) OR (erased_at IS NOT NULL AND (\
        email IS NOT NULL OR name IS NOT NULL OR external_id IS NOT NULL OR metadata <> '{}')) \
        LIMIT 100");

    erased_code, "an erased customer has no active code" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM customers c JOIN codes k \
        ON k.team_id = c.team_id AND k.project_id = c.project_id AND k.customer_id = c.id \
        WHERE c.erased_at IS NOT NULL AND k.is_active LIMIT 100");

    erased_names, "no name of a code of an erased customer is left" =
        concat!("SELECT a.code, ", place_of!("a"), " FROM code_aliases a JOIN customers c \
        ON c.team_id = a.team_id AND c.project_id = a.project_id AND c.id = a.customer_id \
        WHERE c.erased_at IS NOT NULL AND a.shown IS NOT NULL LIMIT 100");

    erased_ticket, "no ticket lets an erased customer in" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM customers c JOIN portal_tickets t \
        ON t.team_id = c.team_id AND t.project_id = c.project_id AND t.customer_id = c.id \
        WHERE c.erased_at IS NOT NULL LIMIT 100");

    erased_referee, "an erased customer is the referee of no pending referral" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM customers c JOIN referrals r \
        ON r.team_id = c.team_id AND r.project_id = c.project_id AND r.referee_customer_id = c.id \
        WHERE c.erased_at IS NOT NULL AND r.status = 'pending' LIMIT 100");

    erased_referrer, "an erased customer is the referrer of no pending referral" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM customers c JOIN referrals r \
        ON r.team_id = c.team_id AND r.project_id = c.project_id AND r.referrer_customer_id = c.id \
        WHERE c.erased_at IS NOT NULL AND r.status = 'pending' LIMIT 100");

    erased_payload, "no Stripe event about an erased customer keeps its body" =
        concat!("SELECT s.id, ", team_of!("s"), " FROM stripe_events s JOIN customers c \
        ON c.team_id = s.team_id AND c.project_id = s.project_id AND c.id = s.customer_id \
        WHERE c.erased_at IS NOT NULL AND s.payload IS NOT NULL LIMIT 100");

    payload_customer, "a Stripe event about a subscription keeps its body only with the customer it is \
        about" =
        concat!("SELECT s.id, ", team_of!("s"), " FROM stripe_events s \
        WHERE s.payload IS NOT NULL AND s.start IS NOT NULL AND s.customer_id IS NULL LIMIT 100");

    erased_answer, "no answer about an erased customer is kept for a repetition" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM customers c JOIN idempotency_keys i \
        ON i.team_id = c.team_id AND i.customer_id = c.id \
        WHERE c.erased_at IS NOT NULL LIMIT 100");

    erased_reservation, "no erased customer is being created in Stripe" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM customers c \
        JOIN work w ON w.team_id = c.team_id AND w.project_id = c.project_id \
        AND w.kind = 'customer_creation' AND REPLACE(w.facts, c.id, '') <> w.facts \
        WHERE c.erased_at IS NOT NULL LIMIT 100");
}
