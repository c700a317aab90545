//! What the person who runs the server may choose.
//!
//! Three layers, each over the one before: `config.default.toml` (part of the binary, and the one
//! list of settings and defaults), the environment, flags. The last two arrive together in
//! [`SettingsArgs`]. Every number has bounds, and every error names the flag and the variable to
//! change.

mod args;
mod values;

use std::fmt;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::Args as _;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

pub use crate::webhooks::out::address::AllowedNetworks;
pub use args::SettingsArgs;
pub use values::{DatabaseUrl, LogFormat, RateLimit, SecretKey, SecretText};

/// The text of `config.default.toml`.
pub const DEFAULTS: &str = include_str!("../../../config.default.toml");

/// The settings of one server, read and checked.
///
/// `config.default.toml` says what each is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where the data is.
    pub database_url: DatabaseUrl,
    /// Seconds to wait for a database that does not answer yet.
    pub wait_for_database: u32,
    /// Host and port to listen on.
    pub listen: String,
    /// Our own origin as browsers write it, without a slash at the end.
    pub base_url: Option<String>,
    /// The origin of what strangers see, where it is another one.
    pub public_url: Option<String>,
    /// Encrypts Stripe secrets at rest.
    pub secret_key: Option<SecretKey>,
    /// What `/metrics` asks for; none means that only this machine may read it.
    pub metrics_token: Option<SecretText>,
    /// Requests a second for each caller.
    pub rate_limit: RateLimit,
    /// Unknown codes a minute for each key; none means no limit.
    pub apply_miss_budget_per_minute: Option<NonZeroU32>,
    /// The same for each referee that a key names.
    pub apply_miss_budget_per_referee: Option<NonZeroU32>,
    /// Whether the caller's address is read from `X-Forwarded-For`.
    pub trust_forwarded_for: bool,
    /// Open connections.
    pub max_connections: usize,
    /// Those of one address.
    pub max_connections_per_address: usize,
    /// Time for a request's headers to arrive.
    pub header_timeout_seconds: u32,
    /// Time for a request's body to arrive.
    pub body_timeout_seconds: u32,
    /// Time for a whole request.
    pub request_timeout_seconds: u32,
    /// Time an unused connection stays open.
    pub idle_timeout_seconds: u32,
    /// Time running requests get at shutdown.
    pub shutdown_grace_seconds: u32,
    /// Stripe's API, without a slash at the end.
    pub stripe_api_base: String,
    /// Time for one call to Stripe.
    pub stripe_timeout_seconds: u32,
    /// Calls a second to Stripe that deliver credits, for each team.
    pub stripe_rate: u32,
    /// How long a node that delivers may be silent; none means the time for one call and a little more.
    pub delivery_lease_seconds: Option<u32>,
    /// How long a credit of unknown outcome is looked for.
    pub delivery_unknown_wait: u32,
    /// How long before its referral a subscription may have begun.
    pub referral_grace_hours: u32,
    /// How long Stripe's events are kept whole.
    pub stripe_event_retention_days: u32,
    /// The networks of the operator's own that webhooks may be sent to.
    pub webhook_allowed_networks: AllowedNetworks,
    /// How long deliveries of webhooks are kept after they ended.
    pub webhook_retention_days: u32,
    /// How long idempotent answers are kept.
    pub idempotency_retention_hours: u32,
    /// Writes that may wait.
    pub queue_capacity: usize,
    /// Reading threads with SQLite.
    pub reader_threads: usize,
    /// Connections with PostgreSQL that write.
    pub postgres_write_lanes: usize,
    /// Connections with PostgreSQL that look up a few rows by key.
    pub postgres_point_lanes: usize,
    /// Connections with PostgreSQL that read lists and reports.
    pub postgres_scan_lanes: usize,
    /// The log filter.
    pub log: String,
    /// The form of the log.
    pub log_format: LogFormat,
}

impl Settings {
    /// Reads the settings from all layers.
    pub fn from_args(args: &SettingsArgs) -> Result<Settings, SettingsError> {
        let mut layers = default_table();
        // An empty variable is how a compose file or a unit file says "not given".
        layers.extend(
            table_of(args)
                .into_iter()
                .filter(|(_, value)| value.as_str() != Some("")),
        );
        Settings::read(&Layers(layers))
    }

