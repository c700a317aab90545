//! The seam over a connection: statements of an operation, sent in flights.
//!
//! A flight is everything that waits to be sent, and one statement whose result somebody waits for.
//! What costs is the waiting, not the sending: a flight of five statements takes little longer than
//! one of a single statement. So `BEGIN`, savepoints, locks and writes whose result is known
//! beforehand are not sent by themselves; they wait for the next statement that must be answered, or
//! for [`PostgresTx::flush`].

use std::collections::HashMap;
use std::pin::Pin;
use std::task::Poll;

use billstack_core::ids::TeamId;
use futures_util::TryStreamExt;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row as PostgresRow, Statement};

use super::connection::{Settings, connect};
use super::driver::Driver;
use super::fault::{ends_connection, fault};
use super::values::Owned;
use crate::dialect::{Dialect, lock_keys};
use crate::tx::{EachOf, EachRow, Fault, Query, Tx, Val, exactly_one};

/// Takes the names of a team, in the order given, until the transaction ends.
pub(crate) const LOCK: &str = "SELECT pg_advisory_xact_lock(k) FROM unnest(CAST($1 AS BIGINT[])) k";

/// A client with the statements it has prepared, and what is still to be sent.
pub(crate) struct PostgresTx {
    // Dropped in this order: once the client is gone, the driver takes leave of the server.
    client: Client,
    driver: Driver,
    statements: HashMap<String, Statement>,
    waiting: Vec<Waiting>,
    operation: u32,
    spoiled: Option<Fault>,
    /// Whether the server has said that it ends the connection, or says nothing.
    ending: bool,
}

/// Something that is sent with the next flight.
struct Waiting {
    what: What,
    /// Which operation of the transaction it belongs to.
    operation: u32,
}

enum What {
    /// A command without parameters or result.
    Command(&'static str),
    /// A statement that must change exactly one row.
    OneRow(String, Statement, Vec<Owned>),
    /// A statement whose result nobody needs.
    Any(Statement, Vec<Owned>),
}

/// What a statement brought.
#[derive(Default)]
struct Answer {
    rows: Vec<PostgresRow>,
    changed: u64,
}

type Asked<'a> = Pin<Box<dyn Future<Output = Result<Answer, Error>> + 'a>>;

impl PostgresTx {
    /// Opens a connection.
    pub(crate) fn open(settings: &Settings) -> Result<PostgresTx, Fault> {
        let (client, driver) = connect(settings)?;
        Ok(PostgresTx {
            client,
            driver,
            statements: HashMap::new(),
            waiting: Vec::new(),
            operation: 0,
            spoiled: None,
            ending: false,
        })
    }

    /// Whether the connection is gone, or as good as gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.ending || self.client.is_closed()
    }

    /// From here on statements may last as long as they like.
    pub(crate) fn be_patient(&mut self) {
        self.driver.give_up_after(None);
    }

    /// Runs commands without parameters or result, such as `BEGIN`, and waits for them.
    pub(crate) fn simple(&mut self, sql: &str) -> Result<(), Fault> {
        let done = self.driver.run(self.client.batch_execute(sql));
        self.heard(done)?.map_err(|error| self.told(&error))
    }

    /// The prepared form of a statement.
    pub(crate) fn prepare(&mut self, sql: &str) -> Result<Statement, Fault> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let text = Dialect::Postgres.statement(sql);
        let prepared = self.driver.run(self.client.prepare(&text));
        let statement = self.heard(prepared)?.map_err(|error| self.told(&error))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Begins a transaction with the next flight.
    pub(super) fn begin(&mut self, command: &'static str) {
        self.forget_all();
        self.later(command);
    }

    /// Sends a command with the next flight.
    pub(super) fn later(&mut self, command: &'static str) {
        self.wait(What::Command(command));
    }

    /// From here on, what is sent belongs to another operation than what is waiting.
    pub(super) fn next_operation(&mut self) {
        self.operation += 1;
    }

    /// Takes back what the running operation has not sent yet.
    pub(super) fn forget_operation(&mut self) {
        let running = self.operation;
        self.waiting.retain(|waiting| waiting.operation != running);
    }

    /// Takes back whatever has not been sent, and begins anew.
    pub(super) fn forget_all(&mut self) {
        self.waiting.clear();
        self.operation = 0;
        self.spoiled = None;
    }

    /// Why an operation before the running one cannot be kept, when that came out late.
    pub(super) fn spoiled(&self) -> Option<&Fault> {
        self.spoiled.as_ref()
    }

