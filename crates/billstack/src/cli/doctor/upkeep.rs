//! When the books were last checked and the data last copied, as the database has noted it.

use billstack_core::time::{DAY, Micros};
use billstack_store::upkeep::{self, Run};

use super::disk::{NIGHTLY, OLDEST_BACKUP};
use super::{Finding, data, span};
use crate::app::App;

/// A nightly check is at most this old, with one that was left out.
const OLDEST_CHECK: i64 = 2 * DAY;

/// Looks at what is noted. Of copies only where their folder was not looked into, and the engine has no other tool.
pub(super) async fn look(app: &App, copies_too: bool) -> Vec<Finding> {
    let last = match app.store.scan(|tx| Ok(upkeep::last(tx)?)).await {
        Ok(last) => last,
        Err(abort) => return vec![data::unread(abort)],
    };
    let mut found = vec![books(last.verify.as_ref(), app.now())];
    found.extend(copies_too.then(|| backup(last.backup.as_ref(), app.now())));
    found
}

fn books(last: Option<&Run>, now: Micros) -> Finding {
    const EVERY_NIGHT: &str = "Run `billstack verify`, every night from a timer";
    let Some(last) = last else {
        return Finding::look("books", "they were never checked", EVERY_NIGHT);
    };
    let age = now.since(last.began_at);
    match last.result {
        0 if age > OLDEST_CHECK => {
            let said = format!("they were last checked {} ago", span(age));
            Finding::look("books", said, EVERY_NIGHT)
        }
        0 => Finding::ok(
            "books",
            format!("every rule held when they were checked {} ago", span(age)),
        ),
        broken => Finding::wrong(
            "books",
            format!(
                "rules that were broken when they were checked {} ago: {broken}",
                span(age)
            ),
            "Run `billstack verify`: it names who breaks which",
        ),
    }
}

fn backup(last: Option<&Run>, now: Micros) -> Finding {
    let Some(last) = last else {
        return Finding::look(
            "backups",
            "none was ever made by `billstack backup`",
            "Make one every night; if another tool does, name its folder with --backups",
        );
    };
    let age = now.since(last.began_at);
    let said = format!("the last was made {} ago", span(age));
    match age > OLDEST_BACKUP {
        true => Finding::wrong("backups", said, NIGHTLY),
        false => Finding::ok("backups", said),
    }
}
