//! Keys: those that lead somewhere, and work without a mouse.

use serde_json::json;

use super::{at, sign_in, with_browser};
use crate::chromium::{Chromium, Options};
use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::text;
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

#[test]
fn a_code_is_made_a_list_exported_and_a_person_erased_by_keyboard_alone() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        t.program(1_000, 500).await;
        let ann = t.customer("ann").await;
        let project = at_home(t, browser).await;
        browser.goto(&at(t, &format!("{project}/codes"))).await;
        open_above(browser, "customerId").await;
        press(browser, &format!("{}{ENTER}", ann)).await;
        browser.find("main .figures").await;
        let code = t.key.get("referrals/codes").await.ok()["codes"][0]["code"].take();
        browser
            .arrive(&format!("{project}/codes/{}", text(&code)))
            .await;

        browser.goto(&at(t, &format!("{project}/codes"))).await;
        let files = tempfile::tempdir().expect("a folder");
        let allow = json!({"behavior": "allow", "downloadPath": files.path()});
        browser.tell("Browser.setDownloadBehavior", allow).await;
        tab_to(
            browser,
            "document.activeElement.textContent === 'Export CSV'",
        )
        .await;
        press(browser, ENTER).await;
        let file = downloaded(files.path()).await;
        assert!(file.contains(&text(&code)), "{file}");

        let page = format!("{project}/customers/{}", ann);
        browser.goto(&at(t, &page)).await;
        open_above(browser, "address").await;
        press(browser, &format!("{}{ENTER}", "ann@example.com")).await;
        browser
            .arrive(&format!("{project}/customers?done=erased"))
            .await;
        let gone = t.key.get(&format!("customers/{}", ann)).await;
        assert_eq!(gone.status, 404);
    });
}

/// Goes to the field with this id; what it is folded into is opened on the way, by the space bar.
async fn open_above(browser: &Chromium, id: &str) {
    let folded = format!(
        "document.activeElement.id === '{id}' || (document.activeElement.tagName === 'SUMMARY' && \
         document.activeElement.parentElement.contains(document.getElementById('{id}')))"
    );
    tab_to(browser, &folded).await;
    let is_there = format!("return document.activeElement.id === '{id}'");
    if browser.run(&is_there).await == json!(false) {
        press(browser, " ").await;
        tab_to(browser, &format!("document.activeElement.id === '{id}'")).await;
    }
}

/// The one file that comes into a folder, once it is whole.
async fn downloaded(folder: &std::path::Path) -> String {
    for _ in 0..200 {
        let files = std::fs::read_dir(folder)
            .expect("a folder")
            .filter_map(Result::ok);
        let mut whole =
            files.filter(|file| file.path().extension().is_some_and(|end| end == "csv"));
        if let Some(file) = whole.next() {
            return std::fs::read_to_string(file.path()).expect("a text");
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("nothing came");
}

#[test]
fn every_stop_is_in_sight_on_narrow_screens_too() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        t.program(1_000, 500).await;
        let pair = t.pair("a").await;
        t.apply(&pair).await;
        let project = at_home(t, browser).await;
        browser.wide(360).await;
        let customer = format!("customers/{}", pair.referrer);
        for page in ["referrals", "codes", &customer, "program"] {
            browser.goto(&at(t, &format!("{project}/{page}"))).await;
            // The last stop of a page is in its last part.
            let last = "[...document.querySelectorAll('main a[href], main button:not([disabled]), main summary')]\
                .filter((one) => one.checkVisibility()).at(-1) === document.activeElement";
            tab_to(browser, last).await;
        }
    });
}

#[test]
fn escape_gives_the_focus_back_to_where_it_was() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        let project = at_home(t, browser).await;
        browser.goto(&at(t, &format!("{project}/codes"))).await;
        let link = "document.activeElement.textContent === 'Export CSV'";
        let is_back = format!("return {link}");
        for keys in ["/", "?", &format!("{CONTROL}k")] {
            if browser.run(&is_back).await != json!(true) {
                tab_to(browser, link).await;
            }
            press(browser, keys).await;
            browser.until(&is_back, json!(false)).await;
            assert_eq!(browser.run(SEEN).await, json!(true), "{keys}");
            press(browser, ESCAPE).await;
            browser.until(&is_back, json!(true)).await;
        }
    });
}

/// Tabs until this holds; on the way, whatever has the focus is seen.
async fn tab_to(browser: &Chromium, holds: &str) {
    for _ in 0..120 {
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
