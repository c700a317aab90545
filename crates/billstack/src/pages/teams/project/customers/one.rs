//! `/t/{teamId}/p/{projectId}/customers/{id}`: who a customer is, whom they brought, and what they have.

use axum::extract::State;
use axum::response::Response;
use billstack_core::project::ProjectMode;
use billstack_store::Place;
use billstack_store::credits::{self, CreditFilter};
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
use crate::pages::parts::lock::Need;
use crate::pages::parts::money::amount;
use crate::pages::parts::notice::copyable;
use crate::pages::parts::pager::with_query;
use crate::pages::parts::people::{People, called};
use crate::pages::parts::time::moment;
use crate::pages::parts::unread::part;
use crate::pages::teams::project::referrals::one::credits_of;
use crate::pages::teams::project::referrals::{people_of, rows};
use crate::pages::teams::project::{address, codes};
use crate::pages::view::{View, read};

/// As many rows of each table as a look needs; behind a link is the rest.
const FEW: Page = Page::first(10);

/// The page.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let customer = customer(&app, &access.place, id).await?;
    let shown = body(&app, &customer, (&view, &access.place), Wrong::Nothing).await;
    Ok(view.page(&title(&customer), shown))
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
pub(super) async fn answer_again(
    app: &App,
    customer: &Customer,
    (view, place): (&View, &Place),
    error: &ApiError,
    wrong: Wrong<'_>,
) -> Response {
    let shown = body(app, customer, (view, place), wrong).await;
    view.again(error, &title(customer), shown)
}

fn title(customer: &Customer) -> String {
    format!("{} · Customers", called(customer))
}

/// Where the page of a customer is.
pub(super) fn path(place: &Place, id: &str) -> String {
    let base = address(&place.team_id, &place.project_id);
    format!("{base}/customers/{id}")
}

/// Who it is.
pub(super) async fn customer(app: &App, place: &Place, id: String) -> Result<Customer, ApiError> {
    read(app, place, move |tx, place| {
        customers::require(tx, place, &id)
    })
    .await
}

/// What they have, by currency.
async fn balances(app: &App, place: &Place, id: &str) -> Result<Markup, ApiError> {
    let id = id.to_owned();
    let balances = read(app, place, move |tx, place| {
        Ok(credits::balances(tx, place, &id)?)
    })
    .await?;
    Ok(html! {
        dl.figures {
            @for balance in &balances {
                div { dt { "Balance in " (balance.currency.as_str().to_ascii_uppercase()) } dd { (amount(balance.amount, balance.currency))
                    @if balance.held > 0 { " " span.quiet { "and " (amount(balance.held, balance.currency)) " held" } } } }
            }
            @if balances.is_empty() { div { dt { "Balance" } dd { "no credit yet" } } }
        }
    })
}

/// Who brought them, and with which code.
async fn brought_by(app: &App, place: &Place, id: &str) -> Result<Markup, ApiError> {
    let of_them = ReferralFilter {
        referee_customer_id: Some(id.to_owned()),
        ..ReferralFilter::default()
    };
    let found = read(app, place, move |tx, place| {
        let rows = referrals::list(tx, place, &of_them, &Page::first(1))?.rows;
        Ok((people_of(tx, place, &rows)?, rows))
    });
    let (people, rows) = found.await?;
    let base = address(&place.team_id, &place.project_id);
    Ok(html! {
        @match rows.first() {
            Some(referral) => {
                (people.link(place, &referral.referrer_customer_id)) " "
                a href={ (base) "/referrals/" (referral.id) } { "with " code { (referral.code) } }
            }
            None => span.quiet { "nobody" },
        }
    })
}

/// The codes that they give others.
async fn codes_of(app: &App, place: &Place, customer: &Customer) -> Result<Markup, ApiError> {
    let (id, people) = (customer.id.clone(), People::of(customer));
    let rows = read(app, place, move |tx, place| {
        codes::of_customer(tx, place, &id, &FEW)
    });
    let rows = rows.await?;
    let first = address(&place.team_id, &place.project_id);
    let first = with_query(&format!("{first}/codes"), &[("customerId", &customer.id)]);
    Ok(html! {
        (codes::rows(&rows, &people, place, "They have no code yet."))
        @if rows.is_empty() { p { a href=(first) { "Make their first" } } }
    })
}

/// Whom they brought, and who brought them.
async fn referrals_of(app: &App, place: &Place, id: &str) -> Result<Markup, ApiError> {
    let owned = id.to_owned();
    let found = read(app, place, move |tx, place| {
        let any = ReferralFilter::default();
        let part = referrals::list_of_customer(tx, place, &owned, &any, &FEW)?;
        Ok((people_of(tx, place, &part.rows)?, part))
    });
    let (people, part) = found.await?;
    let base = address(&place.team_id, &place.project_id);
    let all = with_query(&format!("{base}/referrals"), &[("customerId", id)]);
    Ok(html! {
        (rows(&part.rows, &people, place, "They have brought nobody, and nobody has brought them."))
        @if part.next.is_some() { p { a href=(all) { "All referrals of this customer" } } }
    })
}

/// The newest of their credits.
async fn credits_part(app: &App, place: &Place, id: &str) -> Result<Markup, ApiError> {
    let theirs = CreditFilter {
        customer_id: Some(id.to_owned()),
        ..CreditFilter::default()
    };
    let found = read(app, place, move |tx, place| {
        let rows = credits::list(tx, place, &theirs, &FEW)?.rows;
        let ids = rows.iter().map(|credit| credit.customer_id.as_str());
        Ok((People::read(tx, place, ids)?, rows))
    });
    let (people, rows) = found.await?;
    let base = address(&place.team_id, &place.project_id);
    let all = with_query(&format!("{base}/credits"), &[("customerId", id)]);
    Ok(html! {
        (credits_of(&rows, &people, place))
        @if !rows.is_empty() { p { a href=(all) { "All credits of this customer" } } }
    })
}

/// Who it is at once; the rest by parts, each of which may fail alone.
async fn body(
    app: &App,
    customer: &Customer,
    (view, place): (&View, &Place),
    wrong: Wrong<'_>,
) -> Markup {
    let (balances, brought, codes, referrals, credits) = tokio::join!(
        part(view, balances(app, place, &customer.id)),
        part(view, brought_by(app, place, &customer.id)),
        part(view, codes_of(app, place, customer)),
        part(view, referrals_of(app, place, &customer.id)),
        part(view, credits_part(app, place, &customer.id)),
    );
    html! {
        h1 { (called(customer)) }
        section { (balances) }
        (facts(customer, view, brought))
        h2 { "Codes" }
        (codes)
        h2 { "Referrals" }
        (referrals)
        h2 { "Credits" }
        (credits)
        (what_can_be_done(customer, (view, place), wrong))
    }
}

fn facts(customer: &Customer, view: &View, brought: Markup) -> Markup {
    html! {
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
                div { dt { "Referred by" } dd { (brought) } }
                div { dt { "Since" } dd { (moment(customer.created_at)) } }
            }
        }
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
        (super::edit::form(customer, &action, &view.lock(Need::Writer), edit))
        (super::erase::form(customer, &action, &view.lock(Need::Writer), erase))
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
