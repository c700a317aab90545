//! What a webhook says: made anew for each attempt, from the facts of its event and what was looked up for it.
//!
//! Amounts, statuses and whatever else an event changed are as they were then, so all attempts say the same. Of
//! customers only ids are told; what the team calls them is as it is now, and null once they have been erased.

pub mod credits;
pub mod others;
pub mod referrals;

use billstack_core::webhook::types::Type;
use billstack_store::told::Told;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Moment;

/// A webhook.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// As what it is told.
    #[serde(rename = "type")]
    pub kind: Type,
    /// The event.
    pub id: String,
    /// When it happened.
    timestamp: Moment,
    team_id: String,
    project_id: String,
    /// Its number in the story of its referral.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<i64>,
    data: Data,
}

/// What a webhook is about. Each type has one of these.
#[derive(Serialize)]
#[serde(untagged)]
enum Data {
    Applied(referrals::WebhookReferralApplied),
    Converted(referrals::WebhookReferralConverted),
    NotConverted(referrals::WebhookReferralNotConverted),
    Withheld(referrals::WebhookCreditWithheld),
    Expired(referrals::WebhookReferralExpired),
    CreditMade(credits::WebhookCreditMade),
    CreditMoved(Box<credits::WebhookCreditMoved>),
    CreditDelivery(credits::WebhookCreditDelivery),
    CreditFellShort(credits::WebhookCreditFellShort),
    Code(others::WebhookCode),
    CustomerCreated(others::WebhookCustomerCreated),
    CustomerUpdated(others::WebhookCustomerUpdated),
    CustomerLinked(others::WebhookCustomerLinked),
    CustomerErased(others::WebhookCustomerErased),
    Program(Box<others::WebhookProgram>),
    Budget(others::WebhookBudget),
    EndpointFailing(others::WebhookEndpointFailing),
    EndpointDisabled(others::WebhookEndpointDisabled),
    Ping(others::WebhookPing),
}

/// Somebody whom a webhook is about. Ids alone: no name and no address.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookCustomer {
    /// Their id here.
    #[schema(example = "pc_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// What you call them, as it is when this is sent; null once they have been erased.
    #[schema(example = "user-4711")]
    external_id: Option<String>,
}

impl WebhookCustomer {
    fn of(told: &Told, id: &str) -> WebhookCustomer {
        WebhookCustomer {
            id: id.to_owned(),
            external_id: told.external_ids.get(id).cloned().flatten(),
        }
    }
}

/// What a webhook says of an event; none where its facts cannot be read, as a hand may have left them.
pub fn body(told: &Told) -> Option<Body> {
    let event = &told.event;
    Some(Body {
        kind: told.kind,
        id: event.id.clone(),
        timestamp: Moment(event.at),
        team_id: told.place.team_id.to_string(),
        project_id: told.place.project_id.to_string(),
        sequence: event.sequence,
        data: data(told)?,
    })
}

fn data(told: &Told) -> Option<Data> {
    Some(match told.kind {
        Type::ReferralApplied => Data::Applied(referrals::applied(told)?),
        Type::ReferralConverted => Data::Converted(referrals::converted(told)?),
        Type::ReferralNotConverted => Data::NotConverted(referrals::not_converted(told)?),
        Type::ReferralCreditWithheld => Data::Withheld(referrals::withheld(told)?),
        Type::ReferralExpired => Data::Expired(referrals::expired(told)?),
        Type::CreditGranted | Type::CreditHeld => Data::CreditMade(credits::made(told)?),
        Type::CreditReleased
        | Type::CreditDelivered
        | Type::CreditApplied
        | Type::CreditUnapplied
        | Type::CreditPutBack
        | Type::CreditReversed
        | Type::CreditRestored
        | Type::CreditSettled
        | Type::CreditShortfall
        | Type::CreditShortfallCanceled => Data::CreditMoved(Box::new(credits::moved(told)?)),
        Type::CreditNeedsAttention
        | Type::CreditDeliveryRequested
        | Type::CreditDeliveryRetried => Data::CreditDelivery(credits::delivery(told)?),
        Type::CreditDeliveryFellShort => Data::CreditFellShort(credits::fell_short(told)?),
        Type::CodeCreated | Type::CodeDeactivated | Type::CodeRenamed => {
            Data::Code(others::code(told)?)
        }
        Type::CustomerCreated => Data::CustomerCreated(others::created(told)?),
        Type::CustomerUpdated => Data::CustomerUpdated(others::updated(told)?),
        Type::CustomerLinked => Data::CustomerLinked(others::linked(told)?),
        Type::CustomerErased => Data::CustomerErased(others::erased(told)),
        Type::ProgramUpdated => Data::Program(Box::new(others::program(told)?)),
        Type::BudgetLow | Type::BudgetExhausted => Data::Budget(others::budget(told)?),
        Type::WebhookEndpointFailing => Data::EndpointFailing(others::failing(told)?),
        Type::WebhookEndpointDisabled => Data::EndpointDisabled(others::disabled(told)?),
        Type::Ping => Data::Ping(others::WebhookPing {}),
        // A type of a newer version is for a newer node to tell.
        Type::Other(_) => return None,
    })
}

/// The facts of an event.
fn facts<T: DeserializeOwned>(told: &Told) -> Option<T> {
    serde_json::from_str(&told.event.facts).ok()
}

/// Why something happened.
#[derive(Deserialize)]
struct Why {
    reason: String,
}
