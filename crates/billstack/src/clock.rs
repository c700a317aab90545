//! The time of day: the only place that reads it, and how it is written down.
//!
//! Everything else is handed the time as microseconds since 1970 in UTC, so a test can set it.

use std::sync::Arc;

use billstack_core::time::Micros;
use jiff::civil::{DateTime, date};
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};
use tokio::sync::watch;

/// Where the time of day comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock with hands. Clones share them.
    Moved(Arc<Hands>),
}

/// The hands of a clock that is moved. Whoever waits for a time is woken by each move.
#[derive(Debug)]
pub struct Hands {
    micros: watch::Sender<i64>,
    /// Whether the machine's clock is added, so that it ticks between the moves.
    ticks: bool,
}

impl Hands {
    /// Moves the clock by so many microseconds.
    pub fn move_by(&self, micros: i64) {
        self.micros.send_modify(|now| *now += micros);
    }
}

impl Clock {
    /// A clock that stands still at `micros` until it is moved.
    pub fn manual(micros: i64) -> Clock {
        Clock::with_hands(micros, false)
    }

    /// A clock that ticks as the machine's does, `micros` ahead of it.
    pub fn ahead(micros: i64) -> Clock {
        Clock::with_hands(micros, true)
    }

    fn with_hands(micros: i64, ticks: bool) -> Clock {
        let micros = watch::Sender::new(micros);
        Clock::Moved(Arc::new(Hands { micros, ticks }))
    }

    /// Microseconds since 1970 in UTC.
    pub fn now_micros(&self) -> i64 {
        match self {
            Clock::System => machine_micros(),
            Clock::Moved(hands) if hands.ticks => machine_micros() + *hands.micros.borrow(),
            Clock::Moved(hands) => *hands.micros.borrow(),
        }
    }

    /// The moves from now on.
    pub fn moves(&self) -> Moves {
        Moves(match self {
            Clock::System => None,
            Clock::Moved(hands) => Some(hands.micros.subscribe()),
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the time"
)]
fn machine_micros() -> i64 {
    Timestamp::now().as_microsecond()
}

/// The moves of a clock, for whoever would sleep over one.
#[derive(Debug)]
pub struct Moves(Option<watch::Receiver<i64>>);

impl Moves {
    /// Waits for a move that nobody has been told of yet. The machine's clock makes none.
    pub async fn next(&mut self) {
        if let Some(moves) = &mut self.0
            && moves.changed().await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }
}

/// The first instant of the year 1, the earliest that RFC 3339 can write in UTC with a year of its
/// own era.
const EARLIEST: i64 = -62_135_596_800_000_000;

/// The last microsecond of 9999, the latest that RFC 3339 can write in UTC.
const LATEST: i64 = 253_402_300_799_999_999;

const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

/// A time as RFC 3339 in UTC, cut to milliseconds: `2026-03-30T12:00:00.000Z`.
///
/// The width never varies, so the texts sort like the times. Times outside the years that have
/// four digits come out as the nearest that has.
pub fn rfc3339(micros: i64) -> String {
    text_of(&write_rfc3339(micros)).to_owned()
}

/// A time in a JSON answer, as [`rfc3339`] writes it.
#[derive(Clone, Copy, Debug)]
pub struct Moment(pub Micros);

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text_of(&write_rfc3339(self.0.0)))
    }
}

fn text_of(time: &[u8; 24]) -> &str {
    std::str::from_utf8(time).expect("it consists of digits and marks")
}

fn write_rfc3339(micros: i64) -> [u8; 24] {
    let micros = micros.clamp(EARLIEST, LATEST);
    // Not a timestamp, of which jiff knows none in the last day of 9999.
    let time = EPOCH
        .checked_add(SignedDuration::from_micros(micros))
        .expect("the number was clamped to what a date and time can hold");
    let mut text = *b"0000-00-00T00:00:00.000Z";
    // Every answer holds many of these; jiff's own way through `fmt` takes five times as long.
    for (place, number) in [
        (0, time.year() / 100),
        (2, time.year() % 100),
        (5, time.month().into()),
        (8, time.day().into()),
        (11, time.hour().into()),
        (14, time.minute().into()),
        (17, time.second().into()),
        // Three digits, by two that overlap.
        (20, time.millisecond() / 10),
        (21, time.millisecond() % 100),
    ] {
        text[place..place + 2].copy_from_slice(&digits(number));
    }
    text
}

/// The two digits of a number from 0 to 99.
fn digits(number: i16) -> [u8; 2] {
    [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const NOON: i64 = 1_774_872_000_000_000;

    #[test]
    fn writes_milliseconds_whatever_the_time() {
        assert_eq!(rfc3339(NOON), "2026-03-30T12:00:00.000Z");
        assert_eq!(rfc3339(NOON + 999_999), "2026-03-30T12:00:00.999Z");
        assert_eq!(rfc3339(NOON + 1_500), "2026-03-30T12:00:00.001Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn stays_within_years_of_four_digits() {
        assert_eq!(rfc3339(i64::MIN), "0001-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(i64::MAX), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn what_it_writes_is_read_back() {
        for micros in [0, NOON, EARLIEST, LATEST - 999] {
            let read = Micros::from_rfc3339(&rfc3339(micros));
            assert_eq!(read, Some(Micros(micros)));
        }
    }

    #[test]
    fn a_manual_clock_is_shared_by_its_clones() {
        let clock = Clock::manual(NOON);
        let Clock::Moved(hands) = clock.clone() else {
            unreachable!("it was made manual")
        };
        hands.move_by(5);
        assert_eq!(clock.now_micros(), NOON + 5);
        assert!(Clock::System.now_micros() > NOON - 40_000_000_000_000);
    }

    #[test]
    fn a_clock_that_is_ahead_ticks() {
        let day = 86_400_000_000;
        let (clock, before) = (Clock::ahead(-day), Clock::System.now_micros());
        assert!((before - day..before).contains(&clock.now_micros()));
    }

    #[test]
    fn a_move_is_told_to_each_once() {
        let clock = Clock::manual(NOON);
        let (mut one, mut other) = (clock.moves(), clock.moves());
        assert!(one.next().now_or_never().is_none());
        let Clock::Moved(hands) = &clock else {
            unreachable!("it was made manual")
        };
        hands.move_by(1);
        for moves in [&mut one, &mut other] {
            assert!(moves.next().now_or_never().is_some());
            assert!(moves.next().now_or_never().is_none());
        }
        assert!(Clock::System.moves().next().now_or_never().is_none());
    }
}
