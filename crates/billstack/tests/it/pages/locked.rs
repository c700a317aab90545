//! Forms of those who may not send them: they can be read and not touched, and the reason stands before them.

use billstack::http::access::Right;
use billstack::http::route::Route;
use billstack::routes::for_people;
use billstack_core::access::Role;
use reqwest::Method;
use serde_json::json;

use super::{content, holds, look, path};
use crate::api::webhook_endpoints::inner;
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;
use crate::support::receiver::Receiver;

on_both_engines! {
    whoever_may_not_send_a_form_cannot_touch_it with inner,
    whoever_may_not_open_a_page_is_told_who_may,
}

/// The right that the form with this action asks for.
fn right_of(action: &str) -> Right {
    let action = action.split('?').next().expect("a path");
    let is_at = |route: &&Route| {
        let (pattern, path) = (route.path.split('/'), action.split('/'));
        let mut parts = pattern.clone().zip(path.clone());
        pattern.count() == path.count()
            && parts.all(|(part, own)| part.starts_with('{') || part == own)
    };
    let pages = for_people();
    let mut posts = pages.iter().filter(|route| route.method == Method::POST);
    let route = posts.find(is_at);
    let route = route.unwrap_or_else(|| panic!("{action} is a form of nobody"));
    route.right.unwrap_or(Right::SignedIn)
}

/// The controls of a form which somebody could use.
fn free(form: &str) -> Vec<&str> {
    let free = match form.split_once("<fieldset class=\"shut\" disabled>") {
        Some((before, _)) => before,
        None => form,
    };
    let tags = free.split('<').filter_map(|tag| tag.split('>').next());
    let is_control = |tag: &&str| {
        let names = ["input", "select", "textarea", "button"];
        names.iter().any(|name| tag.starts_with(name))
    };
    let controls = tags.filter(is_control);
    let is_free = |tag: &&str| !tag.contains("type=\"hidden\"") && !tag.contains(" disabled");
    controls.filter(is_free).collect()
}

async fn whoever_may_not_send_a_form_cannot_touch_it(t: &Bench) {
    t.program(1_000, 500).await;
    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url()});
    let made = t.key.post("webhook-endpoints", body).await.created();
    let endpoint = text(&made["endpoint"]["id"]);
    let pair = t.pair("ann").await;
    t.apply(&pair).await;
    t.subscribe(&pair).await;
    let credit = text(&t.credits().await[0]["id"]);
    let (_, waiting) = t.pending("bob").await;
    receiver.wait_for(1).await;
    let sent = format!("webhook-endpoints/{endpoint}/deliveries");
    let sent = text(&t.key.get(&sent).await.ok()["deliveries"][0]["id"]);
    let pages = [
        path(t, "/program"),
        path(t, "/links"),
        path(t, "/portal"),
        path(t, "/webhooks"),
        path(t, &format!("/webhooks/{endpoint}")),
        path(t, &format!("/webhooks/{endpoint}/deliveries/{sent}")),
        path(t, "/customers"),
        path(t, &format!("/customers/{}", pair.referee)),
        path(t, "/codes"),
        path(t, &format!("/codes/{}", pair.code)),
        path(t, "/credits"),
        path(t, &format!("/credits/{credit}")),
        path(t, "/referrals"),
        path(t, &format!("/referrals/{waiting}")),
        path(t, "/start"),
        path(t, "/attention"),
        format!("/t/{}", t.home.team),
    ];
    for role in [Role::Viewer, Role::Member, Role::Admin] {
        let somebody = t.member(role).await;
        let mut shut = 0;
        for place in &pages {
            let page = look(&somebody, place).send().await;
            assert_eq!(page.status, 200, "{place}: {page:?}");
            let mut before = content(&page);
            while let Some((_, rest)) = before.split_once("<form") {
                let (form, rest) = rest.split_once("</form>").expect("its end");
                before = rest;
                if !form.contains("method=\"post\"") {
                    continue;
                }
                let action = form.split("action=\"").nth(1).expect("an action");
                let action = action.split('"').next().expect("its end");
                if right_of(action).is_held_by(Some(role)) {
                    assert!(!form.contains("class=\"shut\""), "{place}: {form}");
                    continue;
                }
                let free = free(form);
                assert!(free.is_empty(), "{role} {place}: {free:?}");
                let told = format!("You are a {}.", role.as_str());
                let end = content(&page).len() - rest.len();
                let is_before = content(&page)[..end].contains(&told);
                let is_alone = !form.contains("class=\"shut\"");
                assert!(is_before || is_alone, "{role} {place}: {form}");
                shut += usize::from(!is_alone);
            }
        }
        let all = match role {
            Role::Viewer => 19,
            Role::Member => 11,
            _ => 0,
        };
        assert!(shut >= all && (all > 0 || shut == 0), "{role}: {shut}");
    }
}

async fn whoever_may_not_open_a_page_is_told_who_may(t: &Bench) {
    let viewer = t.member(Role::Viewer).await;
    let member = t.member(Role::Member).await;
    let team = format!("/t/{}", t.home.team);
    let keys = look(&member, &format!("{team}/keys")).send().await;
    assert_eq!(keys.status, 403);
    holds(
        &keys,
        &["This is for owners and admins of the team. You are a member."],
    );
    let events = look(&viewer, &format!("{team}/stripe/events")).send().await;
    assert_eq!(events.status, 403);
    let told = "This is for owners, admins and members of the team. You are a viewer.";
    holds(&events, &[told]);
    let posted = super::send(&viewer, &path(t, "/program"), &[]).await;
    assert_eq!(posted.status, 403);
    holds(&posted, &[told]);
    // Whoever does not belong to the team learns nothing of it.
    let stranger = t.tenant("stranger").await;
    let foreign = look(&stranger.owner, &format!("{team}/keys")).send().await;
    assert_eq!(foreign.status, 403);
    assert!(!foreign.text.contains("of the team"), "{foreign:?}");
}
