//! Whether a customer who applies a code is new, as far as Stripe knows.

use billstack_core::ids::TeamId;
use billstack_core::stripe_event::Subscriptions;

use crate::app::App;
use crate::error::ApiError;

impl App {
    /// The subscriptions of a Stripe customer, asked of Stripe before a code is applied. `None` when no
    /// secret key is connected any more.
    pub async fn subscriptions_in_stripe(
        &self,
        team_id: &TeamId,
        stripe_customer_id: &str,
    ) -> Result<Option<Subscriptions>, ApiError> {
        let Some(key) = self.stripe_key(team_id).await? else {
            return Ok(None);
        };
        let asked = self
            .stripe
            .subscriptions(&key, stripe_customer_id, self.now());
        match asked.await {
            // Deleted there, or linked by mistake: it has no subscriptions.
            Err(error) if error.is_missing() => Ok(Some(Subscriptions::default())),
            outcome => Ok(Some(outcome?)),
        }
    }
}
