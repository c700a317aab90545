//! `/t/{teamId}/members` and `/accept`.

use billstack_core::access::Role;
use billstack_store::members;

use super::sign_in::grace;
use super::{hidden, led, look, send, session};
use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller, CookieClient};

on_both_engines! {
    whoever_is_invited_signs_up_with_the_link,
    somebody_who_is_there_already_joins,
    roles_are_changed_and_people_removed_once,
    an_admin_has_no_say_on_owners,
    an_invitation_is_taken_back,
    anybody_leaves_but_the_last_owner,
}

const ONCE: [&str; 4] = [
    "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
    "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2",
    "c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3",
    "d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4",
];

fn path(t: &Bench, rest: &str) -> String {
    format!("/t/{}/members{rest}", t.home.team)
}

/// Invites an address, and tells the token in the link that is shown then.
async fn invite(t: &Bench, email: &str, role: &str) -> String {
    let once = hidden(&look(&t.owner, &path(t, "")).send().await, "once");
    let fields = [("once", once.as_str()), ("email", email), ("role", role)];
    let made = send(&t.owner, &path(t, ""), &fields).await;
    assert_eq!(led(&made), path(t, ""));
    let cookie = made.header("set-cookie").expect("a cookie");
    let cookie = cookie.split(';').next().expect("a pair");
    let both = format!("{}; {cookie}", t.owner.cookie);
    let page = look(&CookieClient::new(t.owner.wire(), &both), &path(t, ""))
        .send()
        .await;
    let (_, link) = page.text.split_once("data-copy=\"").expect("the link");
    let link = link.split('"').next().expect("its end");
    let (place, token) = link.split_once('#').expect("a fragment");
    assert!(place.ends_with("/accept"), "{place}");
    token.to_owned()
}

async fn role_of(t: &Bench, user_id: &str) -> Option<Role> {
    let (team, user_id) = (t.home.team_id(), user_id.to_owned());
    let read = t
        .app()
        .store
        .point(move |tx| Ok(members::role_of(tx, &team, &user_id)?));
    read.await.expect("a role or none")
}

/// Whom a page names by this address.
fn id_of(page: &Answer, email: &str) -> String {
    let (before, _) = page
        .text
        .split_once(&format!(">{email}<"))
        .expect("the person");
    let (_, id) = before.rsplit_once("id=\"usr_").expect("an id");
    format!("usr_{}", id.split('"').next().expect("its end"))
}

async fn whoever_is_invited_signs_up_with_the_link(t: &Bench) {
    let token = invite(t, "new@example.com", "member").await;
    let page = look(&t.nobody, "/accept").send().await;
    assert!(page.text.contains("action=\"/accept/new\""), "{page:?}");
    let fields = |email, token| {
        [
            ("token", token),
            ("name", "\"><img src=x>"),
            ("email", email),
            ("password", "kelp-Onion-77"),
        ]
    };
    for (email, token) in [
        ("other@example.com", token.as_str()),
        ("new@example.com", "inv.x"),
    ] {
        let wrong = send(&t.nobody, "/accept/new", &fields(email, token)).await;
        assert_eq!(wrong.status, 400, "{wrong:?}");
        assert!(
            wrong.text.contains(&format!("value=\"{email}\"")),
            "{wrong:?}"
        );
        assert!(!wrong.text.contains("<img src=x"));
    }
    let made = send(&t.nobody, "/accept/new", &fields("new@example.com", &token)).await;
    let new = session(t, &made);
    let home = look(&new, &format!("/t/{}", t.home.team)).send().await;
    assert_eq!(home.status, 200);
    assert_eq!(look(&new, &path(t, "")).send().await.status, 403);
    let list = look(&t.owner, &path(t, "")).send().await;
    assert!(list.text.contains(">new@example.com<") && !list.text.contains("<img src=x"));
    assert_eq!(
        role_of(t, &id_of(&list, "new@example.com")).await,
        Some(Role::Member)
    );
}

async fn somebody_who_is_there_already_joins(t: &Bench) {
    let stranger = t.tenant("stranger").await;
    let token = invite(t, "stranger@owners.example", "viewer").await;
    let page = look(&stranger.owner, "/accept").send().await;
    assert!(page.text.contains("signed in as"), "{page:?}");
    let grace = grace(t).await;
    let wrong = send(&grace, "/accept", &[("token", &token)]).await;
    assert_eq!(wrong.status, 400, "{wrong:?}");
    let joined = send(&stranger.owner, "/accept", &[("token", &token)]).await;
    assert_eq!(led(&joined), format!("/t/{}", t.home.team));
    assert_eq!(role_of(t, &stranger.owner_id).await, Some(Role::Viewer));
    let again = send(&stranger.owner, "/accept", &[("token", &token)]).await;
    assert_eq!(again.status, 400);
}

