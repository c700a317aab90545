//! The calls we make.

use std::time::Duration;

use billstack_core::email;
use billstack_core::ids::ProjectId;
use billstack_core::stripe_event::{Meaning, Start, read_object};
use billstack_core::time::Micros;
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{StripeClient, StripeError};
use crate::settings::SecretText;

/// The most things on one page of a list.
const PAGE: &str = "100";

/// How many pages of subscriptions are read at most.
const MOST_PAGES: usize = 3;

/// A subscription that was asked for means the same as in the event of this type.
const FOUND: &str = "customer.subscription.updated";

/// How long the object of a thin event may take.
const OBJECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The account that a secret key belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// `acct_…`.
    pub id: String,
    /// The name its owner gave it.
    pub name: Option<String>,
}

/// A customer found by e-mail address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerFound {
    /// `cus_…`.
    pub id: String,
    /// The address in the form in which addresses are compared here.
    pub email: String,
    /// The customer of ours it was created for, when we created it.
    pub billstack_customer_id: Option<String>,
}

/// A customer to be created.
#[derive(Clone, Debug)]
pub struct NewStripeCustomer {
    /// E-mail address.
    pub email: String,
    /// Display name.
    pub name: Option<String>,
    /// The project it is created for.
    pub project_id: ProjectId,
    /// The customer of ours it will be.
    pub billstack_customer_id: String,
}

#[derive(Deserialize)]
struct Listed<T> {
    data: Vec<T>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct CustomerAnswer {
    id: String,
    email: Option<String>,
    #[serde(default)]
    created: i64,
    #[serde(default)]
    metadata: CustomerMetadata,
}

#[derive(Default, Deserialize)]
struct CustomerMetadata {
    billstack_customer_id: Option<String>,
}

#[derive(Deserialize)]
struct AccountAnswer {
    id: String,
    settings: Option<AccountSettings>,
    business_profile: Option<BusinessProfile>,
}

#[derive(Deserialize)]
struct AccountSettings {
    dashboard: Option<Dashboard>,
}

#[derive(Deserialize)]
struct Dashboard {
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct BusinessProfile {
    name: Option<String>,
}

impl StripeClient {
    /// The account of a key; the way to find out whether a key is valid. `None` for a restricted key, which
    /// may be valid and not read its account.
    pub async fn account(&self, key: &SecretText) -> Result<Option<Account>, StripeError> {
        let request = self.request(Method::GET, "/v1/account", key);
        let answer: AccountAnswer = match self.call(request).await {
            Err(StripeError::Refused { status: 403, .. }) => return Ok(None),
            answer => answer?,
        };
        let shown = answer.settings.and_then(|settings| settings.dashboard);
        let shown = shown.and_then(|dashboard| dashboard.display_name);
        let business = answer.business_profile.and_then(|profile| profile.name);
        let name = [shown, business].into_iter().flatten();
        Ok(Some(Account {
            id: answer.id,
            name: name.into_iter().find(|name| !name.is_empty()),
        }))
    }

    /// The customers of the mailbox behind a normalised e-mail address, the oldest first. `typed` is the
    /// address as it was sent, where that is known.
    ///
    /// A list compares case and knows at once what was created (<https://docs.stripe.com/api/customers/list>);
    /// a search does not compare case, and may know it a minute later
    /// (<https://docs.stripe.com/api/customers/search>). So both are asked.
    pub async fn customers_of_mailbox(
        &self,
        key: &SecretText,
        email: &str,
        typed: Option<&str>,
    ) -> Result<Vec<CustomerFound>, StripeError> {
        let mailbox = email::identity(email);
        let mut found = self.search_customers(key, email, &mailbox).await?;
        let mut spellings = vec![email, mailbox.as_str()];
        spellings.extend(typed);
        spellings.sort_unstable();
        spellings.dedup();
        for spelling in spellings {
            let request = self.request(Method::GET, "/v1/customers", key);
            let request = request.query(&[("email", spelling), ("limit", PAGE)]);
            let listed: Listed<CustomerAnswer> = self.call(request).await?;
            found.extend(listed.data);
        }
        found.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        found.dedup_by(|one, other| one.id == other.id);
        let theirs = found.into_iter().filter_map(|customer| {
            let email = email::normalize(customer.email.as_deref()?)?;
            (email::identity(&email) == mailbox).then_some(CustomerFound {
                id: customer.id,
                email,
                billstack_customer_id: customer.metadata.billstack_customer_id,
            })
        });
        Ok(theirs.collect())
    }

