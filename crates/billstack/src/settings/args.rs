//! The flags and environment variables of the settings.
//!
//! The name of a field, of its key in `config.default.toml` and of its flag are one name; a test
//! holds the three lists and the defaults quoted in the help texts together.

use std::fmt;

use serde::Serialize;

/// Stands above these flags in the help. Each names it, since a heading set for all of them at once
/// would also take in the flags that a parser declares after them.
const HEADING: &str = "Settings";

/// What the command line and the environment say about the settings, unread.
///
/// Values stay text here so that one place, [`Settings::from_args`](super::Settings::from_args),
/// judges them whichever layer they came from. Flatten it into a parser with
/// `#[command(flatten)]`; every flag works before and after a subcommand.
#[derive(Clone, Default, clap::Args, Serialize)]
pub struct SettingsArgs {
    /// The database: `sqlite://FILE` or `postgres://USER:PASSWORD@HOST/DATABASE` [default: sqlite://billstack.db]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub database_url: Option<String>,

    /// Seconds to wait for a database that does not answer yet; 60 when no number is given [default: 0]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_WAIT_FOR_DATABASE",
        value_name = "SECONDS",
        num_args = 0..=1,
        default_missing_value = "60"
    )]
    pub wait_for_database: Option<String>,

    /// Address and port to listen on; port 0 takes any free one and prints it [default: 127.0.0.1:8080]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_LISTEN",
        value_name = "ADDRESS:PORT"
    )]
    pub listen: Option<String>,

    /// How browsers and Stripe reach this server, such as `https://referrals.example.com`
    ///
    /// An https origin makes the session cookie travel over https only. It may not have a path.
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_BASE_URL",
        value_name = "ORIGIN"
    )]
    pub base_url: Option<String>,

    /// A second origin for share links, the portal and what is embedded, such as `https://refer.example.com`
    ///
    /// Each origin then answers 404 for what belongs to the other. The proxy must pass on the `Host` that was asked for.
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_PUBLIC_URL",
        value_name = "ORIGIN"
    )]
    pub public_url: Option<String>,

    /// 64 hex digits that encrypt Stripe secrets; `openssl rand -hex 32` makes one
    ///
    /// Without it, SQLite uses a key kept in a file beside the database. PostgreSQL needs it, the
    /// same on every node. Prefer the variable: other users of a machine can read flags.
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_SECRET_KEY",
        hide_env_values = true,
        value_name = "HEX"
    )]
    pub secret_key: Option<String>,

    /// Token that GET /metrics asks for; without one it answers callers on this machine only
    ///
    /// Sent as `Authorization: Bearer TOKEN`. Prefer the variable: other users of a machine can
    /// read flags.
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_METRICS_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub metrics_token: Option<String>,

    /// Requests per second and key on this node, or `off` [default: 100]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_RATE_LIMIT",
        value_name = "NUMBER|off"
    )]
    pub rate_limit: Option<String>,

    /// Unknown referral codes one key may try in a minute, or `off` [default: 2000]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_APPLY_MISS_BUDGET_PER_MINUTE",
        value_name = "NUMBER|off"
    )]
    pub apply_miss_budget_per_minute: Option<String>,

    /// Unknown referral codes one key may try for one referee in a minute, or `off` [default: 10]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_APPLY_MISS_BUDGET_PER_REFEREE",
        value_name = "NUMBER|off"
    )]
    pub apply_miss_budget_per_referee: Option<String>,

    /// Believe the last address in `X-Forwarded-For` [default: false]
    ///
    /// Only for a server that can be reached through your proxy alone: anyone else could write
    /// that header.
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_TRUST_FORWARDED_FOR",
        value_name = "true|false",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub trust_forwarded_for: Option<String>,

    /// Open connections; a further one takes the place of one that is silent [default: 1024]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_MAX_CONNECTIONS",
        value_name = "NUMBER"
    )]
    pub max_connections: Option<String>,

    /// Open connections of one address, or its requests in progress behind a proxy [default: 256]
    ///
    /// With `trust-forwarded-for` the connections are the proxy's, and the requests of an address
    /// that it tells are counted instead. Stripe's webhooks and the health checks are exempt.
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "NUMBER"
    )]
    pub max_connections_per_address: Option<String>,

    /// Time for a request's headers to arrive [default: 10]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_HEADER_TIMEOUT_SECONDS",
        value_name = "SECONDS"
    )]
    pub header_timeout_seconds: Option<String>,

    /// Time for a request's body to arrive [default: 15]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_BODY_TIMEOUT_SECONDS",
        value_name = "SECONDS"
    )]
    pub body_timeout_seconds: Option<String>,

    /// Time for a request from its headers to its answer [default: 30]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_REQUEST_TIMEOUT_SECONDS",
        value_name = "SECONDS"
    )]
    pub request_timeout_seconds: Option<String>,

    /// Time an unused connection stays open [default: 75]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_IDLE_TIMEOUT_SECONDS",
        value_name = "SECONDS"
    )]
    pub idle_timeout_seconds: Option<String>,

    /// Time that running requests get to finish after SIGTERM [default: 10]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_SHUTDOWN_GRACE_SECONDS",
        value_name = "SECONDS"
    )]
    pub shutdown_grace_seconds: Option<String>,

    /// Where Stripe's API is.
    // The help is apart: a bare address is fine there but not in a page of documentation.
    #[arg(
        help = "Where Stripe's API is; its own paths follow. For tests [default: https://api.stripe.com]",
        long,
        global = true,
        help_heading = HEADING,
        env = "STRIPE_API_BASE",
        value_name = "URL"
    )]
    pub stripe_api_base: Option<String>,

    /// Time for one call to Stripe [default: 10]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_STRIPE_TIMEOUT_SECONDS",
        value_name = "SECONDS"
    )]
    pub stripe_timeout_seconds: Option<String>,

    /// Calls a second to Stripe that deliver credits, for each team and node [default: 10]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_STRIPE_RATE",
        value_name = "NUMBER"
    )]
    pub stripe_rate: Option<String>,

    /// How long a node that delivers may be silent before another goes on; the time for one call and 5 s if not set
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_DELIVERY_LEASE_SECONDS",
        value_name = "SECONDS"
    )]
    pub delivery_lease_seconds: Option<String>,

    /// How long a credit of unknown outcome is looked for before it is sent under another key [default: 3600]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_DELIVERY_UNKNOWN_WAIT",
        value_name = "SECONDS"
    )]
    pub delivery_unknown_wait: Option<String>,

    /// How long before its referral a subscription may have begun and still convert [default: 24]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_REFERRAL_GRACE_HOURS",
        value_name = "HOURS"
    )]
    pub referral_grace_hours: Option<String>,

    /// How long Stripe's events are kept whole; their ids and outcomes stay [default: 90]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_STRIPE_EVENT_RETENTION_DAYS",
        value_name = "DAYS"
    )]
    pub stripe_event_retention_days: Option<String>,

    /// Networks of your own that webhooks may be sent to, separated by commas
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_WEBHOOK_ALLOWED_NETWORKS",
        value_name = "NETWORKS"
    )]
    pub webhook_allowed_networks: Option<String>,

    /// How long deliveries of webhooks are kept after they ended [default: 30]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_WEBHOOK_RETENTION_DAYS",
        value_name = "DAYS"
    )]
    pub webhook_retention_days: Option<String>,

    /// How long the answer to an `Idempotency-Key` can be replayed [default: 24]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_IDEMPOTENCY_RETENTION_HOURS",
        value_name = "HOURS"
    )]
    pub idempotency_retention_hours: Option<String>,

    /// Writes that may wait for the database; a further one is answered 503 [default: 4096]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_QUEUE_CAPACITY",
        value_name = "NUMBER"
    )]
    pub queue_capacity: Option<String>,

    /// SQLite: threads that read beside the one that writes [default: 2]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_READER_THREADS",
        value_name = "NUMBER"
    )]
    pub reader_threads: Option<String>,

    /// PostgreSQL: connections that write [default: 4]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_POSTGRES_WRITE_LANES",
        value_name = "NUMBER"
    )]
    pub postgres_write_lanes: Option<String>,

    /// PostgreSQL: connections that look up a few rows by key [default: 4]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_POSTGRES_POINT_LANES",
        value_name = "NUMBER"
    )]
    pub postgres_point_lanes: Option<String>,

    /// PostgreSQL: connections that read lists and reports [default: 4]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_POSTGRES_SCAN_LANES",
        value_name = "NUMBER"
    )]
    pub postgres_scan_lanes: Option<String>,

    /// Level of the log, or one for each module: `warn,billstack=debug` [default: info]
    #[arg(long, global = true, help_heading = HEADING, env = "BILLSTACK_LOG", value_name = "LEVEL")]
    pub log: Option<String>,

    /// Form of the log: `text` or `json` [default: text]
    #[arg(
        long,
        global = true,
        help_heading = HEADING,
        env = "BILLSTACK_LOG_FORMAT",
        value_name = "text|json"
    )]
    pub log_format: Option<String>,
}

impl fmt::Debug for SettingsArgs {
    // Some of the values are secrets, and a derived `Debug` on a parser that holds this would
    // print them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsArgs").finish_non_exhaustive()
    }
}
