//! `/portal`, `/portal/view` and their styles.

use reqwest::Method;
use serde_json::json;

use super::enter::{cookie, ticket};
use super::shown::{ada, friend};
use super::{session, with_token};
use crate::links::{BROWSER, Followed, send};
use crate::support::bench::{Bench, Setup};
use crate::support::client::{Caller, http};
use crate::support::fixture::text;

on_both_engines! {
    a_page_shows_what_there_is_in_five_languages,
    nothing_of_a_friend_or_of_strangers_is_markup,
    an_empty_page_says_what_happens_next,
    while_the_program_is_off_nothing_is_shared,
    a_code_is_made_and_named_by_forms,
    whom_nothing_lets_in_gets_a_page_that_says_so,
    a_frame_gets_the_same_view,
    styles_are_of_their_own_addresses,
    a_full_page_holds_its_budget,
    over_https_browsers_are_told_to_stay with over_https,
}

fn over_https() -> Setup {
    Setup {
        settings: |args| args.base_url = Some("https://referrals.example.com".to_owned()),
        ..Setup::default()
    }
}

/// The cookie of a customer who has been let in.
async fn let_in(t: &Bench, customer: &str) -> String {
    let path = ticket(t, customer).await;
    cookie(&send(t, Method::GET, &path, &[("user-agent", BROWSER)]).await)
}

async fn page(t: &Bench, cookie: &str, path: &str) -> Followed {
    let headers = [("cookie", cookie), ("accept-language", "en")];
    send(t, Method::GET, path, &headers).await
}

async fn links(t: &Bench) {
    let links = json!({"enabled": true, "landingUrl": "https://example.com"});
    t.key.put("links/settings", links).await.ok();
}

async fn a_page_shows_what_there_is_in_five_languages(t: &Bench) {
    let (customer, code, _) = ada(t).await;
    links(t).await;
    t.subscribe(&friend(t, &code, "gil").await).await;
    friend(t, &code, "hal").await;
    let cookie = let_in(t, &customer).await;
    let shown = page(t, &cookie, "/portal").await;
    assert_eq!(shown.status, 200, "{shown:?}");
    let link = format!("{}/r/{code}", t.nodes[0].origin);
    for part in [
        "<html lang=\"en\">",
        "Your friend gets 5.00 USD, and you get 10.00 USD.",
        &format!("value=\"{link}\""),
        &format!("src=\"/r/{code}/qr.svg\""),
        "href=\"https://wa.me/?text=",
        "href=\"mailto:?body=",
        "<strong>2</strong> <span>Friends</span>",
        "<strong>10.00 USD</strong> <span>Earned</span> <small>10.00 USD awaited</small>",
        "Waiting for the first subscription",
        "<span class=\"name\">G…</span>",
        "<time datetime=\"2026-03-30\">2026-03-30</time>",
        "For a friend",
        "A friend counts who is new and subscribes.",
    ] {
        assert!(shown.body.contains(part), "{part}: {}", shown.body);
    }
    let policy = shown.headers["content-security-policy"]
        .to_str()
        .expect("text");
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"));
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(shown.headers["cache-control"], "no-store");
    assert_eq!(shown.headers["x-content-type-options"], "nosniff");
    for absent in ["<script", "style=", "onclick", "javascript:"] {
        assert!(!shown.body.contains(absent), "{absent}");
    }
    let qr = send(t, Method::GET, &format!("/r/{code}/qr.svg"), &[]).await;
    assert_eq!(qr.status, 200);
    for (locale, word) in [
        ("de", "Ihr Freund erhält 5.00 USD"),
        ("fr", "Votre ami reçoit 5.00 USD"),
        ("es", "Tu amigo recibe 5.00 USD"),
        ("pt", "O seu amigo recebe 5.00 USD"),
    ] {
        let by_address = page(t, &cookie, &format!("/portal?locale={locale}")).await;
        let headers = [("cookie", cookie.as_str()), ("accept-language", locale)];
        let by_browser = send(t, Method::GET, "/portal", &headers).await;
        for shown in [by_address, by_browser] {
            assert!(shown.body.contains(word), "{}", shown.body);
            assert!(shown.body.contains(&format!("<html lang=\"{locale}\">")));
        }
    }
    let body = json!({"texts": {"en": {"offer": "Take {amount} <now> {x}"}}, "names": "first"});
    t.key.put("portal/settings", body).await.ok();
    let shown = page(t, &cookie, "/portal").await.body;
    assert!(shown.contains("Take 10.00 USD &lt;now&gt; {x}"), "{shown}");
    assert!(shown.contains("<span class=\"name\">gil</span>"), "{shown}");
}

