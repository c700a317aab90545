//! What looks over the data: statistics, retention, and the rules that must find every breach.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::{
    Db, ENGINES, Engine, START, apply_code, deliver, directory, incoming, make_customer,
    make_project, make_team, origin_at, program, start, write,
};
use crate::{damage::DAMAGES, delivery, money, names, payments, portal, verify::CHANGES, webhooks};
use billstack_core::access::Scopes;
use billstack_core::credit::Side;
use billstack_core::money::Currency;
use billstack_core::stripe_event::{Eligibility, Start};
use billstack_core::time::{DAY, HOUR, Micros};
use billstack_store::api_keys::{self, NewApiKey};
use billstack_store::backup::backup;
use billstack_store::credits::{self, CreditFilter};
use billstack_store::list::Page;
use billstack_store::options::Options;
use billstack_store::stats::{CreditSum, Day, Stats, stats};
use billstack_store::store::{Store, Target};
use billstack_store::verify::{rules, verify};
use billstack_store::{Abort, Act, Fault, Place, Tx};
use billstack_store::{codes, erase, params, programs, retention, story};

const TEAM: &str = "team_1";

/// A referrer with a code and two referees, of whom the first has converted; and somebody erased.
pub(crate) fn told(tx: &mut dyn Tx, act: &mut Act) -> Result<Place, Abort> {
    make_team(tx, TEAM)?;
    let place = make_project(tx, act, TEAM)?;
    programs::put(tx, act, &place, &program())?;
    let referrer = make_customer(tx, act, &place, "ann", None)?.id;
    let code = codes::create(tx, act, &place, &referrer)?.code;
    for (name, stripe) in [("bob", "cus_bob"), ("cem", "cus_cem")] {
        let referee = make_customer(tx, act, &place, name, Some(stripe))?.id;
        apply_code(tx, act, &place, &code, &referee)?;
    }
    let event = incoming("evt_bob", start(Some("cus_bob")));
    deliver(tx, act, TEAM, &event)?;
    let gone = make_customer(tx, act, &place, "dan", Some("cus_dan"))?.id;
    codes::create(tx, act, &place, &gone)?;
    erase::erase(tx, act, &place, &gone)?;
    Ok(place)
}

#[test]
fn statistics_count_and_sum() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let place = db.store.write_blocking(origin_at(START, 1), told).unwrap();
        let (at, later) = (place.clone(), START.plus(2 * DAY));
        let convert_late = move |tx: &mut dyn Tx, act: &mut Act| {
            let mut late = start(Some("cus_cem"));
            late.occurred_at = later.plus(-HOUR);
            deliver(tx, act, TEAM, &incoming("evt_cem", late))?;
            let eve = make_customer(tx, act, &at, "eve", None)?.id;
            codes::create(tx, act, &at, &eve)
        };
        let origin = origin_at(later, 2);
        db.store.write_blocking(origin, convert_late).unwrap();
        let read = |since: Micros| {
            let place = place.clone();
            let read = move |tx: &mut dyn Tx| Ok(stats(tx, &place, since)?);
            db.store.scan_blocking(read).unwrap()
        };
        let sum = |side, amount| CreditSum {
            side,
            currency: Currency::USD,
            count: 2,
            amount,
        };
        let first = START.0 / DAY;
        let day = |day, referrals, conversions, credits| Day {
            day,
            referrals,
            conversions,
            credits,
        };
        let wanted = Stats {
            codes: 3,
            active_codes: 2,
            pending: 0,
            converted: 2,
            expired: 0,
            credits: vec![sum(Side::Referee, 1_000), sum(Side::Referrer, 2_000)],
            days: vec![day(first, 2, 1, 2), day(first + 2, 0, 1, 2)],
        };
        // The time of day of `since` does not matter: whole days are counted.
        assert_eq!(read(START.plus(HOUR)), wanted, "{engine:?}");
        let recent = read(START.plus(DAY));
        assert_eq!(recent.days, wanted.days[1..], "{engine:?}");
    }
}

