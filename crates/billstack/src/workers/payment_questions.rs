//! Asking Stripe about payments: which invoice one was for, what was refunded of it, when a subscription began.

mod conversion;

use std::collections::BTreeSet;

use billstack_core::ids::TeamId;
use billstack_core::payments::{Fact, Invoice, LinkKind, Told};
use billstack_core::stripe_event::{self, Hint, Meaning, read_object};
use billstack_core::time::Micros;
use billstack_store::payment_answers::{self, Answer, Answered};
use billstack_store::payments::asking::{self, Question};
use billstack_store::stripe_connection;
use billstack_store::work::Leased;
use billstack_store::{Abort, Actor};
use tokio::time::Instant;

use super::Next;
use super::asking::LONGEST;
use crate::app::App;
use crate::error::{ApiError, Reason};
use crate::settings::SecretText;
use crate::stripe::{About, Failure, One, StripeError};

/// A subscription that was asked for means the same as in the event of this type.
const FOUND: &str = "customer.subscription.updated";

/// Asks once, and takes the answer in.
pub(super) async fn work(app: &App, leased: &Leased) -> Result<Next, Abort> {
    let team_id = asking::team_of(leased)?;
    let look = {
        let (leased, team_id) = (leased.clone(), team_id.clone());
        app.store.point(move |tx| {
            let question = asking::question(tx, &leased)?;
            Ok((question, stripe_connection::get(tx, &team_id)?))
        })
    };
    let (question, connection) = look.await?;
    let asked = async {
        let key = match connection {
            Some(connection) => app.key_of(&team_id, &connection)?,
            None => None,
        };
        match key {
            Some(key) => ask(app, &team_id, &key, question).await,
            None => Ok(Answer::NobodyToAsk),
        }
    };
    let deadline = Instant::now() + LONGEST;
    let answer = match app.in_time(&team_id, deadline, asked).await {
        Ok(answer) => answer,
        Err(error) => return Ok(Next::PutOff(why(&error))),
    };
    let origin = app.origin(Actor::System, "job:payment_question");
    let leased = leased.clone();
    let taken = app.store.write(origin, move |tx, act| {
        payment_answers::answered(tx, act, &leased, &answer)
    });
    Ok(match taken.await? {
        Answered::Settled => Next::AsItIs,
        Answered::StillOpen(why) => Next::PutOff(why),
    })
}

/// Why it has to be asked again. A key that Stripe does not take is the team's to mend, and is warned of.
fn why(error: &ApiError) -> String {
    if error.reason == Reason::StripeRefused {
        tracing::warn!(%error, "a payment waits, because Stripe does not tell what it was for");
    }
    error.to_string()
}

async fn ask(
    app: &App,
    team_id: &TeamId,
    key: &SecretText,
    question: Question,
) -> Result<Answer, ApiError> {
    let mut asking = Asking::new(app, team_id, key);
    match question {
        Question::Nothing => {}
        Question::Payment {
            charge,
            intents,
            waits_until,
            refunded_at,
        } => {
            if let Some(charge) = charge.as_deref().filter(|_| refunded_at.is_some()) {
                asking.list(About::RefundsOfCharge(charge)).await?;
            }
            if waits_until.is_some() {
                asking.payment(charge.as_deref(), intents).await?;
            }
        }
        Question::Invoice(id) => asking.invoice(&id).await?,
        Question::Beginning(id) => return asking.beginning(&id).await,
    }
    Ok(asking.answer())
}

