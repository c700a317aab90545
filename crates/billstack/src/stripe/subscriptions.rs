//! Whether a customer who applies a code is new, as far as Stripe knows.

use std::collections::BTreeSet;
use std::time::Duration;

use billstack_core::ids::TeamId;
use billstack_core::stripe_event::{Eligibility, Start, Subscriptions};
use billstack_store::apply::{Asked, InStripe};
use billstack_store::intake::{Incoming, LinkAnswer};
use billstack_store::{Abort, Place, Refusal, projects};
use tokio::time::Instant;

use super::StripeError;
use crate::app::App;
use crate::error::ApiError;
use crate::settings::SecretText;

/// How long the question about a link may take.
const LINK_TIMEOUT: Duration = Duration::from_secs(5);

/// How often Stripe is asked about links for one event: the link may change meanwhile.
const MOST_LINK_QUESTIONS: usize = 3;

/// Of how many Stripe customers of one mailbox the subscriptions are read. For whether somebody is new these are the
/// oldest: nobody can hide an old one behind new ones.
pub const MOST_CUSTOMERS: usize = 20;

impl App {
    /// The subscriptions that may be about a customer of this project, asked of Stripe about one who applies a code:
    /// those of every Stripe customer of the mailbox. `None` when no secret key is connected any more.
    pub async fn subscriptions_in_stripe(
        &self,
        place: &Place,
        asked: &Asked,
    ) -> Result<Option<Subscriptions>, ApiError> {
        let Some(key) = self.stripe_key_in(place).await? else {
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

    /// The same for a request that waits: when Stripe does not tell by the deadline, or not with this key, the code
    /// is applied without its word, and asking is left to the queue. Nobody shall wait each time while it is down.
    pub async fn subscriptions_in_time(
        &self,
        place: &Place,
        asked: &Asked,
        deadline: Instant,
    ) -> Result<InStripe, ApiError> {
        if self.stripe_is_silent(&place.team_id) {
            return Ok(InStripe::NoAnswer);
        }
        let asking = self.subscriptions_in_stripe(place, asked);
        match self.in_time(&place.team_id, deadline, asking).await {
            Ok(Some(told)) => Ok(InStripe::Told(asked.clone(), told)),
            Ok(None) => Ok(InStripe::NotAsked),
            Err(error) if error.is_of_stripe() => Ok(InStripe::NoAnswer),
            Err(error) => Err(error),
        }
    }

    /// Takes an event in by `store`. When a link is in doubt, Stripe is asked between two transactions.
    pub async fn asking_about_links<T, F: Future<Output = Result<T, Abort>>>(
        &self,
        team_id: &TeamId,
        mut incoming: Incoming,
        store: impl Fn(Incoming) -> F,
    ) -> Result<T, ApiError> {
        let mut stored = store(incoming.clone()).await;
        for _ in 0..MOST_LINK_QUESTIONS {
            let Err(Abort::Refused(Refusal::LinkInDoubt(linked))) = stored else {
                break;
            };
            incoming.link_answer = Some(self.ask_about_link(team_id, linked).await?);
            stored = store(incoming.clone()).await;
        }
        Ok(stored?)
    }

    /// Whether a Stripe customer that somebody is linked to never had a subscription. Asked while Stripe waits for
    /// the answer to an event, so the time for it is short.
    ///
    /// # Errors
    /// When Stripe cannot be asked right now: the event comes again.
    async fn ask_about_link(
        &self,
        team_id: &TeamId,
        stripe_customer_id: String,
    ) -> Result<LinkAnswer, ApiError> {
        let never_subscribed = match self.stripe_key(team_id).await? {
            Some(key) => {
                let asked = self.never_subscribed(&key, &stripe_customer_id);
                let no_answer = StripeError::Unavailable { answered: false };
                let told = tokio::time::timeout(LINK_TIMEOUT, asked).await;
                told.unwrap_or(Err(no_answer))?
            }
            None => false,
        };
        Ok(LinkAnswer {
            stripe_customer_id,
            never_subscribed,
        })
    }

    async fn never_subscribed(&self, key: &SecretText, id: &str) -> Result<bool, StripeError> {
        match self.stripe.subscriptions(key, id, self.now()).await {
            Ok(found) => Ok(found
                .iter()
                .all(|start| start.eligibility == Eligibility::Never)),
            // Deleted there: it will never subscribe.
            Err(error) if error.is_missing() => Ok(true),
            Err(error @ StripeError::Unavailable { .. }) => Err(error),
            Err(StripeError::InvalidKey | StripeError::Refused { .. }) => Ok(false),
        }
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
