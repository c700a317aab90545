//! The seam over a PostgreSQL connection: an operation's statements, sent in few round trips.
//!
//! A round trip carries all pending statements and one whose result is needed. Waiting costs, not sending: five
//! statements take little longer than one. So `BEGIN`, savepoints, locks and writes with a known result are not
//! sent by themselves; they are pending until the next statement that needs an answer, or until
//! [`PostgresTx::flush`].

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
use super::session;
use super::values::Owned;
use crate::seam::dialect::{Dialect, lock_keys};
use crate::seam::rows::EachRow;
use crate::seam::tx::{EachOf, Query, exactly_one};
use crate::seam::{Fault, Tx, Val};

/// Locks names of a team in the given order until the transaction ends.
pub(crate) const LOCK: &str = "SELECT pg_advisory_xact_lock(k) FROM unnest(CAST($1 AS BIGINT[])) k";

/// A client with its prepared statements and pending ones.
pub(crate) struct PostgresTx {
    // Dropped in this order: the driver says goodbye to the server once the client is gone.
    client: Client,
    driver: Driver,
    statements: HashMap<String, Statement>,
    pending: Vec<Pending>,
    early: Option<Early>,
    operation: u32,
    spoiled: Option<Fault>,
    /// Whether the server has announced that it closes the connection, or does not answer.
    ending: bool,
}

/// Something to send with the next round trip.
struct Pending {
    request: Request,
    /// The operation of the transaction that it belongs to.
    operation: u32,
}

