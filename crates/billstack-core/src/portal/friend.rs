//! Where the recommendation of a friend stands, as the customer sees it.

use crate::credit::CreditStatus;
use crate::program::ConversionTrigger;
use crate::referral::Status;

/// What everybody may be told: four states, and for the first what is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Something is still to happen.
    Waiting(WaitingFor),
    /// The reward is the customer's.
    Earned,
    /// It came to nothing, for a reason that is told to nobody.
    NotCounted,
    /// It is over: in time nothing came of it, or one of the two is no longer a customer.
    Ended,
}

/// What is still to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitingFor {
    /// The friend's subscription.
    Subscription,
    /// The friend's first payment.
    Payment,
    /// The end of the time for which a reward is held.
    Hold,
}

impl State {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Waiting(_) => "waiting",
            State::Earned => "earned",
            State::NotCounted => "not_counted",
            State::Ended => "ended",
        }
    }
}

impl WaitingFor {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            WaitingFor::Subscription => "subscription",
            WaitingFor::Payment => "payment",
            WaitingFor::Hold => "hold",
        }
    }
}

/// What was promised to the customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// A reward.
    Reward,
    /// Nothing: the program rewards friends alone.
    Nothing,
}

/// What the state is told from.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub status: Status,
    pub trigger: ConversionTrigger,
    /// Whether a subscription in its trial does not count yet.
    pub exclude_trials: bool,
    pub promise: Promise,
    /// Where the customer's credit stands, once there is one.
    pub reward: Option<CreditStatus>,
    /// Why the referral was closed, as its story says.
    pub closed: Option<&'a str>,
}

/// Why a referral is closed in its story that stays between the two who know it.
const NOT_NEW: &str = "not a new customer";

/// Where a recommendation stands. What a newer version calls by another word has not counted as far as this one knows.
pub fn state(facts: &Facts<'_>) -> State {
    match facts.status {
        Status::Pending => State::Waiting(missing(facts)),
        Status::Converted => of_reward(facts),
        Status::Expired if facts.closed == Some(NOT_NEW) => State::NotCounted,
        Status::Expired => State::Ended,
        Status::Other(_) => State::NotCounted,
    }
}

fn missing(facts: &Facts<'_>) -> WaitingFor {
    match facts.trigger {
        ConversionTrigger::SubscriptionCreated if !facts.exclude_trials => WaitingFor::Subscription,
        // Of a trial nobody but the friend knows: the first payment comes after it.
        _ => WaitingFor::Payment,
    }
}

fn of_reward(facts: &Facts<'_>) -> State {
    match (facts.reward, facts.promise) {
        (Some(CreditStatus::Held), _) => State::Waiting(WaitingFor::Hold),
        (Some(CreditStatus::Granted | CreditStatus::Applied), _)
        | (Some(CreditStatus::PartiallyReversed), _)
        | (None, Promise::Nothing) => State::Earned,
        (Some(CreditStatus::Reversed | CreditStatus::Other(_)), _) | (None, Promise::Reward) => {
            State::NotCounted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITING: Facts<'static> = Facts {
        status: Status::Pending,
        trigger: ConversionTrigger::SubscriptionCreated,
        exclude_trials: false,
        promise: Promise::Reward,
        reward: None,
        closed: None,
    };

    #[test]
    fn who_waits_is_told_what_for() {
        assert_eq!(state(&WAITING), State::Waiting(WaitingFor::Subscription));
        let paid = Facts {
            trigger: ConversionTrigger::FirstPaidInvoice,
            ..WAITING
        };
        assert_eq!(state(&paid), State::Waiting(WaitingFor::Payment));
        let trial = Facts {
            exclude_trials: true,
            ..WAITING
        };
        assert_eq!(state(&trial), State::Waiting(WaitingFor::Payment));
    }

    #[test]
    fn a_conversion_is_what_became_of_the_reward() {
        let with = |status: Option<CreditStatus>, promise| {
            state(&Facts {
                status: Status::Converted,
                promise,
                reward: status,
                ..WAITING
            })
        };
        let reward = Promise::Reward;
        for status in [
            CreditStatus::Granted,
            CreditStatus::Applied,
            CreditStatus::PartiallyReversed,
        ] {
            assert_eq!(with(Some(status), reward), State::Earned);
        }
        let held = with(Some(CreditStatus::Held), reward);
        assert_eq!(held, State::Waiting(WaitingFor::Hold));
        let taken_back = with(Some(CreditStatus::Reversed), reward);
        assert_eq!(taken_back, State::NotCounted);
        assert_eq!(with(None, reward), State::NotCounted);
        assert_eq!(with(None, Promise::Nothing), State::Earned);
    }

    #[test]
    fn what_is_closed_has_ended_or_has_not_counted() {
        let closed = |closed| {
            state(&Facts {
                status: Status::Expired,
                closed,
                ..WAITING
            })
        };
        assert_eq!(closed(Some("not converted in time")), State::Ended);
        assert_eq!(closed(Some("customer erased")), State::Ended);
        assert_eq!(closed(None), State::Ended);
        assert_eq!(closed(Some(NOT_NEW)), State::NotCounted);
    }
}
