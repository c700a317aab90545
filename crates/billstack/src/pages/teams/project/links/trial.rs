//! What a link answers, asked of the same function that answers visitors. Nothing is counted.

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::Response;
use billstack_core::link::Visit;
use billstack_store::links::FIRST;
use maud::{Markup, html};
use url::Url;

use super::Known;
use crate::app::Shared;
use crate::error::ApiError;
use crate::links::tried;
use crate::pages::parts::table::{Column, table};

/// A code that nobody has: it is too short for one, and reserved as a name.
const UNKNOWN: &str = "EXAMPLE";

/// What a browser, a chat and an unknown code get.
pub(super) async fn trial(
    app: &Shared,
    known: &Known,
    code: Option<&str>,
) -> Result<Markup, ApiError> {
    let Some(code) = code else {
        return Ok(
            html! { p.quiet { "You see what a browser, a chat that shows a preview, and an unknown code would get. Nothing is counted." } },
        );
    };
    let slug = match known.names.is_first {
        true => FIRST,
        false => known.names.slug.as_str(),
    };
    let mut rows = Vec::new();
    for (who, code, visit) in [
        ("A browser", code, Visit::Person),
        ("A chat that shows a preview", code, Visit::Preview),
        ("A browser with an unknown code", UNKNOWN, Visit::Person),
    ] {
        let answer = tried(app, slug, code, visit).await;
        rows.push([
            html! { (who) },
            html! { (answer.status().as_u16()) },
            told(&answer, known),
        ]);
    }
    let columns = [
        Column::text("Who"),
        Column::text("Status"),
        Column::text("What they get"),
    ];
    Ok(table("What a link answers", columns, rows, ""))
}

fn told(answer: &Response, known: &Known) -> Markup {
    let location = answer
        .headers()
        .get(LOCATION)
        .and_then(|value| value.to_str().ok());
    let url = location.and_then(|text| Url::parse(text).ok());
    let Some((text, url)) = location.zip(url) else {
        return html! { (without_redirect(answer.status())) };
    };
    let settings = &known.settings;
    let member = |name: &str| {
        let mut pairs = url.query_pairs();
        pairs
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.into_owned())
    };
    let (code, click) = (
        member(&settings.code_parameter),
        member(&settings.click_parameter),
    );
    html! {
        div {
            code { (text) }
            p.quiet { @match (code, click) {
                (Some(code), Some(_)) => { "Sent on with the code " (code) " and a click token." },
                (Some(code), None) => { "Sent on with the code " (code) ", and no click token: nothing can be signed." },
                _ => "Sent on without a code: it is unknown or inactive, or links or the program are off.",
            } }
        }
    }
}

fn without_redirect(status: StatusCode) -> &'static str {
    match status {
        StatusCode::OK => "The card: title, text and picture as set up here.",
        StatusCode::NOT_FOUND => {
            "A page that says that the link leads nowhere: no landing page is set."
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            "A page that asks to try again: the database does not answer."
        }
        _ => "A page.",
    }
}
