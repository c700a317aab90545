//! The two schemas are one, and every statement means the same on both.

use std::collections::BTreeMap;

use billstack_store::dump::TABLES;
use billstack_store::prepare::{prepare_all, statements};
use postgres::NoTls;

use crate::support::{Db, Engine};

/// Table, then column, then whether it may be null.
type Schema = BTreeMap<String, Vec<(String, bool)>>;

fn sqlite_schema() -> Schema {
    let db = Db::new(Engine::Sqlite);
    let connection = rusqlite::Connection::open(db.target.sqlite_file().unwrap()).unwrap();
    let sql = "SELECT m.name, c.name, c.\"notnull\" = 0 FROM sqlite_schema m, \
               pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name <> 'sqlite_stat1' ORDER BY m.name, c.cid";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))));
    let mut schema = Schema::new();
    for row in rows.unwrap() {
        let (table, column) = row.unwrap();
        schema.entry(table).or_default().push(column);
    }
    schema
}

fn postgres_schema() -> Schema {
    let db = Db::new(Engine::Postgres);
    let mut client = postgres::Client::connect(&db.url, NoTls).unwrap();
    let sql = "SELECT table_name::text, column_name::text, is_nullable::text \
               FROM information_schema.columns WHERE table_schema = 'public' \
               ORDER BY table_name, ordinal_position";
    let mut schema = Schema::new();
    for row in client.query(sql, &[]).unwrap() {
        let nullable: String = row.get(2);
        let column = (row.get(1), nullable == "YES");
        schema.entry(row.get(0)).or_default().push(column);
    }
    schema
}

#[test]
fn both_engines_have_one_schema() {
    assert_eq!(sqlite_schema(), postgres_schema());
}

#[test]
fn the_dump_leaves_nothing_out() {
    let mut schema = sqlite_schema();
    schema.remove("locks").unwrap();
    let list = schema.get_mut("schema_migrations").unwrap();
    list.retain(|(column, _)| column != "applied_at");
    let real: BTreeMap<String, Vec<String>> = schema
        .into_iter()
        .map(|(table, columns)| (table, columns.into_iter().map(|(name, _)| name).collect()))
        .collect();
    let listed: BTreeMap<String, Vec<String>> = TABLES
        .iter()
        .map(|table| {
            let columns = table.columns.iter().map(|(name, _)| (*name).to_owned());
            (table.name.to_owned(), columns.collect())
        })
        .collect();
    assert_eq!(listed, real);
}

#[test]
fn every_statement_prepares_alike() {
    let sqlite = prepare_all(&Db::new(Engine::Sqlite).target).unwrap();
    let postgres = prepare_all(&Db::new(Engine::Postgres).target).unwrap();
    assert_eq!(sqlite.len(), postgres.len());
    assert!(sqlite.len() > 100, "{} statements", sqlite.len());
    let mut faults = Vec::new();
    for ((name, left), (same_name, right)) in sqlite.into_iter().zip(postgres) {
        assert_eq!(name, same_name);
        match (left, right) {
            (Ok(left), Ok(right)) => {
                if (left.parameters, left.columns) != (right.parameters, right.columns) {
                    faults.push(format!("{name}: {left:?} {right:?}"));
                }
                let known = |ty: &String| ["int8", "text", "bool"].contains(&ty.as_str());
                if !right.types.iter().all(known) {
                    faults.push(format!("{name}: {:?}", right.types));
                }
            }
            (left, right) => faults.push(format!("{name}: {left:?} {right:?}")),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Whether a statement adds rows and reads others to do so. Citus takes no such statement when both are spread
/// over several machines: read first, then insert what was read.
fn inserts_what_it_selects(sql: &str) -> bool {
    let mut words = sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.any(|word| word.eq_ignore_ascii_case("insert"))
        && words.any(|word| word.eq_ignore_ascii_case("select"))
}

#[test]
fn no_statement_inserts_what_it_selects() {
    let all = statements();
    let guilty: Vec<_> = all
        .iter()
        .filter(|(_, sql)| inserts_what_it_selects(sql))
        .collect();
    assert!(guilty.is_empty(), "{guilty:#?}");
}

#[test]
fn an_insert_with_a_sub_select_is_noticed() {
    let guilty = [
        "INSERT INTO events (team_id, sequence) VALUES ($1, (SELECT MAX(sequence) FROM events))",
        "INSERT INTO events (team_id) SELECT team_id FROM referrals",
        "WITH told AS (INSERT INTO events VALUES ((select 1)) RETURNING id) SELECT id FROM told",
    ];
    let innocent = [
        "INSERT INTO selections (team_id, selected) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        "SELECT team_id FROM events WHERE type = $1",
        "UPDATE codes SET is_active = (SELECT is_active FROM inserts)",
    ];
    for sql in guilty {
        assert!(inserts_what_it_selects(sql), "{sql}");
    }
    for sql in innocent {
        assert!(!inserts_what_it_selects(sql), "{sql}");
    }
}
