//! Customers' own pages: two who use one ticket, an erasure beside a new one, and damage by hand.

use billstack_core::portal::{Accent, Theme};
use billstack_store::portal::{self, NewSession};
use billstack_store::{Abort, Act, Place, Refusal, Thing, Tx, customers, erase};

use crate::damage::found_after;
use crate::support::{
    Db, ENGINES, make_customer, make_project, make_team, origin, times, two_sides, write,
};

const TEAM: &str = "team_portal";

/// Damage, and the rules that must notice it, perhaps among others.
pub(crate) const DAMAGES: &[(&str, &[&str])] = &[
    (
        "UPDATE portal_settings SET names = 'x'",
        &["portal_settings_values"],
    ),
    (
        "UPDATE portal_settings SET allowed_origins = 'https://evil.example/'",
        &["portal_settings_values"],
    ),
    (
        "UPDATE portal_settings SET accent = 'red'",
        &["portal_settings_values"],
    ),
    (
        "UPDATE portal_settings SET font = 'a;b'",
        &["portal_settings_values"],
    ),
    (
        "UPDATE portal_settings SET texts = '{\"it\":{}}'",
        &["portal_settings_values"],
    ),
    (
        "UPDATE portal_settings SET texts = 'x'",
        &["portal_settings_values"],
    ),
    (
        "UPDATE portal_tickets SET expires_at = created_at",
        &["ticket_values"],
    ),
    (
        "UPDATE portal_tickets SET session_ends_at = created_at",
        &["ticket_values"],
    ),
    (
        "UPDATE portal_tickets SET ticket_hash = 'x'",
        &["ticket_values"],
    ),
    (
        "UPDATE customers SET erased_at = created_at, email = NULL WHERE email IS NOT NULL",
        &["erased_ticket"],
    ),
];

fn place(tx: &mut dyn Tx, act: &mut Act) -> Result<Place, Abort> {
    make_team(tx, TEAM)?;
    make_project(tx, act, TEAM)
}

fn asked(customer_id: &str, number: usize) -> NewSession {
    NewSession {
        customer_id: customer_id.to_owned(),
        lasts: 900,
        read_only: false,
        locale: None,
        ticket_hash: format!("{number:064x}"),
    }
}

#[test]
fn damage_to_portals_is_noticed() {
    for engine in ENGINES {
        let db = Db::new(engine);
        write(&db.store, |tx, act| {
            let place = place(tx, act)?;
            let ada = make_customer(tx, act, &place, "ada", None)?.id;
            portal::set_up(tx, act, &place, |mut settings| {
                settings.allowed_origins = vec!["https://app.example.com".to_owned()];
                settings.theme = Theme {
                    accent: Accent::parse("#ff0000"),
                    radius: Some(24),
                    font: None,
                };
                Ok(settings)
            })?;
            portal::open(tx, act, &place, &asked(&ada, 1))
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

#[test]
fn one_ticket_lets_one_in() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let count = times(60, 1_000);
        let team = write(&db.store, move |tx, act| {
            let place = place(tx, act)?;
            let ada = make_customer(tx, act, &place, "ada", None)?.id;
            for number in 0..count {
                portal::open(tx, act, &place, &asked(&ada, number))?;
            }
            Ok(place.team_id)
        });
        let (left, right) = two_sides();
        let enter = |side: crate::support::Side| {
            let (db, team) = (&db, &team);
            move || {
                let mut let_in = vec![false; count];
                for (number, is_in) in let_in.iter_mut().enumerate() {
                    side.meet();
                    let (team, hash) = (team.clone(), format!("{number:064x}"));
                    let entered = db.node().write_blocking(origin(), move |tx, act| {
                        Ok(portal::enter(tx, act, &team, &hash)?)
                    });
                    *is_in = entered.unwrap().is_some();
                }
                let_in
            }
        };
        let (one, two) = std::thread::scope(|scope| {
            let (one, two) = (scope.spawn(enter(left)), scope.spawn(enter(right)));
            (one.join().unwrap(), two.join().unwrap())
        });
        for (number, (one, two)) in one.iter().zip(&two).enumerate() {
            assert!(one ^ two, "{engine:?}: ticket {number}: {one} {two}");
        }
        db.assert_sound();
    }
}

#[test]
fn no_ticket_is_left_of_whoever_is_erased_meanwhile() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let count = times(60, 1_000);
        let (place, people) = write(&db.store, move |tx, act| {
            let place = place(tx, act)?;
            let mut people = Vec::new();
            for number in 0..count {
                people.push(make_customer(tx, act, &place, &format!("a{number}"), None)?.id);
            }
            Ok((place, people))
        });
        let (left, right) = two_sides();
        let (node, at, all) = (&db, &place, &people);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for (number, id) in all.iter().enumerate() {
                    left.meet();
                    let (place, new) = (at.clone(), asked(id, number));
                    let opened = node.node().write_blocking(origin(), move |tx, act| {
                        portal::open(tx, act, &place, &new)
                    });
                    match opened {
                        Ok(_) | Err(Abort::Refused(Refusal::NotFound(Thing::Customer))) => {}
                        other => panic!("{other:?}"),
                    }
                }
            });
            scope.spawn(move || {
                for id in all {
                    right.meet();
                    let (place, id) = (at.clone(), id.clone());
                    let erased = node.node().write_blocking(origin(), move |tx, act| {
                        erase::erase(tx, act, &place, &id)
                    });
                    erased.unwrap();
                }
            });
        });
        let left = write(&db.store, move |tx, _| {
            let mut left = 0;
            for id in &people {
                left += usize::from(customers::get(tx, &place, id)?.is_some());
            }
            Ok(left)
        });
        assert_eq!(left, 0);
        // A rule says that no ticket lets an erased customer in.
        db.assert_sound();
    }
}
