//! What can be found by an id, a code or an address.

text_enum! {
    /// What a thing is that was found.
    pub enum Kind {
        /// A team.
        Team = "team",
        /// A project.
        Project = "project",
        /// A person who signs in.
        User = "user",
        /// An API key.
        ApiKey = "api_key",
        /// A customer.
        Customer = "customer",
        /// A referral code.
        Code = "code",
        /// A referral.
        Referral = "referral",
        /// A credit.
        Credit = "credit",
        /// An event of our log.
        Event = "event",
        /// An event of Stripe.
        StripeEvent = "stripe_event",
        /// Where webhooks are sent.
        WebhookEndpoint = "webhook_endpoint",
        /// A webhook that was or is sent.
        WebhookDelivery = "webhook_delivery",
        /// A request that changed something.
        Request = "request",
    }
}
