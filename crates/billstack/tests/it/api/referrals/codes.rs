//! `…/referrals/codes`.

mod names;

use billstack_core::time::SECOND;
use serde_json::json;

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{pluck, text, without_figures};

on_both_engines! {
    a_code_is_made_as_documented,
    codes_are_eight_characters_without_look_alikes,
    a_second_active_code_is_refused_with_the_first,
    codes_can_be_prepared_while_the_program_is_off,
    an_unknown_customer_has_no_code,
    a_code_is_told_with_its_history,
    look_ups_read_what_people_paste,
    a_pasted_code_is_applied_and_switched_off,
    the_history_is_whole_and_can_be_paged,
    deactivation_is_soft_and_can_be_repeated,
    after_deactivation_a_new_one_may_be_made,
    the_list_leaves_out_what_is_off,
    the_list_can_be_narrowed_to_a_customer,
}

async fn a_code_is_made_as_documented(t: &Bench) {
    let customer = t.customer("ada").await;
    let body = json!({"customerId": customer});
    let answer = t.key.post("referrals/codes", body).await.created();
    let code = text(&answer["code"]["code"]);
    assert_eq!(
        answer,
        json!({"code": {
            "code": code, "customerId": customer, "projectId": t.home.project, "isActive": true,
            "createdAt": answer["code"]["createdAt"], "vanity": null, "aliases": [],
        }})
    );
    let created = text(&answer["code"]["createdAt"]);
    assert!(created.starts_with("2026-03-30T12:00:00.") && created.ends_with('Z'));
    let list = t.key.get("referrals/codes").await.ok();
    assert_eq!(list, json!({"codes": [without_figures(&answer["code"])]}));
}

async fn codes_are_eight_characters_without_look_alikes(t: &Bench) {
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..20 {
        let code = t.code(&t.customer(&format!("c{number}")).await).await;
        assert_eq!(code.len(), 8);
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        assert!(
            code.chars().all(|c| plain(c) && !"O0I1L".contains(c)),
            "{code}"
        );
        assert!(seen.insert(code));
    }
}

async fn a_second_active_code_is_refused_with_the_first(t: &Bench) {
    let customer = t.customer("ada").await;
    let body = json!({"customerId": customer});
    let first = t.key.post("referrals/codes", body.clone()).await.created();
    let answer = t.key.post("referrals/codes", body).await;
    assert_eq!(answer.status, 409);
    let refused = answer.refused("active_code_exists");
    assert_eq!(refused["code"], first["code"]);
}

async fn codes_can_be_prepared_while_the_program_is_off(t: &Bench) {
    let config = t.key.get("referrals/config").await.ok();
    assert_eq!(config["config"]["enabled"], false);
    t.code(&t.customer("ada").await).await;
}

async fn an_unknown_customer_has_no_code(t: &Bench) {
    for (id, reason) in [
        (json!("pc_unknown"), "customer_not_found"),
        (json!("pc_\u{1f4a3}"), "customer_not_found"),
        (json!(""), "invalid_request"),
        (json!(7), "invalid_request"),
        (json!(null), "invalid_request"),
        (json!("x".repeat(65)), "invalid_request"),
    ] {
        let answer = t.key.post("referrals/codes", json!({"customerId": id}));
        answer.await.refused(reason);
    }
    let (_, key) = t.project("other").await;
    let customer = t.customer("ada").await;
    let answer = key.post("referrals/codes", json!({"customerId": customer}));
    answer.await.refused("customer_not_found");
}

async fn a_code_is_told_with_its_history(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let path = format!("referrals/codes/{}", pair.code);
    let answer = t.key.get(&path).await.ok();
    let (code, history) = (&answer["code"], &answer["referrals"]);
    assert_eq!(
        answer,
        json!({
            "code": {
                "code": pair.code, "customerId": pair.referrer, "isActive": true,
                "createdAt": code["createdAt"], "vanity": null, "aliases": [],
            },
            "referrals": [{
                "id": referral, "refereeCustomerId": pair.referee, "status": "pending",
                "createdAt": history[0]["createdAt"], "convertedAt": null,
            }],
        })
    );
    t.key
        .get("referrals/codes/ZZZZZZZZ")
        .await
        .refused("code_not_found");
}

async fn look_ups_read_what_people_paste(t: &Bench) {
    let code = t.code(&t.customer("ada").await).await;
    for spelling in [
        code.to_lowercase(),
        format!("%20{code}%20"),
        format!("{code}%09"),
        format!("{}-{}", &code[..4], &code[4..]),
        format!("%EF%BB%BF{}%C2%A0{}%E2%80%8B", &code[..4], &code[4..]),
    ] {
        let answer = t.key.get(&format!("referrals/codes/{spelling}")).await.ok();
        assert_eq!(answer["code"]["code"], code.as_str(), "{spelling}");
        let list = format!("referrals?code={spelling}");
        assert_eq!(t.key.get(&list).await.ok(), json!({"referrals": []}));
    }
    for odd in [
        "%C5%BFTRASSE",
        "STRA%C3%9FE",
        "A%2FB",
        "%00",
        "ABC%00DEFG",
        "%EF%BC%A1BCDEFGH",
        "..",
        "%2e%2e",
        "ABCDEFGHI",
        "ABCDEFG",
        "%E2%80%8BABCDEFG",
        "'%20OR%201=1",
        "*",
        "%25",
    ] {
        let answer = t.key.get(&format!("referrals/codes/{odd}")).await;
        assert_eq!(answer.status, 404, "{answer:?}");
    }
}

