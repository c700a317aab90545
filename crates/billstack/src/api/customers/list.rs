//! `GET …/customers`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::customers::{self, CustomerFilter};
use serde::Serialize;
use utoipa::ToSchema;

use super::{CustomerJson, LONGEST_TEXT};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, page, text, weight};

/// A page of customers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomersAnswer {
    /// The newest first.
    customers: Vec<CustomerJson>,
    /// Present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List customers.
///
/// The project's customers, the newest first. Filters are exact and can be combined.
#[utoipa::path(
    get, path = "", operation_id = "list_customers",
    params(
        PageParams,
        ("email" = Option<String>, Query, description = "Only with this e-mail address.", min_length = 1, max_length = 255),
        ("externalId" = Option<String>, Query, description = "Only with this id of the team's own.", min_length = 1, max_length = 255),
        ("stripeCustomerId" = Option<String>, Query, description = "Only with this id in Stripe.", min_length = 1, max_length = 255),
    ),
    responses((status = 200, description = "A page of customers.", body = CustomersAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let email = text(&query, "email", LONGEST_TEXT)?;
    let filter = CustomerFilter {
        // A text that cannot be an address finds nobody, like an address that nobody has.
        email: email.map(|text| billstack_core::email::normalize(&text).unwrap_or(text)),
        external_id: text(&query, "externalId", LONGEST_TEXT)?,
        stripe_customer_id: text(&query, "stripeCustomerId", LONGEST_TEXT)?,
    };
    let place = access.place();
    let part = access.scan(&app, weight(&page), move |tx, place| {
        Ok(customers::list(tx, place, &filter, &page)?)
    });
    let part = part.await?;
    let customers = part
        .rows
        .iter()
        .map(|row| CustomerJson::new(row, &place.project_id));
    Ok(answer::send(answer::ok(&CustomersAnswer {
        customers: customers.collect(),
        next_cursor: part.next.map(|cursor| cursor.encode()),
    })))
}