    /// Customers whose address may be the same mailbox: it is still to be compared. Empty where Stripe does not
    /// offer the search, or not to this key.
    async fn search_customers(
        &self,
        key: &SecretText,
        email: &str,
        mailbox: &str,
    ) -> Result<Vec<CustomerAnswer>, StripeError> {
        let request = self.request(Method::GET, "/v1/customers/search", key);
        let query = search_query(email, mailbox);
        let request = request.query(&[("query", query.as_str()), ("limit", PAGE)]);
        match self.call::<Listed<CustomerAnswer>>(request).await {
            Ok(answer) => Ok(answer.data),
            Err(StripeError::Refused { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Whether a customer has a subscription that has not ended.
    pub async fn has_live_subscription(
        &self,
        key: &SecretText,
        stripe_customer_id: &str,
        now: Micros,
    ) -> Result<bool, StripeError> {
        // Unless a status is asked for, Stripe leaves out those that have ended.
        let request = self.request(Method::GET, "/v1/subscriptions", key);
        let request = request.query(&[("customer", stripe_customer_id), ("limit", PAGE)]);
        let page: Listed<Box<RawValue>> = match self.call(request).await {
            Err(error) if error.is_missing() => return Ok(false),
            answer => answer?,
        };
        let mut starts = page.data.iter().filter_map(|object| found_in(object, now));
        Ok(starts.any(|start| start.existed()))
    }

    /// Creates a customer and tells its id. Attempts with the same number and the same members
    /// come to the same customer.
    pub async fn create_customer(
        &self,
        key: &SecretText,
        attempt: i64,
        new: &NewStripeCustomer,
    ) -> Result<String, StripeError> {
        let mut form = vec![
            ("email", new.email.as_str()),
            ("metadata[project_id]", new.project_id.as_str()),
            (
                "metadata[billstack_customer_id]",
                &new.billstack_customer_id,
            ),
        ];
        let name = new.name.as_deref().filter(|name| !name.trim().is_empty());
        form.extend(name.map(|name| ("name", name)));
        let request = self.request(Method::POST, "/v1/customers", key);
        let request = request.header("idempotency-key", idempotency_key(attempt, new));
        let answer: CustomerAnswer = self.call(request.form(&form)).await?;
        Ok(answer.id)
    }

    /// The subscriptions of a customer (`cus_…`) or account (`acct_…`), as they are at `now`, the newest
    /// first.
    pub async fn subscriptions(
        &self,
        key: &SecretText,
        stripe_customer_id: &str,
        now: Micros,
    ) -> Result<Vec<Start>, StripeError> {
        let owner = match stripe_customer_id.starts_with("acct_") {
            true => "customer_account",
            false => "customer",
        };
        let (mut found, mut after) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let request = self.request(Method::GET, "/v1/subscriptions", key);
            let mut query = vec![
                (owner, stripe_customer_id),
                ("status", "all"),
                ("limit", PAGE),
            ];
            query.extend(after.as_deref().map(|after| ("starting_after", after)));
            let page: Listed<Box<RawValue>> = self.call(request.query(&query)).await?;
            after = None;
            for object in &page.data {
                if let Some(start) = found_in(object, now) {
                    after = Some(start.object_id.clone());
                    found.push(start);
                }
            }
            if !page.has_more || after.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// The object of an event at a path of [`object_path`], as it is now; of the account that a context names.
    pub async fn object(
        &self,
        key: &SecretText,
        path: &str,
        context: Option<&str>,
    ) -> Result<Vec<u8>, StripeError> {
        let mut request = self.request(Method::GET, path, key);
        if let Some(context) = context {
            request = request.header("stripe-context", context);
        }
        self.send(request.timeout(self.timeout.min(OBJECT_TIMEOUT)))
            .await
    }
}

/// A subscription of a list.
fn found_in(object: &RawValue, now: Micros) -> Option<Start> {
    match read_object(FOUND, object.get().as_bytes(), now)? {
        Meaning::Start(start) => Some(*start),
        _ => None,
    }
}

/// The addresses of a mailbox in Stripe's search query language: the address, the mailbox, and those of the
/// mailbox that have a tag. See <https://docs.stripe.com/search#search-query-language>.
fn search_query(email: &str, mailbox: &str) -> String {
    let quoted = |text: &str| text.replace('\\', r"\\").replace('"', "\\\"");
    let mut clauses = vec![format!("email:\"{}\"", quoted(mailbox))];
    if email != mailbox {
        clauses.push(format!("email:\"{}\"", quoted(email)));
    }
    // A part must have three characters.
    let name = mailbox.split('@').next().unwrap_or_default();
    if name.chars().count() >= 2 {
        clauses.push(format!("email~\"{}+\"", quoted(name)));
    }
    clauses.join(" OR ")
}

/// The members are part of the key, because Stripe refuses a key that comes back with other members, and a
/// retry may correct the name.
fn idempotency_key(attempt: i64, new: &NewStripeCustomer) -> String {
    let mut hash = Sha256::new();
    for part in [
        &new.email,
        new.project_id.as_str(),
        new.name.as_ref().unwrap_or(&String::new()),
    ] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hex::encode(&hash.finalize()[..8]);
    format!("billstack-{}-{attempt}-{digest}", new.billstack_customer_id)
}

/// Where the object of a type of event is found: how its id may begin, and the path of its collection. The longest
/// beginning of a type counts.
const COLLECTIONS: &[(&str, &[&str], &str)] = &[
    ("customer.subscription.", &["sub_"], "/v1/subscriptions"),
    ("checkout.session.", &["cs_"], "/v1/checkout/sessions"),
    ("invoice.", &["in_"], "/v1/invoices"),
    ("invoice_payment.", &["inpay_"], "/v1/invoice_payments"),
    ("charge.", &["ch_", "py_"], "/v1/charges"),
    ("charge.refund.", &["re_", "pyr_"], "/v1/refunds"),
    ("charge.dispute.", &["dp_", "du_"], "/v1/disputes"),
    ("refund.", &["re_", "pyr_"], "/v1/refunds"),
    ("credit_note.", &["cn_"], "/v1/credit_notes"),
];

/// Where the object of a type of event is fetched. The address that an event names is never used:
/// it comes from outside, and the secret key would go there.
pub fn object_path(event_type: &str, object_id: &str) -> Option<String> {
    let kinds = COLLECTIONS
        .iter()
        .filter(|(kind, _, _)| event_type.starts_with(kind));
    let (_, prefixes, collection) = kinds.max_by_key(|(kind, _, _)| kind.len())?;
    let rest = prefixes
        .iter()
        .find_map(|prefix| object_id.strip_prefix(prefix))?;
    let plain = rest
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (plain && !rest.is_empty()).then(|| format!("{collection}/{object_id}"))
}
