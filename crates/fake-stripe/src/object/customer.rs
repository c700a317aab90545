//! The `customer` object.

use serde_json::{Map, Value, json};

use super::{DEFAULT_CREATED, EventObject, extend};
use crate::generation::Generation;

/// Builds a `customer`.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    id: String,
    email: Option<String>,
    name: Option<String>,
    created: i64,
    account: Option<String>,
    currency: Option<String>,
    balance: i64,
    cash: Option<(i64, String)>,
    metadata: Map<String, Value>,
}

impl Customer {
    /// A customer with this id and nothing else.
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            email: None,
            name: None,
            created: DEFAULT_CREATED,
            account: None,
            currency: None,
            balance: 0,
            cash: None,
            metadata: Map::new(),
        }
    }

    /// Sets the e-mail address.
    #[must_use]
    pub fn email(self, email: &str) -> Self {
        Self {
            email: Some(email.to_owned()),
            ..self
        }
    }

    /// Sets the name.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            ..self
        }
    }

    /// Sets when it was created, in seconds since 1970.
    #[must_use]
    pub fn created(self, created: i64) -> Self {
        Self { created, ..self }
    }

    /// Sets the account that stands for it; only [`Generation::Endive`] shows it.
    #[must_use]
    pub fn account(self, account: &str) -> Self {
        Self {
            account: Some(account.to_owned()),
            ..self
        }
    }

    /// Sets its currency; the first balance transaction, subscription or invoice does so otherwise.
    #[must_use]
    pub fn currency(self, currency: &str) -> Self {
        Self {
            currency: Some(currency.to_owned()),
            ..self
        }
    }

    /// Sets what it owes in its currency, below zero for a credit that no line tells of.
    #[must_use]
    pub fn balance(self, balance: i64) -> Self {
        Self { balance, ..self }
    }

    /// Gives it money of its own, from a bank transfer; shown only when `cash_balance` is expanded.
    #[must_use]
    pub fn cash_balance(self, amount: i64, currency: &str) -> Self {
        Self {
            cash: Some((amount, currency.to_owned())),
            ..self
        }
    }

    /// Adds one entry of `metadata`.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: &str) -> Self {
        self.metadata.insert(key.to_owned(), json!(value));
        self
    }
}

impl EventObject for Customer {
    fn render(&self, generation: Generation, livemode: bool) -> Value {
        let mut customer = json!({
            "id": self.id,
            "object": "customer",
            "address": null,
            "balance": self.balance,
            "created": self.created,
            "currency": self.currency,
            "default_source": null,
            "delinquent": false,
            "description": null,
            "discount": null,
            "email": self.email,
            "invoice_prefix": invoice_prefix(&self.id),
            "invoice_settings": {
                "custom_fields": null,
                "default_payment_method": null,
                "footer": null,
                "rendering_options": null
            },
            "livemode": livemode,
            "metadata": self.metadata,
            "name": self.name,
            "next_invoice_sequence": 1,
            "phone": null,
            "preferred_locales": [],
            "shipping": null,
            "tax_exempt": "none",
            "test_clock": null
        });
        if let Some((amount, currency)) = &self.cash {
            customer["cash_balance"] = json!({
                "object": "cash_balance", "available": {currency: amount}, "customer": self.id,
                "livemode": livemode, "settings": {"reconciliation_mode": "automatic"}
            });
        }
        if generation >= Generation::Endive {
            extend(&mut customer, json!({"customer_account": self.account}));
        }
        customer
    }
}

/// Eight characters that follow from the id.
fn invoice_prefix(id: &str) -> String {
    let tail: Vec<char> = id.chars().filter(char::is_ascii_alphanumeric).collect();
    tail.iter()
        .rev()
        .take(8)
        .map(char::to_ascii_uppercase)
        .collect()
}
