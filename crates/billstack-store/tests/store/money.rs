//! What becomes of credits: moved by hand and by the end of a hold, on both engines and on two nodes.

use std::sync::Barrier;

use billstack_core::money::{Amount, Currency};
use billstack_core::time::{DAY, Micros};
use billstack_store::credit_moves::{self, Asked, Gift};
use billstack_store::credits::{self, Credit, CreditFilter};
use billstack_store::dump::dump;
use billstack_store::list::Page;
use billstack_store::work::{self, Key};
use billstack_store::{Abort, Act, Place, Refusal, Tx, codes, payments, programs};

use crate::damage::found_after;
use crate::support::{
    Db, ENGINES, Random, START, apply_code, deliver, incoming, make_customer, make_project,
    make_team, origin_at, program, start, write,
};

const TEAM: &str = "team_1";

/// A converted referral of a program with a hold, and a customer who was given something by hand.
fn held(tx: &mut dyn Tx, act: &mut Act) -> Result<(Place, String), Abort> {
    make_team(tx, TEAM)?;
    let place = make_project(tx, act, TEAM)?;
    let mut program = program();
    program.terms.hold_days = 30;
    program.terms.referral_expiry_days = Some(60);
    program.caps.total = Some(1);
    program.budget = Some(100_000);
    programs::put(tx, act, &place, &program)?;
    let referrer = make_customer(tx, act, &place, "ann", None)?.id;
    let code = codes::create(tx, act, &place, &referrer)?.code;
    let referee = make_customer(tx, act, &place, "bob", Some("cus_bob"))?.id;
    apply_code(tx, act, &place, &code, &referee)?;
    deliver(tx, act, TEAM, &incoming("evt_bob", start(Some("cus_bob"))))?;
    let pending = make_customer(tx, act, &place, "eve", None)?.id;
    apply_code(tx, act, &place, &code, &pending)?;
    credit_moves::give_by_hand(tx, act, &place, &gift(&referrer, 700))?;
    Ok((place, referrer))
}

fn gift(customer_id: &str, units: i64) -> Gift {
    Gift {
        customer_id: customer_id.to_owned(),
        amount: Amount::new(units).unwrap(),
        currency: Currency::USD,
        reason: "contest".to_owned(),
    }
}

fn asked(credit: &Credit, units: Option<i64>) -> Asked {
    Asked {
        credit_id: credit.id.clone(),
        amount: units.map(|units| Amount::new(units).unwrap()),
        reason: "because".to_owned(),
        reference: None,
    }
}

fn all(tx: &mut dyn Tx, place: &Place) -> Result<Vec<Credit>, Abort> {
    let page = Page {
        limit: 1_000,
        offset: 0,
        after: None,
    };
    Ok(credits::list(tx, place, &CreditFilter::default(), &page)?.rows)
}

/// What is done to a credit.
#[derive(Clone, Copy, Debug)]
enum Move {
    Release,
    Reverse(Option<i64>),
    Settle(Option<i64>),
    End,
}

impl Move {
    fn draw(random: &mut Random) -> Move {
        let part = |random: &mut Random| {
            let units = 1 + random.below(600) as i64;
            (!random.one_in(4)).then_some(units)
        };
        match random.below(4) {
            0 => Move::Release,
            1 => Move::Reverse(part(random)),
            2 => Move::Settle(part(random)),
            _ => Move::End,
        }
    }

    /// What comes of it: `Ok(false)` says that the rules forbid it.
    fn make(
        self,
        tx: &mut dyn Tx,
        act: &mut Act,
        place: &Place,
        credit: &Credit,
    ) -> Result<(), Abort> {
        match self {
            Move::Release => credit_moves::release(tx, act, place, &asked(credit, None)).map(drop),
            Move::Reverse(part) => {
                credit_moves::reverse(tx, act, place, &asked(credit, part)).map(drop)
            }
            Move::Settle(part) => {
                credit_moves::settle(tx, act, place, &asked(credit, part)).map(drop)
            }
            Move::End => Ok(payments::end_hold(tx, act, place, &credit.id).map(drop)?),
        }
    }

