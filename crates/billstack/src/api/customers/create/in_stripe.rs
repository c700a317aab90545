//! Creating a customer here and in Stripe, so that a failure anywhere can be repeated.
//!
//! 1. A first transaction fixes the customer's id and claims the work (and the Idempotency-Key).
//! 2. Stripe is asked for a customer of that address, and to create one if there is none.
//! 3. A second transaction creates the customer here and ends the claim.
//!
//! If the process dies in between, the claims end by themselves; the next try gets the same id, and
//! with it finds the customer that Stripe may have created.

use axum::http::StatusCode;
use std::time::Duration;

use axum::response::Response;
use billstack_store::Act;
use billstack_store::Refusal;
use billstack_store::customer_creation::{self, NextTry, Reservation};
use billstack_store::customers::{self, NewCustomer};
use billstack_store::idempotency::{self, Answer, Claim, Keyed};
use billstack_store::{Abort, Tx};
use tracing::Instrument as _;

use crate::api::customers::answer as customers_answer;
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::settings::SecretText;
use crate::stripe::{CustomerFound, MOST_CUSTOMERS, NewStripeCustomer, StripeError};

/// How long the calls to Stripe may take together. Shorter than a claim holds and than the default
/// time of a request, so that the caller hears of it.
const LONGEST: Duration = Duration::from_secs(25);

/// The same when Stripe has just not answered this team: nobody shall wait for long each time.
const WHILE_SILENT: Duration = Duration::from_secs(2);

/// A customer on its way.
pub(super) struct Creation {
    pub(super) app: Shared,
    pub(super) key: SecretText,
    pub(super) asked: Asked,
}

/// Who asks for which customer. It does not hold the server: an operation on the writer's thread must not
/// become its last owner.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) access: ProjectAccess,
    pub(super) keyed: Option<Keyed>,
    /// The address as it was sent: Stripe compares case.
    pub(super) typed_email: String,
    pub(super) new: NewCustomer,
}

/// The customer in Stripe.
struct Link {
    stripe_customer_id: String,
    note: &'static str,
}

enum Begun {
    Reserved(Reservation),
    Answered(Answer),
}

/// What becomes of the claims after a failure.
#[derive(Clone)]
enum Aftermath {
    /// The next try repeats this one.
    Release,
    /// Stripe's answer stays what it is; the next try is another attempt.
    NextAttempt,
    /// The state refused it. The refusal is kept under the Idempotency-Key.
    Refused(Box<ApiError>),
    /// The same, and there is a customer with this address.
    Exists(Box<ApiError>, String),
}

