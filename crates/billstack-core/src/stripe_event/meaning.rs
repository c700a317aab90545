//! What a subscription or a checkout session says about a referral.

use super::eligibility::{session_eligibility, subscription_eligibility};
use super::members::{LONGEST_ID, identifier, is_object, members, reference, root, text, time};
use super::money;
use crate::email;
use crate::ids::{IdKind, is_id};
use crate::money::Amount;
use crate::payments::{Fact, Invoice, NotPaid, SubscriptionEnd, Told, payment};
use crate::time::Micros;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What an event means to us.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// A type of event we do not act on.
    Irrelevant,
    /// A customer's relation to the business began, changed or ended, or failed to begin.
    Start(Box<Start>),
    /// Something happened to a payment.
    Money(Box<Told>),
    /// A thin event: its object has to be fetched and handed to [`read_object`].
    Thin {
        /// The id under which the object can be fetched.
        object_id: Option<String>,
        /// Whose it is, when it is not the account's itself: what the header `Stripe-Context` takes
        /// (<https://docs.stripe.com/context>).
        context: Option<String>,
    },
}

/// A subscription, a checkout session that leads to one, or an invoice that was paid for one, as an event shows it.
///
/// It is complete for every type of event we act on, also when the object can never convert a
/// referral: the customer can then still be found and told why.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Start {
    /// The id of the subscription, session or invoice; empty when the object has none that can be read, and
    /// then it is [`Eligibility::Never`].
    pub object_id: String,
    /// Which of them it is.
    pub source: Source,
    /// The subscription, when it is known: a session names it once it is complete.
    pub subscription_id: Option<String>,
    /// What it can do for a referral.
    pub eligibility: Eligibility,
    /// Why it does not count, as a short phrase; `None` exactly when it counts.
    pub reason: Option<String>,
    /// Whether it is in its trial, or may be: nothing has been paid for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_trial: bool,
    /// The invoice, if it is one. Its subscription began when the first of its invoices was made; of another one that
    /// is for others to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<Invoice>,
    /// When it began; the time of the event when the object does not say. One that was moved to Stripe from
    /// elsewhere was created there long after its `start_date`, and the earlier of the two counts
    /// (<https://docs.stripe.com/api/subscriptions/object#subscription_object-start_date>).
    pub began_at: Micros,
    /// When the event happened.
    pub occurred_at: Micros,
    /// When the subscription ended, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Micros>,
    /// The Stripe customer, `cus_…`.
    pub stripe_customer_id: Option<String>,
    /// The account that acts as a customer, `acct_…`. Since the API version of 2025-12-15 it can
    /// stand beside the customer or instead of it.
    pub stripe_customer_account: Option<String>,
    /// The reference a session was opened with. A buyer can set it through a payment link
    /// (<https://docs.stripe.com/payment-links/url-parameters>), so it proves nothing by itself.
    pub client_reference_id: Option<String>,
    /// The e-mail address of a session (`customer_details.email`), normalised. The buyer types it, so it proves
    /// nothing by itself either. It is not stored: nobody could be erased from it.
    #[serde(skip)]
    pub buyer_email: Option<String>,
    /// `metadata.billstackCustomerId`, written by the business: our customer's id.
    pub billstack_customer_id: Option<String>,
    /// `metadata.project_id`, written by the business or by us: the project that is meant.
    pub project_id: Option<String>,
}

impl Start {
    /// A payment for a subscription, if this is what an event tells of, or that nothing had to be paid for one: that
    /// converts nothing, and whoever asks why is told so.
    pub fn of_payment(told: &Told, occurred_at: Micros) -> Option<Start> {
        let invoice = told.facts.iter().find_map(|fact| match fact {
            Fact::Invoice(invoice) => Some(invoice),
            _ => None,
        })?;
        match payment(invoice, Amount::ZERO, invoice.currency) {
            Ok(_) | Err(NotPaid::NoMoney) => {}
            Err(_) => return None,
        }
        let named = |prefix: &str| {
            let of_kind = |id: &&String| id.starts_with(prefix) && is_customer_id(id);
            told.stripe_customers.iter().find(of_kind).cloned()
        };
        Some(Start {
            object_id: invoice.id.clone(),
            source: Source::Invoice,
            subscription_id: invoice.subscription.clone(),
            eligibility: Eligibility::Counts,
            reason: None,
            is_trial: false,
            began_at: invoice.created_at,
            occurred_at,
            stripe_customer_id: named("cus_"),
            stripe_customer_account: named("acct_"),
            client_reference_id: None,
            buyer_email: None,
            billstack_customer_id: None,
            project_id: None,
            invoice: Some(invoice.clone()),
            ended_at: None,
        })
    }

