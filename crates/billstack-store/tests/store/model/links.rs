//! Links that an event shows to be wrong.

use billstack_core::stripe_event::{Eligibility, Start};

use super::{Customer, Model, mailbox};

impl Model {
    /// Links the one customer whom nothing but the reference names, if their link never subscribed, the buyer gave
    /// their address, and the one who pays is nobody's.
    pub(super) fn mend(&mut self, team: &str, start: &Start, never_subscribed: Option<&str>) {
        let payers = [&start.stripe_customer_id, &start.stripe_customer_account];
        let project = self.project(team, start);
        let wanted = |c: &Customer| project.as_ref().is_none_or(|named| *named == c.at.1);
        let anybody_pays = self
            .customers
            .iter()
            .any(|c| c.at.0 == team && c.stripe.is_some() && payers.contains(&&c.stripe));
        let named = |id: &Option<String>| -> Vec<usize> {
            let is = |c: &Customer| {
                c.at.0 == team && !c.erased && Some(&c.id) == id.as_ref() && wanted(c)
            };
            let all = 0..self.customers.len();
            all.filter(|index| is(&self.customers[*index])).collect()
        };
        let by_metadata = named(&start.billstack_customer_id);
        let by_reference = named(&start.client_reference_id);
        let (Some(pays), [index]) = (payers.into_iter().flatten().next(), &*by_reference) else {
            return;
        };
        let customer = &self.customers[*index];
        let buyer = start.buyer_email.as_deref().map(mailbox);
        let link = customer.stripe.as_deref();
        let name = link.map(|id| format!("stripe:{id}"));
        let was_of_use = self.known.iter().any(|((t, n, _), known)| {
            let here = known
                .project
                .as_ref()
                .is_none_or(|named| *named == customer.at.1);
            *t == team && Some(n) == name.as_ref() && here && known.existed
        });
        if start.eligibility == Eligibility::Counts
            && by_metadata.is_empty()
            && buyer == Some(mailbox(&customer.email))
            && !(anybody_pays || was_of_use)
            && link.is_some()
            && link == never_subscribed
        {
            let pays = pays.clone();
            self.customers[*index].stripe = Some(pays);
            self.mended += 1;
        }
    }
}
