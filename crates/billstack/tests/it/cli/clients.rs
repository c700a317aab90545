//! The clients in other languages, as they are packed: against a real server, also by way of a proxy that loses
//! answers.

mod losing;
pub(super) mod node;
pub(super) mod python;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::examples::blocks_of as blocks;
use super::{Place, Server, finish};
use crate::support;
use crate::support::client::http;
use losing::Losing;

/// How many people sign up while answers are lost.
const SIGN_UPS: usize = 500;

#[test]
fn the_generated_parts_are_up_to_date() {
    let mut check = Command::new(support::python::interpreter());
    check.arg(clients().join("generate.py")).arg("--check");
    let ran = finish(check, "");
    assert_eq!(ran.code(), Some(0), "{}{}", ran.out(), ran.err());
}

/// What both pages show runs as it stands, on one server: the same matter under the same key is one request, whichever
/// client sends it first.
#[test]
fn their_pages_run_on_one_server() {
    let world = World::new();
    node::run_page(&world);
    python::run_page(&world);
}

/// The directory of the clients in the repository.
fn clients() -> PathBuf {
    root().join("clients")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A server with a project whose program is on, and somebody in it who refers.
pub(super) struct World {
    pub(super) place: Place,
    pub(super) server: Server,
    /// The path of the project.
    pub(super) project: String,
    key: String,
    /// The code of Ada, who refers everybody.
    code: String,
}

impl World {
    fn new() -> World {
        World::with(&[])
    }

    /// One whose server has these settings.
    pub(super) fn with(settings: &[&str]) -> World {
        let place = Place::new();
        let made: Value = serde_json::from_str(&place.init().ok()).expect("JSON");
        let of = |name: &str| made[name].as_str().expect("a text").to_owned();
        let serve = ["serve", "--listen", "127.0.0.1:0", "--rate-limit", "off"];
        let server = Server::start(place.command(&[&serve, settings].concat()));
        let (team, project) = (of("teamId"), of("projectId"));
        let mut world = World {
            place,
            server,
            project: format!("/api/billstack/teams/{team}/projects/{project}"),
            key: of("apiKey"),
            code: String::new(),
        };
        let terms =
            json!({"enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500});
        world.send("PUT", "/referrals/config", &terms);
        let ada = json!({"email": "ada@example.com"});
        let ada = world.send("POST", "/customers", &ada);
        let code = json!({"customerId": ada["customer"]["id"]});
        let code = world.send("POST", "/referrals/codes", &code);
        world.code = code["code"]["code"].as_str().expect("a code").to_owned();
        world
    }

    /// A call of the project that goes well.
    pub(super) fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("http://{}{}{path}", self.server.address, self.project);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let method = method.parse().expect("a method");
            let client = http().build();
            let call = client.expect("a client").request(method, url);
            let call = call.bearer_auth(&self.key).json(body);
            let answer = call.send().await.expect("an answer");
            let status = answer.status();
            let answer: Value = answer.json().await.expect("JSON");
            assert!(status.is_success(), "{answer}");
            answer
        })
    }

    /// A command that knows the project, by way of this address.
    pub(super) fn tell(&self, command: &mut Command, address: &str) {
        command.env("REFERRALS_API", format!("http://{address}{}", self.project));
        command.env("REFERRALS_API_KEY", &self.key);
        command.env("REFERRALS_CODE", &self.code);
        command.env("no_proxy", "127.0.0.1");
    }

    /// Runs a program that tests a client against the server. Returns what it prints.
    fn run(&self, mut command: Command) -> String {
        self.tell(&mut command, &self.server.address);
        let ran = finish(command, "");
        assert_eq!(ran.code(), Some(0), "{}{}", ran.out(), ran.err());
        ran.out()
    }

    /// Lets everybody sign up while answers are lost, and looks what came of it.
    fn sign_up(&self, mut command: Command) {
        let losing = Losing::in_front_of(&self.server.address);
        self.tell(&mut command, &losing.address);
        command.env("REFERRALS_SIGN_UPS", SIGN_UPS.to_string());
        let ran = finish(command, "");
        assert_eq!(ran.code(), Some(0), "{}{}", ran.out(), ran.err());
        let told: Value = serde_json::from_str(&ran.out()).expect("JSON");
        // Four calls for each, and so many again as were lost.
        let (lost, passed) = losing.counts();
        assert!(lost * 4 > passed, "{lost} lost, {passed} passed on");
        assert!(
            lost + passed > SIGN_UPS * 5,
            "{lost} lost, {passed} passed on"
        );
        self.assert_each_signed_up_once(&told);
        self.place.run(&["verify"]).ok();
    }

    /// Nobody is there twice and nobody is missing, in the server as in what the client told.
    fn assert_each_signed_up_once(&self, told: &Value) {
        let all = |path: &str, member: &str| {
            let answer = self.send("GET", &format!("{path}?limit=1000"), &json!({}));
            assert!(answer["nextCursor"].is_null());
            answer[member].as_array().expect("a list").clone()
        };
        let texts = |rows: &[Value], member: &str| -> BTreeSet<String> {
            let texts = rows.iter().filter_map(|row| row[member].as_str());
            texts.map(str::to_owned).collect()
        };
        let customers = all("/customers", "customers");
        assert_eq!(customers.len(), SIGN_UPS + 1);
        let wanted: BTreeSet<_> = (0..SIGN_UPS).map(|n| format!("user-{n}")).collect();
        assert_eq!(texts(&customers, "externalId"), wanted);
        let codes = all("/referrals/codes", "codes");
        assert_eq!(codes.len(), SIGN_UPS + 1);
        assert_eq!(texts(&codes, "customerId"), texts(&customers, "id"));
        let referrals = all("/referrals", "referrals");
        assert_eq!(referrals.len(), SIGN_UPS);
        assert_eq!(texts(&referrals, "refereeCustomerId").len(), SIGN_UPS);
        assert_eq!(
            texts(&referrals, "code"),
            BTreeSet::from([self.code.clone()])
        );

        let credits = all("/referrals/credits", "credits");
        assert_eq!(credits.len(), SIGN_UPS);
        assert_eq!(texts(&credits, "customerId").len(), SIGN_UPS);

        let told = told.as_array().expect("a list");
        assert_eq!(told.len(), SIGN_UPS);
        assert_eq!(texts(told, "referral"), texts(&referrals, "id"));
        assert_eq!(texts(told, "credit"), texts(&credits, "id"));
        let mut codes = texts(&codes, "code");
        codes.remove(&self.code);
        assert_eq!(texts(told, "code"), codes);
    }
}

