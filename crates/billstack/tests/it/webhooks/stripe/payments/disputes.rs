//! Disputes and inquiries.

use billstack_core::time::{DAY, HOUR};
use serde_json::json;

use super::{converted, dispute, invoice, paid};
use crate::support::bench::Bench;

on_both_engines! {
    money_is_where_the_lines_say,
    a_refund_and_a_dispute_take_no_more_than_all,
    an_inquiry_moves_nothing_and_puts_the_release_off,
    a_release_is_not_put_off_for_ever,
}

async fn money_is_where_the_lines_say(t: &Bench) {
    paid(t, 2000).await;
    for (kind, status, lines, left) in [
        ("created", "needs_response", &[][..], (1000, 500)),
        ("funds_withdrawn", "needs_response", &[-2000], (0, 0)),
        // A status that nobody knows moves nothing, neither way.
        ("updated", "brand_new", &[-2000], (0, 0)),
        ("closed", "lost", &[-2000], (0, 0)),
        // Part of it comes back although it was lost, and all of it when it is won late.
        ("funds_reinstated", "lost", &[-2000, 500], (250, 125)),
        ("closed", "won", &[-2000, 500, 1500], (1000, 500)),
        ("updated", "won", &[-2000, 500, 1500], (1000, 500)),
    ] {
        let event = t.event(
            &format!("charge.dispute.{kind}"),
            &dispute(t, status, lines),
        );
        t.accept(&event).await;
        assert_eq!(t.left().await, left, "{kind} {status}");
    }
    for status in ["prevented", "brand_new"] {
        let mut other = dispute(t, status, &[]);
        other["id"] = json!(format!("dp_{status}"));
        t.accept(&t.event("charge.dispute.created", &other)).await;
        assert_eq!(t.left().await, (1000, 500), "{status}");
    }
}

async fn a_refund_and_a_dispute_take_no_more_than_all(t: &Bench) {
    paid(t, 2000).await;
    t.tell(&[
        super::refunded(t, 0, 600),
        t.event(
            "charge.dispute.created",
            &dispute(t, "needs_response", &[-2000]),
        ),
    ])
    .await;
    assert_eq!(t.left().await, (0, 0));
    t.accept(&t.event("charge.dispute.closed", &dispute(t, "won", &[-2000, 2000])))
        .await;
    assert_eq!(t.left().await, (700, 350));
    t.accept(&super::refunded(t, 600, 2000)).await;
    assert_eq!(t.left().await, (0, 0));
    let mut bundled = dispute(t, "needs_response", &[-15000]);
    bundled["id"] = json!("dp_2");
    bundled["amount"] = json!(15000);
    t.accept(&t.event("charge.dispute.created", &bundled)).await;
    let amounts = t.credit_of("referrer").await["amounts"].take();
    assert_eq!(
        (&amounts["reversed"], &amounts["shortfall"]),
        (&json!(1000), &json!(0))
    );
}

/// The status of the referrer's credit, once it is no longer this one or after a while.
async fn settles(t: &Bench, not: &str) -> String {
    for _ in 0..400 {
        let status = t.credit_of("referrer").await["status"].take();
        if status != not {
            return status.as_str().expect("a word").to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    not.to_owned()
}

/// Lets the workers look, and tells whether the credit is still held.
async fn is_still_held(t: &Bench) -> bool {
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    t.credit_of("referrer").await["status"] == "held"
}

async fn an_inquiry_moves_nothing_and_puts_the_release_off(t: &Bench) {
    converted(t, json!({"clawback": "within_hold", "holdDays": 5})).await;
    let inquiry = dispute(t, "warning_needs_response", &[]);
    let closed = dispute(t, "warning_closed", &[]);
    t.tell(&[
        t.event("invoice.paid", &invoice(t, 2000)),
        t.event("charge.dispute.created", &inquiry),
    ])
    .await;
    assert_eq!(t.left().await, (1000, 500));
    t.later(5 * DAY + HOUR).await;
    assert!(is_still_held(t).await, "released while an inquiry is open");
    t.accept(&t.event("charge.dispute.closed", &closed)).await;
    assert_eq!(settles(t, "held").await, "granted");
    assert_eq!(t.left().await, (1000, 500));
}

async fn a_release_is_not_put_off_for_ever(t: &Bench) {
    converted(t, json!({"clawback": "within_hold", "holdDays": 5})).await;
    let inquiry = dispute(t, "warning_needs_response", &[]);
    t.tell(&[
        t.event("invoice.paid", &invoice(t, 2000)),
        t.event("charge.dispute.created", &inquiry),
    ])
    .await;
    t.advance(100 * DAY);
    assert!(is_still_held(t).await, "released while an inquiry is open");
    t.advance(25 * DAY + 2 * HOUR);
    assert_eq!(settles(t, "held").await, "granted");
}
