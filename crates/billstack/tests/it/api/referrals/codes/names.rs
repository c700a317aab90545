//! Names of codes: `vanity` of `POST …/referrals/codes` and `PATCH …/referrals/codes/{code}`.

use billstack_core::time::DAY;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller};
use crate::support::fixture::{apply_body, text, without_figures};

on_both_engines! {
    a_code_is_made_with_a_name,
    a_name_works_wherever_the_code_does,
    earlier_names_go_on_working,
    the_same_name_again_changes_nothing,
    what_is_no_name_is_refused,
    a_name_is_never_somebody_elses,
    the_next_code_of_a_customer_takes_its_name_over,
    an_erased_name_is_given_to_nobody,
    a_code_is_renamed_five_times_a_day,
    a_code_that_is_off_gets_no_name,
    another_project_has_names_of_its_own,
    two_who_want_a_name_at_once_are_told_apart,
}

async fn named(t: &Bench, customer: &str, vanity: &str) -> Answer {
    let body = json!({"customerId": customer, "vanity": vanity});
    t.key.post("referrals/codes", body).await
}

async fn rename(t: &Bench, code: &str, vanity: &str) -> Answer {
    let path = format!("referrals/codes/{code}");
    t.key.patch(&path, json!({"vanity": vanity})).await
}

/// Somebody with a code of this name; their id, and the code.
async fn owner(t: &Bench, name: &str, vanity: &str) -> (String, String) {
    let customer = t.customer(name).await;
    let code = named(t, &customer, vanity).await.created();
    (customer, text(&code["code"]["code"]))
}

async fn names(t: &Bench, code: &str) -> Value {
    let path = format!("referrals/codes/{code}");
    t.key.get(&path).await.ok()["code"]["aliases"].take()
}

async fn a_code_is_made_with_a_name(t: &Bench) {
    let customer = t.customer("ada").await;
    let made = named(t, &customer, "ada_l").await.created();
    assert_eq!(made["code"]["vanity"], "ADA_L");
    assert_eq!(made["code"]["aliases"], json!(["ADA_L"]));
    assert_eq!(text(&made["code"]["code"]).len(), 8);
    let list = t.key.get("referrals/codes").await.ok();
    assert_eq!(list, json!({"codes": [without_figures(&made["code"])]}));
    // One that is in the way is shown with its names.
    let again = named(t, &customer, "another").await;
    assert_eq!(again.refused("active_code_exists")["code"], made["code"]);
}

async fn a_name_works_wherever_the_code_does(t: &Bench) {
    t.program(1000, 500).await;
    let (_, code) = owner(t, "ada", "ADA-L").await;
    let friend = t.customer("grace").await;
    let body = apply_body(" ada l ", &friend);
    let referral = t.key.post("referrals/apply", body).await.created()["referral"].take();
    assert_eq!(referral["code"], code.as_str());
    for name in ["ADA-L", "adal", "A%20D%20A%20L"] {
        let told = t.key.get(&format!("referrals/codes/{name}")).await.ok();
        assert_eq!(told["code"]["code"], code.as_str(), "{name}");
        assert_eq!(told["referrals"][0]["id"], referral["id"], "{name}");
        let list = t.key.get(&format!("referrals?code={name}")).await.ok();
        assert_eq!(list["referrals"][0]["id"], referral["id"], "{name}");
    }
    let unknown = t.key.get("referrals?code=NOBODY").await.ok();
    assert_eq!(unknown["referrals"], json!([]));
    let off = t.key.delete("referrals/codes/adal").await.ok();
    assert_eq!(off["code"], json!({"code": code, "isActive": false}));
}

async fn earlier_names_go_on_working(t: &Bench) {
    t.program(1000, 500).await;
    let (_, code) = owner(t, "ada", "ADA").await;
    for name in ["ADA-L", "LOVELACE-A"] {
        let renamed = rename(t, &code, name).await.ok();
        assert_eq!(renamed["code"]["vanity"], name);
    }
    assert_eq!(names(t, &code).await, json!(["LOVELACE-A", "ADA-L", "ADA"]));
    for (number, name) in ["ADA", "adal", "LovelaceA", &code].iter().enumerate() {
        let friend = t.customer(&format!("friend{number}")).await;
        let body = apply_body(name, &friend);
        let applied = t.key.post("referrals/apply", body).await.created();
        assert_eq!(applied["referral"]["code"], code.as_str(), "{name}");
    }
    // Back to an earlier one, written in another way.
    let back = rename(t, "ada-l", "A-D-A").await.ok();
    assert_eq!(
        back["code"]["aliases"],
        json!(["A-D-A", "LOVELACE-A", "ADA-L"])
    );
}

