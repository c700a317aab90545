//! Deliveries signed by Stripe's own library.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::python;
use crate::support::stripe::SECRET;

on_both_engines! { what_the_official_library_signs_is_accepted }

fn proof() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fake-stripe/sdk-proof")
}

fn sign(bytes: &[u8], secret: &str, at: i64) -> String {
    let mut command = Command::new(python::with("stripe-sdk-of-it", &proof()));
    command
        .arg(proof().join("sign.py"))
        .args([secret, &at.to_string()]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the signer starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(bytes).expect("the signer reads");
    drop(stdin);
    let output = child.wait_with_output().expect("the signer ends");
    assert!(output.status.success());
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

async fn what_the_official_library_signs_is_accepted(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let subscription = t
        .subscription(&pair.stripe)
        .metadata("greeting", "Gr\u{fc}\u{df}e\r\n");
    let event = t.event("customer.subscription.created", &subscription);
    let bytes = fake_stripe::body(&event);
    for (secret, status) in [("whsec_another", 400), (SECRET, 200)] {
        let signature = sign(&bytes, secret, t.seconds());
        let call = t.nobody.call(reqwest::Method::POST, &t.webhook());
        let call = call.header("stripe-signature", &signature);
        let answer = call.body("application/json", bytes.clone()).send().await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status == 200 {
            assert_eq!(answer.ok(), json!({"received": true}));
        }
    }
    assert_eq!(t.status(&referral).await, "converted");
}
