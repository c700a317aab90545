//! What the tools change, where they may.

use billstack_core::access::Scope;
use serde_json::{Value, json};

use super::Talk;
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    each_change_is_the_one_of_the_api,
    a_change_is_made_once_under_one_key,
    a_key_that_only_reads_changes_nothing,
}

fn talk(t: &Bench) -> Talk {
    Talk::new(t, &t.key.key, &["--allow-writes"])
}

async fn each_change_is_the_one_of_the_api(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    t.subscribe(&pair).await;
    let customer = t.customer("new").await;
    let mut talk = talk(t);
    let made = talk.ok(
        "create_code",
        json!({"customerId": customer, "vanity": "NEW-ONE"}),
    );
    let code = t.key.get("referrals/codes/new-one").await.ok();
    assert_eq!(made["code"]["code"], code["code"]["code"]);
    let again = json!({"customerId": customer});
    let error = talk.refused("create_code", again, "active_code_exists");
    assert_eq!(error["status"], 409);

    let checked = talk.ok("recheck_referral", json!({"referralId": referral}));
    assert_eq!(checked["referral"]["status"], "converted");

    let credits = t.credits().await;
    let of = |side: &str| {
        let credit = credits.iter().find(|credit| credit["side"] == side);
        text(&credit.expect("a credit")["id"])
    };
    let (mine, theirs) = (of("referrer"), of("referee"));
    let part = json!({"creditId": mine, "amount": 300, "reason": "Fraud"});
    let moved = talk.ok("reverse_credit", part);
    assert_eq!(moved["credit"]["amounts"]["reversed"], 300);
    assert_eq!(
        moved["credit"]["amounts"]["decimal"]["reversed"],
        "3.00 USD"
    );
    let paid = json!({"creditId": theirs, "reason": "Paid out", "reference": "PAY-1"});
    assert_eq!(
        talk.ok("settle_credit", paid)["credit"]["amounts"]["settled"],
        500
    );
    let postings = t
        .key
        .get(&format!("referrals/credits/{theirs}/postings"))
        .await
        .ok();
    assert!(postings.to_string().contains("PAY-1"), "{postings}");
    let nothing = json!({"creditId": mine, "reason": "Nothing is held"});
    assert_eq!(
        talk.refused("release_credit", nothing.clone(), "illegal_transition")["status"],
        409
    );
    talk.refused("retry_credit", nothing, "illegal_transition");
    let error = talk.refused(
        "reverse_credit",
        json!({"creditId": mine}),
        "invalid_argument",
    );
    assert_eq!(error["field"], "reason");
    talk.refused(
        "dismiss_attention",
        json!({"lineId": "nonsense"}),
        "not_found",
    );
    let dismissed = talk.ok("dismiss_attention", json!({"lineId": "budget_low.usd"}));
    assert_eq!(dismissed["dismissal"]["id"], "budget_low.usd");
}

async fn a_change_is_made_once_under_one_key(t: &Bench) {
    let (pair, _) = t.pending("a").await;
    t.subscribe(&pair).await;
    let credit = text(&t.credits().await[0]["id"]);
    let mut talk = talk(t);
    let asked = json!({"creditId": credit, "amount": 100, "reason": "Part"});
    let first = talk.ok("reverse_credit", asked.clone());
    let key = text(&first["idempotencyKey"]);
    assert!(key.starts_with("mcp-") && key.len() == 36, "{key}");
    let mut repeated = asked.clone();
    repeated["idempotencyKey"] = json!(key);
    assert_eq!(talk.ok("reverse_credit", repeated.clone()), first);
    repeated["amount"] = json!(200);
    talk.refused("reverse_credit", repeated, "idempotency_key_reused");
    // Without a key it is another change.
    let second = talk.ok("reverse_credit", asked);
    assert_ne!(second["idempotencyKey"], first["idempotencyKey"]);
    let now = t.key.get(&format!("referrals/credits/{credit}")).await.ok();
    assert_eq!(now["credit"]["amounts"]["reversed"], 200);
}

async fn a_key_that_only_reads_changes_nothing(t: &Bench) {
    let customer = t.customer("a").await;
    let (_, key) = t.key(None, &[Scope::ReferralsRead], None).await;
    let before = t.dump().await;
    let mut reader = Talk::new(t, &key.key, &["--allow-writes"]);
    let is_write = |tool: &&Value| tool["annotations"]["readOnlyHint"] == json!(false);
    assert_eq!(reader.tools().iter().filter(is_write).count(), 0);
    let error = reader.refused(
        "create_code",
        json!({"customerId": customer}),
        "insufficient_scope",
    );
    assert!(
        text(&error["message"]).contains("`referrals:write`"),
        "{error}"
    );
    assert_eq!(t.dump().await, before);
    // Whoever may write is offered them, with what each leaves behind.
    let tools = talk(t).tools();
    let marks = |tool: &Value| tool["annotations"].clone();
    let named = |name: &str| tools.iter().find(|tool| tool["name"] == name).map(marks);
    let reverse = named("reverse_credit").expect("it is listed");
    assert_eq!(reverse["readOnlyHint"], json!(false));
    assert_eq!(reverse["destructiveHint"], json!(true));
    let create = named("create_code").expect("it is listed");
    assert_eq!(create["destructiveHint"], json!(false));
}

/// A change whose answer is lost is told with the key under which it can be repeated.
#[test]
fn a_change_of_unknown_outcome_tells_its_key() {
    let key = billstack_core::access::format_api_key([7; 20]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let place = ["--team", "team_a", "--project", "proj_a"];
    let args = [&["--allow-writes", "--timeout", "1"][..], &place].concat();
    let mut talk = Talk::with(&url, &key, &args);
    // What the key may do, nobody can say now.
    let tools = talk.tools();
    assert!(tools.iter().any(|tool| tool["name"] == "reverse_credit"));
    let asked = json!({"creditId": "cr_a", "reason": "Fraud"});
    let error = talk.refused("reverse_credit", asked, "unreachable");
    assert!(
        text(&error["idempotencyKey"]).starts_with("mcp-"),
        "{error}"
    );
    assert!(
        text(&error["message"]).contains("not known whether it was done"),
        "{error}"
    );
}
