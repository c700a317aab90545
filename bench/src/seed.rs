//! Data to measure on, loaded in bulk: customers, codes, and ten referrals for each code.
//!
//! It goes past the program on purpose: loading ten million referrals through the API would measure
//! the API for an hour. Rows come in the order of their clustering key, and the secondary indexes
//! are built afterwards.

use std::path::Path;

use billstack_core::code::ALPHABET;
use billstack_core::ids::{IdKind, ProjectId, TeamId, make_id};
use billstack_core::time::Micros;
use indicatif::{ProgressBar, ProgressStyle};
use postgres::{Client, NoTls};
use rusqlite::{Connection, params};
use std::io::Write as _;

/// Referrals of each code.
pub(crate) const PER_CODE: u64 = 10;

/// When the first row was made: 2025-01-01.
const EPOCH: i64 = 1_735_689_600_000_000;

/// Where the data belongs.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The team.
    pub(crate) team_id: TeamId,
    /// The project.
    pub(crate) project_id: ProjectId,
}

/// A small generator of numbers that look random and repeat from a seed.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Numbers from a seed.
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next number (xorshift64*).
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Ten bytes for an id.
    pub(crate) fn ten(&mut self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.next().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next().to_be_bytes()[..2]);
        bytes
    }
}

/// The n-th code of a data set with `total`: spread over the alphabet, in its order.
pub(crate) fn code(n: u64, total: u64) -> String {
    let base = ALPHABET.len() as u64;
    let space = base.pow(8);
    let mut number = u64::try_from(u128::from(space) * u128::from(n) / u128::from(total.max(1)))
        .unwrap_or_default();
    let mut text = [0_u8; 8];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[usize::try_from(number % base).unwrap_or_default()];
        number /= base;
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The n-th customer.
pub(crate) fn customer_id(n: u64) -> String {
    let at = EPOCH + i64::try_from(n).unwrap_or_default() * 1_000;
    make_id(IdKind::Customer, Micros(at), Random::new(n + 1).ten())
}

/// How many rows of each kind a data set has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Referrals, every second one converted.
    pub(crate) referrals: u64,
    /// Pending referrals on top, for the webhooks to be measured.
    pub(crate) waiting: u64,
    /// Customers nobody has referred yet, for the writes to be measured.
    pub(crate) fresh: u64,
}

impl Size {
    /// Codes, each with [`PER_CODE`] referrals.
    pub(crate) fn codes(self) -> u64 {
        self.all_referrals() / PER_CODE
    }

    /// Referrals, and those on top.
    pub(crate) fn all_referrals(self) -> u64 {
        self.referrals + self.waiting
    }

    /// Customers: owners of codes, referees, and fresh ones, in this order.
    pub(crate) fn customers(self) -> u64 {
        self.codes() + self.all_referrals() + self.fresh
    }
}

/// A customer to load.
struct Customer {
    id: String,
    email: String,
    stripe_id: String,
    at: i64,
}

/// A code to load.
struct Code {
    code: String,
    customer_id: String,
    at: i64,
}

/// A referral to load.
struct Referral {
    code: String,
    at: i64,
    id: String,
    referrer: String,
    referee: String,
    converted_at: Option<i64>,
}

/// The Stripe customer of the n-th customer.
pub(crate) fn stripe_id(n: u64) -> String {
    format!("cus_{:016x}", Random::new(n ^ 0x5bd1_e995).next())
}

fn customers(size: Size) -> impl Iterator<Item = Customer> {
    (0..size.customers()).map(|n| Customer {
        id: customer_id(n),
        email: format!("u{n:010}@example.com"),
        stripe_id: stripe_id(n),
        at: EPOCH + n as i64 * 1_000,
    })
}

/// When the n-th code was made: any time of the year.
pub(crate) fn code_made_at(n: u64) -> i64 {
    EPOCH + (Random::new(n ^ 0x0c0d_e000).next() % YEAR) as i64
}

fn codes(size: Size) -> impl Iterator<Item = Code> {
    (0..size.codes()).map(move |n| Code {
        code: code(n, size.codes()),
        customer_id: customer_id(n),
        at: code_made_at(n),
    })
}