#[test]
fn a_story_is_told_in_order_whatever_the_clocks_say() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let (place, referral) = write(&db.store, |tx, act| {
            let place = told(tx, act)?;
            let referee = make_customer(tx, act, &place, "eve", Some("cus_eve"))?.id;
            let ann = make_customer(tx, act, &place, "ann2", None)?.id;
            let code = codes::create(tx, act, &place, &ann)?.code;
            let referral = apply_code(tx, act, &place, &code, &referee)?;
            Ok((place, referral))
        });
        // Taken in by a node whose clock is late: one that waits first, then the one that counts.
        let mut waits = start(Some("cus_eve"));
        waits.eligibility = Eligibility::Waits;
        waits.reason = Some("subscription incomplete".to_owned());
        let counts = Start {
            eligibility: Eligibility::Counts,
            reason: None,
            ..waits.clone()
        };
        let events = [incoming("evt_1", waits), incoming("evt_2", counts)];
        for (number, event) in (10..).zip(events) {
            let origin = origin_at(referral.created_at.plus(-HOUR), number);
            let take = move |tx: &mut dyn Tx, act: &mut Act| deliver(tx, act, TEAM, &event);
            db.store.write_blocking(origin, take).unwrap();
        }
        let created_at = referral.created_at;
        let read = move |tx: &mut dyn Tx| {
            let page = first_page();
            let told = story::story(tx, &place.team_id, &referral.id, &page)?;
            let filter = CreditFilter {
                referral_id: Some(referral.id.clone()),
                ..CreditFilter::default()
            };
            let credits = credits::list(tx, &place, &filter, &page)?;
            Ok((told.rows, credits.rows))
        };
        let (told, credits) = db.store.scan_blocking(read).unwrap();
        let kinds: Vec<_> = told.iter().map(|event| event.kind.as_str()).collect();
        let wanted = [
            "referral.applied",
            "referral.not_converted",
            "referral.converted",
            "credit.granted",
            "credit.granted",
        ];
        assert_eq!(kinds, wanted, "{engine:?}");
        assert_eq!(credits.len(), 2);
        assert!(credits.iter().all(|c| c.created_at == created_at));
    }
}

fn first_page() -> Page {
    Page {
        limit: 50,
        offset: 0,
        after: None,
    }
}

type Batch = fn(&mut dyn Tx) -> Result<u64, Fault>;

#[test]
fn retention_forgets_the_old_in_batches_and_leaves_the_rest() {
    let batches: [(&str, Batch); 4] = [
        (
            "SELECT COUNT(*) FROM stripe_events WHERE payload IS NOT NULL",
            |tx| retention::drop_old_payloads(tx, Micros(100), 2),
        ),
        ("SELECT COUNT(*) FROM idempotency_keys", |tx| {
            retention::drop_answers(tx, Micros(100), 2)
        }),
        ("SELECT COUNT(*) FROM sessions", |tx| {
            retention::drop_sessions(tx, Micros(99), DAY, 2)
        }),
        ("SELECT COUNT(*) FROM invitations", |tx| {
            retention::drop_invitations(tx, Micros(100 + 30 * DAY), 2)
        }),
    ];
    for engine in ENGINES {
        let db = Db::new(engine);
        write(&db.store, |tx, act| {
            make_team(tx, TEAM)?;
            let place = make_project(tx, act, TEAM)?;
            let user = "INSERT INTO users (id, email, name, password_hash, created_at, single_keys) \
                        VALUES ('usr_1', 'a@b', 'A', 'h', 0, TRUE)";
            tx.must(user, &[])?;
            for number in 0..5 {
                old_rows(tx, &place, number, 95 + number)?;
            }
            Ok(old_rows(tx, &place, 9, 2 * DAY)?)
        });
        for (count, batch) in batches {
            let done = || write(&db.store, move |tx, _| Ok(batch(tx)?));
            assert_eq!(
                [done(), done(), done(), done()],
                [2, 2, 1, 0],
                "{engine:?}: {count}"
            );
            let left = move |tx: &mut dyn Tx| Ok(tx.one(count, &[], |row| row.int(0))?);
            assert_eq!(
                db.store.scan_blocking(left).unwrap(),
                Some(1),
                "{engine:?}: {count}"
            );
        }
    }
}

