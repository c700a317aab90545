//! `POST …/webhook-endpoints/{endpointId}/test`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::ids::IdKind;
use billstack_core::webhook::attempt::AttemptError;
use billstack_core::webhook::types::Type;
use billstack_store::webhooks::{Told, endpoints};
use billstack_store::{Actor, Place};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::deliveries::{DeliveryJson, Tested};
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::Word;
use crate::http::path::Item;
use crate::webhooks::out::samples;
use crate::webhooks::out::send::{Contents, Letter};

/// What is sent to try an endpoint.
#[derive(Deserialize, ToSchema)]
#[schema(as = TestWebhookRequest)]
pub struct TestRequest {
    /// The type whose sample is sent; `ping` when left out.
    #[serde(rename = "type")]
    #[schema(value_type = Option<String>, example = "referral.converted")]
    kind: Option<Word<Type>>,
}

impl TestRequest {
    /// The type whose sample is sent.
    pub(crate) fn kind(&self) -> Type {
        let kind = self.kind.as_ref();
        kind.map_or(Type::Ping, |Word(kind)| *kind)
    }
}

/// What came of a test.
#[derive(Serialize, ToSchema)]
#[schema(as = TestWebhookAnswer)]
pub struct TestAnswer {
    /// The test, as a delivery; it is not kept.
    delivery: DeliveryJson,
    /// The command line that sends the same once more; its signature is good for a few minutes. Null where nothing
    /// could be signed.
    #[schema(example = "curl -sS -X POST 'https://hooks.example.com/billstack' --data-raw '{}'")]
    curl: Option<String>,
}

/// Test a webhook endpoint.
///
/// Sends the sample of a type, marked with `"test": true`, waits, and shows what came of it. Nothing is kept, the
/// endpoint's state stays as it is, and it may be disabled. An endpoint can be tried thirty times a minute.
#[utoipa::path(
    post, path = "", operation_id = "test_webhook_endpoint",
    request_body = TestRequest,
    responses((status = 200, description = "What came of it.", body = TestAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(endpoint_id): Item,
    input: Input<TestRequest>,
) -> Result<Response, ApiError> {
    let fired = fire(&app, &access.place, &endpoint_id, input.body.kind()).await?;
    let tested = Tested {
        id: fired.id,
        endpoint_id: &endpoint_id,
        event_id: &fired.event_id,
        kind: fired.kind,
        attempt: &fired.told.attempt,
    };
    Ok(answer::send(answer::ok(&TestAnswer {
        delivery: tested.into(),
        curl: fired.letter.as_ref().ok().map(Letter::curl),
    })))
}

/// A sample that was sent, and what came of it.
pub(crate) struct Fired {
    id: String,
    event_id: String,
    pub(crate) kind: Type,
    pub(crate) letter: Result<Letter, AttemptError>,
    pub(crate) told: Told,
}

/// Sends the sample of a type to an endpoint, once, and waits for the answer.
///
/// # Errors
/// When there is no such endpoint, and when it was tried too often.
pub(crate) async fn fire(
    app: &App,
    place: &Place,
    endpoint_id: &str,
    kind: Type,
) -> Result<Fired, ApiError> {
    let (at, of, now) = (place.clone(), endpoint_id.to_owned(), app.now());
    let read = app
        .store
        .point(move |tx| endpoints::to_test(tx, &at, &of, now));
    let (url, secrets) = read.await?;
    count(app, endpoint_id)?;
    let mut ids = app.origin(Actor::System, "test").seed.start();
    let (id, event_id) = (ids.next(IdKind::WebhookDelivery), ids.next(IdKind::Event));
    let contents = Contents {
        team_id: &place.team_id,
        endpoint_id,
        url: &url,
        secrets: &secrets,
        event_id: &event_id,
        attempt: 1,
    };
    let letter = app.webhook_letter(contents, samples::test(kind, place, &event_id, now).into());
    let told = app
        .send_letter(letter.as_ref().map_err(|error| *error))
        .await;
    Ok(Fired {
        id,
        event_id,
        kind,
        letter,
        told,
    })
}

/// Counts a test of an endpoint.
fn count(app: &App, endpoint_id: &str) -> Result<(), ApiError> {
    let decision = app.webhook_tests.check(endpoint_id);
    match decision.filter(|decision| !decision.allowed) {
        None => Ok(()),
        Some(refused) => {
            let wait = u64::from(refused.retry_after.unwrap_or(1));
            Err(ApiError::new(Reason::RateLimited).retry_after(wait))
        }
    }
}
