//! Events in the shape of each generation of Stripe's API. Ids and people are made up.

use super::*;
use proptest::prelude::*;

const RECEIVED: Micros = Micros::from_secs(1_800_000_000);

/// 2020-08-27: the period sits on the subscription, and so does `discount`.
const SUBSCRIPTION_2020: &str = r#"{
  "id": "evt_1A", "object": "event", "api_version": "2020-08-27", "created": 1630000010,
  "livemode": false, "pending_webhooks": 1,
  "request": {"id": "req_1", "idempotency_key": "k-1"},
  "type": "customer.subscription.created",
  "data": {"object": {
    "id": "sub_1A", "object": "subscription", "application_fee_percent": null,
    "billing_cycle_anchor": 1630000000, "cancel_at_period_end": false,
    "collection_method": "charge_automatically", "created": 1630000000,
    "current_period_end": 1632678400, "current_period_start": 1630000000,
    "customer": "cus_1A", "discount": null,
    "items": {"object": "list", "has_more": false, "data": [{"id": "si_1", "plan":
      {"id": "price_1", "active": true, "amount": 900, "status": "active"}, "quantity": 1}]},
    "latest_invoice": "in_1", "livemode": false,
    "metadata": {"project_id": "proj_1"}, "status": "active", "trial_end": null}}
}"#;

/// 2022-08-01: a session of payment mode need not have a customer.
const SESSION_2022: &str = r#"{
  "id": "evt_2A", "object": "event", "api_version": "2022-08-01", "created": 1660000010,
  "livemode": true, "type": "checkout.session.completed", "request": null,
  "data": {"object": {
    "id": "cs_live_2A", "object": "checkout.session", "amount_total": 900,
    "client_reference_id": "pc_2A", "created": 1660000000, "currency": "usd",
    "customer": null, "customer_details": {"email": "buyer@example.com", "name": null},
    "livemode": true, "metadata": {}, "mode": "payment", "payment_intent": "pi_1",
    "payment_status": "paid", "shipping_cost": null, "shipping_details": null,
    "status": "complete", "subscription": null, "url": null}}
}"#;

/// 2025-03-31.basil: the period moved to the items, shipping to `collected_information`.
const SESSION_BASIL: &str = r#"{
  "id": "evt_3A", "object": "event", "api_version": "2025-03-31.basil", "created": 1744000010,
  "livemode": true, "type": "checkout.session.completed",
  "data": {"object": {
    "id": "cs_live_3A", "object": "checkout.session", "client_reference_id": null,
    "collected_information": {"shipping_details": null}, "created": 1744000000,
    "customer": {"id": "cus_3A", "object": "customer", "metadata": {"project_id": "wrong"}},
    "metadata": {"billstackCustomerId": "pc_3A", "project_id": "proj_3"},
    "mode": "subscription", "payment_status": "no_payment_required", "status": "complete",
    "subscription": {"id": "sub_3A", "object": "subscription", "status": "trialing"}}}
}"#;

/// 2025-09-30.clover: discounts name their source; the first payment needs a bank's word.
const SUBSCRIPTION_CLOVER: &str = r#"{
  "id": "evt_4A", "object": "event", "api_version": "2025-09-30.clover", "created": 1760000010,
  "livemode": true, "type": "customer.subscription.updated",
  "data": {"object": {
    "id": "sub_4A", "object": "subscription", "billing_mode": {"type": "flexible"},
    "created": 1760000000, "customer": {"id": "cus_4A", "deleted": true},
    "discounts": [{"source": {"type": "coupon", "coupon": "c"}}],
    "items": {"data": [{"current_period_end": 1762592000}]},
    "metadata": null, "status": "incomplete"},
    "previous_attributes": {"status": "trialing"}}
}"#;

/// 2026: an account may act as the customer.
const SESSION_2026: &str = r#"{
  "id": "evt_5A", "object": "event", "api_version": "2026-09-30.endive", "created": 1790000010,
  "livemode": true, "context": "acct_9", "type": "checkout.session.async_payment_succeeded",
  "data": {"object": {
    "id": "cs_live_5A", "object": "checkout.session", "created": 1790000000, "customer": null,
    "customer_account": "acct_5A", "client_reference_id": "", "metadata": {"project_id": 5},
    "mode": "subscription", "payment_status": "paid", "subscription": "sub_5A"}}
}"#;

