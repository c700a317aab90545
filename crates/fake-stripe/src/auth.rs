//! Which API keys are let in.

use crate::error::StripeError;

/// The keys that the fake accepts.
#[derive(Debug, Clone, Default)]
pub(crate) enum Keys {
    /// Any secret or restricted key that is well formed.
    #[default]
    WellFormed,
    /// These and no others.
    Only(Vec<String>),
}

impl Keys {
    /// Checks the key of a request.
    pub(crate) fn check(&self, key: Option<&str>) -> Result<(), StripeError> {
        let Some(key) = key.filter(|key| !key.is_empty()) else {
            return Err(StripeError::unauthorized(
                "No API key was sent. Send it as a bearer token or as the user of basic authentication.",
            ));
        };
        if key.starts_with("pk_") {
            return Err(StripeError::forbidden(
                "secret_key_required",
                "This call needs a secret key, not a publishable one.",
            ));
        }
        let accepted = match self {
            Self::WellFormed => is_well_formed(key),
            Self::Only(keys) => keys.iter().any(|known| known == key),
        };
        if accepted {
            Ok(())
        } else {
            Err(StripeError::unauthorized(format!(
                "Invalid API key provided: {}",
                masked(key)
            )))
        }
    }
}

fn is_well_formed(key: &str) -> bool {
    ["sk_test_", "rk_test_", "sk_live_", "rk_live_"]
        .iter()
        .any(|prefix| {
            key.strip_prefix(prefix)
                .is_some_and(|rest| !rest.is_empty())
        })
}

/// The key with its middle hidden, as Stripe shows it.
pub(crate) fn masked(key: &str) -> String {
    let count = key.chars().count();
    let shown = |index: usize| index < 8 || index + 4 >= count;
    key.chars()
        .enumerate()
        .map(|(index, character)| if shown(index) { character } else { '*' })
        .collect()
}
