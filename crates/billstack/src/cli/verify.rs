//! `billstack verify`.

use std::sync::Arc;

use billstack_store::upkeep::Kind;
use billstack_store::verify::{Breach, rules};

use super::output::{Failure, Progress, say};
use super::{database, upkeep};
use crate::settings::Settings;

pub(super) const EXAMPLES: &str = "\
It reads one state between two commits, so it is safe beside a live server. It changes nothing, but notes in the
database, where it may write, when it looked and how many rules were broken: the page of the status shows that.
Exit code 0: every rule holds. 1: a rule is broken, and each offender is printed with its ids.

Examples:
  billstack verify
  billstack verify --verbose
  billstack verify 2>/dev/null || echo 'look at the ids above'";

#[derive(clap::Args)]
pub(super) struct VerifyArgs {
    /// Print each rule too, and whether it holds
    #[arg(long)]
    verbose: bool,
}

/// Asks every rule and prints who breaks one.
pub(super) fn run(settings: &Settings, args: &VerifyArgs) -> Result<(), Failure> {
    let target = database::target_of(&patient(settings.database_url.expose()))?;
    database::wait(settings, &target)?;
    database::must_exist(&target)?;
    let store = database::open(&target)?;
    let progress = Arc::new(Progress::new());
    let (watch, total) = (Arc::clone(&progress), rules().count());
    let began_at = upkeep::begin();
    let checked = store.scan_blocking(move |tx| {
        let mut breaches = Vec::new();
        for (index, rule) in rules().enumerate() {
            // Lines that nobody watches would only hide the verdict.
            if watch.in_place() {
                watch.step(format_args!("rule {} of {total}: {}", index + 1, rule.name));
            }
            breaches.extend(rule.check(tx)?);
        }
        Ok(breaches)
    });
    progress.done();
    let breaches = checked?;
    if args.verbose {
        for rule in rules() {
            let is_broken = breaches.iter().any(|breach| breach.rule == rule.name);
            let verdict = if is_broken { "broken" } else { "holds " };
            say(format_args!("{verdict}  {}: {}", rule.name, rule.holds))?;
        }
    }
    let mut broken: Vec<_> = breaches.iter().map(|breach| breach.rule).collect();
    broken.dedup();
    // The verdict first: nothing that becomes of the note may keep it back.
    let verdict = report(&breaches, broken.len(), total);
    upkeep::note(&store, Kind::Verify, began_at, broken.len() as u64);
    verdict
}

fn report(breaches: &[Breach], broken: usize, total: usize) -> Result<(), Failure> {
    if breaches.is_empty() {
        return say(format_args!("All {total} rules hold."));
    }
    // A reader that has seen enough changes nothing about the verdict.
    let _ = breaches.iter().try_for_each(say);
    Err(Failure::refused(format_args!(
        "{broken} of {total} rules are broken; the offenders are listed above, at most {} for each rule",
        billstack_store::verify::MOST_PER_RULE
    )))
}

/// A rule may read every row, which may take longer than any request of the server. Options in the address
/// are left as they are.
fn patient(url: &str) -> String {
    if !url.starts_with("postgres") || url.contains("options=") {
        return url.to_owned();
    }
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}options=-c%20statement_timeout%3D0")
}
