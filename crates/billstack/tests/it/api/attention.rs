//! `…/attention`.

use billstack_core::access::{Role, Scope};
use billstack_core::time::{DAY, HOUR, MINUTE};
use billstack_store::upkeep::{self, Kind, Run};
use fake_stripe::{EventOptions, thin_event};
use serde_json::{Value, json};

use super::referrals::credits::delivery::stripe;
use super::webhook_endpoints::{endpoint, inner};
use crate::support::bench::Bench;
use crate::support::client::{Caller, KeyClient};
use crate::support::fixture::{pluck, text};
use crate::support::stripe::SECRET;

on_both_engines! {
    nothing_needs_anybody,
    wrong_signatures_are_told_for_an_hour,
    events_that_nobody_could_decide_are_told,
    endpoints_that_get_nothing_are_told with inner,
    credits_that_wait_for_a_person_are_told_by_reason with stripe,
    a_budget_is_told_from_four_fifths_on,
    what_is_dismissed_comes_back_after_a_week,
    whoever_writes_dismisses,
    a_server_that_nobody_looks_after_is_told_to_whoever_administers,
    silence_of_stripe_is_told,
    a_ledger_that_does_not_add_up_is_told,
}

async fn attention(key: &impl Caller) -> Value {
    key.get("attention").await.ok()["attention"].take()
}

async fn ids(t: &Bench) -> Vec<String> {
    ids_for(&t.key).await
}

async fn ids_for(who: &impl Caller) -> Vec<String> {
    pluck(&attention(who).await["lines"], "id")
}

async fn dismiss(key: &KeyClient, id: &str) -> Value {
    let path = format!("attention/{id}/dismiss");
    key.post(&path, json!({})).await.ok()["dismissal"].take()
}

async fn nothing_needs_anybody(t: &Bench) {
    t.program(1000, 500).await;
    let (pair, _) = t.pending("a").await;
    t.subscribe(&pair).await;
    let told = attention(&t.key).await;
    assert!(
        text(&told["lookedAt"]).starts_with("2026-03-30T12:00:00."),
        "{told}"
    );
    assert_eq!(
        (&told["lines"], &told["dismissed"]),
        (&json!([]), &json!([]))
    );
}

async fn wrong_signature(t: &Bench) {
    let call = t.nobody.call(reqwest::Method::POST, &t.webhook());
    let signature = format!("t={},v1={}", t.seconds(), "0".repeat(64));
    let call = call.header("stripe-signature", &signature);
    call.body("application/json", "{}")
        .send()
        .await
        .refused("invalid_signature");
}

async fn wrong_signatures_are_told_for_an_hour(t: &Bench) {
    t.connect_with(json!({"webhookSecret": SECRET})).await;
    wrong_signature(t).await;
    t.advance(20 * MINUTE);
    wrong_signature(t).await;
    let lines = attention(&t.key).await["lines"].take();
    let line = &lines[0];
    assert_eq!(lines.as_array().map(Vec::len), Some(1), "{lines}");
    assert_eq!(
        (&line["id"], &line["count"], &text(&line["at"])[..19]),
        (
            &json!("stripe_calls_refused.wrong_secret"),
            &json!(2),
            "2026-03-30T12:20:00"
        )
    );
    let message = text(&line["message"]);
    assert!(
        message.starts_with("2 calls to the webhook address were refused within the last hour: "),
        "{message}"
    );
    t.advance(45 * MINUTE);
    assert_eq!(attention(&t.key).await["lines"][0]["count"], 1);
    t.advance(HOUR);
    assert_eq!(ids(t).await, Vec::<String>::new());
}

