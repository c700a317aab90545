//! Identifiers: a prefix that says what a thing is, then 26 characters that sort by time.
//!
//! The first 48 bits are milliseconds, so new rows land side by side in an index; the other 80
//! bits are random, so an id cannot be guessed from its neighbours. An operation may be run more
//! than once (a serialization failure, a re-run batch); it draws its ids from an [`IdSeed`] that
//! came with the command, so every run makes the same ones.

mod numbered;

use crate::code;
use crate::time::Micros;
use sha2::{Digest, Sha256};

pub use numbered::{ProjectId, TeamId, number_of};

/// Crockford's base 32 in lower case: the values in ascending ASCII order, so text sorts as the
/// number does. Source: <https://www.crockford.com/base32.html>.
const BASE32: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Characters after the prefix: 128 bits at five bits each, the first two bits zero.
const BODY: usize = 26;

/// The largest time the 48 bits hold, in milliseconds (the year 10889).
const MAX_MILLIS: i64 = (1 << 48) - 1;

/// What the short name of a project's links is made of: 28 letters and digits that nobody confuses.
const SLUG_LETTERS: &[u8; 28] = b"23456789bcdfghjkmnpqrstvwxyz";

/// How many of them it has.
const SLUG: usize = 6;

/// What an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdKind {
    /// A team, `team_`.
    Team,
    /// A project of a team, `proj_`.
    Project,
    /// A person who signs in, `usr_`.
    User,
    /// An API key, `key_`; not the secret itself.
    ApiKey,
    /// A customer of a project, `pc_`.
    Customer,
    /// A referral, `ref_`.
    Referral,
    /// A credit, `cr_`.
    Credit,
    /// An entry of our own event log, `evt_`.
    Event,
    /// An invitation to a team, `inv_`.
    Invitation,
    /// A referral program of a project, `prog_`.
    Program,
    /// The terms of a program, as one change left them, `terms_`.
    Terms,
    /// An operation on a balance at Stripe, `op_`.
    Operation,
    /// A run that compares our books with Stripe's, `run_`.
    ReconcileRun,
    /// An address that webhooks are sent to, `whe_`.
    WebhookEndpoint,
    /// An event on its way to such an address, `whd_`.
    WebhookDelivery,
}

impl IdKind {
    /// The text every id of this kind begins with, underscore included.
    pub const fn prefix(self) -> &'static str {
        match self {
            IdKind::Team => "team_",
            IdKind::Project => "proj_",
            IdKind::User => "usr_",
            IdKind::ApiKey => "key_",
            IdKind::Customer => "pc_",
            IdKind::Referral => "ref_",
            IdKind::Credit => "cr_",
            IdKind::Event => "evt_",
            IdKind::Invitation => "inv_",
            IdKind::Program => "prog_",
            IdKind::Terms => "terms_",
            IdKind::Operation => "op_",
            IdKind::ReconcileRun => "run_",
            IdKind::WebhookEndpoint => "whe_",
            IdKind::WebhookDelivery => "whd_",
        }
    }
}

/// Makes an id from its kind, the time it is made and 80 random bits.
///
/// Ids of one kind compare as their times do, to the millisecond. Times before 1970 count as 1970.
pub fn make_id(kind: IdKind, at: Micros, random: [u8; 10]) -> String {
    let millis = at.as_millis().clamp(0, MAX_MILLIS).to_be_bytes();
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&millis[2..]);
    bytes[6..].copy_from_slice(&random);
    let value = u128::from_be_bytes(bytes);

    let prefix = kind.prefix();
    let mut id = String::with_capacity(prefix.len() + BODY);
    id.push_str(prefix);
    id.extend((0..BODY).rev().map(|place| {
        let digit = (value >> (5 * place)) & 31;
        char::from(BASE32[digit as usize])
    }));
    id
}

/// When an id was made, to the millisecond, if it is of the form that [`make_id`] makes.
pub fn made_at(id: &str) -> Option<Micros> {
    let (_, body) = id.rsplit_once('_')?;
    if body.len() != BODY {
        return None;
    }
    let mut value = 0_u128;
    for byte in body.bytes() {
        let digit = BASE32.iter().position(|digit| *digit == byte)?;
        // The first two of the 130 bits are zero.
        if value >> 123 != 0 {
            return None;
        }
        value = value << 5 | digit as u128;
    }
    let millis = i64::try_from(value >> 80).ok()?;
    Some(Micros(millis.checked_mul(1000)?))
}

/// Whether a text may be an id at all: 1 to 64 ASCII letters, digits, `_` or `-`.
///
/// Wider than what [`make_id`] makes, because an import keeps the ids it brings.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// The time and randomness an operation makes its ids from.
///
/// It is drawn once, outside the operation, and travels with the command.
#[derive(Copy, Clone, Debug)]
pub struct IdSeed {
    at: Micros,
    seed: [u8; 16],
}

impl IdSeed {
    /// A seed for ids made at `at`; `seed` must come from a cryptographic random source.
    pub const fn new(at: Micros, seed: [u8; 16]) -> IdSeed {
        IdSeed { at, seed }
    }

    /// The time that goes into every id made from this seed.
    pub const fn at(&self) -> Micros {
        self.at
    }

    /// Begins the stream of ids. Each call begins the same stream anew.
    pub const fn start(&self) -> Ids {
        Ids {
            seed: *self,
            counter: 0,
        }
    }
}

/// The deterministic stream of ids of one run of an operation.
///
/// Block `n` of the underlying bytes is the SHA-256 of the seed and `n` as eight big-endian bytes.
/// Every id and every code begins a fresh block, so what was drawn before does not shift it.
#[derive(Debug)]
pub struct Ids {
    seed: IdSeed,
    counter: u64,
}

