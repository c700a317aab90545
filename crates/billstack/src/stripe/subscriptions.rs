//! Whether a customer who applies a code is new, as far as Stripe knows.

use billstack_store::act::Place;
use billstack_store::tx::{Abort, Tx};
use billstack_store::{codes, customers, referrals, stripe_connections};

use crate::app::App;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::stripe::Subscriptions;

impl App {
    /// The subscriptions of a customer, asked of Stripe before a code is applied.
    ///
    /// Empty where there is none, no secret key is connected, the customer has no Stripe id, or
    /// the apply will be refused whatever Stripe says: an unknown code must not cost a call.
    pub async fn subscriptions_in_stripe(
        &self,
        access: &ProjectAccess,
        code: Option<&str>,
        customer_id: &str,
    ) -> Result<Subscriptions, ApiError> {
        let (code, customer_id) = (code.map(str::to_owned), customer_id.to_owned());
        let read = access.point(self, move |tx, place| {
            let connection = stripe_connections::get(tx, &place.team_id)?;
            let with_key = connection.filter(|connection| connection.secret_key.is_some());
            let Some(connection) = with_key else {
                return Ok(None);
            };
            let id = stripe_id_to_ask(tx, place, code.as_deref(), &customer_id)?;
            Ok(id.map(|id| (connection, id)))
        });
        let Some((connection, stripe_customer_id)) = read.await? else {
            return Ok(Subscriptions::default());
        };
        let Some(key) = self.key_of(&access.place.team_id, &connection)? else {
            return Ok(Subscriptions::default());
        };
        let asked = self
            .stripe
            .subscriptions(&key, &stripe_customer_id, self.now());
        match asked.await {
            // Deleted there, or linked by mistake: it has no subscriptions.
            Err(error) if error.is_missing() => Ok(Subscriptions::default()),
            outcome => Ok(outcome?),
        }
    }
}

/// The Stripe customer to ask about. Only what can never change back is a reason not to ask; the
/// apply itself decides everything again.
fn stripe_id_to_ask(
    tx: &mut dyn Tx,
    place: &Place,
    code: Option<&str>,
    customer_id: &str,
) -> Result<Option<String>, Abort> {
    let code = match code {
        Some(code) => codes::get(tx, place, code)?,
        None => None,
    };
    if !code.is_some_and(|code| code.is_active && code.customer_id != customer_id) {
        return Ok(None);
    }
    if referrals::get_of_referee(tx, place, customer_id)?.is_some() {
        return Ok(None);
    }
    let customer = customers::get(tx, place, customer_id)?;
    Ok(customer.and_then(|customer| customer.stripe_customer_id))
}
