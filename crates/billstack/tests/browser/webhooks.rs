//! Webhook endpoints as a developer uses them: the command line that a page prints does what it says.

use std::process::Command;

use serde_json::json;

use crate::chromium::Options;
use crate::pages::{at, sign_in, with_browser};
use crate::support::bench::Setup;
use crate::support::receiver::Receiver;

/// From nothing to a verified webhook, by clicks alone.
#[test]
fn the_printed_command_line_verifies_at_a_real_receiver() {
    let inner = Setup {
        settings: |args| args.webhook_allowed_networks = Some("127.0.0.0/8".to_owned()),
        ..Setup::default()
    };
    with_browser(inner, Options::default(), async |t, browser| {
        let receiver = Receiver::start().await;
        sign_in(t, browser, &t.home).await;
        let path = format!("/t/{}/p/{}/webhooks", t.home.team, t.home.project);
        browser.goto(&at(t, &path)).await;
        browser.type_into("#url", &receiver.url()).await;
        browser.click("form.groups .actions button").await;
        let secret = browser.text_of("section.secret code").await;
        browser.click("section.secret form button").await;
        browser
            .until(
                "return document.querySelector('section.secret')",
                json!(null),
            )
            .await;
        let pick = "const kind = document.querySelector('#kind'); kind.value = 'referral.converted'; return kind.value";
        browser.until(pick, json!("referral.converted")).await;
        browser.click("form[action$='/test'] button").await;
        let said = browser.text_of("section[aria-labelledby=tested]").await;
        for part in ["Delivered 204", "ms", "referral.converted"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let line = "return document.querySelector('section[aria-labelledby=tested] pre:last-of-type').textContent";
        let line = browser.run(line).await;
        let line = line.as_str().expect("a line").to_owned();
        let copied = "return document.querySelector('[data-copy^=curl]').dataset.copy";
        assert_eq!(browser.run(copied).await, json!(line));
        let run = move || Command::new("sh").args(["-c", &line]).output();
        let ran = tokio::task::spawn_blocking(run).await.expect("no panic");
        let ran = ran.expect("a shell");
        assert!(ran.status.success(), "{ran:?}");
        let seen = receiver.wait_for(2).await;
        for one in &seen {
            assert!(one.is_signed_with(&secret), "{one:?}");
            assert_eq!(
                (one.kind().as_str(), &one.json()["test"]),
                ("referral.converted", &json!(true))
            );
        }
        assert_eq!(seen[0].id(), seen[1].id());
    });
}
