//! The samples of the documentation are what the service tells of events that really happened.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use billstack::webhooks::out::{body, samples};
use billstack_core::time::{DAY, MINUTE, Micros, SECOND};
use billstack_core::webhook::types::Type;
use billstack_store::told::{self, Recorded, Told};
use fake_stripe::{Customer, EventObject as _, EventOptions, Generation, event};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::{SETTLED, UNDER_WAY};
use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::document::{conforms, document};
use crate::support::fixture::{Pair, text};
use crate::support::stripe::SECRET;

on_both_engines! { each_sample_is_what_is_really_told with stripe }

fn stripe() -> Setup {
    Setup {
        stripe: true,
        ..Setup::default()
    }
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/integrators/webhooks-out.json")
}

async fn each_sample_is_what_is_really_told(t: &Bench) {
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    for told in everything(t).await {
        let kind: Value = serde_json::from_str(&told).expect("JSON");
        made.entry(text(&kind["type"])).or_insert(told);
    }
    for (kind, told) in unheard_of(t).await {
        made.entry(kind.to_string()).or_insert(told);
    }
    let made: BTreeMap<String, String> = made
        .into_iter()
        .map(|(kind, told)| (kind, laid_out(&with_usual_names(&told))))
        .collect();
    let types: Vec<_> = Type::ALL.iter().map(Type::as_str).collect();
    assert_eq!(made.keys().collect::<Vec<_>>(), types);
    let members = made
        .iter()
        .map(|(kind, sample)| format!("  \"{kind}\": {sample}"));
    let written = format!("{{\n{}\n}}\n", members.collect::<Vec<_>>().join(",\n"));
    if std::env::var_os("BLESS").is_some_and(|bless| bless == "1") {
        std::fs::write(file(), &written).expect("the samples are written");
    }
    let kept = std::fs::read_to_string(file()).expect("the samples");
    assert!(
        kept == written,
        "the samples are not what is told; run the tests with BLESS=1 and look at the difference\n{written}"
    );
}

/// Each sample fits its schema, and so does what is sent to try an endpoint.
#[test]
fn each_sample_fits_the_document() {
    for kind in Type::ALL {
        let content = &document()["webhooks"][kind.as_str()]["post"]["requestBody"]["content"];
        let schema = &content["application/json"]["schema"];
        assert!(schema.is_object(), "{kind}");
        let place = billstack_store::Place::new("team_1", "proj_1");
        let tried = samples::test(*kind, &place, "evt_1", Micros(0));
        for text in [samples::of(*kind), &tried] {
            let mut sample: Map<String, Value> = serde_json::from_str(text).expect("JSON");
            assert!(text.len() < 20_000, "{kind}");
            sample.remove("test");
            assert_eq!(conforms(&json!(sample), schema), Ok(()), "{kind}: {text}");
        }
    }
}

/// Lets everything happen that can, and returns what is told of it.
async fn everything(t: &Bench) -> Vec<String> {
    t.fake().clock().set(t.seconds());
    for (id, stripe) in [("user-1", "cus_Ada"), ("user-2", "cus_Lin")] {
        let customer = Customer::new(stripe).currency("usd");
        let customer = customer.render(Generation::Endive, false);
        t.fake().with_books(|books| books.customers.put(customer));
        let body = json!({"email": format!("{id}@example.com"), "externalId": id});
        t.customer_with(body).await;
        t.advance(SECOND);
    }
    of_referrals(t).await;
    of_lost_payments(t).await;
    of_credits(t).await;
    of_deliveries(t).await;
    of_limits(t).await;
    t.advance(SETTLED + UNDER_WAY);
    let answer = t.key.get("events?limit=1000").await;
    let events: Map<String, Value> = serde_json::from_str(&answer.text).expect("JSON");
    assert!(events.get("nextCursor").is_none());
    let raw: BTreeMap<String, Vec<Box<RawValue>>> =
        serde_json::from_str(&answer.text).expect("events alone");
    raw["events"]
        .iter()
        .map(|event| event.get().to_owned())
        .collect()
}

