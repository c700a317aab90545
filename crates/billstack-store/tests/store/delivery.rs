//! Credits on their way into balances in Stripe: one call at a time, and none that nobody asked for.

pub(crate) mod balance;
mod compared;
mod turns;

use billstack_core::delivery::answer::Answer;
use billstack_core::delivery::operation::Step;
use billstack_core::delivery::{DeliveryState, Reason, State};
use billstack_core::ids::TeamId;
use billstack_core::money::{Amount, Currency};
use billstack_core::program::CreditDelivery;
use billstack_core::time::{HOUR, MINUTE, Micros, SECOND};
use billstack_store::credit_moves::{self, Asked, Gift};
use billstack_store::credits::delivery::{KIND, operations_of, take_back_line};
use billstack_store::credits::{self, Credit};
use billstack_store::customers::{self, CustomerPatch};
use billstack_store::stripe_connection::{self, NewConnection};
use billstack_store::stripe_lane::{
    self as lane, Job, Lane, NotFound, Outcome, Told, Turn, Written,
};
use billstack_store::work::{self, Leased};
use billstack_store::{Abort, Act, Place, Refusal, Tx, programs};

use crate::damage::found_after;
use crate::support::{
    Db, ENGINES, START, make_customer, make_project, make_team, origin_at, program,
};

const TEAM: &str = "team_1";
const LEASE: i64 = 15 * SECOND;

/// A database, and the time there.
struct World {
    db: Db,
    place: Place,
    now: Micros,
    runs: u64,
}

impl World {
    /// A team whose credits go into balances.
    fn new(db: Db) -> World {
        let place = db.store.write_blocking(origin_at(START, 1), |tx, act| {
            make_team(tx, TEAM)?;
            let place = make_project(tx, act, TEAM)?;
            connect(tx, act, &place)?;
            let mut program = program();
            program.terms.credit_delivery = CreditDelivery::StripeBalance;
            programs::put(tx, act, &place, &program)?;
            Ok(place)
        });
        World {
            db,
            place: place.unwrap(),
            now: START,
            runs: 1,
        }
    }

    fn run<T: Send + 'static>(
        &mut self,
        op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Abort> {
        self.now = self.now.plus(1_000);
        self.runs += 1;
        self.db
            .store
            .write_blocking(origin_at(self.now, self.runs), op)
    }

    fn customer(&mut self, name: &'static str, stripe: Option<&'static str>) -> String {
        let place = self.place.clone();
        let made = self.run(move |tx, act| make_customer(tx, act, &place, name, stripe));
        made.unwrap().id
    }

    fn give(&mut self, customer: &str, units: i64) -> Credit {
        let place = self.place.clone();
        let gift = Gift {
            customer_id: customer.to_owned(),
            amount: Amount::new(units).unwrap(),
            currency: Currency::USD,
            reason: "contest".to_owned(),
        };
        self.run(move |tx, act| credit_moves::give_by_hand(tx, act, &place, &gift))
            .unwrap()
    }

    fn reverse(&mut self, credit: &Credit, units: i64) -> Result<Credit, Abort> {
        let place = self.place.clone();
        let asked = Asked {
            credit_id: credit.id.clone(),
            amount: Amount::new(units),
            reason: "because".to_owned(),
            reference: None,
        };
        self.run(move |tx, act| credit_moves::reverse(tx, act, &place, &asked))
    }

    fn credit(&self, id: &str) -> Credit {
        let (place, id) = (self.place.clone(), id.to_owned());
        let read = move |tx: &mut dyn Tx| credits::require(tx, &place, &id);
        self.db.store.scan_blocking(read).unwrap()
    }

    /// Leases every lane that is due.
    fn lanes(&mut self) -> Vec<Lane> {
        let claimed = self.run(|tx, act| {
            let until = act.at.plus(LEASE);
            Ok(work::claim(tx, act, KIND, 100, until)?)
        });
        let lane = |leased: &Leased| Lane::of(leased, LEASE).unwrap();
        claimed.unwrap().iter().map(lane).collect()
    }

    fn next(&mut self, lane: &Lane) -> Option<Job> {
        let lane = lane.clone();
        let turn = self.run(move |tx, act| Ok(lane::next(tx, act, &lane)?));
        match turn.unwrap()? {
            Turn::Step(job) => Some(*job),
            Turn::Read(reading) => panic!("to be read: {reading:?}"),
        }
    }

