//! The examples of the documentation, run as they stand against a real server.

mod snippets;
pub(super) mod webhooks;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{Place, finish};
use crate::support::python;

/// The code in the examples; a real one takes its place.
const CODE: &str = "K7M2QX9D";

/// What an operator does before the first sign-up; it prints Ada's code.
const BEFORE: &str = r#"
terms = {"enabled": True, "referrerCreditAmount": 1000, "refereeCreditAmount": 500, "currency": "usd"}
assert call("PUT", "/referrals/config", terms)[0] == 200
_, answer = call("POST", "/customers", {"email": "ada@example.com"})
_, answer = call("POST", "/referrals/codes", {"customerId": answer["customer"]["id"]})
print(answer["code"]["code"])
"#;

const SEEN_BY_NODE: &str = r#"
const kept = cookieForRef("/sign-up?a=b&ref=" + code).split(";")[0];
const told = [codeOf("", "x=y; " + kept), codeOf(" abc ", kept), codeOf(""), cookieForRef("/sign-up")];
told.push(codeOf("", "a:b=c; ref=%"), cookieForRef("http://["), cookieForRef("http://a:b/?ref="));
console.log(JSON.stringify([notice, code, link.includes(own.code), ...told]));
"#;

const SEEN_BY_PYTHON: &str = r#"
kept = cookie_for_ref("/sign-up?a=b&ref=" + code).split(";")[0]
told = [code_of("", "a:b=c; " + kept), code_of(" abc ", kept), code_of(""), cookie_for_ref("/sign-up")]
told += [code_of("", "a:b=c; ref="), cookie_for_ref("http://["), cookie_for_ref("http://a:b/?ref=")]
print(json.dumps([notice, code, own["code"] in link, *told]))
"#;

/// The same sign-up under the same key is one, whichever language sends it first.
#[test]
fn examples_in_both_languages_on_one_server() {
    let place = Place::new();
    let made: Value = serde_json::from_str(&place.init().ok()).expect("JSON");
    let server = place.serve();
    let of = |name: &str| made[name].as_str().expect("a text").to_owned();
    let (team, project) = (of("teamId"), of("projectId"));
    let api = format!(
        "http://{}/api/billstack/teams/{team}/projects/{project}",
        server.address
    );
    let run = |interpreter: &Path, name: &str, program: String| {
        let file = place.file(name);
        std::fs::write(&file, program).expect("a file");
        let mut command = Command::new(interpreter);
        command.arg(file).env("REFERRALS_API", &api);
        command.env("REFERRALS_API_KEY", of("apiKey"));
        finish(command, "").ok()
    };
    let python = python::interpreter();
    let before = format!("{}{BEFORE}", blocks("sign-up-flow.md", "python")[0]);
    let code = run(&python, "before.py", before);

    let in_node = |program| run(Path::new("node"), "example.mjs", program);
    assert_examples_run("js", SEEN_BY_NODE, code.trim(), in_node);
    let in_python = |program| run(&python, "example.py", program);
    assert_examples_run("python", SEEN_BY_PYTHON, code.trim(), in_python);
}

fn assert_examples_run(language: &str, seen: &str, code: &str, run: impl Fn(String) -> String) {
    let examples = blocks("sign-up-flow.md", language);
    let sign_up = format!("{}{seen}", examples.join("\n").replace(CODE, code));
    // The second time is a sign-up that is repeated, and ends the same.
    for _ in 0..2 {
        let told: Value = serde_json::from_str(&run(sign_up.clone())).expect("JSON");
        let applied = "Your code has been applied.";
        let expected = json!([
            applied, code, true, code, "abc", null, null, null, null, null
        ]);
        assert_eq!(told, expected);
    }
    let pages = blocks("pagination.md", language).join("\n");
    let referrals = run(format!("{}{pages}", examples[0]));
    assert_eq!(referrals.lines().count(), 1, "{referrals}");
    assert!(referrals.starts_with("ref_"), "{referrals}");
}

/// The blocks of a page for integrators in a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/integrators");
    blocks_of(&pages.join(page), language)
}

/// The blocks of a page in a language.
pub(super) fn blocks_of(page: &Path, language: &str) -> Vec<String> {
    let text = std::fs::read_to_string(page).expect("a page");
    let begin = format!("```{language}\n");
    let blocks = text.split(&begin).skip(1);
    let blocks: Vec<_> = blocks
        .filter_map(|rest| rest.split_once("```\n").map(|(block, _)| block.to_owned()))
        .collect();
    assert!(
        !blocks.is_empty(),
        "{} has nothing in {language}",
        page.display()
    );
    blocks
}