/// A pair of which both sides have names of the team's.
async fn pair(t: &Bench, name: &str) -> Pair {
    t.advance(SECOND);
    let (referrer, referee) = (format!("{name}-referrer"), format!("{name}-referee"));
    let stripe = format!("cus_{name}");
    let of = |id: &str, stripe: Option<&str>| json!({"email": format!("{id}@example.com"), "externalId": id, "stripeCustomerId": stripe});
    let referrer = text(&t.customer_with(of(&referrer, None)).await["id"]);
    let referee = text(&t.customer_with(of(&referee, Some(&stripe))).await["id"]);
    t.advance(SECOND);
    Pair {
        code: t.code(&referrer).await,
        referrer,
        referee,
        stripe,
    }
}

async fn config(t: &Bench, members: Value) {
    t.advance(SECOND);
    let mut body = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500, "holdDays": 0,
        "creditDelivery": "ledger", "clawback": "none",
        "maxConversionsPerReferrer": {"total": null, "perMonth": null}, "budget": null,
    });
    let more = members.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(more);
    t.key.put("referrals/config", body).await.ok();
    t.advance(SECOND);
}

async fn of_referrals(t: &Bench) {
    t.connect_with(json!({"secretKey": "sk_test_1", "webhookSecret": SECRET}))
        .await;
    config(t, json!({})).await;
    let ada = t.key.get("customers?externalId=user-1").await.ok();
    let code = t.code(&text(&ada["customers"][0]["id"])).await;
    t.advance(SECOND);
    let path = format!("referrals/codes/{code}");
    t.key.patch(&path, json!({"vanity": "ADA-L"})).await.ok();
    t.advance(SECOND);
    t.key.delete(&path).await.ok();
    let grace = pair(t, "Grace").await;
    t.key
        .patch(
            &format!("customers/{}", grace.referrer),
            json!({"name": "Ada"}),
        )
        .await
        .ok();
    t.link(&grace.referrer, json!("cus_Ada")).await;
    t.apply(&grace).await;
    t.advance(SECOND);
    let incomplete = t.subscription(&grace.stripe).status("incomplete");
    t.accept(&t.event("customer.subscription.created", &incomplete))
        .await;
    t.advance(SECOND);
    t.subscribe(&grace).await;
    let unlucky = pair(t, "Unlucky").await;
    t.apply(&unlucky).await;
    t.advance(SECOND);
    t.erase(&unlucky.referrer).await;
}

/// A refund takes credits back, and fails; then one finds nothing left, and fails as well.
async fn of_lost_payments(t: &Bench) {
    config(t, json!({"clawback": "always"})).await;
    let pair = pair(t, "a").await;
    let referral = text(&t.apply(&pair).await["id"]);
    t.advance(SECOND);
    t.subscribe(&pair).await;
    let invoice = json!({
        "id": "in_1", "object": "invoice", "amount_due": 2000, "amount_paid": 2000,
        "billing_reason": "subscription_create", "charge": "ch_1", "created": t.seconds(), "currency": "usd",
        "customer": pair.stripe, "paid": true, "payment_intent": "pi_1", "status": "paid", "subscription": "sub_a",
    });
    t.accept(&t.event("invoice.paid", &invoice)).await;
    let refund = async |id: &str, kind: &str, status: &str| {
        t.advance(SECOND);
        let refund = json!({
            "id": id, "object": "refund", "amount": 1000, "charge": "ch_1", "created": t.seconds(),
            "currency": "usd", "payment_intent": "pi_1", "status": status,
        });
        let options = EventOptions::at(t.seconds());
        t.accept(&event(kind, &refund, &options)).await;
    };
    refund("re_1", "refund.created", "succeeded").await;
    refund("re_1", "refund.failed", "failed").await;
    t.advance(SECOND);
    for side in ["referrer", "referee"] {
        let path = format!("referrals/credits?referralId={referral}&side={side}");
        let credit = t.key.get(&path).await.ok()["credits"][0].take();
        let settle = json!({"reason": "paid out", "reference": "bank transfer 7"});
        let path = format!("referrals/credits/{}/settle", text(&credit["id"]));
        t.key.post(&path, settle).await.ok();
        t.advance(SECOND);
    }
    refund("re_2", "refund.created", "succeeded").await;
    refund("re_2", "refund.failed", "failed").await;
}

