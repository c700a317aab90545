//! `/embed/…`: the element, its frame, and the sample in it.

use reqwest::Method;
use serde_json::json;

use super::{enter, session, visitor};
use crate::links::{BROWSER, Followed, send};
use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    the_element_may_be_used_everywhere,
    a_frame_may_be_shown_where_the_project_allows_it,
    a_frame_neither_reads_nor_sets_a_cookie,
    the_sample_holds_nothing_that_is_real,
    a_project_that_is_not_there_has_no_frame,
    all_is_of_the_public_origin with two_origins,
}

const APP: &str = "http://app.test";
const PUBLIC: &str = "https://refer.test";

fn two_origins() -> Setup {
    Setup {
        settings: |args| {
            args.base_url = Some(APP.to_owned());
            args.public_url = Some(PUBLIC.to_owned());
        },
        ..Setup::default()
    }
}

fn frame_path(t: &Bench) -> String {
    format!("/embed/{}/{}", t.home.team, t.home.project)
}

async fn get(t: &Bench, path: &str, headers: &[(&str, &str)]) -> Followed {
    send(t, Method::GET, path, headers).await
}

#[track_caller]
fn header<'a>(answer: &'a Followed, name: &str) -> &'a str {
    let value = answer.headers.get(name);
    value.map_or("", |value| value.to_str().expect("text"))
}

/// Who may show the frame.
#[track_caller]
fn ancestors(answer: &Followed) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    let policy = header(answer, "content-security-policy");
    let mut parts = policy.split("; ");
    let found = parts.find_map(|part| part.strip_prefix("frame-ancestors "));
    found.expect("frame-ancestors").to_owned()
}

async fn the_element_may_be_used_everywhere(t: &Bench) {
    let element = get(t, "/embed/v1.js", &[("origin", "https://anywhere.example")]).await;
    assert_eq!(element.status, 200);
    assert!(element.body.contains("customElements.define("));
    for (name, value) in [
        ("content-type", "text/javascript; charset=utf-8"),
        ("access-control-allow-origin", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "public, max-age=300"),
    ] {
        assert_eq!(header(&element, name), value);
    }
    let tag = header(&element, "etag");
    let again = get(t, "/embed/v1.js", &[("if-none-match", tag)]).await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert_eq!(header(&again, "access-control-allow-origin"), "*");
}

async fn a_frame_may_be_shown_where_the_project_allows_it(t: &Bench) {
    let path = frame_path(t);
    let frame = get(t, &path, &[]).await;
    assert_eq!(ancestors(&frame), "'self'");
    let policy = header(&frame, "content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'; "));
    assert!(
        policy.ends_with("; require-trusted-types-for 'script'; trusted-types billstack-frame"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("x-robots-tag", "noindex"),
        ("x-frame-options", ""),
        ("access-control-allow-origin", ""),
    ] {
        assert_eq!(header(&frame, name), value, "{name}");
    }
    let allowed = json!({"allowedOrigins": ["https://app.example.com", "https://*.shop.example", "http://localhost:*"]});
    t.key.put("portal/settings", allowed).await.ok();
    let frame = get(t, &path, &[]).await;
    assert_eq!(
        ancestors(&frame),
        "'self' https://app.example.com https://*.shop.example http://localhost:*"
    );
    let script = frame.body.split("<script type=\"module\" src=\"").nth(1);
    let script = script.and_then(|rest| rest.split('"').next());
    let script = get(t, script.expect("a script"), &[]).await;
    assert_eq!(script.status, 200);
    assert_eq!(
        header(&script, "content-type"),
        "text/javascript; charset=utf-8"
    );
    assert!(header(&script, "cache-control").ends_with("immutable"));
    assert_eq!(frame.body.matches("<script").count(), 1);
    let old = get(t, "/embed/assets/0000000000000000/frame.js", &[]).await;
    assert_eq!(
        (header(&old, "cache-control"), &old.body),
        ("no-store", &script.body)
    );
    t.key
        .put("portal/settings", json!({"allowedOrigins": []}))
        .await
        .ok();
    assert_eq!(ancestors(&get(t, &path, &[]).await), "'self'");
}

