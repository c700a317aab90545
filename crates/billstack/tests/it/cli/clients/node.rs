//! The client of Node.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::super::examples::webhooks::assert_judged_right;
use super::{World, blocks, clients, copy, root, run_in, text_of};
use crate::support;

const ADVICE: &str = "This test needs Node 20.9 or later with npm and, on its first run, access to the npm registry.";

/// Behind the page: uses what it defines.
const SEEN: &str = r#"
import { WebhookVerificationError } from "billstack-referrals";
import { statSync } from "node:fs";
import { connect } from "node:net";
import { createServer } from "node:http";

const seen = [];
const response = { writeHead: (status, head) => ({ end: () => seen.push(status, head.location) }) };
for (const url of ["/a?ref_click=ct_1&b=c", "/a"]) keepClick({ method: "GET", url }, response, () => seen.push("next"));
try {
  receive({ "webhook-id": "evt_1" }, "{}", "whsec_MTIz");
} catch (error) {
  seen.push(error instanceof WebhookVerificationError);
}
const { notice } = await signUp({ id: "user-1", email: "eve@example.com", name: "Eve" }, "NOTACODE");
// A server lives whatever a stranger asks it for.
const server = createServer((request, response) => keepClick(request, response, () => response.end()));
await new Promise((done) => server.listen(0, "127.0.0.1", done));
for (const target of ["http://[", "http://a:b/", "http://x:99999/", "http:///?ref_click=a", "//[", "*"]) {
  const socket = connect(server.address().port, "127.0.0.1");
  socket.end(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  for await (const bytes of socket) void bytes;
}
server.close();
const isFilled = statSync("credits.csv").size > 0;
console.log(JSON.stringify([...seen, grace.referral.status, own.code.length, credit.amount, notice, isFilled]));
"#;
const TOLD: &str =
    r#"[302,"/a?b=c","next",true,"pending",8,500,"No such referral code in this project.",true]"#;

#[test]
fn it_signs_everybody_up_once_though_answers_are_lost() {
    World::new().sign_up(node("sign-ups.mjs"));
}

#[test]
fn it_does_what_it_says_against_a_server() {
    World::new().run(node("server.mjs"));
}

#[test]
fn it_does_what_it_says_by_itself() {
    run_in(&app(), "node", &["alone.mjs"], ADVICE);
}

#[test]
fn it_verifies_what_we_send() {
    assert_judged_right(node("judge.mjs"));
}

/// Runs what the page of the client shows, one block after the other, as the strictest compiler of TypeScript takes it.
pub(super) fn run_page(world: &World) {
    let place = app();
    let page = blocks(&clients().join("node/README.md"), "ts").join("\n");
    std::fs::write(place.join("page.mts"), page).expect("a file");
    let compiler = typescript();
    let compiler = compiler.to_str().expect("UTF-8");
    let strict = [compiler, "--project", "page.json"];
    run_in(&place, "node", &strict, ADVICE);
    let made = std::fs::read_to_string(place.join("page.mjs")).expect("what the compiler made");
    std::fs::write(place.join("page.mjs"), format!("{made}{SEEN}")).expect("a file");
    let mut command = node("page.mjs");
    command.current_dir(&place);
    assert_eq!(world.run(command).lines().last(), Some(TOLD));
}

/// A package goes where this repository does not.
#[test]
fn its_package_has_its_licence() {
    let package = app().join("node_modules/billstack-referrals");
    let packed = std::fs::read_to_string(package.join("LICENSE")).expect("a licence");
    let ours = std::fs::read_to_string(root().join("LICENSE")).expect("our licence");
    assert_eq!(packed, ours);
    let page = std::fs::read_to_string(package.join("README.md")).expect("a page");
    assert!(!page.contains("](../"), "{page}");
}

/// What is meant to be refused by the compiler is marked, and it complains about a mark where it refuses nothing.
#[test]
fn its_types_tell_refusals_and_events_apart() {
    let compiler = typescript();
    let compiler = compiler.to_str().expect("UTF-8");
    run_in(&app(), "node", &[compiler, "--project", "."], ADVICE);
}

/// The compiler of TypeScript that builds the client.
pub(in crate::cli) fn typescript() -> PathBuf {
    app();
    build_place().join("node_modules/typescript/bin/tsc")
}

/// A directory with a shop of `examples/` and what it needs, fetched with these options.
pub(in crate::cli) fn shop(name: &str, options: &[&str]) -> PathBuf {
    let source = root().join("examples").join(name);
    let place = support::node::modules_with(&format!("shop-in-{name}"), &source, options);
    copy(&source, &place);
    let packed = app().join("../billstack-referrals-0.1.0.tgz");
    let packed = packed.to_str().expect("UTF-8");
    let quiet = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
    let install = [&["install", packed], &quiet[..], options].concat();
    run_in(&place, "npm", &install, ADVICE);
    place
}

/// The directory of the shop in Next.js, built.
pub(in crate::cli) fn built_shop() -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let sources = [root().join("examples/next"), clients().join("node")];
    let wanted: String = sources.iter().map(|source| text_of(source)).collect();
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shop-in-next");
    let note = place.join("built");
    if std::fs::read_to_string(&note).is_ok_and(|have| have == wanted) {
        return place;
    }
    for stale in ["app", "lib", ".next"] {
        let _ = std::fs::remove_dir_all(place.join(stale));
    }
    // Its compiler is optional: there is one for each machine.
    let place = shop("next", &[]);
    run_in(&place, "npm", &["run", "build"], ADVICE);
    std::fs::write(&note, wanted).expect("a note of what is built");
    place
}

fn node(program: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(app().join(program));
    command
}

fn build_place() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("billstack-client-of-node/build")
}

/// A directory with the tests, in which the packed client is installed: made again whenever something has changed.
fn app() -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (build, source) = (build_place(), clients().join("node"));
    let place = build.parent().expect("a directory").to_path_buf();
    let (app, note) = (place.join("app"), place.join("installed"));
    let wanted = text_of(&source);
    if std::fs::read_to_string(&note).is_ok_and(|have| have == wanted) {
        return app;
    }
    // What is fetched for the build stays as long as the same is wanted.
    let lock = std::fs::read_to_string(source.join("package-lock.json")).expect("a lock");
    let is_fetched = std::fs::read_to_string(place.join("fetched")).is_ok_and(|have| have == lock);
    for stale in [
        &app,
        &build.join("src"),
        &build.join("dist"),
        &build.join("test"),
    ] {
        let _ = std::fs::remove_dir_all(stale);
    }
    copy(&source, &build);
    let quiet = ["--ignore-scripts", "--no-audit", "--no-fund"];
    if !is_fetched {
        run_in(&build, "npm", &[&["ci"], &quiet[..]].concat(), ADVICE);
        std::fs::write(place.join("fetched"), lock).expect("a note");
    }
    run_in(&build, "npm", &["run", "build"], ADVICE);
    let pack = ["pack", "--pack-destination", "..", "--ignore-scripts"];
    run_in(&build, "npm", &pack, ADVICE);
    copy(&build.join("test"), &app);
    let packed = "../billstack-referrals-0.1.0.tgz";
    run_in(
        &app,
        "npm",
        &[&["install", packed], &quiet[..]].concat(),
        ADVICE,
    );
    std::fs::write(&note, wanted).expect("a note of what is installed");
    app
}
