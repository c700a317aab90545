//! What holds on every page.

use serde_json::json;

use super::{at, sign_in, with_browser};
use crate::chromium::{Chromium, Options};
use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::text;
use crate::webdriver::{ESCAPE, TAB};

const WITHOUT_SCRIPTS: Options = Options {
    scripts: false,
    foreign_cookies: true,
};

#[test]
fn back_after_signing_out_shows_nothing() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        let project = format!("/t/{}/p/{}", t.home.team, t.home.project);
        sign_in(t, browser, &t.home).await;
        browser.goto(&at(t, &project)).await;
        browser.click(".person summary").await;
        browser.click(".person button").await;
        browser.arrive("/sign-in").await;
        browser.back().await;
        browser.arrive(&format!("/sign-in?next={project}")).await;
        assert!(!browser.source().await.contains(&format!("<h1>{}", "home")));
    });
}

#[test]
fn two_quick_clicks_make_one_team() {
    with_browser(Setup::default(), WITHOUT_SCRIPTS, async |t, browser| {
        sign_in(t, browser, &t.home).await;
        browser.goto(&at(t, "/t")).await;
        browser.type_into("#team", "Twice").await;
        browser.type_into("#project", "Once").await;
        let teams = t.count("teams").await;
        browser.find("main form button").await.click_twice().await;
        browser.find("main .state, main .button").await;
        assert_eq!(t.count("teams").await, teams + 1);
        // A new look at where the form led asks nothing.
        browser.goto(&at(t, "/t")).await;
        browser.refresh().await;
        assert_eq!(t.count("teams").await, teams + 1);
    });
}

#[test]
fn dark_is_dark_from_the_first_paint() {
    for options in [Options::default(), WITHOUT_SCRIPTS] {
        with_browser(Setup::default(), options, async |t, browser| {
            browser.goto(&at(t, "/healthz")).await;
            browser.keep("billstack_theme=dark").await;
            browser.goto(&at(t, "/sign-in")).await;
            let html = browser.find("html").await;
            let colour = html.css("background-color").await;
            assert_eq!(colour, "rgba(20, 23, 22, 1)");
            browser.keep("billstack_theme=light").await;
            browser.goto(&at(t, "/sign-in")).await;
            let html = browser.find("html").await;
            let colour = html.css("background-color").await;
            assert_eq!(colour, "rgba(251, 251, 250, 1)");
        });
    }
}

#[test]
fn times_are_local_and_say_utc_on_focus() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        sign_in(t, browser, &t.home).await;
        let zone = json!({"timezoneId": "Asia/Tokyo"});
        browser.tell("Emulation.setTimezoneOverride", zone).await;
        browser.goto(&at(t, &format!("/t/{}", t.home.team))).await;
        let time = browser.find("time").await;
        assert_eq!(time.text().await, "30 Mar 2026, 21:00");
        let utc = time.attribute("data-utc").await;
        assert_eq!(utc, "30 Mar 2026, 12:00 UTC");
    });
    with_browser(Setup::default(), WITHOUT_SCRIPTS, async |t, browser| {
        sign_in(t, browser, &t.home).await;
        browser.goto(&at(t, &format!("/t/{}", t.home.team))).await;
        assert_eq!(browser.text_of("time").await, "30 Mar 2026, 12:00 UTC");
    });
}

#[test]
fn an_id_is_copied_with_one_button() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        sign_in(t, browser, &t.home).await;
        let origin = &t.nodes[0].origin;
        let grant = json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": origin});
        browser.tell("Browser.grantPermissions", grant).await;
        let path = format!("/t/{}/p/{}", t.home.team, t.home.project);
        browser.goto(&at(t, &format!("{path}/start"))).await;
        browser.click("#programs button[data-copy]").await;
        let read = "const done = arguments[0]; navigator.clipboard.readText().then(done, e => done(String(e)))";
        assert_eq!(browser.run_async(read).await, json!(t.home.project));
        // It is said with the next frame.
        let said = "const done = arguments[0]; const said = () => document.getElementById('said').textContent; \
            const look = () => said() ? done(said()) : requestAnimationFrame(look); look()";
        assert_eq!(browser.run_async(said).await, json!("Copied"));
        // In lists a small sign does the same.
        t.program(1_000, 500).await;
        let ann = t.customer("ann").await;
        let code = t.code(&ann).await;
        browser.goto(&at(t, &format!("{path}/codes"))).await;
        browser.click("td button.icon").await;
        browser.find("td button.icon.copied").await;
        assert_eq!(browser.run_async(read).await, json!(code));
    });
    with_browser(Setup::default(), WITHOUT_SCRIPTS, async |t, browser| {
        t.program(1_000, 500).await;
        let ann = t.customer("ann").await;
        let code = t.code(&ann).await;
        sign_in(t, browser, &t.home).await;
        let codes = format!("/t/{}/p/{}/codes", t.home.team, t.home.project);
        browser.goto(&at(t, &codes)).await;
        assert_eq!(browser.text_of("td .copy").await, code);
    });
}

