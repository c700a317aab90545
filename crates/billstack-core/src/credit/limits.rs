//! What a program gives at most: caps for a referrer, and a budget for all.

use super::{Grant, Side};
use crate::program::Caps;

/// Why a side of a conversion gets no credit although it was promised one.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Withheld {
    /// As many conversions have paid the referrer as may.
    CapReached,
    /// The credit does not fit whole into what the budget has left.
    BudgetExhausted,
}

impl Withheld {
    /// The reason as a word, for the event log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Withheld::CapReached => "cap_reached",
            Withheld::BudgetExhausted => "budget_exhausted",
        }
    }
}

/// How many conversions have paid a referrer before.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct PaidBefore {
    /// In all.
    pub total: i64,
    /// In the month of UTC in which the conversion is.
    pub in_month: i64,
}

impl Caps {
    /// Whether one more conversion does not pay the referrer.
    pub fn are_reached(&self, before: PaidBefore) -> bool {
        let reached = |cap: Option<i64>, number| cap.is_some_and(|cap| number >= cap);
        reached(self.total, before.total) || reached(self.per_month, before.in_month)
    }
}

/// A budget, and how much of it is out.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// What may be out at most, in minor units.
    pub limit: i64,
    /// What was granted and not taken back, in minor units. It may be above the limit, if that was lowered or
    /// something was given back.
    pub out: i64,
}

/// How much of a budget must be out before its owner is warned, in percent.
const LOW: i64 = 80;

impl Budget {
    /// Whether so much more fits whole.
    pub const fn fits(&self, units: i64) -> bool {
        self.out + units <= self.limit
    }

    /// Whether little is left: 80 % are out.
    pub const fn is_low(&self) -> bool {
        self.out * 100 >= self.limit * LOW
    }

    /// Whether nothing is left.
    pub const fn is_used_up(&self) -> bool {
        self.out >= self.limit
    }
}

/// What becomes of the grants of a conversion: each with the reason why it is withheld, or with none. The
/// referee's comes first into the budget.
pub fn limit(
    grants: Vec<Grant>,
    is_capped: bool,
    budget: Option<Budget>,
) -> Vec<(Grant, Option<Withheld>)> {
    let mut budget = budget;
    let mut referee_first = grants.clone();
    referee_first.sort_by_key(|grant| grant.side != Side::Referee);
    let mut decided = Vec::new();
    for grant in referee_first {
        let units = grant.amount.get();
        let withheld = match &mut budget {
            _ if is_capped && grant.side == Side::Referrer => Some(Withheld::CapReached),
            Some(budget) if !budget.fits(units) => Some(Withheld::BudgetExhausted),
            Some(budget) => {
                budget.out += units;
                None
            }
            None => None,
        };
        decided.push((grant, withheld));
    }
    // In the order in which they are written.
    decided.sort_by_key(|(grant, _)| grant.side != Side::Referrer);
    decided
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::money::Amount;

    fn grants(referrer: i64, referee: i64) -> Vec<Grant> {
        let grant = |side, units| Grant {
            side,
            amount: Amount::new(units).unwrap(),
        };
        vec![
            grant(Side::Referrer, referrer),
            grant(Side::Referee, referee),
        ]
    }

    fn withheld(is_capped: bool, budget: Option<Budget>) -> Vec<Option<Withheld>> {
        let decided = limit(grants(1000, 500), is_capped, budget);
        assert_eq!(decided[0].0.side, Side::Referrer);
        decided.into_iter().map(|(_, why)| why).collect()
    }

    #[test]
    fn the_referee_comes_first_into_the_budget() {
        use Withheld::{BudgetExhausted, CapReached};
        let with = |out| Some(Budget { limit: 2000, out });
        assert_eq!(withheld(false, None), [None, None]);
        assert_eq!(withheld(false, with(500)), [None, None]);
        assert_eq!(withheld(false, with(501)), [Some(BudgetExhausted), None]);
        assert_eq!(withheld(false, with(1501)), [Some(BudgetExhausted); 2]);
        assert_eq!(withheld(true, None), [Some(CapReached), None]);
        assert_eq!(
            withheld(true, with(1501)),
            [Some(CapReached), Some(BudgetExhausted)]
        );
        assert_eq!(withheld(false, with(5000)), [Some(BudgetExhausted); 2]);
    }

    #[test]
    fn caps_are_reached_by_what_has_paid() {
        let caps = |total, per_month| Caps { total, per_month };
        let before = PaidBefore {
            total: 3,
            in_month: 1,
        };
        assert!(!caps(None, None).are_reached(before));
        assert!(caps(Some(3), None).are_reached(before));
        assert!(!caps(Some(4), Some(2)).are_reached(before));
        assert!(caps(Some(4), Some(1)).are_reached(before));
        assert!(caps(Some(0), None).are_reached(PaidBefore::default()));
    }

    #[test]
    fn a_budget_is_low_at_eighty_percent() {
        let with = |out| Budget { limit: 1000, out };
        assert!(!with(799).is_low() && with(800).is_low());
        assert!(!with(999).is_used_up() && with(1000).is_used_up() && with(1001).is_used_up());
        assert!(Budget { limit: 0, out: 0 }.is_used_up());
    }

    proptest! {
        #[test]
        fn a_budget_is_never_exceeded(
            (referrer, referee) in (1..=3000_i64, 1..=3000_i64),
            (most, out) in (0..=10_000_i64, 0..=10_000_i64),
            is_capped: bool,
        ) {
            let before = Budget { limit: most, out };
            let decided = limit(grants(referrer, referee), is_capped, Some(before));
            let made: i64 = decided
                .iter()
                .filter(|(_, withheld)| withheld.is_none())
                .map(|(grant, _)| grant.amount.get())
                .sum();
            prop_assert!(made == 0 || out + made <= most);
        }
    }
}
