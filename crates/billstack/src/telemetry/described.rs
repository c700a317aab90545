//! What each metric means, as it is sent with its numbers.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_process::Collector as Process;

use super::{
    BATCH_SIZE, BROKEN_RULES, BUILD_INFO, DATABASE_BYTES, FORGOTTEN, HTTP_REQUESTS, HTTP_SECONDS,
    LAST_BACKUP, LAST_EVENT_AGE, LAST_VERIFY, LOG_BYTES, OLDEST_DUE, OPERATION_PANICS,
    OPERATION_RETRIES, PANICS, QUEUE_DEPTH, WEBHOOK_ATTEMPTS, WEBHOOK_REFUSALS, WEBHOOKS,
    WEBHOOKS_DUE,
};

/// Describes every metric.
pub(super) fn describe() {
    describe_what_is_counted();
    describe_what_is_shown();
    Process::default().describe();
}

fn describe_what_is_counted() {
    describe_counter!(
        HTTP_REQUESTS,
        Unit::Count,
        "Requests answered, by method, route and status."
    );
    describe_histogram!(
        HTTP_SECONDS,
        Unit::Seconds,
        "Time from a request to its answer."
    );
    describe_counter!(
        WEBHOOKS,
        Unit::Count,
        "Events from Stripe, by what became of them."
    );
    describe_counter!(
        WEBHOOK_REFUSALS,
        Unit::Count,
        "Calls of webhooks refused for their signature, by reason."
    );
    describe_counter!(
        WEBHOOK_ATTEMPTS,
        Unit::Count,
        "Attempts to send a webhook, by why they failed, or delivered."
    );
    describe_histogram!(BATCH_SIZE, Unit::Count, "Writes that one commit carried.");
    describe_counter!(
        FORGOTTEN,
        Unit::Count,
        "Rows forgotten because their time was over, by kind."
    );
    describe_counter!(PANICS, Unit::Count, "Panics caught outside the store.");
    describe_counter!(
        OPERATION_PANICS,
        Unit::Count,
        "Panics caught inside a store operation."
    );
    describe_counter!(
        OPERATION_RETRIES,
        Unit::Count,
        "Store operations run again after a conflict in the database."
    );
}

fn describe_what_is_shown() {
    describe_gauge!(
        WEBHOOKS_DUE,
        Unit::Count,
        "Webhooks that should have been sent by now; 10,000 stands for that many or more."
    );
    describe_gauge!(
        OLDEST_DUE,
        Unit::Seconds,
        "Time since the oldest of them should have been sent."
    );
    describe_gauge!(
        QUEUE_DEPTH,
        Unit::Count,
        "Writes that wait for the database."
    );
    describe_gauge!(BUILD_INFO, "Always 1; the labels say what runs.");
    describe_gauge!(DATABASE_BYTES, Unit::Bytes, "Room that the database takes.");
    describe_gauge!(
        LOG_BYTES,
        Unit::Bytes,
        "Room that the write-ahead log of SQLite takes."
    );
    describe_gauge!(
        LAST_EVENT_AGE,
        Unit::Seconds,
        "Time since the last event from Stripe to any team, or since the start while there is none."
    );
    describe_gauge!(
        LAST_VERIFY,
        Unit::Seconds,
        "When the books were last checked, in Unix time; 0 while they never were."
    );
    describe_gauge!(
        BROKEN_RULES,
        Unit::Count,
        "How many rules were broken then."
    );
    describe_gauge!(
        LAST_BACKUP,
        Unit::Seconds,
        "When billstack backup last made a whole copy, in Unix time; 0 while it never did."
    );
}
