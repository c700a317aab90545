use std::sync::Arc;

use billstack_core::time::DAY;
use billstack_store::customers::{self, NewCustomer};
use billstack_store::users::{self, NewUser};
use billstack_store::work::Key;
use billstack_store::{Act, Place, Tx, codes, projects, sessions, teams};

use super::*;
use crate::clock::Clock;
use crate::server::prepare;
use crate::settings::{DatabaseUrl, Settings};

const BEGIN: i64 = 20_000 * DAY;

const SESSIONS: &str = "SELECT COUNT(*) FROM sessions";

fn app(directory: &tempfile::TempDir) -> Shared {
    app_at(directory, Clock::manual(BEGIN))
}

fn app_at(directory: &tempfile::TempDir, clock: Clock) -> Shared {
    let file = directory.path().join("test.db");
    let settings = Settings {
        database_url: DatabaseUrl::new(format!("sqlite://{}", file.display())),
        ..Settings::default()
    };
    let fatal = Arc::new(|_: &str| {});
    prepare(settings, clock, String::new(), fatal).expect("an app")
}

fn set_clock(app: &App, at: i64) {
    let Clock::Moved(hands) = &app.clock else {
        unreachable!("it was made so");
    };
    hands.move_by(at - app.now().0);
}

fn wait_for<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime").block_on(work)
}

fn sessions_of(app: &App) -> Option<i64> {
    let count = |tx: &mut dyn Tx| Ok(tx.one(SESSIONS, &[], |row| row.int(0))?);
    app.store.scan_blocking(count).expect("a count")
}

fn open_sessions(app: &App, number: i64, lifetime: i64) {
    let open = move |tx: &mut dyn Tx, act: &mut Act| {
        let new = NewUser {
            email: "a@example.com".to_owned(),
            name: "A".to_owned(),
            password_hash: "hash".to_owned(),
        };
        let user = users::create_first(tx, act, &new)?;
        for token in 0..number {
            let hash = format!("token {token}");
            sessions::create(tx, act, &user.id, &hash, lifetime)?;
        }
        Ok(())
    };
    let origin = app.origin(Actor::System, "test");
    app.store.write_blocking(origin, open).expect("sessions");
}

#[test]
fn retention_forgets_more_than_a_batch_and_only_what_is_over() {
    let directory = tempfile::tempdir().expect("a directory");
    let app = app(&directory);
    let number = 401;
    open_sessions(&app, number, sessions::LIFETIME);
    wait_for(enqueue_standing(&app)).expect("standing work");
    wait_for(round(&app, &KINDS)).expect("a round");
    assert_eq!(sessions_of(&app), Some(number));
    let over = BEGIN + sessions::LIFETIME;
    // Each full batch is followed by the next after a breath.
    for (batch, left) in [(0, 201), (1, 1), (2, 0)] {
        set_clock(&app, over + batch * SECOND);
        wait_for(round(&app, &KINDS)).expect("a round");
        assert_eq!(sessions_of(&app), Some(left));
    }
    assert_eq!(wait_for(round(&app, &KINDS)).expect("a round"), 0);
}

#[test]
fn a_long_backlog_is_worked_off_without_long_pauses() {
    let directory = tempfile::tempdir().expect("a directory");
    let app = app_at(&directory, Clock::System);
    open_sessions(&app, 2_001, 1);
    let forgotten = async {
        let worker = tokio::spawn(run(Arc::clone(&app)));
        let count = |tx: &mut dyn Tx| Ok(tx.one(SESSIONS, &[], |row| row.int(0))?);
        while app.store.scan(count).await.expect("a count") != Some(0) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        worker.abort();
    };
    wait_for(async {
        let in_time = tokio::time::timeout(Duration::from_secs(6), forgotten).await;
        in_time.expect("eleven batches in less than eleven seconds");
    });
}

