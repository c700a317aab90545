//! What a write carries in from outside, and the record it leaves behind.

use billstack_core::ids::{IdKind, IdSeed, Ids, ProjectId, TeamId};
use billstack_core::time::Micros;
use serde_json::Value;

use crate::params;
use crate::statements;
use crate::tx::{Fault, Tx};

statements! {
    /// The time of an operation is from before it waited for others, and of another node's clock: it
    /// is moved behind what the story of the referral has already.
    RECORD = "INSERT INTO events (team_id, created_at, id, project_id, type, subject, referral_id, \
        actor, request_id, facts) VALUES ($1, CASE WHEN $2 > COALESCE((\
        SELECT MAX(created_at) FROM events WHERE team_id = $1 AND referral_id = $7), 0) THEN $2 \
        ELSE (SELECT MAX(created_at) + 1 FROM events WHERE team_id = $1 AND referral_id = $7) END, \
        $3, $4, $5, $6, $7, $8, $9, $10)";
}

/// Who is behind a change. Its text form is kept with every event.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Actor {
    /// An API key, by its id.
    ApiKey(String),
    /// A signed-in user, by id.
    User(String),
    /// A verified Stripe event, by its id.
    Stripe(String),
    /// Somebody at the command line of the server.
    CommandLine,
    /// The server itself: a background job.
    System,
    /// Nobody who is known, such as a person signing in.
    Anonymous,
}

impl Actor {
    /// `api_key:key_…`, `user:usr_…`, `stripe:evt_…`, `command_line`, `system`, `anonymous`.
    pub fn to_text(&self) -> String {
        match self {
            Actor::ApiKey(id) => format!("api_key:{id}"),
            Actor::User(id) => format!("user:{id}"),
            Actor::Stripe(id) => format!("stripe:{id}"),
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
            ids: self.seed.start(),
            actor: self.actor.to_text(),
            request_id: self.request_id.clone(),
            recorded: 0,
        }
    }
}

/// One run of an operation: its time, its ids, and the events it records.
pub struct Act {
    /// The time of the operation.
    pub at: Micros,
    /// New ids and codes.
    pub ids: Ids,
    actor: String,
    request_id: String,
    recorded: i64,
}

/// Where something happened.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Place {
    /// The team.
    pub team_id: TeamId,
    /// The project inside the team.
    pub project_id: ProjectId,
}

impl Place {
    /// A place by the team and the project, or by their ids. It need not exist.
    pub fn new(team_id: impl Into<TeamId>, project_id: impl Into<ProjectId>) -> Place {
        Place {
            team_id: team_id.into(),
            project_id: project_id.into(),
        }
    }
}

/// One fact for the audit log.
pub struct Fact<'a> {
    /// Dotted name in the past tense, such as `referral.converted`.
    pub kind: &'static str,
    /// The id (or code) of what changed.
    pub subject: &'a str,
    /// The referral whose story this belongs to.
    pub referral_id: Option<&'a str>,
    /// Details as a JSON object: ids and amounts, never names or addresses.
    pub facts: Value,
}

impl Act {
    /// A new id.
    pub fn id(&mut self, kind: IdKind) -> String {
        self.ids.next(kind)
    }

    /// Records what happened in a project.
    pub fn record(&mut self, tx: &mut dyn Tx, place: &Place, fact: &Fact<'_>) -> Result<(), Fault> {
        self.record_at(tx, &place.team_id, Some(&place.project_id), fact)
    }

    /// Records what happened to a team as a whole.
    pub fn record_team(
        &mut self,
        tx: &mut dyn Tx,
        team_id: &TeamId,
        kind: &'static str,
        subject: &str,
        facts: Value,
    ) -> Result<(), Fault> {
        self.record_at(
            tx,
            team_id,
            None,
            &Fact {
                kind,
                subject,
                referral_id: None,
                facts,
            },
        )
    }

    fn record_at(
        &mut self,
        tx: &mut dyn Tx,
        team_id: &TeamId,
        project_id: Option<&ProjectId>,
        fact: &Fact<'_>,
    ) -> Result<(), Fault> {
        let id = self.id(IdKind::Event);
        // A microsecond apart, so that the order inside one operation is kept.
        let at = self.at.plus(self.recorded);
        self.recorded += 1;
        tx.must_later(
            RECORD,
            params![
                team_id,
                at,
                &id,
                project_id,
                fact.kind,
                fact.subject,
                fact.referral_id,
                &self.actor,
                &self.request_id,
                &fact.facts.to_string(),
            ],
        )
    }
}
