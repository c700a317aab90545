//! Where the token is, and what becomes of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::host::Host;
use super::{ELEMENT, LONG, STATE, a_test, ada, allow, dress, enter_shown};
use crate::chromium::{Chromium, Options};
use crate::pages::with_browser;
use crate::support::bench::Setup;
use crate::support::client::Caller;

/// Everything that a page leaves where others, or later visitors, can find it.
const TRACES: &str = "const of = kind => { try { return JSON.stringify({...window[kind]}) } catch (e) { return e.name } }; \
    return [location.href, document.referrer, document.cookie, of('localStorage'), of('sessionStorage'), \
        document.documentElement.outerHTML, JSON.stringify(history.state), \
        ...performance.getEntries().map(entry => entry.name)]";

async fn traces(browser: &Chromium) -> String {
    let mut found = vec![browser.run(TRACES).await];
    browser.enter_frame(ELEMENT).await;
    found.push(browser.run(TRACES).await);
    assert_eq!(browser.run("return document.referrer").await, json!(""));
    browser.out_of_frames().await;
    found.push(browser.tell("Network.getAllCookies", json!({})).await);
    found.push(browser.tell("Page.getNavigationHistory", json!({})).await);
    Value::Array(found).to_string()
}

#[test]
fn it_is_nowhere_and_needs_no_cookie() {
    let blocked = Options {
        foreign_cookies: false,
        ..Options::default()
    };
    with_browser(Setup::default(), blocked, async |t, browser| {
        let customer = ada(t).await;
        allow(t, &["http://localhost:*"]).await;
        let host = Host::start(t, &customer, LONG).await;
        browser.goto(&host.url("")).await;
        enter_shown(browser).await;
        // The browser does block them.
        let has = "const done = arguments[0]; document.hasStorageAccess().then(done)";
        assert_eq!(browser.run_async(has).await, json!(false));
        browser.out_of_frames().await;
        let found = traces(browser).await;
        assert!(
            found.contains("/portal/view") && found.contains("/token"),
            "{found}"
        );
        assert!(!found.contains("bp_"), "{found}");
        let cookies = browser.tell("Network.getAllCookies", json!({})).await;
        assert_eq!(cookies["cookies"], json!([]));
        assert_eq!(host.given().len(), 1);
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    });
}

#[test]
fn a_search_of_the_traces_finds_what_is_there() {
    a_test(async |t, browser, customer| {
        allow(t, &["http://localhost:*"]).await;
        let host = Host::start(t, customer, LONG).await;
        for leave in [
            "document.cookie = 'x=bp_x'",
            "localStorage.x = 'bp_x'",
            "sessionStorage.x = 'bp_x'",
            "history.pushState('bp_x', '')",
            "location.hash = 'bp_x'",
            "fetch('/token?bp_x').then(() => { window.done = true })",
        ] {
            browser.goto("about:blank").await;
            browser.goto(&host.url("")).await;
            enter_shown(browser).await;
            browser.out_of_frames().await;
            browser.run("document.cookie = 'x=; Max-Age=0'; localStorage.clear(); sessionStorage.clear()").await;
            browser.run(leave).await;
            if leave.starts_with("fetch") {
                browser.until("return window.done", json!(true)).await;
            }
            let found = traces(browser).await;
            assert!(found.contains("bp_x"), "{leave}");
            browser.run("document.cookie = 'x=; Max-Age=0'; localStorage.clear(); sessionStorage.clear()").await;
        }
    });
}

#[test]
fn it_is_renewed_before_its_end_without_a_flash() {
    a_test(async |t, browser, customer| {
        allow(t, &["http://localhost:*"]).await;
        let host = Host::start(t, customer, Duration::from_secs(10)).await;
        browser.goto(&host.url("")).await;
        enter_shown(browser).await;
        // Whatever is drawn anew loses the mark.
        browser
            .run("document.querySelector('.portal').dataset.mark = 'x'; window.changes = 0; \
                  new MutationObserver(() => { changes += 1 }).observe(document.getElementById('root'), \
                      {childList: true, subtree: true})")
            .await;
        host.until_given(2).await;
        host.until_given(3).await;
        let same = "return [document.querySelector('.portal').dataset.mark, changes]";
        assert_eq!(browser.run(same).await, json!(["x", 0]));
    });
}

#[test]
fn when_sessions_were_ended_another_is_asked_for() {
    a_test(async |t, browser, customer| {
        allow(t, &["http://localhost:*"]).await;
        let host = Host::start(t, customer, LONG).await;
        browser.goto(&host.url("")).await;
        enter_shown(browser).await;
        t.key.post("portal/end-sessions", json!({})).await.ok();
        browser.out_of_frames().await;
        dress(browser, &[("locale", "de")]).await;
        browser.enter_frame(ELEMENT).await;
        browser.until(STATE, json!(["", "de", "", true])).await;
        assert_eq!(host.given().len(), 2);
    });
}

#[test]
fn a_server_that_gives_tokens_that_are_over_is_not_asked_without_end() {
    a_test(async |t, browser, customer| {
        allow(t, &["http://localhost:*"]).await;
        let host = Host::start(t, customer, LONG).await;
        host.give_only("bp_over");
        browser.goto(&host.url("")).await;
        host.until_given(3).await;
        // The second comes at once, the third after a pause.
        browser
            .run("window.pauses = performance.getEntriesByType('resource').filter(entry => entry.name.endsWith('/token')) \
                  .map(entry => entry.startTime)")
            .await;
        let pause = browser.run("return pauses[2] - pauses[1] >= 1000").await;
        assert_eq!(pause, json!(true));
        host.give_only("");
        enter_shown(browser).await;
    });
}