    /// The Stripe customer, and the account that acts as one, as far as they are named, each once.
    pub fn stripe_ids(&self) -> impl Iterator<Item = &str> {
        let customer = self.stripe_customer_id.as_deref();
        let account = self.stripe_customer_account.as_deref();
        let account = account.filter(|account| customer != Some(account));
        customer.into_iter().chain(account)
    }

    /// The id of the subscription, or of a session that names none: what every event about one
    /// subscription has in common.
    pub fn subscription(&self) -> &str {
        self.subscription_id.as_deref().unwrap_or(&self.object_id)
    }

    /// Since when its customer has been one: a session counts from its completion, since the page may have
    /// been open for long.
    pub fn customer_since(&self) -> Micros {
        match self.source {
            Source::Subscription | Source::Invoice => self.began_at,
            Source::Session => self.occurred_at,
        }
    }

    /// When the event happened, if the subscription counts by it. An invoice is no subscription.
    pub fn counted_at(&self) -> Option<Micros> {
        let counts = self.eligibility == Eligibility::Counts && self.source != Source::Invoice;
        counts.then_some(self.occurred_at)
    }

    /// The end of the subscription, if it has ended.
    pub fn end(&self) -> Option<Fact> {
        let (id, ended_at) = (self.subscription_id.clone()?, self.ended_at?);
        let at = money::second(self.occurred_at);
        Some(Fact::SubscriptionEnd(SubscriptionEnd { id, at, ended_at }))
    }

    /// Whether it has been a real subscription at any time.
    pub fn existed(&self) -> bool {
        let existed = matches!(self.eligibility, Eligibility::Counts | Eligibility::Past);
        existed && self.source != Source::Invoice
    }

    /// Whether the object itself says which of our customers it is about.
    pub fn is_hinted(&self) -> bool {
        self.client_reference_id.is_some() || self.billstack_customer_id.is_some()
    }

    /// The keys under which the event can be found again once its customer is known: `stripe:` and
    /// a Stripe id, or `customer:` and an id of ours. Sorted, each once.
    pub fn match_keys(&self) -> Vec<String> {
        let ours = [&self.client_reference_id, &self.billstack_customer_id];
        let mut keys: Vec<String> = self
            .stripe_ids()
            .map(|id| format!("stripe:{id}"))
            .chain(
                ours.into_iter()
                    .flatten()
                    .map(|id| format!("customer:{id}")),
            )
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// The kind of object a [`Start`] was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A subscription.
    Subscription,
    /// A checkout session.
    Session,
    /// An invoice of a subscription that was paid.
    Invoice,
}

/// What an object can do for a referral.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Eligibility {
    /// The customer subscribed: a pending referral converts.
    Counts,
    /// It may still come to count; another event will tell.
    Waits,
    /// The customer subscribed at some time, but this does not convert anything.
    Past,
    /// It never led, and will never lead, to a subscription.
    Never,
}

/// The types of event we act on.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    SubscriptionChanged,
    SubscriptionDeleted,
    SessionDone,
    SessionFailed,
    SessionExpired,
}

impl Kind {
    fn parse(kind: &str) -> Option<Kind> {
        match kind {
            "customer.subscription.created"
            | "customer.subscription.updated"
            | "customer.subscription.paused"
            | "customer.subscription.resumed" => Some(Kind::SubscriptionChanged),
            "customer.subscription.deleted" => Some(Kind::SubscriptionDeleted),
            "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
                Some(Kind::SessionDone)
            }
            "checkout.session.async_payment_failed" => Some(Kind::SessionFailed),
            "checkout.session.expired" => Some(Kind::SessionExpired),
            _ => None,
        }
    }

    const fn source(self) -> Source {
        match self {
            Kind::SubscriptionChanged | Kind::SubscriptionDeleted => Source::Subscription,
            Kind::SessionDone | Kind::SessionFailed | Kind::SessionExpired => Source::Session,
        }
    }
}

/// Reads the object of an event of type `kind` (without a leading `v1.`) that happened at
/// `occurred_at`. For thin events, whose object had to be fetched.
///
/// `None` when `object` is not a JSON object.
pub fn read_object(kind: &str, object: &[u8], occurred_at: Micros) -> Option<Meaning> {
    read(kind, root(object)?, None, occurred_at)
}

/// Whether events of this type (without a leading `v1.`) are acted on.
pub fn is_known(kind: &str) -> bool {
    Kind::parse(kind).is_some()
}

