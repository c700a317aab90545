//! `GET` and `PUT …/links/settings`.

use billstack_core::access::{Role, Scope};
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    links_are_off_from_the_start,
    what_is_set_is_kept_and_what_is_left_out_stays,
    what_is_read_can_be_sent_back,
    what_is_wrong_is_named,
    the_first_project_of_a_server_has_the_short_link_for_ever,
    only_admins_and_full_keys_change_them,
}

async fn links_are_off_from_the_start(t: &Bench) {
    let settings = t.key.get("links/settings").await.ok();
    let slug = text(&settings["settings"]["slug"]);
    assert_eq!(slug.len(), 6);
    let base = &t.nodes[0].origin;
    let urls = json!([
        format!("{base}/r/{{code}}"),
        format!("{base}/r/{slug}/{{code}}")
    ]);
    assert_eq!(
        settings,
        json!({"settings": {
            "enabled": false, "landingUrl": null, "redirectHosts": [], "windowDays": 60,
            "codeParameter": "ref", "clickParameter": "ref_click", "card": null,
            "slug": slug, "shareUrls": urls,
        }})
    );
}

async fn what_is_set_is_kept_and_what_is_left_out_stays(t: &Bench) {
    let card =
        json!({"title": "5 USD <for> you", "text": null, "imageUrl": "https://example.com/a.png"});
    let body = json!({
        "enabled": true, "landingUrl": "https://example.com/hi?a=1", "redirectHosts": ["Docs.Example.com"],
        "windowDays": 30, "codeParameter": "via", "clickParameter": "via_click", "card": card,
    });
    let put = t.key.put("links/settings", body).await.ok()["settings"].take();
    assert_eq!(put["redirectHosts"], json!(["docs.example.com"]));
    assert_eq!(put["card"], card);
    assert_eq!(t.key.get("links/settings").await.ok()["settings"], put);
    let off = t.key.put("links/settings", json!({"enabled": false}));
    let off = off.await.ok()["settings"].take();
    let mut expected = put.clone();
    expected["enabled"] = json!(false);
    assert_eq!(off, expected);
    let bare = json!({"enabled": false, "landingUrl": null, "card": null});
    let bare = t.key.put("links/settings", bare).await.ok()["settings"].take();
    assert_eq!(
        (&bare["landingUrl"], &bare["card"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(bare["windowDays"], 30);
}

async fn what_is_read_can_be_sent_back(t: &Bench) {
    let mut read = t.key.get("links/settings").await.ok()["settings"].take();
    read["landingUrl"] = json!("https://example.com/");
    let put = t.key.put("links/settings", read.clone()).await.ok();
    assert_eq!(put["settings"], read);
}

async fn what_is_wrong_is_named(t: &Bench) {
    let before = t.dump().await;
    let many: Vec<String> = (0..21).map(|n| format!("h{n}.example")).collect();
    for (field, value) in [
        ("landingUrl", json!("http://example.com")),
        ("landingUrl", json!("//evil.example")),
        ("landingUrl", json!("javascript:alert(1)")),
        ("landingUrl", json!("https://me:pw@example.com")),
        ("landingUrl", json!(5)),
        ("landingUrl", json!("")),
        ("redirectHosts", json!(["https://example.com"])),
        ("redirectHosts", json!(["example.com:8443"])),
        ("redirectHosts", json!(["*.example.com"])),
        ("redirectHosts", json!(many)),
        ("redirectHosts", json!("example.com")),
        ("windowDays", json!(0)),
        ("windowDays", json!(366)),
        ("windowDays", json!(1.5)),
        ("codeParameter", json!("a b")),
        ("codeParameter", json!("utm_source")),
        ("clickParameter", json!("ref")),
        ("card", json!({"text": "no title"})),
        ("card", json!({"title": ""})),
        (
            "card",
            json!({"title": "x", "imageUrl": "http://example.com/a.png"}),
        ),
        ("card", json!({"title": "x", "colour": "red"})),
    ] {
        let mut body = json!({"enabled": true, "landingUrl": "https://example.com"});
        body[field] = value;
        t.key.put("links/settings", body).await.invalid(field);
    }
    let nowhere = t.key.put("links/settings", json!({"enabled": true}));
    nowhere.await.invalid("landingUrl");
    let nothing = t.key.put("links/settings", json!({}));
    nothing.await.invalid("enabled");
    assert_eq!(t.dump().await, before);
}

async fn the_first_project_of_a_server_has_the_short_link_for_ever(t: &Bench) {
    let urls = |answer: &Value| answer["settings"]["shareUrls"].as_array().map(Vec::len);
    let before = t.key.get("links/settings").await.ok();
    let (_, other) = t.project("other").await;
    let stranger = t.tenant("stranger").await;
    assert_eq!(urls(&other.get("links/settings").await.ok()), Some(1));
    assert_eq!(
        urls(&stranger.key.get("links/settings").await.ok()),
        Some(1)
    );
    assert_eq!(urls(&before), Some(2));
    assert_eq!(t.key.get("links/settings").await.ok(), before);
}

async fn only_admins_and_full_keys_change_them(t: &Bench) {
    let body = json!({"enabled": true, "landingUrl": "https://example.com"});
    let some = [Scope::ReferralsWrite, Scope::CustomersRead];
    let (_, limited) = t.key(None, &some, None).await;
    limited.get("links/settings").await.ok();
    let refused = limited.put("links/settings", body.clone()).await;
    refused.refused("insufficient_scope");
    let (_, full) = t.key(None, Scope::ALL, None).await;
    full.put("links/settings", body.clone()).await.ok();
    for (role, may) in [
        (Role::Viewer, false),
        (Role::Member, false),
        (Role::Admin, true),
    ] {
        let person = t.member(role).await;
        person.get("links/settings").await.ok();
        let put = person.put("links/settings", body.clone()).await;
        match may {
            true => drop(put.ok()),
            false => drop(put.refused("forbidden")),
        }
    }
}
