//! A server with an origin of its own for what strangers see.

use billstack::routes::{calls, for_people};
use reqwest::Method;
use serde_json::json;

use crate::support::bench::{Bench, Setup};
use crate::support::client::{Answer, Caller};
use crate::support::fixture::text;

on_both_engines! {
    each_origin_answers_for_its_own_paths with two_origins,
    links_and_symbols_name_the_public_origin with two_origins,
    one_origin_answers_for_all,
}

const APP: &str = "app.test";
const PUBLIC: &str = "refer.test";

fn two_origins() -> Setup {
    Setup {
        settings: |args| {
            args.base_url = Some(format!("http://{APP}"));
            args.public_url = Some(format!("http://{PUBLIC}"));
        },
        ..Setup::default()
    }
}

/// Asks for a path of a host.
async fn ask(t: &Bench, host: &str, method: Method, path: &str) -> Answer {
    let call = t.owner.call(method.clone(), path).header("host", host);
    let call = match method {
        Method::GET => call,
        _ => call.json(&json!({})),
    };
    // Pages of links refuse in their own way.
    call.send_beside_a_newer_version().await
}

async fn link(t: &Bench) -> String {
    let settings = json!({"enabled": true, "landingUrl": "https://product.example/"});
    let put = t.owner.call(Method::PUT, "links/settings");
    put.header("host", APP).json(&settings).send().await.ok();
    let code = t.code(&t.customer("ada").await).await;
    format!("/r/{code}")
}

fn foreign_to(t: &Bench, path: &str) -> String {
    let path = path.replace("{teamId}", &t.home.team);
    path.replace("{projectId}", &t.home.project)
}

async fn each_origin_answers_for_its_own_paths(t: &Bench) {
    let link = link(t).await;
    let both = ["/healthz", "/readyz"];
    let mut seen = 0;
    for route in calls().into_iter().chain(for_people()) {
        if both.contains(&route.path) {
            continue;
        }
        let path = foreign_to(t, route.path);
        let places = ["/api/public/", "/api/portal/"];
        let is_public = places.iter().any(|place| path.starts_with(place));
        let elsewhere = match is_public {
            true => {
                let at_home = ask(t, PUBLIC, route.method.clone(), &path).await;
                assert_ne!(at_home.status, 404, "{path}: {at_home:?}");
                APP
            }
            false => PUBLIC,
        };
        let answer = ask(t, elsewhere, route.method, &path).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert_eq!(answer.reason(), "not_found");
        seen += 1;
    }
    assert!(seen > 80);
    for path in ["/docs", "/openapi.json", "/", "/no/such/path"] {
        assert_eq!(
            ask(t, PUBLIC, Method::GET, path).await.status,
            404,
            "{path}"
        );
    }
    let qr = format!("{link}/qr.svg");
    for (path, there) in [(link.as_str(), 302), (&qr, 200)] {
        assert_eq!(
            ask(t, PUBLIC, Method::GET, path).await.status,
            there,
            "{path}"
        );
        for host in [APP, "127.0.0.1", "refer.test:81", "x.refer.test"] {
            let answer = ask(t, host, Method::GET, path).await;
            assert_eq!(answer.status, 404, "{host}{path}");
            assert_eq!(answer.reason(), "not_found");
        }
    }
    for path in both {
        for host in [APP, PUBLIC, "127.0.0.1"] {
            assert_eq!(ask(t, host, Method::GET, path).await.status, 200, "{path}");
        }
    }
    assert_eq!(ask(t, APP, Method::GET, "/account").await.status, 200);
}

async fn links_and_symbols_name_the_public_origin(t: &Bench) {
    link(t).await;
    let settings = t.owner.call(Method::GET, "links/settings");
    let settings = settings.header("host", APP).send().await.ok();
    let shown = settings.to_string();
    assert!(shown.contains("http://refer.test/r/"), "{shown}");
    assert!(!shown.contains("http://app.test/r/"), "{shown}");
    let page = ask(t, APP, Method::GET, "/account").await;
    let policy = page.header("content-security-policy").unwrap_or_default();
    assert!(
        policy.contains("; frame-src http://refer.test;"),
        "{policy}"
    );
    // Stripe is told the other one.
    let url = ask(t, APP, Method::GET, &t.home.path("stripe/webhook-url")).await;
    assert!(
        url.text.contains("http://app.test/api/webhooks/stripe/"),
        "{url:?}"
    );
}

async fn one_origin_answers_for_all(t: &Bench) {
    let link = link(t).await;
    for host in [APP, PUBLIC] {
        assert_eq!(ask(t, host, Method::GET, &link).await.status, 302);
        assert_eq!(ask(t, host, Method::GET, "/account").await.status, 200);
    }
    let settings = t.owner.get("links/settings").await.ok();
    let shown = text(&settings["settings"]["shareUrls"][0]);
    assert!(shown.starts_with(&t.nodes[0].origin), "{shown}");
}
