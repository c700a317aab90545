//! Who looks at a page, from where, and how it looks to them.

use axum::extract::FromRequestParts;
use axum::http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use billstack_core::access::Role;
use billstack_core::project::ProjectMode;
use billstack_core::time::Micros;
use billstack_store::attention::Line;
use billstack_store::projects::{self, Project};
use billstack_store::teams::{self, Team};
use billstack_store::{Abort, Place, Share, Tx, Weight, test_clock};
use maud::Markup;

use super::kept::KEPT;
use super::parts::lock::{Lock, Need};
use super::parts::switch::Places;
use super::parts::unread::PATIENCE;
use super::parts::{said, shell};
use super::teams::project::start;
use super::theme::Theme;
use crate::api::attention::parted;
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::{Administers, Person, ProjectAccess, TeamAccess};
use crate::http::request_id::RequestId;

/// What the frame of a page needs.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub(super) theme: Theme,
    pub(super) request_id: String,
    /// Whoever is signed in, where the page is for such people.
    pub(super) person: Option<Person>,
    pub(super) team: Option<Team>,
    pub(super) project: Option<Project>,
    /// Where they may go from here.
    pub(super) places: Places,
    /// Whether the way to the first conversion is still ahead.
    pub(super) is_starting: bool,
    /// What the form that led here has done.
    pub(super) said: Option<&'static str>,
    /// When it was looked, where the page is for people who are signed in; by the clock of the project.
    pub(super) at: Option<Micros>,
    /// How far the clock of a test project is ahead of the time.
    pub(super) ahead: Option<i64>,
    /// What needs somebody in the project, where that was asked and could be read in time.
    pub(super) attention: Option<Seen>,
}

/// What needs somebody, as it was looked at for one request.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) at: Micros,
    pub(super) shown: Vec<Line>,
    pub(super) dismissed: Vec<Line>,
}

impl View {
    /// What can be told of a request without a question to the database.
    pub(super) fn of(parts: &Parts) -> View {
        let request_id = parts.extensions.get::<RequestId>();
        View {
            theme: Theme::of(&parts.headers),
            request_id: request_id.map(|id| id.0.clone()).unwrap_or_default(),
            said: said::said(&parts.uri),
            ..View::default()
        }
    }

    /// A page with this title.
    pub(super) fn page(&self, title: &str, body: Markup) -> Response {
        self.page_with(StatusCode::OK, title, body)
    }

    /// A page that shows a form again, because something about it is wrong.
    pub(super) fn again(&self, error: &ApiError, title: &str, body: Markup) -> Response {
        self.with_status_of(error, self.page(title, body))
    }

