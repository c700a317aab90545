//! Copies of a SQLite database.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use billstack_store::backup::backup;
use billstack_store::dump::dump;
use billstack_store::options::Options;
use billstack_store::store::{Store, Target};
use billstack_store::{Fault, Tx};

use crate::support::{
    Db, Engine, assert_sound, directory, make_customer, make_project, make_team, write,
};

fn dumped(store: &Store) -> Vec<(String, Vec<String>)> {
    store
        .scan_blocking(|tx: &mut dyn Tx| Ok(dump(tx)?))
        .unwrap()
}

fn opened(file: &Path) -> Store {
    let target = Target::from_url(&format!("sqlite://{}", file.display())).unwrap();
    Store::open(&target, &Options::default()).unwrap()
}

#[test]
fn a_copy_is_whole_private_and_never_overwrites() {
    let db = Db::new(Engine::Sqlite);
    write(&db.store, |tx, act| {
        make_team(tx, "team_1")?;
        let place = make_project(tx, act, "team_1")?;
        make_customer(tx, act, &place, "ann", None)
    });
    let directory = directory();
    let file = directory.path().join("copy.db");
    let size = backup(&db.target, &file, |_| ()).unwrap();
    let found = std::fs::metadata(&file).unwrap();
    assert_eq!(
        (found.len(), found.permissions().mode() & 0o777),
        (size, 0o600)
    );
    let beside = std::fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(beside, 1, "the check left files beside the copy");
    assert_eq!(dumped(&opened(&file)), dumped(&db.store));

    let bytes = std::fs::read(&file).unwrap();
    let again = backup(&db.target, &file, |_| ());
    assert!(matches!(again, Err(Fault::Unavailable(_))), "{again:?}");
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}

/// Ends those who wait for it, also when an assertion fails first.
struct Done<'d>(&'d AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_copy_beside_a_busy_server_is_one_state() {
    let db = Db::new(Engine::Sqlite);
    let place = write(&db.store, |tx, act| {
        make_team(tx, "team_1")?;
        make_project(tx, act, "team_1")
    });
    let directory = directory();
    let (done, db, place) = (&AtomicBool::new(false), &db, &place);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            scope.spawn(move || {
                for number in 0_u32.. {
                    if done.load(Ordering::Relaxed) {
                        return;
                    }
                    let (place, name) = (place.clone(), format!("c{thread}_{number}"));
                    // Two customers or none.
                    write(&db.store, move |tx, act| {
                        make_customer(tx, act, &place, &format!("{name}_left"), None)?;
                        make_customer(tx, act, &place, &format!("{name}_right"), None)
                    });
                }
            });
        }
        let _done = Done(done);
        let mut before = 0;
        for number in 0..5 {
            let file = directory.path().join(format!("{number}.db"));
            backup(&db.target, &file, |_| ()).unwrap();
            let copy = opened(&file);
            assert_sound(&copy);
            let tables = dumped(&copy);
            let rows = |name: &str| tables.iter().find(|t| t.0 == name).unwrap().1.len();
            let customers = rows("customers");
            assert_eq!(customers % 2, 0);
            assert!(customers >= before);
            before = customers;
        }
    });
}

#[test]
fn what_cannot_be_copied_leaves_nothing_behind() {
    let directory = directory();
    let file = directory.path().join("copy.db");
    let target = format!("sqlite://{}", directory.path().join("none.db").display());
    let missing = backup(&Target::from_url(&target).unwrap(), &file, |_| ());
    assert!(matches!(missing, Err(Fault::Unavailable(_))), "{missing:?}");
    let db = Db::new(Engine::Postgres);
    let Err(Fault::Unavailable(advice)) = backup(&db.target, &file, |_| ()) else {
        panic!("PostgreSQL was copied");
    };
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/operators/backup-and-restore.md"
    );
    let page = std::fs::read_to_string(page).unwrap();
    for command in [
        "pg_dump --format=custom --file=billstack.dump \"$DATABASE_URL\"",
        "pg_restore --no-owner --exit-on-error --dbname=\"$NEW_DATABASE_URL\" billstack.dump",
    ] {
        assert!(
            advice.contains(command) && page.contains(command),
            "{advice}"
        );
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_copy_has_its_name_only_when_it_is_whole() {
    let db = Db::new(Engine::Sqlite);
    let directory = directory();
    let file = directory.path().join("copy.db");
    // What a run that was killed has left behind is in nobody's way.
    std::fs::write(directory.path().join("copy.db.partial"), "half a page").unwrap();
    let mut meanwhile = Vec::new();
    backup(&db.target, &file, |growing| {
        meanwhile = names(growing.parent().unwrap());
    })
    .unwrap();
    assert_eq!(meanwhile, ["copy.db.1.partial", "copy.db.partial"]);
    assert_eq!(names(directory.path()), ["copy.db", "copy.db.partial"]);
    assert_eq!(dumped(&opened(&file)), dumped(&db.store));
    // Somebody else has taken the name while the copy was made.
    let file = directory.path().join("other.db");
    let refused = backup(&db.target, &file, |_| {
        std::fs::write(&file, "theirs").unwrap()
    });
    assert!(matches!(refused, Err(Fault::Unavailable(_))), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "theirs");
    assert_eq!(names(directory.path()).len(), 3);
}
