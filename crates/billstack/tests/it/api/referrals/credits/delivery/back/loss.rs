//! Lost payments that take back what is in Stripe.

use std::time::Duration;

use fake_stripe::{Fault, Injection, OnVoid};
use serde_json::json;

use super::super::stripe;
use super::{disputed, earned, refunded};
use crate::support::bench::Bench;
use crate::support::client::Caller;

on_both_engines! {
    what_is_unused_is_taken_and_the_rest_falls_short with stripe,
    a_part_of_the_payment_takes_a_part with stripe,
    what_comes_within_reach_again_is_taken with stripe,
    what_was_used_meanwhile_is_put_back with stripe,
    a_list_that_is_behind_takes_nothing_away with stripe,
    a_debt_is_made_only_where_the_terms_say_so with stripe,
    who_has_money_at_stripe_owes_nothing with stripe,
    with_the_customer_all_is_gone with stripe,
    a_loss_waits_for_a_call_under_way with stripe,
    a_person_takes_back_what_is_in_stripe with stripe,
    by_hand_and_by_loss_no_more_than_all with stripe,
}

async fn what_is_unused_is_taken_and_the_rest_falls_short(t: &Bench) {
    let id = earned(t, json!({})).await;
    t.delivery(&id, "delivered").await;
    t.bill("cus_a", 600);
    t.hear().await;
    t.stands(&id, json!({"applied": 600})).await;
    t.accept(&disputed(t, "needs_response", &[-2000])).await;
    let short = json!({"reversed": 400, "shortfall": 600, "applied": 600, "delivered": 0});
    let credit = t.stands(&id, short.clone()).await;
    assert_eq!(credit["status"], "partially_reversed");
    assert_eq!(t.amounts("cus_a"), [-1000, 600, 400]);
    let line = t.lines("cus_a").pop().expect("a line");
    assert_eq!(line["metadata"]["billstack_credit_id"], id);
    let posting = t.postings(&id, "program").await.pop().expect("one");
    assert_eq!(
        (
            &posting["amount"],
            &posting["stripeObject"],
            &posting["cause"]
        ),
        (&json!(400), &line["id"], &json!("event"))
    );
    // Whatever Stripe tells of our own line, and once more of the loss.
    t.hear().await;
    t.accept(&disputed(t, "lost", &[-2000])).await;
    t.stands(&id, short).await;
    let side = t.liability("referrer").await;
    assert_eq!(
        (&side["applied"], &side["shortfall"]),
        (&json!(600), &json!(600))
    );
    // Won late: what fell short is forgiven, and what was taken is given again by a line of its own.
    t.accept(&disputed(t, "won", &[-2000, 2000])).await;
    t.stands(
        &id,
        json!({"reversed": 0, "shortfall": 0, "applied": 600, "delivered": 400}),
    )
    .await;
    assert_eq!(t.amounts("cus_a"), [-1000, 600, 400, -400]);
}

async fn a_part_of_the_payment_takes_a_part(t: &Bench) {
    let id = earned(t, json!({})).await;
    t.delivery(&id, "delivered").await;
    t.fake().money().adjust("cus_a", -50, "usd");
    t.accept(&refunded(t, 0, 600)).await;
    t.stands(
        &id,
        json!({"reversed": 300, "delivered": 700, "shortfall": 0}),
    )
    .await;
    t.accept(&refunded(t, 600, 2000)).await;
    let credit = t
        .stands(
            &id,
            json!({"reversed": 1000, "delivered": 0, "shortfall": 0}),
        )
        .await;
    assert_eq!(credit["status"], "reversed");
    assert_eq!(t.amounts("cus_a"), [-1000, -50, 300, 700]);
}

async fn what_comes_within_reach_again_is_taken(t: &Bench) {
    let id = earned(t, json!({})).await;
    t.delivery(&id, "delivered").await;
    let invoice = t.bill("cus_a", 600);
    t.accept(&disputed(t, "needs_response", &[-2000])).await;
    t.stands(&id, json!({"reversed": 400, "shortfall": 600}))
        .await;
    t.fake().money().void(&invoice, OnVoid::Return);
    t.hear().await;
    t.stands(&id, json!({"reversed": 1000, "shortfall": 0, "applied": 0}))
        .await;
    assert_eq!(t.amounts("cus_a"), [-1000, 600, 400, -600, 600]);
}