fn referrals(size: Size) -> impl Iterator<Item = Referral> {
    let mut random = Random::new(11);
    (0..size.codes()).flat_map(move |n| {
        let mut at = EPOCH + (random.next() % YEAR) as i64;
        let of_code: Vec<Referral> = (0..PER_CODE)
            .map(|k| {
                at += 1 + (random.next() % DAY) as i64;
                let place = n * PER_CODE + k;
                let converted = place < size.referrals && place.is_multiple_of(2);
                Referral {
                    code: code(n, size.codes()),
                    at,
                    id: make_id(IdKind::Referral, Micros(at), random.ten()),
                    referrer: customer_id(n),
                    referee: customer_id(size.codes() + place),
                    converted_at: converted.then_some(at + 1),
                }
            })
            .collect();
        of_code
    })
}

const DAY: u64 = 86_400_000_000;
const YEAR: u64 = 365 * DAY;

fn progress(size: Size) -> ProgressBar {
    let bar = ProgressBar::new(size.customers() + size.codes() + size.all_referrals());
    let style = ProgressStyle::with_template("{msg:24} {bar:30} {human_pos}/{human_len} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Adds to a database that is being filled.
pub(crate) type History = fn(&Connection) -> rusqlite::Result<()>;

/// Fills an SQLite database that `billstack init` has made.
/// `history` adds what happened to it before there are indexes.
pub(crate) fn sqlite(
    file: &Path,
    place: &Place,
    size: Size,
    history: Option<History>,
) -> rusqlite::Result<()> {
    let mut db = Connection::open(file)?;
    db.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; \
         PRAGMA cache_size = -4000000; PRAGMA locking_mode = EXCLUSIVE;",
    )?;
    // Dropping an index drops what the planner believes about it; the program does not analyse.
    db.execute_batch("CREATE TEMP TABLE beliefs AS SELECT * FROM sqlite_stat1")?;
    let indexes = drop_indexes(&db)?;
    let bar = progress(size);
    let tx = db.transaction()?;
    load_sqlite(&tx, place, size, &bar)?;
    if let Some(history) = history {
        bar.set_message("history");
        history(&tx)?;
    }
    tx.commit()?;
    bar.set_message("indexes");
    for sql in indexes {
        db.execute_batch(&sql)?;
    }
    db.execute_batch(
        "DELETE FROM sqlite_stat1; INSERT INTO sqlite_stat1 SELECT * FROM beliefs; \
         PRAGMA journal_mode = WAL;",
    )?;
    bar.finish_and_clear();
    Ok(())
}

/// The program that codes belong to, and terms for the referrals.
const PROGRAM_SQLITE: &str = "SELECT id FROM programs WHERE team_id = ?1 AND project_id = ?2";
const PROGRAM_POSTGRES: &str = "SELECT id FROM programs WHERE team_id = $1 AND project_id = $2";
const TERMS_SQLITE: &str = "INSERT INTO terms VALUES (?1, 'terms_bench', ?2, 1000, 500, 'usd', 0, 0, 'subscription_created', \
     FALSE, 0, 'ledger', 'none', 180, 'unused_only', NULL, 'Referral credit', 0)";
const TERMS_POSTGRES: &str = "INSERT INTO terms VALUES ($1, 'terms_bench', $2, 1000, 500, 'usd', 0, 0, 'subscription_created', \
     FALSE, 0, 'ledger', 'none', 180, 'unused_only', NULL, 'Referral credit', 0)";

fn load_sqlite(
    db: &Connection,
    place: &Place,
    size: Size,
    bar: &ProgressBar,
) -> rusqlite::Result<()> {
    let (team, project) = (place.team_id.number(), place.project_id.number());
    bar.set_message("customers");
    let mut insert = db.prepare(
        "INSERT INTO customers (team_id, project_id, id, email, stripe_customer_id, metadata, \
         created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, '{}', ?6, ?6)",
    )?;
    for c in bar.wrap_iter(customers(size)) {
        insert.execute(params![team, project, c.id, c.email, c.stripe_id, c.at])?;
    }
    bar.set_message("codes");
    let program: String = db.query_row(PROGRAM_SQLITE, [team, project], |row| row.get(0))?;
    db.execute(TERMS_SQLITE, params![team, program])?;
    let mut insert = db.prepare(
        "INSERT INTO codes (team_id, project_id, code, program_id, customer_id, is_active, \
         created_at, renamed_on, renames) VALUES (?1, ?2, ?3, ?4, ?5, TRUE, ?6, 0, 0)",
    )?;
    for c in bar.wrap_iter(codes(size)) {
        insert.execute(params![team, project, c.code, program, c.customer_id, c.at])?;
    }
    bar.set_message("referrals");
    let mut insert = db.prepare(
        "INSERT INTO referrals (team_id, project_id, code, created_at, id, program_id, terms_id, \
         referrer_customer_id, referee_customer_id, status, converted_at, story_length, story_at, source) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'terms_bench', ?7, ?8, ?9, ?10, 1, ?4, 'code')",
    )?;
    for r in bar.wrap_iter(referrals(size)) {
        let status = if r.converted_at.is_some() {
            "converted"
        } else {
            "pending"
        };
        insert.execute(params![
            team,
            project,
            r.code,
            r.at,
            r.id,
            program,
            r.referrer,
            r.referee,
            status,
            r.converted_at
        ])?;
    }
    Ok(())
}

/// Drops the secondary indexes and returns the statements that make them.
fn drop_indexes(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let found = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL \
                 AND tbl_name IN ('customers', 'codes', 'referrals', 'credits', 'events', \
                 'stripe_events')";
    let mut statement = db.prepare(found)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let rows: Vec<(String, String)> = rows.collect::<Result<_, _>>()?;
    for (name, _) in &rows {
        db.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    Ok(rows.into_iter().map(|(_, sql)| sql).collect())
}

/// Fills a PostgreSQL database that `billstack init` has made.
pub(crate) fn postgres(
    url: &str,
    place: &Place,
    size: Size,
) -> Result<(), Box<dyn std::error::Error>> {
    // What refers to another table looks each row up there. Without statistics PostgreSQL does that by any
    // index that begins alike, and reads all of the project: hence each ANALYZE.
    let mut db = Client::connect(url, NoTls)?;
    let bar = progress(size);
    let (team, project) = (place.team_id.number(), place.project_id.number());
    bar.set_message("customers");
    let mut copy = db.copy_in(
        "COPY customers (team_id, project_id, id, email, stripe_customer_id, metadata, \
         created_at, updated_at) FROM STDIN",
    )?;
    for c in bar.wrap_iter(customers(size)) {
        let (id, email, stripe, at) = (c.id, c.email, c.stripe_id, c.at);
        writeln!(
            copy,
            "{team}\t{project}\t{id}\t{email}\t{stripe}\t{{}}\t{at}\t{at}"
        )?;
    }
    copy.finish()?;
    db.batch_execute("ANALYZE")?;
    bar.set_message("codes");
    let program: String = db.query_one(PROGRAM_POSTGRES, &[&team, &project])?.get(0);
    db.execute(TERMS_POSTGRES, &[&team, &program])?;
    let mut copy = db.copy_in(
        "COPY codes (team_id, project_id, code, program_id, customer_id, is_active, created_at, \
         renamed_on, renames) FROM STDIN",
    )?;
    for c in bar.wrap_iter(codes(size)) {
        writeln!(
            copy,
            "{team}\t{project}\t{}\t{program}\t{}\tt\t{}\t0\t0",
            c.code, c.customer_id, c.at
        )?;
    }
    copy.finish()?;
    db.batch_execute("ANALYZE")?;
    bar.set_message("referrals");
    let mut copy = db.copy_in(
        "COPY referrals (team_id, project_id, code, created_at, id, program_id, terms_id, \
         referrer_customer_id, referee_customer_id, status, converted_at, story_length, story_at, source) \
         FROM STDIN",
    )?;
    for r in bar.wrap_iter(referrals(size)) {
        let status = if r.converted_at.is_some() {
            "converted"
        } else {
            "pending"
        };
        let converted_at = r.converted_at.map_or("\\N".to_owned(), |at| at.to_string());
        writeln!(
            copy,
            "{team}\t{project}\t{}\t{}\t{}\t{program}\tterms_bench\t{}\t{}\t{status}\t\
             {converted_at}\t1\t{}\tcode",
            r.code, r.at, r.id, r.referrer, r.referee, r.at
        )?;
    }
    copy.finish()?;
    bar.set_message("analyze");
    db.batch_execute("ANALYZE; CHECKPOINT")?;
    bar.finish_and_clear();
    Ok(())
}
