//! What happened in Stripe decides what becomes of credits, and not how anybody heard of it: whatever the order and the
//! number of the deliveries, the same sums.
//!
//! A history is drawn at random: an invoice and what was lost and gained of it, told in one of the families of Stripe's
//! events or in two. What happened keeps its order and its times; the deliveries, the apply among them, the clock of the
//! project and the ends of holds come in any order, some of them again.

use billstack_core::credit::{Parts, Side};
use billstack_core::payments::Told;
use billstack_core::program::Clawback;
use billstack_core::project::ProjectMode;
use billstack_core::stripe_event::{Meaning, parse, refunds_listed, told_by};
use billstack_core::time::{DAY, HOUR, Micros, SECOND};
use billstack_store::credits::{self, CreditFilter, HOLD_KIND};
use billstack_store::intake::{Content, Incoming, PAYMENT_FOUND};
use billstack_store::list::Page;
use billstack_store::{
    Abort, Act, Place, Tx, codes, payments, programs, projects, test_clock, work,
};
use serde_json::{Value, json};

use crate::support::{
    Db, ENGINES, Random, START, apply_code, deliver, fresh_seed, given_seed, incoming,
    make_customer, make_team, origin_at, program, start, times,
};

const TEAM: &str = "team_1";

/// Something that reaches us.
#[derive(Clone, Debug)]
enum Delivery {
    Event(Box<Incoming>),
    /// The referee applies the code.
    Apply,
    /// Somebody moves the clock of the project forward by so many days.
    Clock(i64),
    /// The workers end the holds that are over.
    Work,
}

/// What happened to one payment, as it is told.
struct History {
    random: Random,
    name: String,
    /// Whether a charge names its invoice, or an event of its own does.
    names_invoice: bool,
    now: Micros,
    told: Vec<Delivery>,
    /// The refunds: their amounts, their times, and whether they failed.
    refunds: Vec<(i64, i64, bool)>,
    refunded: i64,
}

impl History {
    fn id(&self, kind: &str) -> String {
        format!("{kind}_{}", self.name)
    }

    /// Something happens, an hour or more after the last.
    fn tell(&mut self, kind: &str, object: &Value, before: Option<Value>) {
        let mut event = json!({
            "id": format!("evt_{}_{}", self.told.len(), self.name), "object": "event", "type": kind,
            "created": self.now.as_secs(), "livemode": false, "data": {"object": object},
        });
        if let Some(before) = before {
            event["data"]["previous_attributes"] = before;
        }
        let event = parse(event.to_string().as_bytes(), self.now).expect("an event");
        let content = match event.meaning {
            Meaning::Money(told) => Content::Money(told),
            Meaning::Start(start) => Content::Start(start),
            other => panic!("{other:?}"),
        };
        self.told.push(Delivery::Event(Box::new(Incoming {
            kind: event.kind,
            created_at: event.created,
            content,
            ..incoming(&event.id, start(None))
        })));
        self.pass();
    }

    fn pass(&mut self) {
        let hours = 1 + self.random.below(9) as i64;
        self.now = self.now.plus(hours * HOUR);
    }

    /// The first invoice of 2000, or one of a later month.
    fn invoice(&mut self, number: u8, paid: i64) {
        let (charge, intent) = (self.of("ch", number), self.of("pi", number));
        let mut invoice = json!({
            "id": self.of("in", number), "object": "invoice", "amount_paid": paid, "amount_due": paid,
            "billing_reason": if number == 1 { "subscription_create" } else { "subscription_cycle" },
            "created": self.now.as_secs(), "currency": "usd", "customer": self.id("cus"), "status": "paid",
        });
        match self.names_invoice {
            true => {
                invoice["subscription"] = json!(self.id("sub_cus"));
                invoice["charge"] = json!(charge);
                invoice["payment_intent"] = json!(intent);
            }
            false => {
                let details = json!({"subscription": self.id("sub_cus")});
                invoice["parent"] = json!({"subscription_details": details});
            }
        }
        self.tell("invoice.paid", &invoice, None);
        if self.random.one_in(2) {
            self.tell("invoice.payment_succeeded", &invoice, None);
        }
        if !self.names_invoice && paid > 0 {
            let payment = json!({
                "id": self.of("inpay", number), "object": "invoice_payment", "amount_paid": paid,
                "invoice": self.of("in", number), "status": "paid",
                "payment": {"type": "payment_intent", "payment_intent": intent},
            });
            self.tell("invoice_payment.paid", &payment, None);
        }
    }

