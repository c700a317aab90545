//! The page of a customer by itself, at the address that their product sends them to.

use serde_json::json;

use crate::axe;
use crate::chromium::Options;
use crate::embed::a_test;
use crate::pages::with_browser;
use crate::support::bench::Setup;
use crate::support::client::Caller;
use crate::support::fixture::text;

const HEADING: &str = "return document.querySelector('h1')?.textContent ?? null";

#[test]
fn a_customers_page_has_no_fault() {
    a_test(async |t, browser, customer| {
        let path = format!("customers/{customer}/portal-sessions");
        let session = t.key.post(&path, json!({})).await.created();
        browser.goto(&text(&session["portalSession"]["url"])).await;
        browser.until(HEADING, json!("Recommend us")).await;
        for width in [1280, 360, 320] {
            browser.wide(width).await;
            let faults = axe::violations(browser).await;
            assert!(faults.is_empty(), "{width}: {}", faults.join("\n"));
            let wide = "return document.documentElement.scrollWidth > innerWidth";
            assert_eq!(browser.run(wide).await, json!(false), "{width}");
            browser.picture(&format!("portal.{width}")).await;
        }
        assert_eq!(browser.complaints().await, Vec::<String>::new());
        // The address of the entry is used up, and is none to keep.
        let address = browser.run("return location.pathname").await;
        assert_eq!(address, json!("/portal"));
    });
}

#[test]
fn who_has_no_session_is_told_so_in_words() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        browser
            .goto(&format!("{}/portal/enter/none", t.nodes[0].origin))
            .await;
        let faults = axe::violations(browser).await;
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        let said = browser.run(HEADING).await;
        assert!(said.as_str().is_some_and(|said| !said.is_empty()), "{said}");
    });
}
