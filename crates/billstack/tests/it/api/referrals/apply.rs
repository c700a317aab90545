//! `POST …/referrals/apply`.

mod silence;
mod stripe;

use billstack_core::access::Scope;
use serde_json::{Value, json};

use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::{apply_body, text, usual_terms};

on_both_engines! {
    no_spelling_of_an_address_is_a_second_person,
    a_code_is_applied_as_documented,
    read_access_is_enough,
    codes_may_be_typed_carelessly,
    refusals_come_in_their_order,
    already_referred_holds_the_referral,
    one_person_is_recognised_by_address,
    one_person_is_recognised_by_stripe_customer,
    other_addresses_are_other_people,
    two_people_cannot_refer_each_other,
    the_terms_are_pinned,
    of_another_project_nothing_is_known,
    wrong_members_are_refused,
    unknown_codes_have_a_budget with few_misses,
    wrong_codes_of_one_referee_hold_nobody_else_up with few_misses_of_a_referee,
    unknown_codes_tried_at_once_have_the_same_budget with few_misses,
}

async fn a_code_is_applied_as_documented(t: &Bench) {
    let pair = t.pair("a").await;
    let body = apply_body(&pair.code, &pair.referee);
    let answer = t.key.post("referrals/apply", body).await.created();
    let referral = &answer["referral"];
    let id = text(&referral["id"]);
    assert!(id.starts_with("ref_") && id.len() == 30, "{id}");
    assert_eq!(
        answer,
        json!({"referral": {
            "id": id, "code": pair.code, "referrerCustomerId": pair.referrer,
            "refereeCustomerId": pair.referee, "status": "pending",
            "createdAt": referral["createdAt"], "convertedAt": null,
            "attribution": {"source": "code", "channel": null, "clickedAt": null},
            "terms": usual_terms(1000, 500, "usd"),
        }})
    );
    assert_eq!(t.referral(&id).await, *referral);
}

async fn read_access_is_enough(t: &Bench) {
    let pair = t.pair("a").await;
    let (_, reader) = t.key(None, &[Scope::ReferralsRead], None).await;
    let body = apply_body(&pair.code, &pair.referee);
    reader.post("referrals/apply", body).await.created();
}

async fn codes_may_be_typed_carelessly(t: &Bench) {
    let pair = t.pair("a").await;
    for (number, spelling) in [
        pair.code.to_lowercase(),
        format!("  {}\t", pair.code),
        format!("\u{a0}{}\n", pair.code),
    ]
    .iter()
    .enumerate()
    {
        let referee = t.customer(&format!("r{number}")).await;
        let answer = t
            .key
            .post("referrals/apply", apply_body(spelling, &referee));
        let answer = answer.await;
        if spelling.starts_with('\u{a0}') {
            // Unicode white space may be trimmed or not, but never be half of a code.
            assert!(matches!(answer.status, 201 | 404), "{answer:?}");
            continue;
        }
        assert_eq!(answer.created()["referral"]["code"], pair.code.as_str());
    }
    for odd in ["\u{17f}TRASSEN", "ABCDEFGH\u{301}", "A/B", "%41BCDEFGH"] {
        let answer = t
            .key
            .post("referrals/apply", apply_body(odd, &pair.referee));
        answer.await.refused("code_not_found");
    }
}