async fn a_frame_neither_reads_nor_sets_a_cookie(t: &Bench) {
    let ada = t.customer("ada").await;
    let token = text(&session(t, &ada, json!({})).await["token"]);
    let cookies = format!("billstack_portal={token}; {}", t.home.owner.cookie);
    let path = frame_path(t);
    for path in [
        path.clone(),
        format!("{path}/sample"),
        "/embed/v1.js".to_owned(),
    ] {
        let plain = get(t, &path, &[]).await;
        let known = get(t, &path, &[("cookie", &cookies)]).await;
        assert_eq!(plain.body, known.body);
        for answer in [plain, known] {
            assert!(!answer.headers.contains_key("set-cookie"), "{answer:?}");
        }
    }
}

async fn the_sample_holds_nothing_that_is_real(t: &Bench) {
    t.program(1234, 567).await;
    let (ada, theme) = (t.customer("ada").await, json!({"accent": "#ffee00"}));
    let code = t.code(&ada).await;
    let texts = json!({"de": {"title": "Nimm {amount} <b>"}});
    let body = json!({"texts": texts, "theme": theme});
    t.key.put("portal/settings", body).await.ok();
    let path = format!("{}/sample", frame_path(t));
    let sample = get(t, &path, &[("accept-language", "en")]).await;
    assert_eq!(
        header(&sample, "cross-origin-resource-policy"),
        "cross-origin"
    );
    assert_eq!(
        header(&sample, "content-security-policy"),
        "default-src 'none'"
    );
    for part in [
        "<p class=\"sample\">Sample data</p>",
        "https://example.com/r/EXAMPLE",
        "src=\"/r/EXAMPLE/qr.svg\"",
        "data-copy=",
        "Waiting for the first subscription",
    ] {
        assert!(sample.body.contains(part), "{part}: {}", sample.body);
    }
    for absent in [&code, &ada, "12.34", "5.67"] {
        assert!(!sample.body.contains(absent), "{absent}");
    }
    let german = get(t, &format!("{path}?locale=de"), &[]).await;
    assert!(
        german.body.contains("<h1>Nimm 10.00 USD &lt;b&gt;</h1>"),
        "{}",
        german.body
    );
    let frame = get(t, &frame_path(t), &[]).await;
    assert!(frame.body.contains("/portal/theme.css?accent=ffee00"));
    assert!(frame.body.contains(&format!("data-sample=\"{path}\"")));
    assert_eq!(get(t, "/r/EXAMPLE/qr.svg", &[]).await.status, 200);
    // What it shows of the way to others is that of the page, which has the same.
    let visitor = visitor(t, &ada).await;
    let view = visitor.get("/portal/view").await.text;
    assert!(!view.contains("class=\"sample\""), "{view}");
}

async fn a_project_that_is_not_there_has_no_frame(t: &Bench) {
    let (team, project) = (&t.home.team, &t.home.project);
    let other = t.tenant("other").await;
    for path in [
        format!("/embed/{team}/proj_unknown"),
        format!("/embed/team_unknown/{project}"),
        format!("/embed/{}/{project}", other.team),
        format!("/embed/{team}/%00"),
        format!("/embed/{team}/x%22%3E"),
    ] {
        for path in [path.clone(), format!("{path}/sample")] {
            assert_eq!(get(t, &path, &[]).await.status, 404, "{path}");
        }
    }
}

async fn all_is_of_the_public_origin(t: &Bench) {
    let ask = async |host: &'static str, path: &str| {
        get(t, path, &[("host", host), ("user-agent", BROWSER)]).await
    };
    let frame = ask("refer.test", &frame_path(t)).await;
    assert_eq!(ancestors(&frame), APP);
    assert!(frame.headers.contains_key("strict-transport-security"));
    for path in [frame_path(t), "/embed/v1.js".to_owned()] {
        assert_eq!(ask("refer.test", &path).await.status, 200);
        assert_eq!(ask("app.test", &path).await.status, 404);
    }
    t.program(1000, 500).await;
    let url = text(&session(t, &t.customer("ada").await, json!({})).await["url"]);
    let path = url.strip_prefix(PUBLIC).expect("the public origin");
    let entered = ask("refer.test", path).await;
    assert_eq!(entered.status, 303, "{entered:?}");
    let cookie = enter::cookie(&entered);
    assert!(
        cookie.starts_with("__Host-billstack_portal=bp_"),
        "{cookie}"
    );
    // A form of the page is of that origin too.
    for (origin, status) in [(APP, 403), (PUBLIC, 303)] {
        let form = t.nobody.call(Method::POST, "/portal/code").form(&[]);
        let form = form.header("host", "refer.test").header("cookie", &cookie);
        let sent = form.header("origin", origin).send_beside_a_newer_version();
        assert_eq!(sent.await.status, status, "{origin}");
    }
}
