//! Share links: `/r/{code}` and `/r/{slug}/{code}`.

mod apply;

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::{Caller, http};
use crate::support::fixture::text;

on_both_engines! {
    a_visitor_brings_the_code_and_a_token,
    no_link_leads_elsewhere_or_adds_a_header,
    a_link_that_brings_nothing_leads_to_the_same_page,
    a_link_that_leads_nowhere_is_a_page,
    chats_get_the_card_and_browsers_never,
    people_are_counted_once_and_programs_never,
    a_symbol_is_made_for_each_link,
}

pub(crate) const BROWSER: &str =
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// What a link answers.
#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Followed {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("text"))
    }

    /// Where it leads.
    #[track_caller]
    pub(crate) fn target(&self) -> Url {
        assert_eq!(self.status, 302, "{self:?}");
        Url::parse(self.header("location").expect("a target")).expect("an address")
    }

    /// What it brings along under this name.
    #[track_caller]
    pub(crate) fn brings(&self, name: &str) -> Option<String> {
        let target = self.target();
        let mut pairs = target.query_pairs();
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }
}

pub(crate) async fn send(
    t: &Bench,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Followed {
    let http = http().redirect(Policy::none()).build();
    let url = format!("{}{path}", t.nodes[0].origin);
    let mut request = http.expect("a client").request(method, url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.expect("an answer");
    Followed {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().await.expect("a body"),
    }
}

/// Follows a link with a browser.
pub(crate) async fn follow(t: &Bench, path: &str) -> Followed {
    send(t, Method::GET, path, &[("user-agent", BROWSER)]).await
}

/// Sets links up, switches the program on, and makes a code; answers the code and the short name of the project.
pub(crate) async fn open(t: &Bench) -> (String, String) {
    t.program(1000, 500).await;
    let body = json!({
        "enabled": true, "landingUrl": "https://example.com/hi?plan=pro#top", "redirectHosts": ["docs.example.com"],
    });
    let set = t.key.put("links/settings", body).await.ok();
    let code = t.code(&t.customer("ada").await).await;
    (code, text(&set["settings"]["slug"]))
}

async fn a_visitor_brings_the_code_and_a_token(t: &Bench) {
    let (code, slug) = open(t).await;
    let path = format!("referrals/codes/{code}");
    t.key.patch(&path, json!({"vanity": "Ada-L"})).await.ok();
    for path in [
        format!("/r/{code}"),
        format!("/r/{slug}/{code}"),
        "/r/ada_l".to_owned(),
        format!("/r/{slug}/ADAL"),
    ] {
        let asked = format!("{path}?utm_source=news&s=whatsapp&x=1");
        for method in [Method::GET, Method::HEAD] {
            let agent = [("user-agent", BROWSER)];
            let followed = send(t, method, &asked, &agent).await;
            let target = followed.target().to_string();
            let wanted = "https://example.com/hi?plan=pro&utm_source=news&ref=ADA-L&ref_click=ct_";
            assert!(
                target.starts_with(wanted) && target.ends_with("#top"),
                "{target}"
            );
            assert_eq!(followed.header("cache-control"), Some("no-store"));
            assert_eq!(followed.header("x-robots-tag"), Some("noindex"));
            assert_eq!(followed.header("referrer-policy"), Some("no-referrer"));
            assert_eq!(followed.header("set-cookie"), None);
            assert_eq!(followed.body, "");
        }
    }
    let first = follow(t, "/r/ADAL").await.brings("ref_click");
    assert_ne!(first, follow(t, "/r/ADAL").await.brings("ref_click"));
}

async fn no_link_leads_elsewhere_or_adds_a_header(t: &Bench) {
    let (code, _) = open(t).await;
    for to in [
        "//evil.example",
        "https:evil.example",
        "%5Cevil.example",
        "/%5Cevil.example",
        "@evil.example",
        "https://example.com@evil.example",
        "/a%0D%0ASet-Cookie:%20x=1",
        "%0d%0a//evil.example",
        "https://evil.example/",
        "https://sub.docs.example.com/",
        "javascript:alert(1)",
    ] {
        let followed = follow(t, &format!("/r/{code}?to={to}")).await;
        let target = followed.target();
        assert_eq!(target.host_str(), Some("example.com"), "{to}");
        assert_eq!(target.path(), "/hi", "{to}");
        assert_eq!(followed.brings("ref").as_deref(), Some(code.as_str()));
        assert_eq!(followed.header("set-cookie"), None);
    }
    for (to, wanted) in [
        ("/pricing%3Fa=1", "https://example.com/pricing?a=1&ref="),
        (
            "https://docs.example.com/x",
            "https://docs.example.com/x?ref=",
        ),
    ] {
        let target = follow(t, &format!("/r/{code}?to={to}")).await.target();
        assert!(target.as_str().starts_with(wanted), "{target}");
    }
}

/// Follows a link until it brings no code: what was known may be used for three seconds.
async fn until_bare(t: &Bench, path: &str) -> String {
    for _ in 0..200 {
        let followed = follow(t, path).await;
        if followed.brings("ref").is_none() {
            assert_eq!(followed.brings("ref_click"), None);
            return followed.target().to_string();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} goes on bringing its code");
}

async fn a_link_that_brings_nothing_leads_to_the_same_page(t: &Bench) {
    let (code, _) = open(t).await;
    let home = "https://example.com/hi?plan=pro#top";
    let path = format!("/r/{code}");
    for unknown in ["/r/ZZZZZZZZ", "/r/nobody", "/r/%F0%9F%92%A9", "/r/a%00b"] {
        assert_eq!(until_bare(t, unknown).await, home, "{unknown}");
    }
    assert!(follow(t, &path).await.brings("ref").is_some());
    t.put_program(&t.key, false, 1000, 500).await;
    assert_eq!(until_bare(t, &path).await, home);
    t.program(1000, 500).await;
    t.key.delete(&format!("referrals/codes/{code}")).await.ok();
    assert_eq!(until_bare(t, &path).await, home);
    let other = t.code(&t.customer("bob").await).await;
    let off = t.key.put("links/settings", json!({"enabled": false}));
    off.await.ok();
    assert_eq!(until_bare(t, &format!("/r/{other}")).await, home);
}

async fn a_link_that_leads_nowhere_is_a_page(t: &Bench) {
    t.program(1000, 500).await;
    let code = t.code(&t.customer("ada").await).await;
    for path in [
        format!("/r/{code}"),
        format!("/r/zzzzzz/{code}"),
        "/r/%FF".to_owned(),
    ] {
        let followed = follow(t, &path).await;
        assert_eq!(followed.status, 404, "{path}");
        assert_eq!(
            followed.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert!(followed.body.contains("leads nowhere"), "{}", followed.body);
        assert_eq!(followed.header("cache-control"), Some("no-store"));
        assert_eq!(followed.header("x-robots-tag"), Some("noindex"));
    }
    // A later project changes no link.
    let (_, other) = t.project("other").await;
    let body = json!({"enabled": true, "landingUrl": "https://other.example/"});
    other.put("links/settings", body).await.ok();
    assert_eq!(follow(t, &format!("/r/{code}")).await.status, 404);
}

async fn chats_get_the_card_and_browsers_never(t: &Bench) {
    let (code, slug) = open(t).await;
    let chat = [("user-agent", "WhatsApp/2.23.20.0 A")];
    let path = format!("/r/{slug}/{code}");
    assert_eq!(send(t, Method::GET, &path, &chat).await.status, 302);
    let card = json!({
        "title": "\"><img src=x onerror=alert(1)>", "text": "5 USD & more",
        "imageUrl": "https://example.com/card.png",
    });
    let body = json!({"enabled": true, "card": card});
    t.key.put("links/settings", body).await.ok();
    let path = format!("/r/{code}?s=mail&to=/x");
    let shown = send(t, Method::GET, &path, &chat).await;
    let shown = match shown.status {
        200 => shown,
        _ => panic!("a card: {shown:?}"),
    };
    for name in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
        assert_eq!(shown.header(name), Some("same-origin"), "{name}");
    }
    let address = format!("{}/r/{code}", t.nodes[0].origin);
    for part in [
        "content=\"&quot;&gt;&lt;img src=x onerror=alert(1)&gt;\"".to_owned(),
        "property=\"og:description\" content=\"5 USD &amp; more\"".to_owned(),
        "property=\"og:image\" content=\"https://example.com/card.png\"".to_owned(),
        format!("<link rel=\"canonical\" href=\"{address}\">"),
    ] {
        assert!(shown.body.contains(&part), "{part}: {}", shown.body);
    }
    assert!(!shown.body.contains("<img"), "{}", shown.body);
    assert!(follow(t, &path).await.brings("ref").is_some());
}

async fn clicks(t: &Bench, code: &str) -> Value {
    let path = format!("referrals/codes/{code}/clicks");
    t.key.get(&path).await.ok()["clicks"].take()
}

/// What is counted of a code once it is so many.
async fn counted(t: &Bench, code: &str, total: i64) -> Value {
    for _ in 0..300 {
        let found = clicks(t, code).await;
        if found["total"].as_i64() >= Some(total) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{total} clicks were not counted");
}

async fn people_are_counted_once_and_programs_never(t: &Bench) {
    let (code, _) = open(t).await;
    let path = format!("/r/{code}");
    let canary = "Canary/7.0 (X11) Gecko/20100101 Firefox/140.0";
    for (method, headers) in [
        (Method::HEAD, vec![("user-agent", BROWSER)]),
        (Method::GET, vec![]),
        (Method::GET, vec![("user-agent", "curl/8.5.0")]),
        (Method::GET, vec![("user-agent", "Googlebot/2.1")]),
        (Method::GET, vec![("user-agent", "WhatsApp/2.23")]),
        (
            Method::GET,
            vec![
                ("user-agent", BROWSER),
                ("sec-purpose", "prefetch;prerender"),
            ],
        ),
        (
            Method::GET,
            vec![("user-agent", BROWSER), ("purpose", "preview")],
        ),
        (
            Method::GET,
            vec![("user-agent", BROWSER), ("sec-fetch-mode", "cors")],
        ),
    ] {
        let sent = send(t, method, &path, &headers).await;
        assert!(sent.brings("ref_click").is_some(), "{headers:?}");
    }
    follow(t, &format!("{path}?s=qr")).await;
    let referrer = [
        ("user-agent", canary),
        ("referer", "https://canary.example/"),
    ];
    send(t, Method::GET, &path, &referrer).await;
    follow(t, &format!("{path}?s=unheard-of")).await;
    let day = "2026-03-30";
    let found = counted(t, &code, 3).await;
    assert_eq!(
        found,
        json!({"total": 3, "byDay": [
            {"date": day, "channel": "link", "count": 2}, {"date": day, "channel": "qr", "count": 1},
        ]})
    );
    // Thirty of an address count in a minute.
    for _ in 0..60 {
        assert!(follow(t, &path).await.brings("ref").is_some());
    }
    let found = counted(t, &code, 30).await;
    assert_eq!(found["total"], 30);
    let dump = t.dump().await.to_lowercase();
    for trace in ["canary", "firefox", "127.0.0.1"] {
        assert!(!dump.contains(trace), "{trace}");
    }
    let before = format!("referrals/codes/{code}/clicks?to=2026-03-30T00:00:00Z");
    assert_eq!(t.key.get(&before).await.ok()["clicks"]["total"], 0);
    let wrong =
        format!("referrals/codes/{code}/clicks?from=2026-03-30T00:00:00Z&to=2026-03-29T00:00:00Z");
    t.key.get(&wrong).await.invalid("from");
    let unknown = t.key.get("referrals/codes/ZZZZZZZZ/clicks").await;
    unknown.refused("code_not_found");
}

async fn a_symbol_is_made_for_each_link(t: &Bench) {
    let (code, slug) = open(t).await;
    for path in [
        format!("/r/{code}"),
        format!("/r/{slug}/{code}"),
        "/r/unheard".to_owned(),
    ] {
        let svg = follow(t, &format!("{path}/qr.svg?size=256")).await;
        assert_eq!(
            (svg.status, svg.header("content-type")),
            (200, Some("image/svg+xml"))
        );
        assert!(
            svg.header("cache-control")
                .is_some_and(|value| value.contains("max-age"))
        );
        assert_eq!(
            svg.header("cross-origin-resource-policy"),
            Some("cross-origin")
        );
        assert!(svg.body.contains("width=\"256\""));
        for active in ["<script", "href", "onload", "url("] {
            assert!(!svg.body.contains(active), "{active}");
        }
        let png = follow(t, &format!("{path}/qr.png?size=300")).await;
        assert_eq!(
            (png.status, png.header("content-type")),
            (200, Some("image/png"))
        );
        assert_eq!(
            follow(t, &format!("{path}/qr.png?size=5")).await.status,
            400
        );
    }
    assert_eq!(follow(t, "/r/--/qr.svg").await.status, 404);
}