fn post(fault: Fault) -> Injection {
    Injection::new(fault)
        .method("POST")
        .path_ending("/balance_transactions")
}

/// Lets an invoice use so much while a call waits at Stripe.
async fn billed_meanwhile(t: &Bench, total: i64) {
    let before = t.posts();
    for _ in 0..400 {
        if t.posts() > before {
            t.bill("cus_a", total);
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no call came");
}

async fn what_was_used_meanwhile_is_put_back(t: &Bench) {
    let id = earned(t, json!({})).await;
    t.delivery(&id, "delivered").await;
    t.fake()
        .inject(post(Fault::Hang(Duration::from_millis(600))));
    let lost = disputed(t, "needs_response", &[-2000]);
    tokio::join!(async { t.accept(&lost).await }, billed_meanwhile(t, 600));
    t.stands(
        &id,
        json!({"reversed": 400, "shortfall": 600, "applied": 600}),
    )
    .await;
    assert_eq!(t.amounts("cus_a"), [-1000, 600, 1000, -600]);
    let last = t.lines("cus_a").pop().expect("a line");
    assert_eq!(last["ending_balance"], 0);
    t.hear().await;
    t.accept(&disputed(t, "won", &[-2000, 2000])).await;
    t.stands(
        &id,
        json!({"reversed": 0, "shortfall": 0, "applied": 600, "delivered": 400}),
    )
    .await;
}

async fn a_list_that_is_behind_takes_nothing_away(t: &Bench) {
    let id = earned(t, json!({})).await;
    t.fake().with_books(|books| books.line_delay = 30);
    t.delivery(&id, "delivered").await;
    t.accept(&disputed(t, "needs_response", &[-2000])).await;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_millis(25)).await;
        t.advance(t.until_next(&t.credit(&id).await).min(2_000_000));
    }
    let credit = t.credit(&id).await;
    assert_eq!(credit["delivery"]["state"], "queued", "{credit:#}");
    assert_eq!(credit["amounts"]["shortfall"], 0);
    t.fake().clock().advance(31);
    t.stands(&id, json!({"reversed": 1000, "shortfall": 0}))
        .await;
    assert_eq!(t.amounts("cus_a"), [-1000, 1000]);
}

async fn a_debt_is_made_only_where_the_terms_say_so(t: &Bench) {
    let id = earned(t, json!({"clawbackApplied": "always"})).await;
    t.delivery(&id, "delivered").await;
    t.bill("cus_a", 600);
    t.hear().await;
    t.stands(&id, json!({"applied": 600})).await;
    t.accept(&disputed(t, "needs_response", &[-2000])).await;
    t.stands(&id, json!({"reversed": 1000, "shortfall": 0, "applied": 0}))
        .await;
    assert_eq!(t.amounts("cus_a"), [-1000, 600, 1000]);
    let last = t.lines("cus_a").pop().expect("a line");
    assert_eq!(last["ending_balance"], 600);
}

async fn who_has_money_at_stripe_owes_nothing(t: &Bench) {
    let id = earned(t, json!({"clawbackApplied": "always"})).await;
    t.delivery(&id, "delivered").await;
    t.bill("cus_a", 600);
    t.fake().with_books(|books| {
        let customer = books.customers.get_mut("cus_a").expect("the customer");
        customer["cash_balance"] = json!({"object": "cash_balance", "available": {"usd": 100}});
    });
    t.accept(&disputed(t, "needs_response", &[-2000])).await;
    t.stands(
        &id,
        json!({"reversed": 400, "shortfall": 600, "applied": 600}),
    )
    .await;
    assert_eq!(t.amounts("cus_a"), [-1000, 600, 400]);
}

async fn with_the_customer_all_is_gone(t: &Bench) {
    let id = earned(t, json!({"clawbackApplied": "always"})).await;
    t.delivery(&id, "delivered").await;
    let posts = t.posts();
    t.fake().money().delete_customer("cus_a");
    t.accept(&disputed(t, "needs_response", &[-2000])).await;
    t.stands(&id, json!({"reversed": 0, "shortfall": 1000}))
        .await;
    t.hear().await;
    t.accept(&disputed(t, "won", &[-2000, 2000])).await;
    t.stands(&id, json!({"reversed": 0, "shortfall": 0})).await;
    assert_eq!(t.posts(), posts);
}

