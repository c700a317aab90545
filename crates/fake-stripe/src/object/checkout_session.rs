//! The `checkout.session` object.

use serde_json::{Map, Value, json};

use super::{CustomerRef, DEFAULT_CREATED, EventObject, extend};
use crate::generation::Generation;

const DAY: i64 = 24 * 60 * 60;

/// Builds a `checkout.session`.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckoutSession {
    id: String,
    mode: String,
    status: String,
    payment_status: String,
    customer: CustomerRef,
    customer_account: Option<String>,
    customer_email: Option<String>,
    client_reference_id: Option<String>,
    subscription: Option<String>,
    metadata: Map<String, Value>,
    created: i64,
    amount_total: i64,
    currency: String,
    success_url: String,
}

impl CheckoutSession {
    /// A completed and paid session that began a subscription of 20.00 usd, whose id follows from
    /// the session's.
    pub fn new(id: &str, customer: impl Into<CustomerRef>) -> Self {
        Self {
            id: id.to_owned(),
            mode: "subscription".to_owned(),
            status: "complete".to_owned(),
            payment_status: "paid".to_owned(),
            customer: customer.into(),
            customer_account: None,
            customer_email: None,
            client_reference_id: None,
            subscription: Some(format!("sub_{}", id.rsplit('_').next().unwrap_or(id))),
            metadata: Map::new(),
            created: DEFAULT_CREATED,
            amount_total: 2000,
            currency: "usd".to_owned(),
            success_url: "https://shop.example/thanks".to_owned(),
        }
    }

    /// Sets `subscription`, `payment` or `setup`; the latter two have no subscription.
    #[must_use]
    pub fn mode(self, mode: &str) -> Self {
        let subscription = self.subscription.filter(|_| mode == "subscription");
        Self {
            mode: mode.to_owned(),
            subscription,
            ..self
        }
    }

    /// Sets `open`, `complete` or `expired`.
    #[must_use]
    pub fn status(self, status: &str) -> Self {
        Self {
            status: status.to_owned(),
            ..self
        }
    }

    /// Sets `paid`, `unpaid` or `no_payment_required`.
    #[must_use]
    pub fn payment_status(self, status: &str) -> Self {
        Self {
            payment_status: status.to_owned(),
            ..self
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

    /// Sets the e-mail address, both `customer_email` and that of `customer_details`.
    #[must_use]
    pub fn customer_email(self, email: &str) -> Self {
        Self {
            customer_email: Some(email.to_owned()),
            ..self
        }
    }

    /// Sets `client_reference_id`.
    #[must_use]
    pub fn client_reference_id(self, reference: &str) -> Self {
        Self {
            client_reference_id: Some(reference.to_owned()),
            ..self
        }
    }

    /// Sets the id of the subscription, or none.
    #[must_use]
    pub fn subscription(self, subscription: Option<&str>) -> Self {
        Self {
            subscription: subscription.map(str::to_owned),
            ..self
        }
    }

    /// Adds one entry of `metadata`.
    #[must_use]
    pub fn metadata(mut self, key: &str, value: &str) -> Self {
        self.metadata.insert(key.to_owned(), json!(value));
        self
    }

    /// Sets when it was created, in seconds since 1970.
    #[must_use]
    pub fn created(self, created: i64) -> Self {
        Self { created, ..self }
    }

    /// Sets the total, in the smallest unit, and its currency.
    #[must_use]
    pub fn amount(self, total: i64, currency: &str) -> Self {
        Self {
            amount_total: total,
            currency: currency.to_owned(),
            ..self
        }
    }

    /// Sets where the buyer is sent afterwards.
    #[must_use]
    pub fn success_url(self, url: &str) -> Self {
        Self {
            success_url: url.to_owned(),
            ..self
        }
    }

    fn members_of(&self, generation: Generation) -> Value {
        let mut members = match generation {
            Generation::V2020 => json!({"shipping": null, "shipping_rate": null}),
            older if older < Generation::Basil => {
                json!({"shipping_details": null, "shipping_cost": null})
            }
            _ => json!({
                "collected_information": {"shipping_details": null}, "shipping_cost": null,
                "adaptive_pricing": {"enabled": false}, "discounts": [], "permissions": null, "wallet_options": null
            }),
        };
        if generation >= Generation::V2022 {
            let later = json!({
                "consent_collection": null, "currency_conversion": null, "custom_fields": [],
                "invoice": (self.mode == "subscription" && self.status == "complete")
                    .then(|| format!("in_{}", self.id.rsplit('_').next().unwrap_or(&self.id))),
                "payment_method_collection": "always"
            });
            extend(&mut members, later);
        }
        if generation >= Generation::Endive {
            extend(
                &mut members,
                json!({"customer_account": self.customer_account}),
            );
        }
        members
    }
}

impl EventObject for CheckoutSession {
    fn render(&self, generation: Generation, livemode: bool) -> Value {
        let tail = self.id.rsplit('_').next().unwrap_or(&self.id);
        let amount = (self.mode != "setup").then_some(self.amount_total);
        let details = json!({
            "address": null, "email": self.customer_email, "name": null, "phone": null, "tax_exempt": "none",
            "tax_ids": []
        });
        let url = (self.status == "open")
            .then(|| format!("https://checkout.stripe.test/c/pay/{}", self.id));
        let mut session = json!({
            "id": self.id,
            "object": "checkout.session",
            "after_expiration": null,
            "allow_promotion_codes": null,
            "amount_subtotal": amount,
            "amount_total": amount,
            "automatic_tax": {"enabled": false, "status": null},
            "billing_address_collection": null,
            "cancel_url": null,
            "client_reference_id": self.client_reference_id,
            "consent": null,
            "created": self.created,
            "currency": amount.map(|_| &self.currency),
            "customer": self.customer.to_json(),
            "customer_creation": matches!(self.mode.as_str(), "payment" | "setup").then_some("if_required"),
            "customer_details": (self.status == "complete" || self.customer_email.is_some()).then_some(details),
            "customer_email": self.customer_email,
            "expires_at": self.created + DAY,
            "livemode": livemode,
            "locale": null,
            "metadata": self.metadata,
            "mode": self.mode,
            "payment_intent": (self.mode == "payment" && self.status == "complete").then(|| format!("pi_{tail}")),
            "payment_link": null,
            "payment_method_options": {},
            "payment_method_types": ["card"],
            "payment_status": self.payment_status,
            "phone_number_collection": {"enabled": false},
            "recovered_from": null,
            "setup_intent": (self.mode == "setup").then(|| format!("seti_{tail}")),
            "shipping_address_collection": null,
            "shipping_options": [],
            "status": self.status,
            "submit_type": null,
            "subscription": self.subscription,
            "success_url": self.success_url,
            "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
            "url": url
        });
        extend(&mut session, self.members_of(generation));
        session
    }
}
