//! `/t/{teamId}/p/{projectId}/customers/{id}`: who a customer is, whom they brought, and what they have.

use axum::extract::State;
use axum::response::Response;
use billstack_core::project::ProjectMode;
use billstack_core::referral::Referral;
use billstack_store::Place;
use billstack_store::credits::{self, Balance, Credit, CreditFilter};
use billstack_store::customers::{self, Customer};
use billstack_store::list::Page;
use billstack_store::referrals::{self, ReferralFilter};
use maud::{Markup, html};

use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::path::Item;
use crate::pages::form::Form;
use crate::pages::parts::form::fault;
use crate::pages::parts::money::amount;
use crate::pages::parts::notice::copyable;
use crate::pages::parts::pager::with_query;
use crate::pages::parts::people::{People, called};
use crate::pages::parts::time::moment;
use crate::pages::teams::project::referrals::one::credits_of;
use crate::pages::teams::project::referrals::{people_of, rows};
use crate::pages::teams::project::{address, codes};
use crate::pages::view::{View, read};

/// As many rows of each table as a look needs; behind a link is the rest.
const FEW: i64 = 10;

/// All that the page tells.
pub(super) struct Told {
    pub(super) customer: Customer,
    balances: Vec<Balance>,
    codes: Vec<codes::Row>,
    /// The one that brought them.
    brought: Option<Referral>,
    referrals: Vec<Referral>,
    has_more: bool,
    credits: Vec<Credit>,
    people: People,
}

/// The page.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let told = told(&app, &access.place, id).await?;
    let shown = body(&told, (&view, &access.place), Wrong::Nothing);
    Ok(view.page(&title(&told), shown))
}

/// Which form of the page was sent and is wrong, and what is wrong about it.
#[derive(Clone, Copy)]
pub(super) enum Wrong<'f> {
    Nothing,
    Edit(&'f Form, &'f ApiError),
    Erase(&'f Form, &'f ApiError),
    Other(&'f ApiError),
}

/// The page again, with the form as it was typed.
pub(super) fn answer_again(
    told: &Told,
    (view, place): (&View, &Place),
    error: &ApiError,
    wrong: Wrong<'_>,
) -> Response {
    let shown = body(told, (view, place), wrong);
    view.again(error, &title(told), shown)
}

fn title(told: &Told) -> String {
    format!("{} · Customers", called(&told.customer))
}

/// Where the page of a customer is.
pub(super) fn path(place: &Place, id: &str) -> String {
    let base = address(&place.team_id, &place.project_id);
    format!("{base}/customers/{id}")
}

pub(super) async fn told(app: &App, place: &Place, id: String) -> Result<Told, ApiError> {
    let few = Page {
        limit: FEW,
        offset: 0,
        after: None,
    };
    read(app, place, move |tx, place| {
        let customer = customers::require(tx, place, &id)?;
        let any = ReferralFilter::default();
        let part = referrals::list_of_customer(tx, place, &id, &any, &few)?;
        let theirs = CreditFilter {
            customer_id: Some(id.clone()),
            ..CreditFilter::default()
        };
        let by_whom = ReferralFilter {
            referee_customer_id: Some(id.clone()),
            ..ReferralFilter::default()
        };
        let brought = referrals::list(tx, place, &by_whom, &few)?.rows.pop();
        let named = part.rows.iter().chain(&brought);
        Ok(Told {
            people: people_of(tx, place, named)?,
            codes: codes::of_customer(tx, place, &id, &few)?,
            brought,
            balances: credits::balances(tx, place, &id)?,
            credits: credits::list(tx, place, &theirs, &few)?.rows,
            has_more: part.next.is_some(),
            referrals: part.rows,
            customer,
        })
    })
    .await
}

