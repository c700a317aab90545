//! `GET …/referrals/credits/{id}/postings`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::ledger::{Account, Cause};
use billstack_core::money::Currency;
use billstack_store::credits::{self, Credit, Posting};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, page, weight};
use crate::http::path::Item;

/// An account of a credit.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CreditAccount)]
pub enum AccountJson {
    /// The program: below zero by what it gives.
    Program,
    /// Earned, but held.
    Held,
    /// The customer's.
    Customer,
    /// In the customer's balance in Stripe, and not used yet.
    Stripe,
    /// Used for an invoice of Stripe.
    Applied,
    /// Paid to the customer.
    Settled,
    /// What should have been taken back and could not be.
    Shortfall,
    /// What stands against the shortfall.
    Memo,
}

/// What kind of thing moved money.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PostingCause)]
pub enum CauseJson {
    /// An event of Stripe.
    Event,
    /// A person or an API key.
    User,
    /// A job of the server.
    Job,
}

/// A line of the ledger. Those of one movement have the same time and sum to zero.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreditPosting)]
pub struct PostingJson {
    /// Its id: the credit, the number of the movement, the account.
    #[schema(example = "cr_01kgv5r3mq7x2h9d4t8w6c0b1e.1.customer")]
    id: String,
    /// The account that changed.
    #[schema(value_type = AccountJson)]
    account: Account,
    /// By how much, in minor units.
    #[schema(example = 1000)]
    amount: i64,
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
    /// What kind of thing caused it.
    #[schema(value_type = CauseJson)]
    cause: Cause,
    /// Which one: the id of the Stripe event, the actor, or the name of the job.
    #[schema(example = "evt_1RfX2cQ")]
    cause_id: String,
    /// Why, when a person moved it.
    reason: Option<String>,
    /// What a payment is called elsewhere.
    reference: Option<String>,
    /// What in Stripe it is about: an invoice, a charge, a refund, a dispute, a note, a line of a balance.
    stripe_object: Option<String>,
    /// When what it tells of happened.
    #[schema(format = DateTime)]
    effective_at: String,
    /// When it was booked.
    #[schema(format = DateTime)]
    created_at: String,
}

impl PostingJson {
    fn new(credit: &Credit, posting: Posting) -> PostingJson {
        PostingJson {
            id: format!("{}.{}.{}", credit.id, posting.seq, posting.account),
            account: posting.account,
            amount: posting.amount,
            currency: credit.currency,
            cause: posting.cause,
            cause_id: posting.cause_id,
            reason: posting.reason,
            reference: posting.reference,
            stripe_object: posting.stripe_object,
            effective_at: rfc3339(posting.effective_at.0),
            created_at: rfc3339(posting.created_at.0),
        }
    }
}

/// A page of postings.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostingsAnswer {
    /// From the first.
    postings: Vec<PostingJson>,
    /// Present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List the postings of a credit.
///
/// Every movement of its money in order, with what caused it. They are never changed: a correction is another.
#[utoipa::path(
    get, path = "", operation_id = "list_credit_postings",
    params(PageParams),
    responses((status = 200, description = "A page of postings.", body = PostingsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(id): Item,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let read = access.scan(&app, weight(&page), move |tx, place| {
        let credit = credits::require(tx, place, &id)?;
        let part = credits::postings(tx, place, &id, &page)?;
        Ok((credit, part))
    });
    let (credit, part) = read.await?;
    let json = |posting| PostingJson::new(&credit, posting);
    Ok(answer::send(answer::ok(&PostingsAnswer {
        postings: part.rows.into_iter().map(json).collect(),
        next_cursor: part.next.map(|cursor| cursor.encode()),
    })))
}
