//! Money: credits, and the postings behind them.

declare_rules! {
    postings_balance, "the postings of a credit sum to zero" =
        concat!("SELECT credit_id, ", place_of!("postings"), " FROM postings \
        GROUP BY team_id, project_id, credit_id HAVING SUM(amount) <> 0 LIMIT 100");

    postings_currency, "the postings of a credit are in its currency" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c JOIN postings p \
        ON p.team_id = c.team_id AND p.project_id = c.project_id AND p.credit_id = c.id \
        WHERE p.currency <> c.currency LIMIT 100");

    credit_postings, "a credit has one posting for its customer and one for the program, of its \
        amount" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c \
        LEFT JOIN postings u ON u.team_id = c.team_id AND u.project_id = c.project_id \
        AND u.credit_id = c.id AND u.account = 'customer' \
        LEFT JOIN postings g ON g.team_id = c.team_id AND g.project_id = c.project_id \
        AND g.credit_id = c.id AND g.account = 'program' \
        WHERE u.amount IS NULL OR g.amount IS NULL OR u.amount <> c.amount \
        OR g.amount <> -c.amount OR u.customer_id IS NULL OR u.customer_id <> c.customer_id \
        OR g.customer_id IS NOT NULL LIMIT 100");

    balances, "a customer's balance is the sum of its credits" =
        concat!("SELECT customer_id, ", place_of!("ledger"), " || ', ' || currency FROM (\
        SELECT team_id, project_id, customer_id, currency, amount FROM credits UNION ALL \
        SELECT team_id, project_id, customer_id, currency, -amount FROM postings \
        WHERE customer_id IS NOT NULL) AS ledger \
        GROUP BY team_id, project_id, customer_id, currency HAVING SUM(amount) <> 0 LIMIT 100");

    referrer_credit, "a converted referral has the referrer's credit exactly as promised, and none \
        when nothing was promised" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        LEFT JOIN credits c ON c.team_id = r.team_id AND c.project_id = r.project_id \
        AND c.referral_id = r.id AND c.side = 'referrer' WHERE r.status = 'converted' AND (\
        (r.referrer_credit_amount = 0 AND c.id IS NOT NULL) OR (r.referrer_credit_amount > 0 AND (\
        c.id IS NULL OR c.amount <> r.referrer_credit_amount OR c.currency <> r.currency \
        OR c.customer_id <> r.referrer_customer_id))) LIMIT 100");

    referee_credit, "a converted referral has the referee's credit exactly as promised, and none \
        when nothing was promised" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        LEFT JOIN credits c ON c.team_id = r.team_id AND c.project_id = r.project_id \
        AND c.referral_id = r.id AND c.side = 'referee' WHERE r.status = 'converted' AND (\
        (r.referee_credit_amount = 0 AND c.id IS NOT NULL) OR (r.referee_credit_amount > 0 AND (\
        c.id IS NULL OR c.amount <> r.referee_credit_amount OR c.currency <> r.currency \
        OR c.customer_id <> r.referee_customer_id))) LIMIT 100");

    one_credit_per_side, "a referral has one credit per side at most" =
        concat!("SELECT referral_id, ", place_of!("credits"), " || ', ' || side FROM credits \
        GROUP BY team_id, project_id, referral_id, side HAVING COUNT(*) > 1 LIMIT 100");

    credit_of_converted, "only a converted referral has credits" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c \
        LEFT JOIN referrals r ON r.team_id = c.team_id AND r.project_id = c.project_id \
        AND r.id = c.referral_id WHERE r.status IS NULL OR r.status <> 'converted' LIMIT 100");

    credit_created_at, "a credit is not older than its referral" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c JOIN referrals r \
        ON r.team_id = c.team_id AND r.project_id = c.project_id AND r.id = c.referral_id \
        WHERE c.created_at < r.created_at LIMIT 100");

    credit_granted_event, "a credit has exactly one credit.granted in the log" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c \
        WHERE (SELECT COUNT(*) FROM events e WHERE e.team_id = c.team_id \
        AND e.referral_id = c.referral_id AND e.project_id = c.project_id AND e.subject = c.id \
        AND e.type = 'credit.granted') <> 1 LIMIT 100");

    credit_as_granted, "a credit has the customer, side, amount and currency of its \
        credit.granted in the log" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c JOIN events e \
        ON e.team_id = c.team_id AND e.referral_id = c.referral_id \
        AND e.project_id = c.project_id AND e.subject = c.id AND e.type = 'credit.granted' \
        WHERE ", untold!(text "customerId", "c.customer_id"), " OR ", untold!(text "side", "c.side"),
        " OR ", untold!(number "amount", "c.amount"),
        " OR ", untold!(text "currency", "c.currency"), " LIMIT 100");
}