#[test]
fn what_is_in_the_log_is_added_up_once_nothing_can_come_before_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let app = app(&directory);
    let make = |tx: &mut dyn Tx, act: &mut Act| {
        let new = NewUser {
            email: "a@example.com".to_owned(),
            name: "A".to_owned(),
            password_hash: "hash".to_owned(),
        };
        let owner = users::create_first(tx, act, &new)?;
        let team_id = teams::create(tx, act, "team", &owner.id)?.id;
        let project = projects::create(tx, act, &team_id, "project")?;
        let place = Place::new(team_id, project.id);
        let customer = customers::create(tx, act, &place, &a_customer())?;
        codes::create(tx, act, &place, &customer.id)?;
        Ok(())
    };
    let origin = app.origin(Actor::System, "test");
    app.store.write_blocking(origin, make).expect("a code");
    wait_for(enqueue_standing(&app)).expect("standing work");
    let counted = || {
        let sql = "SELECT number FROM program_days WHERE figure = 'active_codes'";
        let count = move |tx: &mut dyn Tx| Ok(tx.one(sql, &[], |row| row.int(0))?);
        app.store.scan_blocking(count).expect("a count")
    };
    wait_for(round(&app, &KINDS)).expect("a round");
    assert_eq!(counted(), None);
    set_clock(&app, BEGIN + MINUTE);
    for _ in 0..2 {
        wait_for(round(&app, &KINDS)).expect("a round");
        assert_eq!(counted(), Some(1));
        set_clock(&app, BEGIN + 2 * MINUTE);
    }
}

fn a_customer() -> NewCustomer {
    NewCustomer {
        id: None,
        email: "b@example.com".to_owned(),
        name: None,
        external_id: None,
        stripe_customer_id: None,
        metadata: "{}".to_owned(),
        stripe_note: None,
    }
}

#[test]
fn work_that_fails_is_put_off_longer_and_longer() {
    assert_eq!(pause_after(1), 2 * SECOND);
    assert_eq!(pause_after(2), 4 * SECOND);
    assert_eq!(pause_after(1_000), LONGEST_PAUSE);

    let directory = tempfile::tempdir().expect("a directory");
    let app = app(&directory);
    let key = Key::of_server(retention::KIND, "sessions");
    wait_for(enqueue_standing(&app)).expect("standing work");
    let leased = wait_for(claim(&app, retention::KIND)).expect("a claim");
    let ours = leased.iter().find(|leased| leased.key == key);
    let failed = Err(Abort::Fault(billstack_store::Fault::Overloaded));
    wait_for(finish(&app, ours.expect("sessions"), failed)).expect("an end");
    let told = |tx: &mut dyn Tx| {
        let sql = "SELECT last_error, run_after FROM work WHERE subject = 'sessions'";
        Ok(tx.one(sql, &[], |row| Ok((row.opt_string(0)?, row.int(1)?)))?)
    };
    let (why, run_after) = app
        .store
        .scan_blocking(told)
        .expect("a row")
        .expect("a row");
    assert!(why.is_some_and(|why| why.contains("Overloaded")));
    assert_eq!(run_after, BEGIN + 2 * SECOND);
}

#[test]
fn what_only_a_newer_version_forgets_is_left_to_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let app = app(&directory);
    let add = |tx: &mut dyn Tx, act: &mut Act| {
        let at = act.at;
        let newer = Key::of_server(retention::KIND, "deliveries");
        Ok(work::enqueue(tx, act, &newer, "{\"n\":1}", at)?)
    };
    let origin = app.origin(Actor::System, "test");
    app.store.write_blocking(origin, add).expect("work");
    assert_eq!(wait_for(round(&app, &KINDS)).expect("a round"), 1);
    let told = |tx: &mut dyn Tx| {
        Ok(work::get(
            tx,
            &Key::of_server(retention::KIND, "deliveries"),
        )?)
    };
    let left = app.store.scan_blocking(told).expect("a read");
    let left = left.expect("it is still there");
    assert_eq!(
        (left.facts.as_str(), left.leased_until),
        ("{\"n\":1}", Micros(0))
    );
}

#[test]
fn a_node_wakes_its_own_worker() {
    let directory = tempfile::tempdir().expect("a directory");
    let app = app(&directory);
    wait_for(enqueue_standing(&app)).expect("standing work");
    wait_for(app.store.enqueued().notified());
}
