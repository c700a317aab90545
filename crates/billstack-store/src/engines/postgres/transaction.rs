//! The seam over a PostgreSQL connection: an operation's statements, sent in few round trips.
//!
//! A round trip carries all pending statements and one whose result is needed. Waiting costs, not sending: five
//! statements take little longer than one. So `BEGIN`, savepoints, locks and writes with a known result are not
//! sent by themselves; they are pending until the next statement that needs an answer, or until
//! [`PostgresTx::flush`].

use std::collections::HashMap;
use std::io::Cursor;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use billstack_core::ids::TeamId;
use futures_util::SinkExt as _;
use tokio_postgres::{Client, Error, Statement};

use super::connection::{Settings, connect};
use super::driver::Driver;
use super::fault::{ends_connection, fault};
use super::request::{Answer, Asked, Early, Form, Request, all, ask};
use super::session::{self, Sessions};
use super::values::Owned;
use crate::seam::dialect::{Dialect, lock_keys};
use crate::seam::rows::EachRow;
use crate::seam::tx::{EachOf, Query};
use crate::seam::{Fault, Tx, Val};

/// Locks names of a team in the given order until the transaction ends.
pub(crate) const LOCK: &str = "SELECT pg_advisory_xact_lock(k) FROM unnest(CAST($1 AS BIGINT[])) k";

/// The error code of PostgreSQL for too many connections. Those that were just closed may still count, so it is asked
/// so often, after such a pause.
pub(super) const TOO_MANY: &str = "53300";
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// A client with its prepared statements and pending ones.
pub(crate) struct PostgresTx {
    // Dropped in this order: the driver says goodbye to the server once the client is gone.
    client: Client,
    driver: Driver,
    sessions: Sessions,
    statements: HashMap<String, Form>,
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

impl PostgresTx {
    /// Opens a connection.
    pub(crate) fn open(settings: &Settings) -> Result<PostgresTx, Fault> {
        for _ in 1..ATTEMPTS {
            match PostgresTx::open_once(settings) {
                Err(Fault::Unavailable(why)) if why.contains(TOO_MANY) => std::thread::sleep(PAUSE),
                other => return other,
            }
        }
        PostgresTx::open_once(settings)
    }

    fn open_once(settings: &Settings) -> Result<PostgresTx, Fault> {
        let (client, driver) = connect(settings)?;
        let mut tx = PostgresTx {
            client,
            driver,
            // Nothing is prepared before it is known to stay.
            sessions: Sessions::Pooled("".into()),
            statements: HashMap::new(),
            pending: Vec::new(),
            early: None,
            operation: 0,
            spoiled: None,
            ending: false,
        };
        tx.sessions = session::pin(&mut tx, settings)?;
        tx.statements.clear();
        tx.driver.give_up_after(settings.silence());
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

    /// Sends rows in the text format of `COPY … FROM STDIN`, and tells how many were taken.
    pub(crate) fn copy_in(&mut self, sql: &str, rows: Vec<u8>) -> Result<u64, Fault> {
        let client = &self.client;
        let copied = self.driver.answers(async {
            let mut sink = pin!(client.copy_in(sql).await?);
            sink.send(Cursor::new(rows)).await?;
            sink.finish().await
        });
        self.answered(copied)?.map_err(|error| self.fault(&error))
    }

    /// A statement as the server understands it.
    pub(crate) fn prepare(&mut self, sql: &str) -> Result<Statement, Fault> {
        let text = Dialect::Postgres.statement(sql);
        let prepared = self.driver.answers(self.client.prepare(&text));
        self.answered(prepared)?.map_err(|error| self.fault(&error))
    }

    /// The form in which a statement is sent.
    fn form(&mut self, sql: &str) -> Result<Form, Fault> {
        if let Some(form) = self.statements.get(sql) {
            return Ok(form.clone());
        }
        let form = match self.sessions {
            Sessions::Own => Form::Prepared(self.prepare(sql)?),
            Sessions::Pooled(_) => Form::Text(Dialect::Postgres.statement(sql).into()),
        };
        self.statements.insert(sql.to_owned(), form.clone());
        Ok(form)
    }

    /// Begins a transaction with the next round trip.
    pub(crate) fn begin(&mut self, command: &'static str) {
        self.forget_all();
        self.begin_later(command);
    }

    /// The same after what is pending.
    pub(super) fn begin_later(&mut self, command: &'static str) {
        self.later(command);
        if let Sessions::Pooled(settings) = &self.sessions {
            let settings = Request::Settings(Arc::clone(settings));
            self.send_later(settings);
        }
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
    pub(crate) fn flush(&mut self) -> Result<(), Fault> {
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
    fn round_trip(&mut self, last: &[(Form, &[Val<'_>])]) -> Result<Vec<Answer>, Fault> {
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

impl Tx for PostgresTx {
    fn execute(&mut self, sql: &str, params: &[Val<'_>]) -> Result<u64, Fault> {
        let statement = self.form(sql)?;
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
        let statement = self.form(sql)?;
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
        let statement = self.form(sql)?;
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
            asked.push((self.form(sql)?, *params));
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
        let statement = self.form(sql)?;
        let params = params.iter().map(Owned::from).collect();
        self.send_later(Request::OneRow(sql.to_owned(), statement, params));
        Ok(())
    }

    fn lock(&mut self, team_id: &TeamId, names: &[&str]) -> Result<(), Fault> {
        let statement = self.form(LOCK)?;
        let keys = Owned::Ints(lock_keys(team_id, names));
        self.send_later(Request::Any(statement, vec![keys]));
        Ok(())
    }
}
