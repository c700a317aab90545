//! Codes, referrals, and the Stripe events that converted them.

use crate::tables::teams::team_of;

declare_rules! {
    name_of_code, "a name is among those of the code that it leads to" =
        concat!("SELECT a.alias, ", place_of!("a"), " FROM code_aliases a JOIN codes c \
        ON c.team_id = a.team_id AND c.project_id = a.project_id AND c.code = a.code \
        WHERE a.shown IS NOT NULL \
        AND ' ' || COALESCE(c.names, '') || ' ' NOT LIKE '% ' || a.shown || ' %' LIMIT 100");

    names_of_code, "every name of a code leads to it" =
        concat!("SELECT n.code, ", place_of!("n"), " FROM (SELECT c.team_id, c.project_id, c.code \
        FROM codes c LEFT JOIN code_aliases a ON a.team_id = c.team_id AND a.project_id = c.project_id \
        AND a.code = c.code AND a.shown IS NOT NULL WHERE c.names IS NOT NULL \
        GROUP BY c.team_id, c.project_id, c.code, c.names \
        HAVING COUNT(a.alias) <> LENGTH(c.names) - LENGTH(REPLACE(c.names, ' ', '')) + 1) AS n LIMIT 100");

    one_active_code, "a customer has one active code at most in a program" =
        concat!("SELECT customer_id, ", place_of!("codes"), " FROM codes WHERE is_active \
        GROUP BY team_id, project_id, program_id, customer_id HAVING COUNT(*) > 1 LIMIT 100");

    code_deactivated_at, "a code has the time of its deactivation exactly when it is inactive" =
        concat!("SELECT code, ", place_of!("codes"), " FROM codes \
        WHERE is_active = (deactivated_at IS NOT NULL) LIMIT 100");

    one_referral_per_referee, "a customer is referred once at most in a program" =
        concat!("SELECT referee_customer_id, ", place_of!("referrals"), " FROM referrals \
        GROUP BY team_id, project_id, program_id, referee_customer_id HAVING COUNT(*) > 1 LIMIT 100");

    one_conversion_per_stripe_customer, "a Stripe customer converts one referral of a program" =
        concat!("SELECT stripe_customer_id, ", place_of!("referrals"), " FROM referrals \
        WHERE stripe_customer_id IS NOT NULL \
        GROUP BY team_id, project_id, program_id, stripe_customer_id HAVING COUNT(*) > 1 LIMIT 100");

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

    promised_terms, "the terms of a referral are terms of its program" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        LEFT JOIN terms t ON t.team_id = r.team_id AND t.id = r.terms_id \
        WHERE t.id IS NULL OR t.program_id <> r.program_id LIMIT 100");

    end_of_referral, "a pending referral whose terms know an end is in the queue until then" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        JOIN terms t ON t.team_id = r.team_id AND t.id = r.terms_id \
        LEFT JOIN work w ON w.team_id = r.team_id AND w.project_id = r.project_id AND w.subject = r.id \
        AND w.kind = 'end_of_referral' WHERE r.status = 'pending' AND t.referral_expiry_days IS NOT NULL \
        AND w.subject IS NULL LIMIT 100");

    referral_clock, "a referral was not made by a clock that is further ahead than that of its project" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        JOIN projects p ON p.team_id = r.team_id AND p.project_id = r.project_id \
        WHERE r.clock_offset > p.clock_offset LIMIT 100");

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

    converted_by_event, "a converted referral was converted by a Stripe event that says so" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        LEFT JOIN stripe_events s ON s.team_id = r.team_id AND s.id = r.stripe_event_id \
        WHERE r.status = 'converted' AND (s.outcome IS NULL OR s.outcome <> 'converted' \
        OR s.referral_id IS NULL OR s.referral_id <> r.id OR s.project_id IS NULL \
        OR s.project_id <> r.project_id) LIMIT 100");

    test_conversion, "no referral of a test project was converted by a Stripe event of live mode" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM projects p JOIN referrals r \
        ON r.team_id = p.team_id AND r.project_id = p.project_id \
        JOIN stripe_events s ON s.team_id = r.team_id AND s.id = r.stripe_event_id \
        WHERE p.mode = 'test' AND s.livemode LIMIT 100");

    event_converted, "a Stripe event that says it converted a referral did" =
        concat!("SELECT s.id, ", team_of!("s"), " FROM stripe_events s \
        LEFT JOIN referrals r ON r.team_id = s.team_id AND r.project_id = s.project_id \
        AND r.id = s.referral_id AND r.stripe_event_id = s.id AND r.status = 'converted' \
        WHERE s.outcome = 'converted' AND r.id IS NULL LIMIT 100");
}
