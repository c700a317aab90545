//! The calls of a delivery, and what they found out.

use billstack_core::delivery::answer::Answer;
use billstack_core::delivery::customer::Customer;
use billstack_core::delivery::operation::Step;
use billstack_core::delivery::{Kind, Pause, Reason, key};
use billstack_core::money::Currency;
use billstack_core::time::{Micros, SECOND};
use billstack_store::Abort;
use billstack_store::stripe_lane::balance::Kept;
use billstack_store::stripe_lane::{
    self as lane, Decided, Job, Lane, Outcome, Payer, Told, Written,
};

use super::balance::Followed;
use super::origin;
use crate::app::App;
use crate::secrets::random_bytes;
use crate::settings::SecretText;
use crate::stripe::{Failure, Posted};

/// How long a call may stand in line for the rate of its team, besides the call itself.
const IN_LINE: i64 = 2 * SECOND;

/// How often in succession the lines and the balance of a customer may disagree before a person looks at them.
const MOST_DISAGREEMENTS: i64 = 8;

/// What came of a step.
pub(super) enum Taken {
    /// Stripe was asked or told, and this was heard.
    Told(Box<Job>, Told),
    /// Nothing was to be told. With `None` the lane was given up.
    Nothing(Option<Lane>),
}

/// What Stripe told, before it is kept.
pub(super) struct Heard {
    outcome: Outcome,
    refusal: Option<String>,
    lacks: Option<String>,
}

impl From<Outcome> for Heard {
    fn from(outcome: Outcome) -> Heard {
        Heard {
            outcome,
            refusal: None,
            lacks: None,
        }
    }
}

impl Heard {
    /// What a failure means, where an answer means this.
    pub(super) fn failed(failure: Failure, of: fn(Answer) -> Outcome) -> Heard {
        let outcome = of(answer_of(&failure));
        let (refusal, lacks) = match failure {
            Failure::Refused(refused) => {
                let code = refused.code.map(|code| format!("{code}: "));
                let told = format!("{}{}", code.unwrap_or_default(), refused.message);
                (Some(told), None)
            }
            Failure::PermissionMissing(permission) => (None, permission),
            _ => (None, None),
        };
        Heard {
            outcome,
            refusal,
            lacks,
        }
    }
}

/// What a failed call means for an operation.
pub(super) fn answer_of(failure: &Failure) -> Answer {
    match failure {
        Failure::Unknown(_) => Answer::Nothing,
        Failure::ServerError {
            replayed,
            should_retry,
            ..
        } => Answer::failed(*replayed, *should_retry),
        Failure::RateLimited {
            reason,
            retry_after,
            should_retry,
            ..
        } => Answer::too_many(reason.as_deref(), *retry_after, *should_retry),
        Failure::KeyInUse => Answer::UnderWay,
        Failure::KeyReused => Answer::KeyConflict,
        Failure::Unauthorized => Answer::Paused(Pause::KeyInvalid),
        Failure::PermissionMissing(_) => Answer::Paused(Pause::PermissionMissing),
        Failure::NotFound => Answer::NoCustomer,
        Failure::Refused(refused) => {
            Answer::refused(refused.code.as_deref(), &refused.message, false)
        }
    }
}

impl App {
    /// Does the next step of an operation.
    pub(super) async fn take_step(&self, job: Job) -> Result<Taken, Abort> {
        let team_id = job.lane.team_id.clone();
        let secret = match self.key_of(&team_id, &job.connection) {
            Ok(Some(secret)) => secret,
            // It cannot be opened: connecting again mends that.
            Ok(None) | Err(_) => {
                let unread = Outcome::Unread(Answer::Paused(Pause::KeyInvalid));
                return Ok(self.taken(job, unread.into()));
            }
        };
        let Some(mut job) = self.hold_on(job).await? else {
            return Ok(Taken::Nothing(None));
        };
        if job.operation.progress.step == Step::Look {
            let heard = self.look_for(&secret, &job).await?;
            return Ok(self.taken(job, heard));
        }
        let (is_first, kind) = (
            job.operation.progress.first_try.is_none(),
            job.operation.kind,
        );
        if is_first && kind == Kind::Reverse {
            return self.reverse(&secret, job).await;
        }
        if is_first {
            let read = match kind.chooses_currency() {
                true => self.read_customer(&secret, job).await?,
                false => Some((job, Ok(()))),
            };
            let Some((read, is_fit)) = read else {
                return Ok(Taken::Nothing(None));
            };
            if let Err(heard) = is_fit {
                return Ok(self.taken(read, heard));
            }
            let Some(held) = self.hold_on(read).await? else {
                return Ok(Taken::Nothing(None));
            };
            job = held;
            if let Some(heard) = self.look_first(&secret, &job).await? {
                return Ok(self.taken(job, heard));
            }
        }
        self.stripe_rates.wait(&team_id).await;
        let begun = self
            .store
            .write(origin(self), move |tx, act| Ok(lane::begin(tx, act, &job)?));
        let Some(job) = begun.await? else {
            return Ok(Taken::Nothing(None));
        };
        let heard = self.call(&secret, &job).await;
        Ok(self.taken(job, heard))
    }

