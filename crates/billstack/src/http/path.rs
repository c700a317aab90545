//! The last variable part of a path: the one thing a call is about.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use billstack_core::ids::TeamId;
use billstack_store::Place;

use crate::error::{ApiError, Reason};

/// The id (or code) at the end of the path, decoded. Tenant ids before it are not to be had here:
/// they come with the caller's right.
pub struct Item(pub String);

/// Parts of a path that say where a call belongs, not what it is about.
const PLACES: [&str; 2] = ["teamId", "projectId"];

impl<S: Send + Sync> FromRequestParts<S> for Item {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| ApiError::new(Reason::NotFound))?;
        let item = params
            .iter()
            .filter(|(name, _)| !PLACES.contains(name))
            .last();
        let item = item.map(|(_, value)| value.to_owned());
        item.filter(|item| !item.contains('\0'))
            .map(Item)
            .ok_or(ApiError::new(Reason::NotFound))
    }
}

/// What a call is about that is inside of another thing: the id of that, then its own.
pub struct Inner(pub String, pub String);

impl<S: Send + Sync> FromRequestParts<S> for Inner {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| ApiError::new(Reason::NotFound))?;
        let things = params.iter().filter(|(name, _)| !PLACES.contains(name));
        let mut things = things.map(|(_, value)| value.to_owned());
        let sound = |thing: &String| !thing.contains('\0');
        let outer = things.next().filter(sound);
        let own = things.next().filter(sound);
        outer
            .zip(own)
            .map(|(outer, own)| Inner(outer, own))
            .ok_or(ApiError::new(Reason::NotFound))
    }
}

/// The project in the path of a call that anybody may make. Being named gives no right, and it need not exist.
pub struct Somewhere(pub Place);

impl<S: Send + Sync> FromRequestParts<S> for Somewhere {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| ApiError::new(Reason::NotFound))?;
        let named = |wanted: &str| {
            let found = params.iter().find(|(name, _)| *name == wanted);
            let (_, value) = found.filter(|(_, value)| !value.contains('\0'))?;
            Some(value.to_owned())
        };
        let place = named("teamId").zip(named("projectId"));
        place
            .map(|(team, project)| Somewhere(Place::new(team, project)))
            .ok_or(ApiError::new(Reason::NotFound))
    }
}

/// The team in the path of a call that anybody may make. Being named gives no right: the handler
/// asks for a signature of that team's.
pub struct Team(pub TeamId);

impl<S: Send + Sync> FromRequestParts<S> for Team {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| ApiError::new(Reason::NotFound))?;
        let team = params.iter().find(|(name, _)| *name == "teamId");
        team.map(|(_, value)| value)
            .filter(|team| !team.contains('\0'))
            .map(|team| Team(TeamId::from(team)))
            .ok_or(ApiError::new(Reason::NotFound))
    }
}
