//! The queue in front of an engine: operations, and answers that are sent after the commit.

use std::panic::{AssertUnwindSafe, catch_unwind};

use billstack_core::ids::TeamId;
use crossbeam_channel::{Sender, TrySendError};
use tokio::sync::oneshot;

use crate::seam::rows::EachRow;
use crate::seam::tx::{EachOf, Query};
use crate::seam::{Abort, Fault, Tx, Val};

/// What the engine does with the savepoint of an operation after it ran.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Keep its writes; the answer is sent after the commit.
    Keep,
    /// Undo its writes. The refusal too is sent after the commit, or it might tell of a state that a failed commit
    /// takes back.
    Undo,
    /// Undo and retry: it conflicts with another transaction.
    Again(Fault),
    /// Undo; the engine must check whether its connection still works.
    Failed(Fault),
}

/// A queued operation, its types erased.
pub(crate) trait Job: Send {
    /// Runs the operation from the start and keeps its outcome.
    fn run(&mut self, tx: &mut dyn Tx) -> Verdict;
    /// Answers the caller with the outcome, or with the fault of the commit.
    fn answer(self: Box<Self>, committed: Result<(), Fault>);
}

/// What an operation answers: `R` is what it can refuse, of which the queue knows nothing.
type Answer<T, R> = Result<T, Abort<R>>;

struct Call<F, T, R> {
    op: F,
    outcome: Option<Answer<T, R>>,
    reply: oneshot::Sender<Answer<T, R>>,
}

impl<F, T, R> Job for Call<F, T, R>
where
    F: FnMut(&mut dyn Tx) -> Answer<T, R> + Send,
    T: Send,
    R: Send,
{
    fn run(&mut self, tx: &mut dyn Tx) -> Verdict {
        let mut watched = Watched { tx, fault: None };
        let mut outcome = catch_unwind(AssertUnwindSafe(|| (self.op)(&mut watched)))
            .unwrap_or_else(|panic| Err(Abort::Fault(Fault::Panicked(panic_text(&*panic)))));
        if let (Some(fault), Ok(_) | Err(Abort::Refused(_))) = (watched.fault, &outcome) {
            outcome = Err(Abort::Fault(fault));
        }
        let verdict = match &outcome {
            Ok(_) => Verdict::Keep,
            Err(Abort::Refused(_)) => Verdict::Undo,
            Err(Abort::Fault(fault @ Fault::Conflict(_))) => Verdict::Again(fault.clone()),
            Err(Abort::Fault(fault)) => Verdict::Failed(fault.clone()),
        };
        self.outcome = Some(outcome);
        verdict
    }

    fn answer(self: Box<Self>, committed: Result<(), Fault>) {
        let answer = match (committed, self.outcome) {
            (Err(fault), _) => Err(Abort::Fault(fault)),
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(Abort::Fault(Fault::Closed)),
        };
        // The caller may be gone; the commit stands.
        let _ = self.reply.send(answer);
    }
}

/// A transaction that remembers its first fault, so that an operation that ignores it is not kept: PostgreSQL has
/// aborted the transaction by then, and answers COMMIT without an error although it rolls back.
struct Watched<'t> {
    tx: &'t mut dyn Tx,
    fault: Option<Fault>,
}

impl Watched<'_> {
    fn watch<T>(&mut self, result: Result<T, Fault>) -> Result<T, Fault> {
        if let (Err(fault), None) = (&result, &self.fault) {
            self.fault = Some(fault.clone());
        }
        result
    }
}

impl Tx for Watched<'_> {
    fn execute(&mut self, sql: &str, params: &[Val<'_>]) -> Result<u64, Fault> {
        let result = self.tx.execute(sql, params);
        self.watch(result)
    }

    fn query(
        &mut self,
        sql: &str,
        params: &[Val<'_>],
        each: &mut EachRow<'_>,
    ) -> Result<(), Fault> {
        let result = self.tx.query(sql, params, each);
        self.watch(result)
    }

    fn is_alone(&self) -> bool {
        self.tx.is_alone()
    }

    fn query_together(
        &mut self,
        queries: &[Query<'_>],
        each: &mut EachOf<'_>,
    ) -> Result<(), Fault> {
        let result = self.tx.query_together(queries, each);
        self.watch(result)
    }

    fn ask_ahead(&mut self, sql: &str, params: &[Val<'_>]) -> Result<bool, Fault> {
        let result = self.tx.ask_ahead(sql, params);
        self.watch(result)
    }

    fn must_later(&mut self, sql: &str, params: &[Val<'_>]) -> Result<(), Fault> {
        let result = self.tx.must_later(sql, params);
        self.watch(result)
    }

    fn lock(&mut self, team_id: &TeamId, names: &[&str]) -> Result<(), Fault> {
        let result = self.tx.lock(team_id, names);
        self.watch(result)
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    metrics::counter!("billstack_operation_panics_total").increment(1);
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

/// Boxes an operation for the queue, and returns the receiver of its answer.
pub(crate) fn job<T: Send + 'static, R: Send + 'static>(
    op: impl FnMut(&mut dyn Tx) -> Answer<T, R> + Send + 'static,
) -> (Box<dyn Job>, oneshot::Receiver<Answer<T, R>>) {
    let (reply, answer) = oneshot::channel();
    (
        Box::new(Call {
            op,
            outcome: None,
            reply,
        }),
        answer,
    )
}

/// Queues a job. A full queue refuses it at once.
pub(crate) fn enqueue(
    queue: Option<&Sender<Box<dyn Job>>>,
    job: Box<dyn Job>,
) -> Result<(), Fault> {
    match queue.map(|queue| queue.try_send(job)) {
        Some(Ok(())) => Ok(()),
        Some(Err(TrySendError::Full(_))) => Err(Fault::Overloaded),
        Some(Err(TrySendError::Disconnected(_))) | None => Err(Fault::Closed),
    }
}
