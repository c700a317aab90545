//! Filters stand in the address: others see the same, and the way back restores them.

use serde_json::json;

use super::{at, sign_in, with_browser};
use crate::chromium::{Chromium, Options};
use crate::support::bench::{Bench, Setup};
use crate::support::fixture::{Tenant, text};

const ROWS: &str = "return [...document.querySelectorAll('tbody tr td[data-label=Friend] a')].map(link => link.pathname)";

/// Referrals enough to scroll, the last of them converted.
async fn many(t: &Bench) -> String {
    let mut last = String::new();
    for number in 0..14 {
        let pair = t.pair(&format!("p{number}")).await;
        last = text(&t.apply(&pair).await["id"]);
        if number == 13 {
            t.subscribe(&pair).await;
        }
    }
    last
}

async fn referrals(t: &Bench, browser: &Chromium, tenant: &Tenant) -> String {
    sign_in(t, browser, tenant).await;
    let path = format!("/t/{}/p/{}/referrals", t.home.team, t.home.project);
    browser.goto(&at(t, &path)).await;
    path
}

#[test]
fn an_address_shows_others_the_same_rows() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        let last = many(t).await;
        let path = referrals(t, browser, &t.home).await;
        browser
            .run("document.getElementById('status').value = 'converted'")
            .await;
        browser.click("form.filters button").await;
        let only = json!([format!("{path}/{last}")]);
        browser.until(ROWS, only.clone()).await;
        let shared = browser.path().await;
        let other = Chromium::start(Options::default()).await;
        sign_in(t, &other, &t.home).await;
        other.goto(&at(t, &shared)).await;
        assert_eq!(other.run(ROWS).await, only);
        assert_eq!(other.find("#status").await.value().await, "converted");
        other.quit().await;
    });
}

#[test]
fn the_way_back_restores_filter_and_scroll() {
    for scripts in [true, false] {
        let options = Options {
            scripts,
            ..Options::default()
        };
        with_browser(Setup::default(), options, async |t, browser| {
            many(t).await;
            let path = referrals(t, browser, &t.home).await;
            let filtered = format!("{path}?status=pending");
            browser.goto(&at(t, &filtered)).await;
            browser.run("scrollTo(0, 300)").await;
            browser.until("return scrollY", json!(300)).await;
            browser
                .click("tbody tr:nth-child(8) td[data-label=Friend] a")
                .await;
            browser.find(".facts").await;
            browser.back().await;
            browser.arrive(&filtered).await;
            browser.until("return scrollY > 200", json!(true)).await;
            assert_eq!(browser.find("#status").await.value().await, "pending");
            let rows = browser.run(ROWS).await;
            assert_eq!(rows.as_array().map(Vec::len), Some(13));
        });
    }
}

#[test]
fn a_middle_click_opens_a_row_beside() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        let pair = t.pair("ann").await;
        t.apply(&pair).await;
        referrals(t, browser, &t.home).await;
        assert_eq!(browser.windows().await, 1);
        browser
            .find("tbody td[data-label=Friend] a")
            .await
            .click_middle()
            .await;
        let mut windows = browser.windows().await;
        for _ in 0..100 {
            if windows == 2 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            windows = browser.windows().await;
        }
        assert_eq!(windows, 2);
    });
}

#[test]
fn all_of_a_page_are_picked_at_once() {
    const PICKED: &str = "return document.querySelectorAll('input[name=pick]:checked').length";
    const BOX: &str = "return document.querySelector('[data-pick-all]').";
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        many(t).await;
        referrals(t, browser, &t.home).await;
        browser.click("input[data-pick-all]").await;
        browser.until(PICKED, json!(14)).await;
        browser.click("tbody input[name=pick]").await;
        browser.until(PICKED, json!(13)).await;
        let is_between = browser.run(&format!("{BOX}indeterminate")).await;
        assert_eq!(is_between, json!(true));
        browser.click("input[data-pick-all]").await;
        browser.until(PICKED, json!(14)).await;
        browser.click("input[data-pick-all]").await;
        browser.until(PICKED, json!(0)).await;
    });
    // Without scripts it is not there, and each is picked by itself.
    let options = Options {
        scripts: false,
        ..Options::default()
    };
    with_browser(Setup::default(), options, async |t, browser| {
        many(t).await;
        referrals(t, browser, &t.home).await;
        let shown = browser.run(&format!("{BOX}checkVisibility()")).await;
        assert_eq!(shown, json!(false));
        browser.click("tbody input[name=pick]").await;
        browser.until(PICKED, json!(1)).await;
    });
}
