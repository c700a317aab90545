//! What a run of reconcile makes of what it found at the balance of a customer, whoever carries it on.

use billstack_core::delivery::State;
use billstack_core::reconcile::lines::Cure;
use billstack_core::reconcile::{Drift, Remedy};
use billstack_store::reconcile::balances::{self, Found, Looked, StripeOperation};
use billstack_store::reconcile::{self, Run, Turn, Wish};
use billstack_store::stripe_lane::Written;
use billstack_store::{Act, Tx};

use super::{Lane, START, World, on_both_engines};

impl World {
    /// A run that repairs, taken up, at the customer.
    fn repairing(&mut self) -> Run {
        let team_id = self.place.team_id.clone();
        let wish = Wish {
            project_id: None,
            remedy: Remedy::Repair,
            is_whole: false,
            since: None,
        };
        let taken = self.run(move |tx: &mut dyn Tx, act: &mut Act| {
            let run = reconcile::ask(tx, act, &team_id, &wish)?;
            reconcile::take_up(tx, act, &team_id, &run.id)
        });
        let Turn::Ours(run) = taken.unwrap() else {
            unreachable!("nothing else is under way");
        };
        *run
    }

    fn operations(&self) -> Vec<StripeOperation> {
        let team_id = self.place.team_id.clone();
        let read = move |tx: &mut dyn Tx| Ok(balances::on_balance(tx, &team_id, "cus_ann")?);
        self.db.store.scan_blocking(read).unwrap()
    }

    /// Whom a run looks at because something has changed there.
    fn customers_of(&self, run: &Run) -> Vec<String> {
        let (team_id, mut run) = (self.place.team_id.clone(), run.clone());
        run.walk = run.walk.next(false);
        let read = move |tx: &mut dyn Tx| Ok(balances::next(tx, &team_id, &run, 10)?);
        self.db.store.scan_blocking(read).unwrap()
    }

    /// Concludes a look at the customer; tells whether nobody else has carried the run on.
    fn concluded(&mut self, run: &Run, found: Vec<Found>) -> bool {
        let (team_id, run) = (self.place.team_id.clone(), run.clone());
        let looked = Looked {
            compared: self.operations(),
            found,
            walk: run.walk.clone().past("cus_ann"),
            left: 0,
        };
        self.run(move |tx, act| balances::conclude(tx, act, &team_id, &run, &looked))
            .unwrap()
    }

    fn found_by(&self, run: &Run) -> (i64, i64) {
        let (team_id, id) = (self.place.team_id.clone(), run.id.clone());
        let read = move |tx: &mut dyn Tx| reconcile::get(tx, &team_id, &id);
        let run = self.db.store.scan_blocking(read).unwrap();
        (run.found, run.repaired)
    }

    fn delivered(&mut self) -> Lane {
        let ann = self.customer("ann", Some("cus_ann"));
        self.give(&ann, 100);
        let lane = self.lanes().remove(0);
        let job = self.deliver(&lane, "cbtxn_1").unwrap();
        assert!(self.next(&job.lane).is_none());
        job.lane
    }
}

fn found(operation: &StripeOperation, kind: Drift, cure: Cure, line: Option<&str>) -> Found {
    Found {
        kind,
        subject: line.unwrap_or(&operation.id).to_owned(),
        detail: "as it was found".to_owned(),
        appearance: "x".to_owned(),
        operation: Some(operation.clone()),
        line: line.map(|id| Written {
            id: id.to_owned(),
            created: START,
            ending_balance: -200,
        }),
        cure,
        is_explained: false,
    }
}

#[test]
fn two_who_carry_a_run_on_repair_once() {
    on_both_engines(|t| {
        t.delivered();
        let run = t.repairing();
        let one = t.operations().remove(0);
        let missing = || vec![found(&one, Drift::Missing, Cure::CallAnew, None)];
        assert!(t.concluded(&run, missing()));
        assert!(!t.concluded(&run, missing()), "the other was faster");
        assert_eq!(t.found_by(&run), (1, 1));
        let now = t.operations().remove(0);
        assert_eq!(
            (now.progress.generation, now.progress.state),
            (2, State::Queued)
        );
        assert_eq!(now.lost_transaction_id.as_deref(), Some("cbtxn_1"));
        t.db.assert_sound();
        // What was seen before is not true any more.
        let later = Run {
            walk: run.walk.clone().past("cus_ann"),
            ..run.clone()
        };
        assert!(t.concluded(&later, missing()));
        assert_eq!(t.found_by(&run), (1, 1));
        let lane = t.lanes().remove(0);
        let job = t.deliver(&lane, "cbtxn_2").unwrap();
        assert!(t.next(&job.lane).is_none());
        let now = t.operations().remove(0);
        assert_eq!(now.transaction_id.as_deref(), Some("cbtxn_2"));
        assert_eq!(t.credit(&now.credit_id).parts.delivered, 100);
    });
}

#[test]
fn a_second_line_is_taken_back_by_one_operation() {
    on_both_engines(|t| {
        t.delivered();
        let run = t.repairing();
        let one = t.operations().remove(0);
        let doubled = || vec![found(&one, Drift::Doubled, Cure::TakeBack, Some("cbtxn_x"))];
        assert!(t.concluded(&run, doubled()));
        assert!(!t.concluded(&run, doubled()));
        let all = t.operations();
        assert_eq!(all.len(), 2);
        assert_eq!(all[1].takes_back.as_deref(), Some("cbtxn_x"));
        let lane = t.lanes().remove(0);
        let job = t.deliver(&lane, "cbtxn_2").unwrap();
        assert!(t.next(&job.lane).is_none());
        assert_eq!(t.credit(&one.credit_id).parts.delivered, 100);
    });
}

#[test]
fn what_was_looked_at_is_left_until_it_changes() {
    on_both_engines(|t| {
        t.delivered();
        let mut run = t.repairing();
        assert_eq!(t.customers_of(&run), ["cus_ann"]);
        // What is only told of is told again by the next run.
        run.remedy = Remedy::Tell;
        let one = t.operations().remove(0);
        let edited = || vec![found(&one, Drift::Edited, Cure::TakeNote, Some("cbtxn_1"))];
        assert!(t.concluded(&run, edited()));
        assert_eq!(t.customers_of(&run), ["cus_ann"]);
        run.remedy = Remedy::Repair;
        run.walk = run.walk.past("cus_ann");
        assert!(t.concluded(&run, edited()));
        let noted = Run {
            walk: billstack_core::reconcile::walk::Walk::begin(),
            ..run.clone()
        };
        assert_eq!(t.customers_of(&noted), [""; 0]);
        assert_eq!(t.found_by(&run), (2, 0));
        assert!(t.concluded(&run, edited()));
        assert_eq!(t.found_by(&run), (2, 0), "it was taken note of");
    });
}
