//! How SQLite finds its rows: a plan that reads a whole table, or a whole team, is seen here and not
//! by the first customer who has grown.

use std::fmt::Write as _;
use std::path::Path;

use std::time::{Duration, Instant};

use billstack_store::params;
use billstack_store::prepare::plans;

use crate::support::{Db, Engine, origin, wait_for, write};

#[test]
fn plans_are_as_reviewed() {
    let mut text = String::new();
    for (name, steps) in plans(&Db::new(Engine::Sqlite).target).unwrap() {
        // A write without a condition, such as an INSERT, has no step.
        for step in steps {
            writeln!(text, "{name}: {step}").unwrap();
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/plans.txt");
    if std::env::var_os("BLESS").is_some_and(|bless| bless == "1") {
        std::fs::write(&file, &text).unwrap();
    }
    let reviewed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        reviewed == text,
        "plans.txt is not how SQLite finds its rows now; run the tests with BLESS=1 and look at the \
         difference: a step must use every column it can, and none may SCAN a table of tenants"
    );
}

/// In a database that was made a moment ago PostgreSQL knows of no sizes, and would read tables as a whole.
#[test]
fn postgres_reads_no_table_as_a_whole_where_an_index_leads_to_the_rows() {
    let plans = plans(&Db::new(Engine::Postgres).target).unwrap();
    let whole = plans.iter().filter(|(_, steps)| {
        let whole = |step: &String| step.contains("Seq Scan");
        steps.iter().any(whole)
    });
    let names: Vec<_> = whole.map(|(name, _)| name.as_str()).collect();
    // These have no key to look by: two forget whatever is old, one deletes every row, and two stop at the first
    // row of a small table.
    let expected = [
        "invitations::DROP_EXPIRED",
        "sessions::DROP_DEAD",
        "setup_tokens::DELETE_ALL",
        "stripe_connections::SEALED",
        "webhook_endpoints::SEALED",
    ];
    assert_eq!(names, expected);
}

/// The same for what is read of a customer or after a mark: joined, it would read all that the project has of a table
/// for each row of another.
#[test]
fn postgres_goes_from_row_to_row_in_a_new_database() {
    let plans = plans(&Db::new(Engine::Postgres).target).unwrap();
    let steps_of = |wanted: &str| {
        let found = plans.iter().find(|(name, _)| name == wanted);
        found.unwrap().1.join("\n")
    };
    let balances = steps_of("credits::BALANCES");
    for step in [
        "Index Scan using credits_of_customer on credits",
        "(customer_id = $3) AND",
    ] {
        assert!(balances.contains(step), "{step}: {balances}");
    }
    for name in [
        "credits::BALANCES",
        "events::COUNTED_SINCE",
        "events::TO_COUNT",
        "referrals::ALL_CODES_OF",
        "referrals::PENDING_OF_CODE",
        "referrals::PENDING_OF_REFEREE",
    ] {
        let steps = steps_of(name);
        assert!(!steps.contains("Join"), "{name}: {steps}");
        assert!(!steps.contains("Nested Loop"), "{name}: {steps}");
    }
    // Every filter of a list has an index that leads to it in the order of its pages.
    let ordered = |name: &str, condition: &str| {
        let steps = steps_of(name);
        assert!(
            steps.contains(condition) && !steps.contains("Sort"),
            "{name}: {steps}"
        );
    };
    ordered("list referrals #2", "(status = $3) AND");
    ordered("list referrals #32", "(source = $3) AND");
    ordered("list credits #2", "(customer_id = $3) AND");
    ordered("list credits #8", "(side = $3) AND");
    ordered("list credits #16", "(status = $3) AND");
    ordered("list stripe events #2", "(outcome = $2)");
    ordered("list stripe events of a type #0", "(type = $2) AND");
    ordered(
        "list stripe events of a type and outcome #0",
        "(((type || ' '::text) || outcome) = $2) AND",
    );
}

fn rows_known(db: &Db) -> i64 {
    let sql = "SELECT CAST(reltuples AS BIGINT) FROM pg_class WHERE oid = to_regclass('teams')";
    let known = db
        .store
        .scan_blocking(move |tx| Ok(tx.one(sql, &[], |row| row.int(0))?));
    known.unwrap().unwrap()
}

/// The server counts changes some time after they are committed.
fn refresh_until_seen(db: &Db) -> String {
    let limit = Instant::now() + Duration::from_secs(30);
    while Instant::now() < limit {
        if let Some(table) = wait_for(db.store.refresh_statistics(origin())).unwrap() {
            return table;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("no table was looked at");
}

#[test]
fn a_table_is_looked_at_when_it_has_doubled() {
    let db = Db::new(Engine::Postgres);
    let none = wait_for(db.store.refresh_statistics(origin()));
    assert_eq!(none, Ok(None), "it is empty");
    let fill = |from: i64, to: i64| {
        let sql = "INSERT INTO teams (team_id, id, name, created_at) \
                   SELECT n, CAST(n AS TEXT), 'a', 1 FROM generate_series(CAST($1 AS BIGINT), CAST($2 AS BIGINT) - 1) n";
        write(&db.store, move |tx, _| {
            Ok(tx.execute(sql, params![from, to])?)
        });
    };
    fill(0, 300);
    assert_eq!(refresh_until_seen(&db), "teams");
    assert_eq!(rows_known(&db), 300);
    let none = wait_for(db.store.refresh_statistics(origin()));
    assert_eq!(none, Ok(None), "it is known");
    fill(300, 900);
    assert_eq!(refresh_until_seen(&db), "teams");
    assert_eq!(rows_known(&db), 900);
}
