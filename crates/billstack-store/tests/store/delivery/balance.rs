//! What lines of balances use of credits, and the rules about it.

use billstack_core::balance::Line;
use billstack_core::time::Micros;
use billstack_store::Abort;
use billstack_store::intake::{self, Content, Delivery, Incoming, Source};
use billstack_store::stripe_lane::Outcome;
use billstack_store::stripe_lane::balance::{self, BalanceLine, Kept, Reading};
use billstack_store::stripe_lane::{Decided, Job, Lane, Payer, Turn, begin_reversal, next};

use super::{World, line, on_both_engines};
use crate::damage::found_after;
use crate::support::START;

/// A line that makes a balance of `ending` of what it was before.
fn listed(id: &str, amount: i64, ending: i64, credit: Option<&str>) -> BalanceLine {
    let is_ours = credit.is_some();
    BalanceLine {
        currency: "usd".to_owned(),
        line: Line {
            id: id.to_owned(),
            amount,
            ending_balance: ending,
            kind: "adjustment".to_owned(),
            invoice: (amount > 0 && !is_ours).then(|| format!("in_{id}")),
            credit: credit.map(str::to_owned),
            created: Micros::from_secs(1_774_872_000),
        },
    }
}

/// The event of a customer whose balance has changed.
pub(crate) fn changed(id: &str, stripe: &str) -> Incoming {
    Incoming {
        id: id.to_owned(),
        kind: "customer.updated".to_owned(),
        created_at: START,
        livemode: Some(false),
        source: Source::Event,
        content: Content::Ignored("nothing is made of it"),
        payload: format!(
            r#"{{"data":{{"object":{{"id":"{stripe}"}},"previous_attributes":{{"balance":0}}}}}}"#
        ),
        signed_with: None,
        link_answer: None,
    }
}

impl World {
    /// Stripe tells that the balance of a customer has changed.
    pub(super) fn changed(&mut self, event: &str, stripe: &str) {
        let team = self.place.team_id.clone();
        let event = changed(event, stripe);
        let taken = self.run(move |tx, act| {
            intake::receive(tx, act, &team, &event, Delivery::Delivered).map(drop)
        });
        assert_eq!(taken, Ok(()));
    }

    fn turn(&mut self, lane: &Lane) -> Option<Turn> {
        let lane = lane.clone();
        self.run(move |tx, act| Ok(next(tx, act, &lane)?)).unwrap()
    }

    /// The balance that is to be read next.
    pub(super) fn reading(&mut self) -> Reading {
        let lane = self.lanes().remove(0);
        match self.turn(&lane) {
            Some(Turn::Read(reading)) => *reading,
            turn => panic!("{turn:?}"),
        }
    }

    pub(super) fn keep(&mut self, reading: &Reading, listed: &[BalanceLine]) -> Kept {
        let (reading, listed) = (reading.clone(), listed.to_vec());
        self.run(move |tx, act| Ok(balance::keep(tx, act, &reading, &listed)?))
            .unwrap()
    }

    /// Leaves a lane on which nothing is due.
    fn leave(&mut self, kept: Kept) {
        let Kept::Followed(lane) = kept else {
            panic!("{kept:?}");
        };
        assert!(self.turn(&lane).is_none());
    }
}

#[test]
fn what_lines_used_is_booked_once_whatever_is_read() {
    on_both_engines(|t| {
        let ann = t.customer("ann", Some("cus_ann"));
        let credit = t.give(&ann, 1000);
        let lane = t.lanes().remove(0);
        let job = t.deliver(&lane, "cbtxn_2").unwrap();
        assert!(t.next(&job.lane).is_none());
        let mut lines = vec![
            listed("cbtxn_3", 800, -500, None),
            // Its metadata were edited: we know it by its id.
            listed("cbtxn_2", -1000, -1300, None),
            listed("cbtxn_1", -300, -300, None),
        ];
        t.changed("evt_1", "cus_ann");
        let reading = t.reading();
        assert_eq!(reading.known, None);
        // It changed once more while it was read.
        t.changed("evt_2", "cus_ann");
        let kept = t.keep(&reading, &lines);
        let parts = t.credit(&credit.id).parts;
        assert_eq!((parts.delivered, parts.applied), (500, 500));
        let Kept::Followed(lane) = kept else {
            panic!("{kept:?}");
        };
        let Some(Turn::Read(reading)) = t.turn(&lane) else {
            panic!("it is read again");
        };
        assert_eq!(reading.known.as_deref(), Some("cbtxn_3"));
        lines.insert(0, listed("cbtxn_4", 100, -400, None));
        let kept = t.keep(&reading, &lines[..2]);
        t.leave(kept);
        assert_eq!(t.credit(&credit.id).parts.applied, 600);
        let entries = t.db.store.scan_blocking(|tx| {
            let mut count = 0;
            tx.query("SELECT credit_id FROM entries", &[], &mut |_| {
                count += 1;
                Ok(())
            })?;
            Ok(count)
        });
        assert_eq!(entries, Ok(4));
        // Nothing new: nothing is booked.
        t.changed("evt_3", "cus_ann");
        let reading = t.reading();
        let kept = t.keep(&reading, &[]);
        t.leave(kept);
        assert_eq!(t.credit(&credit.id).parts.applied, 600);
    });
}

