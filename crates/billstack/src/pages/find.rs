//! `/find` and `/go/{id}`: the way to anything by whatever it is called, in all teams of whoever looks.

use axum::extract::State;
use axum::response::Response;
use billstack_core::access::Role;
use billstack_core::found::Kind;
use billstack_core::ids::made_at;
use billstack_core::time::MINUTE;
use billstack_store::find::{self, Hit};
use billstack_store::readers::Reader;
use billstack_store::{Fault, Place, Tx, customers, members, projects, teams};
use maud::{Markup, html};

use super::parts::pager::with_query;
use super::parts::people::called;
use super::parts::table::{Column, table};
use super::teams::project::address;
use super::view::{View, see_other};
use crate::app::{App, Shared};
use crate::clock::rfc3339;
use crate::error::{ApiError, Reason};
use crate::http::access::SignedIn;
use crate::http::page::{QueryString, text};
use crate::http::path::Item;
use crate::pages::parts::notice::beside;

/// Something that was found, as it is shown.
struct Found {
    hit: Hit,
    /// The page that shows it.
    path: String,
    /// What people call it, where it is not its id.
    name: Option<String>,
    /// Names of the team and of the project.
    place: String,
}

/// What there is; one thing alone is shown itself.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    signed: SignedIn,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let query = query.without_empty();
    let sought = text(&query, "q", 255)?.map(|q| q.trim().to_owned());
    let sought = sought.filter(|q| !q.is_empty());
    let found = match &sought {
        Some(sought) => all(&app, &signed.user.id, sought).await?,
        None => Vec::new(),
    };
    match found.as_slice() {
        [one] => Ok(see_other(&one.path)),
        found => Ok(view.page("Find", body(sought.as_deref(), found))),
    }
}

/// On to the page of the one thing that an id names, or to the list of those that share it.
pub async fn go(
    State(app): State<Shared>,
    signed: SignedIn,
    Item(id): Item,
) -> Result<Response, ApiError> {
    // Addresses of people are asked for, and stand in no path.
    let found = match id.contains('@') {
        true => Vec::new(),
        false => all(&app, &signed.user.id, &id).await?,
    };
    match found.as_slice() {
        [] => Err(ApiError::new(Reason::NotFound)),
        [one] => Ok(see_other(&one.path)),
        _ => Ok(see_other(&with_query("/find", &[("q", id.trim())]))),
    }
}

async fn all(app: &App, user_id: &str, sought: &str) -> Result<Vec<Found>, ApiError> {
    let (user_id, sought) = (user_id.to_owned(), sought.to_owned());
    let read = app.store.scan(move |tx| {
        let hits = find::find(tx, &Reader::Person(user_id.clone()), &sought)?.into_iter();
        let found: Result<Vec<_>, Fault> = hits.map(|hit| told(tx, &user_id, hit)).collect();
        Ok(found?)
    });
    Ok(read.await?)
}

fn told(tx: &mut dyn Tx, user_id: &str, hit: Hit) -> Result<Found, Fault> {
    let role = members::role_of(tx, &hit.team_id, user_id)?;
    let team = teams::get(tx, &hit.team_id)?.map(|team| team.name);
    let mut place = team.unwrap_or_default();
    let mut name = None;
    if let Some(project_id) = &hit.project_id {
        let of_hit = Place::new(hit.team_id.clone(), project_id.clone());
        if let Some(project) = projects::get(tx, &of_hit)? {
            place = format!("{place} / {}", project.name);
        }
        if hit.kind == Kind::Customer {
            let customer = customers::get(tx, &of_hit, &hit.id)?;
            name = customer.as_ref().map(called);
        }
    }
    let path = path(&hit, role, user_id);
    Ok(Found {
        hit,
        path,
        name,
        place,
    })
}

/// The page that shows something to somebody with this role.
fn path(hit: &Hit, role: Option<Role>, user_id: &str) -> String {
    let (id, team) = (&hit.id, format!("/t/{}", hit.team_id));
    let project = hit.project_id.as_ref();
    let project = project.map_or(team.clone(), |project| address(&hit.team_id, project));
    let of = hit.of.as_deref().unwrap_or_default();
    match hit.kind {
        Kind::User if id == user_id => "/account".to_owned(),
        Kind::User => format!("{team}/members#{id}"),
        Kind::ApiKey => format!("{team}/keys#{id}"),
        Kind::Customer => format!("{project}/customers/{id}"),
        Kind::Code => format!("{project}/codes/{id}"),
        Kind::Referral => format!("{project}/referrals/{id}"),
        Kind::Credit => format!("{project}/credits/{id}"),
        Kind::Event if !of.is_empty() => format!("{project}/referrals/{of}#{id}"),
        Kind::Event if role.is_some_and(Role::can_administer) => event(&team, id),
        Kind::StripeEvent => format!("{team}/stripe/events/{id}"),
        Kind::WebhookEndpoint => format!("{project}/webhooks/{id}"),
        Kind::WebhookDelivery => format!("{project}/webhooks/{of}/deliveries/{id}"),
        Kind::Request => format!("{team}/activity?requestId={id}"),
        Kind::Team | Kind::Project | Kind::Event | Kind::Other(_) => project,
    }
}

/// Where the log of a team tells of an event: by its id it was made in this minute.
fn event(team: &str, id: &str) -> String {
    match made_at(id) {
        Some(at) => {
            let (from, to) = (rfc3339(at.0), rfc3339(at.plus(MINUTE).0));
            format!("{team}/activity?from={from}&to={to}#{id}")
        }
        None => format!("{team}/activity"),
    }
}

fn body(sought: Option<&str>, found: &[Found]) -> Markup {
    html! {
        h1 { "Find" }
        form.row action="/find" role="search" {
            div.field {
                label for="q" { "An id, a code or an address" }
                input id="q" name="q" type="search" value=(sought.unwrap_or_default()) required maxlength="255"
                    autocomplete="off" spellcheck="false";
            }
            div.actions { button { "Find" } }
        }
        @match sought {
            Some(_) => (list(found)),
            None => p.quiet {
                "Customers by their address, their external id or their id in Stripe; codes by any of their names; "
                "referrals, credits, keys, people, webhooks, events and requests by their ids. Looked for in all your teams, whole."
            },
        }
    }
}

fn list(found: &[Found]) -> Markup {
    let columns = [
        Column::text("What"),
        Column::text("Name"),
        Column::text("Id"),
        Column::text("Where"),
    ];
    let rows = found.iter().map(|one| {
        let id = &one.hit.id;
        let name = one.name.as_deref().unwrap_or(id);
        [
            html! { (word(one.hit.kind)) },
            html! { a href=(one.path) { (name) } },
            beside(html! { code { (id) } }, id),
            html! { (one.place) },
        ]
    });
    let empty =
        "Nothing in your teams is called this. Ids, codes and addresses are compared whole.";
    table("What was found, the best first", columns, rows, empty)
}

fn word(kind: Kind) -> String {
    let word = match kind {
        Kind::User => "person",
        Kind::ApiKey => "API key",
        Kind::StripeEvent => "event of Stripe",
        Kind::WebhookEndpoint => "webhook endpoint",
        Kind::WebhookDelivery => "webhook delivery",
        ref other => other.as_str(),
    };
    word.to_owned()
}
