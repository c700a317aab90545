//! Whatever goes wrong on the way, what takes back and what is put back has one line in the end.

use std::time::Duration;

use fake_stripe::{Fault, Injection};
use serde_json::json;

use super::super::stripe;
use crate::support::bench::Bench;
use crate::support::client::Caller;

on_both_engines! {
    nothing_is_taken_twice with stripe,
    nothing_is_put_back_twice with stripe,
}

fn post(fault: Fault) -> Injection {
    Injection::new(fault)
        .method("POST")
        .path_ending("/balance_transactions")
}

fn faults() -> Vec<Injection> {
    let hang = Duration::from_millis(1_300);
    vec![
        post(Fault::Reset),
        post(Fault::ResetAfterCommit),
        post(Fault::ResetAfterCommit).times(3),
        post(Fault::HangAfterCommit(hang)),
        post(Fault::Unreadable),
        post(Fault::ProxyPageAfterCommit(504)),
        post(Fault::StatusAfterCommit(500)),
        post(Fault::Status(500)),
        post(Fault::Status(429)).code("lock_timeout"),
        Injection::new(Fault::Reset),
        Injection::new(Fault::Status(500)),
        Injection::new(Fault::Reset).method("GET").skip(1),
    ]
}

async fn nothing_is_taken_twice(t: &Bench) {
    t.delivering(json!({})).await;
    for (number, fault) in faults().into_iter().enumerate() {
        let stripe = format!("cus_{number}");
        let customer = t.payer(&format!("c{number}"), &stripe).await;
        let id = t.give(&customer, 100).await;
        t.delivery(&id, "delivered").await;
        t.fake().inject(fault.clone());
        let body = json!({"amount": 40, "reason": "because"});
        let path = format!("referrals/credits/{id}/reverse");
        t.key.post(&path, body).await.ok();
        t.stands(&id, json!({"reversed": 40, "delivered": 60}))
            .await;
        assert_eq!(t.amounts(&stripe), [-100, 40], "{fault:?}");
        assert_eq!(t.fake().faults_left(), 0, "{fault:?}");
    }
}

async fn nothing_is_put_back_twice(t: &Bench) {
    t.delivering(json!({})).await;
    for (number, fault) in faults().into_iter().enumerate() {
        let stripe = format!("cus_{number}");
        let customer = t.payer(&format!("c{number}"), &stripe).await;
        let id = t.give(&customer, 100).await;
        t.delivery(&id, "delivered").await;
        let posts = t.posts();
        t.fake()
            .inject(post(Fault::Hang(Duration::from_millis(300))));
        let body = json!({"reason": "because"});
        let path = format!("referrals/credits/{id}/reverse");
        t.key.post(&path, body).await.ok();
        while t.posts() == posts {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        t.bill(&stripe, 70);
        t.fake().inject(fault.clone());
        t.stands(&id, json!({"reversed": 30, "applied": 70})).await;
        assert_eq!(t.amounts(&stripe), [-100, 70, 100, -70], "{fault:?}");
        t.fake().clear_faults();
    }
}