    fn read(layers: &Layers) -> Result<Settings, SettingsError> {
        Ok(Settings {
            database_url: layers.get("database_url", database_url)?,
            wait_for_database: layers.number("wait_for_database", 0..=86_400)?,
            listen: layers.get("listen", host_and_port)?,
            base_url: layers.get_optional("base_url", origin)?,
            public_url: layers.get_optional("public_url", |text| second_origin(text, layers))?,
            secret_key: layers.get_optional("secret_key", secret_key)?,
            metrics_token: layers.get_optional("metrics_token", metrics_token)?,
            rate_limit: layers.get("rate_limit", rate_limit)?,
            apply_miss_budget_per_minute: layers
                .get("apply_miss_budget_per_minute", limit_or_off)?,
            apply_miss_budget_per_referee: layers
                .get("apply_miss_budget_per_referee", limit_or_off)?,
            trust_forwarded_for: layers.get("trust_forwarded_for", yes_or_no)?,
            max_connections: layers.number("max_connections", 1..=1_000_000)?,
            max_connections_per_address: layers
                .number("max_connections_per_address", 1..=1_000_000)?,
            header_timeout_seconds: layers.number("header_timeout_seconds", 1..=300)?,
            body_timeout_seconds: layers.number("body_timeout_seconds", 1..=600)?,
            request_timeout_seconds: layers.number("request_timeout_seconds", 1..=600)?,
            idle_timeout_seconds: layers.number("idle_timeout_seconds", 1..=3_600)?,
            shutdown_grace_seconds: layers.number("shutdown_grace_seconds", 0..=600)?,
            stripe_api_base: layers.get("stripe_api_base", http_url)?,
            stripe_timeout_seconds: layers.number("stripe_timeout_seconds", 1..=120)?,
            stripe_rate: layers.number("stripe_rate", 1..=100)?,
            delivery_lease_seconds: layers.get_optional("delivery_lease_seconds", lease_seconds)?,
            delivery_unknown_wait: layers.number("delivery_unknown_wait", 60..=86_400)?,
            referral_grace_hours: layers.number("referral_grace_hours", 0..=8_760)?,
            stripe_event_retention_days: layers
                .number("stripe_event_retention_days", 1..=36_500)?,
            webhook_allowed_networks: layers.get("webhook_allowed_networks", networks)?,
            webhook_retention_days: layers.number("webhook_retention_days", 1..=36_500)?,
            idempotency_retention_hours: layers.number("idempotency_retention_hours", 1..=8_760)?,
            queue_capacity: layers.number("queue_capacity", 1..=1_000_000)?,
            reader_threads: layers.number("reader_threads", 1..=256)?,
            postgres_write_lanes: layers.number("postgres_write_lanes", 1..=256)?,
            postgres_point_lanes: layers.number("postgres_point_lanes", 1..=256)?,
            postgres_scan_lanes: layers.number("postgres_scan_lanes", 1..=256)?,
            log: layers.get("log", log_filter)?,
            log_format: layers.get("log_format", log_format)?,
        })
    }
}

impl Default for Settings {
    /// The settings of `config.default.toml` alone: no variable, no flag.
    fn default() -> Settings {
        Settings::read(&Layers(default_table()))
            .expect("config.default.toml is part of the binary, and a test reads it")
    }
}

/// A setting with a value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    setting: &'static str,
    problem: String,
}

impl SettingsError {
    /// The setting at fault, as `config.default.toml` names it.
    pub fn setting(&self) -> &'static str {
        self.setting
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = SettingsArgs::augment_args(clap::Command::new("billstack"));
        let arg = command
            .get_arguments()
            .find(|arg| arg.get_id() == self.setting);
        let flag = arg.and_then(clap::Arg::get_long).unwrap_or(self.setting);
        let variable = arg
            .and_then(clap::Arg::get_env)
            .unwrap_or_default()
            .to_string_lossy();
        write!(f, "--{flag} (or {variable}) {}", self.problem)
    }
}

impl std::error::Error for SettingsError {}

fn default_table() -> toml::Table {
    DEFAULTS
        .parse()
        .expect("config.default.toml is part of the binary, and a test reads it")
}

fn table_of(args: &SettingsArgs) -> toml::Table {
    toml::Table::try_from(args).expect("a flat list of texts is always a table")
}

/// The layers laid over each other, still unread.
struct Layers(toml::Table);