impl Ids {
    /// The next id of the stream.
    pub fn next(&mut self, kind: IdKind) -> String {
        let block = self.block();
        let mut random = [0; 10];
        random.copy_from_slice(&block[..10]);
        make_id(kind, self.seed.at, random)
    }

    /// The next referral code of the stream, every code being equally likely.
    pub fn code(&mut self) -> String {
        let mut block = self.block();
        let mut used = 0;
        code::draw(|| {
            if used == block.len() {
                block = self.block();
                used = 0;
            }
            used += 1;
            block[used - 1]
        })
    }

    /// A key that nobody can guess.
    pub fn key(&mut self) -> [u8; 32] {
        self.block()
    }

    /// A short name for the links of a project. It has no vowel, so it is no word.
    pub fn slug(&mut self) -> String {
        let mut first = [0; 8];
        first.copy_from_slice(&self.block()[..8]);
        let mut number = u64::from_be_bytes(first);
        let letters = (0..SLUG).map(|_| {
            let letter = SLUG_LETTERS[usize::try_from(number % 28).unwrap_or_default()];
            number /= 28;
            char::from(letter)
        });
        letters.collect()
    }

    fn block(&mut self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.seed.seed);
        hasher.update(self.counter.to_be_bytes());
        self.counter += 1;
        hasher.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    const KINDS: [IdKind; 15] = [
        IdKind::Team,
        IdKind::Project,
        IdKind::User,
        IdKind::ApiKey,
        IdKind::Customer,
        IdKind::Referral,
        IdKind::Credit,
        IdKind::Event,
        IdKind::Invitation,
        IdKind::Program,
        IdKind::Terms,
        IdKind::Operation,
        IdKind::ReconcileRun,
        IdKind::WebhookEndpoint,
        IdKind::WebhookDelivery,
    ];

    #[test]
    fn zero_and_all_ones_are_spelled_out() {
        assert_eq!(
            make_id(IdKind::Customer, Micros(0), [0; 10]),
            "pc_00000000000000000000000000"
        );
        assert_eq!(
            make_id(IdKind::Team, Micros(i64::MAX), [255; 10]),
            "team_7zzzzzzzzzzzzzzzzzzzzzzzzz"
        );
        assert_eq!(
            make_id(IdKind::Credit, Micros(-1), [0; 10]),
            "cr_00000000000000000000000000"
        );
    }

    #[test]
    fn time_fills_the_first_ten_characters() {
        // 1,469,918,176,385 ms, the example time of the ULID specification, is `01ARYZ6S41`.
        let id = make_id(IdKind::Referral, Micros(1_469_918_176_385_000), [0xff; 10]);
        assert_eq!(id, "ref_01aryz6s41zzzzzzzzzzzzzzzz");
    }

    #[test]
    fn the_stream_is_pinned() {
        // A change here would make a re-run after an upgrade use other ids than the first run.
        let seed = IdSeed::new(Micros::from_secs(1_700_000_000), [7; 16]);
        let mut ids = seed.start();
        let drawn = [
            ids.next(IdKind::Customer),
            ids.code(),
            ids.next(IdKind::Event),
        ];
        assert_eq!(drawn, PINNED);
    }

    const PINNED: [&str; 3] = [
        "pc_01hf7yat00d9sd1d561ks1z4g7",
        "G4HDTU23",
        "evt_01hf7yat00s4jtr9a15k1z5b90",
    ];

    #[test]
    fn long_streams_do_not_repeat() {
        let mut ids = IdSeed::new(Micros(0), [1; 16]).start();
        let seen: HashSet<String> = (0..2_000)
            .flat_map(|_| [ids.next(IdKind::Credit), ids.code()])
            .collect();
        assert_eq!(seen.len(), 4_000);
    }

    #[test]
    fn knows_an_id_when_it_sees_one() {
        assert!(is_id("pc_0"));
        assert!(is_id(&"a".repeat(64)));
        for bad in ["", "a b", "é", "a\0", "../x", "a.b", &"a".repeat(65)] {
            assert!(!is_id(bad), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn ids_are_well_formed(at in any::<i64>(), random in any::<[u8; 10]>(), kind in 0..KINDS.len()) {
            let kind = KINDS[kind];
            let id = make_id(kind, Micros(at), random);
            prop_assert!(is_id(&id));
            let body = id.strip_prefix(kind.prefix()).unwrap();
            prop_assert_eq!(body.len(), BODY);
            prop_assert!(body.bytes().all(|byte| BASE32.contains(&byte)));
        }

        #[test]
        fn ids_sort_by_time(
            a in 0..1_i64 << 56,
            later in 1_000..1_i64 << 56,
            left in any::<[u8; 10]>(),
            right in any::<[u8; 10]>(),
        ) {
            let first = make_id(IdKind::Event, Micros(a), left);
            let second = make_id(IdKind::Event, Micros(a + later), right);
            prop_assert!(first < second);
        }

        #[test]
        fn a_rerun_makes_the_same_ids(at in any::<i64>(), seed in any::<[u8; 16]>()) {
            let seed = IdSeed::new(Micros(at), seed);
            let (mut one, mut two) = (seed.start(), seed.start());
            for kind in KINDS {
                prop_assert_eq!(one.next(kind), two.next(kind));
                prop_assert_eq!(one.code(), two.code());
            }
            prop_assert_eq!(seed.at(), Micros(at));
        }
    }
}
