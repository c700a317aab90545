//! The API document.

use std::path::Path;

use billstack::error::Reason;
use billstack::routes::{self, calls};
use reqwest::Method;
use serde_json::Value;

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::document::{conforms, document, resolved};
use crate::support::raw;

on_both_engines! {
    the_server_serves_the_document_in_the_repository,
    what_never_changes_is_compressed_and_sent_once,
    the_page_of_calls_names_each_at_once,
}

async fn the_server_serves_the_document_in_the_repository(t: &Bench) {
    let served = t.nobody.get("/openapi.json").await.ok();
    let text = routes::document();
    assert_eq!(
        served,
        serde_json::from_str::<Value>(text).expect("a document")
    );
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    if std::env::var_os("BLESS").is_some_and(|bless| bless == "1") {
        std::fs::write(&file, text).expect("openapi.json is written");
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        text == kept,
        "openapi.json is not what the server serves; run the tests with BLESS=1 and look at the \
         difference"
    );
}

async fn what_never_changes_is_compressed_and_sent_once(t: &Bench) {
    for path in [
        "/openapi.json",
        "/docs",
        "/docs/docs.js",
        "/docs/pages.css",
        "/docs/swagger-ui.css",
    ] {
        let plain = t.nobody.get(path).await;
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        let tag = plain.header("etag").expect("a tag").to_owned();
        let call = t.nobody.call(Method::GET, path);
        let again = call.header("if-none-match", &tag).send().await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{path}");
        assert_eq!(again.header("etag"), Some(tag.as_str()), "{path}");
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\naccept-encoding: br, gzip\r\nconnection: close\r\n\r\n"
        );
        let (status, answer) = raw::exchange(&t.nodes[0].origin, request.as_bytes()).await;
        assert_eq!(status, 200, "{path}");
        assert!(answer.contains("content-encoding: gzip"), "{path}");
        let small = plain.text.len() < 4096;
        assert!(small || answer.len() < plain.text.len(), "{path}");
    }
}

async fn the_page_of_calls_names_each_at_once(t: &Bench) {
    let page = t.nobody.get("/docs").await;
    for name in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
        assert_eq!(page.header(name), Some("same-origin"), "{name}");
    }
    let policy = page.header("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
    for (name, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap_or_default();
        assert!(
            page.text.contains(&format!("<details id=\"{id}\"")),
            "{name}"
        );
    }
    for file in [
        "docs.js",
        "pages.css",
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "favicon-32x32.png",
    ] {
        assert!(page.text.contains(&format!("\"/docs/{file}\"")), "{file}");
        assert_eq!(
            t.nobody.get(&format!("/docs/{file}")).await.status,
            200,
            "{file}"
        );
    }
    assert_eq!(t.nobody.get("/docs/index.html").await.status, 404);
}

/// Each operation of the document with its path and method.
fn operations() -> impl Iterator<Item = (String, &'static Value)> {
    let paths = document()["paths"].as_object().expect("paths");
    paths.iter().flat_map(|(path, item)| {
        let methods = ["get", "post", "put", "patch", "delete"];
        methods.into_iter().filter_map(move |method| {
            let name = format!("{} {path}", method.to_uppercase());
            item.get(method).map(|operation| (name, operation))
        })
    })
}

#[test]
fn every_route_is_in_the_document() {
    let mut routes: Vec<_> = calls()
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    routes.sort();
    let mut documented: Vec<_> = operations().map(|(name, _)| name).collect();
    documented.sort();
    assert_eq!(documented, routes);
}

#[test]
fn every_operation_says_what_it_is() {
    let mut ids = Vec::new();
    for (name, operation) in operations() {
        let said = |member: &str| operation[member].as_str().is_some_and(|s| !s.is_empty());
        assert!(said("summary"), "{name} has no summary");
        assert!(said("operationId"), "{name} has no operationId");
        assert!(said("description"), "{name} has no description");
        assert_says_who_may_call(&name, operation);
        ids.push(operation["operationId"].clone());
    }
    ids.sort_by_key(ToString::to_string);
    let all = ids.len();
    ids.dedup();
    assert_eq!(all, ids.len(), "an operationId is used twice");
}

