//! Keys: those that lead somewhere, and work without a mouse.

use serde_json::json;

use super::{at, sign_in, with_browser};
use crate::chromium::{Chromium, Options};
use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::webdriver::{CONTROL, ENTER, ESCAPE, TAB};

/// What has the focus.
const FOCUS: &str = "return document.activeElement.id || document.activeElement.tagName";

async fn press(browser: &Chromium, keys: &str) {
    let active = browser.driver.active().await.expect("a focus");
    active.type_in(keys).await;
}

async fn at_home(t: &Bench, browser: &Chromium) -> String {
    sign_in(t, browser, &t.home).await;
    let project = format!("/t/{}/p/{}", t.home.team, t.home.project);
    browser.goto(&at(t, &project)).await;
    project
}

#[test]
fn keys_lead_where_they_say() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        let project = at_home(t, browser).await;
        for (keys, page) in [("gr", "referrals"), ("gc", "customers"), ("go", "codes")] {
            press(browser, keys).await;
            browser.arrive(&format!("{project}/{page}")).await;
        }
        for keys in ["/", &format!("{CONTROL}k")] {
            press(browser, keys).await;
            browser.until(FOCUS, json!("find")).await;
            press(browser, ESCAPE).await;
            browser.until(FOCUS, json!("BODY")).await;
        }
        press(browser, "?").await;
        let is_open = "return document.getElementById('keys').open";
        browser.until(is_open, json!(true)).await;
        press(browser, ESCAPE).await;
        browser.until(is_open, json!(false)).await;
        press(browser, "/").await;
        press(browser, &format!("{}{ENTER}", t.home.project)).await;
        browser.arrive(&project).await;
    });
}

#[test]
fn single_keys_do_nothing_in_a_field_and_when_they_are_off() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        let project = at_home(t, browser).await;
        let referrals = format!("{project}/referrals");
        browser.goto(&at(t, &referrals)).await;
        browser.type_into("#code", "g?/gc").await;
        let typed = browser.find("#code").await.value().await;
        assert_eq!(
            (typed.as_str(), browser.path().await),
            ("g?/gc", referrals.clone())
        );
        assert_eq!(browser.run(FOCUS).await, json!("code"));
        let off = json!({"singleKeys": false});
        t.owner.put("/api/auth/preferences", off).await.ok();
        browser
            .goto(&at(t, &format!("{referrals}?status=pending")))
            .await;
        for keys in ["gc", "/", "?", ESCAPE] {
            press(browser, keys).await;
        }
        let is_open = "return document.getElementById('keys').open";
        assert_eq!(browser.run(is_open).await, json!(false));
        assert_eq!(browser.run(FOCUS).await, json!("BODY"));
        assert_eq!(browser.path().await, format!("{referrals}?status=pending"));
        // With a second key it is no single one.
        press(browser, &format!("{CONTROL}k")).await;
        browser.until(FOCUS, json!("find")).await;
    });
}

#[test]
fn escape_closes_first_and_then_clears_filters() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        let project = at_home(t, browser).await;
        let referrals = format!("{project}/referrals");
        browser
            .goto(&at(t, &format!("{referrals}?status=pending")))
            .await;
        browser.click(".person summary").await;
        press(browser, ESCAPE).await;
        let shut =
            "return [document.querySelector('.person').open, document.activeElement.tagName]";
        browser.until(shut, json!([false, "SUMMARY"])).await;
        assert_eq!(browser.path().await, format!("{referrals}?status=pending"));
        press(browser, ESCAPE).await;
        browser.arrive(&referrals).await;
    });
}

/// Whether what has the focus is in sight, below the bar, and marked.
const SEEN: &str = "const it = document.activeElement; if (it === document.body || it.className === 'skip') return true; \
    const box = it.getBoundingClientRect(), bar = document.querySelector('.bar'); \
    const style = getComputedStyle(it), under = bar.contains(it) ? 0 : bar.getBoundingClientRect().bottom; \
    return box.bottom > 0 && box.top >= under - 1 && box.top < innerHeight && \
        (style.outlineStyle !== 'none' || style.boxShadow !== 'none')";

#[test]
fn a_key_is_made_and_revoked_by_keyboard_alone() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        sign_in(t, browser, &t.home).await;
        let path = format!("/t/{}/keys", t.home.team);
        browser.goto(&at(t, &path)).await;
        tab_to(browser, "document.activeElement.id === 'name'").await;
        press(browser, "Keyboard").await;
        press(browser, ENTER).await;
        browser.find(".secret").await;
        assert!(browser.source().await.contains(">Keyboard<"));
        tab_to(
            browser,
            "document.activeElement.textContent === 'I have kept it'",
        )
        .await;
        press(browser, ENTER).await;
        browser
            .until(
                "return document.querySelector('.secret') === null",
                json!(true),
            )
            .await;
        tab_to(
            browser,
            "document.activeElement.textContent === 'Revoke Keyboard'",
        )
        .await;
        press(browser, ENTER).await;
        tab_to(
            browser,
            "document.activeElement.textContent === 'Revoke the key'",
        )
        .await;
        press(browser, ENTER).await;
        browser.find(".state.ended").await;
    });
}

/// Tabs until this holds; on the way, whatever has the focus is seen.
async fn tab_to(browser: &Chromium, holds: &str) {
    for _ in 0..80 {
        press(browser, TAB).await;
        let here = "return document.activeElement.outerHTML.slice(0, 200)";
        assert_eq!(
            browser.run(SEEN).await,
            json!(true),
            "{}",
            browser.run(here).await
        );
        if browser.run(&format!("return {holds}")).await == json!(true) {
            return;
        }
    }
    panic!("never {holds}: {}", browser.source().await);
}
