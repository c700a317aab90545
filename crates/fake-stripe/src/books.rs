//! The objects that the fake holds, one set for test mode and one for live mode.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::generation::Generation;
use crate::happening::Happening;
use crate::ids;

/// Objects of one kind, in the order in which they were put in.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    places: HashMap<String, u64>,
    objects: BTreeMap<u64, Value>,
    next: u64,
}

impl Collection {
    /// Puts in an object under its `id`, or replaces the one with that id in its place.
    ///
    /// # Panics
    /// When the object has no `id`.
    pub fn put(&mut self, object: Value) {
        let id = object["id"]
            .as_str()
            .expect("an object has an id")
            .to_owned();
        let place = *self.places.entry(id).or_insert_with(|| {
            self.next += 1;
            self.next
        });
        self.objects.insert(place, object);
    }

    /// The object with this id.
    pub fn get(&self, id: &str) -> Option<&Value> {
        self.objects.get(self.places.get(id)?)
    }

    /// The object with this id, to be changed.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Value> {
        self.objects.get_mut(self.places.get(id)?)
    }

    /// Takes out the object with this id, as if it had never been.
    pub fn remove(&mut self, id: &str) -> Option<Value> {
        self.objects.remove(&self.places.remove(id)?)
    }

    /// The objects, newest first: by `created`, and within a second the last one put in first.
    pub fn newest_first(&self) -> Vec<&Value> {
        let mut objects: Vec<&Value> = self.objects.values().rev().collect();
        objects.sort_by_key(|object| Reverse(object["created"].as_i64().unwrap_or_default()));
        objects
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

/// All objects of one mode.
#[derive(Debug, Clone)]
pub struct Books {
    /// The account, answered to `GET /v1/account`.
    pub account: Value,
    /// Customers; a deleted one is left as `{"id", "object", "deleted": true}`.
    pub customers: Collection,
    /// Subscriptions.
    pub subscriptions: Collection,
    /// Checkout sessions.
    pub checkout_sessions: Collection,
    /// Customer balance transactions, of all customers.
    pub balance_transactions: Collection,
    /// Invoices. These and the following hold the members of all versions.
    pub invoices: Collection,
    /// What paid which invoice.
    pub invoice_payments: Collection,
    /// Payment intents.
    pub payment_intents: Collection,
    /// Charges.
    pub charges: Collection,
    /// Refunds.
    pub refunds: Collection,
    /// Disputes.
    pub disputes: Collection,
    /// Credit notes.
    pub credit_notes: Collection,
    /// Whether a charge goes on counting a refund that failed or was canceled.
    pub failed_refunds_stay: bool,
    /// Events: those the API calls caused, and what a test put in.
    pub events: Collection,
    /// Thin events: what a test took or put in.
    pub thin_events: Collection,
    /// Webhook endpoints, as they are listed: without their secrets.
    pub webhook_endpoints: Collection,
    /// The signing secrets of webhook endpoints, by id.
    pub webhook_secrets: BTreeMap<String, String>,
    /// Objects of related accounts, by id, with the `Stripe-Context` that a call for one must name.
    pub contexts: BTreeMap<String, String>,
    /// For how many seconds a new customer is not found by a search.
    pub search_delay: i64,
    /// For how many seconds a new balance transaction is missing from the list of its customer.
    pub line_delay: i64,
    /// The account's default version: that of `GET /v1/events`, and of requests that name none.
    pub default_generation: Generation,
    /// What happened and was not yet taken as an event.
    pub(crate) untold: Vec<Happening>,
}

impl Books {
    pub(crate) fn new(account_name: &str, default_generation: Generation) -> Self {
        Self {
            account: account(account_name),
            customers: Collection::default(),
            subscriptions: Collection::default(),
            checkout_sessions: Collection::default(),
            balance_transactions: Collection::default(),
            invoices: Collection::default(),
            invoice_payments: Collection::default(),
            payment_intents: Collection::default(),
            charges: Collection::default(),
            refunds: Collection::default(),
            disputes: Collection::default(),
            credit_notes: Collection::default(),
            failed_refunds_stay: false,
            events: Collection::default(),
            thin_events: Collection::default(),
            webhook_endpoints: Collection::default(),
            webhook_secrets: BTreeMap::default(),
            contexts: BTreeMap::default(),
            search_delay: 0,
            line_delay: 0,
            default_generation,
            untold: Vec::new(),
        }
    }

    /// A customer that has not been deleted, by its id or that of the account that stands for it.
    pub(crate) fn customer_mut(&mut self, id: &str) -> Option<&mut Value> {
        let id = match self.customers.get(id) {
            Some(_) => id.to_owned(),
            None => self.customer_of_account(id)?,
        };
        let customer = self.customers.get_mut(&id);
        customer.filter(|customer| customer["deleted"] != true)
    }

    /// The id of the customer for whom an account stands.
    pub(crate) fn customer_of_account(&self, account: &str) -> Option<String> {
        let customers = self.customers.objects.values();
        let mut known = customers.filter(|customer| customer["customer_account"] == account);
        known.next()?["id"].as_str().map(str::to_owned)
    }

    /// The object behind an id, whatever its kind.
    pub(crate) fn find(&self, id: &str) -> Option<&Value> {
        let collection = match id.split('_').next()? {
            "cus" => &self.customers,
            "sub" => &self.subscriptions,
            "cs" => &self.checkout_sessions,
            "cbtxn" => &self.balance_transactions,
            "in" => &self.invoices,
            "inpay" => &self.invoice_payments,
            "pi" => &self.payment_intents,
            "ch" | "py" => &self.charges,
            "re" | "pyr" => &self.refunds,
            "du" => &self.disputes,
            "cn" => &self.credit_notes,
            "evt" => &self.events,
            _ => return None,
        };
        collection.get(id)
    }
}

fn account(name: &str) -> Value {
    json!({
        "id": ids::new("acct_1", 15),
        "object": "account",
        "business_profile": {"mcc": null, "name": name, "product_description": null, "support_email": null, "url": null},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": true,
        "controller": {"type": "account"},
        "country": "US",
        "default_currency": "usd",
        "details_submitted": true,
        "email": "owner@shop.example",
        "metadata": {},
        "payouts_enabled": true,
        "settings": {
            "branding": {"icon": null, "logo": null, "primary_color": null, "secondary_color": null},
            "dashboard": {"display_name": name, "timezone": "Etc/UTC"},
            "payments": {"statement_descriptor": "FAKE"}
        },
        "type": "standard"
    })
}
