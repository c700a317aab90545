//! `GET /`: where whoever is signed in was last.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use billstack_store::{members, projects};

use super::teams::project::last_place;
use super::view::see_other;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::SignedIn;

/// On to the last project, or to the list of all.
pub async fn handle(
    State(app): State<Shared>,
    signed: SignedIn,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Some(place) = last_place(&headers) else {
        return Ok(see_other("/t"));
    };
    let address = super::teams::project::address(&place.team_id, &place.project_id);
    let user_id = signed.user.id;
    let is_there = app.store.point(move |tx| {
        let role = members::role_of(tx, &place.team_id, &user_id)?;
        Ok(role.is_some() && projects::exists(tx, &place)?)
    });
    match is_there.await? {
        true => Ok(see_other(&address)),
        false => Ok(see_other("/t")),
    }
}