/// Everything is wrong with this apply; what is put right is put right in the order of the
/// refusals.
async fn refusals_come_in_their_order(t: &Bench) {
    let pair = t.pair("a").await;
    let apply = async |code: &str, referee: &str| {
        t.key
            .post("referrals/apply", apply_body(code, referee))
            .await
    };
    // Somebody who is referred already, owns the code, and subscribed long ago.
    let other = t.code(&t.customer("other").await).await;
    t.key
        .post("referrals/apply", apply_body(&other, &pair.referrer))
        .await
        .created();
    t.put_program(&t.key, false, 0, 0).await;
    t.key
        .delete(&format!("referrals/codes/{}", pair.code))
        .await
        .ok();

    assert_eq!(apply("ZZZZZZZZ", "pc_unknown").await.status, 404);
    apply("ZZZZZZZZ", &pair.referrer)
        .await
        .refused("code_not_found");
    apply(&pair.code, "pc_unknown")
        .await
        .refused("customer_not_found");
    apply(&pair.code, &pair.referrer)
        .await
        .refused("already_referred");
    let fresh = t.customer("fresh").await;
    let own = t.code(&fresh).await;
    t.key.delete(&format!("referrals/codes/{own}")).await.ok();
    apply(&own, &fresh).await.refused("referrals_disabled");
    t.program(0, 0).await;
    apply(&own, &fresh).await.refused("code_inactive");
    let own = t.code(&fresh).await;
    apply(&own, &fresh).await.refused("self_referral");
    let fresh_code = t.code(&t.customer("more").await).await;
    apply(&fresh_code, &fresh).await.created();
}

async fn already_referred_holds_the_referral(t: &Bench) {
    let pair = t.pair("a").await;
    let first = t.apply(&pair).await;
    let other = t.code(&t.customer("other").await).await;
    t.put_program(&t.key, false, 0, 0).await;
    t.key
        .delete(&format!("referrals/codes/{}", pair.code))
        .await
        .ok();
    for code in [&pair.code, &other] {
        let answer = t
            .key
            .post("referrals/apply", apply_body(code, &pair.referee));
        let answer = answer.await;
        assert_eq!(answer.status, 409);
        assert_eq!(answer.refused("already_referred")["referral"], first);
    }
}

async fn refused_as_one_person(t: &Bench, code: &str, email: &str) {
    let customer = t.customer_with(json!({"email": email})).await;
    let body = apply_body(code, &text(&customer["id"]));
    let answer = t.key.post("referrals/apply", body).await;
    assert_eq!(answer.status, 409, "{email}: {answer:?}");
    answer.refused("self_referral");
}

async fn one_person_is_recognised_by_address(t: &Bench) {
    t.program(1, 1).await;
    let plain = t.customer_with(json!({"email": "ada@example.com"})).await;
    let code = t.code(&text(&plain["id"])).await;
    refused_as_one_person(t, &code, "ada+one@example.com").await;
    refused_as_one_person(t, &code, " ADA+Two@Example.COM ").await;
    let google = t.customer_with(json!({"email": "a.d.a@gmail.com"})).await;
    let code = t.code(&text(&google["id"])).await;
    refused_as_one_person(t, &code, "ada@gmail.com").await;
    refused_as_one_person(t, &code, "ad.a+x@googlemail.com").await;
}

async fn one_person_is_recognised_by_stripe_customer(t: &Bench) {
    t.program(1, 1).await;
    let code = t.code(&t.linked("one", "cus_same").await).await;
    let two = t.linked("two", "cus_same").await;
    let answer = t.key.post("referrals/apply", apply_body(&code, &two)).await;
    answer.refused("self_referral");
}

async fn other_addresses_are_other_people(t: &Bench) {
    t.program(1, 1).await;
    let plain = t.customer_with(json!({"email": "a.da@example.com"})).await;
    let code = t.code(&text(&plain["id"])).await;
    for email in ["ada@example.com", "a.da@example.org", "a.daa@example.com"] {
        let customer = t.customer_with(json!({"email": email})).await;
        let body = apply_body(&code, &text(&customer["id"]));
        t.key.post("referrals/apply", body).await.created();
    }
}

async fn the_terms_are_pinned(t: &Bench) {
    let pair = t.pair("a").await;
    let referral = t.apply(&pair).await;
    let body = json!({
        "enabled": true, "referrerCreditAmount": 7, "refereeCreditAmount": 8, "currency": "eur",
    });
    t.key.put("referrals/config", body).await.ok();
    let kept = t.referral(&text(&referral["id"])).await;
    assert_eq!(kept, referral, "a promise is not rewritten");
    let answer = t
        .key
        .post("referrals/apply", apply_body(&pair.code, &pair.referee));
    assert_eq!(
        answer.await.refused("already_referred")["referral"],
        referral
    );
    let later = t.customer("later").await;
    let answer = t
        .key
        .post("referrals/apply", apply_body(&pair.code, &later));
    assert_eq!(
        answer.await.created()["referral"]["terms"],
        usual_terms(7, 8, "eur")
    );
}

