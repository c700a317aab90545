//! Lines of a customer's balance in Stripe, and what decides whether one may be written.

use std::collections::{BTreeMap, BTreeSet};

use billstack_core::time::{Micros, SECOND};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::Value;

use super::pages::{Page, plain};
use super::{Failure, StripeClient};
use crate::settings::SecretText;

/// States of a subscription that is over, or never began.
const NOT_LIVE: [&str; 3] = ["canceled", "incomplete", "incomplete_expired"];

/// A line that Stripe has written, or had written before under the same key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Posted {
    /// `cbtxn_…`.
    pub id: String,
    /// Below zero it is a credit.
    pub amount: i64,
    /// In small letters.
    pub currency: String,
    /// The balance in that currency afterwards.
    pub ending_balance: i64,
    /// When, in seconds.
    pub created: i64,
}

/// A line of a customer's balance, whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BalanceLine {
    /// `cbtxn_…`.
    pub id: String,
    /// Below zero it is a credit.
    pub amount: i64,
    /// In small letters.
    pub currency: String,
    /// `adjustment`, `applied_to_invoice` …
    #[serde(rename = "type")]
    pub kind: String,
    /// The balance in that currency afterwards.
    pub ending_balance: i64,
    /// When, in seconds.
    pub created: i64,
    /// The invoice it was for.
    pub invoice: Option<String>,
    /// What the customer reads.
    pub description: Option<String>,
    /// What its author added.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

/// A customer, as far as it decides about credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerState {
    /// `cus_…` or `acct_…`.
    pub id: String,
    /// Whether it was deleted; nothing else is known of it then.
    pub deleted: bool,
    /// In small letters; `None` until something has fixed it.
    pub currency: Option<String>,
    /// Below zero it is a credit, in that currency.
    pub balance: i64,
    /// Whether Stripe holds money of the customer's own: then the balance cannot stay above zero.
    pub has_cash_balance: bool,
    /// Whether it is real money.
    pub livemode: bool,
}

#[derive(Deserialize)]
struct CustomerAnswer {
    id: String,
    #[serde(default)]
    deleted: bool,
    currency: Option<String>,
    #[serde(default)]
    balance: i64,
    cash_balance: Option<CashBalance>,
    #[serde(default)]
    livemode: bool,
}

#[derive(Deserialize)]
struct CashBalance {
    available: Option<Value>,
}

#[derive(Deserialize)]
struct Subscribed {
    id: String,
    status: String,
    currency: Option<String>,
}

impl StripeClient {
    /// Writes a line: sends this form, byte for byte, under this key, and sends it once. Whether to send it again is
    /// decided by who knows what was tried before.
    pub async fn post_balance_line(
        &self,
        key: &SecretText,
        stripe_customer_id: &str,
        idempotency_key: &str,
        form: &str,
    ) -> Result<Posted, Failure> {
        let path = balance_path(stripe_customer_id)?;
        let request = self.request(Method::POST, &path, key);
        let request = request
            .header("idempotency-key", idempotency_key)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.to_owned());
        self.once(request).await?.read()
    }

    /// A page of the lines of a customer's balance since a time, the newest first; `after` is the last line of the
    /// page before.
    pub async fn balance_lines(
        &self,
        key: &SecretText,
        stripe_customer_id: &str,
        since: Option<Micros>,
        after: Option<&str>,
    ) -> Result<Page<BalanceLine>, Failure> {
        let path = balance_path(stripe_customer_id)?;
        let since = since.map(|at| at.0.div_euclid(SECOND).to_string());
        let query = since.as_deref().map(|since| ("created[gte]", since));
        let lines = self.page(key, &path, query.as_slice(), after).await?;
        Ok(lines.of(|line: &BalanceLine| &line.id))
    }

    /// A line of a customer's balance; `None` when there is no such line. What was just written is found by its id
    /// while lists may not show it yet.
    pub async fn balance_line(
        &self,
        key: &SecretText,
        stripe_customer_id: &str,
        id: &str,
    ) -> Result<Option<BalanceLine>, Failure> {
        let path = format!("{}/{}", balance_path(stripe_customer_id)?, plain(id)?);
        match self.ask(self.request(Method::GET, &path, key)).await {
            Ok(line) => Ok(Some(line)),
            Err(Failure::NotFound) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// A customer as it is now.
    pub async fn customer_state(
        &self,
        key: &SecretText,
        stripe_customer_id: &str,
    ) -> Result<CustomerState, Failure> {
        let path = format!("/v1/customers/{}", plain(stripe_customer_id)?);
        let request = || self.request(Method::GET, &path, key);
        let expanded = request().query(&[("expand[]", "cash_balance")]);
        let found: CustomerAnswer = match self.ask(expanded).await {
            // A deleted customer has nothing to expand.
            Err(Failure::Refused(refused)) if refused.status == 400 => self.ask(request()).await?,
            outcome => outcome?,
        };
        let cash = found.cash_balance.and_then(|cash| cash.available);
        Ok(CustomerState {
            id: found.id,
            deleted: found.deleted,
            currency: found.currency,
            balance: found.balance,
            has_cash_balance: cash.is_some(),
            livemode: found.livemode,
        })
    }

    /// The currencies of the subscriptions of a customer that have begun and not ended.
    pub async fn live_currencies(
        &self,
        key: &SecretText,
        stripe_customer_id: &str,
    ) -> Result<BTreeSet<String>, Failure> {
        let owner = match stripe_customer_id.starts_with("acct_") {
            true => "customer_account",
            false => "customer",
        };
        let query = [(owner, stripe_customer_id)];
        let (mut currencies, mut after) = (BTreeSet::new(), None);
        loop {
            // Unless a status is asked for, Stripe leaves out those that were cancelled.
            let page = self.page(key, "/v1/subscriptions", &query, after.as_deref());
            let page = page.await?.of(|one: &Subscribed| &one.id);
            let live = page.rows.into_iter().filter(is_live);
            currencies.extend(live.filter_map(|one| one.currency));
            after = page.after;
            if after.is_none() {
                return Ok(currencies);
            }
        }
    }
}

fn is_live(subscription: &Subscribed) -> bool {
    !NOT_LIVE.contains(&subscription.status.as_str())
}

fn balance_path(stripe_customer_id: &str) -> Result<String, Failure> {
    let customer = plain(stripe_customer_id)?;
    Ok(format!("/v1/customers/{customer}/balance_transactions"))
}