async fn nothing_of_a_friend_or_of_strangers_is_markup(t: &Bench) {
    let (customer, code, client) = ada(t).await;
    links(t).await;
    let gil = friend(t, &code, "gil").await;
    t.subscribe(&gil).await;
    let evil = "\"><img src=x onerror=alert(1)>";
    let body = json!({"email": "evil@friends.example", "name": evil});
    let evil_id = text(&t.customer_with(body).await["id"]);
    let apply = json!({"code": code, "refereeCustomerId": evil_id});
    t.key.post("referrals/apply", apply).await.created();
    let texts = json!({"title": evil, "offer": evil, "terms": evil, "message": evil});
    let body = json!({"texts": {"en": texts}, "names": "first"});
    t.key.put("portal/settings", body).await.ok();
    let cookie = let_in(t, &customer).await;
    let shown = page(t, &cookie, "/portal").await.body;
    let view = client.get("/portal/view").await.text;
    for html in [shown, view] {
        assert!(!html.contains("<img src=x"), "{html}");
        assert!(html.contains("&lt;img src=x"), "{html}");
        for canary in [
            "friends.example",
            "Canaryson",
            "ext-gil",
            "cus_gil",
            "meta-gil",
            &gil.referee,
            &evil_id,
            "pc_",
            "ref_",
            "cr_",
            "12:00",
        ] {
            assert!(!html.contains(canary), "{canary}: {html}");
        }
    }
}

async fn an_empty_page_says_what_happens_next(t: &Bench) {
    t.program(1000, 500).await;
    let customer = t.customer("ada").await;
    let cookie = let_in(t, &customer).await;
    let shown = page(t, &cookie, "/portal").await.body;
    assert!(
        shown.contains("what is still missing for your reward"),
        "{shown}"
    );
    assert!(
        shown.contains("Get my code") && shown.contains("Nothing yet."),
        "{shown}"
    );
    assert!(!shown.contains("class=\"share\""), "{shown}");
}

async fn while_the_program_is_off_nothing_is_shared(t: &Bench) {
    let (customer, code, _) = ada(t).await;
    links(t).await;
    t.subscribe(&friend(t, &code, "gil").await).await;
    t.put_program(&t.key, false, 1000, 500).await;
    let cookie = let_in(t, &customer).await;
    let shown = page(t, &cookie, "/portal").await.body;
    assert!(
        shown.contains("What you have earned stays yours."),
        "{shown}"
    );
    assert!(shown.contains("<strong>10.00 USD</strong>"), "{shown}");
    for absent in ["class=\"share\"", "<form", "/qr.svg", "wa.me"] {
        assert!(!shown.contains(absent), "{absent}");
    }
}

/// Sends a form as a browser does.
async fn form(t: &Bench, cookie: &str, body: &'static str, site: &str) -> Followed {
    let url = format!("{}/portal/code", t.nodes[0].origin);
    let http = http().redirect(reqwest::redirect::Policy::none());
    let request = http.build().expect("a client").post(url).body(body);
    let request = request
        .header("content-type", "application/x-www-form-urlencoded")
        .header("sec-fetch-site", site)
        .header("cookie", cookie);
    let response = request.send().await.expect("an answer");
    Followed {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().await.expect("a body"),
    }
}

async fn a_code_is_made_and_named_by_forms(t: &Bench) {
    t.program(1000, 500).await;
    let customer = t.customer("ada").await;
    let cookie = let_in(t, &customer).await;
    assert_eq!(form(t, &cookie, "", "cross-site").await.status, 403);
    assert_eq!(t.count("codes").await, 0);
    for _ in 0..2 {
        let made = form(t, &cookie, "", "same-origin").await;
        assert_eq!(
            (made.status, &made.headers["location"]),
            (303, &"/portal".parse().expect("a value"))
        );
        assert_eq!(t.count("codes").await, 1);
    }
    // The project gives no names: the field is not there, and a form that brings one all the same changes nothing.
    assert!(!page(t, &cookie, "/portal").await.body.contains("<form"));
    assert_eq!(
        form(t, &cookie, "vanity=ADA", "same-origin").await.status,
        303
    );
    t.key
        .put("portal/settings", json!({"allowVanity": true}))
        .await
        .ok();
    assert!(
        page(t, &cookie, "/portal")
            .await
            .body
            .contains("name=\"vanity\"")
    );
    let refused = form(t, &cookie, "vanity=admin%22%3E%3Cb%3E", "same-origin").await;
    assert_eq!(refused.status, 400);
    for part in [
        "This name cannot be used.",
        "value=\"admin&quot;&gt;&lt;b&gt;\"",
        "aria-invalid",
    ] {
        assert!(refused.body.contains(part), "{part}: {}", refused.body);
    }
    assert_eq!(
        form(t, &cookie, "vanity=ada-l", "same-origin").await.status,
        303
    );
    assert!(
        page(t, &cookie, "/portal")
            .await
            .body
            .contains("<code>ADA-L</code>")
    );
    let bob = let_in(t, &t.customer("bob").await).await;
    assert_eq!(
        form(t, &bob, "vanity=ADA_L", "same-origin").await.status,
        400
    );
    assert_eq!(t.count("codes").await, 1);
}

