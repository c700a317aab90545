//! Keys, projects and members on the command line: the same as by the API, beside a live server.

use serde_json::Value;

use super::{Place, Server};

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("one JSON value")
}

/// The status that a key is answered with.
fn status(server: &Server, path: &str, key: &str) -> String {
    let answer = server.get_with(path, &format!("Authorization: Bearer {key}\r\n"));
    answer.split(' ').nth(1).expect("a status").to_owned()
}

#[test]
fn keys_are_made_listed_and_revoked_beside_a_server() {
    let place = Place::new();
    let none = place.run(&["keys", "list"]).refused(1);
    assert!(none.contains("no database"), "{none}");
    let made = json(&place.init().ok());
    let text = |name: &str| made[name].as_str().expect("a text").to_owned();
    let (team, project) = (text("teamId"), text("projectId"));
    let server = place.serve();
    let path = format!("/api/billstack/teams/{team}/projects/{project}/customers");

    let key = [
        "keys",
        "create",
        "--name",
        "Shop",
        "--scope",
        "customers:read",
    ];
    let more = [
        "--project",
        &project,
        "--expires-at",
        "2100-01-01T00:00:00Z",
        "--json",
    ];
    let made = json(&place.run(&[&key[..], &more].concat()).ok());
    let raw = made["rawKey"].as_str().expect("a key");
    let id = made["key"]["id"].as_str().expect("an id");
    assert_eq!(made["key"]["projectId"], project);
    assert_eq!(status(&server, &path, raw), "200");
    let codes = path.replace("customers", "referrals/codes");
    assert_eq!(status(&server, &codes, raw), "403");

    let list = place.run(&["keys", "list"]).ok();
    assert!(
        list.lines()
            .any(|line| line.starts_with(id) && line.contains("customers:read")),
        "{list}"
    );
    assert!(!list.contains(raw), "{list}");
    let all = json(&place.run(&["keys", "list", "--json", "--team", &team]).ok());
    // It has been used since.
    let mut used = made["key"].clone();
    used["lastUsedOn"] = all[0]["lastUsedOn"].clone();
    assert!(used["lastUsedOn"].is_string() && made["key"]["lastUsedOn"].is_null());
    assert_eq!(all[0], used);
    assert_eq!(all.as_array().expect("a list").len(), 2);

    assert!(
        place
            .run(&["keys", "revoke", id])
            .ok()
            .contains("is revoked")
    );
    assert_eq!(status(&server, &path, raw), "401");
    place.run(&["keys", "revoke", id]).ok();
    assert!(place.run(&["keys", "list"]).ok().contains("revoked 20"));

    assert!(place.run(&["verify"]).ok().contains("rules hold"));
}

#[test]
fn a_key_that_cannot_be_is_refused_as_by_the_api() {
    let place = Place::new();
    place.init().ok();
    for (args, code, wanted) in [
        (&["keys", "revoke", "key_none"][..], 1, "no such"),
        (
            &["keys", "create", "--name", "x", "--project", "proj_none"],
            1,
            "no such",
        ),
        (&["keys", "create", "--name", " "], 2, "--name"),
        (
            &["keys", "create", "--name", "x", "--scope", "all"],
            2,
            "customers:read",
        ),
        (
            &[
                "keys",
                "create",
                "--name",
                "x",
                "--expires-at",
                "2001-01-01T00:00:00Z",
            ],
            2,
            "--expires-at",
        ),
        (
            &["keys", "list", "--team", "team_none"],
            1,
            "no team team_none",
        ),
    ] {
        let complaint = place.run(args).refused(code);
        assert!(complaint.contains(wanted), "{complaint}");
    }
}

#[test]
fn projects_and_members_are_looked_after() {
    let place = Place::new();
    place.init().ok();
    let id = place.run(&["projects", "create", "--name", "Boats"]).ok();
    let list = place.run(&["projects", "list"]).ok();
    assert!(
        list.lines()
            .any(|line| line.starts_with(id.trim()) && line.contains("Boats")),
        "{list}"
    );
    let names = json(&place.run(&["projects", "list", "--json"]).ok());
    assert_eq!(
        (&names[0]["name"], &names[1]["name"]),
        (&"Boats".into(), &"Rockets".into())
    );

    let invite = [
        "members",
        "invite",
        "--email",
        " Grace@example.com",
        "--role",
        "admin",
    ];
    let invited = place.run(&invite).ok();
    assert!(
        invited.contains("grace@example.com") && invited.contains("inv.team_"),
        "{invited}"
    );
    let list = place.run(&["members", "list"]).ok();
    assert!(
        list.contains("ada@example.com") && list.contains("owner"),
        "{list}"
    );
    for (args, code, wanted) in [
        (
            &["members", "set-role", "ada@example.com", "--role", "viewer"][..],
            1,
            "last_owner",
        ),
        (&["members", "remove", "ADA@example.com"], 1, "last_owner"),
        (&["members", "remove", "grace@example.com"], 1, "no such"),
        (
            &["members", "set-role", "ada@example.com", "--role", "king"],
            2,
            "owner, admin",
        ),
        (
            &[
                "members",
                "invite",
                "--email",
                "ada@example.com",
                "--role",
                "admin",
            ],
            1,
            "already_member",
        ),
    ] {
        let complaint = place.run(args).refused(code);
        assert!(complaint.contains(wanted), "{complaint}");
    }
    let kept = place
        .run(&["members", "set-role", "ada@example.com", "--role", "owner"])
        .ok();
    assert!(kept.contains("ada@example.com is owner now"), "{kept}");
    assert!(place.run(&["verify"]).ok().contains("rules hold"));
}