async fn the_same_name_again_changes_nothing(t: &Bench) {
    let (_, code) = owner(t, "ada", "ADA-L").await;
    let before = t.dump().await;
    for _ in 0..10 {
        rename(t, &code, "ada-l").await.ok();
    }
    assert_eq!(t.dump().await, before);
}

async fn what_is_no_name_is_refused(t: &Bench) {
    let customer = t.customer("ada").await;
    let (_, code) = owner(t, "bob", "BOB-B").await;
    let before = t.dump().await;
    for (name, reason) in [
        ("", "invalid_request"),
        ("AB", "invalid_request"),
        ("ABCDEFGHIJKLMNOPQRSTUVWXY", "invalid_request"),
        ("A--", "vanity_not_allowed"),
        ("ad a", "vanity_not_allowed"),
        ("ÄDA", "vanity_not_allowed"),
        ("K7M2QX9D", "vanity_not_allowed"),
        ("love-lace", "vanity_not_allowed"),
        ("admin", "vanity_not_allowed"),
        ("sh1t-happens", "vanity_not_allowed"),
    ] {
        for answer in [
            named(t, &customer, name).await,
            rename(t, &code, name).await,
        ] {
            assert_eq!(answer.status, 400, "{name}");
            assert_eq!(answer.refused(reason)["field"], "vanity", "{name}");
        }
    }
    let null = t
        .key
        .patch(&format!("referrals/codes/{code}"), json!({"vanity": null}));
    assert_eq!(null.await.refused("invalid_request")["field"], "vanity");
    assert_eq!(t.dump().await, before);
    rename(t, "K7M2QX9D", "FREE-NAMES")
        .await
        .refused("code_not_found");
    rename(t, "NO-SUCH", "FREE-NAMES")
        .await
        .refused("code_not_found");
}

async fn a_name_is_never_somebody_elses(t: &Bench) {
    let (_, ada) = owner(t, "ada", "ADA").await;
    rename(t, &ada, "LOVELACE-A").await.ok();
    let eve = t.customer("eve").await;
    // Neither the present name nor an earlier one, however it is written, also once the code is off.
    for _ in 0..2 {
        for name in ["LOVELACE_A", "a-d-a"] {
            let answer = named(t, &eve, name).await;
            assert_eq!(answer.status, 409);
            assert_eq!(answer.refused("vanity_taken")["field"], "vanity");
        }
        t.key.delete(&format!("referrals/codes/{ada}")).await.ok();
    }
    // Whoever is refused gets no code either.
    let codes = t
        .key
        .get(&format!("referrals/codes?customerId={eve}"))
        .await
        .ok();
    assert_eq!(codes["codes"], json!([]));
}

async fn the_next_code_of_a_customer_takes_its_name_over(t: &Bench) {
    t.program(1000, 500).await;
    let (ada, first) = owner(t, "ada", "ADA").await;
    rename(t, &first, "ADA-L").await.ok();
    t.key.delete(&format!("referrals/codes/{first}")).await.ok();
    let second = named(t, &ada, "ADA").await.created();
    let second = text(&second["code"]["code"]);
    assert_eq!(names(t, &first).await, json!(["ADA-L"]));
    assert_eq!(names(t, &second).await, json!(["ADA"]));
    let friend = t.customer("grace").await;
    let applied = t
        .key
        .post("referrals/apply", apply_body("ada", &friend))
        .await;
    assert_eq!(applied.created()["referral"]["code"], second.as_str());
    let other = t.customer("bob").await;
    let old = t
        .key
        .post("referrals/apply", apply_body("ada-l", &other))
        .await;
    old.refused("code_inactive");
}