/// A question while it is asked.
pub(super) struct Asking<'a> {
    app: &'a App,
    team_id: &'a TeamId,
    key: &'a SecretText,
    /// Before anything was asked, so that whatever happened before is in the answers.
    pub(super) asked_at: Micros,
    pub(super) told: Told,
    hints: Vec<Hint>,
    /// What the key may not read.
    pub(super) lacks: Option<String>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(app: &'a App, team_id: &'a TeamId, key: &'a SecretText) -> Asking<'a> {
        Asking {
            app,
            team_id,
            key,
            asked_at: app.now(),
            told: Told::default(),
            hints: Vec::new(),
            lacks: None,
        }
    }

    fn answer(self) -> Answer {
        Answer::Payments {
            asked_at: self.asked_at,
            told: self.told,
            hints: self.hints,
            lacks: self.lacks,
        }
    }

    /// Finds the invoices that a payment was for, by its payment intents if there are any.
    async fn payment(
        &mut self,
        charge: Option<&str>,
        mut intents: Vec<String>,
    ) -> Result<(), ApiError> {
        let mut customers = Vec::new();
        if let (Some(charge), true) = (charge, intents.is_empty()) {
            let told = self.one(One::Charge(charge)).await?;
            let links = told.links.iter();
            let of_charge = links.filter(|link| link.kind == LinkKind::ChargeIntent);
            intents.extend(of_charge.map(|link| link.to.clone()));
            customers = told.stripe_customers;
        }
        let mut invoices = BTreeSet::new();
        for intent in &intents {
            let told = self.list(About::InvoicePaymentsOfIntent(intent)).await?;
            invoices.extend(invoices_paid(&told, |_| true));
        }
        if let (Some(charge), true) = (charge, intents.is_empty()) {
            // Stripe finds no payment by its charge, so the invoices of whoever paid are looked through.
            for customer in &customers {
                let listed = self.told_about(About::InvoicesOfCustomer(customer)).await?;
                invoices.extend(invoices_paid(&listed, |from| from == charge));
            }
        }
        for invoice in &invoices {
            self.invoice(invoice).await?;
        }
        // What the business wrote itself is no better than nothing where Stripe tells.
        if invoices.is_empty() && self.lacks.is_some() {
            for intent in &intents {
                self.hint(intent).await?;
            }
        }
        Ok(())
    }

    /// Asks for an invoice, and unless it is the first of its subscription for the others: the earliest counts.
    async fn invoice(&mut self, id: &str) -> Result<(), ApiError> {
        let told = self.one(One::Invoice(id)).await?;
        let subscription = invoices_in(&told)
            .filter(|invoice| !(invoice.is_first && invoice.paid > 0))
            .find_map(|invoice| invoice.subscription.clone());
        match subscription {
            Some(subscription) => self.invoices_of(&subscription).await,
            None => Ok(()),
        }
    }

    /// Asks for the invoices of a subscription.
    async fn invoices_of(&mut self, subscription: &str) -> Result<(), ApiError> {
        let listed = About::InvoicesOfSubscription(subscription);
        let mut listed = self.told_about(listed).await?;
        // What paid them is no matter until something is lost of it.
        listed.facts.retain(|fact| matches!(fact, Fact::Invoice(_)));
        let kind = LinkKind::InvoiceSubscription;
        listed.links.retain(|link| link.kind == kind);
        self.told.add(listed);
        Ok(())
    }

    async fn hint(&mut self, intent: &str) -> Result<(), ApiError> {
        let asking = self.app.stripe.one(self.key, One::Intent(intent));
        let object = self.allowed(asking).await?;
        let hint = object.and_then(|object| stripe_event::hint_of(object.get().as_bytes()));
        self.hints.extend(hint);
        Ok(())
    }

    async fn beginning(&mut self, id: &str) -> Result<Answer, ApiError> {
        let asking = self.app.stripe.one(self.key, One::Subscription(id));
        let object = self.allowed(asking).await?;
        let read = object.and_then(|object| {
            let read = read_object(FOUND, object.get().as_bytes(), self.asked_at);
            read.and_then(|meaning| match meaning {
                Meaning::Start(start) => Some(start),
                _ => None,
            })
        });
        match (read, self.lacks.take()) {
            (None, Some(lacks)) => Err(ApiError::new(Reason::StripeRefused).message(lacks)),
            (start, _) => Ok(Answer::Beginning {
                asked_at: self.asked_at,
                start,
            }),
        }
    }

    /// Asks for an object, adds what it says, and returns it.
    async fn one(&mut self, one: One<'_>) -> Result<Told, ApiError> {
        let asking = self.app.stripe.told_of(self.key, one, self.asked_at);
        let mut told = self.allowed(asking).await?.unwrap_or_default();
        // The refunds of a charge are listed; its total would ask for another list.
        told.facts
            .retain(|fact| !matches!(fact, Fact::ChargeStep(_)));
        self.told.add(told.clone());
        Ok(told)
    }

    /// Asks for a list, adds what it says, and returns it.
    async fn list(&mut self, about: About<'_>) -> Result<Told, ApiError> {
        let told = self.told_about(about).await?;
        self.told.add(told.clone());
        Ok(told)
    }

    async fn told_about(&mut self, about: About<'_>) -> Result<Told, ApiError> {
        let asking = self.app.stripe.told_about(self.key, about, self.asked_at);
        Ok(self.allowed(asking).await?.unwrap_or_default())
    }

    /// What Stripe answers in its time; `None` where there is nothing, or the key may not see it.
    async fn allowed<T>(
        &mut self,
        asking: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Option<T>, ApiError> {
        self.app.stripe_rates.wait(self.team_id).await;
        match asking.await {
            Ok(answer) => Ok(Some(answer)),
            Err(Failure::NotFound) => Ok(None),
            Err(Failure::PermissionMissing(name)) => {
                let name = name.unwrap_or_else(|| "a permission".to_owned());
                self.lacks = Some(format!("the team's secret key lacks {name}"));
                Ok(None)
            }
            Err(failure) => {
                if matches!(failure, Failure::RateLimited { .. }) {
                    self.app.stripe_rates.slow_down(self.team_id);
                }
                Err(StripeError::from(failure).into())
            }
        }
    }
}

fn invoices_in(told: &Told) -> impl Iterator<Item = &Invoice> {
    told.facts.iter().filter_map(|fact| match fact {
        Fact::Invoice(invoice) => Some(invoice),
        _ => None,
    })
}

/// The invoices that were paid, by whatever it is that was looked for.
fn invoices_paid(told: &Told, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
    let links = told.links.iter();
    let paid = links.filter(|link| match link.kind {
        LinkKind::ChargeInvoice | LinkKind::IntentInvoice => is_meant(&link.from),
        _ => false,
    });
    paid.map(|link| link.to.clone()).collect()
}
