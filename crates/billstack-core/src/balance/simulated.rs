//! A balance at a simulated Stripe: invoices use it, some are voided, the merchant writes lines, payments are lost and
//! won, calls are cut, and things happen between a look and its call. In the end the credit is where the lines and the
//! loss say, and nowhere else.

use proptest::prelude::*;

use super::tests::Book;
use super::*;
use crate::credit::Parts;
use crate::ledger::{Account, Transfer};
use crate::money::Amount;
use crate::payments::moves;

const AMOUNT: i64 = 1_000;
const CREDIT: &str = "cr_1";

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    Invoice(i64),
    Void(usize),
    Merchant(i64),
    /// By everything that was told, so much of the credit is to come back.
    Lost(i64),
    /// We go on. What happens between a look and its call, and whether we hear of what came of the call.
    Work(Option<i64>, Heard),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Answered,
    /// It was done, and the answer was lost.
    CutAfter,
    /// It was not done, and we do not know.
    CutBefore,
}

/// A call whose outcome nobody knows.
#[derive(Clone, Copy, Debug)]
struct Call {
    amount: i64,
    /// The balance after its line, if that is there.
    ending: Option<i64>,
}

struct World {
    book: Book,
    /// What each invoice took, until it was voided.
    invoices: Vec<i64>,
    parts: Parts,
    wanted: i64,
    /// What was taken too much and is still to be put back.
    to_put_back: i64,
    open: Option<Call>,
}

impl World {
    fn new() -> World {
        let parts = Parts {
            available: AMOUNT,
            ..Parts::default()
        };
        World {
            book: Book::default(),
            invoices: Vec::new(),
            parts,
            wanted: 0,
            to_put_back: 0,
            open: None,
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Invoice(total) => self.invoice(*total),
            Step::Void(which) => self.void(*which),
            Step::Merchant(amount) => self.book.theirs(*amount),
            Step::Lost(wanted) => self.wanted = *wanted,
            Step::Work(meanwhile, heard) => {
                self.work(*meanwhile, *heard);
            }
        }
    }

    fn invoice(&mut self, total: i64) {
        let taken = total.min(-self.book.balance).max(0);
        let id = format!("in_{}", self.invoices.len());
        self.invoices.push(taken);
        if taken > 0 {
            self.book.invoice(taken, &id);
        }
    }

    fn void(&mut self, which: usize) {
        if self.invoices.is_empty() {
            return;
        }
        let which = which % self.invoices.len();
        let taken = std::mem::take(&mut self.invoices[which]);
        if taken > 0 {
            self.book.void(taken, &format!("in_{which}"));
        }
    }

    /// The next thing that we do; tells whether there was any.
    fn work(&mut self, meanwhile: Option<i64>, heard: Heard) -> bool {
        if let Some(call) = self.open.take() {
            // It is looked for, or called again under its key.
            let ending = call.ending.unwrap_or_else(|| self.write(call.amount));
            self.conclude(call.amount, ending);
            return true;
        }
        if self.to_put_back > 0 {
            self.call(-self.to_put_back, meanwhile, heard);
            return true;
        }
        let before = self.parts;
        let balance = follow(&self.book.lines).expect("lines that follow");
        self.book_used(&balance);
        let reach = balance.reversible(CREDIT, self.parts.delivered);
        let wanted = Amount::new(self.wanted).expect("an amount");
        let moves = moves(&self.parts, 0, wanted, Account::Customer, reach);
        for transfer in moves.transfers {
            self.book(transfer);
        }
        if moves.from_stripe > 0 {
            self.call(moves.from_stripe, meanwhile, heard);
            return true;
        }
        if self.parts.available > 0 {
            self.call(-self.parts.available, meanwhile, heard);
            return true;
        }
        self.parts != before
    }

    fn book_used(&mut self, balance: &Balance) {
        let used = balance.credits.get(CREDIT).map_or(0, Use::applied);
        let uses = uses_of(&self.book.lines, CREDIT).expect("lines that follow");
        let explained: Vec<i64> = explain(&uses, used - self.parts.applied)
            .into_iter()
            .map(|(_, units)| units)
            .collect();
        for units in explained {
            let (from, to) = match units > 0 {
                true => (Account::Stripe, Account::Applied),
                false => (Account::Applied, Account::Stripe),
            };
            self.move_units(from, to, units.abs());
        }
    }