/// The text tells it to people, as `security` to programs.
fn assert_says_who_may_call(name: &str, operation: &Value) {
    let text = operation["description"].as_str().unwrap_or_default();
    let caller = [
        "Anybody may",
        "who have signed in",
        "who has signed in",
        "For API keys with `",
        "For customers, with the token of a portal session.",
    ];
    let own = ["/api/webhooks", "/metrics"];
    let is_told = caller.iter().any(|words| text.contains(words));
    assert!(
        is_told || own.iter().any(|path| name.contains(path)),
        "{name}: {text}"
    );
}

#[test]
fn every_list_tells_its_order() {
    let mut lists = 0;
    for (name, operation) in operations() {
        let content = &operation["responses"]["200"]["content"]["application/json"];
        if content["example"]["nextCursor"].is_null() {
            continue;
        }
        let text = operation["description"].as_str().unwrap_or_default();
        let told = [" first", "in order"]
            .iter()
            .any(|words| text.contains(words));
        assert!(told, "{name}: {text}");
        lists += 1;
    }
    assert!(lists > 9, "{lists}");
}

#[test]
fn schemas_are_named_for_what_they_are() {
    let schemas = document()["components"]["schemas"].as_object();
    for name in schemas.expect("schemas").keys() {
        assert!(!name.ends_with("Json"), "{name} is named for its form");
    }
}

#[test]
fn what_a_refusal_shows_depends_on_its_reason() {
    let mut told = Vec::new();
    for (name, operation) in operations() {
        let response = resolved(&operation["responses"]["409"]);
        let content = &response["content"]["application/json"];
        for (reason, example) in content["examples"].as_object().into_iter().flatten() {
            let body = &resolved(example)["value"];
            assert_eq!(
                conforms(body, &content["schema"]),
                Ok(()),
                "{name}: {reason}"
            );
            let shown = body.as_object().expect("a body").keys();
            let shown: Vec<_> = shown
                .filter(|key| !["error", "reason"].contains(&key.as_str()))
                .collect();
            let Some(choices) = content["schema"]["oneOf"].as_array() else {
                assert!(shown.is_empty(), "{name}: {reason}");
                continue;
            };
            let fitting = choices.iter().filter(|one| conforms(body, one).is_ok());
            let fitting: Vec<_> = fitting.map(resolved).collect();
            assert_eq!(fitting.len(), 1, "{name}: {reason}");
            for member in shown {
                assert!(
                    fitting[0]["properties"][member].is_object(),
                    "{name}: {member}"
                );
                told.push(member.as_str());
            }
        }
    }
    told.sort_unstable();
    told.dedup();
    assert_eq!(told, ["code", "customer", "referral"]);
}

/// Two paths of which neither is a case of the other may mean the same address; then a name says which words it is
/// not.
#[test]
fn an_address_is_of_one_path() {
    let name = |part: &str| part.starts_with('{');
    let paths: Vec<_> = document()["paths"]
        .as_object()
        .expect("paths")
        .keys()
        .collect();
    let mut pairs = 0;
    for (one, two) in paths
        .iter()
        .flat_map(|one| paths.iter().map(move |two| (one, two)))
    {
        let both: Vec<_> = one.split('/').zip(two.split('/')).collect();
        let meet = both.iter().all(|(a, b)| a == b || name(a) || name(b));
        let same_length = one.split('/').count() == two.split('/').count();
        let is_case = |case: bool| {
            both.iter().all(|(a, b)| {
                if case {
                    name(a) || !name(b)
                } else {
                    name(b) || !name(a)
                }
            })
        };
        if !same_length || !meet || is_case(true) || is_case(false) {
            continue;
        }
        let (first, word) = both
            .iter()
            .find(|(a, b)| name(a) != name(b))
            .expect("one is a name");
        if !name(first) {
            continue;
        }
        let operations = document()["paths"][one.as_str()]
            .as_object()
            .expect("operations");
        for operation in operations.values() {
            let parameters = operation["parameters"].as_array().expect("parameters");
            let parameter = parameters
                .iter()
                .map(resolved)
                .find(|own| first.trim_matches(['{', '}']) == own["name"]);
            let pattern = &parameter.expect("a parameter")["schema"]["pattern"];
            let says = pattern
                .as_str()
                .is_some_and(|pattern| pattern.contains(word));
            assert!(says, "{one} may be {two}");
        }
        pairs += 1;
    }
    assert_eq!(
        pairs, 6,
        "the codes, the credits and the runs beside a referral's events and beside checking it again"
    );
}

