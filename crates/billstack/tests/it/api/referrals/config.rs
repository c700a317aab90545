//! `…/referrals/config`.

use billstack_store::Tx;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::usual_terms;

on_both_engines! {
    before_any_put_it_is_off_and_empty,
    put_answers_the_whole_config,
    left_out_currency_means_usd,
    left_out_settings_stay,
    every_setting_is_kept_until_it_is_sent_again,
    settings_are_read_strictly,
    a_referral_keeps_the_settings_of_its_apply,
    what_cannot_be_billed_is_not_promised,
    a_currency_that_is_gone_is_shown_and_not_taken,
    currencies_are_folded_and_known,
    integral_numbers_are_integers_however_written,
    wrong_members_are_refused,
    members_of_the_server_have_no_effect,
}

/// A program in which only amounts and currency were set.
fn usual(t: &Bench, enabled: bool, terms: Value) -> Value {
    let mut config = terms;
    config["enabled"] = json!(enabled);
    config["projectId"] = json!(t.home.project);
    config["maxConversionsPerReferrer"] = json!({"total": null, "perMonth": null});
    config["budget"] = json!(null);
    json!({"config": config})
}

async fn before_any_put_it_is_off_and_empty(t: &Bench) {
    let expected = usual(t, false, usual_terms(0, 0, "usd"));
    assert_eq!(t.key.get("referrals/config").await.ok(), expected);
    assert_eq!(t.owner.get("referrals/config").await.ok(), expected);
}

async fn put_answers_the_whole_config(t: &Bench) {
    let body = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500,
        "currency": "eur",
    });
    let expected = usual(t, true, usual_terms(1000, 500, "eur"));
    assert_eq!(t.key.put("referrals/config", body).await.ok(), expected);
    assert_eq!(t.key.get("referrals/config").await.ok(), expected);
    let (other, key) = t.project("other").await;
    let answer = key.get("referrals/config").await.ok();
    assert_eq!(answer["config"]["projectId"], other);
    assert_eq!(answer["config"]["enabled"], false);
}

async fn what_cannot_be_billed_is_not_promised(t: &Bench) {
    let program = |currency: &str, referrer: i64, referee: i64| {
        json!({
            "enabled": true, "referrerCreditAmount": referrer, "refereeCreditAmount": referee,
            "currency": currency,
        })
    };
    let put = |body: Value| t.key.put("referrals/config", body);
    put(program("isk", 1000, 0)).await.ok();
    let before = t.dump().await;
    for (currency, wrong, right) in [
        ("isk", 1050, 1100),
        ("UGX", 1050, 1100),
        ("kwd", 1001, 1010),
        ("bhd", 1005, 1010),
        ("jod", 9, 10),
        ("omr", 11, 20),
        ("tnd", 1, 0),
    ] {
        let answer = put(program(currency, wrong, right)).await;
        answer.invalid("referrerCreditAmount");
        let answer = put(program(currency, right, wrong)).await;
        answer.invalid("refereeCreditAmount");
    }
    assert_eq!(t.dump().await, before);
    for (currency, right) in [("isk", 1100), ("ugx", 100), ("kwd", 1010), ("jpy", 1)] {
        let answer = put(program(currency, right, 0)).await.ok();
        assert_eq!(answer["config"]["referrerCreditAmount"], right);
    }
}

async fn a_currency_that_is_gone_is_shown_and_not_taken(t: &Bench) {
    let mut body = json!({
        "enabled": true, "referrerCreditAmount": 10, "refereeCreditAmount": 0, "currency": "eur",
    });
    t.key.put("referrals/config", body.clone()).await.ok();
    let gone = "UPDATE terms SET currency = 'bgn' WHERE currency = 'eur'";
    t.write(|tx: &mut dyn Tx, _| Ok(tx.execute(gone, &[])?))
        .await;
    let shown = t.key.get("referrals/config").await.ok();
    assert_eq!(shown["config"]["currency"], "bgn");
    body["currency"] = json!("bgn");
    t.key
        .put("referrals/config", body)
        .await
        .invalid("currency");
}