    fn begin(&mut self, job: &Job) -> Option<Job> {
        let job = job.clone();
        self.run(move |tx, act| Ok(lane::begin(tx, act, &job)?))
            .unwrap()
    }

    fn conclude(&mut self, job: &Job, outcome: Outcome) -> Option<Job> {
        let job = job.clone();
        let told = Told {
            outcome,
            refusal: None,
            lacks: None,
            chance: 0,
            unknown_wait: HOUR,
        };
        self.run(move |tx, act| Ok(lane::conclude(tx, act, &job, &told)?.0))
            .unwrap()
    }

    /// Delivers the next of a lane that is due.
    fn deliver(&mut self, lane: &Lane, id: &str) -> Option<Job> {
        let job = self.next(lane)?;
        let job = self.begin(&job).unwrap();
        let created = self.now;
        self.conclude(&job, Outcome::Written(line(id, created)))
    }
}

fn line(id: &str, created: Micros) -> Written {
    Written {
        id: id.to_owned(),
        created,
        ending_balance: 0,
    }
}

pub(crate) fn connect(tx: &mut dyn Tx, act: &mut Act, place: &Place) -> Result<(), Abort> {
    let sealed = format!("v1.{}", "0".repeat(80));
    let new = NewConnection {
        secret_key: Some(sealed.clone()),
        publishable_key: None,
        webhook_secret: Some(sealed),
        livemode: Some(false),
        account_id: None,
        account_name: None,
        endpoint_id: None,
        probe: None,
    };
    stripe_connection::connect(tx, act, &place.team_id, &new).map(drop)
}

fn on_both_engines(test: fn(&mut World)) {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        test(&mut world);
        world.db.assert_sound();
    }
}

#[test]
fn a_lane_is_of_one_at_a_time() {
    on_both_engines(|t| {
        let ann = t.customer("ann", Some("cus_ann"));
        let (first, second) = (t.give(&ann, 100), t.give(&ann, 200));
        let lanes = t.lanes();
        assert_eq!(lanes.len(), 1);
        assert!(t.lanes().is_empty(), "it is leased");
        let job = t.next(&lanes[0]).unwrap();
        let job = t.begin(&job).unwrap();
        assert_eq!(t.credit(&first.id).delivery, DeliveryState::InFlight);
        // Its node dies, and another takes over: nobody knows what came of the call.
        t.now = t.now.plus(LEASE + 1);
        let taken = t.lanes().remove(0);
        let again = t.next(&taken).unwrap();
        assert_eq!(again.operation.id, job.operation.id);
        assert_eq!(again.operation.progress.state, State::Unknown);
        assert_eq!(again.operation.progress.step, Step::Call);
        // The dead one comes back, and neither calls nor books anything.
        assert!(t.begin(&job).is_none());
        let written = |id: &str| Outcome::Written(line(id, START));
        assert!(t.conclude(&job, written("cbtxn_1")).is_none());
        assert_eq!(t.credit(&first.id).parts.delivered, 0);
        let again = t.begin(&again).unwrap();
        let job = t.conclude(&again, written("cbtxn_1")).unwrap();
        assert_eq!(t.credit(&first.id).parts.delivered, 100);
        assert!(t.deliver(&job.lane, "cbtxn_2").is_some());
        assert_eq!(t.credit(&second.id).delivery, DeliveryState::Delivered);
    });
}

#[test]
fn what_is_written_meanwhile_is_not_missed() {
    on_both_engines(|t| {
        let ann = t.customer("ann", Some("cus_ann"));
        t.give(&ann, 100);
        let lane = t.lanes().remove(0);
        let job = t.deliver(&lane, "cbtxn_1").unwrap();
        let late = t.give(&ann, 200);
        let job = t.deliver(&job.lane, "cbtxn_2").unwrap();
        assert_eq!(t.credit(&late.id).delivery, DeliveryState::Delivered);
        assert!(t.next(&job.lane).is_none());
        t.give(&ann, 300);
        let lane = t.lanes().remove(0);
        assert!(t.deliver(&lane, "cbtxn_3").is_some());
    });
}

