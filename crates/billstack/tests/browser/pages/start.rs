//! From an empty server to the first referral that converts, by what the list says.

use std::process::Command;

use fake_stripe::{CheckoutSession, EventOptions, body, event, sign};
use reqwest::Method;
use serde_json::{Value, json};

use super::first_run::{fill, nobody_yet};
use super::{at, with_browser};
use crate::chromium::{Chromium, Options};
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::stripe::SECRET;

#[test]
fn the_list_leads_from_set_up_to_a_conversion() {
    with_browser(nobody_yet(), Options::default(), async |t, browser| {
        set_up(t, browser).await;
        connect(t, browser).await;
        switch_on(browser).await;
        make_key(browser).await;
        let friend = run_the_commands(browser).await;
        convert(t, browser, &friend).await;
    });
}

/// Who the friend is.
const PATH: &str = "return location.pathname";

async fn set_up(t: &Bench, browser: &Chromium) {
    browser.goto(&at(t, "/")).await;
    browser.arrive("/setup").await;
    fill(browser, &t.setup_token.clone().expect("a token")).await;
    browser.arrive("/t").await;
    browser.type_into("#team", "Acme").await;
    browser.type_into("#project", "App").await;
    browser.click("main button").await;
    browser.until(&done("project"), json!(true)).await;
}

/// Whether a step is ticked.
fn done(step: &str) -> String {
    format!("return document.querySelector('#{step}.done') !== null")
}

/// Lets Stripe send an event, signed with a secret.
async fn send(t: &Bench, browser: &Chromium, event: &Value, secret: &str) -> u16 {
    let path = browser.run(PATH).await;
    let team = path
        .as_str()
        .expect("a path")
        .split('/')
        .nth(2)
        .expect("a team")
        .to_owned();
    let bytes = body(event);
    let signature = sign(&bytes, secret, t.seconds());
    let call = t
        .nobody
        .call(Method::POST, &format!("/api/webhooks/stripe/{team}"));
    let call = call.header("stripe-signature", &signature);
    call.body("application/json", bytes).send().await.status
}

fn session(t: &Bench, id: &str, friend: Option<&str>) -> Value {
    let session = CheckoutSession::new(id, "cus_of_checkout").created(t.seconds());
    let session = match friend {
        Some(friend) => session.client_reference_id(friend),
        None => session,
    };
    event(
        "checkout.session.completed",
        &session,
        &EventOptions::at(t.seconds()),
    )
}

async fn connect(t: &Bench, browser: &Chromium) {
    browser.type_into("#webhookSecret", SECRET).await;
    browser.click("#stripe form button:not(.plain)").await;
    browser.until(&done("stripe"), json!(true)).await;
    // Nothing is clicked from here on: the page looks by itself, and takes nothing from whoever types.
    browser.type_into("#key input[name=name]", "half").await;
    let early = session(t, "cs_0", None);
    assert_eq!(send(t, browser, &early, "whsec_third").await, 400);
    let news = "return document.getElementById('news')?.textContent.startsWith('There is news')";
    browser.until(news, json!(true)).await;
    let typed = "return document.querySelector('#key input[name=name]').value";
    assert_eq!(browser.run(typed).await, json!("half"));
    browser.refresh().await;
    let first = session(t, "cs_1", None);
    assert_eq!(send(t, browser, &first, "whsec_other").await, 400);
    let told =
        "return document.querySelector('#event .notice')?.textContent.startsWith('2 calls within')";
    browser.until(told, json!(true)).await;
    assert_eq!(send(t, browser, &first, SECRET).await, 200);
    browser.until(&done("event"), json!(true)).await;
}

async fn switch_on(browser: &Chromium) {
    browser.click("#program a.button").await;
    browser.click("#enabled option[value=on]").await;
    browser.type_into("#referrerCreditAmount", "10.00").await;
    browser.type_into("#refereeCreditAmount", "5.00").await;
    browser.click("main form button:not(.plain)").await;
    browser.find("main form a[href*='again=yes']").await;
    browser.click("main form button").await;
    browser.find(".notice.good").await;
    browser.click(".tabs a[href$='/start']").await;
    browser.until(&done("program"), json!(true)).await;
}

async fn make_key(browser: &Chromium) {
    browser.type_into("#key input[name=name]", "Shop").await;
    browser.click("#key form button:not(.plain)").await;
    browser.until(&done("key"), json!(true)).await;
}

/// Runs the three blocks as they stand on the page, and tells who is new.
async fn run_the_commands(browser: &Chromium) -> String {
    let blocks =
        "return [...document.querySelectorAll('#try > .block code')].map(code => code.textContent)";
    let blocks = browser.run(blocks).await;
    let blocks: Vec<&str> = blocks
        .as_array()
        .expect("blocks")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(blocks.len(), 3);
    let script = blocks.concat();
    let run = tokio::task::spawn_blocking(move || {
        let mut bash = Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &script])
            .env_remove("http_proxy")
            .output()
    });
    let output = run.await.expect("no panic").expect("bash");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{error}");
    assert!(text.contains("\"status\":\"pending\""), "{text}{error}");
    let (_, friend) = text.split_once("recommends, ").expect("who is new");
    friend.split(' ').next().expect("an id").to_owned()
}

async fn convert(t: &Bench, browser: &Chromium, friend: &str) {
    browser.refresh().await;
    browser.until(&done("try"), json!(true)).await;
    assert_eq!(
        send(t, browser, &session(t, "cs_2", Some(friend)), SECRET).await,
        200
    );
    browser.until(&done("conversion"), json!(true)).await;
    // The list has left the menu.
    let gone = "return document.querySelector('.tabs a[href$=\"/start\"]') === null";
    assert_eq!(browser.run(gone).await, json!(true));
    browser.click("#conversion a").await;
    browser.find(".state.on").await;
}
