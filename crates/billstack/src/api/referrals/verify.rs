//! `POST …/referrals/verify`.

use axum::extract::State;
use axum::response::Response;

use billstack_store::verify::{Breach, rules};
use billstack_store::{Abort, Place, Share, Tx, Weight};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::credits::Why;
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;

/// Why the books are checked, if somebody wants to say.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyRequest {
    /// Why.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500, example = "Close of November")]
    reason: Option<Why>,
}

/// Something that breaks a rule.
#[derive(Serialize, ToSchema)]
#[schema(as = Breach)]
struct BreachJson {
    /// The rule.
    #[schema(example = "entries_balance")]
    rule: &'static str,
    /// The id of what breaks it.
    #[schema(example = "cr_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    subject: String,
    /// What should hold, and where it does not.
    #[schema(example = "in team_1/proj_1, not so: the lines of an entry sum to zero")]
    detail: String,
}

/// Whether the books are sound.
#[derive(Serialize, ToSchema)]
pub struct VerifyAnswer {
    /// Whether nothing in the project breaks a rule.
    ok: bool,
    /// What does, at most a hundred things for each rule.
    breaches: Vec<BreachJson>,
}

/// Verify the books.
///
/// Asks every rule of a project that the server's own `billstack verify` asks, and tells who breaks one in this project.
/// It reads all that the project has, so one is under way at a time.
#[utoipa::path(
    post, path = "", operation_id = "verify_project",
    request_body = VerifyRequest,
    responses((status = 200, description = "Whether every rule holds.", body = VerifyAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: Input<VerifyRequest>,
) -> Result<Response, ApiError> {
    let why = input.body.reason.map(|reason| reason.0);
    tracing::info!(why, "the books of a project are verified");
    let found = breaches(&app, &access.place).await?;
    let found = found.into_iter().map(|breach| BreachJson {
        rule: breach.rule,
        subject: breach.subject,
        detail: breach.detail,
    });
    let breaches: Vec<_> = found.collect();
    Ok(answer::send(answer::ok(&VerifyAnswer {
        ok: breaches.is_empty(),
        breaches,
    })))
}

/// Who breaks a rule in a project. Each rule is a read of its own, so that none holds a reader for long.
async fn breaches(app: &App, place: &Place) -> Result<Vec<Breach>, ApiError> {
    let Ok(_turn) = app.verifying.try_acquire() else {
        let why = "The books are being verified for somebody else; try again.";
        return Err(ApiError::new(Reason::Overloaded).message(why));
    };
    let team = place.team_id.number();
    let mut found = Vec::new();
    for rule in rules() {
        let share = Share {
            team,
            weight: Weight::Long,
        };
        let of = place.clone();
        let check = move |tx: &mut dyn Tx| Ok::<_, Abort>(rule.check_in(tx, &of)?);
        found.extend(app.store.scan_for(share, check).await?);
    }
    Ok(found)
}