async fn a_pasted_code_is_applied_and_switched_off(t: &Bench) {
    t.program(1, 1).await;
    let code = t.code(&t.customer("ada").await).await;
    let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).expect("a full-width letter");
    for (name, pasted) in [
        ("a", format!("\u{a0}{}\u{ad}{}", &code[..3], &code[3..])),
        ("b", format!("{} {}", &code[..4], &code[4..])),
        ("c", code.chars().map(wide).collect()),
    ] {
        let body = json!({"code": pasted, "refereeCustomerId": t.customer(name).await});
        let answer = t.key.post("referrals/apply", body).await.created();
        assert_eq!(answer["referral"]["code"], code.as_str(), "{pasted:?}");
        let list = t.key.get(&format!("referrals?code={pasted}")).await.ok();
        assert_eq!(list["referrals"][0], answer["referral"], "{pasted:?}");
    }
    let path = format!("referrals/codes/{}%E2%80%8B-{}", &code[..4], &code[4..]);
    let answer = t.key.delete(&path).await.ok();
    assert_eq!(answer["code"], json!({"code": code, "isActive": false}));
}

async fn the_history_is_whole_and_can_be_paged(t: &Bench) {
    t.program(1, 1).await;
    let code = t.code(&t.customer("referrer").await).await;
    let mut made = Vec::new();
    for number in 0..60 {
        let referee = t.customer(&format!("r{number}")).await;
        let body = json!({"code": code, "refereeCustomerId": referee});
        let answer = t.key.post("referrals/apply", body).await.created();
        made.push(text(&answer["referral"]["id"]));
    }
    let whole = t.key.get(&format!("referrals/codes/{code}")).await.ok();
    assert_eq!(pluck(&whole["referrals"], "id"), made, "the oldest first");
    assert!(whole.get("nextCursor").is_none());
    let mut paged = Vec::new();
    let mut path = format!("referrals/codes/{code}?limit=25");
    loop {
        let page = t.key.get(&path).await.ok();
        paged.extend(pluck(&page["referrals"], "id"));
        let Some(cursor) = page["nextCursor"].as_str() else {
            break;
        };
        path = format!("referrals/codes/{code}?limit=25&cursor={cursor}");
    }
    assert_eq!(paged, made);
}

async fn deactivation_is_soft_and_can_be_repeated(t: &Bench) {
    let code = t.code(&t.customer("ada").await).await;
    let path = format!("referrals/codes/{}", code.to_lowercase());
    let expected = json!({"code": {"code": code, "isActive": false}});
    assert_eq!(t.key.delete(&path).await.ok(), expected);
    t.advance(SECOND);
    let before = t.dump().await;
    assert_eq!(t.key.delete(&path).await.ok(), expected);
    assert_eq!(t.dump().await, before, "nothing is written the second time");
    assert_eq!(t.key.get(&path).await.ok()["code"]["isActive"], false);
    t.key
        .delete("referrals/codes/ZZZZZZZZ")
        .await
        .refused("code_not_found");
}

async fn after_deactivation_a_new_one_may_be_made(t: &Bench) {
    let customer = t.customer("ada").await;
    let first = t.code(&customer).await;
    t.key.delete(&format!("referrals/codes/{first}")).await.ok();
    let second = t.code(&customer).await;
    assert_ne!(first, second);
    let both = t.key.get("referrals/codes?activeOnly=false").await.ok();
    assert_eq!(pluck(&both["codes"], "code"), [second, first]);
}

async fn the_list_leaves_out_what_is_off(t: &Bench) {
    let on = t.code(&t.customer("on").await).await;
    let off = t.code(&t.customer("off").await).await;
    t.key.delete(&format!("referrals/codes/{off}")).await.ok();
    for query in ["", "?activeOnly=true"] {
        let list = t.key.get(&format!("referrals/codes{query}")).await.ok();
        assert_eq!(pluck(&list["codes"], "code"), [on.as_str()]);
    }
    let list = t.key.get("referrals/codes?activeOnly=false").await.ok();
    assert_eq!(pluck(&list["codes"], "code"), [off, on]);
    for odd in ["1", "yes", "TRUE", ""] {
        let answer = t.key.get(&format!("referrals/codes?activeOnly={odd}"));
        answer.await.invalid("activeOnly");
    }
}

async fn the_list_can_be_narrowed_to_a_customer(t: &Bench) {
    let (one, two) = (t.customer("one").await, t.customer("two").await);
    let code = t.code(&one).await;
    t.code(&two).await;
    let list = t
        .key
        .get(&format!("referrals/codes?customerId={one}"))
        .await
        .ok();
    assert_eq!(pluck(&list["codes"], "code"), [code]);
    let list = t.key.get("referrals/codes?customerId=pc_nobody").await.ok();
    assert_eq!(list, json!({"codes": []}));
}
