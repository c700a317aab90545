//! `/api/auth/preferences`: how pages behave for a person.

pub mod get;
pub mod put;

use billstack_store::users::User;
use serde::Serialize;
use utoipa::ToSchema;

/// How pages behave for somebody.
#[derive(Serialize, ToSchema)]
#[schema(as = Preferences)]
#[serde(rename_all = "camelCase")]
pub struct PreferencesJson {
    /// Whether single keys are shortcuts, such as `/` for the field that finds things.
    single_keys: bool,
}

/// Preferences as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct PreferencesAnswer {
    /// The preferences.
    preferences: PreferencesJson,
}

impl PreferencesAnswer {
    fn new(user: &User) -> PreferencesAnswer {
        PreferencesAnswer {
            preferences: PreferencesJson {
                single_keys: user.single_keys,
            },
        }
    }
}
