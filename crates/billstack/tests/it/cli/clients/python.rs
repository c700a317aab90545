//! The clients of Python: one that blocks, and one for asyncio.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::super::examples::webhooks::assert_judged_right;
use super::super::finish;
use super::{World, blocks, clients, copy, root, run_in, text_of};
use crate::support;

/// Behind the page: uses what it defines.
const SEEN: &str = r#"
import json
from billstack_referrals import WebhookVerificationError

seen = []
place = {"HTTP_HOST": "a.example", "REQUEST_METHOD": "GET", "PATH_INFO": "/a", "wsgi.url_scheme": "https"}
for query in ("ref_click=ct_1&b=c", ""):
    keep_click(lambda *_: seen.append("next"))({**place, "QUERY_STRING": query}, lambda *head: seen.append(head))
try:
    receive({"webhook-id": "evt_1"}, b"{}", "whsec_MTIz")
except WebhookVerificationError as error:
    seen.append(str(error))
told = [seen[0][0], seen[0][1][0][1], *seen[1:], referral["status"], len(own["code"]), credit["amount"]]
_, _, notice = sign_up({"id": "user-1", "email": "eve@example.com", "name": "Eve"}, "NOTACODE")
print(json.dumps([*told, notice, os.path.getsize("credits.csv") > 0]))
"#;
const TOLD: &str = r#"["302 Found", "/a?b=c", "next", "webhook-timestamp is missing", "pending", 8, 500, "No such referral code in this project.", true]"#;

const QUIET: [&str; 4] = ["-m", "pip", "--quiet", "--disable-pip-version-check"];
const INSTALL: [&str; 4] = [
    "install",
    "--force-reinstall",
    "--no-deps",
    "billstack_referrals-0.1.0-py3-none-any.whl",
];

#[test]
fn they_sign_everybody_up_once_though_answers_are_lost() {
    World::new().sign_up(python("sign_ups.py"));
}

#[test]
fn they_do_what_they_say_against_a_server() {
    World::new().run(python("server.py"));
}

#[test]
fn they_do_what_they_say_by_themselves() {
    let (python, tests) = installed();
    run_in(&tests, python, &["alone.py"], "");
}

#[test]
fn they_verify_what_we_send() {
    assert_judged_right(python("judge.py"));
}

/// Runs what the page of the clients shows, one block after the other, as the strictest mypy takes it.
pub(super) fn run_page(world: &World) {
    let page = blocks(&clients().join("python/README.md"), "python").join("\n");
    let (python, tests) = installed();
    let program = tests.join("page.py");
    std::fs::write(&program, &page).expect("a file");
    run_in(&tests, &python, &["-m", "mypy", "--strict", "page.py"], "");
    std::fs::write(&program, format!("{page}{SEEN}")).expect("a file");
    let mut command = Command::new(python);
    command.arg(program).current_dir(&tests);
    assert_eq!(world.run(command).lines().last(), Some(TOLD));
}

/// A package goes where this repository does not.
#[test]
fn their_package_has_its_licence() {
    let (python, tests) = installed();
    let look = "from importlib.metadata import files; \
        print(next(one for one in files('billstack-referrals') if one.name == 'LICENSE').locate())";
    let mut command = Command::new(python);
    command.args(["-c", look]).current_dir(tests);
    let packed = finish(command, "").ok();
    let packed = std::fs::read_to_string(packed.trim()).expect("a licence");
    let ours = std::fs::read_to_string(root().join("LICENSE")).expect("our licence");
    assert_eq!(packed, ours);
    let page = std::fs::read_to_string(clients().join("python/README.md")).expect("a page");
    assert!(!page.contains("](../"), "{page}");
}

/// What is meant to be refused is marked, and a mark where nothing is refused is a fault.
#[test]
fn their_types_hold_and_tell_refusals_and_events_apart() {
    let (python, tests) = installed();
    let source = tests.with_file_name("src");
    let source = source.to_str().expect("UTF-8");
    for what in [source, "typed.py"] {
        run_in(&tests, &python, &["-m", "mypy", "--strict", what], "");
    }
}

fn python(program: &str) -> Command {
    let (python, tests) = installed();
    let mut command = Command::new(python);
    command.arg(tests.join(program));
    command
}

/// An interpreter with what the shop in FastAPI needs, and the directory of that.
pub(in crate::cli) fn shop() -> (PathBuf, PathBuf) {
    let directory = root().join("examples/fastapi");
    let shop = support::python::with("shop-in-fastapi", &directory);
    let (client, _) = installed();
    let note = client.with_file_name("client-installed");
    let wanted = std::fs::read_to_string(note).expect("what is installed");
    let have = shop.with_file_name("client-installed");
    if !std::fs::read_to_string(&have).is_ok_and(|have| have == wanted) {
        run_in(&wheels(), &shop, &[&QUIET[..], &INSTALL].concat(), "");
        std::fs::write(have, wanted).expect("a note of what is installed");
    }
    (shop, directory)
}

/// An interpreter with the wheel of the client, and a copy of the tests: made again whenever something has changed.
fn installed() -> (PathBuf, PathBuf) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let source = clients().join("python");
    let python = support::python::with("client-of-python", &source.join("tests"));
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let wheels = wheels();
    let build = wheels.with_file_name("build");
    // Beside the interpreter, which may be made anew.
    let note = python.with_file_name("client-installed");
    let tests = build.join("tests");
    let wanted = text_of(&source);
    if std::fs::read_to_string(&note).is_ok_and(|have| have == wanted) && tests.is_dir() {
        return (python, tests);
    }
    for stale in [&build, &wheels] {
        let _ = std::fs::remove_dir_all(stale);
    }
    copy(&source, &build);
    let wheel = [
        "wheel",
        "--no-build-isolation",
        "--no-deps",
        "--wheel-dir",
        "../wheels",
        ".",
    ];
    run_in(&build, &python, &[&QUIET[..], &wheel].concat(), "");
    run_in(&wheels, &python, &[&QUIET[..], &INSTALL].concat(), "");
    std::fs::write(&note, wanted).expect("a note of what is installed");
    (python, tests)
}

/// Where the wheel is.
fn wheels() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("billstack-client-of-python/wheels")
}