async fn of_another_project_nothing_is_known(t: &Bench) {
    let pair = t.pair("a").await;
    let (_, key) = t.project("other").await;
    t.put_program(&key, true, 1, 1).await;
    let theirs = apply_body(&pair.code, &pair.referee);
    assert_eq!(key.post("referrals/apply", theirs).await.status, 404);
    let body = json!({"email": "own@example.com"});
    let own = key.post("customers", body).await.created();
    let own = text(&own["customer"]["id"]);
    let mixed = key.post("referrals/apply", apply_body(&pair.code, &own));
    mixed.await.refused("code_not_found");
    let mixed = t.key.post("referrals/apply", apply_body(&pair.code, &own));
    mixed.await.refused("customer_not_found");
    assert_eq!(t.count("referrals").await, 0);
}

async fn wrong_members_are_refused(t: &Bench) {
    let pair = t.pair("a").await;
    for (member, value) in [
        ("code", json!(null)),
        ("code", json!(12345678)),
        ("code", json!("")),
        ("code", json!(["ABCDEFGH"])),
        ("code", json!("A".repeat(65))),
        ("code", json!("ABC\0EFGH")),
        ("refereeCustomerId", json!({"id": pair.referee})),
        ("refereeCustomerId", json!("")),
        ("refereeCustomerId", json!(true)),
    ] {
        let mut body = apply_body(&pair.code, &pair.referee);
        body[member] = value;
        t.key.post("referrals/apply", body).await.invalid(member);
    }
    let body = json!({
        "code": pair.code, "refereeCustomerId": pair.referee, "status": "converted", "id": "ref_x",
        "createdAt": "2020-01-01T00:00:00Z", "convertedAt": "2020-01-01T00:00:00Z",
        "terms": {"referrerCreditAmount": 99_999_999}, "referrerCustomerId": pair.referee,
    });
    let answer = t.key.post("referrals/apply", body).await.created();
    let referral = &answer["referral"];
    assert_eq!(referral["status"], "pending");
    assert_ne!(referral["id"], "ref_x");
    assert_eq!(referral["convertedAt"], Value::Null);
    assert_eq!(referral["terms"]["referrerCreditAmount"], 1000);
    assert_eq!(referral["referrerCustomerId"], pair.referrer.as_str());
}

fn few_misses() -> Setup {
    Setup {
        settings: |args| {
            args.rate_limit = Some("100000".to_owned());
            args.apply_miss_budget_per_minute = Some("3".to_owned());
        },
        ..Setup::default()
    }
}

async fn unknown_codes_have_a_budget(t: &Bench) {
    let pair = t.pair("a").await;
    let miss = || {
        t.key
            .post("referrals/apply", apply_body("ZZZZZZZZ", &pair.referee))
    };
    for _ in 0..3 {
        miss().await.refused("code_not_found");
    }
    let answer = miss().await;
    assert_eq!(answer.status, 429);
    answer.refused("too_many_misses");
    // The budget is the key's: others are not held back.
    let (_, other) = t.key(None, &[], None).await;
    let body = apply_body(&pair.code, &pair.referee);
    other.post("referrals/apply", body).await.created();
}

fn few_misses_of_a_referee() -> Setup {
    Setup {
        settings: |args| {
            args.rate_limit = Some("100000".to_owned());
            args.apply_miss_budget_per_referee = Some("3".to_owned());
        },
        ..Setup::default()
    }
}

