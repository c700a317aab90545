//! What a handler gets of a caller who was let in.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use billstack_core::access::Role;
use billstack_core::ids::TeamId;
use billstack_store::callers::{Guard, Right};
use billstack_store::readers::Reader;
use billstack_store::users::User;
use billstack_store::{Actor, Place};

use super::entry::{Administers, refusal};
use crate::app::App;
use crate::error::{ApiError, Reason};

/// A caller with a right: what a change needs to know about where it comes from.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Checked again inside the transaction of every write.
    pub guard: Arc<Guard>,
    /// Who it is, for the audit log.
    pub actor: Actor,
    /// The `X-Request-Id` of this request.
    pub request_id: String,
}

/// The person behind a session, whatever they were let in for.
#[derive(Clone, Debug)]
pub struct Person {
    pub user: User,
    /// Theirs in the team, where the right is one in a team.
    pub role: Option<Role>,
}

impl Caller {
    /// Whether they administer the team too.
    pub async fn administers(&self, app: &App) -> Result<Administers, ApiError> {
        match self.also(app, Right::TeamAdmin).await {
            Ok(_) => Ok(Administers::Yes),
            Err(error) if error.reason.status().is_server_error() => Err(error),
            Err(_) => Ok(Administers::No),
        }
    }

    /// The same caller with another right, if they have that too.
    pub async fn also(&self, app: &App, right: Right) -> Result<Caller, ApiError> {
        let guard = Arc::new(Guard {
            right,
            ..(*self.guard).clone()
        });
        let (asked, now) = (Arc::clone(&guard), app.now());
        let admission = app.store.point(move |tx| Ok(asked.admit(tx, now)?)).await?;
        admission.map_err(refusal)?;
        Ok(Caller {
            guard,
            ..self.clone()
        })
    }
}

/// A caller who may change something in a project.
#[derive(Clone, Debug)]
pub struct ProjectAccess {
    pub place: Arc<Place>,
    pub caller: Caller,
}

/// A signed-in caller who may do something in a team.
#[derive(Clone, Debug)]
pub struct TeamAccess {
    pub team_id: TeamId,
    pub user: User,
    pub role: Role,
    pub caller: Caller,
}

/// A caller who reads outside of a project, a person or an API key.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The team of the path, where there is one.
    pub team_id: TeamId,
    /// Who it is, and so how far they see.
    pub reader: Reader,
    /// The person behind a session.
    pub user: Option<User>,
}

/// A signed-in caller.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub user: User,
    pub token_hash: String,
    pub caller: Caller,
}

macro_rules! from_extensions {
    ($($access:ty),*) => {$(
        impl<S: Sync> FromRequestParts<S> for $access {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
                // Missing only when a handler asks for more than its row in the table grants:
                // a defect, and refused.
                parts.extensions.get::<$access>().cloned().ok_or(ApiError::new(Reason::Internal))
            }
        }
    )*};
}
from_extensions!(ProjectAccess, Reading, TeamAccess, SignedIn);
