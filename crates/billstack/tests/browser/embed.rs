//! The element that shows a customer's page in pages of another origin.

mod copy;
mod element;
mod host;
mod token;

use std::time::Duration;

use serde_json::{Value, json};

pub(crate) use self::host::Host;
use crate::axe;
use crate::chromium::{Chromium, Options};
use crate::pages::with_browser;
use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;

/// For how long tokens are good where nothing is said.
const LONG: Duration = Duration::from_secs(900);

const ELEMENT: &str =
    "return document.querySelector('billstack-referrals').shadowRoot.querySelector('iframe')";
const HEIGHT: &str = "return parseInt(document.querySelector('billstack-referrals').shadowRoot.querySelector('iframe').style.height)";
const HEADING: &str = "return document.querySelector('h1')?.textContent ?? null";

/// A customer with a code, a link and a friend.
async fn ada(t: &Bench) -> String {
    let links = json!({"enabled": true, "landingUrl": "https://example.com"});
    t.key.put("links/settings", links).await.ok();
    let pair = t.pair("ada").await;
    t.apply(&pair).await;
    pair.referrer
}

pub(crate) async fn allow(t: &Bench, origins: &[&str]) {
    let body = json!({"allowedOrigins": origins});
    t.key.put("portal/settings", body).await.ok();
}

/// Waits until the page in the frame of the page at hand shows something, and goes into it.
pub(crate) async fn enter_shown(browser: &Chromium) {
    browser.until(&format!("{HEIGHT} > 100"), json!(true)).await;
    browser.enter_frame(ELEMENT).await;
    browser.until(HEADING, json!("Recommend us")).await;
}

pub(crate) fn a_test(test: impl AsyncFnOnce(&Bench, &Chromium, &str)) {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        let customer = ada(t).await;
        test(t, browser, &customer).await;
    });
}

#[test]
fn only_pages_of_allowed_origins_show_it() {
    a_test(async |t, browser, customer| {
        let host = Host::start(t, customer, LONG).await;
        let nothing = async |url: &str| {
            browser.goto(url).await;
            let seen = "return document.querySelector('billstack-referrals').shadowRoot !== null";
            browser.until(seen, json!(true)).await;
            browser.complain_of("frame-ancestors").await;
            assert_eq!(browser.run(HEIGHT).await, json!(0), "{url}");
        };
        nothing(&host.url("")).await;
        allow(t, &["https://app.example.com"]).await;
        nothing(&host.url("")).await;
        allow(t, &["http://localhost:*"]).await;
        browser.goto(&host.url("")).await;
        enter_shown(browser).await;
        browser.out_of_frames().await;
        browser.picture("embed.allowed").await;
        nothing(&host.url_elsewhere()).await;
    });
}

#[test]
fn a_strict_page_sees_no_violation_and_the_height_follows() {
    a_test(async |t, browser, customer| {
        allow(t, &["http://localhost:*"]).await;
        let host = Host::start(t, customer, LONG).await;
        browser.wide(1280).await;
        browser.goto(&host.url("")).await;
        enter_shown(browser).await;
        let whole =
            "return Math.ceil(document.getElementById('root').getBoundingClientRect().bottom)";
        browser.out_of_frames().await;
        let mut heights = Vec::new();
        for width in [1280, 320] {
            browser.wide(width).await;
            browser.enter_frame(ELEMENT).await;
            let inside = browser.run(whole).await;
            browser.out_of_frames().await;
            browser.until(HEIGHT, inside.clone()).await;
            heights.push(inside.as_i64());
        }
        assert!(heights[0] < heights[1], "{heights:?}");
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    });
}

/// Looks of the frame, and what it shows.
const STATE: &str = "return [document.documentElement.dataset.theme, document.documentElement.lang, \
    document.documentElement.style.getPropertyValue('--accent'), document.querySelector('.sample') === null]";

/// Counts messages, and notes what the element says.
const HEAR: &str = "window.heard = 0; window.told = []; \
    addEventListener('message', ({data}) => { if (data?.forged) heard += 1 }); \
    for (const name of ['error', 'shared']) addEventListener(`billstack-${name}`, ({type}) => told.push(type))";

const FORGE_TO_PAGE: &str = "for (const more of [{type: 'height', height: 5}, {type: 'expired'}, \
        {type: 'shared', channel: 'x'}, {type: 'ready'}, {type: 'error', reason: 'x'}]) \
    parent.postMessage({billstack: 1, forged: true, ...more}, '*')";

