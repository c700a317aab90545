//! `…/referrals/reconcile`: comparing our books with Stripe's.

pub mod get;
pub mod start;

use billstack_core::reconcile::{Drift, Remedy, RunStatus};
use billstack_store::reconcile::{Line, Run};
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// The most differences that are shown of a run.
const MOST_LINES: i64 = 1_000;

/// How far a run has come.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReconcileRunStatus)]
pub enum RunStatusJson {
    /// It has not begun.
    Queued,
    /// It is under way.
    Running,
    /// It has looked at everything.
    Done,
    /// It could not; `reason` says why.
    Failed,
}

/// A way in which our books and Stripe's differ.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Drift)]
pub enum DriftJson {
    /// An event was never taken in.
    EventMissed,
    /// A line that we made is gone.
    Missing,
    /// A line is there, and we count it as not made.
    UndeliveredButPresent,
    /// There are two lines of one operation.
    Doubled,
    /// A line has another amount or currency than it should.
    AmountDiffers,
    /// Somebody changed the words of a line.
    Edited,
    /// A line says that it is ours, and we do not know it.
    Unknown,
    /// A refund or dispute leads to no invoice.
    Unlinked,
    /// The lines of a balance do not add up to it.
    HistoryUnclear,
}

/// Something that differs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReconcileLine)]
struct LineJson {
    /// How.
    #[schema(value_type = DriftJson)]
    kind: Drift,
    /// The id of what it is about: an event, an operation or a line of a balance.
    #[schema(example = "evt_1RxVb2CZ6qsJgndJq3f9K2xM")]
    subject: String,
    /// What there is to know of it.
    #[schema(example = "customer.subscription.created of 2026-03-30T12:00:00.000000Z")]
    detail: String,
    /// Whether the run repaired it.
    is_repaired: bool,
}

/// A comparison of our books with Stripe's.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReconcileRun)]
struct RunJson {
    /// Its id.
    #[schema(example = "run_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// How far it has come.
    #[schema(value_type = RunStatusJson)]
    status: RunStatus,
    /// Why it failed.
    reason: Option<String>,
    /// Whether it repairs what it finds.
    apply: bool,
    /// Whether it looks at every balance.
    all: bool,
    /// How many of its parts are done.
    #[schema(minimum = 0, example = 25)]
    done: i64,
    /// How many parts it has, as far as that is known.
    #[schema(minimum = 0, example = 25)]
    total: i64,
    /// How many differences it has found.
    #[schema(minimum = 0, example = 1)]
    found: i64,
    /// How many of them it has repaired.
    #[schema(minimum = 0, example = 0)]
    repaired: i64,
    /// The first thousand of them.
    lines: Vec<LineJson>,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was over.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

/// A run.
#[derive(Serialize, ToSchema)]
pub struct ReconcileRunAnswer {
    /// The run.
    run: RunJson,
}

impl ReconcileRunAnswer {
    fn new(run: &Run, lines: Vec<Line>) -> ReconcileRunAnswer {
        let lines = lines.into_iter().map(|line| LineJson {
            kind: line.kind,
            subject: line.subject,
            detail: line.detail,
            is_repaired: line.is_repaired,
        });
        ReconcileRunAnswer {
            run: RunJson {
                id: run.id.clone(),
                status: run.status,
                reason: run.reason.clone(),
                apply: run.remedy == Remedy::Repair,
                all: run.is_whole,
                done: run.done,
                total: run.total,
                found: run.found,
                repaired: run.repaired,
                lines: lines.collect(),
                created_at: rfc3339(run.created_at.0),
                ended_at: run.ended_at.map(|at| rfc3339(at.0)),
            },
        }
    }
}
