//! Bad input of every kind, and the one shape of errors.

use billstack::routes::calls;
use reqwest::Method;
use serde_json::json;

use crate::portal::visitor;
use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller};
use crate::support::raw;

on_both_engines! {
    unknown_paths_are_our_404,
    wrong_methods_are_our_405_with_allow,
    wrong_content_types_are_415,
    a_body_is_looked_at_where_none_is_asked_for,
    large_bodies_are_413,
    bodies_that_are_no_object_are_refused,
    what_two_readers_could_read_differently_is_refused,
    odd_paths_find_nothing,
    odd_requests_are_refused,
    every_answer_has_its_own_request_id,
    the_server_tells_how_it_is,
}

async fn unknown_paths_are_our_404(t: &Bench) {
    for path in [
        "/api",
        "/api/",
        "/nowhere",
        "/api/billstack/teams/x/projects/y/nowhere",
        "/api/billstack//teams",
        "/healthz/",
        "/API/billstack/teams",
    ] {
        t.nobody.get(path).await.refused("not_found");
        t.key.get(path).await.refused("not_found");
    }
}

async fn wrong_methods_are_our_405_with_allow(t: &Bench) {
    for (method, path, allowed) in [
        (Method::POST, "referrals/config", "PUT"),
        (Method::DELETE, "referrals/apply", "POST"),
        (Method::PUT, "customers", "GET"),
        (Method::TRACE, "referrals", "GET"),
        (
            Method::from_bytes(b"BREW").expect("a method"),
            "referrals",
            "GET",
        ),
        (Method::POST, "/healthz", "GET"),
    ] {
        let answer = t.key.call(method, path).send().await;
        assert_eq!(answer.status, 405, "{answer:?}");
        let allow = answer.header("allow").expect("an Allow header").to_owned();
        assert!(allow.split(',').any(|m| m.trim() == allowed), "{allow}");
        answer.refused("method_not_allowed");
    }
    let call = t.key.call(Method::POST, "referrals/config");
    let answer = call
        .header("x-http-method-override", "PUT")
        .json(&json!({}))
        .send()
        .await;
    answer.refused("method_not_allowed");
}

async fn send(t: &Bench, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
    t.key
        .call(Method::POST, "referrals/apply")
        .body(kind, body)
        .send()
        .await
}

const BODY: &str = r#"{"code":"ZZZZZZZZ","refereeCustomerId":"pc_x"}"#;

async fn wrong_content_types_are_415(t: &Bench) {
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application",
        "application/json/x",
        "text/json",
        "*/*",
        "\t",
        "application/vnd.api+json",
        "application/json, text/plain",
    ] {
        let answer = send(t, kind, BODY).await;
        assert_eq!(answer.status, 415, "{kind}");
        answer.refused("unsupported_media_type");
    }
    let call = t.key.call(Method::POST, "referrals/apply");
    let twice = call
        .header("content-type", "text/plain")
        .body("application/json", BODY);
    twice.send().await.refused("unsupported_media_type");
    let delete = |kind, body| {
        let call = t.key.call(Method::DELETE, "referrals/codes/K7M2QX9D");
        call.body(kind, body).send()
    };
    delete("text/plain", "garbage")
        .await
        .refused("unsupported_media_type");
    delete("application/json", "[]")
        .await
        .refused("invalid_json");
    delete("text/plain", "").await.refused("code_not_found");
    delete("application/json", "{}")
        .await
        .refused("code_not_found");
    for kind in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json;",
    ] {
        assert_eq!(send(t, kind, BODY).await.status, 404, "{kind}");
    }
}

async fn a_body_is_looked_at_where_none_is_asked_for(t: &Bench) {
    // Whoever shows no token of a session learns nothing of the request.
    let customer = visitor(t, &t.customer("own-page").await).await;
    let before = t.dump().await;
    for route in calls() {
        if route.method == Method::GET || route.path.starts_with("/api/webhooks/") {
            continue;
        }
        let path = route.path.replace("{teamId}", &t.home.team);
        let path = path.replace("{projectId}", &t.home.project);
        let send = |kind, body| {
            let call = match route.path.starts_with("/api/portal/") {
                true => customer.call(route.method.clone(), &path),
                false => t.owner.call(route.method.clone(), &path),
            };
            call.body(kind, body).send()
        };
        let answer = send("text/plain", "junk").await;
        answer.refused("unsupported_media_type");
        let answer = send("application/json", "[1]").await;
        answer.refused("invalid_json");
    }
    assert_eq!(t.dump().await, before);
}

