//! From an empty server to a project, by hand, with scripts and without.

use super::{at, with_browser};
use crate::chromium::{Chromium, Options};
use crate::support::bench::{Bench, Setup};

#[test]
fn the_first_user_gets_to_a_project() {
    let options = Options::default();
    with_browser(nobody_yet(), options, async |t, browser| {
        by_hand(t, browser).await;
    });
}

#[test]
fn the_first_user_needs_no_scripts() {
    let options = Options {
        scripts: false,
        ..Options::default()
    };
    with_browser(nobody_yet(), options, async |t, browser| {
        by_hand(t, browser).await;
    });
}

pub(super) fn nobody_yet() -> Setup {
    Setup {
        empty: true,
        ..Setup::default()
    }
}

async fn by_hand(t: &Bench, browser: &Chromium) {
    browser.goto(&at(t, "/account")).await;
    browser.arrive("/setup").await;
    let wrong = format!("setup.{}", "0".repeat(64));
    fill(browser, &wrong).await;
    browser.find("#token-error, .notice.bad").await;
    let kept = browser.find("#email").await.value().await;
    assert_eq!(kept, "grace@example.com");
    assert_eq!(t.count("users").await, 0);
    fill(browser, &t.setup_token.clone().expect("a token")).await;
    browser.arrive("/t").await;
    browser.type_into("#team", "Acme").await;
    browser.type_into("#project", "Rocket").await;
    browser.click("main button").await;
    browser.find(".state.off").await;
    assert_eq!(browser.text_of("h1").await, "Start");
    let start = browser.path().await;
    let here = start
        .strip_suffix("/start")
        .expect("the start of a project");
    assert!(here.contains("/p/proj_"), "{here}");
    // Coming back leads to the project.
    browser.goto(&at(t, "/")).await;
    browser.arrive(here).await;
    browser.click(".person summary").await;
    browser.click(".person button").await;
    browser.arrive("/sign-in").await;
    sign_in(browser, "kelp-Onion-78").await;
    browser.find(".notice.bad").await;
    sign_in(browser, "kelp-Onion-77").await;
    browser.arrive(here).await;
}

pub(super) async fn fill(browser: &Chromium, token: &str) {
    browser.type_into("#token", token).await;
    browser.type_into("#name", "Grace").await;
    browser.type_into("#email", "grace@example.com").await;
    browser.type_into("#password", "kelp-Onion-77").await;
    browser.click("main form button").await;
}

async fn sign_in(browser: &Chromium, password: &str) {
    browser.type_into("#email", "grace@example.com").await;
    browser.type_into("#password", password).await;
    browser.click("main form button").await;
}