    /// Takes a credit back: reads the balance and its customer, decides how much can be taken, and calls.
    async fn reverse(&self, secret: &SecretText, job: Job) -> Result<Taken, Abort> {
        let read = self
            .store
            .scan({
                let job = job.clone();
                move |tx| Ok(lane::read_first(tx, &job)?)
            })
            .await?;
        let payer = match self.payer(secret, &job).await {
            Ok(payer) => payer,
            Err(heard) => return Ok(self.taken(job, heard)),
        };
        let mut job = job;
        if !payer.is_deleted
            && let Some(heard) = self.look_first(secret, &job).await?
        {
            return Ok(self.taken(job, heard));
        }
        if let Some(reading) = read.filter(|_| !payer.is_deleted) {
            match self.follow(secret, reading).await? {
                Followed::To(Kept::Followed(lane) | Kept::Unclear(lane)) => job.lane = lane,
                Followed::To(Kept::Lags(lane)) => {
                    job.lane = lane;
                    return Ok(self.taken(job, Outcome::Unread(Answer::Nothing).into()));
                }
                Followed::To(Kept::Broken | Kept::TakenOver) => return Ok(Taken::Nothing(None)),
                Followed::Failed(failure) => {
                    return Ok(self.taken(job, Heard::failed(failure, Outcome::Unread)));
                }
            }
        }
        self.stripe_rates.wait(&job.lane.team_id).await;
        let deciding = job.clone();
        let decided = self.store.write(origin(self), move |tx, act| {
            Ok(lane::begin_reversal(tx, act, &deciding, payer)?)
        });
        match decided.await? {
            Decided::Call(job) => {
                let heard = self.call(secret, &job).await;
                Ok(self.taken(*job, heard))
            }
            Decided::GoOn(lane) => Ok(Taken::Nothing(Some(lane))),
            Decided::TakenOver => Ok(Taken::Nothing(None)),
            Decided::Disagree(lane) => {
                job.lane = lane;
                let unread = match job.operation.progress.failures < MOST_DISAGREEMENTS {
                    true => Outcome::Unread(Answer::Nothing),
                    false => Outcome::Unfit(Reason::HistoryUnclear),
                };
                Ok(self.taken(job, unread.into()))
            }
        }
    }

    /// Whose balance is to be taken from.
    async fn payer(&self, secret: &SecretText, job: &Job) -> Result<Payer, Heard> {
        self.stripe_rates.wait(&job.lane.team_id).await;
        let id = &job.operation.stripe_customer_id;
        let found = self.stripe.customer_state(secret, id).await;
        let found = found.map_err(|failure| match failure {
            Failure::NotFound => Outcome::Unfit(Reason::CustomerUnknown).into(),
            failure => Heard::failed(failure, Outcome::Unread),
        })?;
        let is_its = found.currency.as_deref() == Some(job.operation.currency.as_str());
        Ok(Payer {
            is_deleted: found.deleted,
            has_cash: found.has_cash_balance,
            balance: Some(found.balance).filter(|_| is_its && !found.deleted),
        })
    }

    fn taken(&self, job: Job, heard: Heard) -> Taken {
        Taken::Told(Box::new(job), self.told(heard))
    }

