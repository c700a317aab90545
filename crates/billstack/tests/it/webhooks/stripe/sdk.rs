//! Deliveries signed by Stripe's own library.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::stripe::SECRET;

on_both_engines! { what_the_official_library_signs_is_accepted }

const ADVICE: &str = "This test needs Python 3.10 or later with its venv and pip modules and, on its \
    first run, access to PyPI. PYTHON names another interpreter than python3.";

fn proof() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fake-stripe/sdk-proof")
}

/// A Python that has the library, made once and kept under the target directory.
fn python() -> &'static Path {
    static PYTHON: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    PYTHON.get_or_init(|| {
        let requirements = proof().join("requirements.txt");
        let wanted = std::fs::read_to_string(&requirements).expect("the requirements");
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stripe-sdk-of-it");
        let (python, installed) = (place.join("bin/python"), place.join("installed.txt"));
        if std::fs::read_to_string(&installed).is_ok_and(|have| have == wanted) {
            return python;
        }
        let interpreter = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        run(Command::new(interpreter)
            .args(["-m", "venv", "--clear"])
            .arg(&place));
        let pip = ["-m", "pip", "install", "--quiet", "--requirement"];
        run(Command::new(&python).args(pip).arg(&requirements));
        std::fs::write(&installed, wanted).expect("a note of what is installed");
        python
    })
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{error}. {ADVICE}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}\n{ADVICE}");
}

fn sign(bytes: &[u8], secret: &str, at: i64) -> String {
    let mut command = Command::new(python());
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
