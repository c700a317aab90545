//! `GET /api/portal/referrals`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::portal::{Named, Names, State as Standing, label};
use billstack_store::portal::{self, Friend, Visit};
use serde::Serialize;
use utoipa::ToSchema;

use super::{MoneyJson, StateJson, day};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::answer;
use crate::http::page::QueryString;
use crate::portal::{Context, PortalCaller, sealed_cursor, unsealed_cursor};

/// A friend whom the customer has brought.
#[derive(Serialize, ToSchema)]
#[schema(as = PortalFriend)]
#[serde(rename_all = "camelCase")]
pub struct FriendJson {
    /// A letter or the first name, as the project shows it; null for neither.
    #[schema(example = "G…")]
    name: Option<String>,
    /// Whether the friend is no longer a customer.
    is_former: bool,
    /// Where the recommendation stands.
    #[schema(value_type = StateJson)]
    state: &'static str,
    /// What is awaited: `subscription` or `payment` of the friend, or the end of `hold`; null for nothing.
    #[schema(example = "subscription")]
    waiting_for: Option<&'static str>,
    /// The day on which the friend came.
    #[schema(format = Date, example = "2026-03-30")]
    joined_on: String,
    /// The day on which what is awaited of the friend happened.
    #[schema(format = Date)]
    earned_on: Option<String>,
    /// The day on which the hold ends.
    #[schema(format = Date)]
    held_until: Option<String>,
    /// The reward, while it is awaited or the customer's.
    reward: Option<MoneyJson>,
}

impl FriendJson {
    fn new(friend: &Friend, names: Names) -> FriendJson {
        let named = label(friend.name.as_deref(), friend.is_erased, names);
        let is_open = matches!(friend.state, Standing::Waiting(_) | Standing::Earned);
        let waiting_for = match friend.state {
            Standing::Waiting(what) => Some(what),
            _ => None,
        };
        let is_held = waiting_for == Some(billstack_core::portal::WaitingFor::Hold);
        FriendJson {
            is_former: named == Named::Erased,
            name: match named {
                Named::Shown(name) => Some(name),
                Named::Hidden | Named::Erased => None,
            },
            state: friend.state.as_str(),
            waiting_for: waiting_for.map(|what| what.as_str()),
            joined_on: day(friend.applied_at),
            // Of one that came to nothing the day would tell when.
            earned_on: friend.converted_at.filter(|_| is_open).map(day),
            held_until: friend.held_until.filter(|_| is_held).map(day),
            reward: is_open
                .then(|| MoneyJson::some(friend.reward.get(), friend.currency))
                .flatten(),
        }
    }
}

/// A page of friends.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PortalFriendsAnswer {
    /// The newest first.
    referrals: Vec<FriendJson>,
    /// Present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "v1.5f2ac0")]
    next_cursor: Option<String>,
}

/// List a customer's friends.
///
/// The one who came last first. A friend has a letter or a first name at most, one of four states, and days, not times.
#[utoipa::path(
    get, path = "", operation_id = "list_portal_referrals",
    security(("portalToken" = [])),
    params(
        ("limit" = Option<i64>, Query, description = "The most items to return.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before.", max_length = 700, pattern = "^v1\\.[0-9a-f]{1,697}$"),
    ),
    responses((status = 200, description = "A page of friends.", body = PortalFriendsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: PortalCaller,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let context = Context {
        session: &caller.session,
        list: "referrals",
    };
    let page = unsealed_cursor(&app, context, &query)?;
    let customer_id = caller.session.customer_id.clone();
    let read = move |tx: &mut dyn billstack_store::Tx, visit: &Visit| {
        Ok(portal::friends(tx, &visit.place, &customer_id, &page)?)
    };
    let show = |visit: &Visit, part: billstack_store::list::Part<Friend>| {
        let names = visit.settings.names;
        let friends = part.rows.iter();
        answer::send(answer::ok(&PortalFriendsAnswer {
            referrals: friends
                .map(|friend| FriendJson::new(friend, names))
                .collect(),
            next_cursor: sealed_cursor(&app, context, part.next.as_ref()),
        }))
    };
    Ok(caller.answer(&app, read, show).await)
}