    /// The parts (held, available, settled, reversed) after it, on paper; `None` when it is forbidden.
    fn on_paper(self, [held, available, settled, reversed]: [i64; 4]) -> Option<[i64; 4]> {
        let of = |part: Option<i64>, there: i64| {
            let units = part.unwrap_or(there);
            (there > 0 && units <= there).then_some(units)
        };
        match self {
            Move::Release => (held > 0).then_some([0, available + held, settled, reversed]),
            Move::End => Some([0, available + held, settled, reversed]),
            Move::Settle(part) => {
                let units = of(part, available)?;
                Some([held, available - units, settled + units, reversed])
            }
            Move::Reverse(part) => {
                let units = of(part, held + available)?;
                let of_held = units.min(held);
                let rest = available - (units - of_held);
                Some([held - of_held, rest, settled, reversed + units])
            }
        }
    }
}

fn parts(credit: &Credit) -> [i64; 4] {
    let parts = &credit.parts;
    [parts.held, parts.available, parts.settled, parts.reversed]
}

#[test]
fn moves_end_in_the_same_rows_as_on_paper() {
    let mut dumps = Vec::new();
    for engine in ENGINES {
        let db = Db::new(engine);
        let setup = origin_at(START, 1);
        let (place, customer) = db.store.write_blocking(setup, held).unwrap();
        let mut random = Random::new(26);
        let (mut allowed, mut refused) = (0, 0);
        for number in 2..300 {
            let origin = origin_at(START.plus(DAY + number as i64), number);
            let pick = random.next();
            let next = Move::draw(&mut random);
            let (at, to) = (place.clone(), customer.clone());
            let done = db.store.write_blocking(origin, move |tx, act| {
                if number % 20 == 0 {
                    credit_moves::give_by_hand(tx, act, &at, &gift(&to, 900))?;
                }
                let all = all(tx, &at)?;
                let credit = &all[(pick % all.len() as u64) as usize];
                let expected = next.on_paper(parts(credit));
                match next.make(tx, act, &at, credit) {
                    Ok(()) => {
                        let now = credits::require(tx, &at, &credit.id)?;
                        assert_eq!(Some(parts(&now)), expected, "{next:?} of {credit:?}");
                    }
                    Err(Abort::Refused(Refusal::NotMoved(_))) => {
                        assert_eq!(expected, None, "{next:?} of {credit:?}");
                        return Ok(false);
                    }
                    Err(abort) => return Err(abort),
                }
                Ok(true)
            });
            match done.unwrap() {
                true => allowed += 1,
                false => refused += 1,
            }
        }
        assert!(allowed > 60 && refused > 60, "{allowed} and {refused}");
        db.assert_sound();
        dumps.push(db.store.scan_blocking(|tx| Ok(dump(tx)?)).unwrap());
    }
    assert_eq!(dumps[0], dumps[1]);
}

#[test]
fn a_hold_ends_once_whoever_ends_it() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let (place, _) = db.store.write_blocking(origin_at(START, 1), held).unwrap();
        let (at, done) = (place.clone(), place.clone());
        let one = write(&db.store, move |tx, act| {
            let held: Vec<_> = all(tx, &at)?;
            let [one, other] = &held.iter().filter(|c| c.parts.held > 0).collect::<Vec<_>>()[..]
            else {
                panic!("two are held");
            };
            let until = START.plus(30 * DAY);
            assert_eq!(
                (one.held_until, other.held_until),
                (Some(until), Some(until))
            );
            credit_moves::release(tx, act, &at, &asked(one, None))?;
            // What a worker does that had leased the work before.
            payments::end_hold(tx, act, &at, &one.id)?;
            payments::end_hold(tx, act, &at, &other.id)?;
            payments::end_hold(tx, act, &at, &other.id)?;
            Ok(one.id.clone())
        });
        let left = db.store.scan_blocking(move |tx| {
            let key = Key::new(&done.team_id, &done.project_id, credits::HOLD_KIND, &one);
            assert_eq!(work::get(tx, &key)?, None, "nobody waits for it any more");
            all(tx, &done)
        });
        for credit in left.unwrap() {
            assert_eq!(credit.parts.available, credit.amount.get(), "{credit:?}");
        }
        db.assert_sound();
    }
}

