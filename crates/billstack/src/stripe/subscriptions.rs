//! Whether a customer who applies a code is new, as far as Stripe knows.

use std::collections::BTreeSet;

use billstack_core::stripe_event::{Start, Subscriptions};
use billstack_store::Place;
use billstack_store::projects;

use crate::app::App;
use crate::error::ApiError;

impl App {
    /// The subscriptions of a Stripe customer that may be about a customer of this project, asked of Stripe
    /// before a code is applied. `None` when no secret key is connected any more.
    pub async fn subscriptions_in_stripe(
        &self,
        place: &Place,
        stripe_customer_id: &str,
    ) -> Result<Option<Subscriptions>, ApiError> {
        let Some(key) = self.stripe_key(&place.team_id).await? else {
            return Ok(None);
        };
        let asked = self
            .stripe
            .subscriptions(&key, stripe_customer_id, self.now());
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
        Ok(Some(Subscriptions::of(found.into_iter().filter(is_here))))
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
