//! A server without a user.

use billstack::routes::for_people;
use reqwest::Method;

use super::{led, look, send, session};
use crate::support::bench::{Bench, Setup};
use crate::support::client::{Anonymous, Caller};

on_both_engines! {
    every_page_leads_to_the_set_up with nobody_yet,
    a_wrong_token_makes_nothing_and_keeps_the_form with nobody_yet,
    the_set_up_token_lets_the_first_user_in with nobody_yet,
    there_is_no_second_set_up,
}

fn nobody_yet() -> Setup {
    Setup {
        empty: true,
        ..Setup::default()
    }
}

const PASSWORD: &str = "kelp-Onion-77";

fn fields(token: &str) -> [(&str, &str); 4] {
    [
        ("token", token),
        ("name", "Grace <b>"),
        ("email", "grace@example.com"),
        ("password", PASSWORD),
    ]
}

async fn every_page_leads_to_the_set_up(t: &Bench) {
    for route in for_people() {
        if route.path == "/setup" {
            continue;
        }
        let answer = match route.method == Method::GET {
            true => look(&t.nobody, route.path).send().await,
            false => send(&t.nobody, route.path, &[]).await,
        };
        assert_eq!(led(&answer), "/setup", "{}", route.path);
    }
    assert_eq!(
        led(&look(&t.nobody, "/no/such/page").send().await),
        "/setup"
    );
    for (path, status) in [
        ("/setup", 200),
        ("/docs", 200),
        ("/healthz", 200),
        ("/r/AB2CD3EF", 404),
        ("/api/billstack/teams", 401),
    ] {
        // Some of them are no pages of ours, and refuse in their own way.
        let answer = look(&t.nobody, path).send_beside_a_newer_version().await;
        assert_eq!(answer.status, status, "{path}");
    }
}

async fn a_wrong_token_makes_nothing_and_keeps_the_form(t: &Bench) {
    let before = t.dump().await;
    let wrong = format!("setup.{}", "0".repeat(64));
    for token in [wrong.as_str(), "no token", ""] {
        let page = send(&t.nobody, "/setup", &fields(token)).await;
        assert_eq!(page.status, 400, "{page:?}");
        assert!(page.text.contains("value=\"grace@example.com\""));
        assert!(page.text.contains("value=\"Grace &lt;b&gt;\""));
        assert!(!page.text.contains(PASSWORD));
        assert!(page.header("set-cookie").is_none());
    }
    let token = t.setup_token.clone().expect("a token");
    let weak = [("password", "password"), ("token", token.as_str())];
    let weak = [&weak[..], &fields("")[1..3]].concat();
    let page = send(&t.nobody, "/setup", &weak).await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("id=\"password-error\""), "{page:?}");
    assert_eq!(t.dump().await, before);
}

async fn the_set_up_token_lets_the_first_user_in(t: &Bench) {
    let token = t.setup_token.clone().expect("a token");
    let made = send(&t.nobody, "/setup", &fields(&token)).await;
    assert_eq!(led(&made), "/");
    let grace = session(t, &made);
    assert_eq!(led(&look(&grace, "/").send().await), "/t");
    let teams = look(&grace, "/t").send().await;
    assert_eq!(teams.status, 200);
    // The first step of those that `start` goes on with.
    for part in ["no team yet", "<h1>Start</h1>", "1. A team and a project"] {
        assert!(teams.text.contains(part), "{part}: {teams:?}");
    }
    let again = send(&Anonymous::new(t.nobody.wire()), "/setup", &fields(&token)).await;
    assert_eq!(again.status, 400, "{again:?}");
    assert_eq!(t.count("users").await, 1);
}

async fn there_is_no_second_set_up(t: &Bench) {
    assert_eq!(led(&look(&t.nobody, "/setup").send().await), "/");
    let token = format!("setup.{}", "0".repeat(64));
    let answer = send(&t.nobody, "/setup", &fields(&token)).await;
    assert_eq!(answer.status, 400);
    assert!(answer.header("set-cookie").is_none());
}