#[test]
fn a_list_without_our_line_or_without_an_end_decides_nothing() {
    on_both_engines(|t| {
        let ann = t.customer("ann", Some("cus_ann"));
        let credit = t.give(&ann, 1000);
        let lane = t.lanes().remove(0);
        let job = t.deliver(&lane, "cbtxn_1").unwrap();
        assert!(t.next(&job.lane).is_none());
        t.changed("evt_1", "cus_ann");
        let reading = t.reading();
        assert!(matches!(t.keep(&reading, &[]), Kept::Lags(_)));
        t.now = t.now.plus(60_000_000);
        let reading = t.reading();
        let lines = [
            listed("cbtxn_2", 800, -900, None),
            listed("cbtxn_1", -1000, -1000, Some(&credit.id)),
        ];
        let kept = t.keep(&reading, &lines);
        assert!(matches!(kept, Kept::Unclear(_)), "{kept:?}");
        let now = t.credit(&credit.id);
        let unclear = Some(billstack_core::delivery::Reason::HistoryUnclear);
        assert_eq!((now.delivery_reason, now.parts.applied), (unclear, 0));
        t.changed("evt_2", "cus_ann");
        t.now = t.now.plus(60_000_000);
        let reading = t.reading();
        let lines = [
            listed("cbtxn_2", 800, -200, None),
            listed("cbtxn_1", -1000, -1000, Some(&credit.id)),
        ];
        let kept = t.keep(&reading, &lines);
        t.leave(kept);
        let now = t.credit(&credit.id);
        assert_eq!((now.delivery_reason, now.parts.applied), (None, 800));
    });
}

/// A credit of 1000 of which an invoice used 600, and of which 300 are about to be taken back.
fn about_to_be_reversed(t: &mut World) -> Reading {
    let ann = t.customer("ann", Some("cus_ann"));
    let credit = t.give(&ann, 1000);
    let lane = t.lanes().remove(0);
    let job = t.deliver(&lane, "cbtxn_1").unwrap();
    assert!(t.next(&job.lane).is_none());
    t.changed("evt_1", "cus_ann");
    let reading = t.reading();
    let lines = [
        listed("cbtxn_2", 600, -400, None),
        listed("cbtxn_1", -1000, -1000, Some(&credit.id)),
    ];
    let kept = t.keep(&reading, &lines);
    t.leave(kept);
    t.reverse(&credit, 300).unwrap();
    t.changed("evt_2", "cus_ann");
    t.reading()
}

#[test]
fn a_reversal_takes_what_is_there_at_its_call() {
    on_both_engines(|t| {
        let reading = about_to_be_reversed(t);
        let kept = t.keep(&reading, &[listed("cbtxn_3", 250, -150, None)]);
        let Kept::Followed(lane) = kept else {
            panic!("{kept:?}");
        };
        let job = t.next(&lane).unwrap();
        let asked = job.clone();
        let disagrees = Payer {
            balance: Some(-400),
            ..Payer::default()
        };
        let decide = |t: &mut World, payer| {
            let asked = asked.clone();
            t.run(move |tx, act| Ok(begin_reversal(tx, act, &asked, payer)?))
                .unwrap()
        };
        let Decided::Disagree(lane) = decide(t, disagrees) else {
            panic!("the balance is not what the lines say");
        };
        let job = Job { lane, ..job };
        let payer = Payer {
            balance: Some(-150),
            ..Payer::default()
        };
        let decided = t.run(move |tx, act| Ok(begin_reversal(tx, act, &job, payer)?));
        let Ok(Decided::Call(job)) = decided else {
            panic!("{decided:?}");
        };
        assert!(job.operation.body.starts_with("amount=150&currency=usd&"));
        let id = job.operation.credit_id.clone();
        let job = t.conclude(&job, Outcome::Written(line("cbtxn_4", t.now)));
        let job = job.unwrap();
        assert!(t.turn(&job.lane).is_none());
        let now = t.credit(&id);
        assert_eq!(
            (now.parts.applied, now.parts.reversed, now.reversed_by_hand),
            (850, 150, 150)
        );
        // The merchant's hands are tied as ours are: nothing is left.
        let nothing = t.reverse(&now, 1);
        assert!(matches!(nothing, Err(Abort::Refused(_))));
    });
}

/// Damage, and the rules that must notice it.
pub(crate) const DAMAGES: &[(&str, &[&str])] = &[
    (
        "UPDATE stripe_balance_lines SET amount = amount + 1 WHERE number = 2",
        &["balance_lines"],
    ),
    (
        "UPDATE stripe_balance_lines SET number = 5 WHERE number = 2",
        &["balance_line_numbers"],
    ),
    (
        "UPDATE stripe_balance_lines SET amount = 700, ending_balance = -300 WHERE number = 2",
        &["used_as_listed"],
    ),
    (
        "DELETE FROM stripe_balance_lines WHERE number = 2",
        &["used_as_listed"],
    ),
    (
        "UPDATE stripe_operations SET stripe_customer_id = 'cus_x' WHERE kind = 'reverse'",
        &["operation_balance"],
    ),
    (
        "DELETE FROM work WHERE kind = 'stripe_delivery'",
        &["balance_lane"],
    ),
    (
        "UPDATE stripe_operations SET takes_back = 'cbtxn_9' WHERE kind = 'reverse'",
        &["repaired_line"],
    ),
    (
        "UPDATE stripe_operations SET kind = 'reverse' WHERE state = 'delivered'",
        &["reversal_amount", "operation_entry"],
    ),
    (
        "UPDATE stripe_operations SET kind = 'reverse', state = 'queued', cause = 'job'",
        &["one_reversal"],
    ),
];

#[test]
fn damage_to_balances_is_noticed() {
    on_both_engines(|t| {
        let reading = about_to_be_reversed(t);
        t.keep(&reading, &[]);
        let bob = t.customer("bob", Some("cus_bob"));
        t.give(&bob, 50);
        let lane = t.lanes().remove(0);
        let job = t.deliver(&lane, "cbtxn_9").unwrap();
        assert!(t.next(&job.lane).is_none());
        t.changed("evt_9", "cus_bob");
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