async fn left_out_currency_means_usd(t: &Bench) {
    let mut body = json!({
        "enabled": true, "referrerCreditAmount": 1, "refereeCreditAmount": 0, "currency": "eur",
    });
    t.key.put("referrals/config", body.clone()).await.ok();
    body.as_object_mut().expect("an object").remove("currency");
    let answer = t.key.put("referrals/config", body).await.ok();
    assert_eq!(answer["config"]["currency"], "usd");
}

async fn left_out_settings_stay(t: &Bench) {
    let put = async |body: Value| t.key.put("referrals/config", body).await;
    let answer = put(with("holdDays", json!(14))).await.ok();
    assert_eq!(answer["config"]["holdDays"], 14);
    let answer = put(with("referrerCreditAmount", json!(7))).await.ok();
    assert_eq!(answer["config"]["holdDays"], 14);
    assert_eq!(answer["config"]["referrerCreditAmount"], 7);
    let before = t.dump().await;
    for wrong in [json!(-1), json!(366), json!(1.5), json!("14"), json!([])] {
        put(with("holdDays", wrong)).await.invalid("holdDays");
    }
    assert_eq!(t.dump().await, before);
    let answer = put(with("holdDays", json!(0))).await.ok();
    assert_eq!(answer["config"]["holdDays"], 0);
}

async fn every_setting_is_kept_until_it_is_sent_again(t: &Bench) {
    let settings = json!({
        "holdDays": 30, "conversionTrigger": "first_paid_invoice", "excludeTrials": true,
        "minimumPaidAmount": 2000, "creditDelivery": "ledger", "clawback": "within_hold",
        "clawbackWindowDays": 90, "clawbackApplied": "always", "referralExpiryDays": 60,
        "creditDescription": "Danke \u{fc}brigens",
        "maxConversionsPerReferrer": {"total": 10, "perMonth": 2}, "budget": 500_000,
    });
    let mut expected = usual(t, true, usual_terms(1000, 500, "usd"));
    for (name, value) in settings.as_object().expect("an object") {
        expected["config"][name] = value.clone();
    }
    let sent = expected["config"].clone();
    assert_eq!(t.key.put("referrals/config", sent).await.ok(), expected);
    let answer = t
        .key
        .put("referrals/config", with("currency", json!("usd")))
        .await;
    assert_eq!(answer.ok(), expected, "what is left out stays");
    for (member, value, kept) in [
        ("referralExpiryDays", json!(null), json!(null)),
        ("budget", json!(null), json!(null)),
        (
            "maxConversionsPerReferrer",
            json!({"total": 3}),
            json!({"total": 3, "perMonth": null}),
        ),
        (
            "maxConversionsPerReferrer",
            json!(null),
            json!({"total": null, "perMonth": null}),
        ),
    ] {
        let answer = t
            .key
            .put("referrals/config", with(member, value))
            .await
            .ok();
        assert_eq!(answer["config"][member], kept, "{member}");
    }
}

async fn settings_are_read_strictly(t: &Bench) {
    let before = t.dump().await;
    for (member, wrong) in [
        ("conversionTrigger", json!("whenever")),
        ("conversionTrigger", json!(1)),
        ("excludeTrials", json!("yes")),
        ("minimumPaidAmount", json!(-1)),
        ("creditDelivery", json!("coupon")),
        ("clawback", json!("within_hold")),
        ("clawback", json!("")),
        ("clawbackWindowDays", json!(0)),
        ("clawbackWindowDays", json!(731)),
        ("clawbackApplied", json!([])),
        ("referralExpiryDays", json!(0)),
        ("creditDescription", json!("")),
        ("creditDescription", json!("x".repeat(351))),
        ("maxConversionsPerReferrer", json!(5)),
        ("maxConversionsPerReferrer", json!({"total": -1})),
        ("maxConversionsPerReferrer", json!({"perYear": 1})),
        ("budget", json!(-1)),
        ("budget", json!(1_000_000_000_000_i64)),
    ] {
        let answer = t.key.put("referrals/config", with(member, wrong)).await;
        answer.invalid(member);
    }
    let answer = t.key.put(
        "referrals/config",
        with("creditDelivery", json!("stripe_balance")),
    );
    answer.await.refused("stripe_key_required");
    assert_eq!(t.dump().await, before);
}

