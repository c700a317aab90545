//! `…/projects/{projectId}/test-clock`.

use std::time::Duration;

use billstack::clock::rfc3339;
use billstack_core::access::{Role, Scope};
use billstack_core::time::{DAY, HOUR, Micros, SECOND};
use serde_json::{Value, json};

use crate::support::bench::{Bench, START};
use crate::support::client::{Caller, CookieClient, KeyClient};
use crate::support::fixture::{Pair, apply_body, text};

on_both_engines! {
    a_project_has_a_mode_for_ever,
    a_clock_starts_at_the_time_and_goes_forward_only,
    only_a_test_project_has_a_clock,
    a_hold_is_over_when_the_clock_says_so,
    what_happens_after_an_advance_is_by_the_clock,
    which_subscription_converts_is_by_the_time_of_day,
    a_person_moves_a_clock_too,
    statistics_are_of_the_days_of_the_clock,
    finance_asks_at_the_time_of_the_clock,
    a_day_of_the_clock_is_no_day_of_a_key,
    a_call_under_a_key_moves_a_clock_once,
    what_is_of_live_mode_is_nothing_to_a_test_project,
}

/// How much the time goes on with each call.
const EACH_CALL: i64 = 1_000;

const CLOCK: &str = "test-clock";
const ADVANCE: &str = "test-clock/advance";

/// A test project of the usual team, in which a program holds credits for so many days.
struct Trial {
    id: String,
    key: KeyClient,
}

async fn trial(t: &Bench, hold_days: i64) -> Trial {
    let body = json!({"name": "Trial", "mode": "test"});
    let answer = t.owner.post(&t.home.path("projects"), body).await.created();
    let id = text(&answer["project"]["id"]);
    let key = t.key.over(&t.key.wire().within(&t.home.team, &id));
    let body = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500, "holdDays": hold_days,
    });
    key.put("referrals/config", body).await.ok();
    t.connect().await;
    Trial { id, key }
}

impl Trial {
    async fn now(&self) -> String {
        text(&self.key.get(CLOCK).await.ok()["now"])
    }

    async fn advance(&self, to: Micros) -> Value {
        let body = json!({"to": rfc3339(to.0)});
        self.key.post(ADVANCE, body).await.ok()
    }

    async fn pair(&self, name: &str) -> Pair {
        let stripe = format!("cus_{name}");
        let customer = async |name: String, stripe: Value| {
            let body = json!({"email": format!("{name}@example.com"), "stripeCustomerId": stripe});
            text(&self.key.post("customers", body).await.created()["customer"]["id"])
        };
        let referrer = customer(format!("{name}-referrer"), Value::Null).await;
        let code = json!({"customerId": referrer});
        let code = self.key.post("referrals/codes", code).await.created();
        Pair {
            code: text(&code["code"]["code"]),
            referee: customer(format!("{name}-referee"), json!(stripe)).await,
            referrer,
            stripe,
        }
    }

    async fn apply(&self, pair: &Pair) -> Value {
        let body = apply_body(&pair.code, &pair.referee);
        self.key.post("referrals/apply", body).await.created()["referral"].take()
    }

    async fn referral(&self, referral: &Value) -> Value {
        let path = format!("referrals/{}", text(&referral["id"]));
        self.key.get(&path).await.ok()["referral"].take()
    }

    async fn credits(&self) -> Vec<Value> {
        let answer = self.key.get("referrals/credits").await.ok();
        answer["credits"].as_array().expect("a list").clone()
    }

