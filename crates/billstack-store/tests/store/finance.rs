//! Reports: at any time what is owed is the sum of what was booked, and any range foots.

use std::collections::BTreeMap;

use billstack_core::ledger::{Account, Figure};
use billstack_core::money::{Amount, Currency};
use billstack_core::time::{HOUR, Micros};
use billstack_store::counting;
use billstack_store::credit_moves::{self, Asked, Gift};
use billstack_store::credits::Credit;
use billstack_store::finance::{self, BookingFilter, exported_postings};
use billstack_store::list::Page;
use billstack_store::programs;
use billstack_store::{Abort, Act, Place, Tx};

use crate::support::{
    Db, ENGINES, Random, START, make_customer, make_project, make_team, origin_at, program, seed,
    write,
};

const TEAM: &str = "team_1";

/// What was booked, by the books themselves: what is owed by currency and side.
type Owed = BTreeMap<(Currency, String), i64>;

fn asked(credit: &Credit, units: i64) -> Asked {
    Asked {
        credit_id: credit.id.clone(),
        amount: Amount::new(units),
        reason: "because".to_owned(),
        reference: None,
    }
}

/// Gives or moves a credit at random.
fn step(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer: &str,
    credits: &mut Vec<Credit>,
    draw: &mut Random,
) -> Result<(), Abort> {
    let which = draw.below(4);
    if which == 0 || credits.is_empty() {
        let currency = ["usd", "eur"][draw.below(2) as usize];
        let gift = Gift {
            customer_id: customer.to_owned(),
            amount: Amount::new(1 + draw.below(1_000) as i64).unwrap(),
            currency: Currency::parse(currency).unwrap(),
            reason: "contest".to_owned(),
        };
        credits.push(credit_moves::give_by_hand(tx, act, place, &gift)?);
        return Ok(());
    }
    let number = draw.below(credits.len() as u64) as usize;
    let credit = &credits[number];
    let left = credit.parts.available;
    if left == 0 {
        return Ok(());
    }
    let asked = asked(credit, 1 + draw.below(left as u64) as i64);
    credits[number] = match which {
        1 => credit_moves::settle(tx, act, place, &asked)?,
        _ => credit_moves::reverse(tx, act, place, &asked)?,
    };
    Ok(())
}

/// The sums of all postings that were booked before a time.
fn by_hand(tx: &mut dyn Tx, place: &Place, before: Micros) -> Result<Owed, Abort> {
    let mut owed = Owed::new();
    let mut after = (Micros(0), String::new(), 0);
    loop {
        let (at, id, seq) = &after;
        let page = exported_postings(tx, place, (*at, id, *seq), before, 7)?;
        for exported in &page {
            let posting = &exported.posting;
            if matches!(
                posting.account,
                Account::Held | Account::Customer | Account::Stripe
            ) {
                let of = (exported.currency, exported.side.clone());
                *owed.entry(of).or_default() += posting.amount;
            }
        }
        let Some(last) = page.last().filter(|_| page.len() == 14) else {
            owed.retain(|_, units| *units != 0);
            return Ok(owed);
        };
        after = (
            last.posting.created_at,
            last.credit_id.clone(),
            last.posting.seq,
        );
    }
}