/// The files of a directory and of those below it, by their paths in it, but for what is hidden, built
/// or fetched.
fn files_of(directory: &Path) -> Vec<PathBuf> {
    let listing = std::fs::read_dir(directory).expect("a listing");
    let mut names: Vec<_> = listing
        .map(|entry| entry.expect("a file").file_name())
        .collect();
    names.sort();
    let mut files = Vec::new();
    for name in names {
        let path = directory.join(&name);
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_file() {
            files.push(name.into());
        } else if !["node_modules", "dist", "__pycache__"]
            .iter()
            .any(|no| *no == name)
        {
            let below = files_of(&path).into_iter();
            files.extend(below.map(|file| Path::new(&name).join(file)));
        }
    }
    files
}

/// What is in all those files.
pub(super) fn text_of(directory: &Path) -> String {
    let files = files_of(directory).into_iter();
    let texts = files.map(|file| {
        let text = std::fs::read_to_string(directory.join(&file)).expect("a text file");
        format!("{}\n{text}", file.display())
    });
    texts.collect()
}

/// Copies all those files.
fn copy(from: &Path, to: &Path) {
    for file in files_of(from) {
        let copy = to.join(&file);
        std::fs::create_dir_all(copy.parent().expect("a directory")).expect("a directory");
        std::fs::copy(from.join(&file), copy).expect("a copy");
    }
}

/// Runs a program that has to go well, in a directory.
fn run_in(directory: &Path, program: impl AsRef<std::ffi::OsStr>, args: &[&str], advice: &str) {
    let mut command = Command::new(program);
    let output = command.args(args).current_dir(directory).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}. {advice}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {out}{err}\n{advice}");
}
