//! What was received, for assertions.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// One request as it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The parameters of the query (GET, DELETE) or of the form body (POST), brackets resolved.
    pub params: Value,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// The API key.
    pub api_key: Option<String>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
    /// The `Stripe-Version` header.
    pub stripe_version: Option<String>,
    /// The `Stripe-Context` header.
    pub stripe_context: Option<String>,
    /// The `Request-Id` given to it.
    pub request_id: String,
    /// The customer whom it is about, if any: named in the path or among the parameters. One named by
    /// the account that stands for it is meant here by its own id.
    pub customer: Option<String>,
    /// Its place among all beginnings and ends of requests.
    pub began: u64,
    /// The place of its end; none while it is being worked on. A caller may have left before.
    pub ended: Option<u64>,
    /// The status it was answered with; none while it is being worked on, or when its connection was
    /// broken on purpose.
    pub answered: Option<u16>,
}

impl Received {
    /// Whether it may change something.
    pub fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// Whether this and another request were in flight at the same time.
    pub fn overlaps(&self, other: &Self) -> bool {
        let ends_after = |one: &Self, place: u64| one.ended.is_none_or(|ended| ended > place);
        ends_after(self, other.began) && ends_after(other, self.began)
    }
}

/// The list of received requests.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    entries: Vec<Received>,
    places: u64,
}

impl Journal {
    /// Notes the beginning of a request, and tells it its place.
    pub(crate) fn push(&self, received: &mut Received) {
        let mut pages = self.pages();
        received.began = pages.next();
        pages.entries.push(received.clone());
    }

    /// Notes the end of a request.
    pub(crate) fn ended(&self, request_id: &str, status: Option<u16>) {
        let mut pages = self.pages();
        let place = pages.next();
        let mut entries = pages.entries.iter_mut().rev();
        if let Some(entry) = entries.find(|entry| entry.request_id == request_id) {
            entry.ended = Some(place);
            entry.answered = status;
        }
    }

    /// The pairs of writes to one customer that were in flight at the same time.
    pub(crate) fn overlaps(&self) -> Vec<(Received, Received)> {
        let mut of_customer: BTreeMap<String, Vec<Received>> = BTreeMap::new();
        for entry in self.all().into_iter().filter(Received::is_write) {
            if let Some(customer) = entry.customer.clone() {
                of_customer.entry(customer).or_default().push(entry);
            }
        }
        let mut found = Vec::new();
        for writes in of_customer.values() {
            for (index, earlier) in writes.iter().enumerate() {
                let later = writes[index + 1..].iter();
                let beside = later.filter(|later| earlier.overlaps(later));
                found.extend(beside.map(|later| (earlier.clone(), later.clone())));
            }
        }
        found
    }

    pub(crate) fn all(&self) -> Vec<Received> {
        self.pages().entries.clone()
    }

    pub(crate) fn clear(&self) {
        self.pages().entries.clear();
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn next(&mut self) -> u64 {
        self.places += 1;
        self.places
    }
}