    fn of(&self, kind: &str, number: u8) -> String {
        self.id(&format!("{kind}{number}"))
    }

    fn refund_object(&self, place: usize, status: &str) -> Value {
        let (amount, created, _) = self.refunds[place];
        json!({
            "id": self.id(&format!("re{place}")), "object": "refund", "amount": amount, "created": created,
            "charge": self.of("ch", 1), "payment_intent": self.of("pi", 1), "currency": "usd", "status": status,
        })
    }

    /// Some of the payment is refunded, told by its total, by itself or both.
    fn refund(&mut self, by_total: bool, by_id: bool) {
        let amount = 1 + self.random.below(700) as i64;
        let place = self.refunds.len();
        self.refunds.push((amount, self.now.as_secs(), false));
        let before = self.refunded;
        self.refunded += amount;
        if by_total {
            let charge = json!({
                "id": self.of("ch", 1), "object": "charge", "amount": 2000, "amount_captured": 2000,
                "amount_refunded": self.refunded, "currency": "usd", "customer": self.id("cus"),
                "payment_intent": self.of("pi", 1),
            });
            let before = json!({"amount_refunded": before});
            self.tell("charge.refunded", &charge, Some(before));
        }
        if by_id {
            let pending = self.refund_object(place, "pending");
            self.tell("refund.created", &pending, None);
        }
        match self.random.below(3) {
            0 => {
                self.refunds[place].2 = true;
                self.refunded -= amount;
                let failed = self.refund_object(place, "failed");
                let kind = if by_id {
                    "refund.failed"
                } else {
                    "charge.refund.updated"
                };
                self.tell(kind, &failed, None);
            }
            1 if by_id => {
                let done = self.refund_object(place, "succeeded");
                self.tell("refund.updated", &done, None);
            }
            _ => {}
        }
    }

    /// A dispute, which takes the money and gives some of it back, or not.
    fn dispute(&mut self, number: u8) {
        let amount = [500, 2_000, 5_000][self.random.below(3) as usize];
        let opened = self.now.as_secs();
        let object = |history: &History, status: &str, lines: &[i64]| {
            let lines: Vec<Value> = lines
                .iter()
                .map(|line| json!({"amount": line, "created": opened}))
                .collect();
            json!({
                "id": history.of("dp", number), "object": "dispute", "amount": amount, "created": opened,
                "balance_transactions": lines, "charge": history.of("ch", 1), "currency": "usd",
                "payment_intent": history.of("pi", 1), "status": status,
            })
        };
        if self.random.one_in(3) {
            let open = object(self, "warning_needs_response", &[]);
            self.tell("charge.dispute.created", &open, None);
            let closed = object(self, "warning_closed", &[]);
            self.tell("charge.dispute.closed", &closed, None);
            return;
        }
        let open = object(self, "needs_response", &[]);
        self.tell("charge.dispute.created", &open, None);
        let taken = object(self, "needs_response", &[-amount]);
        self.tell("charge.dispute.funds_withdrawn", &taken, None);
        let (status, back) = match self.random.below(3) {
            0 => ("won", amount),
            1 => ("lost", amount / 4),
            _ => ("lost", 0),
        };
        let mut lines = vec![-amount];
        if back > 0 {
            lines.push(back);
            let returned = object(self, "under_review", &lines);
            self.tell("charge.dispute.funds_reinstated", &returned, None);
        }
        let closed = object(self, status, &lines);
        self.tell("charge.dispute.closed", &closed, None);
    }

    /// A credit note to the balance, perhaps taken back.
    fn note(&mut self) {
        let amount = 1 + self.random.below(400) as i64;
        let created = self.now.as_secs();
        let object = |history: &History, status: &str| {
            json!({
                "id": history.id("cn"), "object": "credit_note", "amount": amount, "created": created,
                "currency": "usd", "customer": history.id("cus"), "customer_balance_transaction": "cbtxn_1",
                "invoice": history.of("in", 1), "status": status, "type": "post_payment",
                "post_payment_amount": amount,
            })
        };
        let issued = object(self, "issued");
        self.tell("credit_note.created", &issued, None);
        if self.random.one_in(2) {
            let void = object(self, "void");
            self.tell("credit_note.voided", &void, None);
        }
    }

