//! `/api/auth/…`.

use billstack_core::time::{DAY, SECOND};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bench::{Bench, Setup};
use crate::support::client::{Answer, Caller, CookieClient};
use crate::support::fixture::text;

on_both_engines! {
    an_invitation_lets_a_new_user_in,
    a_token_is_good_once_for_one_address_and_a_while,
    signing_in_gives_a_new_session_and_ends_the_old_one,
    wrong_passwords_and_unknown_users_are_answered_alike,
    weak_passwords_are_refused,
    guessing_is_slowed_down,
    guessing_elsewhere_does_not_lock_out with behind_a_proxy,
    signing_out_ends_the_session,
    a_changed_password_ends_every_session,
    the_cookie_is_marked,
    behind_https_the_cookie_is_secure with behind_https,
    another_site_cannot_sign_anybody_in,
    without_an_invitation_nobody_signs_up,
    a_known_user_accepts_an_invitation,
    the_first_user_needs_the_set_up_token with nobody_yet,
    of_many_first_users_one_gets_in with nobody_yet,
}

const PASSWORD: &str = "kelp-Onion-77";
const EMAIL: &str = "grace@example.com";

/// An invitation to the usual team.
pub(crate) async fn invite(t: &Bench, email: &str, role: &str) -> String {
    let body = json!({"email": email, "role": role});
    let answer = t
        .owner
        .post(&t.home.path("invitations"), body)
        .await
        .created();
    text(&answer["token"])
}

fn sign_up_body(token: &str) -> Value {
    json!({"name": "Grace", "email": EMAIL, "password": PASSWORD, "token": token})
}

async fn sign_up(t: &Bench, body: Value) -> Answer {
    t.nobody.post("/api/auth/sign-up/email", body).await
}

