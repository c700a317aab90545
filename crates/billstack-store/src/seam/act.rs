//! What a write carries in from outside: the time, ids, and who acts.

use std::sync::Arc;

use billstack_core::ids::{IdKind, IdSeed, Ids, TeamId};
use billstack_core::time::Micros;
use billstack_core::webhook::endpoint::Types;

use super::{Fault, Place, Tx};

/// Who is behind a change. Its text form is kept with every event.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Actor {
    /// An API key, by its id.
    ApiKey(String),
    /// A signed-in user, by id.
    User(String),
    /// A verified Stripe event, by its id.
    Stripe(String),
    /// A customer on their own page, by id.
    Customer(String),
    /// Somebody at the command line of the server.
    CommandLine,
    /// The server itself: a background job.
    System,
    /// Nobody who is known, such as a person signing in.
    Anonymous,
}

impl Actor {
    /// `api_key:key_…`, `user:usr_…`, `stripe:evt_…`, `customer:pc_…`, `command_line`, `system`, `anonymous`.
    pub fn to_text(&self) -> String {
        match self {
            Actor::ApiKey(id) => format!("api_key:{id}"),
            Actor::User(id) => format!("user:{id}"),
            Actor::Stripe(id) => format!("stripe:{id}"),
            Actor::Customer(id) => format!("customer:{id}"),
            Actor::CommandLine => "command_line".to_owned(),
            Actor::System => "system".to_owned(),
            Actor::Anonymous => "anonymous".to_owned(),
        }
    }
}

/// Everything about a call that an operation may not find out for itself: the time, a seed for ids,
/// who calls, and under which request id.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Ids and codes are drawn from it, the same ones each time the operation is run again.
    pub seed: IdSeed,
    /// Who is behind the change.
    pub actor: Actor,
    /// The `X-Request-Id` of the call.
    pub request_id: String,
}

impl Origin {
    /// The start of one run of the operation.
    pub fn act(&self) -> Act {
        Act {
            at: self.seed.at(),
            real: self.seed.at(),
            clock: None,
            ids: self.seed.start(),
            actor: self.actor.to_text(),
            request_id: self.request_id.clone(),
            recorded: 0,
            held: None,
            has_enqueued: false,
            listeners: Vec::new(),
            filled: Vec::new(),
        }
    }
}

/// One run of an operation: its time, its ids, and whom it holds.
pub struct Act {
    /// The time of the operation, by the clock of the project that it is in.
    pub at: Micros,
    /// The time of day: for leases and time-outs, for what is not in a project, and for what Stripe tells times of.
    real: Micros,
    /// By the clock of which project it goes; none in what is about a team.
    pub(crate) clock: Option<ProjectClock>,
    /// New ids and codes.
    pub ids: Ids,
    /// Who acts, as [`Actor::to_text`] writes it.
    pub(crate) actor: String,
    /// The request it happens in.
    pub(crate) request_id: String,
    recorded: i64,
    /// The names it holds, where others could write meanwhile.
    held: Option<Vec<String>>,
    /// Whether it has put work that is due at once into the queue.
    pub(crate) has_enqueued: bool,
    /// Who is told of the events of which projects, as far as that was asked.
    listeners: Vec<Listeners>,
    /// The lanes into which it has put what is due at once.
    pub(crate) filled: Vec<Lane>,
}

/// Who is told of the events of a project.
struct Listeners {
    team: i64,
    project: i64,
    all: Arc<[Listener]>,
}

/// An endpoint of a project that is told of some events.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) id: String,
    pub(crate) types: Types,
}

/// What is sent to an endpoint takes turns with nothing else.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Lane {
    /// The number of the team.
    pub team: i64,
    /// The number of the project.
    pub project: i64,
    /// The endpoint.
    pub endpoint_id: String,
}

impl Lane {
    /// That of an endpoint of a project.
    pub fn new(place: &Place, endpoint_id: &str) -> Lane {
        Lane {
            team: place.team_id.number(),
            project: place.project_id.number(),
            endpoint_id: endpoint_id.to_owned(),
        }
    }
}

/// The clock of a project, by its number in its team.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ProjectClock {
    pub(crate) project: i64,
    /// How far it is ahead of the time of day; none where it cannot be moved.
    pub(crate) ahead: Option<i64>,
}

impl Act {
    /// The time of day.
    pub fn real(&self) -> Micros {
        self.real
    }

    /// How far the clock that it goes by is ahead of the time of day.
    pub fn ahead(&self) -> i64 {
        self.at.since(self.real)
    }

    /// Whether it is in a test project.
    pub(crate) fn is_test(&self) -> bool {
        self.clock.is_some_and(|clock| clock.ahead.is_some())
    }

    /// Goes by a clock from here on.
    pub(crate) fn go_by(&mut self, clock: Option<ProjectClock>) {
        let ahead = clock.and_then(|clock| clock.ahead).unwrap_or(0);
        self.at = self.real.plus(ahead);
        self.clock = clock;
    }

    /// Who is told of the events of a project, if that was asked before.
    pub(crate) fn listeners(&self, place: &Place) -> Option<Arc<[Listener]>> {
        let (team, project) = (place.team_id.number(), place.project_id.number());
        let mut known = self.listeners.iter();
        let of_project = known.find(|of| of.team == team && of.project == project)?;
        Some(Arc::clone(&of_project.all))
    }

    /// Keeps who is told of the events of a project.
    pub(crate) fn keep_listeners(
        &mut self,
        place: &Place,
        listeners: Vec<Listener>,
    ) -> Arc<[Listener]> {
        let all: Arc<[Listener]> = listeners.into();
        self.listeners.push(Listeners {
            team: place.team_id.number(),
            project: place.project_id.number(),
            all: Arc::clone(&all),
        });
        all
    }

    /// Tells whoever serves a lane that it has something to do.
    pub(crate) fn fill(&mut self, lane: Lane) {
        if !self.filled.contains(&lane) {
            self.filled.push(lane);
        }
    }

    /// A new id.
    pub fn id(&mut self, kind: IdKind) -> String {
        self.ids.next(kind)
    }

    /// Takes names of a team once, before the operation looks at what they stand for. See
    /// [`dialect`](super::dialect) for when that is due.
    pub(crate) fn hold(
        &mut self,
        tx: &mut dyn Tx,
        team_id: &TeamId,
        names: Vec<String>,
    ) -> Result<(), Fault> {
        if tx.is_alone() {
            return Ok(());
        }
        tx.lock(
            team_id,
            &names.iter().map(String::as_str).collect::<Vec<_>>(),
        )?;
        self.held = Some(names);
        Ok(())
    }

    /// As if these names were held, on an engine that has nothing to hold.
    #[cfg(test)]
    pub(crate) fn pretend_to_hold(&mut self, names: Vec<String>) {
        self.held = Some(names);
    }

    /// Whether every one of these names is held, or nobody else could write.
    pub(crate) fn holds(&self, names: &[String]) -> bool {
        let all_in = |held: &Vec<String>| names.iter().all(|name| held.contains(name));
        self.held.as_ref().is_none_or(all_in)
    }

    /// How many names are held.
    pub(crate) fn held_names(&self) -> usize {
        self.held.as_ref().map_or(0, Vec::len)
    }

    /// The time of whatever happens next in the operation.
    pub(crate) fn moment(&self) -> Micros {
        self.at.plus(self.recorded)
    }

    /// The time of the next event: those of one operation are a microsecond apart, in order.
    pub(crate) fn next_moment(&mut self) -> Micros {
        let at = self.moment();
        self.recorded += 1;
        at
    }
}
