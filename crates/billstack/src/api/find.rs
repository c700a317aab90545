//! `GET /api/billstack/find`, and `GET /api/billstack/find/{id}`.

pub mod resolve;

use axum::extract::State;
use axum::response::Response;
use billstack_core::found::Kind;
use billstack_store::find::{self, Hit};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::Reading;
use crate::http::answer;
use crate::http::page::QueryString;

/// The longest text that is looked for, in characters: as long as an address.
const LONGEST: usize = 255;

/// What a thing is that was found.
#[derive(Serialize, ToSchema)]
#[schema(as = FoundKind)]
#[serde(rename_all = "snake_case")]
pub enum KindJson {
    /// A team.
    Team,
    /// A project.
    Project,
    /// A person who signs in.
    User,
    /// An API key.
    ApiKey,
    /// A customer.
    Customer,
    /// A referral code.
    Code,
    /// A referral.
    Referral,
    /// A credit.
    Credit,
    /// An event of our log.
    Event,
    /// An event of Stripe.
    StripeEvent,
    /// Where webhooks are sent.
    WebhookEndpoint,
    /// A webhook that was or is sent.
    WebhookDelivery,
    /// A request that changed something.
    Request,
}

/// Something that was found.
#[derive(Serialize, ToSchema)]
#[schema(as = Found)]
#[serde(rename_all = "camelCase")]
pub struct FoundJson {
    /// What it is.
    #[schema(value_type = KindJson)]
    kind: Kind,
    /// Its id, or its code.
    #[schema(example = "ref_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// The team it is in.
    #[schema(example = "team_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    team_id: String,
    /// The project it is in; null where it is of the team.
    #[schema(example = "proj_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    project_id: Option<String>,
    /// What it is part of: the endpoint of a delivery, the referral whose story tells of an event; null for anything else.
    of: Option<String>,
}

impl From<Hit> for FoundJson {
    fn from(hit: Hit) -> FoundJson {
        FoundJson {
            kind: hit.kind,
            id: hit.id,
            team_id: hit.team_id.to_string(),
            project_id: hit.project_id.map(|id| id.to_string()),
            of: hit.of,
        }
    }
}

/// What was found.
#[derive(Serialize, ToSchema)]
pub struct FindAnswer {
    /// The best first; empty where nothing was found.
    hits: Vec<FoundJson>,
}

/// Find something.
///
/// By an id of ours or of Stripe, a code or one of its names, the address or the external id of a customer, or the id of
/// a request: whole, in all teams of the signed-in user, as far as their role may read it, or where the API key is good,
/// as far as its scopes may.
#[utoipa::path(
    get, path = "", operation_id = "find",
    params(("q" = String, Query, description = "What to look for.", min_length = 1, max_length = 255, pattern = "^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$", example = "K7M2QX9D")),
    responses((status = 200, description = "What was found.", body = FindAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: Reading,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let wanted = query.optional_str("q", LONGEST)?.map(str::trim);
    let wanted = wanted.filter(|text| !text.is_empty());
    let text = wanted.ok_or_else(|| ApiError::invalid("q", "`q` must say what to look for."))?;
    let text = text.to_owned();
    let hits = app
        .store
        .scan(move |tx| find::find(tx, &access.reader, &text));
    let hits = hits.await?.into_iter().map(FoundJson::from).collect();
    Ok(answer::send(answer::ok(&FindAnswer { hits })))
}