async fn roles_are_changed_and_people_removed_once(t: &Bench) {
    let member = t.member(Role::Member).await;
    let list = look(&t.owner, &path(t, "")).send().await;
    let id = id_of(&list, "member@members.example");
    let fields = [("once", ONCE[0]), ("id", &*id), ("role", "viewer")];
    for _ in 0..2 {
        send(&t.owner, &path(t, "/role"), &fields).await;
        assert_eq!(role_of(t, &id).await, Some(Role::Viewer));
    }
    for (id, role) in [(&*id, "king"), ("", "viewer"), ("usr_none", "viewer")] {
        let fields = [("once", ONCE[1]), ("id", id), ("role", role)];
        let wrong = send(&t.owner, &path(t, "/role"), &fields).await;
        assert_eq!(wrong.status, 400, "{wrong:?}");
        assert!(wrong.text.contains("role=\"alert\""), "{wrong:?}");
    }
    assert_eq!(role_of(t, &id).await, Some(Role::Viewer));
    let remove = [("once", ONCE[2]), ("id", &*id)];
    assert_eq!(
        led(&send(&t.owner, &path(t, "/remove"), &remove).await),
        path(t, "?done=removed")
    );
    assert_eq!(role_of(t, &id).await, None);
    assert_eq!(
        look(&member, &format!("/t/{}", t.home.team))
            .send()
            .await
            .status,
        403
    );
}

async fn an_admin_has_no_say_on_owners(t: &Bench) {
    let admin = t.member(Role::Admin).await;
    let page = look(&admin, &path(t, "")).send().await;
    assert!(page.text.contains("Only owners change owners."), "{page:?}");
    assert!(!page.text.contains("<option value=\"owner\""));
    for (rest, fields) in [
        (
            "",
            vec![
                ("once", ONCE[0]),
                ("email", "x@example.com"),
                ("role", "owner"),
            ],
        ),
        (
            "/role",
            vec![
                ("once", ONCE[1]),
                ("id", &*t.home.owner_id),
                ("role", "viewer"),
            ],
        ),
        (
            "/remove",
            vec![("once", ONCE[2]), ("id", &*t.home.owner_id)],
        ),
    ] {
        let refused = send(&admin, &path(t, rest), &fields).await;
        assert_eq!(refused.status, 400, "{rest}: {refused:?}");
    }
    assert_eq!(role_of(t, &t.home.owner_id).await, Some(Role::Owner));
}

async fn an_invitation_is_taken_back(t: &Bench) {
    let token = invite(t, "new@example.com", "viewer").await;
    let page = look(&t.owner, &path(t, "")).send().await;
    let (_, id) = page
        .text
        .split_once("value=\"inv_")
        .expect("the invitation");
    let id = format!("inv_{}", id.split('"').next().expect("its end"));
    let fields = [("once", ONCE[0]), ("id", id.as_str())];
    assert_eq!(
        led(&send(&t.owner, &path(t, "/uninvite"), &fields).await),
        path(t, "?done=uninvited")
    );
    let fields = [
        ("token", token.as_str()),
        ("name", "New"),
        ("email", "new@example.com"),
        ("password", "kelp-Onion-77"),
    ];
    assert_eq!(send(&t.nobody, "/accept/new", &fields).await.status, 400);
    let page = look(&t.owner, &path(t, "")).send().await;
    assert!(!page.text.contains("new@example.com"), "{page:?}");
}

async fn anybody_leaves_but_the_last_owner(t: &Bench) {
    let leave = format!("/t/{}/leave", t.home.team);
    let viewer = t.member(Role::Viewer).await;
    let before = t.count("members").await;
    assert_eq!(
        led(&send(&viewer, &leave, &[("once", ONCE[0])]).await),
        "/t?done=left"
    );
    assert_eq!(t.count("members").await, before - 1);
    let last = send(&t.owner, &leave, &[("once", ONCE[1])]).await;
    assert_eq!(last.status, 409, "{last:?}");
    assert_eq!(t.count("members").await, before - 1);
}
