//! What happened to the referrals that were loaded: their story, credits and ledger, and what Stripe told. Measurements
//! of what is read need it, and the copy, which takes only a database in which every rule of `billstack verify` holds.

use postgres::{Client, NoTls};
use rusqlite::Connection;

/// Statements that both engines understand. One pending referral of a thousand has expired and one event of Stripe
/// of some thousands has failed, so that what is rare is measured too.
const STATEMENTS: [&str; 15] = [
    "UPDATE referrals SET status = 'expired', story_length = 2, story_at = created_at + 1 \
     WHERE status = 'pending' AND substr(id, 29, 2) = '00'",
    "UPDATE referrals SET stripe_event_id = 'evt_s' || substr(id, 6), \
     stripe_subscription_id = 'sub_s' || substr(id, 6), story_length = 4, story_at = converted_at + 2 \
     WHERE status = 'converted'",
    "INSERT INTO credits SELECT team_id, project_id, 'cr_1' || substr(id, 6), 'referral', 1, id, 'referrer', \
     referrer_customer_id, 1000, 'usd', 'granted', NULL, 0, 1000, 0, 0, 0, 0, 0, 0, 1, converted_at, \
     FALSE, 'none', NULL FROM referrals \
     WHERE status = 'converted' ORDER BY id",
    "INSERT INTO credits SELECT team_id, project_id, 'cr_2' || substr(id, 6), 'referral', 1, id, 'referee', \
     referee_customer_id, 500, 'usd', 'granted', NULL, 0, 500, 0, 0, 0, 0, 0, 0, 1, converted_at, \
     FALSE, 'none', NULL FROM referrals \
     WHERE status = 'converted' ORDER BY id",
    "INSERT INTO entries SELECT team_id, project_id, id, 1, 'event', 'evt_s' || substr(id, 5), NULL, NULL, NULL, \
     NULL, created_at, created_at FROM credits ORDER BY id",
    "INSERT INTO entry_lines SELECT team_id, project_id, id, 1, 'customer', amount FROM credits ORDER BY id",
    "INSERT INTO entry_lines SELECT team_id, project_id, id, 1, 'program', -amount FROM credits ORDER BY id",
    "INSERT INTO events SELECT team_id, created_at, 'evt_0' || code, project_id, 'code.created', code, NULL, \
     NULL, 'system', 'bench', '{\"customerId\":\"' || customer_id || '\"}' FROM codes ORDER BY created_at",
    "INSERT INTO events SELECT team_id, created_at, 'evt_1' || substr(id, 6), project_id, 'referral.applied', \
     id, id, 1, 'system', 'bench', '{\"code\":\"' || code || '\",\"currency\":\"usd\",\"refereeCreditAmount\":500,\
     \"refereeCustomerId\":\"' || referee_customer_id || '\",\"referrerCreditAmount\":1000,\
     \"referrerCustomerId\":\"' || referrer_customer_id || '\"}' FROM referrals ORDER BY created_at",
    "INSERT INTO events SELECT team_id, converted_at, 'evt_2' || substr(id, 6), project_id, \
     'referral.converted', id, id, 2, 'stripe:' || stripe_event_id, 'bench', \
     '{\"stripeEventId\":\"' || stripe_event_id || '\",\
     \"stripeEventType\":\"customer.subscription.created\",\
     \"stripeObjectId\":\"' || stripe_subscription_id || '\"}' FROM referrals \
     WHERE status = 'converted' ORDER BY converted_at",
    "INSERT INTO events SELECT team_id, created_at + 1, 'evt_2' || substr(id, 6), project_id, \
     'referral.expired', id, id, 2, 'system', 'bench', '{}' FROM referrals \
     WHERE status = 'expired' ORDER BY created_at",
    "INSERT INTO events SELECT team_id, created_at + CASE side WHEN 'referrer' THEN 1 ELSE 2 END, \
     'evt_3' || substr(id, 4), project_id, 'credit.granted', id, referral_id, \
     CASE side WHEN 'referrer' THEN 3 ELSE 4 END, 'stripe:evt_s' || substr(id, 5), 'bench', \
     '{\"amount\":' || CAST(amount AS TEXT) || ',\"creditId\":\"' || id || '\",\"currency\":\"usd\",\
     \"customerId\":\"' || customer_id || '\",\"side\":\"' || side || '\"}' FROM credits ORDER BY created_at",
    "INSERT INTO stripe_events SELECT team_id, stripe_event_id, 'customer.subscription.created', \
     converted_at, converted_at, FALSE, 'event', 'converted', 'converted', project_id, \
     referee_customer_id, id, '{\"object_id\":\"' || stripe_subscription_id || '\",\"source\":\"subscription\",\
     \"subscription_id\":\"' || stripe_subscription_id || '\",\"eligibility\":\"counts\",\"reason\":null,\
     \"began_at\":' || CAST(converted_at AS TEXT) || ',\"occurred_at\":' || CAST(converted_at AS TEXT) || '}', \
     NULL, NULL FROM referrals WHERE status = 'converted' ORDER BY id",
    "INSERT INTO stripe_events SELECT team_id, 'evt_i' || substr(id, 6), 'invoice.paid', created_at, \
     created_at, FALSE, 'event', CASE WHEN substr(id, 28, 2) = '00' THEN 'failed' ELSE 'ignored' END, \
     NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM referrals WHERE status <> 'converted' ORDER BY id",
    "ANALYZE",
];

/// Adds it to an SQLite database. What its planner believes stays as the program has written it.
pub(crate) fn sqlite(db: &Connection) -> rusqlite::Result<()> {
    let (_, before) = STATEMENTS.split_last().unwrap_or((&"", &[]));
    before.iter().try_for_each(|sql| db.execute_batch(sql))
}

/// Adds it to a PostgreSQL database. What is loaded refers to what was loaded, so no foreign key is checked.
pub(crate) fn postgres(url: &str) -> Result<(), postgres::Error> {
    let mut db = Client::connect(url, NoTls)?;
    db.batch_execute("SET session_replication_role = replica")?;
    STATEMENTS.iter().try_for_each(|sql| db.batch_execute(sql))
}
