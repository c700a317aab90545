//! Sessions of payment links, drawn so that they often dispute a link.

use billstack_core::stripe_event::{Source, Start};
use billstack_store::intake::LinkAnswer;

use super::{Draw, Told};
use crate::model::Model;

impl Draw {
    /// A session of a payment link: it names a customer who may be linked, to a Stripe customer that may never
    /// have subscribed, and tells an address that may be theirs.
    pub(super) fn payment_link(&mut self, model: &Model, team: &str, start: Start) -> Told {
        let customers = model.customers.iter();
        let customers: Vec<_> = customers
            .filter(|c| c.at.0 == team && c.stripe.is_some())
            .collect();
        let Some(customer) = self.random.pick(&customers).copied() else {
            return Told {
                start,
                answer: None,
            };
        };
        let email = match self.random.one_in(4) {
            true => "stranger@example.com".to_owned(),
            false => customer.email.replacen('@', "+link@", 1),
        };
        let answer = customer.stripe.clone().filter(|_| !self.random.one_in(5));
        let never_subscribed = !self.random.one_in(4);
        Told {
            start: Start {
                source: Source::Session,
                stripe_customer_id: Some(format!("cus_link{}", self.events.len())),
                stripe_customer_account: None,
                client_reference_id: Some(customer.id.clone()),
                buyer_email: Some(email),
                billstack_customer_id: None,
                ..start
            },
            answer: answer.map(|stripe_customer_id| LinkAnswer {
                stripe_customer_id,
                never_subscribed,
            }),
        }
    }
}
