//! What is kept of the log, added up.

declare_rules! {
    figures_as_logged, "the figures kept of a project are those of its log up to the mark" =
        concat!("SELECT x.figure || ' of day ' || CAST(x.day AS TEXT), ", place_of!("x"), " FROM (\
        SELECT team_id, project_id, day, figure, side, currency, number, amount FROM program_days \
        UNION ALL SELECT team_id, project_id, day, 'clicks', '', '', -clicks, 0 FROM click_days \
        UNION ALL SELECT e.team_id, e.project_id, CASE WHEN d.dated = 0 THEN -1 \
        WHEN d.dated = 3 THEN r.created_at / 86400000000 ELSE COALESCE(r.converted_at, c.created_at, e.created_at) / 86400000000 END, d.figure, \
        COALESCE(CASE WHEN d.dated = 0 THEN c.side END, ''), \
        COALESCE(CASE WHEN d.dated <> 1 THEN c.currency END, ''), -d.number, \
        -COALESCE(CASE WHEN d.dated <> 1 THEN c.amount END, 0) \
        FROM program_marks m JOIN events e ON e.team_id = m.team_id \
        AND (e.created_at, e.id) <= (m.created_at, m.event_id) \
        JOIN (SELECT 'code.created' AS type, 'codes' AS figure, 1 AS number, 0 AS dated \
        UNION ALL SELECT 'code.created', 'active_codes', 1, 0 \
        UNION ALL SELECT 'code.deactivated', 'active_codes', -1, 0 \
        UNION ALL SELECT 'referral.applied', 'pending', 1, 0 \
        UNION ALL SELECT 'referral.applied', 'referrals', 1, 1 \
        UNION ALL SELECT 'referral.converted', 'pending', -1, 0 \
        UNION ALL SELECT 'referral.converted', 'converted', 1, 0 \
        UNION ALL SELECT 'referral.converted', 'conversions', 1, 1 \
        UNION ALL SELECT 'referral.converted', 'converted_of_applied', 1, 3 \
        UNION ALL SELECT 'referral.expired', 'pending', -1, 0 \
        UNION ALL SELECT 'referral.expired', 'expired', 1, 0 \
        UNION ALL SELECT 'credit.granted', 'credits', 1, 0 \
        UNION ALL SELECT 'credit.granted', 'credited', 1, 2 \
        UNION ALL SELECT 'credit.granted', 'credits', 1, 1) d ON d.type = e.type \
        LEFT JOIN referrals r ON e.type = 'referral.converted' AND r.id = e.referral_id \
        AND r.team_id = e.team_id AND r.project_id = e.project_id \
        LEFT JOIN credits c ON e.type = 'credit.granted' AND c.team_id = e.team_id \
        AND c.project_id = e.project_id AND c.id = e.subject \
        WHERE d.dated > 0 OR c.id IS NULL OR c.side IS NOT NULL) x \
        GROUP BY x.team_id, x.project_id, x.day, x.figure, x.side, x.currency \
        HAVING SUM(x.number) <> 0 OR SUM(x.amount) <> 0 LIMIT 100");

    code_totals_as_logged, "what codes have brought is what was clicked, and what the log says up to the mark" =
        concat!("SELECT x.code, ", place_of!("x"), " FROM (\
        SELECT team_id, project_id, code, clicks, applied, converted FROM code_totals \
        UNION ALL SELECT team_id, project_id, code, -clicks, 0, 0 FROM click_days \
        UNION ALL SELECT e.team_id, e.project_id, r.code, 0, \
        CASE WHEN e.type = 'referral.applied' THEN -1 ELSE 0 END, \
        CASE WHEN e.type = 'referral.converted' THEN -1 ELSE 0 END \
        FROM program_marks m JOIN events e ON e.team_id = m.team_id \
        AND (e.created_at, e.id) <= (m.created_at, m.event_id) \
        JOIN referrals r ON r.id = e.referral_id AND r.team_id = e.team_id AND r.project_id = e.project_id \
        WHERE e.type IN ('referral.applied', 'referral.converted')) x \
        GROUP BY x.team_id, x.project_id, x.code \
        HAVING SUM(x.clicks) <> 0 OR SUM(x.applied) <> 0 OR SUM(x.converted) <> 0 LIMIT 100");

    code_totals_whole, "each code has its totals once its beginning is added up" =
        concat!("SELECT e.subject, ", place_of!("e"), " FROM program_marks m \
        JOIN events e ON e.team_id = m.team_id AND e.type = 'code.created' \
        AND (e.created_at, e.id) <= (m.created_at, m.event_id) \
        WHERE NOT EXISTS (SELECT 1 FROM code_totals t WHERE t.team_id = e.team_id \
        AND t.project_id = e.project_id AND t.code = e.subject) LIMIT 100");

    booked_as_posted, "the ledger as it is added up by day is what its entries are up to the mark" =
        concat!("SELECT 'day ' || CAST(x.day AS TEXT), ", place_of!("x"), " FROM (\
        SELECT team_id, project_id, day, granted_day, currency, side, held, available, delivered, applied, settled, \
        reversed, shortfall, granted FROM booked_days UNION ALL SELECT e.team_id, e.project_id, \
        e.created_at / 86400000000, c.created_at / 86400000000, c.currency, COALESCE(c.side, 'manual'), \
        CASE WHEN l.account = 'held' THEN -l.amount ELSE 0 END, \
        CASE WHEN l.account = 'customer' THEN -l.amount ELSE 0 END, \
        CASE WHEN l.account = 'stripe' THEN -l.amount ELSE 0 END, \
        CASE WHEN l.account = 'applied' THEN -l.amount ELSE 0 END, \
        CASE WHEN l.account = 'settled' THEN -l.amount ELSE 0 END, \
        CASE WHEN l.account = 'program' AND e.seq > 1 THEN -l.amount ELSE 0 END, \
        CASE WHEN l.account = 'shortfall' THEN -l.amount ELSE 0 END, \
        CASE WHEN l.account = 'program' AND e.seq = 1 THEN l.amount ELSE 0 END \
        FROM booked_marks m JOIN entries e ON e.team_id = m.team_id AND e.project_id = m.project_id \
        AND e.created_at < m.booked_before JOIN entry_lines l ON l.team_id = e.team_id \
        AND l.project_id = e.project_id AND l.credit_id = e.credit_id AND l.seq = e.seq \
        JOIN credits c ON c.team_id = e.team_id AND c.project_id = e.project_id AND c.id = e.credit_id) x \
        GROUP BY x.team_id, x.project_id, x.day, x.granted_day, x.currency, x.side \
        HAVING SUM(x.held) <> 0 OR SUM(x.available) <> 0 OR SUM(x.delivered) <> 0 OR SUM(x.applied) <> 0 \
        OR SUM(x.settled) <> 0 OR SUM(x.reversed) <> 0 OR SUM(x.shortfall) <> 0 OR SUM(x.granted) <> 0 LIMIT 100");
}
