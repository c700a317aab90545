//! The preview of customers' pages: what is typed shows before it is saved, in a frame of the other origin's code.

use serde_json::json;

use crate::chromium::Options;
use crate::pages::{at, sign_in, with_browser};
use crate::support::bench::Setup;

const ACCENT: &str =
    "return getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()";

#[test]
fn the_preview_follows_what_is_typed() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        sign_in(t, browser, &t.home).await;
        let path = format!(
            "/t/{}/p/{}/portal?theme=dark&locale=fr",
            t.home.team, t.home.project
        );
        browser.goto(&at(t, &path)).await;
        // All of it is seen at once.
        let whole = "return document.querySelector('iframe').clientHeight > 700";
        browser.until(whole, json!(true)).await;
        browser.type_into("#accent", "#ff0000").await;
        browser
            .enter_frame("return document.querySelector('iframe')")
            .await;
        browser.until(ACCENT, json!("#ff0000")).await;
        let shown =
            "const { lang, dataset } = document.documentElement; return [lang, dataset.theme]";
        assert_eq!(browser.run(shown).await, json!(["fr", "dark"]));
        assert!(!browser.text_of(".sample").await.is_empty());
        browser.out_of_frames().await;
        assert_eq!(browser.warnings().await, Vec::<String>::new());
    });
}

/// Without scripts there is a sample all the same.
#[test]
fn the_preview_needs_no_script() {
    let options = Options {
        scripts: false,
        ..Options::default()
    };
    with_browser(Setup::default(), options, async |t, browser| {
        sign_in(t, browser, &t.home).await;
        let path = format!("/t/{}/p/{}/portal", t.home.team, t.home.project);
        browser.goto(&at(t, &path)).await;
        browser
            .enter_frame("return document.querySelector('iframe')")
            .await;
        assert!(!browser.text_of(".sample").await.is_empty());
    });
}