/// Two nodes take the whole of a credit at the same moment, in different ways: one of them has it.
#[test]
fn one_of_two_moves_wins() {
    for engine in ENGINES {
        let db = Db::crowded(engine);
        let (place, customer) = write(&db.store, held);
        let to = customer.clone();
        let at = place.clone();
        let given = write(&db.store, move |tx, act| {
            let give = |_| credit_moves::give_by_hand(tx, act, &at, &gift(&to, 900));
            (0..60).map(give).collect::<Result<Vec<_>, _>>()
        });
        let barrier = Barrier::new(2);
        let race = |next: Move| {
            let mut won = 0;
            for credit in &given {
                barrier.wait();
                let (at, credit) = (place.clone(), credit.clone());
                let done = db
                    .node()
                    .write_blocking(crate::support::origin(), move |tx, act| {
                        next.make(tx, act, &at, &credit)
                    });
                match done {
                    Ok(()) => won += 1,
                    Err(Abort::Refused(Refusal::NotMoved(_))) => {}
                    Err(abort) => panic!("{abort:?}"),
                }
            }
            won
        };
        let (settled, reversed) = std::thread::scope(|scope| {
            let other = scope.spawn(|| race(Move::Settle(Some(600))));
            (race(Move::Reverse(Some(600))), other.join().unwrap())
        });
        assert_eq!(settled + reversed, given.len(), "{engine:?}");
        db.assert_sound();
    }
}