async fn whom_nothing_lets_in_gets_a_page_that_says_so(t: &Bench) {
    let customer = t.customer("ada").await;
    let cookie = let_in(t, &customer).await;
    assert_eq!(page(t, &cookie, "/portal").await.status, 200);
    t.key.post("portal/end-sessions", json!({})).await.ok();
    for cookie in [
        cookie.as_str(),
        "billstack_portal=bp_x",
        "x=y",
        &t.home.owner.cookie,
    ] {
        let over = page(t, cookie, "/portal").await;
        assert_eq!(over.status, 401);
        assert!(over.body.contains("This page has ended"), "{}", over.body);
        let cleared = over.headers["set-cookie"].to_str().expect("text");
        assert!(cleared.starts_with("billstack_portal=;"), "{cleared}");
        assert_eq!(form(t, cookie, "", "same-origin").await.status, 401);
    }
    let read_only = session(t, &customer, json!({"readOnly": true, "locale": "de"})).await;
    let cookie = format!("billstack_portal={}", text(&read_only["token"]));
    let shown = page(t, &cookie, "/portal").await;
    assert!(shown.body.contains("<html lang=\"de\">") && !shown.body.contains("<form"));
    assert_eq!(form(t, &cookie, "", "same-origin").await.status, 303);
    assert_eq!(t.count("codes").await, 0);
}

async fn a_frame_gets_the_same_view(t: &Bench) {
    let (customer, code, client) = ada(t).await;
    friend(t, &code, "gil").await;
    let cookie = let_in(t, &customer).await;
    let shown = page(t, &cookie, "/portal?locale=de").await.body;
    let view = client.get("/portal/view?locale=de").await;
    assert_eq!(
        view.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(view.header("cache-control"), Some("no-store"));
    assert!(
        view.text.starts_with("<div class=\"portal\" lang=\"de\">"),
        "{}",
        view.text
    );
    assert!(shown.contains(&view.text), "{shown}");
    for bad in ["bp_x", t.key.key.as_str()] {
        let refused = with_token(t, bad).get("/portal/view").await;
        refused.refused("invalid_portal_token");
    }
    // A cookie is no token.
    let headers = [("cookie", cookie.as_str())];
    assert_eq!(
        send(t, Method::GET, "/portal/view", &headers).await.status,
        401
    );
}

async fn styles_are_of_their_own_addresses(t: &Bench) {
    t.program(1000, 500).await;
    let theme = json!({"accent": "#ffee00", "radius": 3, "font": "IBM Plex Sans"});
    t.key
        .put("portal/settings", json!({"theme": theme}))
        .await
        .ok();
    let customer = t.customer("ada").await;
    let cookie = let_in(t, &customer).await;
    let shown = page(t, &cookie, "/portal").await.body;
    let mut found = 0;
    for part in shown.split("<link rel=\"stylesheet\" href=\"").skip(1) {
        let path = part
            .split('"')
            .next()
            .expect("an address")
            .replace("&amp;", "&");
        let style = send(t, Method::GET, &path, &[]).await;
        assert_eq!(style.status, 200, "{path}");
        assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
        let kept = style.headers["cache-control"].to_str().expect("text");
        assert!(kept.ends_with("immutable"), "{kept}");
        if path.contains("theme") {
            let all = ":root{--accent:#ffee00;--on-accent:#000000;--radius:3px;--font:\"IBM Plex Sans\", \
                       system-ui,sans-serif}\n";
            assert_eq!(style.body, all);
        }
        found += 1;
    }
    assert_eq!(found, 2);
    let odd = send(
        t,
        Method::GET,
        "/portal/theme.css?accent=red%7D&radius=99&font=a%3Bb",
        &[],
    )
    .await;
    let ours = send(t, Method::GET, "/portal/theme.css", &[]).await;
    assert_eq!(odd.body, ours.body);
    let old = send(
        t,
        Method::GET,
        "/portal/assets/0000000000000000/portal.css",
        &[],
    )
    .await;
    assert_eq!(old.headers["cache-control"], "no-store");
}

async fn a_full_page_holds_its_budget(t: &Bench) {
    let (customer, code, _) = ada(t).await;
    links(t).await;
    for number in 0..22 {
        t.subscribe(&friend(t, &code, &format!("f{number}")).await)
            .await;
    }
    let cookie = let_in(t, &customer).await;
    let shown = page(t, &cookie, "/portal").await.body;
    assert!(shown.len() <= 60 * 1024, "{}", shown.len());
    assert_eq!(shown.matches("<span class=\"name\">F…").count(), 20);
    let older = shown
        .split("href=\"?")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let older = older.expect("a way on").replace("&amp;", "&");
    let rest = page(t, &cookie, &format!("/portal?{older}")).await.body;
    assert_eq!(rest.matches("<span class=\"name\">F…").count(), 2);
}

async fn over_https_browsers_are_told_to_stay(t: &Bench) {
    let customer = t.customer("ada").await;
    let cookie = let_in(t, &customer).await;
    let shown = page(t, &cookie, "/portal").await;
    assert_eq!(shown.status, 200);
    assert!(shown.headers.contains_key("strict-transport-security"));
}
