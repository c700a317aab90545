//! The pictures of the documentation. CONTRIBUTING.md tells how to take them anew.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::chromium::{Chromium, Options};
use crate::embed::{Host, allow, enter_shown};
use crate::pages::{at, sign_in, with_browser};
use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::{Pair, text};

/// Friends of Ada, and whether they subscribed.
const FRIENDS: [(&str, bool); 4] = [
    ("Grace Hopper", true),
    ("Alan Turing", true),
    ("Edsger Dijkstra", false),
    ("Barbara Liskov", false),
];

/// Somebody who recommends, with friends. Returns the customer, and the referral of the last friend.
async fn lively(t: &Bench) -> (String, String) {
    t.program(1_000, 500).await;
    t.connect().await;
    let links = json!({"enabled": true, "landingUrl": "https://example.com"});
    t.key.put("links/settings", links).await.ok();
    let person = |name: &str, stripe: &str| {
        let address = name.to_lowercase().replace(' ', ".");
        json!({"email": format!("{address}@example.com"), "name": name, "stripeCustomerId": stripe})
    };
    let ada = t.customer_with(person("Ada Lovelace", "cus_ada")).await;
    let ada = text(&ada["id"]);
    let body = json!({"customerId": ada, "vanity": "ADA"});
    let code = text(&t.key.post("referrals/codes", body).await.created()["code"]["code"]);
    let mut last = String::new();
    for (number, (name, subscribes)) in FRIENDS.into_iter().enumerate() {
        let stripe = format!("cus_{number}");
        let pair = Pair {
            code: code.clone(),
            referrer: ada.clone(),
            referee: text(&t.customer_with(person(name, &stripe)).await["id"]),
            stripe,
        };
        last = text(&t.apply(&pair).await["id"]);
        if subscribes {
            t.subscribe(&pair).await;
        }
    }
    (ada, last)
}

async fn of_pages(t: &Bench, browser: &Chromium, referral: &str) {
    sign_in(t, browser, &t.home).await;
    let project = format!("/t/{}/p/{}", t.home.team, t.home.project);
    browser.goto(&at(t, &format!("{project}/referrals"))).await;
    browser
        .until(
            "return document.querySelectorAll('tbody tr').length",
            json!(4),
        )
        .await;
    browser.picture("referrals").await;
    let one = format!("{project}/referrals/{referral}");
    browser.goto(&at(t, &one)).await;
    let title = "return document.querySelector('h1').textContent";
    browser.until(title, json!("Barbara Liskov")).await;
    browser.picture("referral").await;
}

async fn of_customers(t: &Bench, browser: &Chromium, customer: &str) {
    let path = format!("customers/{customer}/portal-sessions");
    let session = t.key.post(&path, json!({})).await.created();
    browser.goto(&text(&session["portalSession"]["url"])).await;
    let title = "return document.querySelector('h1').textContent";
    browser.until(title, json!("Recommend us")).await;
    browser.picture("portal").await;
    allow(t, &["http://localhost:*"]).await;
    let host = Host::start(t, customer, Duration::from_secs(900)).await;
    browser.goto(&host.url("")).await;
    enter_shown(browser).await;
    browser.out_of_frames().await;
    browser.picture("widget").await;
}

#[test]
fn pictures() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        let (customer, referral) = lively(t).await;
        browser.wide(960).await;
        of_pages(t, browser, &referral).await;
        of_customers(t, browser, &customer).await;
    });
}

/// A page that shows a picture has it, and no picture is left that no page shows.
#[test]
fn the_documentation_has_its_pictures() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for (page, name) in [
        ("../README.md", "overview"),
        ("tours/support.md", "attention"),
        ("operators/pages.md", "referrals"),
        ("operators/pages.md", "referral"),
        ("integrators/portal.md", "portal"),
        ("integrators/widget.md", "widget"),
    ] {
        let text = std::fs::read_to_string(docs.join(page)).expect("a page");
        let shown = [
            format!("](../pictures/{name}.png)"),
            format!("](docs/pictures/{name}.png)"),
        ];
        assert!(
            shown.iter().any(|shown| text.contains(shown)),
            "{page}: {name}"
        );
        assert!(docs.join(format!("pictures/{name}.png")).exists(), "{name}");
    }
    let taken = std::fs::read_dir(docs.join("pictures")).expect("a directory");
    assert_eq!(taken.count(), 6);
}
