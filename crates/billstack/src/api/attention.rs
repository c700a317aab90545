//! `GET …/attention`: what in a project needs a person.

pub mod dismiss;
mod ledgers;
mod words;

use axum::extract::State;
use axum::response::Response;
use billstack_core::attention::Kind;
use billstack_core::ids::TeamId;
use billstack_core::money::Currency;
use billstack_store::attention::{self, Copies, Line, Looker, MOST};
use billstack_store::{Fault, Place, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, Shared};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::{Administers, ProjectRead};
use crate::http::answer;

pub use ledgers::Ledgers;
pub use words::{cure, mend, message, why_stuck};

/// What a line tells of.
#[derive(Serialize, ToSchema)]
#[schema(as = AttentionKind)]
#[serde(rename_all = "snake_case")]
pub enum KindJson {
    /// The last check of the whole database found rules that are broken. Told to owners and admins of the team alone.
    BooksBroken,
    /// What is owed is not what the movements of the ledger come to, as of the last minute.
    LedgerUnexplained,
    /// Nothing is put into balances in Stripe, because the secret key does not serve.
    DeliveriesPaused,
    /// Calls to the webhook address of the team were refused within the last hour, on this node.
    StripeCallsRefused,
    /// Stripe has sent no event for more than three days, the time for which it tries to.
    StripeSilent,
    /// Events of Stripe of the last 30 days could not be read to the end.
    StripeEventsFailed,
    /// Events of Stripe of the last 30 days could mean several referrals.
    StripeEventsAmbiguous,
    /// Credits do not reach Stripe until somebody has seen to it.
    CreditsNeedAttention,
    /// A webhook endpoint is sent nothing any more.
    WebhookEndpointDisabled,
    /// A webhook endpoint has done nothing but fail for a day.
    WebhookEndpointFailing,
    /// Nothing is left of the budget.
    BudgetExhausted,
    /// Four fifths of the budget are out.
    BudgetLow,
    /// The last comparison with Stripe found differences that are left.
    ReconcileFound,
    /// There is no backup of the last 26 hours. Told to owners and admins of the team alone, and with SQLite.
    BackupMissing,
    /// The books were not checked within two days. Told to owners and admins of the team alone.
    BooksUnchecked,
}

/// How much of a budget is out.
#[derive(Serialize, ToSchema)]
#[schema(as = AttentionBudget)]
struct BudgetJson {
    /// The budget, in minor units.
    #[schema(example = 100_000)]
    limit: i64,
    /// What of it is out.
    #[schema(example = 80_000)]
    out: i64,
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
}

/// Something that needs a person.
#[derive(Serialize, ToSchema)]
#[schema(as = AttentionLine)]
#[serde(rename_all = "camelCase")]
pub struct LineJson {
    /// What it is called, for as long as it tells the same.
    #[schema(example = "credits_need_attention.customer_deleted")]
    id: String,
    /// What it tells of.
    #[schema(value_type = KindJson)]
    kind: Kind,
    /// What in particular: a reason, a currency, a number of rules, `never` or `late`, or the id of the newest event, of the endpoint or of the comparison.
    #[schema(example = "customer_deleted")]
    subject: String,
    /// How many there are; 100 when there are more.
    #[schema(example = 2)]
    count: usize,
    /// Whether there are more.
    is_more: bool,
    /// When the latest of them was, where that is known.
    #[schema(format = DateTime)]
    at: Option<String>,
    /// How much of the budget is out, where it is about that.
    budget: Option<BudgetJson>,
    /// What it means, for a person.
    #[schema(example = "2 credits do not reach Stripe: the customer was deleted there.")]
    message: String,
    /// What to do about it.
    #[schema(example = "Mend the cause; the credits go on by themselves.")]
    cure: String,
    /// Until when it is dismissed; null if it is not.
    #[schema(format = DateTime)]
    dismissed_until: Option<String>,
}

