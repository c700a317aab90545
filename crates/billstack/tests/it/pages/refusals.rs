//! Refusals of pages: whatever went wrong on the way, a browser gets a page.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use billstack::http::serve::Limits;
use billstack::routes;
use futures_util::stream;
use reqwest::Method;
use std::time::Duration;
use tower::ServiceExt as _;

use super::access::POLICY;
use super::{led, look};
use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller};

on_both_engines! {
    what_no_handler_answers_is_a_page,
    a_page_that_takes_too_long_is_one,
}

const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

#[track_caller]
fn tells(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.is_page(), "{answer:?}");
    let id = answer.header("x-request-id").expect("an id");
    assert!(
        answer.text.contains(&format!("Request <code>{id}</code>")),
        "{answer:?}"
    );
    assert_eq!(answer.header("content-security-policy"), Some(POLICY));
}

async fn what_no_handler_answers_is_a_page(t: &Bench) {
    let project = format!("/t/{}/p/{}", t.home.team, t.home.project);
    let put = t.owner.call(Method::PUT, &format!("{project}/program"));
    tells(&put.header("accept", BROWSER).send().await, 405);
    // It takes a form, which is on the page above.
    let shown = look(&t.owner, &format!("{project}/portal/end-sessions"))
        .send()
        .await;
    assert_eq!(led(&shown), format!("{project}/portal"));
    tells(
        &look(&t.owner, &format!("{project}/nothing")).send().await,
        404,
    );
    let large = "x".repeat(100_000);
    let large = t
        .owner
        .call(Method::POST, &format!("{project}/program"))
        .form(&[("enabled", &large)]);
    tells(&large.header("accept", BROWSER).send().await, 413);
    // Whoever asks for no page gets none, and neither does a call.
    let call = t
        .owner
        .call(Method::PUT, &format!("{project}/program"))
        .send()
        .await;
    call.refused("method_not_allowed");
    let call = t
        .owner
        .call(Method::PUT, "/api/billstack/teams")
        .header("accept", BROWSER);
    call.send().await.refused("method_not_allowed");
}

/// A body that never comes keeps a request waiting for as long as a request may take.
async fn a_page_that_takes_too_long_is_one(t: &Bench) {
    let limits = Limits {
        request_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = routes::app(t.app(), &limits);
    let ask = async |method: Method, path: &str, kind: &str| {
        let body = Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "a.test")
            .header("cookie", &t.owner.cookie)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", kind)
            .header("accept", BROWSER);
        let request = request.body(body).expect("a request");
        let answer = server.clone().oneshot(request).await.expect("an answer");
        let (head, body) = answer.into_parts();
        let text = to_bytes(body, 100_000).await.expect("a body");
        (head, String::from_utf8(text.to_vec()).expect("text"))
    };
    let (head, text) = ask(
        Method::POST,
        "/account/theme",
        "application/x-www-form-urlencoded",
    )
    .await;
    assert_eq!(head.status, 503);
    let id = head.headers["x-request-id"].to_str().expect("text");
    assert!(
        text.contains(&format!("Request <code>{id}</code>")),
        "{text}"
    );
    assert!(
        text.contains("It is not known whether the request took effect"),
        "{text}"
    );
    assert_eq!(head.headers["content-security-policy"], POLICY);
    assert!(head.headers.contains_key("retry-after"));
    let config = format!(
        "/api/billstack/teams/{}/projects/{}/referrals/config",
        t.home.team, t.home.project
    );
    let (head, text) = ask(Method::PUT, &config, "application/json").await;
    let kind = head.headers["content-type"].to_str().ok();
    assert_eq!(
        (head.status.as_u16(), kind),
        (503, Some("application/json"))
    );
    assert!(text.contains("outcome_unknown"), "{text}");
}