const FORGE_TO_FRAME: &str = "const element = parent.document.querySelector('billstack-referrals'); \
    const frame = element.shadowRoot.querySelector('iframe').contentWindow; \
    for (const more of [{type: 'token', token: null}, {type: 'token', token: 'bp_x'}, \
            {type: 'theme', theme: 'dark', accent: '#ff0000', locale: 'de'}]) \
        frame.postMessage({billstack: 1, forged: true, ...more}, '*')";

#[test]
fn messages_of_others_change_nothing() {
    a_test(async |t, browser, customer| {
        allow(t, &["http://localhost:*"]).await;
        let host = Host::start(t, customer, LONG).await;
        browser.goto(&host.url("theme=light&open=")).await;
        enter_shown(browser).await;
        assert_eq!(browser.run(STATE).await, json!(["light", "en", "", true]));
        browser.run(HEAR).await;
        browser.out_of_frames().await;
        let others = format!(
            "for (const [id, src] of [['theirs', '/other'], ['ours', '{}/healthz']]) {{ \
                 const other = document.createElement('iframe'); Object.assign(other, {{id, src}}); \
                 document.body.append(other) }}",
            t.nodes[0].origin
        );
        browser.run(&others).await;
        browser.run(HEAR).await;
        let height = browser.run(HEIGHT).await;
        for (number, id) in [(1, "theirs"), (2, "ours")] {
            let other = format!("return document.getElementById('{id}')");
            browser.enter_frame(&other).await;
            let is_there = "return document.body.innerText.length > 1";
            browser.until(is_there, json!(true)).await;
            browser.run(FORGE_TO_PAGE).await;
            if id == "theirs" {
                browser.run(FORGE_TO_FRAME).await;
            }
            browser.out_of_frames().await;
            browser.until("return heard", json!(5 * number)).await;
            assert_eq!(browser.run(HEIGHT).await, height);
            assert_eq!(browser.run("return told").await, json!([]));
        }
        assert_eq!(host.given().len(), 1);
        browser.enter_frame(ELEMENT).await;
        browser.until("return heard", json!(3)).await;
        assert_eq!(browser.run(STATE).await, json!(["light", "en", "", true]));
        // The page itself is listened to.
        browser.out_of_frames().await;
        dress(
            browser,
            &[("theme", "dark"), ("accent", "#fe0"), ("locale", "de")],
        )
        .await;
        browser.enter_frame(ELEMENT).await;
        let looks = json!(["dark", "de", "#ffee00", true]);
        browser.until(STATE, looks).await;
        browser.out_of_frames().await;
        dress(
            browser,
            &[("accent", "red;x"), ("radius", "99"), ("theme", "x")],
        )
        .await;
        browser.enter_frame(ELEMENT).await;
        browser.until(STATE, json!(["", "de", "", true])).await;
        let asked = "return performance.getEntriesByType('resource').some(entry => entry.name.includes('/sample'))";
        assert_eq!(browser.run(asked).await, json!(false));
        browser.out_of_frames().await;
        assert_eq!(host.given().len(), 1);
    });
}

/// Gives the element of the page at hand these attributes.
async fn dress(browser: &Chromium, attributes: &[(&str, &str)]) {
    for (name, value) in attributes {
        let set = format!(
            "document.querySelector('billstack-referrals').setAttribute('{name}', '{value}')"
        );
        browser.run(&set).await;
    }
}

#[test]
fn the_frame_has_no_fault() {
    a_test(async |t, browser, customer| {
        allow(t, &["http://localhost:*"]).await;
        let host = Host::start(t, customer, LONG).await;
        for (name, query) in [("view", ""), ("sample", "&sample=")] {
            for theme in ["light", "dark"] {
                browser.wide(320).await;
                browser
                    .goto(&host.url(&format!("theme={theme}{query}")))
                    .await;
                enter_shown(browser).await;
                let is_sample = browser.run("return document.querySelector('.sample') !== null");
                assert_eq!(is_sample.await, json!(name == "sample"));
                let faults = axe::violations(browser).await;
                assert!(faults.is_empty(), "{name} {theme}: {}", faults.join("\n"));
                let wide = "return document.documentElement.scrollWidth > innerWidth";
                assert_eq!(browser.run(wide).await, Value::Bool(false));
                browser.out_of_frames().await;
                assert_eq!(browser.run(wide).await, Value::Bool(false));
                browser.picture(&format!("embed.{name}.{theme}.320")).await;
                assert_eq!(browser.complaints().await, Vec::<String>::new());
            }
        }
        assert_eq!(host.given().len(), 2);
    });
}
