//! `POST …/webhook-endpoints`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::webhook::endpoint::Types;
use billstack_store::webhooks::{NewEndpoint, endpoints};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{EndpointJson, LONGEST_DESCRIPTION, LONGEST_URL, SecretAnswer, SentTypes};
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::Text;
use crate::webhooks::out::{secret, signature};

/// A new endpoint.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreateWebhookEndpointRequest)]
pub struct CreateEndpointRequest {
    /// Where it is: `https://`, a name, port 443 or above 1023. Every address of the host must be in the public
    /// Internet, or in a network that the operator allows.
    #[schema(value_type = String, min_length = 1, max_length = 2048, example = "https://hooks.example.com/billstack")]
    url: Text<1, LONGEST_URL>,
    /// What it is for.
    #[schema(value_type = Option<String>, max_length = 500, example = "The CRM")]
    description: Option<Text<0, LONGEST_DESCRIPTION>>,
    /// What it is told; every type when left out, or with `["*"]`.
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 100, example = json!(["referral.converted", "credit.granted"]))]
    types: Option<SentTypes>,
}

impl CreateEndpointRequest {
    /// The endpoint that it asks for, if webhooks may be sent there.
    ///
    /// # Errors
    /// For an address that is refused.
    pub(crate) async fn into_new(self, app: &App) -> Result<NewEndpoint, ApiError> {
        let Text(url) = self.url;
        Ok(NewEndpoint {
            url: app.admit_webhook_url(&url).await?,
            description: self.description.map(|Text(text)| text),
            types: self.types.map_or(Types::Every, |SentTypes(types)| types),
        })
    }
}

/// Create a webhook endpoint.
///
/// Events of the project that happen from now on are sent to it. The secret is in this answer only, which is never kept
/// under an `Idempotency-Key`. A project has ten endpoints at most.
#[utoipa::path(
    post, path = "", operation_id = "create_webhook_endpoint",
    request_body = CreateEndpointRequest,
    responses((status = 201, description = "The endpoint and its secret.", body = SecretAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: Input<CreateEndpointRequest>,
) -> Result<Response, ApiError> {
    let new = input.body.into_new(&app).await?;
    let (cipher, place, fresh) = (app.cipher.clone(), access.place, signature::new_secret());
    let shown = fresh.expose().to_owned();
    let made = app.write(&access.caller, move |tx, act| {
        let seal = |id: &str| secret::seal(&cipher, &place.team_id, id, &fresh);
        endpoints::create(tx, act, &place, &new, seal)
    });
    Ok(answer::send(answer::created(&SecretAnswer {
        endpoint: EndpointJson::new(&made.await?),
        secret: shown,
    })))
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[Reason::TooManyEndpoints, Reason::WebhookAddressNotAllowed];