async fn wrong_codes_of_one_referee_hold_nobody_else_up(t: &Bench) {
    let pair = t.pair("a").await;
    let apply =
        |code: &str, referee: &str| t.key.post("referrals/apply", apply_body(code, referee));
    let guesser = t.customer("guesser").await;
    for _ in 0..3 {
        let answer = apply("ZZZZZZZZ", &guesser).await;
        answer.refused("code_not_found");
    }
    let answer = apply(&pair.code, &guesser).await;
    assert_eq!(answer.status, 429);
    answer.refused("too_many_misses");
    // Others behind the same key are not held back.
    apply(&pair.code, &pair.referee).await.created();
}

async fn unknown_codes_tried_at_once_have_the_same_budget(t: &Bench) {
    let pair = t.pair("a").await;
    // However many known ones are on their way, none is taken for a guess.
    let body = apply_body(&pair.code, &pair.referee);
    let known = (0..50).map(|_| t.key.post("referrals/apply", body.clone()));
    for answer in Bench::at_once(known).await {
        assert!(matches!(answer.status, 201 | 409), "{answer:?}");
    }
    let unknown = (0..100).map(|number| {
        let body = apply_body(&format!("ZZZZZ{number:03}"), &pair.referee);
        t.key.post("referrals/apply", body)
    });
    let answers = Bench::at_once(unknown).await;
    let (told, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|a| a.status == 404);
    assert_eq!(told.len(), 3);
    for answer in refused {
        answer.refused("too_many_misses");
    }
}

async fn two_people_cannot_refer_each_other(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let back = t.code(&pair.referee).await;
    let body = || apply_body(&back, &pair.referrer);
    let apply_back = || t.key.post("referrals/apply", body());
    let before = t.dump().await;
    apply_back().await.refused("reciprocal_referral");
    assert_eq!(t.dump().await, before);
    t.subscribe(&pair).await;
    assert_eq!(t.status(&referral).await, "converted");
    apply_back().await.refused("reciprocal_referral");
    // Somebody whom they brought in their turn is nobody's referrer yet.
    let third = t.customer("third").await;
    let answer = t.key.post("referrals/apply", apply_body(&back, &third));
    answer.await.created();
    let theirs = t.code(&third).await;
    let answer = t
        .key
        .post("referrals/apply", apply_body(&theirs, &pair.referrer));
    assert_eq!(answer.await.created()["referral"]["status"], "pending");
    // What was closed without a conversion is in nobody's way.
    let (pair, _) = t.pending("b").await;
    let code = t.code(&pair.referee).await;
    t.erase(&pair.referee).await;
    let body = apply_body(&code, &pair.referrer);
    let answer = t.key.post("referrals/apply", body).await;
    answer.refused("code_inactive");
}

async fn no_spelling_of_an_address_is_a_second_person(t: &Bench) {
    t.program(1000, 500).await;
    let customer = t.customer_with(json!({"email": "kim@gmail.com"})).await;
    let code = t.code(&text(&customer["id"])).await;
    for spelling in [
        "kim@gmail.com.",
        "\u{200b}kim@gmail.com",
        "kim@gmail.com\u{feff}",
        "mailto:Kim@Gmail.com",
        "kim@ｇｍａｉｌ.com",
    ] {
        let answer = t.key.post("customers", json!({"email": spelling})).await;
        let shown = answer.refused("customer_exists");
        assert_eq!(shown["customer"]["id"], customer["id"], "{spelling:?}");
        let tagged = spelling.replacen('@', "+x@", 1);
        let other = t.key.post("customers", json!({"email": tagged})).await;
        if other.status != 201 {
            other.refused("customer_exists");
            continue;
        }
        let other = text(&other.created()["customer"]["id"]);
        let answer = t.key.post("referrals/apply", apply_body(&code, &other));
        answer.await.refused("self_referral");
        t.erase(&other).await;
    }
    let before = t.dump().await;
    for bad in [
        "ki\u{200b}m@gmail.com",
        "kim@gmail\u{202e}.com",
        "kim@gm\u{2060}ail.com",
    ] {
        let answer = t.key.post("customers", json!({"email": bad})).await;
        answer.invalid("email");
    }
    assert_eq!(t.dump().await, before);
}
