//! `/t/{teamId}/members`: who belongs to a team, who is invited, and what each may do.

mod body;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use billstack_core::ids::TeamId;
use billstack_store::{Abort, Act, Tx};
use billstack_store::{invitations, members as store};
use serde::Deserialize;

use self::body::body;
use super::projects;
use crate::api::teams::actor_role;
use crate::api::teams::invitations::create::CreateInvitationRequest;
use crate::api::teams::members::update::UpdateMemberRequest;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::json::Text;
use crate::http::page::QueryString;
use crate::http::query::Query;
use crate::one_time_token::new_invitation_token;
use crate::pages::form::Form;
use crate::pages::parts::said::saying;
use crate::pages::shown::{Kind, Whose};
use crate::pages::submit::{Submitted, submit};
use crate::pages::view::{View, see_other, see_other_with};
use crate::secrets::token_hash;

const TITLE: &str = "Members";

/// Whom a form is about.
#[derive(Deserialize)]
struct Whom {
    id: Text<1, 64>,
}

/// The list.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    headers: HeaderMap,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let links = whose(&access).read(&app, &headers, Kind::Invitation);
    let shown = body(&app, &access, (&query, &links), (&Form::default(), None)).await?;
    Ok(view.page(TITLE, shown))
}

/// Invites an address. The link is then shown this once.
pub async fn invite(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    form: Form,
) -> Result<Response, ApiError> {
    match invited(&app, &access, &form).await {
        Ok((Submitted::Made(place), link)) => {
            let cookie = whose(&access).show(&app, Kind::Invitation, &link);
            Ok(see_other_with(&place, cookie))
        }
        Ok((before, _)) => Ok(before.answer(&view)),
        Err(error) => again(&app, &view, &access, (&form, &error)).await,
    }
}

async fn invited(
    app: &App,
    access: &TeamAccess,
    form: &Form,
) -> Result<(Submitted, String), ApiError> {
    let request: CreateInvitationRequest = form.read(&["email", "role"])?;
    let token = new_invitation_token(&access.team_id);
    let (team_id, user_id) = (access.team_id.clone(), access.user.id.clone());
    let (email, role) = request.whom();
    let hash = token_hash(&token);
    let op = move |tx: &mut dyn Tx, act: &mut Act| {
        let actor_role = actor_role(tx, &team_id, &user_id)?;
        invitations::create(tx, act, &team_id, actor_role, &email, role, &hash)
    };
    let place = path(&access.team_id);
    let of_team = (&access.team_id, form);
    let submitted = submit(app, &access.caller, of_team, op, move |_| place.clone()).await?;
    Ok((submitted, format!("{}/accept#{token}", app.base_url())))
}

/// Ends the showing of a link.
pub async fn kept(State(app): State<Shared>, access: TeamAccess, form: Form) -> Response {
    if form.is_kept() {
        return see_other(&path(&access.team_id));
    }
    see_other_with(&path(&access.team_id), whose(&access).forget(&app, &form))
}

/// Takes an invitation back.
pub async fn uninvite(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    form: Form,
) -> Result<Response, ApiError> {
    let team_id = access.team_id.clone();
    let done = match form.read::<Whom>(&["id"]) {
        Ok(Whom { id: Text(id) }) => {
            let op =
                move |tx: &mut dyn Tx, act: &mut Act| invitations::revoke(tx, act, &team_id, &id);
            sent(&app, &access, (&form, "uninvited"), op).await
        }
        Err(error) => Err(error),
    };
    finish(&app, (&view, &access), &form, done).await
}

/// Gives a member another role.
pub async fn change(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    form: Form,
) -> Result<Response, ApiError> {
    let (team_id, user_id) = (access.team_id.clone(), access.user.id.clone());
    let read = form.read::<Whom>(&["id"]);
    let read = read.and_then(|whom| Ok((whom, form.read::<UpdateMemberRequest>(&["role"])?)));
    let done = match read {
        Ok((Whom { id: Text(id) }, request)) => {
            let role = request.role();
            let op = move |tx: &mut dyn Tx, act: &mut Act| {
                let actor_role = actor_role(tx, &team_id, &user_id)?;
                store::set_role(tx, act, &team_id, actor_role, &id, role)
            };
            sent(&app, &access, (&form, "role"), op).await
        }
        Err(error) => Err(error),
    };
    finish(&app, (&view, &access), &form, done).await
}

/// Removes a member.
pub async fn remove(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    form: Form,
) -> Result<Response, ApiError> {
    let done = match form.read::<Whom>(&["id"]) {
        Ok(Whom { id: Text(id) }) => {
            let place = saying(&path(&access.team_id), "removed");
            removed(&app, &access, (&form, id), place).await
        }
        Err(error) => Err(error),
    };
    finish(&app, (&view, &access), &form, done).await
}

/// Removes somebody, and leads on.
async fn removed(
    app: &App,
    access: &TeamAccess,
    (form, id): (&Form, String),
    place: String,
) -> Result<Submitted, ApiError> {
    let (team_id, user_id) = (access.team_id.clone(), access.user.id.clone());
    // Whoever removes themselves sees nothing of the team any more.
    let place = match id == user_id {
        true => saying("/t", "left"),
        false => place,
    };
    let op = move |tx: &mut dyn Tx, act: &mut Act| {
        let actor_role = actor_role(tx, &team_id, &user_id)?;
        store::remove(tx, act, &team_id, &user_id, actor_role, &id)
    };
    let form = (&access.team_id, form);
    submit(app, &access.caller, form, op, move |_| place.clone()).await
}

/// Lets somebody leave a team, whatever their role.
pub async fn leave(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    form: Form,
) -> Result<Response, ApiError> {
    let user_id = access.user.id.clone();
    match removed(&app, &access, (&form, user_id), "/t".to_owned()).await {
        Ok(left) => Ok(left.answer(&view)),
        Err(error) if form.is_kept() => projects::leave_again(&app, &view, &access, &error).await,
        Err(error) => Err(error),
    }
}

async fn sent<T: Send + 'static>(
    app: &App,
    access: &TeamAccess,
    (form, said): (&Form, &str),
    op: impl Fn(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Clone + Send + 'static,
) -> Result<Submitted, ApiError> {
    let place = saying(&path(&access.team_id), said);
    let form = (&access.team_id, form);
    submit(app, &access.caller, form, op, move |_| place.clone()).await
}

async fn finish(
    app: &App,
    (view, access): (&View, &TeamAccess),
    form: &Form,
    done: Result<Submitted, ApiError>,
) -> Result<Response, ApiError> {
    match done {
        Ok(submitted) => Ok(submitted.answer(view)),
        Err(error) => again(app, view, access, (form, &error)).await,
    }
}

async fn again(
    app: &App,
    view: &View,
    access: &TeamAccess,
    (form, error): (&Form, &ApiError),
) -> Result<Response, ApiError> {
    let shown = body(app, access, (&Query::default(), &[]), (form, Some(error))).await?;
    Ok(view.again(error, TITLE, shown))
}

fn path(team_id: &TeamId) -> String {
    format!("/t/{team_id}/members")
}

fn whose(access: &TeamAccess) -> Whose<'_> {
    Whose {
        team_id: &access.team_id,
        user_id: &access.user.id,
    }
}