/// Somebody in the usual team with a password.
async fn grace(t: &Bench) -> CookieClient {
    let token = invite(t, EMAIL, "member").await;
    let answer = sign_up(t, sign_up_body(&token)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    session_of(t, &answer)
}

async fn sign_in(t: &Bench, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    t.nobody.post("/api/auth/sign-in/email", body).await
}

fn session_of(t: &Bench, answer: &Answer) -> CookieClient {
    let cookie = answer.header("set-cookie").expect("a cookie");
    let cookie = cookie.split(';').next().expect("a name and a value");
    CookieClient::new(t.owner.wire(), cookie)
}

async fn an_invitation_lets_a_new_user_in(t: &Bench) {
    let token = invite(t, " Grace@Example.com ", "viewer").await;
    let answer = sign_up(t, sign_up_body(&token)).await;
    let session = session_of(t, &answer);
    let body = answer.ok();
    let user = &body["user"];
    let id = text(&user["id"]);
    assert!(id.starts_with("usr_"), "{id}");
    assert_eq!(
        body,
        json!({"user": {
            "id": id, "name": "Grace", "email": EMAIL, "createdAt": user["createdAt"],
        }})
    );
    let current = session.get("/api/auth/get-session").await.ok();
    assert_eq!(current["user"], *user);
    let teams = session.get("/api/billstack/teams").await.ok();
    assert_eq!(teams["teams"][0]["id"], t.home.team.as_str());
    assert_eq!(teams["teams"][0]["role"], "viewer");
    session.get("customers").await.ok();
    let nobody = t.nobody.get("/api/auth/get-session").await.ok();
    assert_eq!(nobody, json!({"session": null, "user": null}));
}

async fn a_token_is_good_once_for_one_address_and_a_while(t: &Bench) {
    let token = invite(t, EMAIL, "member").await;
    let mut other = sign_up_body(&token);
    other["email"] = json!("mallory@example.com");
    sign_up(t, other).await.refused("invalid_token");
    sign_up(t, sign_up_body(&token)).await.ok();
    sign_up(t, sign_up_body(&token))
        .await
        .refused("invalid_token");
    let late = invite(t, "late@example.com", "member").await;
    t.advance(30 * DAY);
    let mut body = sign_up_body(&late);
    body["email"] = json!("late@example.com");
    sign_up(t, body).await.refused("invalid_token");
}

async fn signing_in_gives_a_new_session_and_ends_the_old_one(t: &Bench) {
    let first = grace(t).await;
    let call = t.nobody.call(Method::POST, "/api/auth/sign-in/email");
    let call = call
        .header("cookie", &first.cookie)
        .header("sec-fetch-site", "same-origin");
    let body = json!({"email": " GRACE@example.com", "password": PASSWORD});
    let answer = call.json(&body).send().await;
    let second = session_of(t, &answer);
    answer.ok();
    assert_ne!(first.cookie, second.cookie);
    first.get("customers").await.refused("session_expired");
    second.get("customers").await.ok();
    // A value that somebody else chose is never taken over.
    let planted = "billstack_session=chosen-by-an-attacker";
    let call = t.nobody.call(Method::POST, "/api/auth/sign-in/email");
    let call = call
        .header("cookie", planted)
        .header("sec-fetch-site", "same-origin");
    let answer = call.json(&body).send().await;
    assert!(
        !answer
            .header("set-cookie")
            .expect("a cookie")
            .contains("attacker")
    );
    CookieClient::new(t.owner.wire(), planted)
        .get("customers")
        .await
        .refused("session_expired");
}

async fn wrong_passwords_and_unknown_users_are_answered_alike(t: &Bench) {
    grace(t).await;
    let wrong = sign_in(t, EMAIL, "kelp-Onion-78").await;
    let unknown = sign_in(t, "nobody@example.com", PASSWORD).await;
    assert_eq!((wrong.status, &wrong.text), (unknown.status, &unknown.text));
    assert_eq!(wrong.header("set-cookie"), None);
    wrong.refused("invalid_credentials");
    for (body, field) in [
        (json!({"email": EMAIL}), "password"),
        (json!({"email": EMAIL, "password": 7}), "password"),
        (json!({"email": "x", "password": PASSWORD}), "email"),
        (
            json!({"email": EMAIL, "password": "x".repeat(257)}),
            "password",
        ),
    ] {
        t.nobody
            .post("/api/auth/sign-in/email", body)
            .await
            .invalid(field);
    }
}

async fn weak_passwords_are_refused(t: &Bench) {
    let token = invite(t, EMAIL, "member").await;
    for weak in ["short", "password", "12345678", "aaaaaaaa", "qwertyuiop"] {
        let mut body = sign_up_body(&token);
        body["password"] = json!(weak);
        let refused = sign_up(t, body).await.refused("weak_password");
        assert_eq!(refused["field"], "password", "{weak}");
    }
    sign_up(t, sign_up_body(&token)).await.ok();
}

async fn guessing_is_slowed_down(t: &Bench) {
    grace(t).await;
    for _ in 0..5 {
        sign_in(t, EMAIL, "wrong-guess-1")
            .await
            .refused("invalid_credentials");
    }
    // Even the right password has to wait now, and so does the address.
    sign_in(t, EMAIL, PASSWORD)
        .await
        .refused("too_many_sign_ins");
    sign_in(t, "other@example.com", PASSWORD)
        .await
        .refused("too_many_sign_ins");
    t.advance(2 * SECOND);
    sign_in(t, EMAIL, PASSWORD).await.ok();
}

fn behind_a_proxy() -> Setup {
    Setup {
        settings: |args| args.trust_forwarded_for = Some("true".to_owned()),
        ..Setup::default()
    }
}

async fn guessing_elsewhere_does_not_lock_out(t: &Bench) {
    grace(t).await;
    let from = |address: &'static str, email: &'static str, password: &'static str| {
        let call = t.nobody.call(Method::POST, "/api/auth/sign-in/email");
        let body = json!({"email": email, "password": password});
        call.header("x-forwarded-for", address).json(&body).send()
    };
    from("192.0.2.1", EMAIL, PASSWORD).await.ok();
    for _ in 0..5 {
        let answer = from("192.0.2.66", EMAIL, "wrong-guess-1").await;
        answer.refused("invalid_credentials");
    }
    let answer = from("192.0.2.66", EMAIL, "wrong-guess-1").await;
    answer.refused("too_many_sign_ins");
    // Neither the owner's usual address nor a new one has to wait.
    from("192.0.2.1", EMAIL, PASSWORD).await.ok();
    from("192.0.2.2", EMAIL, PASSWORD).await.ok();
    // Not even when others at the usual address guess at other accounts.
    for other in ["a@x.test", "b@x.test", "c@x.test", "d@x.test", "e@x.test"] {
        let answer = from("192.0.2.1", other, "wrong-guess-1").await;
        answer.refused("invalid_credentials");
    }
    let answer = from("192.0.2.1", "f@x.test", "wrong-guess-1").await;
    answer.refused("too_many_sign_ins");
    from("192.0.2.1", EMAIL, PASSWORD).await.ok();
}

async fn signing_out_ends_the_session(t: &Bench) {
    let session = grace(t).await;
    let answer = session.post("/api/auth/sign-out", json!({})).await;
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    assert!(cookie.contains("Max-Age=0"), "{cookie}");
    assert_eq!(answer.ok(), json!({"success": true}));
    session.get("customers").await.refused("session_expired");
    let current = session.get("/api/auth/get-session").await.ok();
    assert_eq!(current["user"], Value::Null);
    session.post("/api/auth/sign-out", json!({})).await.ok();
}