async fn events_that_nobody_could_decide_are_told(t: &Bench) {
    let (pair, _) = t.pending("a").await;
    let mut newest = String::new();
    for number in 0..3 {
        t.advance(MINUTE);
        let object = format!("sub_{number}");
        let options = EventOptions::at(t.seconds());
        let event = thin_event("customer.subscription.created", &object, None, &options);
        t.accept(&event).await;
        assert_eq!(t.outcome(&event).await, "failed");
        newest = text(&event["id"]);
    }
    let lines = attention(&t.key).await["lines"].take();
    assert_eq!(lines[0]["id"], format!("stripe_events_failed.{newest}"));
    assert_eq!(
        (&lines[0]["count"], &lines[0]["isMore"]),
        (&json!(3), &json!(false))
    );
    assert!(text(&lines[0]["message"]).contains("secret key"), "{lines}");
    // One that is dismissed is told again as soon as another failed.
    dismiss(&t.key, &text(&lines[0]["id"])).await;
    assert_eq!(ids(t).await, Vec::<String>::new());
    let options = EventOptions::at(t.seconds());
    let event = thin_event("customer.subscription.created", "sub_9", None, &options);
    t.accept(&event).await;
    assert_eq!(
        ids(t).await,
        [format!("stripe_events_failed.{}", text(&event["id"]))]
    );
    // A twin of the customer in another project makes the next one ambiguous.
    let (_, key) = t.project("Twin").await;
    let body = json!({"enabled": true, "referrerCreditAmount": 1, "refereeCreditAmount": 1});
    key.put("referrals/config", body).await.ok();
    let customer = async |name: &str, stripe: Value| {
        let body = json!({"email": format!("{name}@example.com"), "stripeCustomerId": stripe});
        text(&key.post("customers", body).await.created()["customer"]["id"])
    };
    let (owner, friend) = (
        customer("owner", Value::Null).await,
        customer("friend", json!(pair.stripe)).await,
    );
    let code = key
        .post("referrals/codes", json!({"customerId": owner}))
        .await;
    let code = text(&code.created()["code"]["code"]);
    let body = json!({"code": code, "refereeCustomerId": friend});
    key.post("referrals/apply", body).await.created();
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    assert_eq!(t.outcome(&event).await, "ambiguous");
    for of in [&t.key, &key] {
        let all = pluck(&attention(of).await["lines"], "kind");
        assert_eq!(all, ["stripe_events_failed", "stripe_events_ambiguous"]);
    }
    t.advance(31 * DAY);
    assert_eq!(
        pluck(&attention(&t.key).await["lines"], "kind"),
        ["stripe_silent"]
    );
}

async fn endpoints_that_get_nothing_are_told(t: &Bench) {
    let id = endpoint(&t.key, json!(["*"])).await;
    assert_eq!(ids(t).await, Vec::<String>::new());
    let path = format!("webhook-endpoints/{id}");
    t.key.post(&format!("{path}/disable"), json!({})).await.ok();
    let lines = attention(&t.key).await["lines"].take();
    assert_eq!(lines[0]["id"], format!("webhook_endpoint_disabled.{id}"));
    assert!(text(&lines[0]["message"]).contains("by_hand"), "{lines}");
    t.key.post(&format!("{path}/enable"), json!({})).await.ok();
    assert_eq!(ids(t).await, Vec::<String>::new());
}

async fn credits_that_wait_for_a_person_are_told_by_reason(t: &Bench) {
    t.delivering(json!({})).await;
    let (first, second) = (t.customer("a").await, t.customer("b").await);
    for (customer, amount) in [(&first, 100), (&second, 200)] {
        let credit = t.give(customer, amount).await;
        t.delivery(&credit, "needs_attention").await;
    }
    let lines = attention(&t.key).await["lines"].take();
    assert_eq!(
        pluck(&lines, "id"),
        ["credits_need_attention.currency_unset"]
    );
    assert_eq!(
        lines[0]["message"],
        "2 credits do not reach Stripe: the customer has no currency in Stripe yet, and a credit would choose it."
    );
}

async fn a_budget_is_told_from_four_fifths_on(t: &Bench) {
    let put = async |budget: i64| {
        let body = json!({
            "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500, "budget": budget,
        });
        t.key.put("referrals/config", body).await.ok();
    };
    put(1_800).await;
    let (pair, _) = t.pending("a").await;
    put(1_800).await;
    assert_eq!(ids(t).await, Vec::<String>::new());
    t.subscribe(&pair).await;
    let lines = attention(&t.key).await["lines"].take();
    assert_eq!(pluck(&lines, "id"), ["budget_low.usd"]);
    assert_eq!(
        lines[0]["budget"],
        json!({"limit": 1800, "out": 1500, "currency": "usd"})
    );
    let credit = text(&t.credits().await[0]["id"]);
    let path = format!("referrals/credits/{credit}/reverse");
    t.key.post(&path, json!({"reason": "x"})).await.ok();
    assert_eq!(ids(t).await, Vec::<String>::new());
}

