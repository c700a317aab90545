//! A customer who shows the token of a session.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use billstack_core::portal::Session;
use billstack_store::portal::{self, Visit};
use billstack_store::{Abort, Act, Actor, Refusal, Share, Tx, Weight};

use super::cors;
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::bearer;
use crate::http::origin::same_origin;
use crate::http::request_id::RequestId;
use crate::http::visitor::client_address;

/// How often a write is tried with fresh ids when a code it made was taken.
const FRESH_IDS: usize = 3;

/// The origin of customers' own pages, where one is set.
pub(super) fn own_origin(app: &App) -> Option<&str> {
    let settings = &app.settings;
    let public_url = settings.public_url.as_deref();
    public_url.or(settings.base_url.as_deref())
}

/// A customer who shows the token of a session, which we have written; whether it still lets anybody in, only the
/// database can say.
#[derive(Clone, Debug)]
pub struct PortalCaller {
    pub session: Session,
    /// The origin of the page that asks, where there is one.
    origin: Option<String>,
    /// Whether that page is ours.
    is_ours: bool,
    request_id: String,
}

impl FromRequestParts<Shared> for PortalCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, ApiError> {
        app.portal_pace
            .count_address(&client_address(parts, app)?)?;
        let mut sent = parts.headers.get_all(AUTHORIZATION).iter();
        let token = sent.next().and_then(|header| bearer(header.to_str().ok()?));
        let token = token.filter(|_| sent.next().is_none());
        let session = token.and_then(|token| Some((token, Session::read(token, &app.portal_key)?)));
        let (token, session) = session.ok_or(ApiError::new(Reason::InvalidPortalToken))?;
        app.portal_pace.count_token(token)?;
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
        Ok(PortalCaller {
            session,
            origin: cors::origin(&parts.headers),
            is_ours: same_origin(&parts.headers, own_origin(app)),
            request_id: request_id.unwrap_or_default(),
        })
    }
}

impl PortalCaller {
    /// Answers with what is read for the customer, if the session lets them in.
    pub async fn answer<T: Send + 'static>(
        &self,
        app: &App,
        mut read: impl FnMut(&mut dyn Tx, &Visit) -> Result<T, Abort> + Send + 'static,
        show: impl FnOnce(&Visit, T) -> Response,
    ) -> Response {
        let (session, now) = (self.session.clone(), app.now());
        let (team, weight) = (session.team_id.number(), Weight::Short);
        let read = move |tx: &mut dyn Tx| {
            let visit = portal::visit(tx, &session, now)?;
            let found = match visit.is_let_in {
                true => Some(read(tx, &visit)?),
                false => None,
            };
            Ok((visit, found))
        };
        let (visit, found) = match app.store.scan_for(Share { team, weight }, read).await {
            Ok(done) => done,
            Err(abort) => return ApiError::from(abort).into_response(),
        };
        let response = match found {
            Some(found) => show(&visit, found),
            None => ApiError::new(Reason::InvalidPortalToken).into_response(),
        };
        self.readable(&visit, response)
    }

    /// Answers with what came of a change that the customer makes, if the session lets them in. A page that may not
    /// read the answer may not cause the change.
    pub async fn change<T: Send + 'static>(
        &self,
        app: &App,
        change: impl Fn(&mut dyn Tx, &mut Act, &Session) -> Result<T, Abort> + Clone + Send + 'static,
        show: impl FnOnce(&Visit, T) -> Response,
    ) -> Response {
        let (session, now) = (self.session.clone(), app.now());
        let look = move |tx: &mut dyn Tx| Ok(portal::visit(tx, &session, now)?);
        let visit = match app.store.point(look).await {
            Ok(visit) => visit,
            Err(abort) => return ApiError::from(abort).into_response(),
        };
        let may = |origin: &str| {
            self.is_ours || billstack_core::portal::allows(&visit.settings.allowed_origins, origin)
        };
        if !self.origin.as_deref().is_none_or(may) {
            let refused = ApiError::new(Reason::CrossSiteRequest).into_response();
            return self.readable(&visit, refused);
        }
        let response = match self.write(app, change).await {
            Ok(made) => show(&visit, made),
            Err(abort) => ApiError::from(abort).into_response(),
        };
        self.readable(&visit, response)
    }

    /// A customer on our own page, whose request has been looked at.
    pub(super) fn of_page(session: Session, request_id: String) -> PortalCaller {
        PortalCaller {
            session,
            origin: None,
            is_ours: true,
            request_id,
        }
    }

    /// Makes a change, with fresh ids where a code that it made was taken.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        app: &App,
        change: impl Fn(&mut dyn Tx, &mut Act, &Session) -> Result<T, Abort> + Clone + Send + 'static,
    ) -> Result<T, Abort> {
        let mut tries = 0;
        loop {
            let (session, change) = (self.session.clone(), change.clone());
            let origin = app.origin(
                Actor::Customer(session.customer_id.clone()),
                &self.request_id,
            );
            let write = app
                .store
                .write(origin, move |tx, act| change(tx, act, &session));
            tries += 1;
            match write.await {
                Err(Abort::Refused(Refusal::CodeCollision)) if tries < FRESH_IDS => {}
                done => return done,
            }
        }
    }

    fn readable(&self, visit: &Visit, response: Response) -> Response {
        let allowed = &visit.settings.allowed_origins;
        cors::readable(response, allowed, self.origin.as_deref())
    }
}