async fn of_credits(t: &Bench) {
    config(t, json!({"holdDays": 30, "refereeCreditAmount": 0})).await;
    let held = pair(t, "Held").await;
    let referral = text(&t.apply(&held).await["id"]);
    t.advance(SECOND);
    t.subscribe(&held).await;
    t.advance(SECOND);
    let path = format!("referrals/credits?referralId={referral}");
    let id = text(&t.key.get(&path).await.ok()["credits"][0]["id"]);
    let part = json!({"amount": 400, "reason": "known for years"});
    t.key
        .post(&format!("referrals/credits/{id}/release"), part)
        .await
        .ok();
}

async fn of_deliveries(t: &Bench) {
    config(t, json!({})).await;
    let lin = t.key.get("customers?externalId=user-2").await.ok();
    let lin = text(&lin["customers"][0]["id"]);
    let gift = json!({"customerId": lin, "amount": 900, "currency": "usd", "reason": "Contest"});
    let made = t
        .key
        .post("referrals/credits", gift.clone())
        .await
        .created();
    let path = format!("referrals/credits/{}", text(&made["credit"]["id"]));
    t.advance(SECOND);
    let why = json!({"reason": "asked by the customer"});
    t.key
        .post(&format!("{path}/deliver"), why.clone())
        .await
        .ok();
    t.advance(SECOND);
    t.key.post(&format!("{path}/retry"), why).await.ok();
    t.advance(SECOND);
    t.link(&lin, json!("cus_Lin")).await;
    for look in 1..=400 {
        if t.key.get(&path).await.ok()["credit"]["delivery"]["state"] == "delivered" {
            return;
        }
        if look % 60 == 0 {
            t.advance(MINUTE + SECOND);
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("never delivered");
}

async fn of_limits(t: &Bench) {
    // Of 4000 that are out by now.
    let caps = json!({"total": 0, "perMonth": null});
    config(
        t,
        json!({"maxConversionsPerReferrer": caps, "budget": 5500}),
    )
    .await;
    for name in ["Late", "Later", "Last"] {
        let pair = pair(t, name).await;
        t.apply(&pair).await;
        t.advance(SECOND);
        t.subscribe(&pair).await;
    }
}

/// What no call causes here: made of what was told of others.
async fn unheard_of(t: &Bench) -> Vec<(Type, String)> {
    let place = billstack_store::Place::new(t.home.team.as_str(), t.home.project.as_str());
    let (now, of) = (t.now(), place.clone());
    let read = t
        .app()
        .store
        .scan(move |tx| told::after(tx, &of, None, now, 1000));
    let rows = read.await.expect("events").rows;
    let delivered = rows.iter().find(|told| told.kind == Type::CreditDelivered);
    let delivered = delivered.expect("a delivery");
    let mut applied: Value = serde_json::from_str(&delivered.event.facts).expect("facts");
    applied["amounts"]["applied"] = applied["amounts"]["delivered"].take();
    applied["amounts"]["delivered"] = json!(0);
    applied["status"] = json!("applied");
    applied["stripeObjectId"] = json!("in_1RfX2e");
    let mut unapplied = applied.clone();
    unapplied["amounts"]["delivered"] = unapplied["amounts"]["applied"].take();
    unapplied["amounts"]["applied"] = json!(0);
    unapplied["status"] = json!("granted");
    let mut short = applied.clone();
    short["reason"] = json!("asked by the customer");
    let with = |kind: Type, subject: &str, facts: String| Told {
        kind,
        event: Recorded {
            kind: kind.logged().unwrap_or_default().to_owned(),
            subject: subject.to_owned(),
            facts,
            ..delivered.event.clone()
        },
        ..delivered.clone()
    };
    let alone = |kind: Type, subject: &str, facts: Value| Told {
        event: Recorded {
            sequence: None,
            ..with(kind, subject, facts.to_string()).event
        },
        ..with(kind, subject, String::new())
    };
    let endpoint = "whe_01kgv5r3mq7x2h9d4t8w6c0b1e";
    let last = json!({"lastSuccessAt": t.now().plus(-DAY).0});
    let subject = delivered.event.subject.clone();
    [
        with(Type::CreditApplied, &subject, applied.to_string()),
        with(Type::CreditUnapplied, &subject, unapplied.to_string()),
        with(Type::CreditPutBack, &subject, delivered.event.facts.clone()),
        with(Type::CreditDeliveryFellShort, &subject, short.to_string()),
        alone(Type::Ping, "", json!({})),
        alone(Type::WebhookEndpointFailing, endpoint, last),
        alone(
            Type::WebhookEndpointDisabled,
            endpoint,
            json!({"reason": "failures"}),
        ),
    ]
    .into_iter()
    .map(|told| {
        let body = body::body(&told).expect("a body");
        (told.kind, serde_json::to_string(&body).expect("JSON"))
    })
    .collect()
}

/// The same with ids and times that do not change from run to run.
fn with_usual_names(told: &str) -> String {
    let mut names = Names::default();
    let value: Value = serde_json::from_str(told).expect("JSON");
    names.look("", &value);
    let renamed = names.0.iter();
    renamed.fold(told.to_owned(), |told, (from, to)| {
        told.replace(&json!(from).to_string(), &json!(to).to_string())
    })
}

#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn look(&mut self, member: &str, value: &Value) {
        match value {
            Value::Object(members) => members
                .iter()
                .for_each(|(name, value)| self.look(name, value)),
            Value::Array(items) => items.iter().for_each(|item| self.look(member, item)),
            Value::String(text) => self.rename(member, text),
            _ => {}
        }
    }

    fn rename(&mut self, member: &str, text: &str) {
        const BODIES: [&str; 2] = ["01kgv5r3mq7x2h9d4t8w6c0b1e", "01kgv6a9wn4e8r2j5s7v1k3m0p"];
        let (prefix, body) = text.rsplit_once('_').unwrap_or_default();
        let is_ours = body.len() == 26 && !prefix.is_empty();
        let usual = match member {
            "code" => "K7M2QX9D".to_owned(),
            "heldUntil" => "2026-12-03T10:30:00.000Z".to_owned(),
            "createdAt" | "convertedAt" | "lastSuccessAt" => "2026-11-03T10:29:00.000Z".to_owned(),
            "timestamp" => "2026-11-03T10:30:00.000Z".to_owned(),
            "insteadOf" => "cus_Before".to_owned(),
            "eventId" if !is_ours => "evt_1RfX2cQ".to_owned(),
            "transactionId" if prefix == "cbtxn" => "cbtxn_1RfX2d".to_owned(),
            _ if is_ours => {
                let begins = format!("{prefix}_");
                let known = self.0.keys().filter(|known| known.starts_with(&begins));
                let known = known.filter(|known| known.as_str() != text).count();
                if self.0.contains_key(text) {
                    return;
                }
                format!("{begins}{}", BODIES[known])
            }
            _ => return,
        };
        self.0.insert(text.to_owned(), usual);
    }
}

/// JSON on lines, its members in their order.
fn laid_out(text: &str) -> String {
    let (mut out, mut depth, mut in_text, mut escaped) = (String::new(), 1, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    let mut before = ' ';
    for sign in text.chars() {
        if in_text {
            out.push(sign);
            in_text = escaped || sign != '"';
            escaped = !escaped && sign == '\\';
            before = sign;
            continue;
        }
        let (opens, closes) = (matches!(before, '{' | '['), matches!(sign, '}' | ']'));
        depth -= usize::from(closes);
        if opens != closes {
            line(&mut out, depth);
        }
        out.push(sign);
        match sign {
            '"' => in_text = true,
            '{' | '[' => depth += 1,
            ',' => line(&mut out, depth),
            ':' => out.push(' '),
            _ => {}
        }
        before = sign;
    }
    out
}