async fn an_erased_name_is_given_to_nobody(t: &Bench) {
    let (ada, code) = owner(t, "ada", "GRANDMA-ADA").await;
    rename(t, &code, "COUNTESS-ADA").await.ok();
    // Answers that are kept for a repetition show names too.
    let body = json!({"customerId": ada});
    let (path, of_code) = ("referrals/codes", format!("referrals/codes/{code}"));
    for (key, method, path, body) in [
        ("1", Method::POST, path, body),
        (
            "2",
            Method::PATCH,
            &*of_code,
            json!({"vanity": "GRANDMA-ADA"}),
        ),
    ] {
        let call = t.key.call(method, path).header("idempotency-key", key);
        let answer = call.json(&body).send().await;
        assert!(answer.text.contains("COUNTESS"), "{answer:?}");
    }
    assert!(t.dump().await.contains("COUNTESS"));
    t.key.delete(&format!("customers/{ada}")).await.ok();
    let dump = t.dump().await;
    for canary in ["GRANDMA", "COUNTESS"] {
        assert!(!dump.contains(canary), "{canary} is left in {dump}");
    }
    assert_eq!(names(t, &code).await, json!([]));
    t.key
        .get("referrals/codes/grandma-ada")
        .await
        .refused("code_not_found");
    let eve = t.customer("eve").await;
    for name in ["GRANDMA_ADA", "countess-ada"] {
        named(t, &eve, name).await.refused("vanity_taken");
    }
    named(t, &eve, "GRANDMA-EVE").await.created();
}

async fn a_code_is_renamed_five_times_a_day(t: &Bench) {
    let (_, code) = owner(t, "ada", "ADA-0").await;
    for number in 1..=5 {
        rename(t, &code, &format!("ADA-{number}")).await.ok();
    }
    let before = t.dump().await;
    // Back to an earlier one counts like any other.
    for name in ["ADA-6", "ADA-0"] {
        let answer = rename(t, &code, name).await;
        assert_eq!(answer.status, 429);
        // It is noon.
        let wait: i64 = answer
            .header("retry-after")
            .expect("a wait")
            .parse()
            .expect("seconds");
        assert!((12 * 3600 - 60..=12 * 3600 + 1).contains(&wait), "{wait}");
        answer.refused("too_many_renames");
    }
    assert_eq!(t.dump().await, before);
    rename(t, &code, "ADA-5").await.ok();
    t.advance(DAY / 2);
    rename(t, &code, "ADA-6").await.ok();
    assert_eq!(names(t, &code).await.as_array().map(Vec::len), Some(7));
}

async fn a_code_that_is_off_gets_no_name(t: &Bench) {
    let (_, code) = owner(t, "ada", "ADA").await;
    t.key.delete(&format!("referrals/codes/{code}")).await.ok();
    rename(t, &code, "ADA-L").await.refused("code_inactive");
    // What it is called already is no change.
    rename(t, &code, "ADA").await.ok();
}

async fn another_project_has_names_of_its_own(t: &Bench) {
    let (_, code) = owner(t, "ada", "ADA").await;
    let (_, other) = t.project("Other").await;
    let customer = other
        .post("customers", json!({"email": "ada@example.com"}))
        .await;
    let customer = text(&customer.created()["customer"]["id"]);
    let body = json!({"customerId": customer, "vanity": "ADA"});
    let theirs = other.post("referrals/codes", body).await.created();
    assert_ne!(theirs["code"]["code"], code.as_str());
    let found = t.key.get("referrals/codes/ada").await.ok();
    assert_eq!(found["code"]["code"], code.as_str());
    let missing = other.patch(
        &format!("referrals/codes/{code}"),
        json!({"vanity": "OTHER"}),
    );
    missing.await.refused("code_not_found");
}

async fn two_who_want_a_name_at_once_are_told_apart(t: &Bench) {
    for round in 0..10 {
        let mut owners = Vec::new();
        for number in 0..4 {
            let customer = t.customer(&format!("c{round}-{number}")).await;
            owners.push(t.code(&customer).await);
        }
        let name = format!("RACE-{round}");
        let all = owners.iter().map(|code| rename(t, code, &name));
        let answers = futures_util::future::join_all(all).await;
        let won = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(won, 1, "{name}");
        assert!(
            answers
                .iter()
                .all(|answer| [200, 409].contains(&answer.status))
        );
    }
}
