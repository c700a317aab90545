//! Reading objects and pages of them as Stripe sends them; what they mean is read elsewhere.

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
    /// The disputes of a charge.
    DisputesOfCharge(&'i str),
    /// The credit notes of an invoice.
    CreditNotesOfInvoice(&'i str),
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
            About::RefundsOfCharge(_) => "/v1/refunds",
            About::DisputesOfCharge(_) => "/v1/disputes",
            About::CreditNotesOfInvoice(_) => "/v1/credit_notes",
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

    /// An invoice as Stripe sends it.
    pub async fn invoice(&self, key: &SecretText, id: &str) -> Result<Box<RawValue>, Failure> {
        let path = format!("/v1/invoices/{}", plain(id)?);
        self.ask(self.request(Method::GET, &path, key)).await
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