enum Request {
    /// A command without parameters or result.
    Command(&'static str),
    /// A statement that must change exactly one row.
    OneRow(String, Statement, Vec<Owned>),
    /// A statement whose result nobody needs.
    Any(Statement, Vec<Owned>),
    /// A query whose rows are wanted later.
    Ahead(String, Statement, Vec<Owned>),
}

/// The answer to a query that was asked ahead.
struct Early {
    sql: String,
    params: Vec<Owned>,
    answer: Answer,
}

/// The result of a statement.
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
        let mut tx = PostgresTx {
            client,
            driver,
            statements: HashMap::new(),
            pending: Vec::new(),
            early: None,
            operation: 0,
            spoiled: None,
            ending: false,
        };
        session::pin(&mut tx)?;
        Ok(tx)
    }

    /// Whether the connection is gone or about to be.
    pub(crate) fn is_closed(&self) -> bool {
        self.ending || self.client.is_closed()
    }

    /// Lifts the time limit on answers.
    pub(crate) fn be_patient(&mut self) {
        self.driver.give_up_after(None);
    }

    /// Runs commands without parameters or result, such as `BEGIN`, and waits for them.
    pub(crate) fn simple(&mut self, sql: &str) -> Result<(), Fault> {
        let done = self.driver.answers(self.client.batch_execute(sql));
        self.answered(done)?.map_err(|error| self.fault(&error))
    }

    /// The prepared form of a statement.
    pub(crate) fn prepare(&mut self, sql: &str) -> Result<Statement, Fault> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let text = Dialect::Postgres.statement(sql);
        let prepared = self.driver.answers(self.client.prepare(&text));
        let statement = self
            .answered(prepared)?
            .map_err(|error| self.fault(&error))?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Begins a transaction with the next round trip.
    pub(super) fn begin(&mut self, command: &'static str) {
        self.forget_all();
        self.later(command);
    }

    /// Sends a command with the next round trip.
    pub(super) fn later(&mut self, command: &'static str) {
        self.send_later(Request::Command(command));
    }

    /// Commits a transaction that only reads, with the next round trip.
    pub(super) fn commit_later(&mut self) {
        self.early = None;
        self.pending
            .retain(|pending| !matches!(pending.request, Request::Ahead(..)));
        self.later("COMMIT");
    }

    /// Whatever follows belongs to a new operation.
    pub(super) fn next_operation(&mut self) {
        self.operation += 1;
    }

    /// Drops pending statements of the running operation.
    pub(super) fn forget_operation(&mut self) {
        let running = self.operation;
        self.pending.retain(|pending| pending.operation != running);
    }

    /// Drops all pending statements and starts over.
    pub(super) fn forget_all(&mut self) {
        self.pending.clear();
        self.early = None;
        self.operation = 0;
        self.spoiled = None;
    }

    /// Why an operation before the running one cannot be kept, when its fault came late.
    pub(super) fn spoiled(&self) -> Option<&Fault> {
        self.spoiled.as_ref()
    }

    /// Sends all pending statements and waits for their results.
    pub(super) fn flush(&mut self) -> Result<(), Fault> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.round_trip(&[]).map(|_| ())
    }

    /// The answer to a query, if it was asked ahead.
    fn early(&self, sql: &str, params: &[Val<'_>]) -> Option<&Answer> {
        let early = self.early.as_ref().filter(|early| early.sql == sql)?;
        let same = params
            .iter()
            .map(Owned::from)
            .eq(early.params.iter().cloned());
        same.then_some(&early.answer)
    }

    fn send_later(&mut self, request: Request) {
        self.pending.push(Pending {
            request,
            operation: self.operation,
        });
    }

    /// Marks a connection whose server does not answer.
    fn answered<T>(&mut self, answer: Result<T, Fault>) -> Result<T, Fault> {
        self.ending |= answer.is_err();
        answer
    }

    fn fault(&mut self, error: &Error) -> Fault {
        self.ending |= ends_connection(error);
        // The server's reason for closing says more than "closed".
        match self.driver.ended() {
            Some(why) if error.is_closed() => why.clone(),
            _ => fault(error),
        }
    }

    /// Sends all pending statements and then those whose answers are returned.
    ///
    /// The first fault counts: it makes every later statement of the transaction fail.
    fn round_trip(&mut self, last: &[(Statement, &[Val<'_>])]) -> Result<Vec<Answer>, Fault> {
        let pending = std::mem::take(&mut self.pending);
        let client = &self.client;
        let mut asked: Vec<Asked<'_>> = Vec::with_capacity(pending.len() + last.len());
        asked.extend(pending.iter().map(|pending| pending.request.ask(client)));
        for (statement, params) in last {
            asked.push(Box::pin(ask(client, statement, params)));
        }
        let answers = self.driver.answers(all(asked));
        let mut answers = self.answered(answers)?.into_iter();
        for (pending, answer) in pending.into_iter().zip(&mut answers) {
            let checked = answer
                .map_err(|error| self.fault(&error))
                .and_then(|answer| pending.request.check(answer));
            match checked {
                Ok(None) => {}
                Ok(early) => self.early = early,
                Err(why) if pending.operation == self.operation => return Err(why),
                Err(why) => {
                    // The running operation is not at fault, so it runs again without the other.
                    let conflict = format!("before this operation: {why}");
                    self.spoiled = Some(why);
                    return Err(Fault::Conflict(conflict));
                }
            }
        }
        answers
            .map(|answer| answer.map_err(|error| self.fault(&error)))
            .collect()
    }
}

impl Request {
    fn ask<'a>(&'a self, client: &'a Client) -> Asked<'a> {
        match self {
            Request::Command(sql) => Box::pin(async {
                client.batch_execute(sql).await?;
                Ok(Answer::default())
            }),
            Request::OneRow(_, statement, params)
            | Request::Any(statement, params)
            | Request::Ahead(_, statement, params) => Box::pin(ask(client, statement, params)),
        }
    }

    /// Checks its result, and keeps one that is wanted later.
    fn check(self, answer: Answer) -> Result<Option<Early>, Fault> {
        match self {
            Request::OneRow(sql, _, _) => exactly_one(answer.changed, &sql).map(|()| None),
            Request::Command(_) | Request::Any(_, _) => Ok(None),
            Request::Ahead(sql, _, params) => Ok(Some(Early {
                sql,
                params,
                answer,
            })),
        }
    }
}

/// Runs a statement; the first poll sends it.
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

/// All answers. Statements are sent in order, because they are polled in order.
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
        let answers = self.round_trip(&[(statement, params)])?;
        Ok(answers.iter().map(|answer| answer.changed).sum())
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Val<'_>],
        each: &mut EachRow<'_>,
    ) -> Result<(), Fault> {
        if let Some(answer) = self.early(sql, params) {
            return answer.rows.iter().try_for_each(|row| each(row));
        }
        let statement = self.prepare(sql)?;
        let answers = self.round_trip(&[(statement, params)])?;
        answers
            .iter()
            .flat_map(|answer| &answer.rows)
            .try_for_each(|row| each(row))
    }

    fn ask_ahead(&mut self, sql: &str, params: &[Val<'_>]) -> Result<bool, Fault> {
        if self.early(sql, params).is_some() {
            return Ok(true);
        }
        let statement = self.prepare(sql)?;
        let params = params.iter().map(Owned::from).collect();
        self.send_later(Request::Ahead(sql.to_owned(), statement, params));
        Ok(true)
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
        for (number, answer) in self.round_trip(&asked)?.iter().enumerate() {
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
        self.send_later(Request::OneRow(sql.to_owned(), statement, params));
        Ok(())
    }

    fn lock(&mut self, team_id: &TeamId, names: &[&str]) -> Result<(), Fault> {
        let statement = self.prepare(LOCK)?;
        let keys = Owned::Ints(lock_keys(team_id, names));
        self.send_later(Request::Any(statement, vec![keys]));
        Ok(())
    }
}
