//! The types of settings that are more than a number or a text.

use std::fmt;
use std::num::NonZeroU32;

/// How many requests a second one caller may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimit {
    /// As many as the server can answer.
    Off,
    /// This many, on each node.
    PerSecond(NonZeroU32),
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person at a terminal.
    Text,
    /// One JSON object a line, for a machine.
    Json,
}

/// The key that encrypts Stripe secrets at rest.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey([u8; 32]);

impl SecretKey {
    /// Wraps key bytes.
    pub fn new(bytes: [u8; 32]) -> SecretKey {
        SecretKey(bytes)
    }

    /// The key, for the cipher alone.
    pub fn bytes(&self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

/// A secret text, such as a token.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

impl SecretText {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> SecretText {
        SecretText(text.into())
    }

    /// The secret itself; compare it in constant time.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(hidden)")
    }
}

/// The address of the database, which may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Wraps an address as it was given.
    pub fn new(url: impl Into<String>) -> DatabaseUrl {
        DatabaseUrl(url.into())
    }

    /// The whole address, password and all: for the store, never for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The scheme and what follows it, when both are there.
    pub fn parts(&self) -> Option<(&str, &str)> {
        self.0.split_once("://")
    }
}

impl fmt::Display for DatabaseUrl {
    // A file name is shown whole. Of a server only the scheme is: passwords can stand before the
    // host and among the parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            Some(("sqlite", _)) => f.write_str(&self.0),
            Some((scheme @ ("postgres" | "postgresql"), _)) => write!(f, "{scheme}://…"),
            _ => f.write_str("…"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}
