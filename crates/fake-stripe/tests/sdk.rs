//! The proof by Stripe's own Python library: see `sdk-proof/`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use fake_stripe::{
    EventOptions, FakeStripe, NewCreditNote, NewInvoice, Pay, Subscription, body, event, sign,
};

const SECRET: &str = "whsec_proof_of_the_signature";
const ADVICE: &str = "This test needs Python 3.10 or later with its venv and pip modules (Debian and \
    Ubuntu: apt-get install python3 python3-venv python3-pip) and, on its first run, access to PyPI. \
    PYTHON names another interpreter than python3.";

/// A Python that has the library, made once and kept under the target directory.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let requirements = proof_file("requirements.txt");
        let wanted = fs::read_to_string(&requirements).expect("the requirements");
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stripe-sdk");
        let (python, installed) = (place.join("bin/python"), place.join("installed.txt"));
        if fs::read_to_string(&installed).is_ok_and(|have| have == wanted) && python.exists() {
            return python;
        }
        let interpreter = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        run(Command::new(interpreter)
            .args(["-m", "venv", "--clear"])
            .arg(&place));
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
        ];
        run(Command::new(&python).args(pip).arg(&requirements));
        fs::write(&installed, wanted).expect("a note of what is installed");
        python
    })
}

fn proof_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("sdk-proof")
        .join(name)
}

/// Runs a preparation step and stops the test with advice when it fails.
fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}. {ADVICE}"));
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{command:?} failed: {}\n{ADVICE}",
        String::from_utf8_lossy(&said)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_library_takes_the_fake_for_stripe() {
    let fake = FakeStripe::start().await;
    set_the_scene(&fake);
    let mut command = Command::new(python());
    command.arg(proof_file("prove.py")).arg(fake.base_url());
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let output = output
        .expect("the proof was not stopped")
        .expect("the proof starts");
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&said)
    );
    assert_eq!(fake.faults_left(), 0);
}

/// What happened to `cus_money` before the proof looks at it.
fn set_the_scene(fake: &FakeStripe) {
    let money = fake.money();
    money.adjust("cus_money", -500, "usd");
    let new = NewInvoice::new("cus_money", 3500, "usd").subscription("sub_money");
    let invoice = money.invoice(&new.id("in_money"));
    money.finalize(&invoice);
    let first = money.pay_with(&invoice, &Pay::card(1000));
    money.pay_with(&invoice, &Pay::bank_debit(2000));
    money.refund(first.charge(), 300);
    let dispute = money.dispute(first.charge(), 700);
    money.reinstate(&dispute, 200);
    money.close_dispute(&dispute, "lost");
    let parts = NewCreditNote::new().refund(400).to_balance(100);
    money.credit_note(&invoice, &parts);
}

#[test]
fn the_official_library_signs_alike() {
    let subscription = Subscription::new("sub_1", "cus_1").metadata("greeting", "Grüße\r\n👋");
    let options = EventOptions::at(1_760_000_000).id("evt_1");
    let payload = body(&event(
        "customer.subscription.created",
        &subscription,
        &options,
    ));
    let mut command = Command::new(python());
    command
        .arg(proof_file("sign.py"))
        .args([SECRET, "1760000000"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the signer starts");
    child
        .stdin
        .take()
        .expect("an input")
        .write_all(&payload)
        .expect("the signer reads");
    let output = child.wait_with_output().expect("the signer ends");
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim_end(),
        sign(&payload, SECRET, 1_760_000_000)
    );
}
