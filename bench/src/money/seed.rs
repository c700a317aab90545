//! What is in the books before anything is measured, written by the operations of the program itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use billstack_core::money::{Amount, Currency};
use billstack_core::program::{Clawback, CreditDelivery, Program};
use billstack_core::referral::Terms;
use billstack_core::stripe_event::Subscriptions;
use billstack_core::time::SECOND;
use billstack_store::apply::{self, Apply, Asked, InStripe};
use billstack_store::credit_moves::{self, Gift};
use billstack_store::credits::delivery::turns::{self, Served};
use billstack_store::customers::{self, NewCustomer};
use billstack_store::work::{self, Leased};
use billstack_store::{Abort, Act, Place, Tx, codes, programs};
use futures_util::stream::{self, TryStreamExt as _};
use indicatif::ProgressBar;

use crate::books::Books;
use crate::seed::{PER_CODE, Size, customer_id, stripe_id};

/// How many operations are under way at once.
const AT_ONCE: usize = 64;

/// The number of the first customer who waits for a credit.
const FIRST_WAITING: u64 = 1 << 24;

/// How often a claim is tried.
const CLAIMS: usize = 301;

/// How many lanes a claim takes.
const LANES: usize = 10;

/// The Stripe customer of the n-th who waits for a credit.
pub(super) fn waiting_in_stripe(n: u64) -> String {
    stripe_id(FIRST_WAITING + n)
}

/// A program that promises 10.00 and 5.00 dollars.
fn program(delivery: CreditDelivery, clawback: Clawback) -> Program {
    Program {
        enabled: true,
        terms: Terms {
            referrer_credit_amount: Amount::new(1_000).unwrap_or(Amount::ZERO),
            referee_credit_amount: Amount::new(500).unwrap_or(Amount::ZERO),
            credit_delivery: delivery,
            clawback,
            ..Terms::default()
        },
        ..Program::default()
    }
}

fn customer(n: u64) -> NewCustomer {
    NewCustomer {
        id: Some(customer_id(n)),
        email: format!("u{n:010}@example.com"),
        name: None,
        external_id: None,
        stripe_customer_id: Some(stripe_id(n)),
        metadata: "{}".to_owned(),
        stripe_note: None,
    }
}

impl Books {
    /// Runs an operation for each number, many at once.
    fn each(
        &self,
        what: &str,
        numbers: std::ops::Range<u64>,
        op: impl Fn(&mut dyn Tx, &mut Act, u64) -> Result<(), Abort> + Clone + Send + 'static,
    ) -> Result<(), String> {
        let bar = ProgressBar::new(numbers.end - numbers.start);
        bar.set_message(what.to_owned());
        let all = stream::iter(numbers.map(Ok)).try_for_each_concurrent(AT_ONCE, |n| {
            let op = op.clone();
            let done = self
                .store
                .write(self.origin(), move |tx, act| op(tx, act, n));
            let bar = &bar;
            async move {
                bar.inc(1);
                done.await.map_err(|abort| format!("{what} {n}: {abort:?}"))
            }
        });
        let done = self.runtime.block_on(all);
        bar.finish_and_clear();
        done
    }

    pub(super) fn program(
        &self,
        place: &Place,
        delivery: CreditDelivery,
        clawback: Clawback,
    ) -> Result<(), String> {
        let place = place.clone();
        let program = program(delivery, clawback);
        let put = move |tx: &mut dyn Tx, act: &mut Act| programs::put(tx, act, &place, &program);
        self.write(put).map(drop)
    }

    /// Customers, codes, referrals that wait to convert, and fresh customers. Returns the codes.
    pub(super) fn people(
        &self,
        place: &Place,
        first: u64,
        size: Size,
    ) -> Result<Vec<String>, String> {
        let of = place.clone();
        let last = first + size.customers();
        self.each("customers", first..last, move |tx, act, n| {
            customers::create(tx, act, &of, &customer(n)).map(drop)
        })?;
        let mut made = Vec::new();
        for n in 0..size.codes() {
            let (of, owner) = (place.clone(), customer_id(first + n));
            let code = self.write(move |tx, act| codes::create(tx, act, &of, &owner))?;
            made.push(code.code);
        }
        let (of, known) = (place.clone(), Arc::new(made.clone()));
        self.each("referrals", 0..size.all_referrals(), move |tx, act, n| {
            let place = usize::try_from(n / PER_CODE).unwrap_or_default();
            let referee = customer(first + size.codes() + n);
            let asked = Asked {
                email: referee.email,
                stripe_customer_id: referee.stripe_customer_id,
            };
            let cmd = Apply {
                is_typed: true,
                click_token: None,
                code: known.get(place).cloned(),
                referee_customer_id: referee.id.unwrap_or_default(),
                in_stripe: InStripe::Told(asked, Subscriptions::default()),
            };
            apply::apply(tx, act, &of, &cmd).map(drop)
        })?;
        Ok(made)
    }

    /// Customers with a credit each, by hand: in a program that delivers, so many lanes.
    pub(super) fn credits(
        &self,
        place: &Place,
        numbers: std::ops::Range<u64>,
    ) -> Result<(), String> {
        let of = place.clone();
        self.each("credits", numbers, move |tx, act, n| {
            let customer = customers::create(tx, act, &of, &customer(FIRST_WAITING + n))?;
            let gift = Gift {
                customer_id: customer.id,
                amount: Amount::new(1_000).unwrap_or(Amount::ZERO),
                currency: Currency::USD,
                reason: "contest".to_owned(),
            };
            credit_moves::give_by_hand(tx, act, &of, &gift).map(drop)
        })
    }

    /// Claims some lanes as a node does that serves nobody, and gives them back. Returns how long the claim took, in
    /// microseconds, with its commit.
    fn claim(&self) -> Result<f64, String> {
        let now = self.origin().seed.at();
        let began = Instant::now();
        let due = self.store.scan_blocking(move |tx| {
            let served = Served {
                after: i64::MIN,
                lanes: &HashMap::new(),
                room: LANES,
                room_of: &|_| LANES,
            };
            Ok(turns::next(tx, now, &served)?.1)
        });
        let due = due.map_err(|abort| format!("{abort:?}"))?;
        let claimed: Vec<Leased> = self.write(move |tx, act| {
            let until = act.at.plus(15 * SECOND);
            Ok(turns::take(tx, act, &due, until)?)
        })?;
        let took = began.elapsed().as_secs_f64() * 1e6;
        if claimed.len() != LANES {
            return Err(format!("{} lanes were claimed", claimed.len()));
        }
        self.write(move |tx, act| {
            for leased in &claimed {
                work::later(tx, &leased.key, &leased.work.facts, act.at, None)?;
            }
            Ok(())
        })?;
        Ok(took)
    }
}

/// What a claim takes in the median from a short and from a long queue, by turns.
pub(super) fn claims(few: &Books, many: &Books) -> Result<[f64; 2], String> {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..CLAIMS {
        for (times, books) in times.iter_mut().zip([few, many]) {
            times.push(books.claim()?);
        }
    }
    Ok(times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }))
}
