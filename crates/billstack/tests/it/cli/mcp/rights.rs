//! The tools may what their key may.

use billstack_core::access::Scope;
use billstack_store::api_keys;
use serde_json::json;

use super::Talk;
use crate::support::bench::Bench;
use crate::support::fixture::{pluck, text};

on_both_engines! {
    a_scope_that_is_missing_is_named,
    a_key_of_another_team_sees_nothing_of_this_one,
    a_key_that_is_revoked_meanwhile_is_told_so,
    a_key_of_one_project_needs_no_name_of_it_and_sees_no_other,
    where_there_are_several_projects_one_is_named,
    a_program_without_writes_can_write_nothing,
}

async fn a_scope_that_is_missing_is_named(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let (_, key) = t.key(None, &[Scope::CustomersRead], None).await;
    let mut talk = Talk::new(t, &key.key, &[]);
    for (tool, arguments, scopes) in [
        (
            "explain_referral",
            json!({"referralId": referral}),
            "`referrals:read`",
        ),
        ("stripe_events", json!({}), "`referrals:read`"),
        (
            "customer",
            json!({"customerId": pair.referrer}),
            "`customers:read` and `referrals:read`",
        ),
    ] {
        let error = talk.refused(tool, arguments, "insufficient_scope");
        assert_eq!(error["status"], 403);
        assert!(text(&error["message"]).contains(scopes), "{error}");
    }
    // It finds what it may read, and nothing else.
    let hits =
        |talk: &mut Talk, asked: &str| talk.ok("find", json!({"text": asked}))["hits"].clone();
    assert_eq!(hits(&mut talk, &pair.stripe)[0]["id"], pair.referee);
    assert_eq!(hits(&mut talk, &referral), json!([]));
    assert_eq!(hits(&mut talk, &pair.code), json!([]));
}

async fn a_key_of_another_team_sees_nothing_of_this_one(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let stranger = t.tenant("stranger").await;
    let mut talk = Talk::new(t, &stranger.key.key, &[]);
    for named in [
        &referral,
        &pair.code,
        &pair.stripe,
        &pair.referrer,
        &t.home.team,
    ] {
        let found = talk.ok("find", json!({"text": named}));
        assert_eq!(found["hits"], json!([]), "{named}");
    }
    talk.refused(
        "explain_referral",
        json!({"referralId": referral}),
        "referral_not_found",
    );
    let elsewhere = json!({"project": t.home.project});
    talk.refused("attention", elsewhere, "not_found");
    let home = ["--team", &t.home.team, "--project", &t.home.project];
    let mut talk = Talk::new(t, &stranger.key.key, &home);
    talk.refused("list_referrals", json!({}), "forbidden");
    talk.refused("stripe_events", json!({}), "forbidden");
    talk.refused("list_projects", json!({}), "forbidden");
}

async fn a_key_that_is_revoked_meanwhile_is_told_so(t: &Bench) {
    let (id, key) = t.key(None, &[], None).await;
    let mut talk = Talk::new(t, &key.key, &["--allow-writes"]);
    talk.ok("attention", json!({}));
    let team = t.home.team_id();
    t.write(move |tx, act| api_keys::revoke(tx, act, &team, &id))
        .await;
    let customer = t.customer("late").await;
    let before = t.dump().await;
    let error = talk.refused("attention", json!({}), "api_key_revoked");
    assert_eq!(error["status"], 401);
    talk.refused("find", json!({"text": "a"}), "api_key_revoked");
    talk.refused(
        "create_code",
        json!({"customerId": customer}),
        "api_key_revoked",
    );
    assert_eq!(t.dump().await, before);
}

async fn a_key_of_one_project_needs_no_name_of_it_and_sees_no_other(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    t.subscribe(&pair).await;
    let (other, _) = t.project("other").await;
    let (_, of_home) = t.key(Some(&t.home.project), &[], None).await;
    let (_, of_other) = t.key(Some(&other), &[], None).await;
    let mut home = Talk::new(t, &of_home.key, &[]);
    let mut away = Talk::new(t, &of_other.key, &[]);
    home.ok("explain_referral", json!({"referralId": referral}));
    away.refused(
        "explain_referral",
        json!({"referralId": referral}),
        "referral_not_found",
    );
    away.refused("attention", json!({"project": t.home.project}), "forbidden");
    for (talk, project, number) in [(&mut home, &t.home.project, 1), (&mut away, &other, 0)] {
        let found = talk.ok("find", json!({"text": pair.code}));
        assert_eq!(found["hits"].as_array().map(Vec::len), Some(number));
        let events = talk.ok("stripe_events", json!({}));
        assert_eq!(events["events"].as_array().map(Vec::len), Some(number));
        let projects = talk.ok("list_projects", json!({}));
        assert_eq!(pluck(&projects["projects"], "id").len(), 1);
        assert_eq!(projects["projects"][0]["id"], project.as_str());
        assert_eq!(projects["caller"]["projectId"], project.as_str());
    }
}

async fn where_there_are_several_projects_one_is_named(t: &Bench) {
    let (_, referral) = t.pending("a").await;
    let (other, _) = t.project("other").await;
    let mut talk = Talk::new(t, &t.key.key, &[]);
    let asked = json!({"referralId": referral});
    let error = talk.refused("explain_referral", asked.clone(), "invalid_argument");
    assert_eq!(error["field"], "project");
    let message = text(&error["message"]);
    assert!(
        message.contains(&other) && message.contains(&t.home.project),
        "{message}"
    );
    let named = json!({"referralId": referral, "project": t.home.project});
    talk.ok("explain_referral", named);
    let mut talk = Talk::new(t, &t.key.key, &["--project", &t.home.project]);
    talk.ok("explain_referral", asked);
    // What a call names counts before what the program was started with.
    let elsewhere = json!({"referralId": referral, "project": other});
    talk.refused("explain_referral", elsewhere, "referral_not_found");
}

async fn a_program_without_writes_can_write_nothing(t: &Bench) {
    let customer = t.customer("a").await;
    let before = t.dump().await;
    let mut talk = Talk::new(t, &t.key.key, &[]);
    for tool in talk.tools() {
        assert_eq!(tool["annotations"]["readOnlyHint"], json!(true), "{tool}");
        assert_eq!(
            tool["inputSchema"]["additionalProperties"],
            json!(false),
            "{tool}"
        );
    }
    for tool in [
        "create_code",
        "reverse_credit",
        "dismiss_attention",
        "nothing",
    ] {
        let asked = json!({"name": tool, "arguments": {"customerId": customer}});
        let answer = talk.ask("tools/call", asked);
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    assert_eq!(t.dump().await, before);
}
