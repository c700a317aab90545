//! Names of codes: two that want one at once, an erasure beside them, and damage by hand.

use billstack_core::vanity::Vanity;
use billstack_store::codes::{self, names};
use billstack_store::{Abort, Act, NotNamed, Place, Refusal, Tx, erase, links};

use crate::damage::found_after;
use crate::support::{
    Db, ENGINES, make_customer, make_project, make_team, origin, times, two_sides, write,
};

const TEAM: &str = "team_names";

/// Damage, and the rules that must notice it, perhaps among others.
pub(crate) const DAMAGES: &[(&str, &[&str])] = &[
    (
        "DELETE FROM code_aliases WHERE alias = 'ADAL'",
        &["names_of_code"],
    ),
    (
        "UPDATE codes SET names = 'ADA' WHERE names IS NOT NULL",
        &["name_of_code"],
    ),
    (
        "UPDATE codes SET names = NULL WHERE names IS NOT NULL",
        &["name_of_code"],
    ),
    (
        "UPDATE code_aliases SET shown = LOWER(shown) WHERE shown IS NOT NULL",
        &["alias_values"],
    ),
    (
        "UPDATE code_aliases SET alias = 'x' WHERE shown IS NULL",
        &["alias_values"],
    ),
    (
        "UPDATE code_aliases SET customer_id = 'pc_x' WHERE shown IS NOT NULL",
        &["alias_code"],
    ),
    (
        "UPDATE customers SET erased_at = created_at, email = NULL WHERE email IS NOT NULL",
        &["erased_names"],
    ),
    (
        "UPDATE link_settings SET click_parameter = code_parameter",
        &["link_settings_values"],
    ),
    (
        "UPDATE link_slugs SET slug = 'ABCDEF' WHERE slug <> ''",
        &["slug_values"],
    ),
    ("DELETE FROM link_slugs WHERE slug <> ''", &["project_slug"]),
    ("DELETE FROM link_slugs WHERE slug = ''", &["first_project"]),
    ("UPDATE click_days SET channel = 'x'", &["click_values"]),
    (
        "UPDATE click_days SET clicks = clicks + 1",
        &["figures_as_logged", "code_totals_as_logged"],
    ),
    (
        "UPDATE code_totals SET clicks = clicks + 1",
        &["code_totals_as_logged"],
    ),
    (
        "DELETE FROM program_days WHERE figure = 'clicks'",
        &["figures_as_logged"],
    ),
    ("UPDATE link_keys SET link_key = 'x'", &["link_key_values"]),
];

fn vanity(name: &str) -> Vanity {
    Vanity::parse(name).expect("a name")
}

fn place(tx: &mut dyn Tx, act: &mut Act) -> Result<Place, Abort> {
    make_team(tx, TEAM)?;
    make_project(tx, act, TEAM)
}

/// Somebody with a code; their id, and the code.
fn owner(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    name: &str,
) -> Result<(String, String), Abort> {
    let customer = make_customer(tx, act, place, name, None)?.id;
    let code = codes::create(tx, act, place, &customer)?.code;
    Ok((customer, code))
}

#[test]
fn damage_to_names_is_noticed() {
    for engine in ENGINES {
        let db = Db::new(engine);
        write(&db.store, |tx, act| {
            let place = place(tx, act)?;
            let (_, code) = owner(tx, act, &place, "ada")?;
            names::rename(tx, act, &place, &code, &vanity("ADA"))?;
            names::rename(tx, act, &place, &code, &vanity("ADA-L"))?;
            let (gone, code) = owner(tx, act, &place, "eve")?;
            names::rename(tx, act, &place, &code, &vanity("EVE"))?;
            links::set_up(tx, act, &place, Ok)?;
            let counted = links::Counted {
                code,
                day: 20_000,
                channel: "qr".to_owned(),
            };
            links::count(tx, &[(place.clone(), counted, 2)])?;
            erase::erase(tx, act, &place, &gone)
        });
        db.assert_sound();
        for (sql, wanted) in DAMAGES {
            let found = found_after(&db, sql);
            let is_noticed = wanted.iter().all(|rule| found.contains(*rule));
            assert!(
                is_noticed,
                "{engine:?}: {sql}: {wanted:?} not all among {found:?}"
            );
        }
    }
}

/// Who meets in one round: an owner whose name somebody else wants while they are erased.
#[derive(Clone)]
struct Round {
    name: String,
    owner: String,
    other: String,
}

#[test]
fn a_name_passes_to_nobody_while_its_owner_is_erased() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let count = times(60, 1_000);
        let (place, rounds) = write(&db.store, move |tx, act| {
            let place = place(tx, act)?;
            let mut rounds = Vec::new();
            for number in 0..count {
                let name = format!("NAME-{number}");
                let (id, code) = owner(tx, act, &place, &format!("a{number}"))?;
                names::rename(tx, act, &place, &code, &vanity(&name))?;
                let (_, other) = owner(tx, act, &place, &format!("b{number}"))?;
                rounds.push(Round {
                    name,
                    owner: id,
                    other,
                });
            }
            Ok((place, rounds))
        });
        let (left, right) = two_sides();
        let (db, place, rounds) = (&db, &place, &rounds);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for round in rounds {
                    left.meet();
                    let (place, owner) = (place.clone(), round.owner.clone());
                    let erased = db.node().write_blocking(origin(), move |tx, act| {
                        erase::erase(tx, act, &place, &owner)
                    });
                    erased.unwrap();
                }
            });
            scope.spawn(move || {
                for round in rounds {
                    right.meet();
                    let (place, round) = (place.clone(), round.clone());
                    let name = round.name.clone();
                    let renamed = db.node().write_blocking(origin(), move |tx, act| {
                        names::rename(tx, act, &place, &round.other, &vanity(&round.name))
                    });
                    assert!(
                        matches!(
                            renamed,
                            Err(Abort::Refused(Refusal::NotNamed(NotNamed::Taken)))
                        ),
                        "{engine:?}: {name}: {renamed:?}",
                    );
                }
            });
        });
        db.assert_sound();
    }
}