    /// Sends what is waiting, and tells how it ended.
    pub(super) fn flush(&mut self) -> Result<(), Fault> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.fly(&[]).map(|_| ())
    }

    fn wait(&mut self, what: What) {
        self.waiting.push(Waiting {
            what,
            operation: self.operation,
        });
    }

    /// A server that does not answer is as good as gone.
    fn heard<T>(&mut self, answer: Result<T, Fault>) -> Result<T, Fault> {
        self.ending |= answer.is_err();
        answer
    }

    fn told(&mut self, error: &Error) -> Fault {
        self.ending |= ends_connection(error);
        // What the server said when it closed the connection tells more than that it is closed.
        match self.driver.ended() {
            Some(why) if error.is_closed() => why.clone(),
            _ => fault(error),
        }
    }

    /// Sends what is waiting and then the statements whose answers are returned.
    ///
    /// The first fault counts: in a transaction every later statement fails because of it.
    fn fly(&mut self, last: &[(Statement, &[Val<'_>])]) -> Result<Vec<Answer>, Fault> {
        let waiting = std::mem::take(&mut self.waiting);
        let client = &self.client;
        let mut asked: Vec<Asked<'_>> = Vec::with_capacity(waiting.len() + last.len());
        asked.extend(waiting.iter().map(|waiting| waiting.what.ask(client)));
        for (statement, params) in last {
            asked.push(Box::pin(ask(client, statement, params)));
        }
        let answers = self.driver.run(all(asked));
        let mut answers = self.heard(answers)?.into_iter();
        for (waiting, answer) in waiting.iter().zip(&mut answers) {
            let checked = answer
                .map_err(|error| self.told(&error))
                .and_then(|answer| waiting.what.check(&answer));
            if let Err(why) = checked {
                if waiting.operation != self.operation {
                    self.spoiled = Some(why.clone());
                    // The running operation did nothing wrong: it is run again, without the other.
                    return Err(Fault::Conflict(format!("before this operation: {why}")));
                }
                return Err(why);
            }
        }
        answers
            .map(|answer| answer.map_err(|error| self.told(&error)))
            .collect()
    }
}

impl What {
    fn ask<'a>(&'a self, client: &'a Client) -> Asked<'a> {
        match self {
            What::Command(sql) => Box::pin(async {
                client.batch_execute(sql).await?;
                Ok(Answer::default())
            }),
            What::OneRow(_, statement, params) | What::Any(statement, params) => {
                Box::pin(ask(client, statement, params))
            }
        }
    }

    fn check(&self, answer: &Answer) -> Result<(), Fault> {
        match self {
            What::OneRow(sql, _, _) => exactly_one(answer.changed, sql),
            What::Command(_) | What::Any(_, _) => Ok(()),
        }
    }
}

/// Asks for a statement; it is sent when this is looked at for the first time.
async fn ask<P: ToSql + Sync>(
    client: &Client,
    statement: &Statement,
    params: &[P],
) -> Result<Answer, Error> {
    let params = params.iter().map(|value| value as &(dyn ToSql + Sync));
    let mut found = std::pin::pin!(client.query_raw(statement, params).await?);
    let mut rows = Vec::new();
    while let Some(row) = found.try_next().await? {
        rows.push(row);
    }
    let changed = found.rows_affected().unwrap_or(0);
    Ok(Answer { rows, changed })
}

/// All answers. What is asked is sent in order, because all of it is looked at in order.
async fn all(mut asked: Vec<Asked<'_>>) -> Vec<Result<Answer, Error>> {
    let mut answers: Vec<Option<_>> = asked.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (asked, answer) in asked.iter_mut().zip(&mut answers) {
            if answer.is_none()
                && let Poll::Ready(done) = asked.as_mut().poll(context)
            {
                *answer = Some(done);
            }
        }
        if answers.iter().all(Option::is_some) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    answers.into_iter().flatten().collect()
}

impl Tx for PostgresTx {
    fn execute(&mut self, sql: &str, params: &[Val<'_>]) -> Result<u64, Fault> {
        let statement = self.prepare(sql)?;
        let answers = self.fly(&[(statement, params)])?;
        Ok(answers.iter().map(|answer| answer.changed).sum())
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Val<'_>],
        each: &mut EachRow<'_>,
    ) -> Result<(), Fault> {
        let statement = self.prepare(sql)?;
        let answers = self.fly(&[(statement, params)])?;
        answers
            .iter()
            .flat_map(|answer| &answer.rows)
            .try_for_each(|row| each(row))
    }

    fn query_together(
        &mut self,
        queries: &[Query<'_>],
        each: &mut EachOf<'_>,
    ) -> Result<(), Fault> {
        let mut asked = Vec::with_capacity(queries.len());
        for (sql, params) in queries {
            asked.push((self.prepare(sql)?, *params));
        }
        for (number, answer) in self.fly(&asked)?.iter().enumerate() {
            for row in &answer.rows {
                each(number, row)?;
            }
        }
        Ok(())
    }

    fn is_alone(&self) -> bool {
        false
    }

    fn must_later(&mut self, sql: &str, params: &[Val<'_>]) -> Result<(), Fault> {
        let statement = self.prepare(sql)?;
        let params = params.iter().map(Owned::from).collect();
        self.wait(What::OneRow(sql.to_owned(), statement, params));
        Ok(())
    }

    fn lock(&mut self, team_id: &TeamId, names: &[&str]) -> Result<(), Fault> {
        let statement = self.prepare(LOCK)?;
        let keys = Owned::Ints(lock_keys(team_id, names));
        self.wait(What::Any(statement, vec![keys]));
        Ok(())
    }
}