async fn a_loss_waits_for_a_call_under_way(t: &Bench) {
    t.fake().inject(post(Fault::Reset).times(1_000));
    let id = earned(t, json!({})).await;
    t.delivery(&id, "unknown").await;
    // It is taken in all the same, and moves nothing yet.
    t.accept(&refunded(t, 0, 600)).await;
    let credit = t.credit(&id).await;
    assert_eq!(
        (
            &credit["amounts"]["available"],
            &credit["amounts"]["reversed"]
        ),
        (&json!(1000), &json!(0))
    );
    t.fake().clear_faults();
    t.stands(&id, json!({"reversed": 300, "delivered": 700}))
        .await;
    assert_eq!(t.amounts("cus_a"), [-1000, 300]);
    // While that which takes back is under way, more is lost, and then all is won.
    t.fake()
        .inject(post(Fault::HangAfterCommit(Duration::from_millis(1_300))));
    let before = t.posts();
    t.accept(&refunded(t, 600, 1000)).await;
    t.called(&id, before).await;
    t.accept(&refunded(t, 1000, 2000)).await;
    t.stands(
        &id,
        json!({"reversed": 1000, "delivered": 0, "shortfall": 0}),
    )
    .await;
    assert_eq!(t.amounts("cus_a"), [-1000, 300, 200, 500]);
}

async fn a_person_takes_back_what_is_in_stripe(t: &Bench) {
    t.delivering(json!({})).await;
    let customer = t.payer("a", "cus_a").await;
    let id = t.give(&customer, 1000).await;
    t.delivery(&id, "delivered").await;
    t.bill("cus_a", 300);
    t.hear().await;
    t.stands(&id, json!({"applied": 300})).await;
    let path = format!("referrals/credits/{id}/reverse");
    let more = json!({"amount": 701, "reason": "by mistake"});
    t.key
        .post(&path, more)
        .await
        .refused("amount_exceeds_credit");
    let some = json!({"amount": 200, "reason": "by mistake"});
    let answer = t.key.post(&path, some).await.ok();
    assert_eq!(answer["credit"]["delivery"]["state"], "queued");
    assert_eq!(answer["credit"]["amounts"]["delivered"], 700);
    t.stands(
        &id,
        json!({"reversed": 200, "delivered": 500, "applied": 300, "shortfall": 0}),
    )
    .await;
    let posting = t.postings(&id, "program").await.pop().expect("one");
    assert_eq!(
        (&posting["cause"], &posting["reason"]),
        (&json!("user"), &json!("by mistake"))
    );
    // Used meanwhile: what was taken too much is put back, and nothing is noted as lost.
    t.fake()
        .inject(post(Fault::Hang(Duration::from_millis(600))));
    let all = json!({"reason": "all of it"});
    let (answer, ()) = tokio::join!(t.key.post(&path, all), billed_meanwhile(t, 400));
    answer.ok();
    t.stands(
        &id,
        json!({"reversed": 300, "delivered": 0, "applied": 700, "shortfall": 0}),
    )
    .await;
    assert_eq!(t.amounts("cus_a"), [-1000, 300, 200, 400, 500, -400]);
    let none = json!({"reason": "once more"});
    t.key
        .post(&path, none.clone())
        .await
        .refused("illegal_transition");
    let settle = format!("referrals/credits/{id}/settle");
    t.key
        .post(&settle, none)
        .await
        .refused("illegal_transition");
}

async fn by_hand_and_by_loss_no_more_than_all(t: &Bench) {
    let id = earned(t, json!({})).await;
    t.delivery(&id, "delivered").await;
    let path = format!("referrals/credits/{id}/reverse");
    let some = json!({"amount": 400, "reason": "agreed"});
    t.key.post(&path, some).await.ok();
    t.accept(&disputed(t, "needs_response", &[-2000])).await;
    t.stands(&id, json!({"reversed": 1000, "shortfall": 0}))
        .await;
    t.accept(&disputed(t, "won", &[-2000, 2000])).await;
    t.stands(
        &id,
        json!({"reversed": 400, "delivered": 600, "shortfall": 0}),
    )
    .await;
    let lines = t.amounts("cus_a");
    assert_eq!(lines.iter().sum::<i64>(), -600, "{lines:?}");
}
