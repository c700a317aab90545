//! When the books were last checked and the data last copied, as the database has noted it.

use std::path::Path;

use billstack_core::attention::{OLDEST_BACKUP, OLDEST_CHECK};
use billstack_core::time::{Micros, span};
use billstack_store::upkeep::{self, Run};

use super::disk::nightly;
use super::{Finding, data};
use crate::app::App;
use crate::commands::{BACKUP, VERIFY};

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
    let every_night = format!("Run `{VERIFY}`, every night from a timer");
    let Some(last) = last else {
        return Finding::look("books", "they were never checked", every_night);
    };
    let age = now.since(last.began_at);
    match last.result {
        0 if age > OLDEST_CHECK => {
            let said = format!("they were last checked {} ago", span(age));
            Finding::look("books", said, every_night)
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
            format!("Run `{VERIFY}`: it names who breaks which"),
        ),
    }
}

fn backup(last: Option<&Run>, now: Micros) -> Finding {
    let Some(last) = last else {
        return Finding::look(
            "backups",
            "none was ever made by `billstack backup`",
            format!(
                "Run `{BACKUP}`, every night from a timer; if another tool makes them, name its folder with --backups"
            ),
        );
    };
    let age = now.since(last.began_at);
    let said = format!("the last was made {} ago", span(age));
    match age > OLDEST_BACKUP {
        true => Finding::wrong("backups", said, nightly(Path::new(""))),
        false => Finding::ok("backups", said),
    }
}