    /// Somebody with a key asks for every refund of the charge, at the end.
    fn ask(&mut self) {
        let mut told = Told::default();
        for (place, (_, _, is_undone)) in self.refunds.iter().enumerate() {
            let status = if *is_undone { "failed" } else { "succeeded" };
            let object = self.refund_object(place, status).to_string();
            told.add(told_by(object.as_bytes(), self.now).expect("a refund"));
        }
        told.facts.push(refunds_listed(&self.of("ch", 1), self.now));
        let id = format!("asked_{}", self.of("ch", 1));
        self.told.push(Delivery::Event(Box::new(Incoming {
            kind: PAYMENT_FOUND.to_owned(),
            created_at: self.now,
            content: Content::Money(Box::new(told)),
            ..incoming(&id, start(None))
        })));
    }

    /// The subscription ends, long before any hold does.
    fn end(&mut self) {
        let ended = json!({
            "id": self.id("sub_cus"), "object": "subscription", "created": START.as_secs(),
            "customer": self.id("cus"), "ended_at": self.now.as_secs(), "status": "canceled",
        });
        self.tell("customer.subscription.deleted", &ended, None);
    }
}

/// The history of a seed, about things of a name: what is delivered, in the order in which it happened.
fn history(seed: u64, name: &str) -> Vec<Delivery> {
    let mut random = Random::new(seed);
    let names_invoice = random.one_in(2);
    let mut history = History {
        random,
        name: name.to_owned(),
        names_invoice,
        now: START.plus(HOUR),
        told: Vec::new(),
        refunds: Vec::new(),
        refunded: 0,
    };
    let begun = incoming(&history.id("evt_start"), start(Some(&history.id("cus"))));
    let apply = [Delivery::Apply, Delivery::Event(Box::new(begun))];
    history.told.extend(apply);
    let is_free = history.random.one_in(6);
    history.invoice(1, if is_free { 0 } else { 2_000 });
    let (by_total, by_id) =
        [(true, false), (false, true), (true, true)][history.random.below(3) as usize];
    for number in 0..1 + history.random.below(4) {
        match history.random.below(6) {
            0 => history.dispute(number as u8),
            1 if number == 0 => history.note(),
            _ => history.refund(by_total, by_id),
        }
    }
    if history.random.one_in(3) {
        history.end();
    }
    if history.random.one_in(2) && !is_free {
        history.invoice(2, 900);
    }
    if history.random.one_in(2) {
        history.ask();
    }
    let mut told = history.told;
    told.extend([
        Delivery::Clock(9),
        Delivery::Work,
        Delivery::Clock(9),
        Delivery::Work,
    ]);
    told
}

/// The same in another order, some of it more than once: twice the same event, or another event about the same.
fn shuffled(mut told: Vec<Delivery>, random: &mut Random) -> Vec<Delivery> {
    let again: Vec<Delivery> = told
        .iter()
        .filter_map(|delivery| match delivery {
            Delivery::Event(event) if random.one_in(3) => {
                let mut event = event.clone();
                if random.one_in(2) && matches!(event.content, Content::Money(_)) {
                    event.id.push_str("_again");
                }
                Some(Delivery::Event(event))
            }
            _ => None,
        })
        .collect();
    told.extend(again);
    for place in (1..told.len()).rev() {
        told.swap(place, random.below(place as u64 + 1) as usize);
    }
    told
}

/// Where the credits of a program end: the parts of each side, with everything released.
struct World<'d> {
    db: &'d Db,
    place: Place,
    at: Micros,
    number: u64,
}