/// [`read_object`] on text that is known to be JSON, with what the event says that it was `before`.
pub(super) fn read(
    kind: &str,
    object: &RawValue,
    before: Option<&RawValue>,
    occurred_at: Micros,
) -> Option<Meaning> {
    if !is_object(object) {
        return None;
    }
    if let Some(kind) = Kind::parse(kind) {
        return start(kind, object, occurred_at).map(|start| Meaning::Start(Box::new(start)));
    }
    let told = money::read(kind, object, before, occurred_at).filter(|told| !told.is_empty());
    Some(told.map_or(Meaning::Irrelevant, |told| Meaning::Money(Box::new(told))))
}

fn start(kind: Kind, object: &RawValue, occurred_at: Micros) -> Option<Start> {
    let names = [
        "id",
        "created",
        "start_date",
        "ended_at",
        "customer",
        "customer_account",
        "metadata",
        "status",
        "mode",
        "payment_status",
        "client_reference_id",
        "customer_details",
        "subscription",
    ];
    let [
        id,
        created,
        start_date,
        ended_at,
        customer,
        account,
        metadata,
        status,
        mode,
        payment,
        client,
        details,
        subscription,
    ] = members(object, names)?;
    let [billstack_customer, project] = metadata
        .and_then(|metadata| members(metadata, ["billstackCustomerId", "project_id"]))
        .unwrap_or_default();

    let object_id = identifier(id);
    let source = kind.source();
    let (eligibility, reason) = match (&object_id, source) {
        (None, _) => (Eligibility::Never, Some("object without an id")),
        (_, Source::Session) => {
            session_eligibility(kind, text(mode).as_deref(), text(payment).as_deref())
        }
        _ => subscription_eligibility(kind, text(status).as_deref()),
    };
    let (subscription_id, client_reference_id, buyer_email) = match source {
        Source::Session => (
            reference(subscription),
            customer_id(client),
            email_of(details),
        ),
        _ => (object_id.clone(), None, None),
    };
    Some(Start {
        object_id: object_id.unwrap_or_default(),
        source,
        subscription_id,
        eligibility,
        reason: reason.map(str::to_owned),
        is_trial: is_trial(source, status, payment),
        invoice: None,
        began_at: began([created, start_date]).unwrap_or(occurred_at),
        occurred_at,
        ended_at: ended(kind, time(ended_at), occurred_at),
        stripe_customer_id: reference(customer).filter(|id| is_customer_id(id)),
        stripe_customer_account: reference(account).filter(|id| is_customer_id(id)),
        client_reference_id,
        buyer_email,
        billstack_customer_id: customer_id(billstack_customer),
        project_id: identifier(project),
    })
}

/// Whether a subscription is in its trial, or a session may have begun one.
fn is_trial(source: Source, status: Option<&RawValue>, payment: Option<&RawValue>) -> bool {
    match source {
        Source::Session => text(payment).as_deref() == Some("no_payment_required"),
        _ => text(status).as_deref() == Some("trialing"),
    }
}

/// The earlier of the times at which it may have begun.
fn began(times: [Option<&RawValue>; 2]) -> Option<Micros> {
    times.into_iter().filter_map(time).min()
}

/// When a subscription ended. One that is deleted has ended, whether it says when or not.
fn ended(kind: Kind, ended_at: Option<Micros>, occurred_at: Micros) -> Option<Micros> {
    match kind {
        Kind::SubscriptionDeleted => Some(ended_at.unwrap_or(occurred_at)),
        Kind::SubscriptionChanged => ended_at,
        Kind::SessionDone | Kind::SessionFailed | Kind::SessionExpired => None,
    }
}

/// Whether this is the id of a customer in Stripe (`cus_…`) or of an account that acts as one (`acct_…`): what
/// somebody can be linked to, and what can subscribe. A guest of Stripe's dashboard (`gcus_…`) can do neither
/// (<https://docs.stripe.com/payments/checkout/guest-customers>).
pub fn is_customer_id(text: &str) -> bool {
    let rest = ["cus_", "acct_"]
        .iter()
        .find_map(|kind| text.strip_prefix(kind));
    text.len() <= LONGEST_ID
        && rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

/// The address among the details of a customer.
fn email_of(details: Option<&RawValue>) -> Option<String> {
    let [typed] = members(details?, ["email"])?;
    email::normalize(&text(typed)?)
}

/// An id of one of our customers. Businesses put ids of their own there as well, and addresses: they are
/// no use to us, and nobody could be erased from them.
fn customer_id(raw: Option<&RawValue>) -> Option<String> {
    identifier(raw).filter(|id| id.starts_with(IdKind::Customer.prefix()) && is_id(id))
}
