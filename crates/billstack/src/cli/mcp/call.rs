//! One call of a tool: what was sent, by whose key, and the API that it is made of.

use std::sync::Arc;

use serde_json::Value;

use super::api::{Api, Change, part};
use super::args::Sent;
use super::trouble::Trouble;
use crate::secrets::unique_bytes;
use crate::settings::SecretText;

/// What all calls have in common.
pub(super) struct Common {
    pub(super) api: Api,
    /// The team and the project that were given at the start.
    pub(super) team: Option<String>,
    pub(super) project: Option<String>,
    pub(super) allow_writes: bool,
}

/// A call of a tool. Its arguments have been checked.
pub(super) struct Call {
    pub(super) common: Arc<Common>,
    pub(super) key: SecretText,
    pub(super) sent: Sent,
}

/// What a tool answers.
pub(super) struct Told {
    /// For a person, in our own words: no text that somebody has chosen.
    pub(super) text: String,
    pub(super) value: Value,
}

impl Told {
    pub(super) fn new(text: impl Into<String>, value: Value) -> Told {
        Told {
            text: text.into(),
            value,
        }
    }
}

impl Call {
    /// A text that was sent.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.sent.get(name).and_then(Value::as_str)
    }

    /// A text that was sent, as one part of a path.
    pub(super) fn part(&self, name: &str) -> Result<String, Trouble> {
        part(name, self.text(name).unwrap_or_default())
    }

    /// What was sent under these names, for the query of a call that has them under the same.
    pub(super) fn query<'n>(&self, names: &[&'n str]) -> Vec<(&'n str, String)> {
        let sent = names.iter().filter_map(|name| {
            let value = match self.sent.get(*name)? {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some((*name, value))
        });
        sent.collect()
    }

    pub(super) async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Trouble> {
        self.common.api.get(&self.key, path, query).await
    }

    /// Changes something in the project. The answer holds the key under which a repetition would be answered.
    pub(super) async fn post(&self, rest: &str, body: Option<Value>) -> Result<Value, Trouble> {
        let path = format!("{}{rest}", self.place().await?);
        let change = Change {
            body,
            idempotency_key: self.idempotency_key(),
        };
        let mut value = self.common.api.post(&self.key, &path, &change).await?;
        value["idempotencyKey"] = change.idempotency_key.into();
        Ok(value)
    }

    /// The key of this change; [`Call::keyed`] has made sure that there is one.
    pub(super) fn idempotency_key(&self) -> String {
        self.text(IDEMPOTENCY_KEY).unwrap_or_default().to_owned()
    }

    /// The same with a key of its own for the change, unless one was sent.
    pub(super) fn keyed(mut self) -> Call {
        let made = || format!("mcp-{}", hex::encode(unique_bytes::<16>())).into();
        self.sent.entry(IDEMPOTENCY_KEY).or_insert_with(made);
        self
    }

    /// Where the calls of the team are.
    pub(super) async fn team(&self) -> Result<String, Trouble> {
        let team = match &self.common.team {
            Some(team) => team.clone(),
            None => self.team_of(&self.caller().await?)?,
        };
        Ok(format!("/api/billstack/teams/{}", part("team", &team)?))
    }

    /// Where the calls of the project are: the one that is named here, or at the start, or the only one there is.
    pub(super) async fn place(&self) -> Result<String, Trouble> {
        let named = self.text(PROJECT).or(self.common.project.as_deref());
        if let (Some(team), Some(project)) = (&self.common.team, named) {
            let (team, project) = (part("team", team)?, part(PROJECT, project)?);
            return Ok(format!("/api/billstack/teams/{team}/projects/{project}"));
        }
        let caller = self.caller().await?;
        let team = match &self.common.team {
            Some(team) => team.clone(),
            None => self.team_of(&caller)?,
        };
        let team = format!("/api/billstack/teams/{}", part("team", &team)?);
        let project = match named.or(caller["projectId"].as_str()) {
            Some(project) => project.to_owned(),
            None => self.only_project(&team).await?,
        };
        Ok(format!("{team}/projects/{}", part(PROJECT, &project)?))
    }

    /// What the key is good for.
    pub(super) async fn caller(&self) -> Result<Value, Trouble> {
        let mut answer = self.get("/api/billstack/caller", &[]).await?;
        Ok(answer["caller"].take())
    }

    fn team_of(&self, caller: &Value) -> Result<String, Trouble> {
        let team = caller["teamId"].as_str().map(str::to_owned);
        team.ok_or_else(|| {
            Trouble::Strange("The server has not said of which team the key is.".to_owned())
        })
    }

    async fn only_project(&self, team: &str) -> Result<String, Trouble> {
        let answer = self.get(&format!("{team}/projects"), &[]).await?;
        let projects = answer["projects"].as_array();
        let ids = projects.into_iter().flatten();
        let ids: Vec<_> = ids.filter_map(|project| project["id"].as_str()).collect();
        match ids[..] {
            [only] => Ok(only.to_owned()),
            [] => Err(Trouble::argument(PROJECT, "The team has no project.")),
            _ => {
                let ids = ids.join(", ");
                let message =
                    format!("The key is good for several projects; name one as `project`: {ids}.");
                Err(Trouble::argument(PROJECT, message))
            }
        }
    }
}

/// So many things, called by their plural.
pub(super) fn counted(number: usize, things: &str) -> String {
    match number {
        1 => format!("1 {}", things.strip_suffix('s').unwrap_or(things)),
        _ => format!("{number} {things}"),
    }
}

/// The argument that names a project.
pub(super) const PROJECT: &str = "project";

/// The argument that names a change.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotencyKey";