#[test]
fn the_keyboard_reaches_the_content_and_leaves_menus() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        sign_in(t, browser, &t.home).await;
        browser.goto(&at(t, "/t")).await;
        let body = browser.find("body").await;
        body.type_in(TAB).await;
        let skip = "return [document.activeElement.className, document.activeElement.getBoundingClientRect().top >= 0]";
        assert_eq!(browser.run(skip).await, json!(["skip", true]));
        browser.click(".person summary").await;
        assert_eq!(
            browser
                .run("return document.querySelector('.person').open")
                .await,
            json!(true)
        );
        let active = browser.driver.active().await.expect("a focus");
        active.type_in(ESCAPE).await;
        let shut =
            "return [document.querySelector('.person').open, document.activeElement.tagName]";
        assert_eq!(browser.run(shut).await, json!([false, "SUMMARY"]));
    });
}

#[test]
fn a_form_whose_session_ended_comes_back_filled_in() {
    for options in [Options::default(), WITHOUT_SCRIPTS] {
        with_browser(Setup::default(), options, async |t, browser| {
            let token = invite(t, "grace@example.com", "member").await;
            let body = json!({"name": "Grace", "email": "grace@example.com", "password": "kelp-Onion-77", "token": token});
            t.nobody.post("/api/auth/sign-up/email", body).await.ok();
            browser.goto(&at(t, "/sign-in?next=/t")).await;
            enter(browser).await;
            browser.arrive("/t").await;
            browser.type_into("#team", "Acme & Co").await;
            browser.type_into("#project", "App").await;
            browser.forget().await;
            let teams = t.count("teams").await;
            browser.click("main form button").await;
            browser.find("#password").await;
            enter(browser).await;
            let field = browser.find("#team").await;
            assert_eq!(field.value().await, "Acme & Co");
            assert_eq!(t.count("teams").await, teams);
            browser.click("main form button").await;
            browser.find(".state").await;
            assert_eq!(t.count("teams").await, teams + 1);
        });
    }
}

/// An invitation to the usual team.
async fn invite(t: &Bench, email: &str, role: &str) -> String {
    let body = json!({"email": email, "role": role});
    let answer = t.owner.post(&t.home.path("invitations"), body).await;
    text(&answer.created()["token"])
}

async fn enter(browser: &Chromium) {
    browser.type_into("#email", "grace@example.com").await;
    browser.type_into("#password", "kelp-Onion-77").await;
    browser.click("main form button").await;
}

#[test]
fn no_choice_of_the_program_is_cut() {
    let cut = "const pen = document.createElement('canvas').getContext('2d'); \
        for (const group of document.querySelectorAll('details.group')) group.open = true; \
        return [...document.querySelectorAll('form.groups select')].flatMap(select => { \
            const style = getComputedStyle(select); pen.font = style.font; \
            const arrow = 20, edges = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight); \
            const room = select.clientWidth - edges - arrow; \
            return [...select.options].map(option => option.text).filter(text => pen.measureText(text).width > room); })";
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        sign_in(t, browser, &t.home).await;
        for width in [1280, 960, 360] {
            browser.wide(width).await;
            let path = format!("/t/{}/p/{}/program", t.home.team, t.home.project);
            browser.goto(&at(t, &path)).await;
            assert_eq!(browser.run(cut).await, json!([]), "{width}");
        }
        // The measure sees what is cut.
        let long = "document.querySelector('#clawback').options[0].text = 'x'.repeat(60)";
        browser.run(long).await;
        assert_eq!(browser.run(cut).await, json!(["x".repeat(60)]));
    });
}