/// One row of everything that retention may drop, of that age.
fn old_rows(tx: &mut dyn Tx, place: &Place, number: i64, at: i64) -> Result<(), Fault> {
    let id = &format!("id_{number}");
    let inserts = [
        "INSERT INTO stripe_events (team_id, id, type, created_at, received_at, source, outcome, \
         payload) VALUES ($1, $2, 'x', $3, $3, 'event', 'ignored', '{}')",
        "INSERT INTO idempotency_keys (team_id, caller, idempotency_key, request_hash, \
         created_at) VALUES ($1, 'user', $2, 'h', $3)",
        "INSERT INTO invitations (team_id, id, email, role, token_hash, created_at, expires_at) \
         VALUES ($1, $2, $2, 'admin', $2, 0, $3)",
    ];
    for insert in inserts {
        tx.must(insert, params![&place.team_id, id, at])?;
    }
    let session = "INSERT INTO sessions (token_hash, user_id, created_at, seen_at, expires_at) \
                   VALUES ($1, 'usr_1', 0, $2, $2)";
    tx.must(session, params![id, at])
}

/// Damage, and the rules that must notice it.
const DAMAGE: &[(&str, &[&str])] = &[
    (
        "UPDATE entry_lines SET amount = amount + 1 WHERE account = 'customer'",
        &["entries_balance", "credit_parts"],
    ),
    (
        "UPDATE entry_lines SET amount = 2 * amount",
        &["credit_parts"],
    ),
    (
        "DELETE FROM entry_lines WHERE account = 'program'",
        &["entries_balance", "credit_parts"],
    ),
    ("DELETE FROM entry_lines", &["entry_lines", "credit_parts"]),
    (
        "UPDATE entry_lines SET account = 'bank' WHERE account = 'customer'",
        &["line_values", "credit_parts", "entry_moves"],
    ),
    ("DELETE FROM entries", &["line_entry"]),
    (
        "UPDATE entries SET seq = 2; UPDATE entry_lines SET seq = 2",
        &["entry_numbers"],
    ),
    (
        "DELETE FROM credits WHERE side = 'referrer'",
        &["referrer_credit", "entry_credit"],
    ),
    (
        "UPDATE credits SET amount = 1, available = 1 WHERE side = 'referee'",
        &["referee_credit"],
    ),
    (
        "UPDATE credits SET customer_id = 'pc_x'",
        &["referrer_credit", "referee_credit", "credit_customer"],
    ),
    (
        "UPDATE referrals SET status = 'expired', converted_at = NULL WHERE status = 'converted'",
        &["credit_of_converted", "converted_event", "event_converted"],
    ),
    (
        "UPDATE terms SET referrer_credit_amount = 0",
        &["referrer_credit"],
    ),
    (
        "DELETE FROM events WHERE type = 'credit.granted'",
        &["entry_events"],
    ),
    (
        "DROP INDEX codes_one_active; UPDATE codes SET is_active = 1, deactivated_at = NULL, \
         customer_id = (SELECT id FROM customers WHERE email = 'ann@example.com')",
        &["one_active_code"],
    ),
    (
        "UPDATE codes SET deactivated_at = 1",
        &["code_deactivated_at"],
    ),
    (
        "DROP INDEX referrals_one_per_stripe_customer; \
         UPDATE referrals SET stripe_customer_id = 'cus_bob'",
        &["one_conversion_per_stripe_customer"],
    ),
    (
        "DROP INDEX referrals_one_per_subscription; \
         UPDATE referrals SET stripe_subscription_id = 'sub_bob'",
        &["one_conversion_per_subscription"],
    ),
    (
        "UPDATE referrals SET referee_customer_id = referrer_customer_id \
         WHERE status = 'pending'",
        &["self_referral"],
    ),
    (
        "UPDATE codes SET customer_id = 'pc_x'",
        &["code_of_referrer", "code_customer"],
    ),
    (
        "UPDATE referrals SET converted_at = NULL",
        &["converted_at"],
    ),
    (
        "UPDATE referrals SET converted_at = 1 WHERE status = 'converted'",
        &["converted_at"],
    ),
    (
        "DELETE FROM events WHERE type = 'referral.applied'",
        &["applied_event"],
    ),
    (
        "UPDATE events SET created_at = created_at + 10000000 WHERE type = 'referral.applied'",
        &["story_order"],
    ),
    (
        "UPDATE events SET sequence = 0 WHERE type = 'referral.applied'; \
         UPDATE events SET sequence = 1 WHERE type = 'referral.converted'",
        &["story_begins", "story_numbers"],
    ),
    (
        "UPDATE referrals SET story_length = story_length + 1",
        &["story_numbers"],
    ),
    (
        "UPDATE referrals SET terms_id = 'terms_x' WHERE status = 'pending'",
        &["promised_terms"],
    ),
    (
        "UPDATE terms SET program_id = 'prog_x'",
        &["promised_terms"],
    ),
    ("UPDATE credits SET created_at = 1", &["credit_created_at"]),
    (
        "DELETE FROM events WHERE type = 'referral.converted'",
        &["converted_event"],
    ),
    (
        "UPDATE stripe_events SET outcome = 'ignored'",
        &["converted_by_event"],
    ),
    (
        "UPDATE referrals SET stripe_event_id = 'evt_x'",
        &["converted_by_event", "event_converted"],
    ),
    (
        "UPDATE customers SET name = 'Dan' WHERE erased_at IS NOT NULL",
        &["erased_person"],
    ),
    ("UPDATE customers SET email = NULL", &["erased_person"]),
    (
        "UPDATE codes SET is_active = 1, deactivated_at = NULL",
        &["erased_code"],
    ),
    (
        "UPDATE customers SET erased_at = 1, email = NULL, name = NULL",
        &[
            "erased_referee",
            "erased_referrer",
            "erased_payload",
            "erased_code",
        ],
    ),
    (
        "UPDATE stripe_events SET customer_id = NULL",
        &["payload_customer"],
    ),
    (
        "INSERT INTO idempotency_keys SELECT team_id, 'c', 'k', 'h', 200, 'b', id, \
         erased_at + 1 FROM customers WHERE erased_at IS NOT NULL",
        &["erased_answer"],
    ),
    (
        "INSERT INTO work SELECT team_id, project_id, 'customer_creation', 'e', '', \
         '{\"customerId\":\"' || id || '\"}', 0, 0, 1, NULL, 0 \
         FROM customers WHERE erased_at IS NOT NULL",
        &["erased_reservation"],
    ),
    (
        "INSERT INTO sessions VALUES ('h', 'usr_x', 0, 0, 0)",
        &["session_user"],
    ),
    (
        "INSERT INTO members VALUES (1, 'usr_x', 'owner', 0)",
        &["member_team", "member_user"],
    ),
    (
        "INSERT INTO invitations VALUES (1, 'i', 'e', 'admin', 'h', 0, 0)",
        &["invitation_team"],
    ),
    ("DELETE FROM teams", &["project_team", "stripe_event_team"]),
    (
        "INSERT INTO api_keys VALUES ('h', 1, 'k', 'n', 'p', 2, '', NULL, NULL, 0, NULL)",
        &["api_key_team", "api_key_project"],
    ),
    (
        "INSERT INTO stripe_connections (team_id, is_active, connected_at) VALUES (1, 1, 0)",
        &["stripe_connection_team"],
    ),
    (
        "DELETE FROM projects",
        &["program_project", "customer_project"],
    ),
    (
        "INSERT INTO link_keys (team_id, project_id, link_key, created_at) VALUES (1, 2, 'x', 0)",
        &["link_key_project", "link_key_values"],
    ),
    (
        "INSERT INTO code_totals VALUES (1, 2, 'X', 1, 1, 1); INSERT INTO click_days VALUES (1, 2, 'X', 1, 'qr', 1); INSERT INTO link_slugs VALUES ('x', 1, 2, 0); \
         INSERT INTO link_settings VALUES (1, 2, FALSE, NULL, '', 60, 'a', 'b', NULL, NULL, NULL, 0); \
         INSERT INTO portal_settings VALUES (1, 2, 0, '', 'initial', NULL, NULL, NULL, '{}', FALSE, FALSE, 0); INSERT INTO attention_dismissals VALUES (1, 2, 'budget_low.usd', 0); \
         INSERT INTO portal_tickets VALUES (1, 'x', 2, 'pc_x', 0, FALSE, NULL, 0, 1, 2)",
        &[
            "click_code",
            "total_code",
            "slug_project",
            "link_settings_project",
            "portal_settings_project",
            "dismissal_project",
            "ticket_customer",
        ],
    ),
    (
        "INSERT INTO work VALUES (1, 2, 'kind', 'subject', '', '{}', 0, 0, 1, NULL, 0)",
        &["work_team"],
    ),
    (
        "DELETE FROM programs",
        &["project_program", "terms_program", "code_program"],
    ),
    ("DELETE FROM terms", &["program_terms", "promised_terms"]),
    (
        "DELETE FROM customers",
        &["referral_referrer", "referral_referee", "credit_customer"],
    ),
    (
        "DELETE FROM stripe_events",
        &["start_event", "converted_by_event"],
    ),
    (
        "DELETE FROM referrals",
        &["event_referral", "credit_of_converted"],
    ),
    (
        "UPDATE referrals SET status = 'lost' WHERE status = 'pending'",
        &["referral_values"],
    ),
    ("UPDATE programs SET budget = -1", &["program_limits"]),
    (
        "INSERT INTO reconcile_lines SELECT team_id, 'run_x', 1, 'event_missed', 'evt_x', 'x', FALSE FROM teams",
        &["reconcile_line_run"],
    ),
    (
        "UPDATE terms SET referee_credit_amount = -1",
        &["terms_values", "referral_as_applied"],
    ),
    (
        "UPDATE terms SET referrer_credit_amount = 100000000",
        &["terms_values"],
    ),
    (
        "UPDATE credits SET side = 'third' WHERE side = 'referee'",
        &["credit_values"],
    ),
    ("UPDATE credits SET amount = 0", &["credit_values"]),
    (
        "INSERT INTO stripe_operations SELECT team_id, 'op_x', project_id, 'cr_x', 'grant', 'cus_x', 1, 'usd', '', \
         NULL, 'cbtxn_x', NULL, 1, 'job', 'x', NULL, NULL, 1, 0, 0, 'delivered', NULL, 1, 'usable', 1, 0, 1, 1, 1, \
         NULL, NULL, 0, 0, 0, 'call', NULL \
         FROM credits LIMIT 1",
        &["operation_credit", "operation_entry"],
    ),
    (
        "INSERT INTO webhook_endpoints (team_id, project_id, id, url, types, secret, state, enabled_at, failures, \
         created_at, version) SELECT team_id, 7, 'whe_x', 'https://x', '*', 's', 'active', 0, 0, 0, 1 FROM teams",
        &["webhook_endpoint_project"],
    ),
    (
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 11) \
         INSERT INTO webhook_endpoints (team_id, project_id, id, url, types, secret, state, enabled_at, failures, \
         created_at, version) SELECT team_id, project_id, 'whe_' || i, 'https://x', '*', 's', 'active', 0, 0, 0, 1 \
         FROM projects, n",
        &["endpoint_number"],
    ),
    ("DROP INDEX credits_newest", &["indexes"]),
    ("DROP INDEX referrals_one_per_subscription", &["indexes"]),
    // As if the one index had lost its pages to the other.
    (
        "PRAGMA writable_schema = ON; UPDATE sqlite_master SET rootpage = (SELECT rootpage \
         FROM sqlite_master WHERE name = 'stripe_events_newest') WHERE name = 'credits_newest'",
        &["file_integrity"],
    ),
    ("UPDATE teams SET id = id || 'x'", &["team_number"]),
    ("UPDATE projects SET id = id || 'x'", &["project_number"]),
];

