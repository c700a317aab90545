//! Codes, referrals, and the Stripe events that converted them.

use crate::teams::team_of;

declare_rules! {
    one_active_code, "a customer has one active code at most" =
        concat!("SELECT customer_id, ", place_of!("codes"), " FROM codes WHERE is_active \
        GROUP BY team_id, project_id, customer_id HAVING COUNT(*) > 1 LIMIT 100");

    code_deactivated_at, "a code has the time of its deactivation exactly when it is inactive" =
        concat!("SELECT code, ", place_of!("codes"), " FROM codes \
        WHERE is_active = (deactivated_at IS NOT NULL) LIMIT 100");

    one_referral_per_referee, "a customer is referred once at most" =
        concat!("SELECT referee_customer_id, ", place_of!("referrals"), " FROM referrals \
        GROUP BY team_id, project_id, referee_customer_id HAVING COUNT(*) > 1 LIMIT 100");

    one_conversion_per_stripe_customer, "a Stripe customer converts one referral of a project" =
        concat!("SELECT stripe_customer_id, ", place_of!("referrals"), " FROM referrals \
        WHERE stripe_customer_id IS NOT NULL \
        GROUP BY team_id, project_id, stripe_customer_id HAVING COUNT(*) > 1 LIMIT 100");

    one_conversion_per_subscription, "a subscription converts one referral of a team" =
        concat!("SELECT stripe_subscription_id, ", team_of!("referrals"), " FROM referrals \
        WHERE stripe_subscription_id IS NOT NULL \
        GROUP BY team_id, stripe_subscription_id HAVING COUNT(*) > 1 LIMIT 100");

    self_referral, "nobody refers themselves" =
        concat!("SELECT id, ", place_of!("referrals"), " FROM referrals \
        WHERE referrer_customer_id = referee_customer_id LIMIT 100");

    code_of_referrer, "the code of a referral exists and is the referrer's" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        LEFT JOIN codes c ON c.team_id = r.team_id AND c.project_id = r.project_id \
        AND c.code = r.code WHERE c.customer_id IS NULL \
        OR c.customer_id <> r.referrer_customer_id LIMIT 100");

    converted_at, "a referral has a time of conversion, not before its creation, exactly when it \
        is converted" =
        concat!("SELECT id, ", place_of!("referrals"), " FROM referrals \
        WHERE (status = 'converted') = (converted_at IS NULL) OR converted_at < created_at \
        LIMIT 100");

    conversion_of_converted, "only a converted referral names the Stripe customer, event and \
        subscription that converted it" =
        concat!("SELECT id, ", place_of!("referrals"), " FROM referrals \
        WHERE status <> 'converted' AND (stripe_customer_id IS NOT NULL \
        OR stripe_event_id IS NOT NULL OR stripe_subscription_id IS NOT NULL) LIMIT 100");

    conversion_named, "a converted referral names the Stripe event and the subscription that \
        converted it" =
        concat!("SELECT id, ", place_of!("referrals"), " FROM referrals \
        WHERE status = 'converted' AND (stripe_event_id IS NULL \
        OR stripe_subscription_id IS NULL) LIMIT 100");

    applied_event, "a referral has exactly one referral.applied in the log" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        WHERE (SELECT COUNT(*) FROM events e WHERE e.team_id = r.team_id AND e.referral_id = r.id \
        AND e.project_id = r.project_id AND e.type = 'referral.applied') <> 1 LIMIT 100");

    story_begins, "the story of a referral begins with referral.applied" =
        concat!("SELECT a.referral_id, ", place_of!("a"), " FROM events a \
        WHERE a.type = 'referral.applied' AND EXISTS (SELECT 1 FROM events e \
        WHERE e.team_id = a.team_id AND e.referral_id = a.referral_id \
        AND e.created_at < a.created_at) LIMIT 100");

    converted_event, "a converted referral has exactly one referral.converted in the log, any \
        other none" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        WHERE (SELECT COUNT(*) FROM events e WHERE e.team_id = r.team_id AND e.referral_id = r.id \
        AND e.project_id = r.project_id AND e.type = 'referral.converted') \
        <> CASE WHEN r.status = 'converted' THEN 1 ELSE 0 END LIMIT 100");

    referral_as_applied, "a referral has the code, customers, amounts and currency of its \
        referral.applied in the log" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r JOIN events e \
        ON e.team_id = r.team_id AND e.referral_id = r.id AND e.project_id = r.project_id \
        AND e.type = 'referral.applied' WHERE ", untold!(text "code", "r.code"),
        " OR ", untold!(text "referrerCustomerId", "r.referrer_customer_id"),
        " OR ", untold!(text "refereeCustomerId", "r.referee_customer_id"),
        " OR ", untold!(number "referrerCreditAmount", "r.referrer_credit_amount"),
        " OR ", untold!(number "refereeCreditAmount", "r.referee_credit_amount"),
        " OR ", untold!(text "currency", "r.currency"), " LIMIT 100");

    conversion_first, "the story of a referral tells of its conversion before its credits" =
        concat!("SELECT c.referral_id, ", place_of!("c"), " FROM events c \
        WHERE c.type = 'referral.converted' AND EXISTS (SELECT 1 FROM events g \
        WHERE g.team_id = c.team_id AND g.referral_id = c.referral_id \
        AND g.type = 'credit.granted' AND (g.created_at, g.id) < (c.created_at, c.id)) LIMIT 100");

    converted_by_event, "a converted referral was converted by a Stripe event that says so" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        LEFT JOIN stripe_events s ON s.team_id = r.team_id AND s.id = r.stripe_event_id \
        WHERE r.status = 'converted' AND (s.outcome IS NULL OR s.outcome <> 'converted' \
        OR s.referral_id IS NULL OR s.referral_id <> r.id OR s.project_id IS NULL \
        OR s.project_id <> r.project_id) LIMIT 100");

    event_converted, "a Stripe event that says it converted a referral did" =
        concat!("SELECT s.id, ", team_of!("s"), " FROM stripe_events s \
        LEFT JOIN referrals r ON r.team_id = s.team_id AND r.project_id = s.project_id \
        AND r.id = s.referral_id AND r.stripe_event_id = s.id AND r.status = 'converted' \
        WHERE s.outcome = 'converted' AND r.id IS NULL LIMIT 100");
}