/// Damage to what was moved, and the rules that must notice it.
pub(crate) const DAMAGES: &[(&str, &[&str])] = &[
    (
        "UPDATE credits SET held = 0, available = held WHERE held > 0",
        &["credit_parts"],
    ),
    (
        "UPDATE credits SET settled = settled + 1, available = available - 1 WHERE available > 0",
        &["credit_parts"],
    ),
    (
        "UPDATE credits SET entries = entries + 1",
        &["credit_parts", "entry_events", "manual_entry_events"],
    ),
    (
        "UPDATE credits SET status = 'granted' WHERE held > 0",
        &["credit_status"],
    ),
    (
        "UPDATE credits SET status = 'applied' WHERE kind = 'manual'",
        &["credit_status"],
    ),
    (
        "UPDATE credits SET held_until = NULL WHERE held > 0",
        &["credit_hold"],
    ),
    (
        "UPDATE credits SET held_until = held_until + 1",
        &["credit_hold"],
    ),
    (
        "UPDATE credits SET held_until = 1 WHERE kind = 'manual'",
        &["credit_hold"],
    ),
    (
        "UPDATE terms SET hold_days = 31 WHERE hold_days = 30",
        &["credit_hold"],
    ),
    (
        "UPDATE credits SET reversed_by_hand = reversed_by_hand + 1",
        &["credit_by_hand"],
    ),
    ("UPDATE credits SET shortfall = 1", &["credit_parts"]),
    (
        "UPDATE credits SET applied = available, available = 0 WHERE available > 0",
        &["credit_parts"],
    ),
    (
        "DELETE FROM work WHERE kind = 'end_of_referral'",
        &["end_of_referral"],
    ),
    (
        "UPDATE program_budgets SET amount_out = amount_out - 1",
        &["budget_out"],
    ),
    ("UPDATE programs SET budget = NULL", &["budget_there"]),
    (
        "UPDATE events SET facts = REPLACE(facts, '\"maxConversionsTotal\":1,', '\"maxConversionsTotal\":0,')",
        &["limits_kept"],
    ),
    (
        "UPDATE terms SET clawback = 'within_hold' WHERE hold_days = 0",
        &["terms_values"],
    ),
    (
        "UPDATE terms SET conversion_trigger = 'whenever'",
        &["terms_values"],
    ),
    (
        "DELETE FROM work WHERE kind = 'end_of_hold'",
        &["end_of_hold"],
    ),
    (
        "UPDATE work SET subject = 'cr_x' WHERE kind = 'end_of_hold' AND subject = (SELECT MAX(id) FROM credits WHERE held > 0)",
        &["end_of_hold"],
    ),
    (
        "UPDATE entry_lines SET account = 'held' WHERE account = 'settled'",
        &["credit_parts", "entry_moves"],
    ),
    (
        "UPDATE entry_lines SET account = 'settled' WHERE account = 'held'",
        &["entry_moves", "credit_parts"],
    ),
    (
        "UPDATE entry_lines SET amount = -amount WHERE seq = 2",
        &["account_sums", "entry_moves", "credit_parts"],
    ),
    (
        "DELETE FROM events WHERE type = 'credit.settled'",
        &["manual_entry_events"],
    ),
    (
        "DELETE FROM events WHERE type = 'credit.granted' AND referral_id IS NULL",
        &["manual_entry_events"],
    ),
    (
        "DELETE FROM events WHERE type = 'credit.reversed'",
        &["entry_events", "story_numbers"],
    ),
    (
        "UPDATE credits SET currency = 'eur' WHERE kind = 'manual'",
        &["credit_as_given"],
    ),
    (
        "UPDATE credits SET kind = 'bonus' WHERE kind = 'manual'",
        &["credit_values"],
    ),
    (
        "UPDATE entries SET cause = 'bank' WHERE cause = 'user'",
        &["entry_values"],
    ),
];

#[test]
fn damage_to_what_was_moved_is_noticed() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let (place, _) = write(&db.store, held);
        write(&db.store, move |tx, act| {
            for credit in all(tx, &place)? {
                match credit.referral_id {
                    Some(_) => credit_moves::reverse(tx, act, &place, &asked(&credit, Some(100)))?,
                    None => credit_moves::settle(tx, act, &place, &asked(&credit, Some(100)))?,
                };
            }
            Ok(())
        });
        db.assert_sound();
        let mut faults = Vec::new();
        for (sql, wanted) in DAMAGES {
            let found = found_after(&db, sql);
            if !wanted.iter().all(|rule| found.contains(*rule)) {
                faults.push(format!("{sql}: {wanted:?} not all among {found:?}"));
            }
        }
        assert!(faults.is_empty(), "{engine:?}: {}", faults.join("\n"));
    }
}

#[test]
fn a_time_range_narrows_a_list() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let (place, _) = db.store.write_blocking(origin_at(START, 1), held).unwrap();
        let count = |from: Option<i64>, to: Option<i64>| {
            let place = place.clone();
            let filter = CreditFilter {
                from: from.map(|micros| Micros(START.0 + micros)),
                to: to.map(|micros| Micros(START.0 + micros)),
                ..CreditFilter::default()
            };
            let page = Page {
                limit: 2,
                offset: 0,
                after: None,
            };
            let read = move |tx: &mut dyn Tx| Ok(credits::list(tx, &place, &filter, &page)?);
            let part = db.store.scan_blocking(read).unwrap();
            (part.rows.len(), part.next.is_some())
        };
        assert_eq!(count(None, None), (2, true));
        assert_eq!(count(Some(0), Some(1)), (2, false));
        // The one given by hand came after what else the same operation did.
        assert_eq!(count(Some(1), None), (1, false));
        assert_eq!(count(None, Some(0)), (0, false));
    }
}