    /// Holds the lease for longer, where a call could outlast it. With `None` the lane is somebody else's by now.
    async fn hold_on(&self, job: Job) -> Result<Option<Job>, Abort> {
        let call = i64::from(self.settings.stripe_timeout_seconds) * SECOND;
        if job.lane.is_held_until(self.now().plus(call + IN_LINE)) {
            return Ok(Some(job));
        }
        let held = self.store.write(origin(self), move |tx, act| {
            Ok(lane::hold_on(tx, act, &job)?)
        });
        held.await
    }

    /// What became of a customer whom a call did not find.
    pub(super) async fn ask_customer(&self, job: &Job) -> Told {
        let team_id = &job.lane.team_id;
        let heard = match self.key_of(team_id, &job.connection) {
            Ok(Some(secret)) => {
                self.stripe_rates.wait(team_id).await;
                let id = &job.operation.stripe_customer_id;
                match self.stripe.customer_state(&secret, id).await {
                    Ok(found) if found.deleted => Outcome::Customer(Customer::Deleted).into(),
                    Ok(_) | Err(Failure::NotFound) => Outcome::Customer(Customer::Unknown).into(),
                    Err(failure) => Heard::failed(failure, Outcome::Unread),
                }
            }
            Ok(None) | Err(_) => Outcome::Unread(Answer::Paused(Pause::KeyInvalid)).into(),
        };
        self.told(heard)
    }

    fn told(&self, heard: Heard) -> Told {
        let wait = i64::from(self.settings.delivery_unknown_wait) * SECOND;
        Told {
            outcome: heard.outcome,
            refusal: heard.refusal,
            lacks: heard.lacks,
            chance: u64::from_le_bytes(random_bytes()),
            unknown_wait: wait,
        }
    }

    /// Whether the customer can be given the credit at all; `Err` says why not. With `None` the lane is somebody else's
    /// by now.
    async fn read_customer(
        &self,
        secret: &SecretText,
        job: Job,
    ) -> Result<Option<(Job, Result<(), Heard>)>, Abort> {
        let unfit = |reason: Reason| Heard::from(Outcome::Unfit(reason));
        let unread = |failure| match failure {
            Failure::NotFound => unfit(Reason::CustomerUnknown),
            failure => Heard::failed(failure, Outcome::Unread),
        };
        let (team_id, id) = (
            job.lane.team_id.clone(),
            job.operation.stripe_customer_id.clone(),
        );
        self.stripe_rates.wait(&team_id).await;
        let found = match self.stripe.customer_state(secret, &id).await {
            Ok(found) => found,
            Err(failure) => return Ok(Some((job, Err(unread(failure))))),
        };
        let accepts = |job: Job, customer: Customer| {
            let is_fit = customer.accepts(job.operation.currency).map_err(unfit);
            Ok(Some((job, is_fit)))
        };
        if found.deleted {
            return accepts(job, Customer::Deleted);
        }
        let Some(job) = self.hold_on(job).await? else {
            return Ok(None);
        };
        self.stripe_rates.wait(&team_id).await;
        let subscribed = match self.stripe.live_currencies(secret, &id).await {
            Ok(subscribed) => subscribed,
            Err(failure) => return Ok(Some((job, Err(unread(failure))))),
        };
        let read = |code: &String| Currency::read(code);
        let customer = Customer::There {
            currency: found.currency.as_ref().and_then(read),
            subscribed: subscribed.iter().filter_map(read).collect(),
        };
        accepts(job, customer)
    }

    /// Writes the line.
    async fn call(&self, secret: &SecretText, job: &Job) -> Heard {
        let operation = &job.operation;
        let key = key(&operation.id, operation.progress.generation);
        let customer = &operation.stripe_customer_id;
        let posted = self
            .stripe
            .post_balance_line(secret, customer, &key, &operation.body);
        match posted.await {
            Ok(line) if agrees(job, &line) => Outcome::Written(Written {
                id: line.id,
                created: Micros::from_secs(line.created),
                ending_balance: line.ending_balance,
            })
            .into(),
            Ok(_) => Outcome::Answered(Answer::Differs).into(),
            Err(failure) => Heard::failed(failure, Outcome::Answered),
        }
    }
}

fn agrees(job: &Job, line: &Posted) -> bool {
    let operation = &job.operation;
    line.amount == operation.kind.signed(operation.amount.get())
        && line.currency == operation.currency.as_str()
}
