//! `…/webhook-endpoints`: where a project's events are sent.

pub mod create;
pub mod delete;
pub mod deliveries;
pub mod disable;
pub mod enable;
pub mod get;
pub mod list;
pub mod replay;
pub mod rotate_secret;
pub mod test;
pub mod update;

use billstack_core::webhook::endpoint::{Disabled, Types};
use billstack_core::webhook::health::EndpointState;
use billstack_core::webhook::types::Type;
use billstack_store::webhooks::Endpoint;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::clock::rfc3339;
use crate::error::{ApiError, Reason};
use crate::webhooks::out::client::NotAllowed;
use crate::webhooks::out::url::BadUrl;

/// The longest URL, in characters.
const LONGEST_URL: usize = 2_048;

/// The longest description, in characters.
const LONGEST_DESCRIPTION: usize = 500;

/// Types in one request; more can only be repeats.
const MOST_TYPES: usize = 100;

/// What stands for every type.
const EVERY: &str = "*";

/// How an endpoint is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookEndpointState)]
pub enum EndpointStateJson {
    /// It is sent what it wants.
    Active,
    /// It is, and has done nothing but fail for a day.
    Failing,
    /// It is sent nothing but what somebody asks for.
    Disabled,
}

/// Why an endpoint is disabled.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookEndpointDisabledReason)]
pub enum DisabledJson {
    /// Somebody disabled it.
    ByHand,
    /// It did nothing but fail for five days.
    Failures,
    /// It answered 410.
    Gone,
}

/// Where events are sent; the secret is shown once, when it is made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookEndpoint)]
pub struct EndpointJson {
    /// Its id.
    #[schema(example = "whe_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// Where it is.
    #[schema(example = "https://hooks.example.com/billstack")]
    url: String,
    /// What its owners say of it.
    #[schema(example = "The CRM")]
    description: Option<String>,
    /// What it is told: `*` alone is every type, those to come included.
    #[schema(example = json!(["referral.converted", "credit.granted"]))]
    types: Vec<String>,
    /// How it is.
    #[schema(value_type = EndpointStateJson)]
    state: EndpointState,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// Since when it has been disabled.
    #[schema(format = DateTime)]
    disabled_at: Option<String>,
    /// Why it is.
    #[schema(value_type = Option<DisabledJson>)]
    disabled_reason: Option<Disabled>,
    /// When it last took an event, to the second.
    #[schema(format = DateTime)]
    last_success_at: Option<String>,
    /// When it last did not.
    #[schema(format = DateTime)]
    last_failure_at: Option<String>,
}

impl EndpointJson {
    fn new(endpoint: &Endpoint) -> EndpointJson {
        let names = endpoint.types.names();
        let (disabled_at, disabled_reason) = endpoint.disabled.unzip();
        EndpointJson {
            id: endpoint.id.clone(),
            url: endpoint.url.clone(),
            description: endpoint.description.clone(),
            types: names.into_iter().map(str::to_owned).collect(),
            state: endpoint.health.state,
            created_at: rfc3339(endpoint.created_at.0),
            disabled_at: disabled_at.map(|at| rfc3339(at.0)),
            disabled_reason,
            last_success_at: endpoint.health.last_success_at.map(|at| rfc3339(at.0)),
            last_failure_at: endpoint.health.last_failure_at.map(|at| rfc3339(at.0)),
        }
    }
}

/// An endpoint as the one resource of an answer.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpointAnswer)]
pub struct EndpointAnswer {
    /// The endpoint.
    endpoint: EndpointJson,
}

impl EndpointAnswer {
    fn new(endpoint: &Endpoint) -> EndpointAnswer {
        EndpointAnswer {
            endpoint: EndpointJson::new(endpoint),
        }
    }
}

/// An endpoint with its secret, which is in no other answer.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookSecretAnswer)]
pub struct SecretAnswer {
    /// The endpoint.
    endpoint: EndpointJson,
    /// The secret that signatures are checked with; it is shown this once.
    #[schema(
        pattern = "^whsec_[A-Za-z0-9+/]{43}=$",
        example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
    )]
    secret: String,
}

/// The types that an endpoint is to be told of; one may be named twice.
pub struct SentTypes(pub Types);

impl<'de> Deserialize<'de> for SentTypes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts: Option<Vec<String>> = Vec::deserialize(deserializer).ok();
        let texts = texts.filter(|texts| (1..=MOST_TYPES).contains(&texts.len()));
        let texts = texts.ok_or_else(|| {
            D::Error::custom(format!(
                "must be a list of 1 to {MOST_TYPES} types; `[\"*\"]` is every type."
            ))
        })?;
        if texts == [EVERY] {
            return Ok(SentTypes(Types::Every));
        }
        let types: Option<Vec<Type>> = texts.iter().map(|text| Type::parse(text)).collect();
        types.and_then(Types::only).map(SentTypes).ok_or_else(|| {
            let all: Vec<&str> = Type::ALL.iter().map(Type::as_str).collect();
            D::Error::custom(format!(
                "may hold `*` alone, or {} and nothing else.",
                all.join(", ")
            ))
        })
    }
}

impl App {
    /// Reads a URL that webhooks shall be sent to, and looks whether they may be.
    async fn admit_webhook_url(&self, url: &str) -> Result<String, ApiError> {
        match self.webhooks_out.admit(url).await {
            Ok(target) => Ok(target.as_str().to_owned()),
            Err(refused) => Err(not_admitted(refused)),
        }
    }
}

fn not_admitted(refused: NotAllowed) -> ApiError {
    let reason = match refused {
        NotAllowed::Url(BadUrl::TooLong | BadUrl::Malformed) => Reason::InvalidRequest,
        NotAllowed::Url(_) | NotAllowed::Address | NotAllowed::Unknown => {
            Reason::WebhookAddressNotAllowed
        }
    };
    ApiError::new(reason)
        .field("url")
        .message(refused.message())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled<T: Serialize>(words: &[T]) -> Vec<serde_json::Value> {
        let value = |word| serde_json::to_value(word).unwrap_or_default();
        words.iter().map(value).collect()
    }

    #[test]
    fn words_are_spelled_alike_everywhere() {
        let states = [
            EndpointStateJson::Active,
            EndpointStateJson::Failing,
            EndpointStateJson::Disabled,
        ];
        assert_eq!(spelled(&states), spelled(EndpointState::ALL));
        let reasons = [
            DisabledJson::ByHand,
            DisabledJson::Failures,
            DisabledJson::Gone,
        ];
        assert_eq!(spelled(&reasons), spelled(Disabled::ALL));
    }

    #[test]
    fn types_are_some_or_every() {
        let read =
            |text: &str| serde_json::from_str::<SentTypes>(text).map(|SentTypes(types)| types);
        assert_eq!(read(r#"["*"]"#).ok(), Some(Types::Every));
        let some = Types::only(vec![Type::Ping]);
        assert_eq!(read(r#"["ping", "ping"]"#).ok(), some);
        for wrong in [
            "[]",
            r#"["*", "ping"]"#,
            r#"["code.burnt"]"#,
            r#""*""#,
            "[1]",
            "{}",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
