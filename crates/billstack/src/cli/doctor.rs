//! `billstack doctor`.

pub(super) mod address;
mod data;
mod disk;
mod stripe;
mod upkeep;

use std::path::PathBuf;

use serde::Serialize;

use super::output::{Failure, say, say_json};
use super::{database, quiet, serve, without_effect};
use crate::clock::Clock;
use crate::server;
use crate::settings::{Settings, SettingsArgs};

pub(super) const EXAMPLES: &str = "\
It looks at what tends to be wrong around the server, changes nothing, and says the cure of whatever it finds. Run it as
the server's user, with the server's settings.
Exit code 0: nothing is wrong (a line that begins with `look` may be meant so). 1: something is. 2: it could not look.

Examples:
  billstack doctor
  billstack doctor --backups /var/lib/billstack/backups
  billstack doctor --json | jq -r '.checks[] | select(.verdict != \"ok\") | .cure'";

#[derive(clap::Args)]
pub(super) struct DoctorArgs {
    /// The folder of the backups, to see whether there is a new one
    #[arg(long, value_name = "FOLDER")]
    backups: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// As it should be.
    Ok,
    /// Perhaps not as it is meant.
    Look,
    /// Not as it should be.
    Wrong,
}

/// What was found of one thing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    /// What was looked at.
    check: &'static str,
    /// The team it is about, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    team_id: Option<String>,
    verdict: Verdict,
    /// How it is, in a sentence.
    finding: String,
    /// What to do about it; none where nothing has to be done.
    cure: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, finding: impl Into<String>) -> Finding {
        Finding {
            check,
            team_id: None,
            verdict: Verdict::Ok,
            finding: finding.into(),
            cure: None,
        }
    }

    fn look(check: &'static str, finding: impl Into<String>, cure: impl Into<String>) -> Finding {
        Finding {
            verdict: Verdict::Look,
            cure: Some(cure.into()),
            ..Finding::ok(check, finding)
        }
    }

    fn wrong(check: &'static str, finding: impl Into<String>, cure: impl Into<String>) -> Finding {
        Finding {
            verdict: Verdict::Wrong,
            ..Finding::look(check, finding, cure)
        }
    }

    fn of_team(self, team_id: &str) -> Finding {
        Finding {
            team_id: Some(team_id.to_owned()),
            ..self
        }
    }

    /// The line for people.
    fn line(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Ok => "ok   ",
            Verdict::Look => "look ",
            Verdict::Wrong => "WRONG",
        };
        let team = self.team_id.as_deref();
        let team = team.map_or(String::new(), |team| format!("{team}: "));
        let cure = self.cure.as_deref();
        let cure = cure.map_or(String::new(), |cure| format!(". {cure}"));
        format!("{verdict}  {:10}  {team}{}{cure}", self.check, self.finding)
    }
}

/// All that was found.
#[derive(Serialize)]
struct Report {
    verdict: Verdict,
    checks: Vec<Finding>,
}

/// Looks at everything, and prints it.
pub(super) fn run(given: &SettingsArgs, args: &DoctorArgs) -> Result<(), Failure> {
    let settings = quiet(given).map_err(Failure::in_the_way)?;
    let checks = look(settings, args)?;
    let worst = checks.iter().map(|finding| finding.verdict).max();
    let verdict = worst.unwrap_or(Verdict::Ok);
    if args.json {
        say_json(&Report { verdict, checks })?;
    } else {
        checks.iter().try_for_each(|finding| say(finding.line()))?;
    }
    match verdict {
        Verdict::Wrong => Err(Failure::refused(
            "something is wrong; its line says the cure",
        )),
        Verdict::Ok | Verdict::Look => Ok(()),
    }
}

fn look(settings: Settings, args: &DoctorArgs) -> Result<Vec<Finding>, Failure> {
    let target = database::target(&settings).map_err(Failure::in_the_way)?;
    let mut found = variables();
    found.extend(target.sqlite_file().map(disk::look).unwrap_or_default());
    found.extend(args.backups.as_deref().map(disk::backups));
    let runtime = serve::runtime()?;
    found.extend(runtime.block_on(address::look(&settings)));
    let opened = database::must_exist(&target).and_then(|()| {
        Ok(server::beside(
            settings,
            Clock::System,
            &database::little(),
        )?)
    });
    match opened {
        Err(why) => found.push(Finding::wrong(
            "database",
            why.to_string(),
            "Nothing that is in it was looked at",
        )),
        Ok(app) => {
            found.extend(runtime.block_on(data::look(&app, &target)));
            let looked_for = args.backups.is_some() || target.sqlite_file().is_none();
            found.extend(runtime.block_on(upkeep::look(&app, !looked_for)));
            found.extend(runtime.block_on(stripe::look(&app)));
            serve::finish(runtime, app);
        }
    }
    Ok(found)
}

/// Variables that look like settings and are none.
fn variables() -> Vec<Finding> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let without = without_effect(names).into_iter().map(|(name, meant)| {
        let cure = match meant {
            Some(meant) => format!("Call it {meant}, if that is meant"),
            None => "Take it away".to_owned(),
        };
        Finding::look(
            "settings",
            format!("{name} is no setting, and has no effect"),
            cure,
        )
    });
    without.collect()
}
