//! `GET …/teams/{teamId}/status`: how the server does for a team.

use axum::extract::State;
use axum::response::Response;
use billstack_core::delivery::Pause;
use billstack_core::ids::TeamId;
use billstack_core::time::Micros;
use billstack_store::credits::delivery;
use billstack_store::stripe_connection;
use billstack_store::upkeep::{self, Last};
use billstack_store::webhooks;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::operations::ready::probe;
use crate::api::upkeep::{LastBackupJson, LastVerifyJson};
use crate::app::{App, Shared};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::answer;

/// What waits to be delivered, and since when.
#[derive(Serialize, ToSchema)]
#[schema(as = Waiting)]
#[serde(rename_all = "camelCase")]
pub struct WaitingJson {
    /// How many wait.
    #[schema(minimum = 0, example = 0)]
    waiting: i64,
    /// Since when the oldest of them does; null when none waits.
    #[schema(format = DateTime)]
    oldest: Option<String>,
}

impl From<(i64, Option<Micros>)> for WaitingJson {
    fn from((waiting, oldest): (i64, Option<Micros>)) -> WaitingJson {
        WaitingJson {
            waiting,
            oldest: oldest.map(|at| rfc3339(at.0)),
        }
    }
}

/// The kind of database.
#[derive(Serialize, ToSchema)]
#[schema(as = DatabaseEngine)]
#[serde(rename_all = "snake_case")]
pub enum EngineJson {
    /// The embedded one.
    Sqlite,
    /// A server of its own.
    Postgresql,
}

/// How the server does.
#[derive(Serialize, ToSchema)]
#[schema(as = TeamStatus)]
#[serde(rename_all = "camelCase")]
pub struct TeamStatusJson {
    /// The version of the node that answers.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// The kind of database.
    engine: EngineJson,
    /// Whether the node is ready, as `/readyz` tells it.
    ready: bool,
    /// Why it is not.
    not_ready_because: Option<String>,
    /// Credits of the team on their way into balances in Stripe, without those that wait for a person.
    credits: WaitingJson,
    /// Webhooks of the team that should have been sent by now, counted up to 10,000.
    webhooks: WaitingJson,
    /// The last check of the whole database, by `billstack verify` or before a backup was whole; null while there has
    /// been none.
    last_verify: Option<LastVerifyJson>,
    /// The last copy by `billstack backup`; null while there has been none, and with PostgreSQL, whose own tools leave
    /// no note here.
    last_backup: Option<LastBackupJson>,
}

/// The status as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct TeamStatusAnswer {
    /// How the server does.
    status: TeamStatusJson,
}

/// Get the status of the server.
///
/// Which version runs, whether it is ready, what of the team waits to be delivered, and when the whole database was last
/// checked and copied.
#[utoipa::path(
    get, path = "", operation_id = "get_team_status",
    responses((status = 200, description = "The status.", body = TeamStatusAnswer)),
)]
pub async fn handle(State(app): State<Shared>, access: TeamAccess) -> Result<Response, ApiError> {
    let team_id = &access.team_id;
    let not_ready = probe(&app).await.err();
    let last = last(&app).await?;
    Ok(answer::send(answer::ok(&TeamStatusAnswer {
        status: TeamStatusJson {
            version: VERSION,
            engine: engine(&app),
            ready: not_ready.is_none(),
            not_ready_because: not_ready.map(|why| why.message.to_string()),
            credits: credits(&app, team_id).await?.waiting.into(),
            webhooks: webhooks(&app, team_id).await?.into(),
            last_verify: last.verify.map(Into::into),
            last_backup: last.backup.map(Into::into),
        },
    })))
}

/// The version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The kind of the database.
pub(crate) fn engine(app: &App) -> EngineJson {
    match app.store.is_embedded() {
        true => EngineJson::Sqlite,
        false => EngineJson::Postgresql,
    }
}

/// When the database was last checked and copied.
pub(crate) async fn last(app: &App) -> Result<Last, ApiError> {
    Ok(app.store.point(|tx| Ok(upkeep::last(tx)?)).await?)
}

/// Credits on their way to Stripe.
pub(crate) struct Credits {
    /// How many are, and since when the oldest.
    pub(crate) waiting: (i64, Option<Micros>),
    /// How many besides wait for a person.
    pub(crate) stuck: i64,
    /// Why none is delivered, if so.
    pub(crate) paused: Option<Pause>,
}

/// Credits on their way to Stripe.
pub(crate) async fn credits(app: &App, team_id: &TeamId) -> Result<Credits, ApiError> {
    let team_id = team_id.clone();
    let read = app.store.point(move |tx| {
        let waiting = delivery::on_their_way(tx, &team_id)?;
        let connection = stripe_connection::get(tx, &team_id)?;
        Ok(Credits {
            stuck: delivery::pending(tx, &team_id)?.0 - waiting.0,
            waiting,
            paused: connection.and_then(|connection| connection.pause.map(|pause| pause.reason)),
        })
    });
    Ok(read.await?)
}

/// Webhooks that are due.
pub(crate) async fn webhooks(
    app: &App,
    team_id: &TeamId,
) -> Result<(i64, Option<Micros>), ApiError> {
    let (team_id, now) = (team_id.clone(), app.now());
    let read = app
        .store
        .scan(move |tx| Ok(webhooks::overdue_in_team(tx, &team_id, now)?));
    Ok(read.await?)
}
