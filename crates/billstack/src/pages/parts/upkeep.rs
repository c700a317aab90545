//! When the books were last checked.

use billstack_store::upkeep::Run;
use maud::{Markup, html};

use crate::commands::VERIFY;
use crate::pages::parts::numbers::count;
use crate::pages::parts::time::{moment, moment_utc};

/// When every rule was last asked, and how many were broken.
pub(in crate::pages) fn checked(run: Option<&Run>) -> Markup {
    told(run.map(|run| (run, moment(run.began_at))))
}

/// The same for a sheet that others read elsewhere.
pub(in crate::pages) fn checked_utc(run: Option<&Run>) -> Markup {
    told(run.map(|run| (run, moment_utc(run.began_at))))
}

fn told(run: Option<(&Run, Markup)>) -> Markup {
    html! {
        @match run {
            None => { "never; " code { (VERIFY) } " makes one" },
            Some((run, at)) if run.result == 0 => { (at) ", nothing broken" },
            Some((run, at)) => {
                (at) ", "
                span.state.off { @if run.result == 1 { "1 rule broken" } @else { (count(run.result)) " rules broken" } }
                "; " code { (VERIFY) } " names who breaks which"
            },
        }
    }
}
