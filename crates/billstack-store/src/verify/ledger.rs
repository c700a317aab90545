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

    entry_moves, "an entry moves an amount between two accounts between which money may move" =
        concat!("SELECT credit_id, ", place_of!("entry_lines"), " FROM entry_lines \
        GROUP BY team_id, project_id, credit_id, seq HAVING COUNT(*) <> 2 \
        OR MAX(CASE WHEN amount < 0 THEN account END) || ' ' || MAX(CASE WHEN amount > 0 THEN account END) \
        NOT IN ({moves}) LIMIT 100");

    account_sums, "no account of a credit was ever below zero, but for those of the program and the memo, which never were above" =
        concat!("SELECT s.credit_id, ", place_of!("s"), " FROM (SELECT team_id, project_id, credit_id, account, \
        SUM(amount) OVER (PARTITION BY team_id, project_id, credit_id, account ORDER BY seq) AS so_far \
        FROM entry_lines) s WHERE (s.account IN ('program', 'memo')) = (s.so_far > 0) AND s.so_far <> 0 LIMIT 100");

    credit_parts, "the parts of a credit sum to its amount, and each is what the lines of its entries sum to" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c \
        LEFT JOIN entry_lines l ON l.team_id = c.team_id AND l.project_id = c.project_id \
        AND l.credit_id = c.id GROUP BY c.team_id, c.project_id, c.id, c.amount, c.held, c.available, \
        c.delivered, c.applied, c.settled, c.reversed, c.shortfall, c.entries \
        HAVING c.held + c.available + c.delivered + c.applied + c.settled + c.reversed <> c.amount \
        OR COALESCE(SUM(CASE WHEN l.account = 'program' THEN l.amount END), 0) <> c.reversed - c.amount \
        OR COALESCE(SUM(CASE WHEN l.account = 'held' THEN l.amount END), 0) <> c.held \
        OR COALESCE(SUM(CASE WHEN l.account = 'customer' THEN l.amount END), 0) <> c.available \
        OR COALESCE(SUM(CASE WHEN l.account = 'stripe' THEN l.amount END), 0) <> c.delivered \
        OR COALESCE(SUM(CASE WHEN l.account = 'applied' THEN l.amount END), 0) <> c.applied \
        OR COALESCE(SUM(CASE WHEN l.account = 'settled' THEN l.amount END), 0) <> c.settled \
        OR COALESCE(SUM(CASE WHEN l.account = 'shortfall' THEN l.amount END), 0) <> c.shortfall \
        OR COALESCE(MAX(l.seq), 0) <> c.entries LIMIT 100");

    credit_by_hand, "what of a credit was taken back by hand is what its entries with such a cause took back, less \
        what was put back of it" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c \
        LEFT JOIN entries e ON e.team_id = c.team_id AND e.project_id = c.project_id AND e.credit_id = c.id \
        AND e.cause = 'user' LEFT JOIN entry_lines l ON l.team_id = e.team_id AND l.project_id = e.project_id \
        AND l.credit_id = e.credit_id AND l.seq = e.seq AND l.account = 'program' \
        AND (l.amount > 0 OR e.operation_id IS NOT NULL) \
        GROUP BY c.team_id, c.project_id, c.id, c.reversed_by_hand \
        HAVING COALESCE(SUM(l.amount), 0) <> c.reversed_by_hand LIMIT 100");

    credit_status, "the status of a credit is what its parts say" =
        concat!("SELECT id, ", place_of!("credits"), " FROM credits \
        WHERE status IN ({credit_statuses}) AND status <> CASE WHEN held > 0 THEN 'held' \
        WHEN reversed = amount THEN 'reversed' WHEN reversed > 0 THEN 'partially_reversed' \
        WHEN applied + settled = amount THEN 'applied' ELSE 'granted' END LIMIT 100");

    credit_hold, "a credit of a referral is held until as many days after the conversion as its terms say, and any \
        other never" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c \
        LEFT JOIN referrals r ON r.team_id = c.team_id AND r.project_id = c.project_id \
        AND r.id = c.referral_id LEFT JOIN terms t ON t.team_id = r.team_id AND t.id = r.terms_id \
        WHERE COALESCE(c.held_until, 0) <> CASE WHEN t.hold_days > 0 \
        THEN r.converted_at + t.hold_days * {day} ELSE 0 END LIMIT 100");

    end_of_hold, "a held credit is in the queue until its hold ends" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c \
        LEFT JOIN work w ON w.team_id = c.team_id AND w.project_id = c.project_id AND w.subject = c.id \
        AND w.kind = 'end_of_hold' WHERE c.held > 0 AND w.subject IS NULL LIMIT 100");

    referrer_credit, "a converted referral has the referrer's credit exactly as promised, and none \
        when nothing was promised or its story tells that the credit was withheld" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        JOIN terms t ON t.team_id = r.team_id AND t.id = r.terms_id \
        LEFT JOIN credits c ON c.team_id = r.team_id AND c.project_id = r.project_id \
        AND c.referral_id = r.id AND c.side = 'referrer' WHERE r.status = 'converted' AND (\
        (t.referrer_credit_amount = 0 AND c.id IS NOT NULL) OR (t.referrer_credit_amount > 0 AND (\
        (c.id IS NULL) <> EXISTS (SELECT 1 FROM events w WHERE w.team_id = r.team_id AND w.referral_id = r.id \
        AND w.type = 'referral.credit_withheld' AND w.facts LIKE '%\"side\":\"referrer\"%') OR c.amount <> t.referrer_credit_amount OR c.currency <> t.currency \
        OR c.customer_id <> r.referrer_customer_id))) LIMIT 100");

    referee_credit, "a converted referral has the referee's credit exactly as promised, and none \
        when nothing was promised or its story tells that the credit was withheld" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        JOIN terms t ON t.team_id = r.team_id AND t.id = r.terms_id \
        LEFT JOIN credits c ON c.team_id = r.team_id AND c.project_id = r.project_id \
        AND c.referral_id = r.id AND c.side = 'referee' WHERE r.status = 'converted' AND (\
        (t.referee_credit_amount = 0 AND c.id IS NOT NULL) OR (t.referee_credit_amount > 0 AND (\
        (c.id IS NULL) <> EXISTS (SELECT 1 FROM events w WHERE w.team_id = r.team_id AND w.referral_id = r.id \
        AND w.type = 'referral.credit_withheld' AND w.facts LIKE '%\"side\":\"referee\"%') OR c.amount <> t.referee_credit_amount OR c.currency <> t.currency \
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

    entry_events, "each entry of a referral's credit has its event in the log, the first of them credit.granted" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c \
        LEFT JOIN events e ON e.team_id = c.team_id AND e.referral_id = c.referral_id \
        AND e.project_id = c.project_id AND e.subject = c.id AND e.type IN ({credit_events}) \
        WHERE c.referral_id IS NOT NULL GROUP BY c.team_id, c.project_id, c.id, c.entries \
        HAVING COUNT(e.id) <> c.entries \
        OR COUNT(CASE WHEN e.type = 'credit.granted' THEN 1 END) <> 1 LIMIT 100");

    manual_entry_events, "each entry of a credit given by hand has its event in the log, and the credit exactly one \
        credit.granted" =
        concat!("SELECT x.id, ", place_of!("x"), " FROM (SELECT team_id, project_id, id, entries, \
        CAST(1 AS BIGINT) AS granted FROM credits WHERE referral_id IS NULL EXCEPT \
        SELECT team_id, project_id, subject, COUNT(*), COUNT(CASE WHEN type = 'credit.granted' THEN 1 END) \
        FROM events WHERE type IN ({credit_events}) AND referral_id IS NULL \
        GROUP BY team_id, project_id, subject) x LIMIT 100");
}