#[test]
fn every_error_has_an_example_of_its_shape() {
    for (name, operation) in operations() {
        let responses = operation["responses"].as_object().expect("responses");
        let errors = responses
            .iter()
            .filter(|(status, _)| status.as_str() >= "400");
        for (status, response) in errors {
            let content = &resolved(response)["content"]["application/json"];
            let examples = content["examples"].as_object();
            let examples = examples.unwrap_or_else(|| panic!("{name} {status}"));
            assert!(!examples.is_empty(), "{name} {status}");
            for (reason, example) in examples {
                let example = resolved(example);
                let known = Reason::ALL.iter().find(|known| known.as_str() == reason);
                let known = known.unwrap_or_else(|| panic!("{name}: {reason}"));
                assert_eq!(known.status().as_str(), status, "{name}: {reason}");
                assert_eq!(example["value"]["reason"], reason.as_str(), "{name}");
                assert!(example["value"]["error"].is_string(), "{name}: {reason}");
            }
        }
        let succeeds = responses.keys().any(|status| status.starts_with('2'));
        assert!(succeeds, "{name} never succeeds");
    }
}

#[test]
fn every_body_has_an_example_that_fits() {
    for (name, operation) in operations() {
        let request = &operation["requestBody"]["content"]["application/json"];
        let responses = operation["responses"].as_object().expect("responses");
        let successes = responses
            .iter()
            .filter(|(status, _)| status.starts_with('2'))
            .map(|(_, response)| &resolved(response)["content"]["application/json"]);
        let contents = successes.chain([request]);
        for content in contents.filter(|content| content.is_object()) {
            let own = &content["example"];
            assert!(!own.is_null(), "{name} has a body without an example");
            let fits = conforms(own, &content["schema"]);
            assert_eq!(fits, Ok(()), "{name}: {own}");
        }
    }
}

#[test]
fn an_example_of_a_cursor_is_a_place_in_its_own_list() {
    let mut pages = 0;
    for (name, operation) in operations() {
        let answer = &operation["responses"]["200"]["content"]["application/json"]["example"];
        let Some(cursor) = answer["nextCursor"].as_str() else {
            continue;
        };
        // One that is sealed tells nothing.
        if cursor.starts_with("v1.") {
            continue;
        }
        // A time and a key, or the key alone.
        let key = cursor.split_once('.').map_or(cursor, |(_, key)| key);
        let lists = answer.as_object().expect("an answer").values();
        let mut rows = lists.filter_map(Value::as_array).flatten();
        let of_a_row = |row: &Value| {
            ["id", "userId", "code", "month"]
                .iter()
                .any(|name| row[name] == key)
        };
        assert!(rows.any(of_a_row), "{name}: {cursor}");
        pages += 1;
    }
    assert!(pages > 9, "{pages}");
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value, seen: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                seen.extend(
                    members
                        .get("$ref")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                );
                members.values().for_each(|member| walk(member, seen));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, seen)),
            _ => {}
        }
    }
    let mut references = Vec::new();
    walk(document(), &mut references);
    for reference in references {
        let pointer = reference.trim_start_matches('#');
        assert!(document().pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn nothing_is_kept_for_nobody() {
    let text = routes::document();
    let components = document()["components"].as_object().expect("components");
    for kind in ["responses", "headers", "parameters", "examples", "schemas"] {
        for name in components[kind].as_object().expect("components").keys() {
            let reference = format!("\"#/components/{kind}/{name}\"");
            assert!(text.contains(&reference), "no operation uses {reference}");
        }
    }
}
