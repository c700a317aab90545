//! When the books were checked and the data was copied is noted, where that can be written.

use billstack_core::time::Micros;
use billstack_store::options::Options;
use billstack_store::store::{Store, Target};
use billstack_store::upkeep::{self, Last};
use billstack_store::{Act, Actor, Origin, Tx, params};
use scratch_postgres::Cluster;
use serde_json::Value;

use super::{Place, Ran, Server, finish};

/// A byte of the key to the secrets.
const KEY: &str = "ab";

const WORD_OF_FAILURE: &str = "could not note";

fn open(url: &str) -> Store {
    let target = Target::from_url(url).expect("an address");
    Store::open(&target, &Options::default()).expect("a database")
}

fn last(url: &str) -> Last {
    let read = open(url).scan_blocking(|tx| Ok(upkeep::last(tx)?));
    read.expect("what is noted")
}

fn change(url: &str, sql: &'static str) {
    let origin = Origin {
        seed: billstack_core::ids::IdSeed::new(
            Micros::from_secs(1),
            billstack::secrets::random_bytes(),
        ),
        actor: Actor::CommandLine,
        request_id: "test".to_owned(),
    };
    let done = open(url).write_blocking(origin, move |tx: &mut dyn Tx, _: &mut Act| {
        assert_ne!(tx.execute(sql, params![])?, 0, "{sql}");
        Ok(())
    });
    done.expect("a change");
}

/// What the doctor says of a thing.
fn doctor(place: &Place, url: &str, check: &str) -> Vec<(String, String)> {
    let told = run(place, url, &["doctor", "--json"]).out();
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let checks = told["checks"].as_array().expect("a list").iter();
    let text = |one: &Value, name: &str| one[name].as_str().expect("a text").to_owned();
    let of_it = checks.filter(|one| one["check"] == check);
    of_it
        .map(|one| (text(one, "verdict"), text(one, "finding")))
        .collect()
}

fn run(place: &Place, url: &str, args: &[&str]) -> Ran {
    let mut command = place.command(args);
    command.env("DATABASE_URL", url);
    command.env("BILLSTACK_SECRET_KEY", KEY.repeat(32));
    finish(command, super::PASSWORD)
}

fn of_file(place: &Place) -> String {
    format!("sqlite://{}", place.file("billstack.db").display())
}

#[track_caller]
fn assert_one(found: &[(String, String)], verdict: &str, part: &str) {
    let [(told, finding)] = found else {
        panic!("{found:?}");
    };
    assert!(told == verdict && finding.contains(part), "{found:?}");
}

#[test]
fn a_check_is_noted_with_how_many_rules_were_broken() {
    let place = Place::new();
    let created = Cluster::shared().create_database("noted_checks", None);
    for url in [of_file(&place), created.expect("a database")] {
        run(&place, &url, &super::INIT).ok();
        assert_eq!(last(&url), Last::default());
        assert_one(&doctor(&place, &url, "books"), "look", "never");
        run(&place, &url, &["verify"]).ok();
        let first = last(&url).verify.expect("a check");
        assert_eq!(
            (first.result, first.version.as_str()),
            (0, env!("CARGO_PKG_VERSION"))
        );
        assert!(
            first.ended_at >= first.began_at && first.began_at.0 > 0,
            "{first:?}"
        );
        assert_one(&doctor(&place, &url, "books"), "ok", "every rule held");
        change(&url, "UPDATE projects SET mode = 'x'");
        let broken = run(&place, &url, &["verify"]);
        assert_eq!(broken.code(), Some(1), "{}", broken.err());
        assert!(!broken.err().contains(WORD_OF_FAILURE), "{}", broken.err());
        let second = last(&url).verify.expect("a check");
        assert!(
            second.result > 0 && second.began_at > first.began_at,
            "{second:?}"
        );
        assert_one(
            &doctor(&place, &url, "books"),
            "wrong",
            "rules that were broken",
        );
        change(&url, "UPDATE projects SET mode = 'live'");
    }
}

#[test]
fn a_backup_is_noted_where_it_was_made_of_and_not_in_itself() {
    let place = Place::new();
    let url = of_file(&place);
    run(&place, &url, &super::INIT).ok();
    assert_one(
        &doctor(&place, &url, "backups"),
        "look",
        "none was ever made",
    );
    run(&place, &url, &["backup", "copy.db"]).ok();
    let noted = last(&url);
    let backup = noted.backup.clone().expect("a backup");
    let size = std::fs::metadata(place.file("copy.db"))
        .expect("the copy")
        .len();
    assert_eq!(backup.result.unsigned_abs(), size);
    // Every rule was asked of the copy.
    assert_eq!(noted.verify.expect("a check").result, 0);
    assert_one(&doctor(&place, &url, "backups"), "ok", "the last was made");
    let copy = format!("sqlite://{}", place.file("copy.db").display());
    assert_eq!(last(&copy), Last::default());
    // One that is refused is none.
    run(&place, &url, &["backup", "copy.db"]).refused(1);
    assert_eq!(last(&url).backup, Some(backup));
}

#[test]
fn a_check_of_what_takes_no_writes_says_what_it_found() {
    let place = Place::new();
    let created = Cluster::shared().create_database("noted_read_only", None);
    let url = created.expect("a database");
    run(&place, &url, &["migrate"]).ok();
    let mark = if url.contains('?') { '&' } else { '?' };
    let read_only = format!("{url}{mark}options=-c%20default_transaction_read_only%3Don");
    let ran = run(&place, &read_only, &["verify"]);
    assert!(ran.ok().contains("rules hold"), "{}", ran.err());
    assert!(ran.err().contains(WORD_OF_FAILURE), "{}", ran.err());
    assert_eq!(last(&url), Last::default());
}

#[test]
fn a_server_shows_what_is_noted_to_who_collects_metrics() {
    let place = Place::new();
    let url = of_file(&place);
    run(&place, &url, &super::INIT).ok();
    run(&place, &url, &["backup", "copy.db"]).ok();
    change(&url, "UPDATE projects SET mode = 'x'");
    assert_eq!(run(&place, &url, &["verify"]).code(), Some(1));
    let noted = last(&url);
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("BILLSTACK_SECRET_KEY", KEY.repeat(32));
    let server = Server::start(command);
    let value = |metrics: &str, name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|number| number.trim().parse::<f64>().ok())
    };
    let seconds = |run: Option<upkeep::Run>| run.expect("a run").began_at.0 as f64 / 1e6;
    let wanted = [
        (
            "billstack_last_backup_timestamp_seconds ",
            seconds(noted.backup),
        ),
        (
            "billstack_last_verify_broken_rules ",
            noted.verify.as_ref().expect("a check").result as f64,
        ),
        (
            "billstack_last_verify_timestamp_seconds ",
            seconds(noted.verify.clone()),
        ),
    ];
    let mut metrics = String::new();
    for _ in 0..100 {
        metrics = server.get("/metrics");
        if wanted
            .iter()
            .all(|(name, number)| value(&metrics, name) == Some(*number))
        {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("{wanted:?} not all in:\n{metrics}");
}
