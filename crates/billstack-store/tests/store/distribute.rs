//! The script that spreads the schema over several database machines: it must leave no table out, and the schema
//! must stay one that can be spread by team. The script itself is tried by hand, as its page tells.

use std::collections::BTreeSet;

use postgres::{Client, NoTls};

use crate::support::{Db, Engine};

const SCRIPT: &str = include_str!("../../../../docs/operators/distribute.sql");

/// Tables that stay on the coordinator alone.
const STAY: [&str; 3] = ["locks", "schema_migrations", "upkeep"];

/// The tables that the script hands to a function of Citus.
fn given_to(function: &str) -> BTreeSet<String> {
    let call = format!("SELECT {function}('");
    let calls = SCRIPT.split(&call).skip(1);
    calls
        .map(|rest| rest.split('\'').next().unwrap_or_default().to_owned())
        .collect()
}

fn names(client: &mut Client, sql: &str, given: &BTreeSet<String>) -> BTreeSet<String> {
    let given: Vec<&String> = given.iter().collect();
    let rows = client.query(sql, &[&given]).unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn the_script_places_every_table() {
    let db = Db::new(Engine::Postgres);
    let mut client = Client::connect(&db.url, NoTls).unwrap();
    let placed: BTreeSet<String> = given_to("create_reference_table")
        .union(&given_to("create_distributed_table"))
        .cloned()
        .chain(STAY.map(str::to_owned))
        .collect();
    let sql = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND $1::text[] IS NOT NULL";
    assert_eq!(names(&mut client, sql, &placed), placed);
}

/// Unique indexes in which two teams meet.
const UNIQUE_BEYOND_A_TEAM: &str = "SELECT i.indexrelid::regclass::text FROM pg_index i \
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attname = 'team_id' \
    WHERE i.indisunique AND i.indrelid::regclass::text = ANY($1) \
    AND NOT a.attnum = ANY(i.indkey)";

/// Foreign keys into tables of teams that do not stay inside a team.
const KEYS_OUT_OF_A_TEAM: &str = "SELECT c.conname::text FROM pg_constraint c \
    JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attname = 'team_id' \
    LEFT JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attname = 'team_id' \
    WHERE c.contype = 'f' AND c.confrelid::regclass::text = ANY($1) \
    AND (NOT c.conrelid::regclass::text = ANY($1) \
        OR array_position(c.conkey, a.attnum) IS NULL \
        OR array_position(c.conkey, a.attnum) IS DISTINCT FROM array_position(c.confkey, b.attnum))";

#[test]
fn tables_of_teams_can_be_spread_by_team() {
    let db = Db::new(Engine::Postgres);
    let mut client = Client::connect(&db.url, NoTls).unwrap();
    let spread = given_to("create_distributed_table");
    let mut broken = || {
        let unique = names(&mut client, UNIQUE_BEYOND_A_TEAM, &spread);
        let leading_out = names(&mut client, KEYS_OUT_OF_A_TEAM, &spread);
        (unique, leading_out)
    };
    assert_eq!(broken(), (BTreeSet::new(), BTreeSet::new()));

    // Both are found where there is one.
    let mut other = Client::connect(&db.url, NoTls).unwrap();
    let harm = "CREATE UNIQUE INDEX beyond ON credits (id); \
        CREATE TABLE outside (team_id BIGINT, program_id TEXT COLLATE \"C\", CONSTRAINT out \
            FOREIGN KEY (team_id, program_id) REFERENCES programs (team_id, id))";
    other.batch_execute(harm).unwrap();
    let one = |name: &str| BTreeSet::from([name.to_owned()]);
    assert_eq!(broken(), (one("beyond"), one("out")));
}
