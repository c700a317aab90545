//! Comparing the books with Stripe's on the command line, with a server beside it and without one.

use fake_stripe::{EventOptions, FakeStripe, event};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{PASSWORD, Place, Ran};

/// A place that is set up with a key of Stripe.
struct Shop {
    place: Place,
    fake: FakeStripe,
    team: String,
    database: String,
    _runtime: Runtime,
}

impl Shop {
    fn new(database: &str) -> Shop {
        let runtime = Runtime::new().expect("a runtime");
        let shop = Shop {
            fake: runtime.block_on(FakeStripe::start()),
            place: Place::new(),
            team: String::new(),
            database: database.to_owned(),
            _runtime: runtime,
        };
        let mut init = vec!["init", "--email", "ada@example.com", "--password-stdin"];
        init.extend(["--team", "Acme", "--project", "Rockets"]);
        init.extend(["--stripe-key", "sk_test_1", "--json"]);
        let made = shop.run(&init).ok();
        let made: Value = serde_json::from_str(&made).expect("one JSON object");
        let team = made["teamId"].as_str().expect("an id").to_owned();
        Shop { team, ..shop }
    }

    fn run(&self, args: &[&str]) -> Ran {
        let base = self.fake.base_url();
        let args = [args, &["--stripe-api-base", &base]].concat();
        let mut command = self.place.command(&args);
        command.env("BILLSTACK_SECRET_KEY", "01".repeat(32));
        command.env("DATABASE_URL", &self.database);
        super::finish(command, PASSWORD)
    }

    /// Something that Stripe never sent. Returns its id.
    fn unsent(&self) -> String {
        let at = EventOptions::at(self.fake.clock().now());
        let event = event("customer.updated", &json!({"id": "cus_1"}), &at);
        let id = event["id"].as_str().expect("an id").to_owned();
        self.fake.with_books(|books| books.events.put(event));
        id
    }
}

fn what_differs_is_told_and_repaired(database: &str) {
    let shop = Shop::new(database);
    let clean = shop.run(&["reconcile"]).ok();
    assert!(clean.contains(&format!("{}: nothing differs (run_", shop.team)));
    let id = shop.unsent();
    for _ in 0..2 {
        let told = shop.run(&["reconcile", "--team", &shop.team]);
        assert_eq!(told.code(), Some(1), "{}", told.err());
        assert!(
            told.out()
                .starts_with(&format!("event_missed  {id}  customer.updated of 2"))
        );
        assert!(told.out().contains("1 differ, 0 repaired"));
        assert!(told.err().contains("error: the books and Stripe differed"));
    }
    let repaired = shop.run(&["reconcile", "--apply"]);
    assert_eq!(repaired.code(), Some(1), "{}", repaired.err());
    assert!(
        repaired.out().contains("  (repaired)\n"),
        "{}",
        repaired.out()
    );
    assert!(
        shop.run(&["reconcile", "--apply"])
            .ok()
            .contains("nothing differs")
    );
    assert!(shop.run(&["verify"]).ok().contains("rules hold"));
}

#[test]
fn what_differs_is_told_and_repaired_on_sqlite() {
    what_differs_is_told_and_repaired("sqlite://books.db");
}

#[test]
fn what_differs_is_told_and_repaired_on_postgresql() {
    let url = scratch_postgres::Cluster::shared().create_database("reconcile", None);
    what_differs_is_told_and_repaired(&url.expect("a database"));
}

#[test]
fn it_works_beside_a_server() {
    let shop = Shop::new("sqlite://books.db");
    let base = shop.fake.base_url();
    let serve = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--stripe-api-base",
        &base,
    ];
    let mut serve = shop.place.command(&serve);
    serve.env("BILLSTACK_SECRET_KEY", "01".repeat(32));
    serve.env("DATABASE_URL", "sqlite://books.db");
    let _server = super::Server::start(serve);
    shop.unsent();
    assert_eq!(shop.run(&["reconcile", "--apply"]).code(), Some(1));
    assert!(shop.run(&["reconcile"]).ok().contains("nothing differs"));
}

#[test]
fn what_keeps_it_from_looking_is_told_with_a_code_of_its_own() {
    let shop = Shop::new("sqlite://books.db");
    shop.fake.restrict("sk_test_1", &["rak_customer_write"]);
    let failed = shop.run(&["reconcile"]);
    assert_eq!(failed.code(), Some(2), "{}", failed.err());
    assert!(failed.out().contains("could not look"), "{}", failed.out());
    assert!(failed.out().contains("rak_event_read"), "{}", failed.out());
    let unknown = shop.run(&["reconcile", "--team", "team_x"]).refused(2);
    assert!(unknown.contains("there is no team team_x"), "{unknown}");
    let late = shop.run(&["reconcile", "--since", "2999-01-01T00:00:00Z"]);
    assert!(late.refused(2).contains("--since"));
    let nowhere = Place::new().run(&["reconcile"]).refused(2);
    assert!(nowhere.contains("no database"), "{nowhere}");
}
