//! `GET` and `PUT …/portal/settings`.

use billstack_core::access::{Role, Scope};
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;

on_both_engines! {
    nothing_is_allowed_from_the_start,
    what_is_set_is_kept_and_what_is_left_out_stays,
    what_is_wrong_is_named,
    only_admins_and_full_keys_change_them,
}

fn from_the_start() -> Value {
    json!({
        "allowedOrigins": [], "names": "initial",
        "theme": {"accent": null, "radius": null, "font": "system", "contrast": 6.3},
        "texts": {}, "allowVanity": false, "offerName": false,
    })
}

async fn nothing_is_allowed_from_the_start(t: &Bench) {
    let settings = t.key.get("portal/settings").await.ok();
    assert_eq!(settings, json!({"settings": from_the_start()}));
    let put = t.key.put("portal/settings", from_the_start()).await.ok();
    assert_eq!(put, settings);
}

async fn what_is_set_is_kept_and_what_is_left_out_stays(t: &Bench) {
    let body = json!({
        "allowedOrigins": ["https://App.example.com", "https://*.shop.example", "http://localhost:*"],
        "names": "first", "theme": {"accent": "#FE0", "radius": 0, "font": "IBM Plex Sans"},
        "texts": {"de": {"offer": "Gib {amount} <b>", "terms": "Nur einmal."}, "en": {}},
        "allowVanity": true, "offerName": true,
    });
    let put = t.key.put("portal/settings", body).await.ok()["settings"].take();
    assert_eq!(put["allowedOrigins"][0], "https://app.example.com");
    assert_eq!(
        put["theme"],
        json!({"accent": "#ffee00", "radius": 0, "font": "IBM Plex Sans", "contrast": 17.4})
    );
    assert_eq!(put["texts"]["de"]["offer"], "Gib {amount} <b>");
    assert_eq!(t.key.get("portal/settings").await.ok()["settings"], put);
    let again = t.key.put("portal/settings", put.clone()).await.ok();
    assert_eq!(again["settings"], put);
    let one = t.key.put("portal/settings", json!({"names": "hidden"}));
    let mut expected = put.clone();
    expected["names"] = json!("hidden");
    assert_eq!(one.await.ok()["settings"], expected);
    let plain = t
        .key
        .put("portal/settings", json!({"theme": {}, "texts": {}}));
    let plain = plain.await.ok()["settings"].take();
    assert_eq!(plain["theme"], from_the_start()["theme"]);
    assert_eq!(plain["allowVanity"], true);
}

async fn what_is_wrong_is_named(t: &Bench) {
    let before = t.dump().await;
    let many: Vec<String> = (0..21).map(|n| format!("https://h{n}.example")).collect();
    let long = "x".repeat(501);
    for (field, value) in [
        ("allowedOrigins", json!(["https://example.com/"])),
        ("allowedOrigins", json!(["http://example.com"])),
        ("allowedOrigins", json!(["*"])),
        ("allowedOrigins", json!(["https://*.com"])),
        ("allowedOrigins", json!(["https://a.example; script-src *"])),
        ("allowedOrigins", json!(many)),
        ("allowedOrigins", json!("https://example.com")),
        ("names", json!("all")),
        ("theme", json!({"accent": "red"})),
        ("theme", json!({"accent": "#fff}*{color:red"})),
        ("theme", json!({"radius": 25})),
        ("theme", json!({"radius": -1})),
        ("theme", json!({"font": "x;y"})),
        ("theme", json!({"colour": "#ffffff"})),
        ("texts", json!({"it": {}})),
        ("texts", json!({"de": {"offer": long}})),
        ("texts", json!({"de": {"offer": ""}})),
        ("texts", json!({"de": {"offer": "a\u{7}b"}})),
        ("texts", json!({"de": {"slogan": "x"}})),
        ("texts", json!([])),
        ("allowVanity", json!("yes")),
        ("offerName", json!(1)),
    ] {
        let body = json!({field: value});
        t.key.put("portal/settings", body).await.invalid(field);
    }
    assert_eq!(t.dump().await, before);
}

async fn only_admins_and_full_keys_change_them(t: &Bench) {
    let some = [Scope::ReferralsWrite, Scope::CustomersWrite];
    let (_, limited) = t.key(None, &some, None).await;
    limited.get("portal/settings").await.ok();
    let (_, full) = t.key(None, Scope::ALL, None).await;
    let body = json!({"allowedOrigins": ["https://app.example.com"]});
    for (client, may) in [(&limited, false), (&full, true)] {
        let put = client.put("portal/settings", body.clone()).await;
        let ended = client.post("portal/end-sessions", json!({})).await;
        match may {
            true => assert_eq!((put.status, ended.status), (200, 200)),
            false => {
                put.refused("insufficient_scope");
                ended.refused("insufficient_scope");
            }
        }
    }
    for (role, may) in [
        (Role::Viewer, false),
        (Role::Member, false),
        (Role::Admin, true),
    ] {
        let person = t.member(role).await;
        person.get("portal/settings").await.ok();
        let put = person.put("portal/settings", body.clone()).await;
        let ended = person.post("portal/end-sessions", json!({})).await;
        match may {
            true => assert_eq!((put.status, ended.status), (200, 200)),
            false => {
                put.refused("forbidden");
                ended.refused("forbidden");
            }
        }
    }
}