impl World<'_> {
    fn new(db: &Db, number: u64, terms: (Clawback, i64)) -> World<'_> {
        let made = move |tx: &mut dyn Tx, act: &mut Act| {
            let made = projects::create_in_mode(tx, act, &TEAM.into(), "tests", ProjectMode::Test)?;
            let place = Place::new(TEAM, made.id);
            let mut program = program();
            (program.terms.clawback, program.terms.hold_days) = terms;
            programs::put(tx, act, &place, &program)?;
            Ok(place)
        };
        let origin = origin_at(START, number * 1_000);
        let place = db.store.write_blocking(origin, made).unwrap();
        World {
            db,
            place,
            at: START,
            number: number * 1_000,
        }
    }

    fn run<T: Send + 'static>(
        &mut self,
        op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
    ) -> T {
        self.number += 1;
        self.at = self.at.plus(SECOND);
        let origin = origin_at(self.at, self.number);
        self.db.store.write_blocking(origin, op).unwrap()
    }

    fn deliver(&mut self, name: &str, delivery: Delivery) {
        let (place, name) = (self.place.clone(), name.to_owned());
        match delivery {
            Delivery::Event(event) => {
                self.run(move |tx, act| deliver(tx, act, TEAM, &event));
            }
            Delivery::Apply => self.run(move |tx, act| {
                test_clock::enter(tx, act, &place)?;
                let owner = make_customer(tx, act, &place, &format!("r{name}"), None)?.id;
                let code = codes::create(tx, act, &place, &owner)?.code;
                let stripe = format!("cus_{name}");
                let referee = make_customer(tx, act, &place, &format!("e{name}"), Some(&stripe))?;
                apply_code(tx, act, &place, &code, &referee.id).map(drop)
            }),
            Delivery::Clock(days) => self.run(move |tx, act| {
                test_clock::enter(tx, act, &place)?;
                let to = act.at.plus(days * DAY);
                test_clock::advance(tx, act, &place, to).map(drop)
            }),
            Delivery::Work => self.run(move |tx, act| {
                for key in work::due(tx, HOLD_KIND, act.real(), 100)? {
                    payments::end_hold(tx, act, &place, &key.subject)?;
                }
                Ok(())
            }),
        }
    }

    /// The sums of each side at the end of all time.
    fn sums(&mut self, name: &str) -> Vec<(Option<Side>, Parts)> {
        self.deliver(name, Delivery::Clock(300));
        self.deliver(name, Delivery::Work);
        let page = Page {
            limit: 100,
            offset: 0,
            after: None,
        };
        let place = self.place.clone();
        let list =
            move |tx: &mut dyn Tx| Ok(credits::list(tx, &place, &CreditFilter::default(), &page)?);
        let list = self.db.store.scan_blocking(list).unwrap();
        let mut sums: Vec<_> = list
            .rows
            .into_iter()
            .map(|credit| (credit.side, credit.parts))
            .collect();
        sums.sort_by_key(|(side, _)| *side != Some(Side::Referrer));
        sums
    }
}

/// Acceptance 42, but for what goes to Stripe.
#[test]
fn whatever_the_order_of_the_deliveries_the_sums_are_the_same() {
    let seed = given_seed().unwrap_or_else(fresh_seed);
    println!("BILLSTACK_SEED={seed}");
    for engine in ENGINES {
        let db = Db::new(engine);
        db.store
            .write_blocking(origin_at(START, 1), |tx, _| Ok(make_team(tx, TEAM)?))
            .unwrap();
        let (mut number, mut moved) = (1, 0);
        for case in 0..times(24, 600) as u64 {
            let mut random = Random::new(seed.wrapping_add(case));
            let terms = match random.below(3) {
                0 => (Clawback::WithinHold, 30),
                1 => (Clawback::Always, 0),
                _ => (Clawback::Always, 30),
            };
            let mut expected = None;
            for turn in 0..4 {
                let name = format!("{case}x{turn}");
                let mut told = history(seed.wrapping_add(case), &name);
                if turn > 0 {
                    told = shuffled(told, &mut random);
                }
                let order = format!("{told:#?}");
                let mut world = World::new(&db, number, terms);
                number += 1;
                for delivery in told {
                    world.deliver(&name, delivery);
                }
                let sums = world.sums(&name);
                assert_eq!(sums.len(), 2, "{engine:?} case {case}");
                let first = expected.get_or_insert_with(|| sums.clone());
                assert_eq!(&sums, first, "{engine:?} case {case} {terms:?}: {order}");
                moved += usize::from(sums[0].1.reversed > 0);
            }
        }
        assert!(moved > 0, "nothing was ever lost");
        db.assert_sound();
    }
}
