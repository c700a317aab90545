//! What is kept of the log, added up.

declare_rules! {
    figures_as_logged, "the figures kept of a project are those of its log up to the mark" =
        concat!("SELECT x.figure || ' of day ' || CAST(x.day AS TEXT), ", place_of!("x"), " FROM (\
        SELECT team_id, project_id, day, figure, side, currency, number, amount FROM program_days \
        UNION ALL SELECT e.team_id, e.project_id, CASE WHEN d.dated = 0 THEN -1 \
        ELSE COALESCE(r.converted_at, c.created_at, e.created_at) / 86400000000 END, d.figure, \
        COALESCE(CASE WHEN d.dated = 0 THEN c.side END, ''), \
        COALESCE(CASE WHEN d.dated = 0 THEN c.currency END, ''), -d.number, \
        -COALESCE(CASE WHEN d.dated = 0 THEN c.amount END, 0) \
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
        UNION ALL SELECT 'referral.expired', 'pending', -1, 0 \
        UNION ALL SELECT 'referral.expired', 'expired', 1, 0 \
        UNION ALL SELECT 'credit.granted', 'credits', 1, 0 \
        UNION ALL SELECT 'credit.granted', 'credits', 1, 1) d ON d.type = e.type \
        LEFT JOIN referrals r ON e.type = 'referral.converted' AND r.id = e.referral_id \
        AND r.team_id = e.team_id AND r.project_id = e.project_id \
        LEFT JOIN credits c ON e.type = 'credit.granted' AND c.team_id = e.team_id \
        AND c.project_id = e.project_id AND c.id = e.subject \
        WHERE d.dated = 1 OR c.id IS NULL OR c.side IS NOT NULL) x \
        GROUP BY x.team_id, x.project_id, x.day, x.figure, x.side, x.currency \
        HAVING SUM(x.number) <> 0 OR SUM(x.amount) <> 0 LIMIT 100");
}
