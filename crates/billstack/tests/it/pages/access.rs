//! Who may see a page: generated from the one table of routes, like the rights of calls.

use billstack::http::access::Right;
use billstack::http::route::Route;
use billstack::routes::for_people;
use billstack_core::access::{Role, Scope};
use reqwest::Method;

use super::{led, look, send};
use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller, CookieClient};
use crate::support::document::document;
use crate::support::fixture::Tenant;

on_both_engines! {
    without_a_session_every_page_leads_to_signing_in,
    a_stranger_is_refused_with_a_page,
    each_role_opens_its_own_pages,
    a_form_of_another_site_is_refused,
    a_key_opens_no_page,
    every_page_keeps_itself_safe,
    an_address_that_is_none_is_a_page_for_browsers_only,
    files_are_kept_for_ever_under_their_hash,
}

pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// Every page in the home of this tenant.
fn all(tenant: &Tenant) -> Vec<(Route, String)> {
    let filled = for_people().into_iter().map(|route| {
        let path = route.path.replace("{teamId}", &tenant.team);
        let path = path.replace("{projectId}", &tenant.project);
        // Nothing has these ids.
        let path = path.replace("{id}", "none").replace("{endpointId}", "none");
        (route, path)
    });
    filled.collect()
}

fn guarded(tenant: &Tenant) -> Vec<(Route, String)> {
    let all = all(tenant).into_iter();
    all.filter(|(route, _)| route.right.is_some()).collect()
}

/// Asks for a page, or sends it a form that nothing can be done with.
async fn knock(client: &impl Caller, route: &Route, path: &str) -> Answer {
    match route.method == Method::GET {
        true => look(client, path).send().await,
        false => send(client, path, &[]).await,
    }
}

#[test]
fn no_page_is_in_the_document() {
    let paths = document()["paths"].as_object().expect("paths");
    let pages = for_people();
    assert!(pages.len() >= 15);
    for route in pages {
        assert!(!paths.contains_key(route.path), "{}", route.path);
    }
}

async fn without_a_session_every_page_leads_to_signing_in(t: &Bench) {
    let before = t.dump().await;
    for (route, path) in guarded(&t.home) {
        let answer = knock(&t.nobody, &route, &path).await;
        if route.method == Method::GET {
            let next = match path.as_str() {
                "/" => String::new(),
                path => format!("?next={path}"),
            };
            assert_eq!(led(&answer), format!("/sign-in{next}"));
        } else {
            assert_eq!(answer.status, 401, "{answer:?}");
            assert!(answer.is_page(), "{answer:?}");
        }
    }
    let with_query = look(&t.nobody, "/account?done=theme&x=%26").send().await;
    assert_eq!(
        led(&with_query),
        "/sign-in?next=/account%3Fdone%3Dtheme%26x%3D%2526"
    );
    assert_eq!(t.dump().await, before);
}

/// What is foreign looks like what is not there.
async fn a_stranger_is_refused_with_a_page(t: &Bench) {
    let stranger = t.tenant("stranger").await;
    let before = t.dump().await;
    let mut absent = t.home.clone();
    absent.team = "team_01kgv5r3mq7x2h9d4t8w6c0b1e".to_owned();
    let mut seen = 0;
    for ((route, path), (_, nowhere)) in guarded(&t.home).into_iter().zip(guarded(&absent)) {
        if path == nowhere {
            continue;
        }
        let (foreign, unknown) = (
            knock(&stranger.owner, &route, &path).await,
            knock(&stranger.owner, &route, &nowhere).await,
        );
        assert_eq!(foreign.status, 403, "{foreign:?}");
        assert!(foreign.is_page() && !foreign.text.contains("home"));
        let told = |answer: &Answer| {
            let id = answer.header("x-request-id").expect("an id");
            answer.text.replace(id, "it")
        };
        assert_eq!(told(&foreign), told(&unknown));
        seen += 1;
    }
    assert!(seen >= 3);
    assert_eq!(t.dump().await, before);
}