fn body(told: &Told, (view, place): (&View, &Place), wrong: Wrong<'_>) -> Markup {
    let customer = &told.customer;
    let base = address(&place.team_id, &place.project_id);
    let all = with_query(
        &format!("{base}/referrals"),
        &[("customerId", &customer.id)],
    );
    let credits = with_query(&format!("{base}/credits"), &[("customerId", &customer.id)]);
    html! {
        h1 { (called(customer)) }
        section {
            dl.figures {
                @for balance in &told.balances {
                    div { dt { "Balance in " (balance.currency.as_str().to_ascii_uppercase()) } dd { (amount(balance.amount, balance.currency)) } }
                }
                @if told.balances.is_empty() { div { dt { "Balance" } dd { "no credit yet" } } }
            }
        }
        section {
            h2 { "Facts" }
            dl.facts {
                div { dt { "Address" } dd { (copyable(&customer.email)) } }
                div { dt { "Id" } dd { (copyable(&customer.id)) } }
                @if let Some(id) = &customer.external_id { div { dt { "External id" } dd { (copyable(id)) } } }
                div { dt { "In Stripe" } dd {
                    @match &customer.stripe_customer_id {
                        Some(id) => { (copyable(id)) " " a href=(at_stripe(view, id)) rel="external noreferrer" { "Open in Stripe" } }
                        None => span.quiet { "not linked: what Stripe tells of them converts nothing yet" },
                    }
                } }
                div { dt { "Referred by" } dd {
                    @match &told.brought {
                        Some(referral) => {
                            (told.people.link(place, &referral.referrer_customer_id)) " "
                            a href={ (base) "/referrals/" (referral.id) } { "with " code { (referral.code) } }
                        }
                        None => span.quiet { "nobody" },
                    }
                } }
                div { dt { "Since" } dd { (moment(customer.created_at)) } }
            }
        }
        h2 { "Codes" }
        (codes::rows(&told.codes, &People::of(customer), place, "They have no code yet."))
        @if told.codes.is_empty() { p { a href={ (base) "/codes?customerId=" (customer.id) } { "Make their first" } } }
        h2 { "Referrals" }
        (rows(&told.referrals, &told.people, place, "They have brought nobody, and nobody has brought them."))
        @if told.has_more { p { a href=(all) { "All referrals of this customer" } } }
        h2 { "Credits" }
        (credits_of(&told.credits, &told.people, place))
        @if !told.credits.is_empty() { p { a href=(credits) { "All credits of this customer" } } }
        (what_can_be_done(customer, (view, place), wrong))
    }
}

/// The page of a customer in Stripe's own dashboard.
fn at_stripe(view: &View, id: &str) -> String {
    let is_test = view
        .project
        .as_ref()
        .is_some_and(|project| project.mode == ProjectMode::Test);
    let mode = if is_test { "test/" } else { "" };
    let kind = if id.starts_with("acct_") {
        "connect/accounts"
    } else {
        "customers"
    };
    format!("https://dashboard.stripe.com/{mode}{kind}/{id}")
}

fn what_can_be_done(
    customer: &Customer,
    (view, place): (&View, &Place),
    wrong: Wrong<'_>,
) -> Markup {
    let action = path(place, &customer.id);
    let (edit, erase, other) = match wrong {
        Wrong::Nothing => (None, None, None),
        Wrong::Edit(form, error) => (Some((form, error)), None, None),
        Wrong::Erase(form, error) => (None, Some((form, error)), None),
        Wrong::Other(error) => (None, None, Some(error)),
    };
    html! {
        h2 { "What can be done" }
        (fault(other, &[]))
        div.actions {
            (super::own_page::form(&action))
            a.button.plain href=(statement(customer, place)) { "Statement as CSV" }
        }
        (super::edit::form(customer, &action, view.can_write(), edit))
        (super::erase::form(customer, &action, view.can_write(), erase))
    }
}

/// The call that tells the statement as a file for people.
fn statement(customer: &Customer, place: &Place) -> String {
    let path = format!(
        "/api/billstack/teams/{}/projects/{}/customers/{}/credit-statement/export",
        place.team_id, place.project_id, customer.id
    );
    with_query(&path, &[("format", "spreadsheet")])
}
