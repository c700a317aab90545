//! What restricted keys may do.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::StripeError;
use crate::journal::Received;

/// The permission that each part of the API belongs to, without `_read` or `_write`.
const PARTS: [(&str, &str); 14] = [
    ("/v1/account", "rak_connected_account"),
    ("/v1/charges", "rak_charge"),
    ("/v1/checkout/sessions", "rak_checkout_session"),
    ("/v1/credit_notes", "rak_credit_note"),
    ("/v1/customers", "rak_customer"),
    ("/v1/disputes", "rak_dispute"),
    ("/v1/events", "rak_event"),
    ("/v1/invoice_payments", "rak_invoice"),
    ("/v1/invoices", "rak_invoice"),
    ("/v1/payment_intents", "rak_payment_intent"),
    ("/v1/refunds", "rak_charge"),
    ("/v1/subscriptions", "rak_subscription"),
    ("/v1/webhook_endpoints", "rak_webhook"),
    ("/v2/core/events", "rak_event"),
];

/// The permissions of the keys that have been restricted; any other key may do everything.
#[derive(Debug, Default)]
pub(crate) struct Permissions(BTreeMap<String, BTreeSet<String>>);

impl Permissions {
    /// Lets a key do this and no more.
    pub(crate) fn restrict<'p>(&mut self, key: &str, to: impl IntoIterator<Item = &'p str>) {
        let granted = to.into_iter().map(str::to_owned).collect();
        self.0.insert(key.to_owned(), granted);
    }

    /// Refuses a request that needs what its key has not been granted.
    pub(crate) fn check(&self, received: &Received) -> Result<(), StripeError> {
        let key = received.api_key.as_deref().unwrap_or_default();
        let Some(granted) = self.0.get(key) else {
            return Ok(());
        };
        let Some(part) = part(&received.path) else {
            return Ok(());
        };
        let write = format!("{part}_write");
        let needed = match &*received.method {
            "GET" => format!("{part}_read"),
            _ => write.clone(),
        };
        // Whoever may write may read.
        if granted.contains(&needed) || granted.contains(&write) {
            return Ok(());
        }
        Err(StripeError::forbidden(
            "more_permissions_required",
            format!(
                "The provided key '{}' does not have the required permissions for this endpoint. \
                 Having the '{needed}' permission would allow this request to continue.",
                crate::auth::masked(key)
            ),
        ))
    }
}

fn part(path: &str) -> Option<&'static str> {
    let found = PARTS.iter().find(|(start, _)| {
        let rest = path.strip_prefix(start);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    found.map(|(_, part)| *part)
}
