//! Money: credits, and the entries behind them.

declare_rules! {
    entries_balance, "the lines of an entry sum to zero" =
        concat!("SELECT credit_id, ", place_of!("entry_lines"), " FROM entry_lines \
        GROUP BY team_id, project_id, credit_id, seq HAVING SUM(amount) <> 0 LIMIT 100");

    entry_lines, "an entry has lines" =
        concat!("SELECT e.credit_id, ", place_of!("e"), " FROM entries e \
        LEFT JOIN entry_lines l ON l.team_id = e.team_id AND l.project_id = e.project_id \
        AND l.credit_id = e.credit_id AND l.seq = e.seq WHERE l.seq IS NULL LIMIT 100");

    entry_numbers, "the entries of a credit are numbered from 1 without a gap" =
        concat!("SELECT credit_id, ", place_of!("entries"), " FROM entries \
        GROUP BY team_id, project_id, credit_id \
        HAVING MIN(seq) <> 1 OR MAX(seq) <> COUNT(*) LIMIT 100");

    credit_lines, "the customer's lines of a credit sum to its amount, and the program's to the \
        opposite" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c \
        LEFT JOIN entry_lines l ON l.team_id = c.team_id AND l.project_id = c.project_id \
        AND l.credit_id = c.id GROUP BY c.team_id, c.project_id, c.id, c.amount \
        HAVING COALESCE(SUM(CASE WHEN l.account = 'customer' THEN l.amount END), 0) <> c.amount \
        OR COALESCE(SUM(CASE WHEN l.account = 'program' THEN l.amount END), 0) <> -c.amount LIMIT 100");

    referrer_credit, "a converted referral has the referrer's credit exactly as promised, and none \
        when nothing was promised" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        JOIN terms t ON t.team_id = r.team_id AND t.id = r.terms_id \
        LEFT JOIN credits c ON c.team_id = r.team_id AND c.project_id = r.project_id \
        AND c.referral_id = r.id AND c.side = 'referrer' WHERE r.status = 'converted' AND (\
        (t.referrer_credit_amount = 0 AND c.id IS NOT NULL) OR (t.referrer_credit_amount > 0 AND (\
        c.id IS NULL OR c.amount <> t.referrer_credit_amount OR c.currency <> t.currency \
        OR c.customer_id <> r.referrer_customer_id))) LIMIT 100");

    referee_credit, "a converted referral has the referee's credit exactly as promised, and none \
        when nothing was promised" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        JOIN terms t ON t.team_id = r.team_id AND t.id = r.terms_id \
        LEFT JOIN credits c ON c.team_id = r.team_id AND c.project_id = r.project_id \
        AND c.referral_id = r.id AND c.side = 'referee' WHERE r.status = 'converted' AND (\
        (t.referee_credit_amount = 0 AND c.id IS NOT NULL) OR (t.referee_credit_amount > 0 AND (\
        c.id IS NULL OR c.amount <> t.referee_credit_amount OR c.currency <> t.currency \
        OR c.customer_id <> r.referee_customer_id))) LIMIT 100");

    one_credit_per_side, "a conversion gave one credit per side at most" =
        concat!("SELECT referral_id, ", place_of!("credits"), " || ', ' || side FROM credits \
        WHERE kind = 'referral' \
        GROUP BY team_id, project_id, referral_id, side HAVING COUNT(*) > 1 LIMIT 100");

    credit_of_converted, "only a converted referral has credits" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c \
        LEFT JOIN referrals r ON r.team_id = c.team_id AND r.project_id = c.project_id \
        AND r.id = c.referral_id WHERE c.kind = 'referral' \
        AND (r.status IS NULL OR r.status <> 'converted') LIMIT 100");

    credit_created_at, "a credit is not older than its referral" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c JOIN referrals r \
        ON r.team_id = c.team_id AND r.project_id = c.project_id AND r.id = c.referral_id \
        WHERE c.created_at < r.created_at LIMIT 100");

    credit_granted_event, "a credit has exactly one credit.granted in the log" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c \
        WHERE (SELECT COUNT(*) FROM events e WHERE e.team_id = c.team_id \
        AND e.referral_id = c.referral_id AND e.project_id = c.project_id AND e.subject = c.id \
        AND e.type = 'credit.granted') <> 1 LIMIT 100");
}