impl Creation {
    /// Runs to its end even if the client leaves meanwhile.
    pub(super) async fn run(self) -> Result<Response, ApiError> {
        let work = async move { self.create().await };
        match tokio::spawn(work.in_current_span()).await {
            Ok(answer) => answer,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(ApiError::new(Reason::ShuttingDown)),
            },
        }
    }

    async fn create(self) -> Result<Response, ApiError> {
        let reservation = match self.reserve().await {
            Ok(Begun::Reserved(reservation)) => reservation,
            Ok(Begun::Answered(answer)) => return Ok(answer::replay(answer)),
            // Not stored under the Idempotency-Key: it is true only at this moment.
            Err(Abort::Refused(refusal @ Refusal::CustomerBeingCreated)) => {
                return Err(refusal.into());
            }
            Err(Abort::Refused(refusal)) => {
                let Asked { access, keyed, .. } = self.asked;
                return self.app.refuse(&access.caller, keyed, refusal).await;
            }
            Err(fault) => return Err(fault.into()),
        };
        let team = self.asked.access.place.team_id.number();
        let longest = match self.app.silence.holds(team, self.app.now()) {
            true => WHILE_SILENT,
            false => LONGEST,
        };
        let asked = tokio::time::timeout(longest, self.in_stripe(&reservation));
        let no_answer = StripeError::Unavailable { answered: false };
        match asked.await.unwrap_or(Err(no_answer)) {
            Ok(link) => self.create_here(&reservation, link).await,
            Err(error) => {
                if matches!(error, StripeError::Unavailable { answered: false }) {
                    self.app.silence.begin(team, self.app.now());
                }
                self.give_up(match error {
                    StripeError::Unavailable { answered: true } | StripeError::Refused { .. } => {
                        Aftermath::NextAttempt
                    }
                    _ => Aftermath::Release,
                })
                .await;
                Err(error.into())
            }
        }
    }

    /// The first transaction.
    async fn reserve(&self) -> Result<Begun, Abort> {
        let me = self.asked.clone();
        self.write(move |tx, act| {
            me.access.caller.guard.recheck(tx, act)?;
            if let Some(keyed) = &me.keyed
                && let Claim::Answered(answer) = idempotency::claim(tx, act, keyed)?
            {
                return Ok(Begun::Answered(answer));
            }
            let place = &me.access.place;
            let reservation = customer_creation::reserve(tx, act, place, &me.new.email)?;
            me.refuse_taken_external_id(tx)?;
            Ok(Begun::Reserved(reservation))
        })
        .await
    }

    /// Finds or creates the customer in Stripe.
    async fn in_stripe(&self, reservation: &Reservation) -> Result<Link, StripeError> {
        let (stripe, key) = (&self.app.stripe, &self.key);
        let Asked {
            access,
            typed_email,
            new,
            ..
        } = &self.asked;
        let found = stripe.customers_of_mailbox(key, &new.email, Some(typed_email));
        let mut found = found.await?;
        // The same mailbox is not always the same customer; the same address is.
        found.retain(|one| one.email == new.email);
        if let Some(link) = self.choose(&found, &reservation.customer_id).await? {
            return Ok(link);
        }
        let new = NewStripeCustomer {
            email: new.email.clone(),
            name: new.name.clone(),
            project_id: access.place.project_id.clone(),
            billstack_customer_id: reservation.customer_id.clone(),
        };
        let created = stripe.create_customer(key, reservation.attempt, &new);
        Ok(Link {
            stripe_customer_id: created.await?,
            note: "created",
        })
    }

    /// Of the Stripe customers with this address, which come the oldest first: the one that an earlier try
    /// created, else one with a live subscription, else the newest.
    async fn choose(
        &self,
        found: &[CustomerFound],
        customer_id: &str,
    ) -> Result<Option<Link>, StripeError> {
        let is_ours =
            |one: &&CustomerFound| one.billstack_customer_id.as_deref() == Some(customer_id);
        let (chosen, note) = match (found.iter().find(is_ours), found) {
            (Some(ours), _) => (ours, "created by an earlier try"),
            (None, []) => return Ok(None),
            (None, [only]) => (only, "linked to the one with this e-mail address"),
            (None, [.., newest]) => match self.live(found).await? {
                Some(live) => (
                    live,
                    "linked to the subscriber among several with this e-mail address",
                ),
                None => (
                    newest,
                    "linked to the newest of several with this e-mail address",
                ),
            },
        };
        Ok(Some(Link {
            stripe_customer_id: chosen.id.clone(),
            note,
        }))
    }

    /// The newest that has a live subscription. Nobody where the key may not read subscriptions.
    async fn live<'f>(
        &self,
        found: &'f [CustomerFound],
    ) -> Result<Option<&'f CustomerFound>, StripeError> {
        for one in found.iter().rev().take(MOST_CUSTOMERS) {
            let stripe = &self.app.stripe;
            let is_live = stripe.has_live_subscription(&self.key, &one.id, self.app.now());
            match is_live.await {
                Ok(true) => return Ok(Some(one)),
                Ok(false) | Err(StripeError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The second transaction.
    async fn create_here(
        &self,
        reservation: &Reservation,
        link: Link,
    ) -> Result<Response, ApiError> {
        let me = self.asked.clone();
        let new = NewCustomer {
            id: Some(reservation.customer_id.clone()),
            stripe_customer_id: Some(link.stripe_customer_id),
            stripe_note: Some(link.note),
            ..self.asked.new.clone()
        };
        let created = self.write(move |tx, act| {
            me.access.caller.guard.recheck(tx, act)?;
            let place = &me.access.place;
            // Missing only when another try took the claim over and was faster; the address decides.
            customer_creation::finish(tx, place, &new.email)?;
            let customer = customers::create(tx, act, place, &new)?;
            let answer = customers_answer(StatusCode::CREATED, &customer, place);
            if let Some(keyed) = &me.keyed {
                idempotency::keep(tx, keyed, &answer)?;
            }
            Ok(answer)
        });
        let abort = match created.await {
            Ok(answer) => return Ok(answer::send(answer)),
            Err(abort) => abort,
        };
        let (aftermath, error) = aftermath(abort);
        self.give_up(aftermath).await;
        Err(error)
    }

    /// Lets go of the claims. If this fails too, they end by themselves.
    async fn give_up(&self, aftermath: Aftermath) {
        let me = self.asked.clone();
        let done = self.write(move |tx, act| {
            let (place, email) = (&me.access.place, &me.new.email);
            let aftermath = match &aftermath {
                // Erased meanwhile: the next try is free, and nothing of the person may be stored.
                Aftermath::Exists(_, id) if !customers::hold_existing(tx, act, place, id)? => {
                    &Aftermath::Release
                }
                aftermath => aftermath,
            };
            match aftermath {
                Aftermath::Release | Aftermath::Refused(_) => {
                    customer_creation::release(tx, act, place, email, NextTry::Same)?
                }
                Aftermath::NextAttempt => {
                    customer_creation::release(tx, act, place, email, NextTry::Another)?
                }
                Aftermath::Exists(..) => customer_creation::finish(tx, place, email)?,
            };
            let Some(keyed) = &me.keyed else {
                return Ok(());
            };
            let (error, customer_id) = match aftermath {
                Aftermath::Release | Aftermath::NextAttempt => {
                    return Ok(idempotency::release(tx, keyed)?);
                }
                Aftermath::Refused(error) => (error, None),
                Aftermath::Exists(error, customer_id) => (error, Some(customer_id.clone())),
            };
            let answer = answer::refusal_answer(error, customer_id);
            Ok(idempotency::keep(tx, keyed, &answer)?)
        });
        if let Err(error) = done.await {
            tracing::warn!(?error, "a customer's claim is left to end by itself");
        }
    }

    async fn write<T: Send + 'static>(
        &self,
        op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Abort> {
        let caller = &self.asked.access.caller;
        let origin = self.app.origin(caller.actor.clone(), &caller.request_id);
        self.app.store.write(origin, op).await
    }
}

impl Asked {
    /// Looks before Stripe is asked; the unique index decides in the end.
    fn refuse_taken_external_id(&self, tx: &mut dyn Tx) -> Result<(), Abort> {
        let Some(external_id) = &self.new.external_id else {
            return Ok(());
        };
        match customers::id_of_external(tx, &self.access.place, external_id)? {
            None => Ok(()),
            Some(_) => Err(Refusal::ExternalIdTaken.into()),
        }
    }
}

/// What a failed second transaction means for the claims and for the caller.
fn aftermath(abort: Abort) -> (Aftermath, ApiError) {
    let refusal = match abort {
        Abort::Refused(refusal) => refusal,
        fault => return (Aftermath::Release, fault.into()),
    };
    let lost_right = refusal == Refusal::CallerNoLongerAllowed;
    let existing = match &refusal {
        Refusal::CustomerExists(_, customer) => Some(customer.id.clone()),
        _ => None,
    };
    let error = ApiError::from(refusal);
    let kept = Box::new(error.clone());
    let aftermath = match existing {
        Some(customer_id) => Aftermath::Exists(kept, customer_id),
        None if lost_right || !error.reason.status().is_client_error() => Aftermath::Release,
        None => Aftermath::Refused(kept),
    };
    (aftermath, error)
}
