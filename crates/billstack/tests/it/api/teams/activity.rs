//! `GET …/activity`.

use billstack_core::access::Role;
use billstack_core::time::HOUR;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{pluck, text};

on_both_engines! {
    the_file_has_what_the_list_has,
    who_did_what_is_told_with_what_was_before,
    filters_are_exact_and_combine,
    pages_are_complete,
    it_is_for_those_who_administer_the_team,
}

async fn activity(t: &Bench, query: &str) -> Value {
    let path = t.home.path(&format!("activity{query}"));
    t.owner.get(&path).await.ok()
}

async fn who_did_what_is_told_with_what_was_before(t: &Bench) {
    t.program(1000, 500).await;
    let body = json!({"enabled": true, "referrerCreditAmount": 2000, "refereeCreditAmount": 500});
    let answer = t.owner.put("referrals/config", body).await;
    let request = answer.header("x-request-id").expect("an id").to_owned();
    answer.ok();
    let told = activity(t, "?limit=2").await["activity"].take();
    let [latest, first] = told.as_array().expect("a list").as_slice() else {
        panic!("{told}");
    };
    assert_eq!(latest["type"], "program.updated");
    assert_eq!(latest["actor"], format!("user:{}", t.home.owner_id));
    assert_eq!(
        (&latest["actorName"], &first["actorName"]),
        (&json!("Owner of home"), &json!("everything"))
    );
    assert_eq!(latest["projectId"], t.home.project.as_str());
    assert_eq!(latest["requestId"], request.as_str());
    assert_eq!(latest["facts"]["referrerCreditAmount"], 2000);
    assert_eq!(latest["before"], first["facts"]);
    assert_eq!(first["facts"]["referrerCreditAmount"], 1000);
    assert_eq!(first["before"], Value::Null);
}

async fn filters_are_exact_and_combine(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    t.subscribe(&pair).await;
    t.advance(2 * HOUR);
    let credit = text(&t.credits().await[0]["id"]);
    let path = format!("referrals/credits/{credit}/settle");
    let settled = t.owner.post(&path, json!({"reason": "paid"})).await;
    let request = settled.header("x-request-id").expect("an id").to_owned();
    settled.ok();
    let owner = format!("user:{}", t.home.owner_id);
    let story = ["credit.settled", "credit.granted"];
    let cases: Vec<(String, Vec<&str>)> = vec![
        (format!("subject={credit}"), story.to_vec()),
        (
            format!("subject={credit}&actor={owner}"),
            vec!["credit.settled"],
        ),
        (
            format!("subject={referral}"),
            vec!["referral.converted", "referral.applied"],
        ),
        (format!("subject={}", pair.code), vec!["code.created"]),
        (
            format!("subject={}", pair.referee),
            vec!["customer.created"],
        ),
        (
            format!("actor={owner}&type=credit.settled"),
            vec!["credit.settled"],
        ),
        (format!("actor={owner}&type=code.created"), vec![]),
        ("type=credit.settled".to_owned(), vec!["credit.settled"]),
        ("type=code.created".to_owned(), vec!["code.created"]),
        (format!("requestId={request}"), vec!["credit.settled"]),
        (format!("requestId={request}&type=code.created"), vec![]),
        (
            "from=2026-03-30T13:00:00Z".to_owned(),
            vec!["credit.settled"],
        ),
        (
            "type=code.created&from=2026-03-30T13:00:00Z".to_owned(),
            vec![],
        ),
        (
            "type=code.created&to=2026-03-30T13:00:00Z".to_owned(),
            vec!["code.created"],
        ),
        ("subject=pc_nobody".to_owned(), vec![]),
        ("actor=user:usr_nobody".to_owned(), vec![]),
    ];
    for (query, expected) in cases {
        let told = activity(t, &format!("?{query}")).await;
        assert_eq!(pluck(&told["activity"], "type"), expected, "{query}");
        assert_eq!(told.get("nextCursor"), None, "{query}");
    }
    for (query, field) in [
        ("type=credit.paid", "type"),
        ("from=today", "from"),
        ("actor=", "actor"),
    ] {
        let path = t.home.path(&format!("activity?{query}"));
        t.owner.get(&path).await.invalid(field);
    }
}

async fn pages_are_complete(t: &Bench) {
    let (pair, _) = t.pending("a").await;
    t.subscribe(&pair).await;
    let all = pluck(&activity(t, "").await["activity"], "id");
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = activity(t, &format!("?limit=2{cursor}")).await;
        ids.extend(pluck(&page["activity"], "id"));
        match page.get("nextCursor") {
            Some(next) => cursor = format!("&cursor={}", text(next)),
            None => break,
        }
    }
    assert!(all.len() > 6, "{all:?}");
    assert_eq!(ids, all);
}

async fn it_is_for_those_who_administer_the_team(t: &Bench) {
    let path = t.home.path("activity");
    let member = t.member(Role::Member).await;
    assert_eq!(member.get(&path).await.status, 403);
    let stranger = t.tenant("stranger").await;
    assert_eq!(stranger.owner.get(&path).await.status, 403);
    t.pending("a").await;
    let own = stranger.owner.get(&stranger.path("activity")).await.ok();
    assert!(!own.to_string().contains(&t.home.team), "{own}");
}

async fn the_file_has_what_the_list_has(t: &Bench) {
    t.program(1_000, 500).await;
    for number in 0..3 {
        t.customer(&format!("c{number}")).await;
    }
    let list = t
        .owner
        .get(&t.home.path("activity?type=customer.created"))
        .await
        .ok();
    let list = pluck(&list["activity"], "id");
    let file = t
        .owner
        .get(&t.home.path("activity.csv?type=customer.created"))
        .await;
    assert_eq!(file.status, 200, "{file:?}");
    let lines: Vec<_> = file.text.trim_start_matches('\u{feff}').lines().collect();
    assert!(
        lines[0].starts_with("id,createdAt,type,subject,actor,"),
        "{file:?}"
    );
    let ids: Vec<_> = lines[1..]
        .iter()
        .filter_map(|line| line.split(',').next())
        .collect();
    assert_eq!(ids, list);
    assert_eq!(ids.len(), 3);
    let wrong = t
        .owner
        .get(&t.home.path("activity.csv?type=nonsense"))
        .await;
    wrong.invalid("type");
}
