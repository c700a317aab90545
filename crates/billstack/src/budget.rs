//! Amounts that are lent out: so much in all, and so much to one caller.
//!
//! What is bounded by its number alone is not bounded: a thousand answers may be a megabyte or a gigabyte. And what
//! is bounded in all alone, one caller takes away from all the others.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

/// What is lent, and to whom.
#[derive(Debug)]
pub struct Budget {
    total: u64,
    each: u64,
    hasher: RandomState,
    lent: Mutex<Lent>,
}

#[derive(Debug, Default)]
struct Lent {
    total: u64,
    /// Only callers who have something.
    each: HashMap<u64, u64>,
}

/// A part of a budget; dropped, it is given back.
#[derive(Debug)]
pub struct Share {
    budget: Arc<Budget>,
    caller: u64,
    amount: u64,
}

impl Budget {
    /// A budget of `total`, of which one caller gets `each` at most.
    pub fn new(total: u64, each: u64) -> Arc<Budget> {
        Arc::new(Budget {
            total,
            each,
            hasher: RandomState::new(),
            lent: Mutex::default(),
        })
    }

    /// Lends an amount to a caller; none when there is not so much left for this one.
    pub fn take(self: &Arc<Self>, caller: &(impl Hash + ?Sized), amount: u64) -> Option<Share> {
        let caller = self.hasher.hash_one(caller);
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = lent.each.get(&caller).copied().unwrap_or_default();
        let (all, theirs) = (lent.total + amount, theirs + amount);
        if all > self.total || theirs > self.each {
            return None;
        }
        lent.total = all;
        lent.each.insert(caller, theirs);
        Some(Share {
            budget: Arc::clone(self),
            caller,
            amount,
        })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let lent = &self.budget.lent;
        let mut lent = lent.lock().unwrap_or_else(PoisonError::into_inner);
        lent.total -= self.amount;
        if let Some(theirs) = lent.each.get_mut(&self.caller) {
            *theirs -= self.amount;
            if *theirs == 0 {
                lent.each.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_more_than_their_share_and_all_together_not_more_than_there_is() {
        let budget = Budget::new(10, 6);
        let first = budget.take("a", 4).expect("a share");
        assert!(budget.take("a", 3).is_none(), "more than one caller gets");
        let second = budget.take("b", 5).expect("a share");
        assert!(budget.take("c", 2).is_none(), "more than there is");
        drop(first);
        budget.take("c", 5).expect("what was given back");
        drop(second);
        let lent = budget.lent.lock().expect("no panic");
        assert_eq!((lent.total, lent.each.len()), (0, 0));
    }
}
