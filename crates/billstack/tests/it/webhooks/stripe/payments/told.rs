//! What is said of credits whose payment was lost, or may be.

use billstack_core::time::{DAY, HOUR};
use serde_json::json;

use super::{applied, converted, dispute, invoice, paid, refunded};
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    what_took_a_credit_back_is_named,
    a_hold_that_an_inquiry_puts_off_is_told,
    a_credit_in_parts_is_shown_in_parts,
    the_page_of_a_payment_names_what_helps,
}

/// The page of the referrer's credit.
async fn shown(t: &Bench) -> String {
    let id = text(&t.credit_of("referrer").await["id"]);
    t.page(&format!("/p/{}/credits/{id}", t.home.project)).await
}

async fn what_took_a_credit_back_is_named(t: &Bench) {
    let referral = paid(t, 2000).await.referral;
    t.accept(&refunded(t, 0, 600)).await;
    let said = "The referrer got 10.00 USD: 3.00 USD was taken back because the friend's payment was refunded and \
                7.00 USD is owed.";
    let (why, next) = t.explained(&referral).await;
    assert!(why.contains(said) && next.is_empty(), "{why} {next:?}");
    assert!(shown(t).await.contains(said));

    // A person takes more, whose reason may name somebody, and a dispute the rest.
    let id = text(&t.credit_of("referrer").await["id"]);
    let by_hand = json!({"amount": 200, "reason": "Ada asked for it"});
    let path = format!("referrals/credits/{id}/reverse");
    t.key.post(&path, by_hand).await.ok();
    let (why, _) = t.explained(&referral).await;
    assert!(why.contains("2.00 USD was taken back by the team"), "{why}");
    assert!(!why.contains("Ada"), "{why}");
    let lost = dispute(t, "needs_response", &[-2000]);
    t.accept(&t.event("charge.dispute.created", &lost)).await;
    let (why, _) = t.explained(&referral).await;
    let said = "The friend got 5.00 USD, which was taken back because the friend's payment was refunded and the \
                friend's payment was disputed.";
    assert!(why.contains(said), "{why}");
}

async fn a_hold_that_an_inquiry_puts_off_is_told(t: &Bench) {
    let terms = json!({"clawback": "within_hold", "holdDays": 5});
    let referral = converted(t, terms).await.referral;
    t.accept(&t.event("invoice.paid", &invoice(t, 2000))).await;
    let (_, next) = t.explained(&referral).await;
    assert!(
        next[0].ends_with("is held until 2026-04-04 12:00 UTC."),
        "{next:?}"
    );

    let inquiry = dispute(t, "warning_needs_response", &[]);
    t.accept(&t.event("charge.dispute.created", &inquiry)).await;
    let (_, next) = t.explained(&referral).await;
    let open = "while an inquiry or a dispute about the payment is open";
    assert!(
        next[0].contains(&format!("and after that {open}")),
        "{next:?}"
    );

    let words = "The credit of the referrer is held until <time datetime=\"2026-04-04T12:00";
    assert!(shown(t).await.contains(words));

    t.advance(5 * DAY + HOUR);
    let said = format!(
        "The credit of the referrer was to be held until 2026-04-04 12:00 UTC and is held on {open}, until 2026-08-02 \
         12:00 UTC at most."
    );
    let (_, next) = t.explained(&referral).await;
    assert_eq!(next[0], said);
}

async fn a_credit_in_parts_is_shown_in_parts(t: &Bench) {
    let terms = json!({"clawback": "within_hold", "holdDays": 30});
    let pair = converted(t, terms).await.pair;
    t.tell(&[
        t.event("invoice.paid", &invoice(t, 2000)),
        refunded(t, 0, 600),
    ])
    .await;
    let list = t.page(&format!("/p/{}/credits", t.home.project)).await;
    for parts in [
        "7.00 USD held, 3.00 USD taken back",
        "3.50 USD held, 1.50 USD taken back",
    ] {
        assert!(list.contains(parts), "{parts}: {list}");
    }
    let path = format!("/p/{}/customers/{}", t.home.project, pair.referee);
    let customer = t.page(&path).await;
    assert!(customer.contains("3.50 USD</span> held"), "{customer}");
}

async fn the_page_of_a_payment_names_what_helps(t: &Bench) {
    applied(t, json!({"conversionTrigger": "first_paid_invoice"})).await;
    let free = t.event("invoice.paid", &invoice(t, 0));
    t.accept(&free).await;
    let shown = t
        .page(&format!("/stripe/events/{}", text(&free["id"])))
        .await;
    for part in [
        "Its customer has a referral, and nothing was paid for this invoice.",
        "Reason: nothing was paid with real money.",
        "the first one that is paid with real money converts the referral",
        "of what tells of payments the facts that count are kept",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}