impl From<Line> for LineJson {
    fn from(line: Line) -> LineJson {
        LineJson {
            message: message(&line),
            cure: cure(&line.id).into_owned(),
            id: line.id.to_string(),
            kind: line.id.kind,
            subject: line.id.subject,
            count: line.count,
            is_more: line.is_more,
            at: line.at.map(|at| rfc3339(at.0)),
            budget: line.budget.map(|(budget, currency)| BudgetJson {
                limit: budget.limit,
                out: budget.out,
                currency,
            }),
            dismissed_until: line.dismissed_until.map(|until| rfc3339(until.0)),
        }
    }
}

/// What in a project needs a person.
#[derive(Serialize, ToSchema)]
#[schema(as = Attention)]
#[serde(rename_all = "camelCase")]
struct AttentionJson {
    /// When it was looked.
    #[schema(format = DateTime)]
    looked_at: String,
    /// The most urgent first; empty when nothing needs anybody.
    lines: Vec<LineJson>,
    /// Those that somebody has dismissed, and that would be told again today.
    dismissed: Vec<LineJson>,
}

/// What in a project needs a person.
#[derive(Serialize, ToSchema)]
pub struct AttentionAnswer {
    /// What does.
    attention: AttentionJson,
}

impl App {
    /// What only this node knows: which calls of Stripe it has refused lately.
    pub fn refused_lately(&self, team_id: &TeamId) -> Vec<Line> {
        let lately = self.refused_calls.lately(team_id, self.now());
        let lines = lately.into_iter().map(|refused| {
            let count = usize::try_from(refused.count).unwrap_or(MOST);
            Line {
                count: count.min(MOST),
                is_more: count > MOST,
                at: Some(refused.last),
                detail: Some(refused.why.finding().to_owned()),
                ..Line::new(Kind::StripeCallsRefused, refused.why.as_str())
            }
        });
        lines.collect()
    }

    /// What looks at what needs somebody now, for one who administers the team or does not.
    pub fn look_of(
        &self,
        place: &Place,
        administers: Administers,
    ) -> impl Fn(&mut dyn Tx, &Place) -> Result<Vec<Line>, Fault> + Send + use<> {
        let (now, ledgers) = (self.now(), self.ledgers.clone());
        let refused = self.refused_lately(&place.team_id);
        let copies = match self.store.is_embedded() {
            true => Copies::Noted,
            false => Copies::Elsewhere,
        };
        let reader = match administers {
            Administers::Yes => Looker::OfServer(copies),
            Administers::No => Looker::OfProject,
        };
        move |tx: &mut dyn Tx, place: &Place| {
            let mut outside = refused.clone();
            outside.extend(ledgers.lines(tx, place, now)?);
            attention::look(tx, place, (now, reader), &outside)
        }
    }
}

/// List what needs attention.
///
/// What is wrong in the project, or in its team where that concerns it: each line says what it means and what to do.
/// The id of a line stays the same as long as it tells the same.
#[utoipa::path(
    get, path = "", operation_id = "get_attention",
    responses((status = 200, description = "What needs a person.", body = AttentionAnswer)),
)]
pub async fn handle(State(app): State<Shared>, access: ProjectRead) -> Result<Response, ApiError> {
    let now = app.now();
    let administers = access.administers(&app).await?.into();
    let look = app.look_of(access.place(), administers);
    let read = access.point(&app, move |tx, place| Ok(look(tx, place)?));
    let (shown, dismissed) = parted(read.await?);
    Ok(answer::send(answer::ok(&AttentionAnswer {
        attention: AttentionJson {
            looked_at: rfc3339(now.0),
            lines: shown.into_iter().map(LineJson::from).collect(),
            dismissed: dismissed.into_iter().map(LineJson::from).collect(),
        },
    })))
}

/// The lines that are shown, and those that are dismissed.
pub fn parted(lines: Vec<Line>) -> (Vec<Line>, Vec<Line>) {
    let is_shown = |line: &Line| line.dismissed_until.is_none();
    lines.into_iter().partition(is_shown)
}