#[test]
fn a_move_and_a_call_do_not_pass_each_other() {
    on_both_engines(|t| {
        let ann = t.customer("ann", Some("cus_ann"));
        let credit = t.give(&ann, 1000);
        let lane = t.lanes().remove(0);
        let job = t.next(&lane).unwrap();
        // The move comes first: what was to be called is no longer what is left.
        t.reverse(&credit, 400).unwrap();
        assert!(t.begin(&job).is_none());
        let lane = t.lanes().remove(0);
        let job = t.next(&lane).unwrap();
        assert_eq!(job.operation.amount.get(), 600);
        let job = t.begin(&job).unwrap();
        // The call comes first: the move waits.
        let refused = Abort::from(Refusal::DeliveryUnderWay);
        assert_eq!(t.reverse(&credit, 100), Err(refused.clone()));
        let job = t
            .conclude(&job, Outcome::Answered(Answer::Nothing))
            .unwrap();
        assert_eq!(t.credit(&credit.id).delivery, DeliveryState::Unknown);
        assert_eq!(t.reverse(&credit, 100), Err(refused));
        let job = t.deliver(&job.lane, "cbtxn_1").unwrap();
        assert!(t.next(&job.lane).is_none());
        assert_eq!(t.credit(&credit.id).parts.delivered, 600);
    });
}

#[test]
fn a_line_that_is_found_is_taken_for_ours() {
    on_both_engines(|t| {
        let ann = t.customer("ann", Some("cus_ann"));
        let credit = t.give(&ann, 1000);
        let lane = t.lanes().remove(0);
        let job = t.next(&lane).unwrap();
        let job = t.begin(&job).unwrap();
        let failed = Outcome::Answered(Answer::Failed { is_final: true });
        let job = t.conclude(&job, failed).unwrap();
        assert!(t.next(&job.lane).is_none(), "not before it must be listed");
        assert!(t.lanes().is_empty());
        t.now = t.now.plus(MINUTE);
        let lane = t.lanes().remove(0);
        let job = t.next(&lane).unwrap();
        assert_eq!(job.operation.progress.step, Step::Look);
        let job = t.conclude(&job, Outcome::Looked(NotFound::Absent)).unwrap();
        assert!(t.next(&job.lane).is_none());
        t.now = t.now.plus(HOUR);
        let lane = t.lanes().remove(0);
        let job = t.next(&lane).unwrap();
        t.conclude(&job, Outcome::Found(line("cbtxn_1", START)))
            .unwrap();
        assert_eq!(t.credit(&credit.id).parts.delivered, 1000);
    });
}

#[test]
fn a_link_moves_what_has_not_been_begun() {
    on_both_engines(|t| {
        let ann = t.customer("ann", None);
        let credit = t.give(&ann, 1000);
        assert_eq!(credit.delivery_reason, Some(Reason::NoStripeCustomer));
        for link in [Some("cus_1"), Some("cus_2"), None, Some("cus_3")] {
            let (place, ann) = (t.place.clone(), ann.clone());
            let patch = CustomerPatch {
                stripe_customer_id: Some(link.map(str::to_owned)),
                ..CustomerPatch::default()
            };
            t.run(move |tx, act| customers::update(tx, act, &place, &ann, &patch))
                .unwrap();
            let (place, id) = (t.place.clone(), credit.id.clone());
            let read = move |tx: &mut dyn Tx| Ok(operations_of(tx, &place, &id)?);
            let operations = t.db.store.scan_blocking(read).unwrap();
            let customers: Vec<_> = operations
                .iter()
                .map(|one| one.stripe_customer_id.as_str())
                .collect();
            assert_eq!(customers, Vec::from_iter(link));
            t.db.assert_sound();
        }
        // Nothing is left to do for those they were linked to before.
        for lane in t.lanes() {
            let job = t.next(&lane);
            assert_eq!(job.is_some(), lane.stripe_customer_id == "cus_3");
        }
    });
}

#[test]
fn the_second_line_of_an_operation_is_taken_back_once() {
    on_both_engines(|t| {
        let ann = t.customer("ann", Some("cus_ann"));
        let credit = t.give(&ann, 1000);
        let lane = t.lanes().remove(0);
        let job = t.deliver(&lane, "cbtxn_1").unwrap();
        let doubled = job.operation.id.clone();
        assert!(t.next(&job.lane).is_none());
        for expected in [true, false] {
            let (team, doubled) = (t.place.team_id.clone(), doubled.clone());
            let made =
                t.run(move |tx, act| Ok(take_back_line(tx, act, &team, &doubled, "cbtxn_2")?));
            assert_eq!(made, Ok(expected));
        }
        assert_eq!(t.credit(&credit.id).delivery, DeliveryState::Queued);
        let lane = t.lanes().remove(0);
        let job = t.next(&lane).unwrap();
        assert!(job.operation.body.starts_with("amount=1000&currency=usd&"));
        let job = t.begin(&job).unwrap();
        let job = t
            .conclude(&job, Outcome::Written(line("cbtxn_3", START)))
            .unwrap();
        assert!(t.next(&job.lane).is_none());
        // The books never knew of the second line.
        let credit = t.credit(&credit.id);
        assert_eq!((credit.parts.delivered, credit.parts.reversed), (1000, 0));
        assert_eq!(credit.delivery, DeliveryState::Delivered);
    });
}

