//! Whose lanes a node serves next.

use std::collections::{HashMap, HashSet};

use billstack_core::delivery::Pause;
use billstack_store::credits::delivery::turns::{self, Served};
use billstack_store::work::Key;

use super::*;

/// What a node serves.
#[derive(Clone, Default)]
struct Node {
    after: Option<i64>,
    served: HashMap<i64, HashSet<String>>,
}

impl Node {
    fn serves(&mut self, due: &[Key]) {
        for key in due {
            let of_team = self.served.entry(key.team).or_default();
            of_team.insert(key.subject.clone());
        }
    }

    fn of(&self, team: &str) -> usize {
        let number = TeamId::from(team).number();
        self.served.get(&number).map_or(0, HashSet::len)
    }

    /// Finds what is due, with room for so many in all and so many of a team, and serves it.
    fn next(&mut self, t: &World, room: usize, of_team: usize) -> Vec<Key> {
        let (node, now) = (self.clone(), t.now);
        let found = t.db.store.scan_blocking(move |tx| {
            let room_of = |team: i64| {
                let served = node.served.get(&team).map_or(0, HashSet::len);
                of_team.saturating_sub(served)
            };
            let served = Served {
                after: node.after.unwrap_or(i64::MIN),
                lanes: &node.served,
                room,
                room_of: &room_of,
            };
            Ok(turns::next(tx, now, &served)?)
        });
        let (after, due) = found.unwrap();
        self.after = Some(after);
        self.serves(&due);
        due
    }
}

impl World {
    fn team(&mut self, team: &'static str) {
        self.place = self
            .run(move |tx, act| {
                make_team(tx, team)?;
                let place = make_project(tx, act, team)?;
                connect(tx, act, &place)?;
                let mut program = program();
                program.terms.credit_delivery = CreditDelivery::StripeBalance;
                programs::put(tx, act, &place, &program)?;
                Ok(place)
            })
            .unwrap();
    }

    /// So many customers of the team with a credit each.
    fn crowd(&mut self, number: usize) {
        let place = self.place.clone();
        let made = self.run(move |tx, act| {
            for n in 0..number {
                let stripe = format!("cus_{n}");
                let customer = make_customer(tx, act, &place, &format!("u{n}"), Some(&stripe))?;
                let gift = Gift {
                    customer_id: customer.id,
                    amount: Amount::new(100).unwrap(),
                    currency: Currency::USD,
                    reason: "contest".to_owned(),
                };
                credit_moves::give_by_hand(tx, act, &place, &gift)?;
            }
            Ok(())
        });
        made.unwrap();
        self.now = self.now.plus(1_000);
    }

    fn take(&mut self, due: Vec<Key>) -> Vec<Lane> {
        let taken = self.run(move |tx, act| {
            let until = act.at.plus(LEASE);
            Ok(turns::take(tx, act, &due, until)?)
        });
        let lane = |leased: &Leased| Lane::of(leased, LEASE).unwrap();
        taken.unwrap().iter().map(lane).collect()
    }
}

#[test]
fn no_team_waits_for_another() {
    on_both_engines(|t| {
        t.crowd(50);
        t.team("team_2");
        t.crowd(1);
        let mut node = Node::default();
        assert_eq!(node.next(t, 100, 4).len(), 5);
        assert_eq!((node.of(TEAM), node.of("team_2")), (4, 1));
        assert!(node.next(t, 100, 4).is_empty(), "there is no room");
        // With room for few in all, the teams take turns.
        let mut node = Node::default();
        for _ in 0..2 {
            assert_eq!(node.next(t, 1, 4).len(), 1);
        }
        assert_eq!((node.of(TEAM), node.of("team_2")), (1, 1));
        for _ in 0..3 {
            assert_eq!(node.next(t, 1, 4).len(), 1);
        }
        assert_eq!((node.of(TEAM), node.of("team_2")), (4, 1));
    });
}

#[test]
fn who_is_served_is_not_taken_again() {
    on_both_engines(|t| {
        t.crowd(3);
        let mut node = Node::default();
        let due = node.next(t, 10, 2);
        let lanes = t.take(due.clone());
        assert_eq!(lanes.len(), 2);
        assert!(t.take(due).is_empty(), "they are leased");
        // The leases have run out while both stand in line.
        t.now = t.now.plus(LEASE + 1);
        assert_eq!(node.next(t, 10, 3).len(), 1);
        assert_eq!(node.of(TEAM), 3);
        assert_eq!(Node::default().next(t, 10, 3).len(), 3, "another node");
    });
}

#[test]
fn a_lease_is_held_for_longer_while_stripe_is_asked() {
    on_both_engines(|t| {
        t.crowd(1);
        let lane = t.lanes().remove(0);
        let job = t.next(&lane).unwrap();
        assert!(job.lane.is_held_until(t.now.plus(LEASE - 1)));
        assert!(!job.lane.is_held_until(t.now.plus(LEASE + 1)));
        t.now = t.now.plus(LEASE - SECOND);
        let hold_on = |t: &mut World, job: &Job| {
            let job = job.clone();
            t.run(move |tx, act| Ok(lane::hold_on(tx, act, &job)?))
                .unwrap()
        };
        let held = hold_on(t, &job).unwrap();
        t.now = t.now.plus(2 * SECOND);
        assert!(t.lanes().is_empty(), "it is still held");
        assert!(t.begin(&held).is_some());
        assert!(hold_on(t, &job).is_none(), "that lease is no more");
    });
}

#[test]
fn of_a_paused_team_nothing_is_touched() {
    on_both_engines(|t| {
        t.crowd(5);
        let lane = t.lanes().remove(0);
        let job = t.next(&lane).unwrap();
        let paused = Outcome::Unread(Answer::Paused(Pause::KeyInvalid));
        let job = t.conclude(&job, paused).unwrap();
        assert!(t.next(&job.lane).is_none());
        // The leases of the four that were claimed besides have run out.
        t.now = t.now.plus(LEASE + 1);
        assert!(Node::default().next(t, 10, 10).is_empty());
        // One of them finds out whether the pause is over.
        t.now = t.now.plus(15 * MINUTE);
        let mut node = Node::default();
        assert_eq!(node.next(t, 10, 10).len(), 1);
        assert!(node.next(t, 10, 10).is_empty());
        let team_id = t.place.team_id.clone();
        t.run(move |tx, act| stripe_connection::disconnect(tx, act, &team_id))
            .unwrap();
        assert!(Node::default().next(t, 10, 10).is_empty());
        let place = t.place.clone();
        t.run(move |tx, act| connect(tx, act, &place)).unwrap();
        t.now = t.now.plus(1_000);
        assert_eq!(Node::default().next(t, 10, 10).len(), 5);
    });
}
