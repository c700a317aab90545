//! Who lives in the history, and what chance decides.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// The first names, most of them of people who made computing what it is.
const FIRST: [&str; 40] = [
    "Ada",
    "Alan",
    "Annie",
    "Barbara",
    "Betty",
    "Brian",
    "Claude",
    "Cynthia",
    "Dennis",
    "Donald",
    "Dorothy",
    "Edith",
    "Edsger",
    "Elena",
    "Frances",
    "Gladys",
    "Grace",
    "Hedy",
    "Ivan",
    "Jean",
    "Joan",
    "John",
    "Karen",
    "Katherine",
    "Ken",
    "Leslie",
    "Lynn",
    "Margaret",
    "Mary",
    "Niklaus",
    "Radia",
    "Richard",
    "Robin",
    "Rosa",
    "Ruth",
    "Sophie",
    "Stephanie",
    "Tim",
    "Vint",
    "Yuki",
];

/// The last names. No real person is meant.
const LAST: [&str; 30] = [
    "Abara",
    "Berg",
    "Castro",
    "Dupont",
    "Ekström",
    "Ferrari",
    "García",
    "Haddad",
    "Ito",
    "Jensen",
    "Kaya",
    "Lindqvist",
    "Moreau",
    "Nowak",
    "Okafor",
    "Petrov",
    "Quinn",
    "Rossi",
    "Silva",
    "Tanaka",
    "Ueda",
    "Varga",
    "Weber",
    "Xu",
    "Yilmaz",
    "Zimmer",
    "Olsen",
    "Novak",
    "Mensah",
    "Lopez",
];

/// One customer of the shop.
pub(super) struct Person {
    /// Their id here.
    pub(super) id: String,
    /// Their id in Stripe.
    pub(super) stripe: String,
    pub(super) name: String,
    /// Whether a friend has brought them.
    pub(super) is_brought: bool,
    /// The code that they share, if they do, and how often people click on it in a week.
    pub(super) code: Option<(String, u32)>,
}

/// Everybody, and the dice.
pub(super) struct Town {
    pub(super) people: Vec<Person>,
    /// Whether somebody has vanished from Stripe.
    pub(super) has_lost: bool,
    dice: StdRng,
    named: usize,
}

impl Town {
    pub(super) fn new() -> Town {
        Town {
            people: Vec::new(),
            has_lost: false,
            // The same history each time: whoever writes about it can count on what is there.
            dice: StdRng::seed_from_u64(7),
            named: 0,
        }
    }

    /// A name and an address that nobody has yet.
    pub(super) fn next_name(&mut self) -> (String, String) {
        let n = self.named;
        self.named += 1;
        // The two numbers have no common divisor with the lengths, so all pairs come before one comes twice.
        let (first, last) = (
            FIRST[n * 7 % FIRST.len()],
            LAST[(n * 11 + n / 40) % LAST.len()],
        );
        let plain = |name: &str| name.to_lowercase().replace('ö', "oe").replace('í', "i");
        let email = format!("{}.{}{n}@example.com", plain(first), plain(last));
        (format!("{first} {last}"), email)
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, of_100: u32) -> bool {
        self.dice.random_range(0..100) < of_100
    }

    /// A number from `least` to `most`.
    pub(super) fn between(&mut self, least: i64, most: i64) -> i64 {
        self.dice.random_range(least..=most)
    }

    /// Somebody with a code; whoever has many clicks is chosen often.
    pub(super) fn referrer(&mut self) -> Option<usize> {
        let weight = |person: &Person| person.code.as_ref().map_or(0, |(_, clicks)| *clicks);
        let all: u32 = self.people.iter().map(weight).sum();
        if all == 0 {
            return None;
        }
        let mut left = self.dice.random_range(0..all);
        self.people.iter().position(|person| {
            let own = weight(person);
            let is_it = left < own;
            left = left.saturating_sub(own);
            is_it && own > 0
        })
    }
}
