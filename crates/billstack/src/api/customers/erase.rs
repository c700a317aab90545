//! `DELETE …/customers/{id}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::erase;
use billstack_store::{Act, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::NoInput;
use crate::http::path::Item;

/// The customer that is no more.
#[derive(Serialize, ToSchema)]
#[schema(as = DeletedCustomer)]
pub struct DeletedCustomerJson {
    /// Its id.
    #[schema(example = "pc_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// Always true.
    deleted: bool,
}

/// What was erased.
#[derive(Serialize, ToSchema)]
pub struct DeleteCustomerAnswer {
    /// The customer.
    customer: DeletedCustomerJson,
}

/// Erase a customer.
///
/// Erases the person: name, e-mail, metadata and their traces in stored events and answers. Ids,
/// referrals and amounts stay. The customer's code is deactivated and pending referrals are closed.
#[utoipa::path(
    delete, path = "", operation_id = "delete_customer",
    responses((status = 200, description = "The customer is erased.", body = DeleteCustomerAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(id): Item,
    input: NoInput,
) -> Result<Response, ApiError> {
    let (place, erased) = (access.place.clone(), id.clone());
    let erase = move |tx: &mut dyn Tx, act: &mut Act| erase::erase(tx, act, &place, &id);
    let answer = move |(): &()| {
        let customer = DeletedCustomerJson {
            id: erased.clone(),
            deleted: true,
        };
        answer::ok(&DeleteCustomerAnswer { customer })
    };
    app.write_answer(&access.caller, input.keyed, erase, answer)
        .await
}
