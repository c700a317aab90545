//! What commands about one team share.

use billstack_core::ids::TeamId;
use billstack_store::list::{Cursor, Page, Part};
use billstack_store::store::Store;
use billstack_store::teams;
use billstack_store::{Abort, Act, Tx};

use super::database;
use super::output::Failure;
use crate::settings::Settings;

/// How many rows are read at once.
const PAGE: i64 = 1_000;

/// Teams that are named where one must be chosen.
const NAMED: i64 = 20;

#[derive(clap::Args)]
pub(super) struct TeamArgs {
    /// The team, by its id [default: the only one]
    #[arg(long, value_name = "TEAM_ID")]
    team: Option<String>,
    /// Print JSON for a program to read, in the form of the API
    #[arg(long)]
    pub(super) json: bool,
}

/// A team that is there, with its database.
pub(super) struct Team {
    pub(super) id: TeamId,
    store: Store,
    command: &'static str,
}

/// Opens the database for a command about a team.
pub(super) fn open(
    settings: &Settings,
    args: &TeamArgs,
    command: &'static str,
) -> Result<Team, Failure> {
    let target = database::target(settings)?;
    database::must_exist(&target)?;
    let store = database::open(&target)?;
    let id = match &args.team {
        Some(id) => existing(&store, id)?,
        None => only(&store)?,
    };
    Ok(Team { id, store, command })
}

fn existing(store: &Store, id: &str) -> Result<TeamId, Failure> {
    let wanted = TeamId::from(id);
    let found = store.scan_blocking(move |tx| Ok(teams::get(tx, &wanted)?))?;
    let none = || Failure::refused(format_args!("there is no team {id}"));
    found.map(|team| team.id).ok_or_else(none)
}

fn only(store: &Store) -> Result<TeamId, Failure> {
    let mut found = store.scan_blocking(|tx| Ok(teams::few(tx, NAMED)?))?;
    let Some(last) = found.pop() else {
        let none = "there is no team yet; `billstack init` makes the first one";
        return Err(Failure::refused(none));
    };
    if found.is_empty() {
        return Ok(last.id);
    }
    let all = found.iter().chain([&last]);
    let all: Vec<_> = all
        .map(|team| format!("{} ({})", team.id, team.name))
        .collect();
    Err(Failure::usage(format_args!(
        "--team must say which: {}",
        all.join(", ")
    )))
}

impl Team {
    /// Every row of a list, the newest first.
    pub(super) fn list<T: Send + 'static>(
        &self,
        page: impl Fn(&mut dyn Tx, &TeamId, &Page) -> Result<Part<T>, Abort> + Send + Copy + 'static,
    ) -> Result<Vec<T>, Failure> {
        let (mut rows, mut after): (Vec<T>, Option<Cursor>) = (Vec::new(), None);
        loop {
            let team_id = self.id.clone();
            let wanted = Page {
                limit: PAGE,
                offset: 0,
                after,
            };
            let part = self
                .store
                .scan_blocking(move |tx| page(tx, &team_id, &wanted))?;
            rows.extend(part.rows);
            match part.next {
                Some(next) => after = Some(next),
                None => return Ok(rows),
            }
        }
    }

    /// A change, by the same operation as a call of the API.
    pub(super) fn change<T: Send + 'static>(
        &self,
        mut op: impl FnMut(&mut dyn Tx, &mut Act, &TeamId) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Failure> {
        let team_id = self.id.clone();
        Ok(self.write(move |tx, act| op(tx, act, &team_id))?)
    }

    /// The same, for whoever looks at the refusal.
    pub(super) fn write<T: Send + 'static>(
        &self,
        op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Abort> {
        database::write(&self.store, self.command, op)
    }
}
