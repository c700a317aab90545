//! `/account`.

use serde_json::json;

use super::sign_in::grace;
use super::{led, look, send, session};
use crate::support::bench::Bench;
use crate::support::client::{Caller, CookieClient};

on_both_engines! {
    the_theme_is_kept_by_the_browser,
    a_password_is_changed_with_the_one_at_hand,
    other_sessions_are_ended,
    single_keys_can_be_switched_off,
}

async fn the_theme_is_kept_by_the_browser(t: &Bench) {
    for theme in ["dark", "light"] {
        let answer = send(&t.owner, "/account/theme", &[("theme", theme)]).await;
        assert_eq!(led(&answer), "/account?done=theme");
        let cookie = answer.header("set-cookie").expect("a cookie");
        let cookie = cookie.split(';').next().expect("a pair");
        assert_eq!(cookie, format!("billstack_theme={theme}"));
        let both = format!("{}; {cookie}", t.owner.cookie);
        let page = CookieClient::new(t.owner.wire(), &both);
        let page = look(&page, "/account?done=theme").send().await;
        assert!(page.text.contains(&format!("data-theme=\"{theme}\"")));
        assert!(page.text.contains("The theme is saved"));
    }
    let page = look(&t.owner, "/account").send().await;
    assert!(!page.text.contains("data-theme"));
}

async fn a_password_is_changed_with_the_one_at_hand(t: &Bench) {
    let (here, new) = (grace(t).await, "tulip-Anchor-88");
    let change = |now: &'static str, new: &'static str| {
        let here = here.clone();
        async move {
            let fields = [("currentPassword", now), ("newPassword", new)];
            send(&here, "/account/password", &fields).await
        }
    };
    let wrong = change("wrong-Onion-77", new).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("id=\"currentPassword-error\""));
    let weak = change("kelp-Onion-77", "password").await;
    assert_eq!(weak.status, 400);
    assert!(weak.text.contains("id=\"newPassword-error\""));
    let changed = change("kelp-Onion-77", new).await;
    assert_eq!(led(&changed), "/account?done=password");
    let now = session(t, &changed);
    assert_eq!(look(&now, "/account").send().await.status, 200);
    assert_eq!(look(&here, "/account").send().await.status, 303);
}

async fn other_sessions_are_ended(t: &Bench) {
    let (one, fields) = (
        grace(t).await,
        [
            ("email", "grace@example.com"),
            ("password", "kelp-Onion-77"),
        ],
    );
    let two = session(t, &send(&t.nobody, "/sign-in", &fields).await);
    let three = session(t, &send(&t.nobody, "/sign-in", &fields).await);
    let answer = send(&two, "/account/sessions", &[]).await;
    assert_eq!(led(&answer), "/account?done=sessions");
    let status = async |of: &CookieClient| look(of, "/account").send().await.status;
    assert_eq!((status(&one).await, status(&two).await), (303, 200));
    let ended = two.call(reqwest::Method::POST, "/api/auth/end-other-sessions");
    assert_eq!(ended.send().await.ok()["ended"], 0);
    assert_eq!((status(&two).await, status(&three).await), (200, 303));
    // Nobody else's.
    assert_eq!(status(&t.owner).await, 200);
}

async fn single_keys_can_be_switched_off(t: &Bench) {
    let preferences =
        async || t.owner.get("/api/auth/preferences").await.ok()["preferences"].clone();
    assert_eq!(preferences().await, json!({"singleKeys": true}));
    let page = look(&t.owner, "/account").send().await;
    assert!(page.text.contains("value=\"yes\" checked"), "{page:?}");
    assert!(!page.text.contains("data-keys"));
    let off = send(&t.owner, "/account/keys", &[]).await;
    assert_eq!(led(&off), "/account?done=keys");
    assert_eq!(preferences().await, json!({"singleKeys": false}));
    let page = look(&t.owner, "/account?done=keys").send().await;
    assert!(page.text.contains("data-keys=\"off\""), "{page:?}");
    assert!(page.text.contains("The shortcuts are saved."));
    // Nobody else's.
    let stranger = t.tenant("stranger").await;
    let page = look(&stranger.owner, "/account").send().await;
    assert!(!page.text.contains("data-keys"));
    let on = send(&t.owner, "/account/keys", &[("singleKeys", "yes")]).await;
    assert_eq!(led(&on), "/account?done=keys");
    assert_eq!(preferences().await, json!({"singleKeys": true}));
    let body = json!({"singleKeys": false});
    let set = t.owner.put("/api/auth/preferences", body).await.ok();
    assert_eq!(set["preferences"], json!({"singleKeys": false}));
    let wrong = t
        .owner
        .put("/api/auth/preferences", json!({"singleKeys": "no"}));
    wrong.await.invalid("singleKeys");
}