async fn large_bodies_are_413(t: &Bench) {
    let filled = |size: usize| {
        let body = r#"{"code":"ZZZZZZZZ","refereeCustomerId":"pc_x","terms":"{}"}"#;
        let rest = size - body.len() + 2;
        body.replace("{}", &"x".repeat(rest))
    };
    let fits = filled(256 * 1024);
    assert_eq!(fits.len(), 256 * 1024);
    assert_eq!(send(t, "application/json", fits).await.status, 404);
    for size in [256 * 1024 + 1, 3 * 1024 * 1024] {
        let request = format!(
            "POST {} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: \
             application/json\r\ncontent-length: {size}\r\nexpect: 100-continue\r\nconnection: \
             close\r\n\r\n",
            t.key.wire().path("referrals/apply"),
            t.key.key,
        );
        let (status, text) = raw::exchange(&t.nodes[0].origin, request.as_bytes()).await;
        assert_eq!(status, 413, "{text}");
        assert!(text.contains("payload_too_large"), "{text}");
    }
    let mut chunked = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: \
         application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        t.key.wire().path("referrals/apply"),
        t.key.key,
    );
    for _ in 0..3 {
        chunked += &format!("{:x}\r\n{}\r\n", 100_000, "x".repeat(100_000));
    }
    chunked += "0\r\n\r\n";
    let (status, _) = raw::exchange(&t.nodes[0].origin, chunked.as_bytes()).await;
    assert_eq!(status, 413);
}

async fn bodies_that_are_no_object_are_refused(t: &Bench) {
    let bodies: &[&[u8]] = &[
        b"",
        b" ",
        b"null",
        b"true",
        b"7",
        b"\"x\"",
        b"[]",
        b"[{}]",
        b"{",
        b"{}}",
        b"{} {}",
        b"{\"code\":}",
        b"{'code':'x'}",
        b"{code:1}",
        b"{\"a\":1,}",
        b"{\"a\":NaN}",
        b"{\"a\":01}",
        b"{\"a\":+1}",
        b"{\"a\":.5}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"\x01\"}",
        b"\0",
        b"code=ZZZZZZZZ",
        b"<xml/>",
        b"{\"a\":\"\\x41\"}",
    ];
    for body in bodies {
        let answer = send(t, "application/json", body.to_vec()).await;
        let shown = String::from_utf8_lossy(body);
        assert_eq!(answer.status, 400, "{shown}");
        answer.refused("invalid_json");
    }
}

async fn what_two_readers_could_read_differently_is_refused(t: &Bench) {
    let deep = format!(
        r#"{{"code":"ZZZZZZZZ","refereeCustomerId":"pc_x","deep":{}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    for body in [
        r#"{"code":"A","code":"ZZZZZZZZ","refereeCustomerId":"pc_x"}"#,
        r#"{"code":"A","c\u006fde":"ZZZZZZZZ","refereeCustomerId":"pc_x"}"#,
        r#"{"code":"ZZZZZZZZ","refereeCustomerId":"pc_x","x":{"a":1,"a":1}}"#,
        r#"{"code":"ZZZZ\u0000ZZZ","refereeCustomerId":"pc_x"}"#,
        r#"{"code":"ZZZZZZZZ","refereeCustomerId":"pc_x","x":["\u0000"]}"#,
        r#"{"code":"ZZZZZZZZ","refereeCustomerId":"pc_x","\u0000":1}"#,
        r#"{"code":"ZZZZZZZZ","refereeCustomerId":"pc_x","x":"\ud800"}"#,
        &deep,
    ] {
        let answer = send(t, "application/json", body.to_owned()).await;
        assert_eq!(answer.status, 400, "{:.100}", body);
        assert!(
            answer.text.len() < 400,
            "the text is fixed: {}",
            answer.text
        );
    }
    // Members that the resource shows have no effect, whatever they hold; others are refused.
    let body = r#"{"code":"ZZZZZZZZ","refereeCustomerId":"pc_x","#;
    for more in [
        r#""id":1e400"#,
        r#""terms":[1e400]"#,
        r#""status":{"y":-1e400}"#,
    ] {
        let answer = send(t, "application/json", format!("{body}{more}}}")).await;
        answer.refused("customer_not_found");
    }
    for more in [r#""":1"#, r#""__proto__":{}"#, r#""<x>":[1e400]"#] {
        let answer = send(t, "application/json", format!("{body}{more}}}")).await;
        answer.refused("unknown_member");
    }
}

