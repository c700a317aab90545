//! `/t/{teamId}/p/{projectId}`: a project.

pub mod attention;
pub mod clicks;
pub mod codes;
pub mod credits;
pub mod customers;
pub mod links;
pub mod overview;
pub mod portal;
pub mod program;
pub mod referrals;
pub mod reports;
pub mod start;
pub mod webhooks;

use axum::http::{HeaderMap, HeaderValue, header};
use billstack_core::ids::{ProjectId, TeamId, is_id};
use billstack_store::Place;

use crate::app::App;

/// The cookie that leads back to where somebody was.
const LAST: &str = "billstack_last";

/// The address of a project.
pub(in crate::pages) fn address(team_id: &TeamId, project_id: &ProjectId) -> String {
    format!("/t/{team_id}/p/{project_id}")
}

/// Where somebody was last, as their browser tells it.
pub(in crate::pages) fn last_place(headers: &HeaderMap) -> Option<Place> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == LAST)?;
    let (team, project) = value.split_once('/')?;
    (is_id(team) && is_id(project)).then(|| Place::new(team, project))
}

/// The cookie that leads back here.
fn cookie(app: &App, place: &Place) -> HeaderValue {
    let secure = match app.is_https() {
        true => "; Secure",
        false => "",
    };
    let (team, project) = (&place.team_id, &place.project_id);
    let text = format!(
        "{LAST}={team}/{project}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}"
    );
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}