/// Damage, and the rules that must notice it.
pub(crate) const DAMAGES: &[(&str, &[&str])] = &[
    (
        "UPDATE stripe_operations SET state = 'queued', due = 1 WHERE state = 'delivered'",
        &["operation_line", "operation_entry", "credit_delivery"],
    ),
    (
        "UPDATE stripe_operations SET transaction_id = NULL WHERE state = 'delivered'",
        &["operation_line"],
    ),
    (
        "UPDATE stripe_operations SET amount = amount + 1 WHERE state = 'delivered'",
        &["operation_entry"],
    ),
    (
        "UPDATE stripe_operations SET amount = amount + 1 WHERE state = 'queued'",
        &["credit_delivery"],
    ),
    (
        "UPDATE stripe_operations SET kind = 'reverse' WHERE state = 'delivered'",
        &["operation_entry"],
    ),
    (
        "UPDATE stripe_operations SET credit_id = (SELECT MIN(id) FROM credits), kind = 'grant'",
        &["one_grant", "credit_delivery"],
    ),
    (
        "UPDATE stripe_operations SET slot = slot + 1 WHERE state = 'queued'",
        &["operation_slot"],
    ),
    (
        "UPDATE stripe_operations SET looked_version = version + 1 WHERE state = 'queued'",
        &["operation_compared"],
    ),
    (
        "UPDATE stripe_operations SET lost_transaction_id = 'cbtxn_0' WHERE state = 'delivered'",
        &["operation_compared"],
    ),
    (
        "UPDATE stripe_operations SET lost_transaction_id = 'cbtxn_0', generation = 2 WHERE state = 'queued'",
        &["operation_entry", "credit_delivery"],
    ),
    (
        "UPDATE stripe_operations SET takes_back = 'cbtxn_0' WHERE state = 'queued'",
        &["operation_repair"],
    ),
    (
        "UPDATE stripe_operations SET kind = 'repair' WHERE state = 'queued'",
        &["operation_repair", "credit_delivery"],
    ),
    (
        "UPDATE stripe_operations SET due = NULL WHERE state = 'queued'",
        &["operation_due"],
    ),
    (
        "UPDATE stripe_operations SET reason = 'currency_unset' WHERE state = 'queued'",
        &["operation_due"],
    ),
    (
        "UPDATE stripe_operations SET state = 'sent', step = 'wait' WHERE state = 'queued'",
        &["operation_values"],
    ),
    (
        "DELETE FROM work WHERE kind = 'stripe_delivery'",
        &["operation_lane"],
    ),
    (
        "UPDATE work SET subject = 'cus_x' WHERE kind = 'stripe_delivery'",
        &["operation_lane"],
    ),
    (
        "DELETE FROM stripe_operations WHERE state = 'delivered'",
        &["entry_operation"],
    ),
    (
        "DELETE FROM stripe_operations WHERE state = 'queued'",
        &["credit_delivery"],
    ),
    (
        "UPDATE entries SET operation_id = NULL WHERE operation_id IS NOT NULL",
        &["operation_entry"],
    ),
    (
        "UPDATE credits SET by_stripe = FALSE WHERE by_stripe",
        &["credit_delivery"],
    ),
    (
        "UPDATE credits SET delivery = 'sent' WHERE delivery = 'queued'",
        &["credit_values"],
    ),
    (
        "DELETE FROM events WHERE type = 'credit.delivered'",
        &["manual_entry_events"],
    ),
];

#[test]
fn damage_to_deliveries_is_noticed() {
    on_both_engines(|t| {
        let ann = t.customer("ann", Some("cus_ann"));
        t.give(&ann, 100);
        let lane = t.lanes().remove(0);
        let job = t.deliver(&lane, "cbtxn_1").unwrap();
        assert!(t.next(&job.lane).is_none());
        t.give(&ann, 200);
        let mut faults = Vec::new();
        for (sql, wanted) in DAMAGES {
            let found = found_after(&t.db, sql);
            if !wanted.iter().all(|rule| found.contains(*rule)) {
                faults.push(format!("{sql}: {wanted:?} not all among {found:?}"));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    });
}
