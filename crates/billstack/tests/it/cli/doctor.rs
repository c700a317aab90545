//! What is wrong around a server is found, and its cure said.

use std::time::Duration;

use fake_stripe::{FakeStripe, Fault, Injection};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{PASSWORD, Place, Ran, Server};

/// A place that is set up with a key of Stripe, and a server in it.
struct Shop {
    place: Place,
    fake: FakeStripe,
    team: String,
    server: Option<Server>,
    _runtime: Runtime,
}

impl Shop {
    fn new() -> Shop {
        let runtime = Runtime::new().expect("a runtime");
        let mut shop = Shop {
            fake: runtime.block_on(FakeStripe::start()),
            place: Place::new(),
            team: String::new(),
            server: None,
            _runtime: runtime,
        };
        shop.server = Some(Server::start(shop.command(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
        ])));
        let mut init = vec!["init", "--email", "ada@example.com", "--password-stdin"];
        init.extend(["--team", "Acme", "--project", "Rockets"]);
        init.extend(["--stripe-key", "rk_test_1", "--json"]);
        let made = super::finish(shop.command(&init), PASSWORD).ok();
        let made: Value = serde_json::from_str(&made).expect("one JSON object");
        shop.team = made["teamId"].as_str().expect("an id").to_owned();
        shop
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        let base = self.fake.base_url();
        let args = [args, &["--stripe-api-base", &base]].concat();
        let mut command = self.place.command(&args);
        if let Some(server) = &self.server {
            command.env("BILLSTACK_BASE_URL", format!("http://{}", server.address));
        }
        command
    }

    fn backups(&self) -> String {
        let folder = self.place.file("backups");
        std::fs::create_dir_all(&folder).expect("a folder");
        folder.to_str().expect("UTF-8").to_owned()
    }

    /// Runs it, and returns its exit code and its findings that are not fine.
    fn doctor(&self, change: impl FnOnce(&mut std::process::Command)) -> (Option<i32>, Vec<Value>) {
        let mut command = self.command(&["doctor", "--json", "--backups", &self.backups()]);
        change(&mut command);
        let ran: Ran = super::finish(command, "");
        let report: Value =
            serde_json::from_str(&ran.out()).unwrap_or_else(|_| panic!("{}", ran.err()));
        let checks = report["checks"].as_array().expect("a list").iter();
        let not_fine: Vec<_> = checks
            .filter(|one| one["verdict"] != "ok")
            .cloned()
            .collect();
        for one in &not_fine {
            assert!(
                one["cure"].as_str().is_some_and(|cure| !cure.is_empty()),
                "{one}"
            );
        }
        (ran.code(), not_fine)
    }
}

/// The finding of a check that says this.
#[track_caller]
fn told(found: &[Value], check: &str, verdict: &str, part: &str) {
    let says = |one: &&Value| {
        one["check"] == check
            && one["verdict"] == verdict
            && one["finding"]
                .as_str()
                .is_some_and(|text| text.contains(part))
    };
    assert!(
        found.iter().any(|one| says(&one)),
        "{check} {part}: {found:#?}"
    );
}

#[test]
fn a_sound_server_has_nothing_wrong() {
    let shop = Shop::new();
    let backup = format!("{}/1.db", shop.backups());
    super::finish(shop.command(&["backup", &backup]), "").ok();
    let (code, found) = shop.doctor(|_| {});
    assert_eq!(code, Some(0), "{found:#?}");
    assert!(
        found.iter().all(|one| one["verdict"] == "look"),
        "{found:#?}"
    );
    told(&found, "events", "look", "none has come yet");
    let lines = super::finish(shop.command(&["doctor"]), "").ok();
    let lines: Vec<_> = lines.lines().collect();
    assert!(lines.len() > 8, "{lines:#?}");
    let team = format!("ok     endpoint    {}: we_", shop.team);
    assert!(
        lines.iter().any(|line| line.starts_with(&team)),
        "{lines:#?}"
    );
}

