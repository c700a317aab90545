//! `PATCH …/webhook-endpoints/{endpointId}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::webhooks::endpoints::{self, EndpointPatch};
use billstack_store::{Act, Tx};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{EndpointAnswer, LONGEST_DESCRIPTION, LONGEST_URL, SentTypes};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::{Text, sent};
use crate::http::path::Item;

/// What to change; a member left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UpdateWebhookEndpointRequest)]
pub struct UpdateEndpointRequest {
    /// Where it is from now on; what waits is sent there too.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 2048, example = "https://hooks.example.com/v2")]
    url: Option<Text<1, LONGEST_URL>>,
    /// What it is for; `null` clears it.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>, max_length = 500)]
    description: Option<Option<Text<0, LONGEST_DESCRIPTION>>>,
    /// What it is told of events from now on; `["*"]` is every type.
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 100, example = json!(["*"]))]
    types: Option<SentTypes>,
}

impl UpdateEndpointRequest {
    /// The change that it asks for, if webhooks may be sent there.
    ///
    /// # Errors
    /// For an address that is refused.
    pub(crate) async fn into_patch(self, app: &App) -> Result<EndpointPatch, ApiError> {
        let url = match self.url {
            Some(Text(url)) => Some(app.admit_webhook_url(&url).await?),
            None => None,
        };
        Ok(EndpointPatch {
            url,
            description: self.description.map(|text| text.map(|Text(text)| text)),
            types: self.types.map(|SentTypes(types)| types),
        })
    }
}

/// Update a webhook endpoint.
///
/// A new `url` is looked at as that of a new endpoint.
#[utoipa::path(
    patch, path = "", operation_id = "update_webhook_endpoint",
    request_body = UpdateEndpointRequest,
    responses((status = 200, description = "The endpoint as it is now.", body = EndpointAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(id): Item,
    input: Input<UpdateEndpointRequest>,
) -> Result<Response, ApiError> {
    let patch = input.body.into_patch(&app).await?;
    let place = access.place;
    let update =
        move |tx: &mut dyn Tx, act: &mut Act| endpoints::update(tx, act, &place, &id, &patch);
    let answer = |endpoint: &_| answer::ok(&EndpointAnswer::new(endpoint));
    app.write_answer(&access.caller, input.keyed, update, answer)
        .await
}