async fn what_is_dismissed_comes_back_after_a_week(t: &Bench) {
    let body = json!({"name": "Trial", "mode": "test"});
    let trial = t.owner.post(&t.home.path("projects"), body).await.created();
    let trial = text(&trial["project"]["id"]);
    let key = t.key.over(&t.key.wire().within(&t.home.team, &trial));
    let event = thin_event(
        "customer.subscription.created",
        "sub_1",
        None,
        &EventOptions::at(t.seconds()),
    );
    t.connect().await;
    t.accept(&event).await;
    let id = format!("stripe_events_failed.{}", text(&event["id"]));
    let dismissal = dismiss(&key, &id).await;
    assert_eq!(dismissal["id"], id.as_str());
    let until = text(&dismissal["until"]);
    assert!(until.starts_with("2026-04-06T12:00:00."), "{until}");
    let told = attention(&key).await;
    assert_eq!(told["lines"], json!([]));
    assert_eq!(told["dismissed"][0]["dismissedUntil"], until.as_str());
    // The line is of the team; whoever dismissed it did so in one project.
    assert_eq!(ids(t).await, std::slice::from_ref(&id));
    for (to, is_back) in [
        ("2026-04-06T11:59:00Z", false),
        ("2026-04-06T12:01:00Z", true),
    ] {
        key.post("test-clock/advance", json!({"to": to})).await.ok();
        let lines = pluck(&attention(&key).await["lines"], "id");
        assert_eq!(lines == [id.clone()], is_back, "{to}");
    }
    let log = t.home.path("activity?type=attention.dismissed");
    let log = t.owner.get(&log).await.ok();
    assert_eq!(log["activity"][0]["facts"]["line"], id.as_str());
}

async fn whoever_writes_dismisses(t: &Bench) {
    let path = "attention/budget_low.usd/dismiss";
    for role in [Role::Viewer, Role::Member] {
        let member = t.member(role).await;
        member.get("attention").await.ok();
        let answer = member.post(path, json!({})).await;
        match role.can_write() {
            true => drop(answer.ok()),
            false => drop(answer.refused("forbidden")),
        }
    }
    let (_, reads) = t.key(None, &[Scope::ReferralsRead], None).await;
    reads.get("attention").await.ok();
    reads
        .post(path, json!({}))
        .await
        .refused("insufficient_scope");
    let (_, others) = t.key(None, &[Scope::CustomersWrite], None).await;
    others.get("attention").await.refused("insufficient_scope");
    for id in [
        "nonsense",
        "budget_low.xyz",
        "webhook_endpoint_failing.whe_none",
    ] {
        let path = format!("attention/{id}/dismiss");
        t.key.post(&path, json!({})).await.refused("not_found");
    }
}

/// Notes a run that began now.
async fn note(t: &Bench, kind: Kind, result: i64) {
    let began_at = t.now();
    let run = move || Run {
        began_at,
        ended_at: began_at,
        result,
        version: "0.1.0".to_owned(),
    };
    t.write(move |tx, _| Ok(upkeep::note(tx, kind, &run())?))
        .await;
}

