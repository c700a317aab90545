//! The bookings of a time, and those that a figure of a report counts.

use billstack_core::ledger::{Account, Figure};
use billstack_core::money::Currency;
use billstack_core::time::Micros;

use crate::seam::list::{Cursor, Page, Part};
use crate::seam::{Fault, Place, Tx};
use crate::tables::finance::{ExportedPosting, exported_postings};

/// How far is looked for one page.
#[derive(Clone, Copy, Debug)]
struct Reach {
    /// How many entries are read at once.
    at_once: i64,
    /// How many are looked at in all.
    most: i64,
}

const REACH: Reach = Reach {
    at_once: 500,
    most: 5_000,
};

/// Which bookings are wanted.
#[derive(Clone, Copy, Debug)]
pub struct BookingFilter {
    /// Only what this figure counts.
    pub figure: Option<Figure>,
    /// Only of this currency.
    pub currency: Option<Currency>,
    /// Booked at this time or later.
    pub from: Micros,
    /// Booked before this time.
    pub to: Micros,
}

/// A movement of money.
#[derive(Clone, Debug, PartialEq)]
pub struct Booking {
    /// Where it was taken from.
    pub from: Account,
    /// Where it went.
    pub to: Account,
    /// By how much the figure that was asked for changed, or else how much was moved, in minor units.
    pub units: i64,
    /// The line that counts, or else that of where it went.
    pub line: ExportedPosting,
}

impl BookingFilter {
    /// Whether a line is wanted: with a figure only the line that it counts, and otherwise both of an entry.
    pub fn holds(&self, line: &ExportedPosting) -> bool {
        let posting = &line.posting;
        let counts = |figure: Figure| figure.counts(posting.account, posting.seq);
        self.currency
            .is_none_or(|currency| currency == line.currency)
            && self.figure.is_none_or(counts)
    }

    /// An entry by its two lines, the one that takes away first; none where it is not wanted.
    fn booking(&self, lines: &[ExportedPosting]) -> Option<Booking> {
        let (from, to) = (lines.first()?, lines.last()?);
        let line = lines.iter().rfind(|line| self.holds(line))?;
        Some(Booking {
            from: from.posting.account,
            to: to.posting.account,
            units: line.posting.amount,
            line: line.clone(),
        })
    }

    /// Where the first entry is looked for: behind a cursor, or where the time begins.
    fn begin(&self, page: &Page) -> Seen {
        let first = Seen {
            at: Micros(self.from.0.saturating_sub(1)),
            credit_id: "\u{10ffff}".to_owned(),
            seq: i64::MAX,
        };
        let after = page.after.as_ref().map(Seen::read);
        let after = after.filter(|after| after.at > first.at);
        after.unwrap_or(first)
    }
}

/// The entry that was looked at last.
struct Seen {
    at: Micros,
    credit_id: String,
    seq: i64,
}

impl Seen {
    fn of(line: &ExportedPosting) -> Seen {
        Seen {
            at: line.posting.created_at,
            credit_id: line.credit_id.clone(),
            seq: line.posting.seq,
        }
    }

    fn read(cursor: &Cursor) -> Seen {
        let parts = cursor.key.rsplit_once('.');
        let named = parts.and_then(|(id, seq)| Some((id, seq.parse().ok()?)));
        let (credit_id, seq) = named.unwrap_or((&cursor.key, i64::MAX));
        Seen {
            at: Micros(cursor.at),
            credit_id: credit_id.to_owned(),
            seq,
        }
    }

    fn cursor(&self) -> Cursor {
        Cursor {
            at: self.at.0,
            key: format!("{}.{}", self.credit_id, self.seq),
        }
    }
}

/// The bookings of a time, in the order of booking. A page may have fewer rows than asked for, and another page after
/// it: so far was looked.
pub fn bookings(
    tx: &mut dyn Tx,
    place: &Place,
    filter: &BookingFilter,
    page: &Page,
) -> Result<Part<Booking>, Fault> {
    look(tx, place, filter, page, REACH)
}

fn look(
    tx: &mut dyn Tx,
    place: &Place,
    filter: &BookingFilter,
    page: &Page,
    reach: Reach,
) -> Result<Part<Booking>, Fault> {
    let (mut seen, mut looked_at, mut rows) = (filter.begin(page), 0, Vec::new());
    let limit = usize::try_from(page.limit).unwrap_or_default();
    loop {
        let after = (seen.at, seen.credit_id.as_str(), seen.seq);
        let lines = exported_postings(tx, place, after, filter.to, reach.at_once)?;
        let is_same = |one: &ExportedPosting, other: &ExportedPosting| {
            one.credit_id == other.credit_id && one.posting.seq == other.posting.seq
        };
        let mut entries = 0;
        for entry in lines.chunk_by(is_same) {
            if let Some(booking) = filter.booking(entry) {
                if rows.len() == limit {
                    let next = Some(seen.cursor());
                    return Ok(Part { rows, next });
                }
                rows.push(booking);
            }
            seen = Seen::of(&entry[0]);
            entries += 1;
        }
        looked_at += entries;
        let is_end = entries < reach.at_once;
        if is_end || looked_at >= reach.most {
            let next = (!is_end).then(|| seen.cursor());
            return Ok(Part { rows, next });
        }
    }
}