#[test]
fn what_is_wrong_around_it_is_found() {
    let shop = Shop::new();
    let (code, found) = shop.doctor(|_| {});
    assert_eq!(code, Some(1));
    told(&found, "backups", "wrong", "there is none in");
    // A copy that is too old, and one that was never finished.
    let old = shop.place.file("backups/1.db");
    std::fs::write(&old, "SQLite").expect("a file");
    std::fs::write(shop.place.file("backups/2.db.partial"), "SQLite").expect("a file");
    let file = std::fs::File::options().write(true).open(&old).expect("it");
    let now = file.metadata().and_then(|file| file.modified());
    let two_days_ago = now.expect("a time") - Duration::from_secs(2 * 86_400);
    file.set_modified(two_days_ago).expect("an older time");
    told(
        &shop.doctor(|_| {}).1,
        "backups",
        "wrong",
        "the newest is 2 days old",
    );
    let (code, found) = shop.doctor(|command| {
        command.env("BILLSTACK_BAS_URL", "https://example.com");
        command.env("BILLSTACK_BASE_URL", "http://127.0.0.1:9");
    });
    assert_eq!(code, Some(1));
    told(
        &found,
        "settings",
        "look",
        "BILLSTACK_BAS_URL is no setting",
    );
    told(
        &found,
        "address",
        "wrong",
        "http://127.0.0.1:9 does not answer",
    );
    told(
        &found,
        "endpoint",
        "wrong",
        "Stripe has none that sends to http://127.0.0.1:9/",
    );
    let (_, found) = shop.doctor(|command| {
        command.env("BILLSTACK_BASE_URL", shop.fake.base_url());
        command.env("BILLSTACK_SECRET_KEY", "02".repeat(32));
    });
    told(&found, "address", "wrong", "is no BillStack");
    told(&found, "key", "wrong", "does not open");
    let (_, found) = shop.doctor(|command| {
        command.env("BILLSTACK_BASE_URL", "http://referrals.invalid");
    });
    told(&found, "address", "wrong", "is not https");
    let (code, found) = shop.doctor(|command| {
        command.env_remove("BILLSTACK_BASE_URL");
        command.env("BILLSTACK_LISTEN", "0.0.0.0:9");
    });
    assert_eq!(code, Some(1));
    told(
        &found,
        "address",
        "wrong",
        "http://127.0.0.1:9 does not answer",
    );
}

#[test]
fn what_is_wrong_at_stripe_is_found() {
    let shop = Shop::new();
    shop.fake.with_books(|books| {
        let all = books.webhook_endpoints.newest_first();
        let id = all.into_iter().next().expect("one")["id"].clone();
        let id = id.as_str().expect("an id");
        let endpoint = books.webhook_endpoints.get_mut(id).expect("it");
        endpoint["enabled_events"] = serde_json::json!(["customer.updated"]);
    });
    shop.fake.inject(
        Injection::missing_permission("rak_event_read")
            .path("/v1/events")
            .always(),
    );
    let (code, found) = shop.doctor(|_| {});
    assert_eq!(code, Some(1));
    told(&found, "endpoint", "wrong", "does not send");
    told(&found, "stripe", "look", "lacks rak_event_read");
    shop.fake.clear_faults();
    shop.fake
        .inject(Injection::new(Fault::Status(401)).always());
    let (code, found) = shop.doctor(|_| {});
    assert_eq!(code, Some(1));
    told(&found, "stripe", "wrong", "does not take the key");
    shop.fake.clear_faults();
    shop.fake.inject(Injection::new(Fault::Reset).always());
    let found = shop.doctor(|_| {}).1;
    told(&found, "clock", "wrong", "cannot be asked for the time");
    told(&found, "stripe", "wrong", "does not answer");
}

#[test]
fn a_database_that_is_not_there_is_said() {
    let place = Place::new();
    let ran = place.run(&["doctor", "--database-url", "sqlite://none.db"]);
    assert_eq!(ran.code(), Some(1), "{}", ran.err());
    assert!(
        ran.out()
            .contains("WRONG  database    there is no database at"),
        "{}",
        ran.out()
    );
    let ran = place.run(&["doctor", "--database-url", "mysql://x"]);
    assert_eq!(ran.code(), Some(2), "{}", ran.err());
}
