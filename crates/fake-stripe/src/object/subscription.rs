//! The `subscription` object.

use serde_json::{Map, Value, json};

use super::{CustomerRef, DEFAULT_CREATED, EventObject, extend};
use crate::generation::Generation;

const MONTH: i64 = 30 * 24 * 60 * 60;

/// Builds a `subscription` with one monthly item.
#[derive(Debug, Clone, PartialEq)]
pub struct Subscription {
    id: String,
    customer: CustomerRef,
    customer_account: Option<String>,
    status: String,
    collection_method: String,
    created: i64,
    start_date: Option<i64>,
    trial_end: Option<i64>,
    metadata: Map<String, Value>,
    price: String,
    amount: i64,
    currency: String,
}

impl Subscription {
    /// An active subscription of 20.00 usd a month.
    pub fn new(id: &str, customer: impl Into<CustomerRef>) -> Self {
        Self {
            id: id.to_owned(),
            customer: customer.into(),
            customer_account: None,
            status: "active".to_owned(),
            collection_method: "charge_automatically".to_owned(),
            created: DEFAULT_CREATED,
            start_date: None,
            trial_end: None,
            metadata: Map::new(),
            price: "price_monthly".to_owned(),
            amount: 2000,
            currency: "usd".to_owned(),
        }
    }

    /// Sets the account that stands for the customer; only [`Generation::Endive`] shows it.
    #[must_use]
    pub fn customer_account(self, account: &str) -> Self {
        Self {
            customer_account: Some(account.to_owned()),
            ..self
        }
    }

    /// Sets the status, such as `trialing` or `incomplete`.
    #[must_use]
    pub fn status(self, status: &str) -> Self {
        Self {
            status: status.to_owned(),
            ..self
        }
    }

    /// Sets `charge_automatically` or `send_invoice`.
    #[must_use]
    pub fn collection_method(self, method: &str) -> Self {
        Self {
            collection_method: method.to_owned(),
            ..self
        }
    }

    /// Sets when it was created, in seconds since 1970.
    #[must_use]
    pub fn created(self, created: i64) -> Self {
        Self { created, ..self }
    }

    /// Sets when it began, in seconds since 1970, if not when it was created: one that was moved in from
    /// elsewhere.
    #[must_use]
    pub fn start_date(self, start: i64) -> Self {
        Self {
            start_date: Some(start),
            ..self
        }
    }

    /// Gives it a trial until then, in seconds since 1970. The status is left alone.
    #[must_use]
    pub fn trial_end(self, end: i64) -> Self {
        Self {
            trial_end: Some(end),
            ..self
        }
    }

    /// Adds one entry of `metadata`.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: &str) -> Self {
        self.metadata.insert(key.to_owned(), json!(value));
        self
    }

    /// Sets the price of its item: id, amount in the smallest unit, currency.
    #[must_use]
    pub fn price(self, id: &str, amount: i64, currency: &str) -> Self {
        Self {
            price: id.to_owned(),
            amount,
            currency: currency.to_owned(),
            ..self
        }
    }

    fn period_end(&self) -> i64 {
        self.trial_end.unwrap_or(self.created + MONTH)
    }

    fn item(&self, generation: Generation, livemode: bool) -> Value {
        let product = self.price.replacen("price_", "prod_", 1);
        let mut item = json!({
            "id": self.id.replacen("sub_", "si_", 1),
            "object": "subscription_item",
            "billing_thresholds": null,
            "created": self.created,
            "metadata": {},
            "plan": {
                "id": self.price, "object": "plan", "active": true, "amount": self.amount,
                "amount_decimal": self.amount.to_string(), "billing_scheme": "per_unit", "created": self.created,
                "currency": self.currency, "interval": "month", "interval_count": 1, "livemode": livemode,
                "metadata": {}, "nickname": null, "product": product, "trial_period_days": null, "usage_type": "licensed"
            },
            "price": {
                "id": self.price, "object": "price", "active": true, "billing_scheme": "per_unit",
                "created": self.created, "currency": self.currency, "livemode": livemode, "lookup_key": null,
                "metadata": {}, "nickname": null, "product": product, "tax_behavior": "unspecified",
                "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
                "type": "recurring", "unit_amount": self.amount, "unit_amount_decimal": self.amount.to_string()
            },
            "quantity": 1,
            "subscription": self.id,
            "tax_rates": []
        });
        if generation >= Generation::Basil {
            let period = json!({
                "current_period_start": self.created, "current_period_end": self.period_end(), "discounts": []
            });
            extend(&mut item, period);
        }
        item
    }

    fn members_of(&self, generation: Generation) -> Value {
        let mut members = match generation {
            older if older < Generation::Basil => json!({
                "current_period_start": self.created, "current_period_end": self.period_end(), "discount": null
            }),
            older if older < Generation::Clover => json!({"discounts": []}),
            _ => json!({
                "discounts": [],
                "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}, "updated_at": null}
            }),
        };
        if generation >= Generation::V2022 {
            let later = json!({
                "application": null, "currency": self.currency, "description": null, "on_behalf_of": null,
                "test_clock": null
            });
            extend(&mut members, later);
        }
        if generation >= Generation::Endive {
            extend(
                &mut members,
                json!({"customer_account": self.customer_account, "status_details": null}),
            );
        }
        members
    }
}

impl EventObject for Subscription {
    fn render(&self, generation: Generation, livemode: bool) -> Value {
        let ended = matches!(self.status.as_str(), "canceled" | "incomplete_expired")
            .then_some(self.created);
        let mut subscription = json!({
            "id": self.id,
            "object": "subscription",
            "application_fee_percent": null,
            "automatic_tax": {"enabled": false},
            "billing_cycle_anchor": self.created,
            "cancel_at": null,
            "cancel_at_period_end": false,
            "canceled_at": ended,
            "collection_method": self.collection_method,
            "created": self.created,
            "customer": self.customer.to_json(),
            "days_until_due": (self.collection_method == "send_invoice").then_some(30),
            "default_payment_method": null,
            "default_source": null,
            "default_tax_rates": [],
            "ended_at": ended,
            "items": {
                "object": "list",
                "data": [self.item(generation, livemode)],
                "has_more": false,
                "total_count": 1,
                "url": format!("/v1/subscription_items?subscription={}", self.id)
            },
            "latest_invoice": self.id.replacen("sub_", "in_", 1),
            "livemode": livemode,
            "metadata": self.metadata,
            "next_pending_invoice_item_invoice": null,
            "pause_collection": null,
            "payment_settings": {
                "payment_method_options": null, "payment_method_types": null, "save_default_payment_method": "off"
            },
            "pending_invoice_item_interval": null,
            "pending_setup_intent": null,
            "pending_update": null,
            "schedule": null,
            "start_date": self.start_date.unwrap_or(self.created),
            "status": self.status,
            "transfer_data": null,
            "trial_end": self.trial_end,
            "trial_start": self.trial_end.map(|_| self.created)
        });
        extend(&mut subscription, self.members_of(generation));
        subscription
    }
}