/// Changes a database by hand, against its constraints.
fn damage(file: &Path, sql: &str) {
    let connection = rusqlite::Connection::open(file).unwrap();
    let guards = "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;";
    connection
        .execute_batch(&format!("{guards} {sql}"))
        .unwrap();
}

/// Rules whose breach the tables themselves refuse, so that no test can make one.
const IMPOSSIBLE: &[&str] = &["one_credit_per_side", "one_referral_per_referee"];

#[test]
fn every_rule_notices_its_breach() {
    let db = Db::new(Engine::Sqlite);
    write(&db.store, told);
    db.assert_sound();
    let directory = directory();
    let mut proven: BTreeSet<&str> = IMPOSSIBLE.iter().copied().collect();
    for changes in [
        CHANGES,
        DAMAGES,
        money::DAMAGES,
        names::DAMAGES,
        delivery::DAMAGES,
        delivery::balance::DAMAGES,
        payments::DAMAGES,
        portal::DAMAGES,
        crate::attention::DAMAGES,
        crate::upkeep::DAMAGES,
        webhooks::damage::DAMAGES,
    ] {
        proven.extend(changes.iter().flat_map(|(_, rules)| *rules));
    }
    proven.insert("missed_conversion"); // By a test of its own.
    for (number, (sql, wanted)) in DAMAGE.iter().enumerate() {
        let file = directory.path().join(format!("{number}.db"));
        backup(&db.target, &file, |_| ()).unwrap();
        damage(&file, sql);
        let target = Target::from_url(&format!("sqlite://{}", file.display())).unwrap();
        let store = Store::open(&target, &Options::default()).unwrap();
        let breaches = store.scan_blocking(|tx| Ok(verify(tx)?)).unwrap();
        let found: BTreeSet<&str> = breaches.iter().map(|breach| breach.rule).collect();
        for rule in *wanted {
            assert!(found.contains(rule), "{sql}: {rule} is not among {found:?}");
        }
        proven.extend(*wanted);
    }
    let all: BTreeSet<&str> = rules().map(|rule| rule.name).collect();
    assert_eq!(
        all.difference(&proven).collect::<Vec<_>>(),
        Vec::<&&str>::new()
    );
}