#[cfg(test)]
mod tests {
    use billstack_core::money::Amount;

    use super::*;
    use crate::operations::credit_moves::{self, Asked, Gift};
    use crate::operations::customers::{self, NewCustomer};
    use crate::operations::projects;
    use crate::testing::{Bench, page};

    const ALL: BookingFilter = BookingFilter {
        figure: None,
        currency: None,
        from: Micros(0),
        to: Micros(i64::MAX),
    };

    /// A project in which a credit was paid and another one taken back, a unit after the other.
    fn booked(bench: &Bench) -> Place {
        let team_id = bench.team(&bench.user("a@example.com")).id;
        let project = bench.run(|tx, act| projects::create(tx, act, &team_id, "Shop"));
        let place = Place::new(team_id, project.unwrap().id);
        let new = NewCustomer {
            id: None,
            email: "c@example.com".to_owned(),
            name: None,
            external_id: None,
            stripe_customer_id: None,
            metadata: "{}".to_owned(),
            stripe_note: None,
        };
        let customer = bench.run(|tx, act| customers::create(tx, act, &place, &new));
        let gift = |currency| Gift {
            customer_id: customer.as_ref().unwrap().id.clone(),
            amount: Amount::new(1_000).unwrap(),
            currency: Currency::parse(currency).unwrap(),
            reason: "contest".to_owned(),
        };
        let give = |currency| {
            bench.run(|tx, act| credit_moves::give_by_hand(tx, act, &place, &gift(currency)))
        };
        let (usd, eur) = (give("usd").unwrap(), give("eur").unwrap());
        for units in 1..=20 {
            let asked = |credit_id: &str| Asked {
                credit_id: credit_id.to_owned(),
                amount: Amount::new(units),
                reason: "because".to_owned(),
                reference: None,
            };
            let moved = bench.run(|tx, act| {
                credit_moves::settle(tx, act, &place, &asked(&usd.id))?;
                credit_moves::reverse(tx, act, &place, &asked(&eur.id))
            });
            moved.unwrap();
        }
        place
    }

    #[test]
    fn pages_of_any_size_tell_each_booking_once() {
        let bench = Bench::new();
        let place = booked(&bench);
        let whole = |filter: BookingFilter| {
            bench.read(|tx| bookings(tx, &place, &filter, &page(1_000, None)))
        };
        assert_eq!(whole(ALL).rows.len(), 42);
        let of = |figure, currency| BookingFilter {
            figure: Some(figure),
            currency: Some(Currency::parse(currency).unwrap()),
            ..ALL
        };
        let units = |filter| whole(filter).rows.iter().map(|row| row.units).sum::<i64>();
        assert_eq!(units(of(Figure::Settled, "usd")), 210);
        assert_eq!(units(of(Figure::Reversed, "eur")), 210);
        assert_eq!(units(of(Figure::Reversed, "usd")), 0);
        for filter in [ALL, of(Figure::Settled, "usd"), of(Figure::Reversed, "eur")] {
            for (limit, at_once, most) in
                [(1, 1, 1), (4, 3, 7), (5, 2, 4), (7, 100, 100), (21, 42, 42)]
            {
                let reach = Reach { at_once, most };
                let (mut rows, mut after) = (Vec::new(), None);
                loop {
                    let page = page(limit, after);
                    let part = bench.read(|tx| look(tx, &place, &filter, &page, reach));
                    assert!(part.rows.len() as i64 <= limit);
                    rows.extend(part.rows);
                    after = part.next;
                    if after.is_none() {
                        break;
                    }
                }
                assert_eq!(rows, whole(filter).rows, "{limit} {reach:?} {filter:?}");
            }
        }
    }

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let seen = Seen {
            at: Micros(5),
            credit_id: "cr_x".to_owned(),
            seq: 12,
        };
        let again = Seen::read(&seen.cursor());
        assert_eq!((again.at, again.seq), (Micros(5), 12));
        assert_eq!(again.credit_id, "cr_x");
        let strange = Cursor {
            at: 5,
            key: "a.b".to_owned(),
        };
        assert_eq!(Seen::read(&strange).credit_id, "a.b");
    }
}
