//! Stripe's side: events signed as Stripe signs them.

use fake_stripe::{
    CheckoutSession, EventObject, EventOptions, FakeStripe, Generation, Subscription, body, event,
    sign,
};
use serde_json::Value;

use super::bench::Bench;
use super::client::{Answer, Caller};
use super::fixture::Pair;

/// What the usual team's webhooks are signed with.
pub(crate) const SECRET: &str = "whsec_5ac9e1bdc3f04f22a1d2f7e0b8c6a9d4";

impl Bench {
    /// The path that Stripe delivers to.
    pub(crate) fn webhook(&self) -> String {
        format!("/api/webhooks/stripe/{}", self.home.team)
    }

    /// Sends bytes as Stripe would: signed with the secret, now.
    pub(crate) fn deliver_bytes(
        &self,
        bytes: Vec<u8>,
    ) -> impl Future<Output = Answer> + Send + use<> {
        let signature = sign(&bytes, SECRET, self.seconds());
        self.nobody
            .call(reqwest::Method::POST, &self.webhook())
            .header("stripe-signature", &signature)
            .body("application/json; charset=utf-8", bytes)
            .send()
    }

    /// Delivers an event.
    pub(crate) fn deliver(&self, event: &Value) -> impl Future<Output = Answer> + Send + use<> {
        self.deliver_bytes(body(event))
    }

    /// Delivers an event and takes its acceptance for granted.
    pub(crate) async fn accept(&self, event: &Value) {
        let answer = self.deliver(event).await.ok();
        assert_eq!(answer, serde_json::json!({"received": true}));
    }

    /// An event of this kind that happens now.
    pub(crate) fn event(&self, kind: &str, object: &impl EventObject) -> Value {
        event(kind, object, &EventOptions::at(self.seconds()))
    }

    /// An active subscription of this Stripe customer that begins now.
    pub(crate) fn subscription(&self, stripe: &str) -> Subscription {
        let id = format!("sub_{}", stripe.trim_start_matches("cus_"));
        Subscription::new(&id, stripe).created(self.seconds())
    }

    /// Stripe, in a setup that has it.
    pub(crate) fn fake(&self) -> &FakeStripe {
        self.stripe.as_ref().expect("the setup asks for it")
    }

    /// Puts a subscription into Stripe's books, without an event that tells of it. Returns its id.
    pub(crate) fn in_books(&self, subscription: &Subscription) -> String {
        let subscription = subscription.render(Generation::Endive, false);
        let id = super::fixture::text(&subscription["id"]);
        self.fake()
            .with_books(|books| books.subscriptions.put(subscription));
        id
    }

    /// A paid session of this Stripe customer that begins now.
    pub(crate) fn session(&self, stripe: &str) -> CheckoutSession {
        let id = format!("cs_test_{}", stripe.trim_start_matches("cus_"));
        CheckoutSession::new(&id, stripe).created(self.seconds())
    }

    /// The event of a new subscription of this Stripe customer.
    pub(crate) fn created(&self, stripe: &str) -> Value {
        let subscription = self.subscription(stripe);
        self.event("customer.subscription.created", &subscription)
    }

    /// The event of a completed session of this Stripe customer.
    pub(crate) fn completed(&self, stripe: &str) -> Value {
        self.event("checkout.session.completed", &self.session(stripe))
    }

    /// The referee of a pair subscribes.
    pub(crate) async fn subscribe(&self, pair: &Pair) {
        self.accept(&self.created(&pair.stripe)).await;
    }

    /// What became of an event: its outcome as the team's administrators see it.
    pub(crate) async fn outcome(&self, event: &Value) -> String {
        let id = event["id"].as_str().expect("an id");
        let path = self.home.path(&format!("stripe/events/{id}"));
        let answer = self.owner.get(&path).await.ok();
        super::fixture::text(&answer["event"]["outcome"])
    }

    /// Waits until an event has this outcome: the object of a thin one is fetched by the queue.
    pub(crate) async fn becomes(&self, event: &Value, outcome: &str) {
        for _ in 0..400 {
            if self.outcome(event).await == outcome {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("never {outcome}, but {}", self.outcome(event).await);
    }

    /// Lets the owner replay an event, and tells what it is now.
    pub(crate) async fn replay(&self, event: &Value) -> Value {
        let id = super::fixture::text(&event["id"]);
        let path = self.home.path(&format!("stripe/events/{id}/replay"));
        let answer = self.owner.post(&path, serde_json::json!({})).await;
        answer.ok()["event"].clone()
    }
}