/// A figure of a report, by its name and currency; those that are zero are left out.
type Counted = BTreeMap<(&'static str, Currency), i64>;

/// The figures as the report of a time has them.
fn figures(tx: &mut dyn Tx, place: &Place, (from, to): (Micros, Micros)) -> Result<Counted, Abort> {
    let mut figures = Counted::new();
    for ((currency, _), moved) in finance::roll_forward(tx, place, from, to)? {
        for (name, units) in [
            ("granted", moved.granted),
            ("applied", moved.applied),
            ("reversed", moved.reversed),
            ("settled", moved.settled),
            ("shortfall", moved.shortfall),
        ] {
            *figures.entry((name, currency)).or_default() += units;
        }
    }
    figures.retain(|_, units| *units != 0);
    Ok(figures)
}

/// The same as the sums of the bookings that each of them leads to.
fn counted(tx: &mut dyn Tx, place: &Place, (from, to): (Micros, Micros)) -> Result<Counted, Abort> {
    let mut counted = Counted::new();
    for figure in Figure::ALL {
        let filter = BookingFilter {
            figure: Some(figure),
            currency: None,
            from,
            to,
        };
        let part = finance::bookings(tx, place, &filter, &Page::first(1_000))?;
        assert_eq!(part.next, None);
        for booking in part.rows {
            let of = (figure.as_str(), booking.line.currency);
            *counted.entry(of).or_default() += booking.units;
        }
    }
    counted.retain(|_, units| *units != 0);
    Ok(counted)
}

/// What the worker does with what was booked before a time.
fn add_up(db: &Db, before: Micros) {
    let read = move |tx: &mut dyn Tx| Ok::<_, Abort>(counting::read(tx, i64::MIN, before, 10_000)?);
    let round = db.store.scan_blocking(read).unwrap();
    assert!(!round.is_empty());
    write(&db.store, move |tx, _| Ok(counting::keep(tx, &round)?));
}

#[test]
fn what_is_owed_is_the_sum_of_what_was_booked() {
    for engine in ENGINES {
        let db = Db::new(engine);
        let mut draw = Random::new(seed());
        let mut credits = Vec::new();
        let made = db
            .store
            .write_blocking(origin_at(START, 1), |tx, act| {
                make_team(tx, TEAM)?;
                let place = make_project(tx, act, TEAM)?;
                programs::put(tx, act, &place, &program())?;
                let customer = make_customer(tx, act, &place, "ann", None)?.id;
                Ok((place, customer))
            })
            .unwrap();
        let (place, customer) = made;
        // A step takes seven hours, so that there are many days.
        let time = |step: u64| START.plus(7 * HOUR * step as i64);
        for number in 2..120 {
            let (at, who) = (place.clone(), customer.clone());
            let then = (credits.clone(), draw.clone());
            let done = db
                .store
                .write_blocking(origin_at(time(number), number), move |tx, act| {
                    let (mut credits, mut draw) = then.clone();
                    step(tx, act, &at, &who, &mut credits, &mut draw)?;
                    Ok((credits, draw))
                });
            (credits, draw) = done.unwrap();
            // Some of the days are added up by now, some in part, some not at all.
            if number == 31 || number == 88 {
                add_up(&db, time(number));
            }
        }
        let read = db.store.scan_blocking(move |tx| {
            for number in [2, 3, 40, 41, 90, 119, 121] {
                let before = time(number).plus(HOUR);
                let report = finance::liability(tx, &place, before)?;
                let told = report.into_iter();
                let told = told.map(|(of, position)| {
                    let open = position.sums.open();
                    assert_eq!(open, position.open_by_age.iter().sum::<i64>());
                    (of, open)
                });
                let told: Owed = told.filter(|(_, open)| *open != 0).collect();
                assert_eq!(told, by_hand(tx, &place, before)?, "{engine:?} {number}");
                let from = time(number / 2);
                for (of, part) in finance::roll_forward(tx, &place, from, before)? {
                    assert_eq!(part.unexplained(), 0, "{of:?}");
                    let closing = told.get(&of).copied().unwrap_or_default();
                    assert_eq!(part.closing, closing, "{of:?}");
                    let opening = by_hand(tx, &place, from)?.get(&of).copied();
                    assert_eq!(part.opening, opening.unwrap_or_default(), "{of:?}");
                }
                assert_eq!(
                    counted(tx, &place, (from, before))?,
                    figures(tx, &place, (from, before))?
                );
                let owed: i64 = told.values().sum();
                let accounts = finance::statement(tx, &place, &customer, None, (from, before))?;
                let closing: i64 = accounts.values().map(|account| account.closing).sum();
                assert_eq!(closing, owed);
                for account in accounts.values() {
                    let change: i64 = account.movements.iter().map(|m| m.change).sum();
                    assert_eq!(account.opening + change, account.closing);
                }
            }
            Ok::<_, Abort>(())
        });
        read.unwrap();
        db.assert_sound();
    }
}
