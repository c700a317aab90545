//! The end of the catalogue: what happens to a team, its connection to Stripe, its people and its webhooks.

/// Declares the catalogue: these events after the others.
macro_rules! with_teams_and_webhooks {
    ({ $($others:tt)* }) => {
        catalogue! {
            $($others)*
            /// A team was connected to Stripe.
            "stripe.connected" StripeConnected {
                /// The account, when a secret key told it.
                account_id: Option<&'a str>,
                /// Whether the keys are live ones, when something tells.
                livemode: Option<bool>,
                /// Whether a secret key was given.
                with_secret_key: bool,
            }
            /// A team was disconnected from Stripe.
            "stripe.disconnected" StripeDisconnected {}
            /// A webhook secret was replaced.
            "stripe.webhook_secret_rolled" StripeWebhookSecretRolled {
                /// Until when the one before stays valid.
                old_valid_until: Micros,
            }
            /// A team was created.
            "team.created" TeamCreated {
                /// Its display name.
                name: &'a str,
            }
            /// A user's password was set.
            "user.password_set" UserPasswordSet {
                /// How many sessions that ended.
                sessions_ended: u64,
            }
            /// A webhook endpoint was made.
            "webhook_endpoint.created" WebhookEndpointCreated {
                /// What it is told: `*` is all.
                types: Vec<&'a str>,
            }
            /// A webhook endpoint was taken away.
            "webhook_endpoint.deleted" WebhookEndpointDeleted {}
            /// A webhook endpoint is sent nothing any more.
            "webhook_endpoint.disabled" WebhookEndpointDisabled {
                /// Why: `gone`, `failures` or `by_hand`.
                reason: &'a str,
            }
            /// A webhook endpoint that was disabled is told of events again.
            "webhook_endpoint.enabled" WebhookEndpointEnabled {
                /// Since when it had not been.
                disabled_at: Micros,
            }
            /// A webhook endpoint has taken nothing for so long that somebody should look.
            "webhook_endpoint.failing" WebhookEndpointFailing {
                /// When it took something last; none if it never did.
                last_success_at: Option<Micros>,
            }
            /// Somebody asked that events be sent to a webhook endpoint once more.
            "webhook_endpoint.replayed" WebhookEndpointReplayed {
                /// How many deliveries that makes.
                count: i64,
                /// From when on events are sent.
                since: Micros,
                /// Before when.
                until: Micros,
            }
            /// The secret of a webhook endpoint was replaced.
            "webhook_endpoint.secret_rotated" WebhookEndpointSecretRotated {
                /// Until when the one before stays valid.
                old_valid_until: Micros,
            }
            /// A webhook endpoint was changed.
            "webhook_endpoint.updated" WebhookEndpointUpdated {
                /// The names of the members that were.
                changed: Vec<&'static str>,
            }
        }
    };
}
