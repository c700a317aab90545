//! `GET /api/public/teams/{teamId}/projects/{projectId}/offer`.

use axum::extract::{Request, State};
use axum::response::Response;
use billstack_core::portal::{Named, Names, label};
use billstack_store::portal::{self, Offer, Shown};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::api::portal::MoneyJson;
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::answer;
use crate::http::page::{QueryString, text};
use crate::http::path::Somewhere;
use crate::http::visitor::client_address;
use crate::portal::{asking_origin, readable};

/// The longest code or name that is looked up, in characters, and the longest token.
const LONGEST_CODE: usize = 64;
const LONGEST_TOKEN: usize = 200;

/// What is promised, if anything is.
#[derive(Serialize, ToSchema)]
#[schema(as = PublicOffer)]
#[serde(untagged)]
pub enum OfferJson {
    /// Something is.
    Valid(ValidOfferJson),
    /// Nothing is, and nobody learns why.
    Invalid(InvalidOfferJson),
}

/// What is promised to somebody who comes by a recommendation.
#[derive(Serialize, ToSchema)]
#[schema(as = ValidOffer)]
#[serde(rename_all = "camelCase")]
pub struct ValidOfferJson {
    /// Always true.
    #[schema(schema_with = always::<true>)]
    valid: bool,
    /// The code to apply when they sign up: the name that it has, or itself.
    #[schema(example = "ADA-L")]
    code: String,
    /// What they get.
    referee_credit: MoneyJson,
    /// The first name of who recommends; null where the project does not let it be told, and from the start.
    #[schema(example = "Ada")]
    referrer_name: Option<String>,
}

/// Nothing is promised.
#[derive(Serialize, ToSchema)]
#[schema(as = InvalidOffer)]
pub struct InvalidOfferJson {
    /// Always false.
    #[schema(schema_with = always::<false>)]
    valid: bool,
}

/// A flag that tells one answer from the other.
fn always<const IS: bool>() -> Object {
    let flag = ObjectBuilder::new().schema_type(Type::Boolean);
    flag.enum_values(Some([IS])).examples([IS]).build()
}

/// The offer as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct OfferAnswer {
    /// The offer.
    offer: OfferJson,
}

impl OfferJson {
    fn new(offer: Option<Offer>) -> OfferJson {
        let Some(Offer {
            code,
            program,
            referrer_name,
        }) = offer
        else {
            return OfferJson::Invalid(InvalidOfferJson { valid: false });
        };
        let terms = &program.terms;
        let first = label(referrer_name.as_deref(), false, Names::First);
        OfferJson::Valid(ValidOfferJson {
            valid: true,
            code: code.names.0.first().unwrap_or(&code.code).clone(),
            referee_credit: MoneyJson::new(terms.referee_credit_amount.get(), terms.currency),
            referrer_name: match first {
                // A letter says nothing to somebody who has just come.
                Named::Shown(name) if !name.ends_with('…') => Some(name),
                _ => None,
            },
        })
    }
}

/// What was asked about. A code comes before a token, as it does when it is applied.
fn shown(code: Option<String>, token: Option<String>) -> Result<Shown, ApiError> {
    match (code, token) {
        (Some(code), _) => Ok(Shown::Code(code)),
        (None, Some(token)) => Ok(Shown::ClickToken(token)),
        (None, None) => {
            let why = "`code` or `clickToken` is required.";
            Err(ApiError::invalid("code", why))
        }
    }
}

/// Look what somebody is offered.
///
/// For sign-up pages: what whoever came with a code, or by a link, is promised. A code that is unknown or no longer active,
/// a click that is too old, a program that is off and a project that is not there look alike. Pages of the origins that the
/// portal settings of the project name may ask; an address may miss 20 times a minute.
#[utoipa::path(
    get, path = "", operation_id = "get_public_offer",
    params(
        ("code" = Option<String>, Query, description = "A code, or a name of one.", min_length = 1, max_length = 64),
        ("clickToken" = Option<String>, Query, description = "What the link left with the visitor.", min_length = 1, max_length = 200),
    ),
    responses((status = 200, description = "The offer.", body = OfferAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    Somewhere(place): Somewhere,
    QueryString(query): QueryString,
    request: Request,
) -> Result<Response, ApiError> {
    let code = text(&query, "code", LONGEST_CODE)?;
    let shown = shown(code, text(&query, "clickToken", LONGEST_TOKEN)?)?;
    let (parts, _) = request.into_parts();
    let guess = app.offer_misses.take(&client_address(&parts, &app)?).await;
    let guess =
        guess.map_err(|wait| ApiError::new(Reason::TooManyRequests).retry_after(wait.into()))?;
    let now = app.now();
    let looked = app
        .store
        .point(move |tx| Ok(portal::offer(tx, &place, &shown, now)?));
    let (offer, allowed) = looked.await?;
    match offer {
        Some(_) => guess.hit(),
        None => guess.miss(),
    }
    let offer = OfferJson::new(offer);
    let response = answer::send(answer::ok(&OfferAnswer { offer }));
    let origin = asking_origin(&parts.headers);
    Ok(readable(response, &allowed, origin.as_deref()))
}