    /// Waits until no credit is held any more.
    async fn released(&self) -> Vec<Value> {
        for _ in 0..200 {
            let credits = self.credits().await;
            if credits.iter().all(|credit| credit["status"] != "held") {
                return credits;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("nobody ended the hold");
    }
}

async fn a_project_has_a_mode_for_ever(t: &Bench) {
    let path = t.home.path("projects");
    for (mode, wanted) in [
        (None, "live"),
        (Some("live"), "live"),
        (Some("test"), "test"),
    ] {
        let mut body = json!({"name": "Shop"});
        if let Some(mode) = mode {
            body["mode"] = json!(mode);
        }
        let answer = t.owner.post(&path, body).await.created();
        assert_eq!(answer["project"]["mode"], wanted);
        let list = t.owner.get(&path).await.ok();
        assert_eq!(list["projects"][0]["mode"], wanted);
    }
    for odd in [
        json!("Test"),
        json!(""),
        json!(1),
        json!("x".repeat(65)),
        json!({}),
    ] {
        let body = json!({"name": "Shop", "mode": odd});
        t.owner.post(&path, body).await.invalid("mode");
    }
}

async fn a_clock_starts_at_the_time_and_goes_forward_only(t: &Bench) {
    let trial = trial(t, 0).await;
    assert_eq!(trial.now().await, rfc3339(t.now().0));
    let to = t.now().plus(DAY);
    assert_eq!(trial.advance(to).await, json!({"now": rfc3339(to.0)}));
    t.advance(5 * SECOND);
    let later = to.plus(5 * SECOND + EACH_CALL);
    assert_eq!(trial.now().await, rfc3339(later.0), "it ticks");
    for odd in [
        json!(rfc3339(to.0)),
        json!(rfc3339(t.now().plus(4_000 * DAY).0)),
        json!("tomorrow"),
        json!(7),
        Value::Null,
    ] {
        let dump = t.dump().await;
        trial
            .key
            .post(ADVANCE, json!({"to": odd}))
            .await
            .invalid("to");
        assert_eq!(t.dump().await, dump);
    }
    trial.key.post(ADVANCE, json!({})).await.invalid("to");
    let log = "SELECT COUNT(*) FROM events WHERE type = 'project.clock_advanced'";
    let told = t.write(move |tx, _| Ok(tx.one(log, &[], |row| row.int(0))?));
    assert_eq!(told.await, Some(1));
}

async fn only_a_test_project_has_a_clock(t: &Bench) {
    let to = json!({"to": rfc3339(t.now().plus(DAY).0)});
    t.key
        .post(ADVANCE, to.clone())
        .await
        .refused("not_a_test_project");
    t.key.get(CLOCK).await.refused("not_a_test_project");
    let trial = trial(t, 0).await;
    let (_, reader) = t.key(Some(&trial.id), &[Scope::ReferralsRead], None).await;
    let reader = reader.over(trial.key.wire());
    reader.get(CLOCK).await.ok();
    reader.post(ADVANCE, to).await.refused("insufficient_scope");
}

async fn a_hold_is_over_when_the_clock_says_so(t: &Bench) {
    let trial = trial(t, 30).await;
    let pair = trial.pair("a").await;
    let referral = trial.apply(&pair).await;
    t.subscribe(&pair).await;
    let converted = text(&trial.referral(&referral).await["convertedAt"]);
    let converted = Micros::from_rfc3339(&converted).expect("a time");
    assert_eq!(trial.credits().await.len(), 2);
    trial.advance(converted.plus(29 * DAY)).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    for credit in trial.credits().await {
        assert_eq!(credit["status"], "held");
        assert_eq!(credit["heldUntil"], rfc3339(converted.plus(30 * DAY).0));
    }
    trial.advance(converted.plus(30 * DAY + SECOND)).await;
    for credit in trial.released().await {
        assert_eq!(credit["amounts"]["available"], credit["amount"]);
        let path = format!("referrals/credits/{}/postings", text(&credit["id"]));
        let postings = trial.key.get(&path).await.ok();
        let last = postings["postings"].as_array().and_then(|all| all.last());
        let last = last.expect("a posting");
        assert_eq!(last["effectiveAt"], rfc3339(converted.plus(30 * DAY).0));
        assert!(text(&last["createdAt"]) >= rfc3339(converted.plus(30 * DAY + SECOND).0));
    }
    // Nothing has happened to the time of day.
    assert!(t.now().since(START) < HOUR);
}

async fn what_happens_after_an_advance_is_by_the_clock(t: &Bench) {
    let trial = trial(t, 10).await;
    let (early, late) = (trial.pair("a").await, trial.pair("b").await);
    let early_referral = trial.apply(&early).await;
    let to = t.now().plus(40 * DAY);
    trial.advance(to).await;
    let late_referral = trial.apply(&late).await;
    assert!(text(&late_referral["createdAt"]) >= rfc3339(to.0));
    for (pair, referral) in [(&early, &early_referral), (&late, &late_referral)] {
        t.subscribe(pair).await;
        let referral = trial.referral(referral).await;
        assert_eq!(referral["status"], "converted");
        assert!(text(&referral["convertedAt"]) >= rfc3339(to.plus(-HOUR).0));
        assert!(text(&referral["convertedAt"]) <= trial.now().await);
    }
    for credit in trial.credits().await {
        assert!(text(&credit["heldUntil"]) >= rfc3339(to.plus(10 * DAY - HOUR).0));
    }
    // A live project of the same team goes by the time of day.
    let pair = t.pair("c").await;
    assert!(text(&t.apply(&pair).await["createdAt"]) < rfc3339(t.now().plus(HOUR).0));
    // What is enqueued after an advance waits by the clock too.
    trial.advance(to.plus(10 * DAY + HOUR)).await;
    trial.released().await;
}

/// The referee has subscribed so long ago.
async fn began_before(t: &Bench, pair: &Pair, micros: i64) {
    let began = t.seconds() - micros / SECOND;
    let subscription = t.subscription(&pair.stripe).created(began);
    let event = t.event("customer.subscription.created", &subscription);
    t.accept(&event).await;
}

async fn which_subscription_converts_is_by_the_time_of_day(t: &Bench) {
    let trial = trial(t, 0).await;
    let (old, new) = (trial.pair("a").await, trial.pair("b").await);
    let fresh = trial.pair("c").await;
    trial.advance(t.now().plus(3 * DAY)).await;
    // It began two days ago, longer than the grace.
    began_before(t, &old, 2 * DAY).await;
    let body = apply_body(&old.code, &old.referee);
    trial
        .key
        .post("referrals/apply", body)
        .await
        .refused("not_a_new_customer");
    let referral = trial.apply(&new).await;
    began_before(t, &new, 2 * DAY).await;
    assert_eq!(trial.referral(&referral).await["status"], "pending");
    // By the clock this one began days before.
    began_before(t, &fresh, 2 * HOUR).await;
    assert_eq!(trial.apply(&fresh).await["status"], "converted");
    // The clock alone makes no old subscription new.
    trial.advance(t.now().plus(30 * DAY)).await;
    assert_eq!(trial.referral(&referral).await["status"], "pending");
}

async fn a_person_moves_a_clock_too(t: &Bench) {
    let trial = trial(t, 0).await;
    let to = json!({"to": rfc3339(t.now().plus(DAY).0)});
    for (role, may) in [(Role::Viewer, false), (Role::Member, true)] {
        let member = t.member(role).await;
        let member = CookieClient::new(trial.key.wire(), &member.cookie);
        let answer = member.post(ADVANCE, to.clone()).await;
        assert_eq!(answer.status, if may { 200 } else { 403 }, "{role:?}");
    }
    let made = trial.pair("a").await;
    let customer = format!("customers/{}", made.referrer);
    let customer = trial.key.get(&customer).await.ok();
    assert!(text(&customer["customer"]["createdAt"]) >= text(&to["to"]));
}

async fn statistics_are_of_the_days_of_the_clock(t: &Bench) {
    let trial = trial(t, 0).await;
    let to = t.now().plus(40 * DAY);
    trial.advance(to).await;
    let pair = trial.pair("a").await;
    trial.apply(&pair).await;
    let stats = trial.key.get("referrals/stats?days=1").await.ok();
    let day = &stats["stats"]["byDay"][0];
    assert_eq!(day["date"], rfc3339(to.0)[..10]);
    assert_eq!(day["referrals"], 1);
}

async fn finance_asks_at_the_time_of_the_clock(t: &Bench) {
    let trial = trial(t, 0).await;
    let to = t.now().plus(40 * DAY);
    trial.advance(to).await;
    let email = json!({"email": "a@example.com"});
    let made = trial.key.post("customers", email).await.created();
    let gift = json!({
        "customerId": made["customer"]["id"], "amount": 300, "currency": "usd", "reason": "x",
    });
    trial.key.post("referrals/credits", gift).await.created();
    let now = trial.key.get("referrals/liability").await.ok();
    assert_eq!(now["liability"][0]["open"], 300, "{now}");
    assert_eq!(
        now["at"].as_str().expect("a time")[..10],
        rfc3339(to.0)[..10]
    );
    let month = trial.key.get("referrals/roll-forward").await.ok();
    assert_eq!(month["from"], rfc3339(to.month().0.0));
    assert_eq!(month["rollForward"][0]["granted"], 300, "{month}");
    let file = trial.key.get("referrals/exports/roll-forward").await;
    assert!(file.text.contains("usd,manual,0,300,"), "{file:?}");
    let report = |at: Micros| format!("reports/{}", &rfc3339(at.0)[..7]);
    let running = trial.key.get(&report(to)).await.ok();
    assert_eq!(running["report"]["isOver"], false, "{running}");
    trial.key.get(&report(to.month().1)).await.invalid("month");
    t.key.get(&report(to)).await.invalid("month");
    // A time that is named is that time, whatever the clock shows.
    let before = format!("referrals/liability?at={}", rfc3339(t.now().0));
    let before = trial.key.get(&before).await.ok();
    assert_eq!(before["liability"], json!([]));
}

async fn a_day_of_the_clock_is_no_day_of_a_key(t: &Bench) {
    let trial = trial(t, 0).await;
    let until = t.now().plus(HOUR);
    let (_, key) = t.key(Some(&trial.id), Scope::ALL, Some(until)).await;
    let key = key.over(trial.key.wire());
    let to = json!({"to": rfc3339(t.now().plus(2 * DAY).0)});
    key.post(ADVANCE, to).await.ok();
    key.post("customers", json!({"email": "a@example.com"}))
        .await
        .created();
}

async fn a_call_under_a_key_moves_a_clock_once(t: &Bench) {
    let trial = trial(t, 0).await;
    let to = rfc3339(t.now().plus(DAY).0);
    let again = || {
        let call = trial.key.call(reqwest::Method::POST, ADVANCE);
        call.header("idempotency-key", "once")
            .json(&json!({"to": to}))
    };
    let first = again().send().await.ok();
    t.advance(HOUR);
    assert_eq!(again().send().await.ok(), first);
    assert_eq!(first["now"], to.as_str());
}

async fn what_is_of_live_mode_is_nothing_to_a_test_project(t: &Bench) {
    let trial = trial(t, 0).await;
    let pair = trial.pair("a").await;
    let referral = trial.apply(&pair).await;
    let mut event = t.created(&pair.stripe);
    event["livemode"] = json!(true);
    t.accept(&event).await;
    assert_eq!(trial.referral(&referral).await["status"], "pending");
    let path = t
        .home
        .path(&format!("stripe/events/{}", text(&event["id"])));
    let kept = t.owner.get(&path).await.ok();
    assert_eq!(kept["event"]["outcome"], "ignored");
    assert!(text(&kept["event"]["reason"]).contains("live mode"));
    // A live project of the team takes it, whose customer has the same id in Stripe.
    let live = t.pair("a").await;
    let of_live = t.apply(&live).await;
    assert_eq!(of_live["status"], "converted");
    let mut again = t.created("cus_b");
    again["id"] = json!("evt_again");
    t.accept(&again).await;
    assert_eq!(trial.referral(&referral).await["status"], "pending");
    // What is decided anew stays out, and what is of test mode comes in.
    let customer = format!("customers/{}", pair.referee);
    for stripe in [json!(null), json!(pair.stripe)] {
        let patch = json!({"stripeCustomerId": stripe});
        trial.key.patch(&customer, patch).await.ok();
    }
    assert_eq!(trial.referral(&referral).await["status"], "pending");
    let tried = trial.pair("c").await;
    let tried_referral = trial.apply(&tried).await;
    t.subscribe(&tried).await;
    assert_eq!(trial.referral(&tried_referral).await["status"], "converted");
}