    fn call(&mut self, amount: i64, meanwhile: Option<i64>, heard: Heard) {
        if let Some(total) = meanwhile {
            self.invoice(total);
        }
        let ending = (heard != Heard::CutBefore).then(|| self.write(amount));
        match (heard, ending) {
            (Heard::Answered, Some(ending)) => self.conclude(amount, ending),
            _ => self.open = Some(Call { amount, ending }),
        }
    }

    fn write(&mut self, amount: i64) -> i64 {
        self.book.ours(amount, CREDIT);
        self.book.balance
    }

    fn conclude(&mut self, amount: i64, ending: i64) {
        if amount < 0 {
            self.move_units(Account::Customer, Account::Stripe, -amount);
            self.to_put_back = 0;
            return;
        }
        self.move_units(Account::Stripe, Account::Program, amount);
        let back = put_back(amount, ending);
        self.move_units(Account::Program, Account::Customer, back);
        self.move_units(Account::Memo, Account::Shortfall, back);
        self.to_put_back = back;
    }

    fn move_units(&mut self, from: Account, to: Account, units: i64) {
        let amount = Amount::new(units).expect("an amount");
        if !amount.is_zero() {
            self.book(Transfer { from, to, amount });
        }
    }

    fn book(&mut self, transfer: Transfer) {
        let after = self.parts.after(&transfer);
        self.parts = after.unwrap_or_else(|| panic!("{transfer:?} of {:?}", self.parts));
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    let heard = prop_oneof![
        3 => Just(Heard::Answered),
        1 => Just(Heard::CutAfter),
        1 => Just(Heard::CutBefore),
    ];
    prop_oneof![
        2 => (1..700_i64).prop_map(Step::Invoice),
        1 => any::<usize>().prop_map(Step::Void),
        1 => prop_oneof![-400..=-1_i64, 1..=400_i64].prop_map(Step::Merchant),
        2 => prop_oneof![Just(0), Just(AMOUNT), 0..=AMOUNT].prop_map(Step::Lost),
        4 => (prop::option::weighted(0.3, 1..700_i64), heard)
            .prop_map(|(meanwhile, heard)| Step::Work(meanwhile, heard)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn in_the_end_a_credit_is_where_the_lines_and_the_loss_say(
        steps in prop::collection::vec(any_step(), 0..40),
    ) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        let mut rest = 50;
        while world.work(None, Heard::Answered) {
            rest -= 1;
            prop_assert!(rest > 0, "it never comes to rest");
        }
        let found = follow(&world.book.lines).unwrap().credits.get(CREDIT).copied();
        let found = found.unwrap_or_default();
        let reversed = AMOUNT - found.delivered;
        let expected = Parts {
            delivered: found.unused,
            applied: found.applied(),
            reversed,
            shortfall: world.wanted - reversed.min(world.wanted),
            ..Parts::default()
        };
        prop_assert_eq!(world.parts, expected);
        // What is not to come back is not taken, and nothing is left that should be.
        prop_assert!(reversed <= world.wanted, "{} of {}", reversed, world.wanted);
        prop_assert!(expected.shortfall == 0 || found.unused == 0);
    }

    /// A line that takes back never makes a debt that stays.
    #[test]
    fn nobody_owes_for_what_was_taken_back(
        steps in prop::collection::vec(any_step(), 0..40),
    ) {
        let mut world = World::new();
        for step in &steps {
            let (lines, balance) = (world.book.lines.len(), world.book.balance);
            world.step(step);
            let is_settled = world.open.is_none() && world.to_put_back == 0;
            if let (Step::Work(None, Heard::Answered), true) = (step, is_settled) {
                let ours: i64 = world.book.lines[lines..].iter().map(|line| line.amount).sum();
                prop_assert!(ours <= 0 || world.book.balance <= balance.max(0), "{:?}", world.book.lines);
            }
        }
    }
}
