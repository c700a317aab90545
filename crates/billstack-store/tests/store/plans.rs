//! How SQLite finds its rows: a plan that reads a whole table, or a whole team, is seen here and not
//! by the first customer who has grown.

use std::fmt::Write as _;
use std::path::Path;

use billstack_store::prepare::plans;

use crate::support::{Db, Engine};

#[test]
fn plans_are_as_reviewed() {
    let mut text = String::new();
    for (name, steps) in plans(&Db::new(Engine::Sqlite).target).unwrap() {
        // A write without a condition, such as an INSERT, has no step.
        for step in steps {
            writeln!(text, "{name}: {step}").unwrap();
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/plans.txt");
    if std::env::var_os("BLESS").is_some_and(|bless| bless == "1") {
        std::fs::write(&file, &text).unwrap();
    }
    let reviewed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        reviewed == text,
        "plans.txt is not how SQLite finds its rows now; run the tests with BLESS=1 and look at the \
         difference: a step must use every column it can, and none may SCAN a table of tenants"
    );
}