#[test]
fn a_key_whose_project_is_missing_does_not_become_one_for_all_projects() {
    let db = Db::new(Engine::Sqlite);
    let place = write(&db.store, |tx, act| {
        make_team(tx, TEAM)?;
        let place = make_project(tx, act, TEAM)?;
        let new = NewApiKey {
            key_hash: "hash".to_owned(),
            name: "Backend".to_owned(),
            prefix: "bs_0000".to_owned(),
            project_id: Some(place.project_id.clone()),
            scopes: Scopes::all(),
            expires_at: None,
        };
        api_keys::create(tx, act, &place.team_id, &new)?;
        Ok(place)
    });
    let team_id = place.team_id.clone();
    let of_key = || {
        let (team_id, page) = (team_id.clone(), first_page());
        let list = move |tx: &mut dyn Tx| Ok(api_keys::list(tx, &team_id, &page)?);
        let keys = db.store.scan_blocking(list).unwrap();
        keys.rows[0].project_id.clone()
    };
    assert_eq!(of_key().as_ref(), Some(&place.project_id));
    damage(db.target.sqlite_file().unwrap(), "DELETE FROM projects");
    let left = of_key();
    assert!(left.is_some() && left != Some(place.project_id), "{left:?}");
}

#[test]
fn a_damaged_database_is_copied_and_named() {
    let db = Db::new(Engine::Sqlite);
    write(&db.store, told);
    damage(db.target.sqlite_file().unwrap(), "DELETE FROM events");
    let directory = directory();
    let file = directory.path().join("copy.db");
    let Err(Fault::Defect(why)) = backup(&db.target, &file, |_| ()) else {
        panic!("no fault");
    };
    assert!(why.contains("applied_event"), "{why}");
    // It is no backup, but may be all that is left.
    assert!(!file.exists());
    let kept = directory.path().join("copy.db.partial");
    assert!(why.contains("copy.db.partial is a true copy"), "{why}");
    assert!(kept.exists());
}
