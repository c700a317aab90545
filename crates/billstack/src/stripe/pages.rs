//! Reading objects and pages of them as Stripe sends them; what they mean is read elsewhere.

use billstack_core::payments::Told;
use billstack_core::stripe_event;
use billstack_core::time::{Micros, SECOND};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{Failure, Silent, StripeClient};
use crate::settings::SecretText;

/// The most things on one page.
const PAGE: &str = "100";

/// How many pages of a list about one object are read: no payment has so many refunds.
const MOST_PAGES: usize = 20;

/// How many types of event can be asked for at once.
pub const MOST_TYPES: usize = 20;

/// A page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// In the order of Stripe, which is the newest first.
    pub rows: Vec<T>,
    /// After which one the next page begins; `None` on the last.
    pub after: Option<String>,
}

/// A list about one object.
#[derive(Clone, Copy, Debug)]
pub enum About<'i> {
    /// What a payment intent (`pi_…`) paid, of which invoices.
    InvoicePaymentsOfIntent(&'i str),
    /// What paid an invoice (`in_…`).
    InvoicePaymentsOfInvoice(&'i str),
    /// The refunds of a charge (`ch_…`, `py_…`).
    RefundsOfCharge(&'i str),
    /// The refunds of all charges of a payment intent.
    RefundsOfIntent(&'i str),
    /// The disputes of a charge.
    DisputesOfCharge(&'i str),
    /// The disputes of all charges of a payment intent.
    DisputesOfIntent(&'i str),
    /// The credit notes of an invoice.
    CreditNotesOfInvoice(&'i str),
    /// The invoices of a subscription (`sub_…`), with what paid them.
    InvoicesOfSubscription(&'i str),
    /// The invoices of a customer (`cus_…`) or of an account that acts as one (`acct_…`), with what paid them.
    InvoicesOfCustomer(&'i str),
}

/// An object that is asked for by its id.
#[derive(Clone, Copy, Debug)]
pub enum One<'i> {
    /// A charge (`ch_…`, `py_…`).
    Charge(&'i str),
    /// A payment intent (`pi_…`).
    Intent(&'i str),
    /// An invoice (`in_…`), with what paid it.
    Invoice(&'i str),
    /// A subscription (`sub_…`).
    Subscription(&'i str),
}

#[derive(Deserialize)]
pub(super) struct Listed<T> {
    data: Vec<T>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

impl<T> Listed<T> {
    /// The page, when each row has an id.
    pub(super) fn of(self, id: impl Fn(&T) -> &str) -> Page<T> {
        let last = self.data.last().filter(|_| self.has_more);
        Page {
            after: last.map(|row| id(row).to_owned()),
            rows: self.data,
        }
    }
}

impl<'i> About<'i> {
    fn path(self) -> &'static str {
        match self {
            About::InvoicePaymentsOfIntent(_) | About::InvoicePaymentsOfInvoice(_) => {
                "/v1/invoice_payments"
            }
            About::RefundsOfCharge(_) | About::RefundsOfIntent(_) => "/v1/refunds",
            About::DisputesOfCharge(_) | About::DisputesOfIntent(_) => "/v1/disputes",
            About::CreditNotesOfInvoice(_) => "/v1/credit_notes",
            About::InvoicesOfSubscription(_) | About::InvoicesOfCustomer(_) => "/v1/invoices",
        }
    }

    fn query(self) -> Vec<(&'static str, &'i str)> {
        match self {
            About::InvoicePaymentsOfIntent(id) => vec![
                ("payment[type]", "payment_intent"),
                ("payment[payment_intent]", id),
            ],
            About::InvoicePaymentsOfInvoice(id) | About::CreditNotesOfInvoice(id) => {
                vec![("invoice", id)]
            }
            About::RefundsOfCharge(id) | About::DisputesOfCharge(id) => vec![("charge", id)],
            About::RefundsOfIntent(id) | About::DisputesOfIntent(id) => {
                vec![("payment_intent", id)]
            }
            About::InvoicesOfSubscription(id) => {
                vec![("subscription", id), ("expand[]", "data.payments")]
            }
            About::InvoicesOfCustomer(id) => {
                let owner = match id.starts_with("acct_") {
                    true => "customer_account",
                    false => "customer",
                };
                vec![(owner, id), ("expand[]", "data.payments")]
            }
        }
    }
}

impl<'i> One<'i> {
    fn path(self) -> Result<String, Failure> {
        let (collection, id) = match self {
            One::Charge(id) => ("charges", id),
            One::Intent(id) => ("payment_intents", id),
            One::Invoice(id) => ("invoices", id),
            One::Subscription(id) => ("subscriptions", id),
        };
        Ok(format!("/v1/{collection}/{}", plain(id)?))
    }

    /// What would only be named otherwise.
    fn query(self) -> &'static [(&'static str, &'static str)] {
        match self {
            One::Invoice(_) => &[("expand[]", "payments")],
            One::Charge(_) | One::Intent(_) | One::Subscription(_) => &[],
        }
    }
}

impl StripeClient {
    /// A page of the account's events from one time until before another, in whole seconds, each as it was sent: in
    /// the version that was the account's own then. At most [`MOST_TYPES`] types can be asked for at once.
    pub async fn event_page(
        &self,
        key: &SecretText,
        types: &[&str],
        (from, until): (Micros, Micros),
        after: Option<&str>,
    ) -> Result<Page<Box<RawValue>>, Failure> {
        let seconds = |at: Micros| at.0.div_euclid(SECOND).to_string();
        let (from, until) = (seconds(from), seconds(until));
        let mut query = vec![
            ("created[gte]", from.as_str()),
            ("created[lt]", until.as_str()),
        ];
        query.extend(types.iter().map(|kind| ("types[]", *kind)));
        self.raw_page(key, "/v1/events", &query, after).await
    }

    /// An object as Stripe sends it.
    pub async fn one(&self, key: &SecretText, one: One<'_>) -> Result<Box<RawValue>, Failure> {
        let request = self.request(Method::GET, &one.path()?, key);
        self.ask(request.query(one.query())).await
    }

    /// What an object says about payments, which it shows at `asked_at`.
    pub async fn told_of(
        &self,
        key: &SecretText,
        one: One<'_>,
        asked_at: Micros,
    ) -> Result<Told, Failure> {
        let object = self.one(key, one).await?;
        let told = stripe_event::told_by(object.get().as_bytes(), asked_at);
        told.ok_or(Failure::Unknown(Silent::Unreadable))
    }

    /// What everything in a list about one object says about payments, which it shows at `asked_at`. That the refunds
    /// of a charge were listed is a fact of its own.
    pub async fn told_about(
        &self,
        key: &SecretText,
        about: About<'_>,
        asked_at: Micros,
    ) -> Result<Told, Failure> {
        let rows = self.all_about(key, about).await?;
        let mut told = Told::default();
        // The newest is listed first, and of two invoices the earlier counts.
        for row in rows.iter().rev() {
            let row = stripe_event::told_by(row.get().as_bytes(), asked_at);
            told.add(row.ok_or(Failure::Unknown(Silent::Unreadable))?);
        }
        if let About::RefundsOfCharge(charge) = about {
            told.facts
                .push(stripe_event::refunds_listed(charge, asked_at));
        }
        Ok(told)
    }

    /// Everything in a list about one object, each row as Stripe sends it.
    pub async fn all_about(
        &self,
        key: &SecretText,
        about: About<'_>,
    ) -> Result<Vec<Box<RawValue>>, Failure> {
        let (path, query) = (about.path(), about.query());
        let (mut rows, mut after) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let page = self.raw_page(key, path, &query, after.as_deref()).await?;
            rows.extend(page.rows);
            after = page.after;
            if after.is_none() {
                return Ok(rows);
            }
        }
        // A part of them would be taken for all.
        Err(Failure::Unknown(Silent::Unreadable))
    }

    async fn raw_page(
        &self,
        key: &SecretText,
        path: &str,
        query: &[(&str, &str)],
        after: Option<&str>,
    ) -> Result<Page<Box<RawValue>>, Failure> {
        let listed: Listed<Box<RawValue>> = self.page(key, path, query, after).await?;
        let last = listed.data.last().filter(|_| listed.has_more);
        let last = last.map(|row| serde_json::from_str::<Named>(row.get()));
        let last = last.transpose();
        Ok(Page {
            after: last
                .map_err(|_| Failure::Unknown(Silent::Unreadable))?
                .map(|last| last.id),
            rows: listed.data,
        })
    }

    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        key: &SecretText,
        path: &str,
        query: &[(&str, &str)],
        after: Option<&str>,
    ) -> Result<Listed<T>, Failure> {
        let request = self.request(Method::GET, path, key).query(query);
        let request = request.query(&[("limit", PAGE)]);
        let after = after.map(|after| [("starting_after", after)]);
        self.ask(request.query(after.as_slice().as_flattened()))
            .await
    }
}

/// An id that may stand in a path: it came from outside once, and must not lead the secret key elsewhere.
pub(super) fn plain(id: &str) -> Result<&str, Failure> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    match id.bytes().all(plain) && !id.is_empty() {
        true => Ok(id),
        false => Err(Failure::NotFound),
    }
}