async fn a_referral_keeps_the_settings_of_its_apply(t: &Bench) {
    let pair = t.pair("a").await;
    t.key
        .put(
            "referrals/config",
            with("creditDescription", json!("Early bird")),
        )
        .await
        .ok();
    let referral = t.apply(&pair).await;
    assert_eq!(referral["terms"]["creditDescription"], "Early bird");
    t.key
        .put(
            "referrals/config",
            with("creditDescription", json!("Late bird")),
        )
        .await
        .ok();
    let kept = t.referral(referral["id"].as_str().expect("an id")).await;
    assert_eq!(kept["terms"], referral["terms"]);
}

fn with(member: &str, value: Value) -> Value {
    let mut body = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500,
        "currency": "usd",
    });
    body[member] = value;
    body
}

async fn currencies_are_folded_and_known(t: &Bench) {
    for (sent, kept) in [
        ("USD", "usd"),
        ("Jpy", "jpy"),
        ("bhd", "bhd"),
        ("isk", "isk"),
    ] {
        let answer = t.key.put("referrals/config", with("currency", json!(sent)));
        assert_eq!(answer.await.ok()["config"]["currency"], kept);
    }
    for sent in ["us", "usdd", "xxx", "", " usd", "us\u{501}", "u s"] {
        let answer = t.key.put("referrals/config", with("currency", json!(sent)));
        answer.await.invalid("currency");
    }
}

async fn integral_numbers_are_integers_however_written(t: &Bench) {
    let put = async |amount: &str| {
        let body = format!(
            r#"{{"enabled":true,"referrerCreditAmount":{amount},"refereeCreditAmount":0}}"#
        );
        let call = t.key.call(reqwest::Method::PUT, "referrals/config");
        call.body("application/json", body).send().await
    };
    for (sent, read) in [
        ("1000", 1000),
        ("1000.0", 1000),
        ("1e3", 1000),
        ("1E+3", 1000),
        ("10000e-1", 1000),
        ("0", 0),
        ("-0", 0),
        ("99999999", 99_999_999),
    ] {
        let answer = put(sent).await.ok();
        assert_eq!(answer["config"]["referrerCreditAmount"], read, "{sent}");
    }
    for sent in [
        "0.5",
        "1000.01",
        "1e-1",
        "-1",
        "100000000",
        "1e8",
        "9223372036854775808",
        "1e999",
        "1e-999",
        "1e99999999999999999999",
        "\"10\"",
        "true",
        "null",
        "[]",
        "{}",
    ] {
        put(sent).await.invalid("referrerCreditAmount");
    }
    let kept = t.key.get("referrals/config").await.ok();
    assert_eq!(kept["config"]["referrerCreditAmount"], 99_999_999);
}

async fn wrong_members_are_refused(t: &Bench) {
    for (member, value) in [
        ("enabled", json!("true")),
        ("enabled", json!(1)),
        ("enabled", json!(null)),
        ("refereeCreditAmount", json!(-1)),
        ("refereeCreditAmount", json!([1])),
        ("currency", json!(840)),
    ] {
        let answer = t.key.put("referrals/config", with(member, value)).await;
        answer.invalid(member);
    }
    for missing in ["enabled", "referrerCreditAmount", "refereeCreditAmount"] {
        let mut body = with("currency", json!("usd"));
        body.as_object_mut().expect("an object").remove(missing);
        t.key.put("referrals/config", body).await.invalid(missing);
    }
}

async fn members_of_the_server_have_no_effect(t: &Bench) {
    let body = with("projectId", json!("proj_of_somebody_else"));
    let answer = t.key.put("referrals/config", body).await.ok();
    assert_eq!(answer["config"]["projectId"], t.home.project.as_str());
    let back = answer["config"].clone();
    assert_eq!(t.key.put("referrals/config", back).await.ok(), answer);
}