impl Layers {
    fn text(&self, setting: &str) -> String {
        match &self.0[setting] {
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    /// Reads one setting. `read` answers what is wrong with it, as the end of a sentence, without
    /// quoting the value: it may be a secret.
    fn get<T>(
        &self,
        setting: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, SettingsError> {
        read(&self.text(setting)).map_err(|problem| SettingsError { setting, problem })
    }

    fn get_optional<T>(
        &self,
        setting: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, SettingsError> {
        if self.text(setting).is_empty() {
            return Ok(None);
        }
        self.get(setting, read).map(Some)
    }

    fn number<T>(
        &self,
        setting: &'static str,
        bounds: RangeInclusive<T>,
    ) -> Result<T, SettingsError>
    where
        T: FromStr + PartialOrd + fmt::Display,
    {
        self.get(setting, |text| {
            within(text, &bounds).ok_or_else(|| expected_number(&bounds))
        })
    }
}

fn within<T: FromStr + PartialOrd>(text: &str, bounds: &RangeInclusive<T>) -> Option<T> {
    text.parse().ok().filter(|number| bounds.contains(number))
}

fn expected_number<T: fmt::Display>(bounds: &RangeInclusive<T>) -> String {
    format!(
        "must be a whole number from {} to {}",
        bounds.start(),
        bounds.end()
    )
}

fn database_url(text: &str) -> Result<DatabaseUrl, String> {
    let url = DatabaseUrl::new(text);
    match url.parts() {
        Some(("sqlite" | "postgres" | "postgresql", rest)) if !rest.is_empty() => Ok(url),
        _ => Err("must be sqlite://FILE or postgres://USER:PASSWORD@HOST/DATABASE".into()),
    }
}

fn host_and_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.into()),
        _ => Err("must be an address and a port, such as 127.0.0.1:8080 or [::1]:8080".into()),
    }
}

fn parse_http(text: &str) -> Option<reqwest::Url> {
    let url = reqwest::Url::parse(text).ok()?;
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    (bare && matches!(url.scheme(), "http" | "https")).then_some(url)
}

/// Our origin in the spelling browsers use in `Origin`, so that the two can be compared as text.
fn origin(text: &str) -> Result<String, String> {
    match parse_http(text) {
        Some(url) if url.path() == "/" => Ok(url.origin().ascii_serialization()),
        _ => Err("must be an origin without a path, such as https://referrals.example.com".into()),
    }
}

/// An origin that is not that of the base URL: a host tells them apart.
fn second_origin(text: &str, layers: &Layers) -> Result<String, String> {
    let second = origin(text)?;
    match origin(&layers.text("base_url")) {
        Ok(first) if authority(&first) == authority(&second) => {
            Err("must have another host or port than the base URL".into())
        }
        _ => Ok(second),
    }
}

fn authority(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, authority)| authority)
}

fn http_url(text: &str) -> Result<String, String> {
    match parse_http(text) {
        Some(url) => Ok(url.as_str().trim_end_matches('/').into()),
        None => Err("must be an http or https address, such as https://api.stripe.com".into()),
    }
}

fn networks(text: &str) -> Result<AllowedNetworks, String> {
    AllowedNetworks::parse(text).ok_or_else(|| {
        "must be networks separated by commas, such as 10.1.0.0/16,fd00:1::/64, with nothing after the prefix".into()
    })
}

fn secret_key(text: &str) -> Result<SecretKey, String> {
    let key = crate::secrets::key_of(text).map(SecretKey::new);
    key.ok_or_else(|| "must be exactly 64 hex digits; `openssl rand -hex 32` makes a key".into())
}

fn metrics_token(text: &str) -> Result<SecretText, String> {
    let fits = (16..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| SecretText::new(text))
        .ok_or_else(|| "must be 16 to 256 characters of ASCII without spaces".into())
}

fn limit_or_off(text: &str) -> Result<Option<NonZeroU32>, String> {
    const BOUNDS: RangeInclusive<u32> = 1..=1_000_000;
    if text == "off" {
        return Ok(None);
    }
    let number = within(text, &BOUNDS).and_then(NonZeroU32::new);
    number
        .map(Some)
        .ok_or_else(|| format!("{}, or `off`", expected_number(&BOUNDS)))
}

fn rate_limit(text: &str) -> Result<RateLimit, String> {
    Ok(limit_or_off(text)?.map_or(RateLimit::Off, RateLimit::PerSecond))
}

fn lease_seconds(text: &str) -> Result<u32, String> {
    const BOUNDS: RangeInclusive<u32> = 1..=600;
    within(text, &BOUNDS).ok_or_else(|| expected_number(&BOUNDS))
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err("must be `true` or `false`".into()),
    }
}

fn log_filter(text: &str) -> Result<String, String> {
    let directives: Vec<_> = text
        .split(',')
        .map(str::trim)
        .filter(|directive| !directive.is_empty())
        .collect();
    let filter = directives.join(",");
    let is_sound = directives.iter().all(|directive| names_a_level(directive));
    if is_sound && !filter.is_empty() && EnvFilter::try_new(&filter).is_ok() {
        return Ok(filter);
    }
    let wanted = "must be a level (off, error, warn, info, debug, trace), or one for each module, such as \
                  warn,billstack=debug";
    Err(wanted.into())
}

/// A bare word that is not a level would name a module: a misspelt `info` would silence everything but a
/// module that does not exist.
fn names_a_level(directive: &str) -> bool {
    match directive.split_once('=') {
        Some((target, _)) => target.contains('[') || !target.contains(' '),
        None => directive.contains('[') || LevelFilter::from_str(directive).is_ok(),
    }
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be `text` or `json`".into()),
    }
}

#[cfg(test)]
mod tests;
