//! A part that cannot be read in time says so, and the rest of the page stands.

use std::sync::Arc;
use std::sync::mpsc::channel;

use billstack_store::params;
use reqwest::StatusCode;

use super::{look, path};
use crate::support::bench::{Bench, Setup, run, write};
use crate::support::client::Answer;
use crate::support::database::Engine;

/// Parts are read side by side, and so are those that wait.
const LANES: &str = "8";

const BOX: &str = "This part cannot be shown";

/// Whoever reads the table waits as long as `during` lasts: so it is while somebody changes it by hand.
async fn locked<T>(t: &Bench, table: &'static str, during: impl Future<Output = T>) -> T {
    let app = Arc::clone(&t.nodes[0].app);
    let (lock, is_locked) = channel();
    let (release, is_released) = channel::<()>();
    let is_released = std::sync::Mutex::new(is_released);
    let holding = tokio::spawn(async move {
        write(&app, move |tx, _| {
            tx.execute(
                &format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"),
                params![],
            )?;
            lock.send(()).expect("somebody waits");
            // It ends with the sender.
            let _ = is_released.lock().expect("no panic").recv();
            Ok(())
        })
        .await;
    });
    tokio::task::spawn_blocking(move || is_locked.recv())
        .await
        .expect("no panic")
        .expect("a lock");
    let done = during.await;
    drop(release);
    holding.await.expect("no panic");
    done
}

async fn page(t: &Bench, rest: &str) -> Answer {
    look(&t.owner, &path(t, rest)).send().await
}

/// It says which request it was, and how to try again.
#[track_caller]
fn assert_boxed(page: &Answer, stands: &[&str]) {
    assert_eq!(page.status, StatusCode::OK, "{page:?}");
    let id = page.header("x-request-id").expect("an id");
    let names = format!("Request <code>{id}</code>");
    for part in [BOX, "<a href=\"\">Try again</a>", &names]
        .iter()
        .chain(stands)
    {
        assert!(page.text.contains(part), "{part}: {page:?}");
    }
}

async fn credits_that_cannot_be_read(t: &Bench) {
    t.program(1_000, 500).await;
    let pair = t.pair("a").await;
    t.apply(&pair).await;
    t.subscribe(&pair).await;
    let customer = format!("/customers/{}", pair.referrer);
    locked(t, "credits", async {
        assert_boxed(
            &page(t, &customer).await,
            &["<h2>Facts</h2>", "What can be done", &pair.referrer],
        );
        let attention = page(t, "/attention").await;
        assert_boxed(&attention, &["<h1>Attention</h1>"]);
        assert!(
            !attention.text.contains("Nothing needs you"),
            "{attention:?}"
        );
    })
    .await;
    for rest in [customer.as_str(), "/attention"] {
        let page = page(t, rest).await;
        assert!(page.status == 200 && !page.text.contains(BOX), "{page:?}");
    }
}

async fn figures_that_cannot_be_read(t: &Bench) {
    t.program(1_000, 500).await;
    locked(t, "program_days", async {
        let overview = page(t, "").await;
        assert_boxed(
            &overview,
            &[
                "Newest conversions",
                "No conversion yet.",
                "Who refers gets",
            ],
        );
    })
    .await;
    let overview = page(t, "").await;
    assert!(!overview.text.contains(BOX), "{overview:?}");
}

fn setup() -> Setup {
    Setup {
        settings: |args| {
            args.postgres_scan_lanes = Some(LANES.to_owned());
            args.postgres_write_lanes = Some("2".to_owned());
        },
        ..Setup::default()
    }
}

#[test]
fn what_somebody_has_stands_without_their_credits() {
    run(Engine::Postgres, setup(), credits_that_cannot_be_read);
}

#[test]
fn the_newest_stand_without_the_figures() {
    run(Engine::Postgres, setup(), figures_that_cannot_be_read);
}
