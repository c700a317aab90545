//! Whether a customer who applies a code is new, as far as Stripe knows.

use std::collections::BTreeSet;

use billstack_core::stripe_event::{Start, Subscriptions};
use billstack_store::Place;
use billstack_store::apply::Asked;
use billstack_store::projects;

use super::StripeError;
use crate::app::App;
use crate::error::ApiError;
use crate::settings::SecretText;

/// Of how many Stripe customers of one mailbox the subscriptions are read, the oldest first: nobody can hide an
/// old one behind new ones.
const MOST_CUSTOMERS: usize = 20;

impl App {
    /// The subscriptions that may be about a customer of this project, asked of Stripe before a code is applied:
    /// those of every Stripe customer of the mailbox. `None` when no secret key is connected any more.
    pub async fn subscriptions_in_stripe(
        &self,
        place: &Place,
        asked: &Asked,
    ) -> Result<Option<Subscriptions>, ApiError> {
        let Some(key) = self.stripe_key(&place.team_id).await? else {
            return Ok(None);
        };
        let mut told = match &asked.stripe_customer_id {
            Some(id) => self.subscriptions_of(place, &key, id).await?,
            None => Subscriptions::default(),
        };
        for id in self.others_of_mailbox(&key, asked).await? {
            let other = self.subscriptions_of(place, &key, &id).await?;
            told = told.besides(&other);
        }
        Ok(Some(told))
    }

    /// The other Stripe customers of the mailbox. Nobody where the key may not read customers: then the one that
    /// is linked has to do.
    async fn others_of_mailbox(
        &self,
        key: &SecretText,
        asked: &Asked,
    ) -> Result<Vec<String>, StripeError> {
        let found = self.stripe.customers_of_mailbox(key, &asked.email, None);
        let found = match found.await {
            Err(StripeError::Refused { .. }) => Vec::new(),
            found => found?,
        };
        let linked = asked.stripe_customer_id.as_ref();
        let ids = found.into_iter().map(|customer| customer.id);
        let others = ids.filter(|id| Some(id) != linked);
        Ok(others.take(MOST_CUSTOMERS - 1).collect())
    }

    async fn subscriptions_of(
        &self,
        place: &Place,
        key: &SecretText,
        stripe_customer_id: &str,
    ) -> Result<Subscriptions, ApiError> {
        let asked = self
            .stripe
            .subscriptions(key, stripe_customer_id, self.now());
        let found = match asked.await {
            // Deleted there, or linked by mistake: it has no subscriptions.
            Err(error) if error.is_missing() => Vec::new(),
            outcome => outcome?,
        };
        let elsewhere = self.other_projects(place, &found).await?;
        let is_here = |start: &Start| {
            let named = start.project_id.as_ref();
            named.is_none_or(|named| !elsewhere.contains(named))
        };
        Ok(Subscriptions::of(found.into_iter().filter(is_here)))
    }

    /// Other projects of the team that subscriptions name. Metadata that names none of its projects means
    /// nothing, as with events.
    async fn other_projects(
        &self,
        place: &Place,
        found: &[Start],
    ) -> Result<BTreeSet<String>, ApiError> {
        let named = found.iter().filter_map(|start| start.project_id.clone());
        let mut named: BTreeSet<_> = named.collect();
        named.remove(place.project_id.as_str());
        if named.is_empty() {
            return Ok(named);
        }
        let team_id = place.team_id.clone();
        let read = self.store.scan(move |tx| {
            let mut others = BTreeSet::new();
            for name in &named {
                if projects::exists(tx, &Place::new(team_id.clone(), name.as_str()))? {
                    others.insert(name.clone());
                }
            }
            Ok(others)
        });
        Ok(read.await?)
    }
}
