//! `GET /api/portal/me`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::portal::Session;
use billstack_store::portal::{self, Overview, Visit};
use serde::Serialize;
use utoipa::ToSchema;

use super::MoneyJson;
use crate::app::{App, Shared};
use crate::clock::Moment;
use crate::http::answer;
use crate::portal::PortalCaller;

/// What a customer sees first.
#[derive(Serialize, ToSchema)]
#[schema(as = PortalOverview)]
#[serde(rename_all = "camelCase")]
pub struct OverviewJson {
    /// The code that the customer shares; null before there is one.
    #[schema(example = "K7M2QX9D")]
    code: Option<String>,
    /// Its name, where it has one.
    #[schema(example = "ADA-L")]
    vanity: Option<String>,
    /// The link that the customer shares; null without a code, while the program is off, and where links lead nowhere.
    #[schema(example = "https://referrals.example.com/r/ADA-L")]
    share_url: Option<String>,
    /// The link as a picture to scan.
    #[schema(example = "https://referrals.example.com/r/ADA-L/qr.svg")]
    qr_url: Option<String>,
    /// What the program promises now; null while it is off. What was earned stays.
    offer: Option<OfferJson>,
    /// What was earned, by currency.
    totals: Vec<TotalJson>,
    /// How many friends there are.
    counts: CountsJson,
    /// Whether this session may change nothing.
    read_only: bool,
    /// Whether the customer may give the code another name.
    allow_vanity: bool,
    /// When the session ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Moment,
}

/// What the program promises.
#[derive(Serialize, ToSchema)]
#[schema(as = PortalOffer)]
#[serde(rename_all = "camelCase")]
pub struct OfferJson {
    /// To the customer, for each friend; null for nothing.
    referrer_credit: Option<MoneyJson>,
    /// To the friend; null for nothing.
    referee_credit: Option<MoneyJson>,
}

/// What a customer has earned in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = PortalTotal)]
#[serde(rename_all = "camelCase")]
pub struct TotalJson {
    /// ISO 4217, in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: billstack_core::money::Currency,
    /// What is the customer's, or was used.
    earned: MoneyJson,
    /// What is held, or promised for friends of whom something is awaited.
    pending: MoneyJson,
}

/// How many friends there are.
#[derive(Serialize, ToSchema)]
#[schema(as = PortalCounts)]
#[serde(rename_all = "camelCase")]
pub struct CountsJson {
    /// In all.
    #[schema(minimum = 0, example = 5)]
    friends: i64,
    /// Of whom something is awaited.
    #[schema(minimum = 0, example = 2)]
    waiting: i64,
    /// Whose reward is the customer's.
    #[schema(minimum = 0, example = 3)]
    earned: i64,
}

impl OverviewJson {
    /// What a customer sees first, in JSON.
    pub fn new(app: &App, session: &Session, visit: &Visit, seen: &Overview) -> OverviewJson {
        let terms = &seen.program.terms;
        let share_url = share_url(app, seen);
        let credit = |amount: i64| MoneyJson::some(amount, terms.currency);
        OverviewJson {
            code: seen.code.as_ref().map(|code| code.code.clone()),
            vanity: seen
                .code
                .as_ref()
                .and_then(|code| code.names.0.first().cloned()),
            qr_url: share_url.as_ref().map(|url| format!("{url}/qr.svg")),
            share_url,
            offer: seen.program.enabled.then(|| OfferJson {
                referrer_credit: credit(terms.referrer_credit_amount.get()),
                referee_credit: credit(terms.referee_credit_amount.get()),
            }),
            totals: totals(seen),
            counts: CountsJson {
                friends: seen.counts.friends,
                waiting: seen.counts.waiting,
                earned: seen.counts.earned,
            },
            read_only: session.read_only,
            allow_vanity: visit.settings.allow_vanity && !session.read_only,
            expires_at: Moment(session.expires_at),
        }
    }
}

fn totals(seen: &Overview) -> Vec<TotalJson> {
    let total = |of: &portal::Earned| TotalJson {
        currency: of.currency,
        earned: MoneyJson::new(of.earned, of.currency),
        pending: MoneyJson::new(of.pending, of.currency),
    };
    seen.earned.iter().map(total).collect()
}

/// The link that a customer shares, where there is one that leads somewhere and brings the code along.
pub fn share_url(app: &App, seen: &Overview) -> Option<String> {
    let code = seen.code.as_ref()?;
    if !seen.program.enabled || !seen.links_work {
        return None;
    }
    let shown = code.names.0.first().unwrap_or(&code.code);
    let base = app.public_url();
    Some(match seen.links.is_first {
        true => format!("{base}/r/{shown}"),
        false => format!("{base}/r/{}/{shown}", seen.links.slug),
    })
}

/// Get what a customer sees first.
///
/// Pages of the origins that the project allows may ask for it, without cookies; 60
/// requests a minute and token, 600 and address.
#[utoipa::path(
    get, path = "", operation_id = "get_portal_overview",
    security(("portalToken" = [])),
    responses((status = 200, description = "What there is to see.", body = OverviewJson)),
)]
pub async fn handle(State(app): State<Shared>, caller: PortalCaller) -> Response {
    let customer_id = caller.session.customer_id.clone();
    let read = move |tx: &mut dyn billstack_store::Tx, visit: &Visit| {
        Ok(portal::overview(tx, &visit.place, &customer_id)?)
    };
    let show = |visit: &Visit, seen: Overview| {
        let shown = OverviewJson::new(&app, &caller.session, visit, &seen);
        answer::send(answer::ok(&shown))
    };
    caller.answer(&app, read, show).await
}