async fn a_server_that_nobody_looks_after_is_told_to_whoever_administers(t: &Bench) {
    t.later(4 * DAY).await;
    // There is nothing to lose yet.
    assert_eq!(ids_for(&t.owner).await, Vec::<String>::new());
    t.customer("a").await;
    let status = t.owner.get(&t.home.path("status")).await.ok();
    let is_embedded = status["status"]["engine"] == "sqlite";
    let missing = match is_embedded {
        true => "backup_missing.never",
        false => "books_unchecked.never",
    };
    let owner = &t.owner;
    let lines = attention(owner).await["lines"].take();
    assert_eq!(pluck(&lines, "id"), [missing]);
    let command = match is_embedded {
        true => "`billstack backup \"billstack-$(date +%Y%m%d-%H%M%S).db\"`",
        false => "`billstack verify`",
    };
    assert!(text(&lines[0]["cure"]).contains(command), "{lines}");
    note(t, Kind::Verify, 0).await;
    note(t, Kind::Backup, 4_096).await;
    assert_eq!(ids_for(owner).await, Vec::<String>::new());
    t.later(3 * DAY).await;
    let late = match is_embedded {
        true => "backup_missing.late",
        false => "books_unchecked.late",
    };
    assert_eq!(ids_for(owner).await, [late]);
    note(t, Kind::Backup, 4_096).await;
    note(t, Kind::Verify, 3).await;
    assert_eq!(ids_for(owner).await, ["books_broken.3"]);
    let told = attention(owner).await;
    assert_eq!(
        told["lines"][0]["message"],
        "The last check of the database found 3 rules broken."
    );
    // It is no matter of those who only work in the project, nor of its keys: they cannot put it away either.
    let member = t.member(Role::Member).await;
    assert_eq!(ids_for(&member).await, Vec::<String>::new());
    assert_eq!(ids(t).await, Vec::<String>::new());
    let path = "attention/books_broken.3/dismiss";
    t.key.post(path, json!({})).await.refused("not_found");
    member.post(path, json!({})).await.refused("not_found");
    owner
        .post("attention/books_broken.2/dismiss", json!({}))
        .await
        .refused("not_found");
    owner.post(path, json!({})).await.ok();
    assert_eq!(ids_for(owner).await, Vec::<String>::new());
    // One rule more is another line.
    t.advance(MINUTE);
    note(t, Kind::Verify, 4).await;
    assert_eq!(ids_for(owner).await, ["books_broken.4"]);
}

async fn silence_of_stripe_is_told(t: &Bench) {
    t.connect_with(json!({"webhookSecret": SECRET})).await;
    t.later(4 * DAY).await;
    // Nobody is there of whom Stripe could tell.
    assert_eq!(ids(t).await, Vec::<String>::new());
    t.customer("nobody").await;
    let lines = attention(&t.key).await["lines"].take();
    assert_eq!(pluck(&lines, "id"), ["stripe_silent.never"]);
    assert_eq!(
        lines[0]["message"],
        "Stripe has sent no event since it was connected 4 days ago."
    );
    let pair = t.pending("a").await.0;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    assert_eq!(ids(t).await, Vec::<String>::new());
    t.advance(2 * DAY);
    assert_eq!(ids(t).await, Vec::<String>::new());
    t.advance(4 * DAY);
    let lines = attention(&t.key).await["lines"].take();
    let id = format!("stripe_silent.{}", text(&event["id"]));
    assert_eq!(pluck(&lines, "id"), std::slice::from_ref(&id));
    assert_eq!(lines[0]["message"], "Stripe has sent no event for 6 days.");
    // Dismissed, it comes back with the next silence.
    dismiss(&t.key, &id).await;
    assert_eq!(ids(t).await, Vec::<String>::new());
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    t.advance(4 * DAY);
    assert_eq!(
        ids(t).await,
        [format!("stripe_silent.{}", text(&event["id"]))]
    );
    // A team that is not connected waits for nothing.
    let path = t.home.path("stripe/disconnect");
    let admin = t.member(Role::Admin).await;
    admin.post(&path, json!({})).await.ok();
    assert_eq!(ids(t).await, Vec::<String>::new());
}

async fn a_ledger_that_does_not_add_up_is_told(t: &Bench) {
    t.program(1000, 500).await;
    let (pair, _) = t.pending("a").await;
    t.subscribe(&pair).await;
    assert_eq!(ids(t).await, Vec::<String>::new());
    // The worker counts what was booked once, and must not count what is changed here.
    t.advance(2 * MINUTE);
    let counted = "UPDATE booked_days SET available = 500 WHERE available = 500";
    while t.write(move |tx, _| Ok(tx.execute(counted, &[])?)).await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let change = async |sql: &'static str| {
        t.write(move |tx, _| Ok(tx.must(sql, &[])?)).await;
        // What was added up is good for a minute.
        t.advance(2 * MINUTE);
    };
    change("UPDATE entry_lines SET amount = 600 WHERE amount = 500").await;
    let lines = attention(&t.key).await["lines"].take();
    assert_eq!(pluck(&lines, "id"), ["ledger_unexplained.usd"]);
    assert_eq!(
        lines[0]["message"],
        "1.00 USD of what is owed is explained by no movement of the ledger."
    );
    change("UPDATE entry_lines SET amount = 500 WHERE amount = 600").await;
    assert_eq!(ids(t).await, Vec::<String>::new());
}