async fn each_role_opens_its_own_pages(t: &Bench) {
    for role in [Role::Viewer, Role::Member, Role::Admin] {
        let member = t.member(role).await;
        for (route, path) in guarded(&t.home) {
            // It ends the others of the same person.
            if path.ends_with("/sessions") {
                continue;
            }
            let allowed = match route.right {
                Some(Right::TeamAdmin | Right::ProjectAdmin(_)) => role.can_administer(),
                Some(Right::Project(Scope::WebhooksWrite)) => role.can_administer(),
                Some(Right::TeamWriter) => role.can_write(),
                Some(Right::Project(scope)) if scope.as_str().ends_with(":write") => {
                    role.can_write()
                }
                _ => true,
            };
            let answer = knock(&member, &route, &path).await;
            match allowed {
                // It only takes a cookie away.
                true if route.path.ends_with("/kept") => assert_eq!(answer.status, 303),
                true if path.contains("/none") => assert_eq!(answer.status, 404),
                true => assert!(matches!(answer.status, 200 | 303 | 400), "{answer:?}"),
                false => assert_eq!(answer.status, 403, "{answer:?}"),
            }
        }
    }
}

async fn a_form_of_another_site_is_refused(t: &Bench) {
    let before = t.dump().await;
    let posts = all(&t.home).into_iter();
    let posts = posts.filter(|(route, _)| route.method == Method::POST);
    for (_, path) in posts {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            let call = t.owner.bare(Method::POST, &path).header(name, value);
            let answer = call.form(&[("name", "x")]).send().await;
            assert_eq!(answer.status, 403, "{path}: {answer:?}");
            assert!(answer.is_page());
        }
    }
    assert_eq!(t.dump().await, before);
}

async fn a_key_opens_no_page(t: &Bench) {
    for (route, path) in guarded(&t.home) {
        let answer = knock(&t.key, &route, &path).await;
        match route.method == Method::GET {
            true => assert!(led(&answer).starts_with("/sign-in"), "{path}"),
            false => assert_eq!(answer.status, 401, "{path}"),
        }
    }
}

async fn every_page_keeps_itself_safe(t: &Bench) {
    for (route, path) in all(&t.home) {
        let client: CookieClient = t.owner.clone();
        if path.contains("sign-out") || path.ends_with("/sessions") {
            continue;
        }
        let answer = knock(&client, &route, &path).await;
        for (name, value) in [
            ("content-security-policy", POLICY),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}: {answer:?}");
        }
        assert!(answer.text.len() <= 60 * 1024, "{path}");
        let (text, inline) = (
            &answer.text,
            [" style=", "<style", " onclick", "javascript:"],
        );
        assert!(inline.iter().all(|word| !text.contains(word)), "{path}");
    }
}

async fn an_address_that_is_none_is_a_page_for_browsers_only(t: &Bench) {
    let page = look(&t.owner, "/t/x/y/z").send().await;
    assert_eq!(page.status, 404);
    assert!(page.is_page());
    assert_eq!(page.header("content-security-policy"), Some(POLICY));
    t.owner.get("/t/x/y/z").await.refused("not_found");
    let call = look(&t.owner, "/api/nothing").send().await;
    call.refused("not_found");
}

async fn files_are_kept_for_ever_under_their_hash(t: &Bench) {
    let page = look(&t.nobody, "/sign-in").send().await;
    for name in ["app.css", "app.js", "icon.svg"] {
        let (before, _) = page.text.split_once(name).expect("the file");
        let address = before.rsplit('"').next().expect("its address").to_owned() + name;
        let file = t.nobody.get(&address).await;
        assert_eq!(file.status, 200, "{address}");
        let kept = file.header("cache-control").unwrap_or_default();
        assert!(kept.contains("immutable"), "{kept}");
        // Another version of the program has other files.
        let other = t.nobody.get(&format!("/assets/0000000000000000/{name}"));
        assert_eq!(other.await.header("cache-control"), Some("no-store"));
    }
    let none = t.nobody.get("/assets/0000000000000000/none.css").await;
    none.refused("not_found");
}