async fn a_changed_password_ends_every_session(t: &Bench) {
    let first = grace(t).await;
    let second = session_of(t, &sign_in(t, EMAIL, PASSWORD).await);
    let change = |current: &str, new: &str| {
        let body = json!({"currentPassword": current, "newPassword": new});
        first.post("/api/auth/change-password", body)
    };
    change("kelp-Onion-78", "plum-Anchor-88")
        .await
        .refused("invalid_credentials");
    change(PASSWORD, "password").await.refused("weak_password");
    let answer = change(PASSWORD, "plum-Anchor-88").await;
    let third = session_of(t, &answer);
    answer.ok();
    first.get("customers").await.refused("session_expired");
    second.get("customers").await.refused("session_expired");
    third.get("customers").await.ok();
    sign_in(t, EMAIL, PASSWORD)
        .await
        .refused("invalid_credentials");
    sign_in(t, EMAIL, "plum-Anchor-88").await.ok();
    let dump = t.dump().await;
    assert!(!dump.contains(PASSWORD) && !dump.contains("plum-Anchor-88"));
    let token = third.cookie.split_once('=').expect("a value").1;
    assert!(!dump.contains(token), "only the hash of a session is kept");
}

async fn the_cookie_is_marked(t: &Bench) {
    grace(t).await;
    let answer = sign_in(t, EMAIL, PASSWORD).await;
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("billstack_session="), "{cookie}");
    for mark in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age="] {
        assert!(cookie.contains(mark), "{cookie}");
    }
    assert!(
        !cookie.contains("Secure") && !cookie.contains("Domain"),
        "{cookie}"
    );
}

fn behind_https() -> Setup {
    Setup {
        settings: |args| args.base_url = Some("https://referrals.example".to_owned()),
        ..Setup::default()
    }
}

async fn behind_https_the_cookie_is_secure(t: &Bench) {
    grace(t).await;
    let answer = sign_in(t, EMAIL, PASSWORD).await;
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("__Host-billstack_session="), "{cookie}");
    assert!(
        cookie.contains("; Secure") && cookie.contains("; Path=/;"),
        "{cookie}"
    );
    session_of(t, &answer).get("customers").await.ok();
}

async fn another_site_cannot_sign_anybody_in(t: &Bench) {
    grace(t).await;
    let body = json!({"email": EMAIL, "password": PASSWORD});
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let call = t.nobody.call(Method::POST, "/api/auth/sign-in/email");
        let answer = call.header(name, value).json(&body).send().await;
        assert_eq!(answer.header("set-cookie"), None);
        answer.refused("cross_site_request");
    }
    let call = t.nobody.call(Method::POST, "/api/auth/sign-in/email");
    let form = call.body("text/plain", body.to_string());
    form.send().await.refused("unsupported_media_type");
}

async fn without_an_invitation_nobody_signs_up(t: &Bench) {
    let random = "0".repeat(64);
    for (token, reason) in [
        ("nonsense".to_owned(), "invalid_request"),
        (format!("setup.{random}"), "already_set_up"),
        (format!("inv.{}.{random}", t.home.team), "invalid_token"),
        (format!("inv.team_unknown.{random}"), "invalid_token"),
        (String::new(), "invalid_request"),
    ] {
        sign_up(t, sign_up_body(&token)).await.refused(reason);
    }
    let mut body = sign_up_body("x");
    body.as_object_mut().expect("an object").remove("token");
    sign_up(t, body).await.invalid("token");
    assert_eq!(t.count("users").await, 1);
}

async fn a_known_user_accepts_an_invitation(t: &Bench) {
    let stranger = t.tenant("stranger").await;
    let token = invite(t, "stranger@owners.example", "admin").await;
    let accept = |token: &str| {
        let body = json!({"token": token});
        stranger.owner.post("/api/auth/accept-invitation", body)
    };
    let answer = accept(&token).await.ok();
    assert_eq!(answer["team"]["id"], t.home.team.as_str());
    assert_eq!(answer["team"]["role"], "admin");
    accept(&token).await.refused("invalid_token");
    let there = stranger.owner.over(t.owner.wire());
    there.get("customers").await.ok();
    let other = invite(t, "somebody@example.com", "admin").await;
    accept(&other).await.refused("invalid_token");
}

fn nobody_yet() -> Setup {
    Setup {
        empty: true,
        ..Setup::default()
    }
}

async fn the_first_user_needs_the_set_up_token(t: &Bench) {
    let token = t.setup_token.clone().expect("an empty bench");
    let wrong = format!("setup.{}", "0".repeat(64));
    sign_up(t, sign_up_body(&wrong))
        .await
        .refused("invalid_token");
    let answer = sign_up(t, sign_up_body(&token)).await;
    let session = session_of(t, &answer);
    answer.ok();
    let made = session
        .post("/api/billstack/teams", json!({"name": "Acme"}))
        .await;
    assert_eq!(made.created()["team"]["role"], "owner");
    let mut second = sign_up_body(&token);
    second["email"] = json!("second@example.com");
    sign_up(t, second).await.refused("already_set_up");
}

async fn of_many_first_users_one_gets_in(t: &Bench) {
    let token = t.setup_token.clone().expect("an empty bench");
    let calls = (0..8).map(|number| {
        let mut body = sign_up_body(&token);
        body["email"] = json!(format!("first{number}@example.com"));
        t.nobody.post("/api/auth/sign-up/email", body)
    });
    let answers = Bench::at_once(calls).await;
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1
    );
    assert_eq!(t.count("users").await, 1);
}