async fn odd_paths_find_nothing(t: &Bench) {
    let origin = &t.nodes[0].origin;
    let place = t.key.wire().path("referrals");
    for odd in [
        "%00",
        "%ff",
        "%zz",
        "%",
        "%2",
        "..",
        "../config",
        "%2e%2e",
        "%2F",
        "a%2fb",
        "//",
        ".",
        "config%00",
        "ref_%C3%28",
        "%F0%9F%92%A3",
        "'",
        "%27--",
        "codes/%2e%2e/config",
        "codes/..%2fconfig",
        "credits/..",
        "codes//",
        "x/events/",
        "codes/ABC%0d%0aX-Y:1",
    ] {
        let (status, text) = raw::get(origin, &format!("{place}/{odd}"), &t.key.key).await;
        assert!(matches!(status, 400 | 404), "{odd}: {text}");
        assert!(text.contains("\"reason\""), "{odd}: {text}");
    }
    let other = t.tenant("other").await;
    for path in [
        format!(
            "/api/billstack/teams/{}/projects/%00/referrals",
            t.home.team
        ),
        format!(
            "/api/billstack/teams/%00/projects/{}/referrals",
            t.home.project
        ),
        format!(
            "/api/billstack/teams/{}/projects/../../{}/referrals",
            t.home.team, other.team
        ),
        format!(
            "/api/billstack/teams/{}/projects/%ff/referrals",
            t.home.team
        ),
    ] {
        let (status, text) = raw::get(origin, &path, &t.key.key).await;
        assert!(matches!(status, 400 | 403 | 404), "{path}: {text}");
    }
}

async fn odd_requests_are_refused(t: &Bench) {
    let origin = &t.nodes[0].origin;
    let path = t.key.wire().path("referrals/apply");
    let auth = format!("authorization: Bearer {}\r\n", t.key.key);
    let head = format!("POST {path} HTTP/1.1\r\n");
    let end = "content-type: application/json\r\nconnection: close\r\n";
    let large = format!("x-large: {}\r\n", "x".repeat(70_000));
    for (odd, statuses) in [
        (
            format!("{head}{auth}{end}content-length: 2\r\n\r\n{{}}"),
            [400, 400],
        ),
        (
            format!("{head}host: x\r\nhost: y\r\n{auth}{end}content-length: 2\r\n\r\n{{}}"),
            [400; 2],
        ),
        (
            format!(
                "{head}host: x\r\n{auth}{end}content-length: 2\r\ntransfer-encoding: chunked\r\n\
                 \r\n0\r\n\r\n"
            ),
            [400; 2],
        ),
        (
            format!(
                "{head}host: x\r\n{auth}{end}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}"
            ),
            [400; 2],
        ),
        (
            format!("{head}host: x\r\n{auth}{large}{end}content-length: 2\r\n\r\n{{}}"),
            [431; 2],
        ),
        (
            format!("{head}host: x\r\n{auth}{auth}{end}content-length: 2\r\n\r\n{{}}"),
            [401, 400],
        ),
        ("NONSENSE\r\n\r\n".to_owned(), [400; 2]),
    ] {
        let (status, text) = raw::exchange(origin, odd.as_bytes()).await;
        assert!(statuses.contains(&status), "{odd:.200}: {text}");
    }
}

async fn every_answer_has_its_own_request_id(t: &Bench) {
    let mut seen = std::collections::BTreeSet::new();
    for answer in [
        t.key.get("referrals").await,
        t.nobody.get("referrals").await,
        t.nobody.get("/nowhere").await,
        t.nobody.get("/healthz").await,
        t.key.delete("referrals/apply").await,
    ] {
        let id = answer.header("x-request-id").expect("an id").to_owned();
        assert!(id.len() >= 8 && seen.insert(id.clone()), "{id}");
    }
}

async fn the_server_tells_how_it_is(t: &Bench) {
    assert_eq!(t.nobody.get("/healthz").await.status, 200);
    assert_eq!(t.nobody.get("/readyz").await.status, 200);
    let metrics = t.nobody.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    let docs = t.nobody.get("/docs/").await;
    assert_eq!(docs.status, 200);
    assert!(
        docs.header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"))
    );
}
