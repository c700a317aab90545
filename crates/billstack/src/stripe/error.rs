//! How a call to Stripe fails.

use super::Failure;
use crate::error::{ApiError, Reason};

/// Why a call did not succeed. It never holds a key, an address or Stripe's own sentence, which
/// may repeat them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StripeError {
    /// Stripe could not be asked, or had no answer; trying again later may help.
    Unavailable {
        /// Whether an error of theirs came back. Stripe keeps it under the idempotency key, so only
        /// another key gets another answer; without an answer the same key must be used again.
        answered: bool,
    },
    /// Stripe does not accept the secret key.
    InvalidKey,
    /// Stripe said no.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Stripe's `error.code`, or its `error.type` where there is none.
        code: String,
    },
}

impl StripeError {
    /// The thing that was asked for does not exist in Stripe.
    pub fn is_missing(&self) -> bool {
        matches!(self, StripeError::Refused { code, .. } if code == "resource_missing")
    }

    /// The refusal of a key that is being connected: here the key is the caller's input.
    pub fn of_new_key(self) -> ApiError {
        let refused = ApiError::new(Reason::StripeKeyInvalid).field("secretKey");
        match self {
            StripeError::Unavailable { .. } => self.into(),
            StripeError::InvalidKey => refused,
            StripeError::Refused { code, .. } => {
                refused.message(format!("Stripe does not take this key ({code})."))
            }
        }
    }
}

impl From<StripeError> for ApiError {
    fn from(error: StripeError) -> ApiError {
        match error {
            StripeError::Unavailable { .. } => ApiError::new(Reason::StripeUnavailable),
            StripeError::InvalidKey => ApiError::new(Reason::StripeRefused)
                .message("Stripe no longer accepts the secret key this team is connected with."),
            StripeError::Refused { code, .. } => ApiError::new(Reason::StripeRefused)
                .message(format!("Stripe refused the request ({code}).")),
        }
    }
}

impl From<Failure> for StripeError {
    fn from(failure: Failure) -> StripeError {
        let refused = |status, code: &str| StripeError::Refused {
            status,
            code: code.to_owned(),
        };
        match failure {
            Failure::Unknown(_) | Failure::RateLimited { .. } | Failure::KeyInUse => {
                StripeError::Unavailable { answered: false }
            }
            Failure::ServerError { .. } | Failure::KeyReused => {
                StripeError::Unavailable { answered: true }
            }
            Failure::Unauthorized => StripeError::InvalidKey,
            Failure::PermissionMissing(_) => refused(403, "more_permissions_required"),
            Failure::NotFound => refused(404, "resource_missing"),
            Failure::Refused(told) => {
                let code = told.code.or(told.kind).unwrap_or_default();
                refused(told.status, &code)
            }
        }
    }
}
