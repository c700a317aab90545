//! Pages, as a browser without scripts sees them.

mod access;
mod account;
mod activity;
mod attention;
mod codes;
mod credits;
mod customers;
mod find;
mod first_run;
mod kept;
mod keys;
mod links;
mod locked;
mod members;
mod overview;
mod portal;
mod program;
mod referrals;
mod refusals;
mod reports;
mod shell;
mod sign_in;
mod start;
mod stripe;
mod teams;
mod unread;
mod webhooks;

use crate::support::bench::Bench;
use crate::support::client::{Answer, Call, Caller, CookieClient};
use reqwest::Method;

/// Where a page of the project is.
fn path(t: &Bench, rest: &str) -> String {
    format!("/t/{}/p/{}{rest}", t.home.team, t.home.project)
}

/// A page shows all of this.
#[track_caller]
fn holds(page: &Answer, parts: &[&str]) {
    for part in parts {
        assert!(page.text.contains(part), "{part}: {page:?}");
    }
}

/// Asks for a page as a browser does.
fn look(client: &impl Caller, path: &str) -> Call {
    let call = client.call(Method::GET, path);
    call.header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
}

/// Sends a form; whoever is signed in says that it comes from our own page.
async fn send(client: &impl Caller, path: &str, fields: &[(&str, &str)]) -> Answer {
    let call = client.call(Method::POST, path);
    call.form(fields).send().await
}

/// Where an answer leads.
#[track_caller]
fn led(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{answer:?}");
    answer.header("location").expect("a place")
}

/// The value of a hidden field.
#[track_caller]
fn hidden(page: &Answer, name: &str) -> String {
    let before = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.text.split_once(&before).expect("a field");
    rest.split('"').next().unwrap_or_default().to_owned()
}

/// What a page tells, without the frame that says for which request it was made.
#[track_caller]
fn content(page: &Answer) -> &str {
    let (_, rest) = page.text.split_once("<main").expect("a page");
    rest.split_once("</main>").expect("its end").0
}

/// Every hidden field of a page.
fn hidden_fields(page: &Answer) -> Vec<(&str, &str)> {
    let fields = page.text.split("<input type=\"hidden\" name=\"").skip(1);
    let read = |field| -> Option<(&str, &str)> {
        let (name, rest): (&str, &str) = str::split_once(field, "\" value=\"")?;
        Some((name, rest.split('"').next()?))
    };
    fields.filter_map(read).collect()
}

/// The session that an answer hands out.
#[track_caller]
fn session(t: &Bench, answer: &Answer) -> CookieClient {
    let mut cookies = answer.headers.get_all("set-cookie").into_iter();
    let session = cookies.find_map(|cookie| {
        let cookie = cookie.to_str().ok()?;
        cookie
            .contains("_session=")
            .then(|| cookie.split(';').next())?
    });
    CookieClient::new(t.nobody.wire(), session.expect("a session"))
}