const THIN_2026: &str = r#"{
  "id": "evt_6A", "object": "v2.core.event", "type": "v1.customer.subscription.created",
  "created": "2026-09-21T13:06:50.250Z", "livemode": true, "context": null, "reason": null,
  "related_object": {"id": "sub_6A", "type": "subscription", "url": "/v1/subscriptions/sub_6A"}
}"#;

const FIXTURES: [&str; 6] = [
    SUBSCRIPTION_2020,
    SESSION_2022,
    SESSION_BASIL,
    SUBSCRIPTION_CLOVER,
    SESSION_2026,
    THIN_2026,
];

fn event(body: &str) -> Event {
    parse(body.as_bytes(), RECEIVED).unwrap()
}

fn start(body: &str) -> Start {
    match event(body).meaning {
        Meaning::Start(start) => *start,
        other => panic!("{other:?}"),
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// The eligibility of an object with these members.
fn eligibility(kind: &str, members: &str) -> (Eligibility, Option<String>) {
    let object = format!(r#"{{"id":"x_1","customer":"cus_1",{members}}}"#);
    match read_object(kind, object.as_bytes(), RECEIVED).unwrap() {
        Meaning::Start(start) => {
            assert_eq!(start.match_keys(), ["stripe:cus_1"]);
            (start.eligibility, start.reason)
        }
        other => panic!("{kind}: {other:?}"),
    }
}

#[test]
fn reads_a_subscription_of_2020() {
    let event = event(SUBSCRIPTION_2020);
    assert_eq!(event.id, "evt_1A");
    assert_eq!(event.kind, "customer.subscription.created");
    assert_eq!(event.created, Micros::from_secs(1_630_000_010));
    assert_eq!(event.livemode, Some(false));
    assert_eq!(
        start(SUBSCRIPTION_2020),
        Start {
            object_id: "sub_1A".to_owned(),
            source: Source::Subscription,
            subscription_id: some("sub_1A"),
            eligibility: Eligibility::Counts,
            reason: None,
            began_at: Micros::from_secs(1_630_000_000),
            occurred_at: Micros::from_secs(1_630_000_010),
            ended_at: None,
            stripe_customer_id: some("cus_1A"),
            stripe_customer_account: None,
            client_reference_id: None,
            buyer_email: None,
            is_trial: false,
            invoice: None,
            billstack_customer_id: None,
            project_id: some("proj_1"),
        }
    );
}

#[test]
fn reads_a_payment_without_a_customer() {
    let start = start(SESSION_2022);
    assert_eq!(start.eligibility, Eligibility::Never);
    assert_eq!(start.reason.as_deref(), Some("mode payment"));
    assert_eq!(start.stripe_customer_id, None);
    assert_eq!(start.match_keys(), ["customer:pc_2A"]);
}

#[test]
fn reads_expanded_objects() {
    let start = start(SESSION_BASIL);
    assert_eq!(start.eligibility, Eligibility::Counts);
    assert_eq!(start.source, Source::Session);
    assert_eq!(start.object_id, "cs_live_3A");
    assert_eq!(start.subscription_id.as_deref(), Some("sub_3A"));
    assert_eq!(start.project_id.as_deref(), Some("proj_3"));
    assert_eq!(start.match_keys(), ["customer:pc_3A", "stripe:cus_3A"]);
}

#[test]
fn reads_a_deleted_customer_and_an_unfinished_subscription() {
    let start = start(SUBSCRIPTION_CLOVER);
    assert_eq!(start.eligibility, Eligibility::Waits);
    assert_eq!(start.reason.as_deref(), Some("subscription incomplete"));
    assert_eq!(start.match_keys(), ["stripe:cus_4A"]);
}

#[test]
fn reads_an_account_as_customer() {
    let start = start(SESSION_2026);
    assert_eq!(start.eligibility, Eligibility::Counts);
    assert_eq!(start.stripe_customer_account.as_deref(), Some("acct_5A"));
    assert_eq!(start.client_reference_id, None);
    assert_eq!(start.project_id, None);
    assert_eq!(start.match_keys(), ["stripe:acct_5A"]);
}

#[test]
fn reads_a_thin_event() {
    let event = event(THIN_2026);
    assert_eq!(event.kind, "customer.subscription.created");
    assert_eq!(event.created, Micros(1_789_996_010_250_000));
    assert_eq!(
        event.meaning,
        Meaning::Thin {
            object_id: some("sub_6A"),
            context: None,
        }
    );
}

#[test]
fn a_thin_event_may_be_of_a_related_account() {
    let meaning = |context: &str| {
        let named = format!("\"context\": {context}");
        event(&THIN_2026.replace("\"context\": null", &named)).meaning
    };
    assert_eq!(
        meaning("\"acct_9/acct_10\""),
        Meaning::Thin {
            object_id: some("sub_6A"),
            context: some("acct_9/acct_10"),
        }
    );
    // The same id in another account would be another object.
    for unreadable in ["\"\"", "\"acct_9\\r\\nX: y\"", "\"acct 9\"", "{}", "9"] {
        let unknown = Meaning::Thin {
            object_id: None,
            context: None,
        };
        assert_eq!(meaning(unreadable), unknown, "{unreadable}");
    }
}

#[test]
fn a_thin_event_may_lack_everything_else() {
    let bare = event(r#"{"id":"evt_1","object":"v2.core.event","type":"v1.","created":"soon"}"#);
    assert_eq!(bare.kind, "v1.");
    assert_eq!(bare.created, RECEIVED);
    assert_eq!(bare.livemode, None);
    assert_eq!(
        bare.meaning,
        Meaning::Thin {
            object_id: None,
            context: None
        }
    );
}

#[test]
fn a_snapshot_keeps_its_type_as_it_is() {
    let body = r#"{"id":"evt_1","type":"v1.invoice.paid","data":{"object":{}}}"#;
    assert_eq!(event(body).kind, "v1.invoice.paid");
    assert_eq!(event(body).meaning, Meaning::Irrelevant);
}

#[test]
fn subscriptions_stand_by_their_status() {
    let table = [
        ("active", Eligibility::Counts, None),
        ("trialing", Eligibility::Counts, None),
        (
            "incomplete",
            Eligibility::Waits,
            Some("subscription incomplete"),
        ),
        (
            "of_the_future",
            Eligibility::Waits,
            Some("subscription status unknown"),
        ),
        ("past_due", Eligibility::Past, Some("subscription past due")),
        ("unpaid", Eligibility::Past, Some("subscription unpaid")),
        ("paused", Eligibility::Past, Some("subscription paused")),
        ("canceled", Eligibility::Past, Some("subscription canceled")),
        (
            "incomplete_expired",
            Eligibility::Never,
            Some("subscription incomplete expired"),
        ),
    ];
    for (status, expected, reason) in table {
        let members = format!(r#""status":"{status}""#);
        for verb in ["created", "updated", "paused", "resumed"] {
            let (eligibility, why) =
                eligibility(&format!("customer.subscription.{verb}"), &members);
            assert_eq!(
                (eligibility, why.as_deref()),
                (expected, reason),
                "{status}"
            );
        }
        let (eligibility, why) = eligibility("customer.subscription.deleted", &members);
        assert_eq!(eligibility, Eligibility::Past);
        assert_eq!(why.as_deref(), Some("subscription deleted"));
    }
}

#[test]
fn only_what_can_subscribe_is_a_customer() {
    for (id, is_one) in [
        ("cus_1A", true),
        ("acct_1A", true),
        ("cus_", true),
        ("gcus_1A", false),
        ("cus_1-A", false),
        ("pc_1", false),
        ("", false),
    ] {
        assert_eq!(is_customer_id(id), is_one, "{id}");
        let object = format!(r#"{{"id":"cs_1","customer":"{id}","customer_account":"{id}"}}"#);
        match read_object("checkout.session.completed", object.as_bytes(), RECEIVED) {
            Some(Meaning::Start(start)) => {
                assert_eq!(start.stripe_ids().collect::<Vec<_>>().is_empty(), !is_one);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(!is_customer_id(&format!("cus_{}", "x".repeat(252))));
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn sessions_stand_by_mode_and_payment() {
    let table = [
        (
            "completed",
            "subscription",
            "paid",
            Eligibility::Counts,
            None,
        ),
        (
            "completed",
            "subscription",
            "no_payment_required",
            Eligibility::Counts,
            None,
        ),
        (
            "async_payment_succeeded",
            "subscription",
            "paid",
            Eligibility::Counts,
            None,
        ),
        (
            "completed",
            "subscription",
            "unpaid",
            Eligibility::Waits,
            Some("payment unpaid"),
        ),
        (
            "completed",
            "subscription",
            "new",
            Eligibility::Waits,
            Some("payment status unknown"),
        ),
        (
            "completed",
            "payment",
            "paid",
            Eligibility::Never,
            Some("mode payment"),
        ),
        (
            "completed",
            "setup",
            "no_payment_required",
            Eligibility::Never,
            Some("mode setup"),
        ),
        (
            "completed",
            "new",
            "paid",
            Eligibility::Never,
            Some("mode unknown"),
        ),
        (
            "expired",
            "subscription",
            "unpaid",
            Eligibility::Never,
            Some("session expired"),
        ),
        (
            "async_payment_failed",
            "subscription",
            "unpaid",
            Eligibility::Never,
            Some("payment failed"),
        ),
        (
            "async_payment_failed",
            "subscription",
            "paid",
            Eligibility::Never,
            Some("payment failed"),
        ),
    ];
    for (verb, mode, payment, expected, reason) in table {
        let members = format!(r#""mode":"{mode}","payment_status":"{payment}""#);
        let (eligibility, why) = eligibility(&format!("checkout.session.{verb}"), &members);
        assert_eq!(
            (eligibility, why.as_deref()),
            (expected, reason),
            "{verb} {mode} {payment}"
        );
    }
}

#[test]
fn what_is_no_event_is_refused() {
    let long = "x".repeat(256);
    for body in [
        "".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"id":"evt_1","type":"a"}"#.to_owned(),
        r#"{"id":"evt_1","type":"a","data":{}}"#.to_owned(),
        r#"{"id":"evt_1","type":"a","data":{"object":[]}}"#.to_owned(),
        r#"{"id":"evt_1","type":"a","data":{"object":null}}"#.to_owned(),
        r#"{"id":"","type":"a","data":{"object":{}}}"#.to_owned(),
        r#"{"id":7,"type":"a","data":{"object":{}}}"#.to_owned(),
        r#"{"id":"evt_1","type":null,"data":{"object":{}}}"#.to_owned(),
        r#"{"id":"evt\u0000","type":"a","data":{"object":{}}}"#.to_owned(),
        r#"{"id":"evt_1","type":"a\u0000","data":{"object":{}}}"#.to_owned(),
        r#"{"id":"evt_1","type":"a","data":{"object":{}}} x"#.to_owned(),
        r#"{"id":"evt_1","type":"a","data":{"object":{}}"#.to_owned(),
        format!(r#"{{"id":"{long}","type":"a","data":{{"object":{{}}}}}}"#),
    ] {
        assert_eq!(parse(body.as_bytes(), RECEIVED), Err(NotAnEvent), "{body}");
    }
    assert_eq!(parse(b"{\"id\":\"\xff\"}", RECEIVED), Err(NotAnEvent));
    // A type we do not act on may come in a shape we do not know.
    let foreign = br#"{"id":"evt_1","object":"event","type":"foo.bar"}"#;
    let read = parse(foreign, RECEIVED).unwrap();
    assert_eq!(read.meaning, Meaning::Irrelevant);
    let ours = br#"{"id":"evt_1","object":"event","type":"customer.subscription.created"}"#;
    assert_eq!(parse(ours, RECEIVED), Err(NotAnEvent));
    let in_a_corner = b"{\"id\":\"e\",\"type\":\"a\",\"data\":{\"object\":{}},\"x\":\"\xff\"}";
    assert_eq!(parse(in_a_corner, RECEIVED), Err(NotAnEvent));
    assert_eq!(NotAnEvent.to_string(), "the body is not a Stripe event");
}

#[test]
fn an_object_without_an_id_never_counts() {
    for id in ["", r#""id":null,"#, r#""id":"a\u0007","#] {
        let object = format!(r#"{{{id}"status":"active","customer":"cus_1"}}"#);
        let kind = "customer.subscription.created";
        let Some(Meaning::Start(start)) = read_object(kind, object.as_bytes(), RECEIVED) else {
            panic!("{object}");
        };
        assert_eq!(start.eligibility, Eligibility::Never);
        assert_eq!(start.subscription_id, None);
        assert_eq!(start.match_keys(), ["stripe:cus_1"]);
    }
}

#[test]
fn a_fetched_object_must_be_one() {
    for kind in ["customer.subscription.created", "invoice.paid"] {
        for bad in ["[]", "null", "", "{", "{\"a\":1}}"] {
            assert_eq!(read_object(kind, bad.as_bytes(), RECEIVED), None);
        }
    }
    assert_eq!(
        read_object("invoice.paid", b"\n {} ", RECEIVED),
        Some(Meaning::Irrelevant)
    );
}

#[test]
fn keys_are_sorted_and_told_once() {
    let body = SESSION_BASIL.replace(
        r#""client_reference_id": null"#,
        r#""client_reference_id": "pc_3A""#,
    );
    assert_eq!(
        start(&body).match_keys(),
        ["customer:pc_3A", "stripe:cus_3A"]
    );
}

#[test]
fn a_start_survives_storage() {
    for body in [SUBSCRIPTION_2020, SESSION_BASIL, SUBSCRIPTION_CLOVER] {
        let start = start(body);
        let kept = serde_json::to_string(&start).unwrap();
        assert_eq!(serde_json::from_str::<Start>(&kept).unwrap(), start);
    }
}

/// Any JSON value, small.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Into::into),
            prop::collection::btree_map("id|a|b", inner, 0..3)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_survived(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&body, RECEIVED);
        let _ = read_object("customer.subscription.created", &body, RECEIVED);
    }

    #[test]
    fn damaged_events_are_survived(
        fixture in 0..FIXTURES.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
    ) {
        let mut body = FIXTURES[fixture].as_bytes().to_vec();
        for (place, byte, what) in damage {
            let place = place.index(body.len());
            match what {
                0 => body[place] = byte,
                1 => body.insert(place, byte),
                _ => {
                    body.remove(place);
                }
            }
        }
        let _ = parse(&body, RECEIVED);
    }

    // The promise of the module: no member of the object, whatever it becomes, costs the event or
    // any other member.
    #[test]
    fn one_strange_member_spoils_nothing_else(
        fixture in 0..5_usize,
        member in any::<prop::sample::Index>(),
        strange in any_json(),
    ) {
        let mut body: serde_json::Value = serde_json::from_str(FIXTURES[fixture]).unwrap();
        let before = start(FIXTURES[fixture]);
        let object = body["data"]["object"].as_object_mut().unwrap();
        let names: Vec<String> = object.keys().cloned().collect();
        let name = &names[member.index(names.len())];
        object.insert(name.clone(), strange);
        let after = start(&body.to_string());

        prop_assert_eq!(after.reason.is_none(), after.eligibility == Eligibility::Counts);
        prop_assert!(name == "id" || after.object_id == before.object_id);
        let dates = ["created", "start_date"].contains(&name.as_str());
        prop_assert!(dates || after.began_at == before.began_at);
        prop_assert!(name == "customer" || after.stripe_customer_id == before.stripe_customer_id);
        prop_assert!(name == "metadata" || after.project_id == before.project_id);
        prop_assert!(
            ["id", "status", "mode", "payment_status"].contains(&name.as_str())
                || after.eligibility == before.eligibility
        );
    }

    #[test]
    fn the_envelope_needs_id_type_and_object_only(
        name in prop::sample::select(vec!["created", "livemode", "api_version", "request", "new"]),
        strange in any_json(),
    ) {
        let mut body: serde_json::Value = serde_json::from_str(SUBSCRIPTION_2020).unwrap();
        body[name] = strange;
        let read = event(&body.to_string());
        prop_assert!(matches!(read.meaning, Meaning::Start(_)));
        prop_assert!((0..=253_402_300_799).contains(&read.created.as_secs()));
    }
}

#[test]
fn an_event_tells_whose_balance_may_have_changed() {
    let told = |kind, body: &str| balances_changed(kind, body.as_bytes());
    let changed = r#"{"data":{"object":{"id":"cus_1"},"previous_attributes":{"balance":0}}}"#;
    assert_eq!(told("customer.updated", changed), ["cus_1"]);
    assert!(told("customer.deleted", changed).is_empty());
    let renamed = r#"{"data":{"object":{"id":"cus_1"},"previous_attributes":{"name":"A"}}}"#;
    assert!(told("customer.updated", renamed).is_empty());
    let thin = r#"{"related_object":{"id":"cus_1"}}"#;
    assert_eq!(told("customer.updated", thin), ["cus_1"]);
    // Of no subscription, and so of no referral, but paid with the balance.
    let invoice =
        r#"{"data":{"object":{"id":"in_1","customer":"cus_1","customer_account":"acct_1"}}}"#;
    assert_eq!(told("invoice.finalized", invoice), ["cus_1", "acct_1"]);
    assert!(told("invoice.updated", invoice).is_empty());
    assert!(told("invoice.voided", "no JSON").is_empty());
}
