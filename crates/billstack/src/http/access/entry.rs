//! Whether a caller is let in: decided once for a request, by whichever transaction asks first.

use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use billstack_core::access::Scope;
use billstack_core::time::Micros;
use billstack_store::callers::{Admitted, Denial, Guard, Right};
use billstack_store::{Abort, Fault, Place, Share, Tx, Weight};

use crate::app::App;
use crate::error::{ApiError, Reason};
use crate::rate_limit::{Decision, RateLimiter};

/// A request at the door.
#[derive(Debug)]
pub(super) struct Entry {
    guard: Arc<Guard>,
    rate: Arc<RateLimiter>,
    ruling: OnceLock<Ruling>,
}

/// What was decided about a request.
#[derive(Debug)]
pub(super) struct Ruling {
    pub admission: Result<Admitted, Denial>,
    /// What is left of the budget of a caller who was let in, where there is a limit.
    pub budget: Option<Decision>,
}

impl Entry {
    pub(super) fn new(guard: Arc<Guard>, rate: &Arc<RateLimiter>) -> Entry {
        Entry {
            guard,
            rate: Arc::clone(rate),
            ruling: OnceLock::new(),
        }
    }

    /// The ruling, in a transaction of its own where no other has made it.
    pub(super) async fn decide(self: &Arc<Self>, app: &App) -> Result<&Ruling, ApiError> {
        if self.ruling.get().is_none() {
            let (now, entry) = (app.now(), Arc::clone(self));
            let decided = app
                .store
                .point(move |tx| Ok(entry.rule(tx, now).map(|_| ())?));
            decided.await?;
        }
        self.ruling.get().ok_or(ApiError::new(Reason::Internal))
    }

    fn rule(&self, tx: &mut dyn Tx, now: Micros) -> Result<&Ruling, Fault> {
        if let Some(ruling) = self.ruling.get() {
            return Ok(ruling);
        }
        let admission = self.guard.admit(tx, now)?;
        let admitted = admission.as_ref().ok();
        let budget = admitted.and_then(|admitted| self.rate.check(&admitted.actor));
        Ok(self.ruling.get_or_init(|| Ruling { admission, budget }))
    }

    /// Reads for a caller who is let in.
    fn rule_and_read<T>(
        &self,
        tx: &mut dyn Tx,
        now: Micros,
        read: impl FnOnce(&mut dyn Tx, &Place) -> Result<T, Abort>,
    ) -> Result<Result<T, ApiError>, Abort> {
        match self.rule(tx, now)?.admitted() {
            Ok(_) => read(tx, &self.guard.place).map(Ok),
            Err(refused) => Ok(Err(refused)),
        }
    }
}

impl Ruling {
    /// Who was let in, if their budget allows one more request.
    pub(super) fn admitted(&self) -> Result<&Admitted, ApiError> {
        let admitted = self.admission.as_ref().map_err(|denial| refusal(*denial))?;
        let spent = self.budget.as_ref().filter(|budget| !budget.allowed);
        match spent {
            None => Ok(admitted),
            Some(budget) => {
                let seconds = u64::from(budget.retry_after.unwrap_or(1));
                Err(ApiError::new(Reason::RateLimited).retry_after(seconds))
            }
        }
    }
}

pub(super) fn refusal(denial: Denial) -> ApiError {
    ApiError::new(match denial {
        Denial::UnknownKey => Reason::InvalidApiKey,
        Denial::KeyRevoked => Reason::ApiKeyRevoked,
        Denial::KeyExpired => Reason::ApiKeyExpired,
        Denial::ScopeMissing => Reason::InsufficientScope,
        Denial::PersonRequired => Reason::SessionRequired,
        Denial::SessionEnded => Reason::SessionExpired,
        Denial::Forbidden => Reason::Forbidden,
        Denial::NoSuchProject => Reason::NotFound,
    })
}

/// Whether somebody administers the team of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Administers {
    Yes,
    No,
}

impl From<bool> for Administers {
    fn from(does: bool) -> Administers {
        match does {
            true => Administers::Yes,
            false => Administers::No,
        }
    }
}

/// A caller who asks to read in a project. The transaction that reads admits the caller, so that a read costs
/// one transaction and not two.
#[derive(Clone, Debug)]
pub struct ProjectRead(Arc<Entry>);

impl ProjectRead {
    pub(super) fn new(entry: &Arc<Entry>) -> ProjectRead {
        ProjectRead(Arc::clone(entry))
    }

    /// Where the caller wants to read.
    pub fn place(&self) -> &Place {
        &self.0.guard.place
    }

    /// Whether the caller has another right in the project too.
    pub async fn has(&self, app: &App, scope: Scope) -> Result<bool, ApiError> {
        self.holds(app, Right::Project(scope)).await
    }

    /// Whether the caller may administer the team too.
    pub async fn administers(&self, app: &App) -> Result<bool, ApiError> {
        self.holds(app, Right::TeamAdmin).await
    }

    async fn holds(&self, app: &App, right: Right) -> Result<bool, ApiError> {
        let guard = Guard {
            right,
            ..(*self.0.guard).clone()
        };
        let now = app.now();
        let admitted = app.store.point(move |tx| Ok(guard.admit(tx, now)?.is_ok()));
        Ok(admitted.await?)
    }

    /// Runs a bounded read in the project for a caller who may; see
    /// [`Store::point`](billstack_store::store::Store::point).
    pub async fn point<T: Send + 'static>(
        &self,
        app: &App,
        mut read: impl FnMut(&mut dyn Tx, &Place) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (entry, now) = (Arc::clone(&self.0), app.now());
        let admitted = move |tx: &mut dyn Tx| {
            if entry.ruling.get().is_some() || !entry.guard.ask_ahead(tx)? {
                return entry.rule_and_read(tx, now, &mut read);
            }
            // The look-up of the key travels with the first question of the read, whose rows go nowhere before
            // the ruling.
            let found = read(tx, &entry.guard.place);
            if let Err(Abort::Fault(fault)) = found {
                return Err(fault.into());
            }
            entry.rule_and_read(tx, now, |_, _| found)
        };
        app.store.point(admitted).await?
    }

    /// [`ProjectRead::point`] for a read that may touch many rows: it begins once the caller is let in.
    pub async fn scan<T: Send + 'static>(
        &self,
        app: &App,
        weight: Weight,
        mut read: impl FnMut(&mut dyn Tx, &Place) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (entry, now) = (Arc::clone(&self.0), app.now());
        let admitted = move |tx: &mut dyn Tx| entry.rule_and_read(tx, now, &mut read);
        let team = self.0.guard.place.team_id.number();
        app.store.scan_for(Share { team, weight }, admitted).await?
    }
}

impl<S: Sync> FromRequestParts<S> for ProjectRead {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // Missing only where a handler that changes something asks for it: a defect, and refused.
        let access = parts.extensions.get::<ProjectRead>().cloned();
        access.ok_or(ApiError::new(Reason::Internal))
    }
}
