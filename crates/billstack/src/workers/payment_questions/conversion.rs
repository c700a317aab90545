//! Asking for everything that the credits of a conversion depend on.

use billstack_core::payments::{Fact, Facts, PaidBy, paid_by, qualifying};

use super::Asking;
use crate::error::ApiError;
use crate::stripe::{About, One};

impl Asking<'_> {
    /// Asks for the first payment of a subscription, of which so much is known, and for what was lost of it. Where no
    /// payment is known, for one, and whether the subscription has ended.
    pub(in crate::workers) async fn conversion(
        &mut self,
        known: &Facts,
        subscription: &str,
    ) -> Result<(), ApiError> {
        match qualifying(known, subscription) {
            Some(invoice) => {
                self.one(One::Invoice(invoice)).await?;
            }
            None => {
                self.one(One::Subscription(subscription)).await?;
                self.invoices_of(subscription).await?;
            }
        }
        let Some(invoice) = qualifying(&self.all(known), subscription).map(str::to_owned) else {
            return Ok(());
        };
        self.list(About::InvoicePaymentsOfInvoice(&invoice)).await?;
        self.list(About::CreditNotesOfInvoice(&invoice)).await?;
        for payment in paid_by(&self.all(known), subscription) {
            self.losses(known, &payment).await?;
        }
        Ok(())
    }

    /// What is known together with what was told.
    fn all(&self, known: &Facts) -> Facts {
        let mut all = known.clone();
        all.hear(&self.told);
        all
    }

    /// Asks what was lost of a payment, and how much its charges took, where that is not known.
    async fn losses(&mut self, known: &Facts, payment: &PaidBy) -> Result<(), ApiError> {
        let mut of_charges: Vec<String> = Vec::new();
        for charge in &payment.charges {
            let refunds = self.list(About::RefundsOfCharge(charge)).await?;
            let disputes = self.list(About::DisputesOfCharge(charge)).await?;
            of_charges.extend(charges_in(&refunds.facts));
            of_charges.extend(charges_in(&disputes.facts));
        }
        if payment.charges.is_empty() {
            for intent in &payment.intents {
                let refunds = self.list(About::RefundsOfIntent(intent)).await?;
                let disputes = self.list(About::DisputesOfIntent(intent)).await?;
                of_charges.extend(charges_in(&refunds.facts));
                of_charges.extend(charges_in(&disputes.facts));
            }
        }
        of_charges.sort();
        of_charges.dedup();
        let all = self.all(known);
        let is_known = |id: &str| {
            let is_it = |fact: &Fact| matches!(fact, Fact::Charge(charge) if charge.id == id);
            all.iter().any(is_it)
        };
        for charge in of_charges.iter().filter(|charge| !is_known(charge)) {
            self.one(One::Charge(charge)).await?;
        }
        Ok(())
    }
}

/// The charges of refunds and disputes.
fn charges_in(facts: &[Fact]) -> impl Iterator<Item = String> {
    facts.iter().filter_map(|fact| match fact {
        Fact::Refund(refund) => refund.charge.clone(),
        Fact::Dispute(dispute) => dispute.charge.clone(),
        _ => None,
    })
}
