//! How a link leaves the frame.

use serde_json::json;

use super::host::Host;
use super::{ELEMENT, LONG, a_test, allow, enter_shown};
use crate::chromium::Chromium;
use crate::support::bench::Bench;
use crate::support::client::Caller;

const SAID: &str = "return document.querySelector('[role=status]').textContent";
const LINK: &str = "return document.getElementById('portal-link').value";

/// Notes what the element says, on the page at hand.
async fn listen(browser: &Chromium) {
    browser
        .run("window.told = []; addEventListener('billstack-shared', event => told.push(event.detail.channel))")
        .await;
}

/// Lets pages of an origin read and write the clipboard.
async fn grant(browser: &Chromium, origin: &str) {
    let names = ["clipboardReadWrite", "clipboardSanitizedWrite"];
    let grant = json!({"permissions": names, "origin": origin});
    browser.tell("Browser.grantPermissions", grant).await;
}

#[test]
fn copy_fills_the_clipboard() {
    a_test(async |t, browser, customer| {
        allow(t, &["http://localhost:*"]).await;
        let host = Host::start(t, customer, LONG).await;
        // The page reads it for the test; the frame writes by itself.
        grant(browser, &host.origin()).await;
        browser.goto(&host.url("")).await;
        listen(browser).await;
        enter_shown(browser).await;
        let link = browser.run(LINK).await;
        assert!(link.as_str().is_some_and(|link| link.contains("/r/")));
        browser.click("button[data-copy]").await;
        browser.until(SAID, json!("Copied")).await;
        browser.out_of_frames().await;
        browser.until("return told", json!(["link"])).await;
        browser.click("h1").await;
        browser
            .run("document.activeElement.blur(); window.focus()")
            .await;
        let read = "const done = arguments[0]; navigator.clipboard.readText().then(done, e => done(String(e)))";
        assert_eq!(browser.run_async(read).await, link);
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    });
}

#[test]
fn without_permission_the_link_is_selected_and_said() {
    a_test(async |t, browser, customer| {
        allow(t, &["http://localhost:*"]).await;
        let host = Host::start(t, customer, LONG).await;
        browser.goto(&host.url("closed=")).await;
        listen(browser).await;
        enter_shown(browser).await;
        let link = browser.run(LINK).await;
        browser.click("button[data-copy]").await;
        let said = "Your link is selected: copy it with Ctrl+C or ⌘C.";
        browser.until(SAID, json!(said)).await;
        let selected = "const field = document.activeElement; \
            return field.value.slice(field.selectionStart, field.selectionEnd)";
        assert_eq!(browser.run(selected).await, link);
        browser.out_of_frames().await;
        browser.picture("embed.selected").await;
        assert_eq!(browser.run("return told").await, json!([]));
    });
}

/// Makes a customer who has no code yet, in a project that gives names.
async fn without_a_code(t: &Bench) -> String {
    let links = json!({"enabled": true, "landingUrl": "https://example.com"});
    t.key.put("links/settings", links).await.ok();
    let settings = json!({"allowVanity": true, "allowedOrigins": ["http://localhost:*"]});
    t.key.put("portal/settings", settings).await.ok();
    t.customer("bob").await
}

#[test]
fn a_code_is_made_and_named_in_the_frame() {
    a_test(async |t, browser, _| {
        let customer = without_a_code(t).await;
        let host = Host::start(t, &customer, LONG).await;
        browser.goto(&host.url("")).await;
        enter_shown(browser).await;
        let codes = t.count("codes").await;
        browser.type_into("#portal-vanity", "admin").await;
        browser.click("form.code button").await;
        let refused = browser.text_of("#portal-refused").await;
        assert_eq!(refused, "This name cannot be used. Choose another one.");
        let field = "const field = document.activeElement; return [field.id, field.value, field.ariaInvalid]";
        let wrong = json!(["portal-vanity", "admin", "true"]);
        assert_eq!(browser.run(field).await, wrong);
        browser.picture("embed.refused").await;
        browser.type_into("#portal-vanity", "Bob-B").await;
        browser.click("form.code button").await;
        browser.find("#portal-link").await;
        let code = "return document.querySelector('.share code').textContent";
        assert_eq!(browser.run(code).await, json!("BOB-B"));
        let link = browser.run(LINK).await;
        assert!(
            link.as_str().is_some_and(|link| link.ends_with("/r/BOB-B")),
            "{link}"
        );
        assert_eq!(t.count("codes").await, codes + 1);
        browser.out_of_frames().await;
        browser.enter_frame(ELEMENT).await;
        assert_eq!(browser.run(code).await, json!("BOB-B"));
    });
}

#[test]
fn lists_go_on_in_the_frame() {
    a_test(async |t, browser, _| {
        allow(t, &["http://localhost:*"]).await;
        let links = json!({"enabled": true, "landingUrl": "https://example.com"});
        t.key.put("links/settings", links).await.ok();
        let mut pair = t.pair("zoe").await;
        for number in 0..22 {
            t.apply(&pair).await;
            pair.referee = t.customer(&format!("f{number}")).await;
        }
        let host = Host::start(t, &pair.referrer, LONG).await;
        browser.goto(&host.url("")).await;
        enter_shown(browser).await;
        let rows = "return document.querySelectorAll('.lines .name').length";
        browser.until(rows, json!(20)).await;
        let entries = browser.run("return history.length").await;
        browser.click("a[href^='?']").await;
        browser.until(rows, json!(22)).await;
        let at = "return [document.activeElement.tagName, document.querySelectorAll(\"a[href^='?']\").length]";
        assert_eq!(browser.run(at).await, json!(["LI", 0]));
        // Back leads away, not through what the frame showed.
        assert_eq!(browser.run("return history.length").await, entries);
        assert_eq!(host.given().len(), 1);
    });
}