    /// A page that was made already, which shows a form again.
    pub(super) fn with_status_of(&self, error: &ApiError, mut page: Response) -> Response {
        *page.status_mut() = status_of(error);
        // Clients that obey it come back in time, whatever they make of the sentence.
        if let Some(seconds) = error.wait() {
            page.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        page
    }

    pub(super) fn page_with(&self, status: StatusCode, title: &str, body: Markup) -> Response {
        let html = shell::document(self, title, &body).into_string();
        (status, axum::response::Html(html)).into_response()
    }

    /// Whether whoever looks may change what is in a project.
    pub(super) fn can_write(&self) -> bool {
        Need::Writer.is_met(self.role())
    }

    /// Whether whoever looks may administer the team.
    pub(super) fn can_administer(&self) -> bool {
        Need::Admin.is_met(self.role())
    }

    /// What is between whoever looks and a form that needs this.
    pub(super) fn lock(&self, need: Need) -> Lock {
        Lock::new(need, self.role())
    }

    fn role(&self) -> Option<Role> {
        self.person.as_ref().and_then(|person| person.role)
    }
}

impl FromRequestParts<Shared> for View {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, ApiError> {
        let mut view = View::of(parts);
        view.person = parts.extensions.get::<Person>().cloned();
        view.at = view.person.is_some().then(|| app.now());
        let place = parts.extensions.get::<ProjectAccess>();
        let place = place.map(|access| access.place.clone());
        let team = parts.extensions.get::<TeamAccess>();
        let team_id = match &place {
            Some(place) => Some(place.team_id.clone()),
            None => team.map(|access| access.team_id.clone()),
        };
        let Some(team_id) = team_id else {
            return Ok(view);
        };
        let wants_start = start::is_wanted(&parts.headers);
        let user_id = view.person.as_ref().map(|person| person.user.id.clone());
        let administers = view.can_administer().into();
        let seen = seen(app, place.as_deref().cloned(), administers);
        let read = app.store.point(move |tx| {
            let project = match &place {
                Some(place) => projects::get(tx, place)?,
                None => None,
            };
            let is_test = project
                .as_ref()
                .is_some_and(|project| project.mode == ProjectMode::Test);
            let ahead = match &place {
                Some(place) if is_test => test_clock::clock(tx, place)?,
                _ => None,
            };
            let is_starting = match &place {
                Some(place) if wants_start => !start::any_converted(tx, place)?,
                _ => false,
            };
            let places = match &user_id {
                Some(user_id) => Places::read(tx, &team_id, user_id)?,
                None => Places::default(),
            };
            let place = (teams::get(tx, &team_id)?, project, ahead);
            Ok((place, places, is_starting))
        });
        let (read, seen) = tokio::join!(read, seen);
        let place;
        (place, view.places, view.is_starting) = read?;
        (view.team, view.project, view.ahead) = place;
        let by_clock = |at: Micros| at.plus(view.ahead.unwrap_or(0));
        view.at = view.at.map(by_clock);
        view.attention = seen.map(|seen| Seen {
            at: by_clock(seen.at),
            ..seen
        });
        match view.team {
            Some(_) => Ok(view),
            None => Err(ApiError::new(Reason::NotFound)),
        }
    }
}

/// Looks at what needs somebody. Every page of a project tells how much that is, so none waits for it long, and none fails
/// with it.
async fn seen(app: &App, place: Option<Place>, administers: Administers) -> Option<Seen> {
    let place = place?;
    let (at, look) = (app.now(), app.look_of(&place, administers));
    let look = read(app, &place, move |tx, place| Ok(look(tx, place)?));
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(Ok(lines)) => {
            let (shown, dismissed) = parted(lines);
            Some(Seen {
                at,
                shown,
                dismissed,
            })
        }
        Ok(Err(error)) => {
            tracing::warn!(
                reason = error.reason.as_str(),
                "what needs somebody could not be read"
            );
            None
        }
        Err(_) => None,
    }
}

/// The status of a page that shows a form again.
fn status_of(error: &ApiError) -> StatusCode {
    let is_back = error.field.as_deref() == Some(KEPT);
    match error.reason.status() {
        _ if is_back => StatusCode::OK,
        StatusCode::TOO_MANY_REQUESTS => StatusCode::TOO_MANY_REQUESTS,
        status if status.is_server_error() => status,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// Reads what a page of a project shows, in turn with what others of its team read.
pub(super) async fn read<T: Send + 'static>(
    app: &App,
    place: &Place,
    mut read: impl FnMut(&mut dyn Tx, &Place) -> Result<T, Abort> + Send + 'static,
) -> Result<T, ApiError> {
    let share = Share {
        team: place.team_id.number(),
        weight: Weight::Short,
    };
    let place = place.clone();
    let found = app.store.scan_for(share, move |tx| read(tx, &place));
    Ok(found.await?)
}

/// Where to go after a form, or instead of a page.
pub(super) fn see_other(place: &str) -> Response {
    let place = HeaderValue::try_from(place).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response()
}

/// The same, with a cookie.
pub(super) fn see_other_with(place: &str, cookie: HeaderValue) -> Response {
    let mut response = see_other(place);
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

/// Sends the same form on to another page, with a cookie.
pub(super) fn send_on_with(place: &str, cookie: HeaderValue) -> Response {
    let mut response = see_other_with(place, cookie);
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    response
}
