//! What needs a person: dismissed for a week, and damage by hand.

use billstack_core::attention::{DISMISSED_FOR, Kind, LineId};
use billstack_core::time::Micros;
use billstack_store::attention::{self, Line, Looker};
use billstack_store::{Abort, Refusal, Thing};

use crate::damage::found_after;
use crate::support::{Db, ENGINES, make_project, make_team, write};

/// Damage, and the rules that must notice it, perhaps among others.
pub(crate) const DAMAGES: &[(&str, &[&str])] = &[
    (
        "UPDATE attention_dismissals SET line_id = 'budget_low.'",
        &["dismissal_values"],
    ),
    (
        "UPDATE attention_dismissals SET line_id = 'anything else'",
        &["dismissal_values"],
    ),
];

fn refused() -> LineId {
    LineId::new(Kind::StripeCallsRefused, "wrong_secret")
}

#[test]
fn damage_to_dismissals_is_noticed() {
    for engine in ENGINES {
        let db = Db::new(engine);
        write(&db.store, |tx, act| {
            make_team(tx, "team_attention")?;
            let place = make_project(tx, act, "team_attention")?;
            attention::dismiss(tx, act, &place, &refused())
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
fn a_line_is_dismissed_for_a_week_in_one_project() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let (place, other, until) = write(&db.store, |tx, act| {
            make_team(tx, "team_attention")?;
            let place = make_project(tx, act, "team_attention")?;
            let other = make_project(tx, act, "team_attention")?;
            let until = attention::dismiss(tx, act, &place, &refused())?;
            // Again, later in the same transaction: the same line.
            attention::dismiss(tx, act, &place, &refused())?;
            Ok((place, other, until))
        });
        let outside = [Line::new(Kind::StripeCallsRefused, "wrong_secret")];
        let mut looked = Vec::new();
        for (place, now) in [
            (&place, Micros(until.0 - 1)),
            (&place, until),
            (&other, Micros(until.0 - DISMISSED_FOR)),
        ] {
            let (place, outside) = (place.clone(), outside.clone());
            let read = db.store.scan_blocking(move |tx| {
                Ok(attention::look(
                    tx,
                    &place,
                    (now, Looker::OfProject),
                    &outside,
                )?)
            });
            let lines = read.unwrap();
            assert_eq!(lines.len(), 1, "{engine:?}");
            looked.push(lines[0].dismissed_until);
        }
        assert_eq!(looked, [Some(until), None, None], "{engine:?}");
        db.assert_sound();
    }
}

/// The table cannot be filled with what there is not.
#[test]
fn a_line_about_nothing_is_not_dismissed() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let ids = [
            "stripe_events_failed.evt_none",
            "webhook_endpoint_failing.whe_none",
            "reconcile_found.run_none",
            "stripe_silent.evt_none",
            "books_broken.3",
        ];
        for id in ids {
            let line = LineId::parse(id).expect("a line that there can be");
            let dismissed = db
                .store
                .write_blocking(crate::support::origin(), move |tx, act| {
                    make_team(tx, "team_attention")?;
                    let place = make_project(tx, act, "team_attention")?;
                    attention::dismiss(tx, act, &place, &line)
                });
            assert!(
                matches!(
                    dismissed,
                    Err(Abort::Refused(Refusal::NotFound(Thing::Line)))
                ),
                "{engine:?} {id}: {dismissed:?}"
            );
        }
    }
}
