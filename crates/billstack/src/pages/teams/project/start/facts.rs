//! What the database holds of each step.

use billstack_core::program::Program;
use billstack_core::referral::Status;
use billstack_core::time::Micros;
use billstack_store::activity::{self, ActivityFilter};
use billstack_store::api_keys;
use billstack_store::customers::{self, Customer};
use billstack_store::intake::StripeEvent;
use billstack_store::list::Page;
use billstack_store::received;
use billstack_store::referrals::{self, ReferralFilter};
use billstack_store::{Fault, Place, Tx, links, portal, programs, stripe_connection};

use crate::app::App;
use crate::error::ApiError;
use crate::pages::view::read as read_shown;
use crate::webhooks::stripe::Lately;

/// A step on the way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    Project,
    Stripe,
    Event,
    Program,
    Key,
    Try,
    Conversion,
    Share,
}

impl Step {
    /// All of them, in order.
    pub(super) const ALL: [Step; 8] = [
        Step::Project,
        Step::Stripe,
        Step::Event,
        Step::Program,
        Step::Key,
        Step::Try,
        Step::Conversion,
        Step::Share,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Step::Project => "project",
            Step::Stripe => "stripe",
            Step::Event => "event",
            Step::Program => "program",
            Step::Key => "key",
            Step::Try => "try",
            Step::Conversion => "conversion",
            Step::Share => "share",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Step::Project => "A team and a project",
            Step::Stripe => "Connect Stripe",
            Step::Event => "First event from Stripe",
            Step::Program => "Switch the program on",
            Step::Key => "Make a key",
            Step::Try => "A customer, a code, an apply",
            Step::Conversion => "First conversion",
            Step::Share => "Links or a page for customers",
        }
    }

    /// Why it is needed, in a sentence.
    pub(super) const fn why(self) -> &'static str {
        match self {
            Step::Project => "It begins with a team and a project.",
            Step::Stripe => "Stripe tells who became a customer, and is not connected.",
            Step::Event => "Stripe is connected, and no event has reached this server yet.",
            Step::Program => "The program is off: say what it promises, and switch it on.",
            Step::Key => "Your backend calls with a key, and there is none.",
            Step::Try => "Next, a customer gets a code, and a friend applies it.",
            Step::Conversion => {
                "A referral converts when the subscription of a friend begins at Stripe."
            }
            Step::Share => "Links and a page of their own let customers share.",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Step> {
        Step::ALL.into_iter().find(|step| step.as_str() == text)
    }
}

/// The facts.
pub(super) struct Facts {
    /// Whether the team is connected to Stripe with a signing secret.
    pub(super) is_connected: bool,
    /// Since when the newest secret is in use.
    pub(super) since: Option<Micros>,
    /// The latest event that has come in with that.
    pub(super) event: Option<StripeEvent>,
    /// Calls that were refused for their signature, as far as this node knows.
    pub(super) refused: Vec<Lately>,
    pub(super) program: Program,
    /// Whether there is a key that works.
    pub(super) has_key: bool,
    /// Whether a code was applied.
    pub(super) has_referral: bool,
    /// Who is new, of the newest referral that waits.
    pub(super) friend: Option<Customer>,
    /// Whether a referral has converted.
    pub(super) has_converted: bool,
    /// Whether customers can share a link or see a page of their own.
    pub(super) is_shared: bool,
}

impl Facts {
    /// Whether they say that a step is done.
    pub(super) fn is_done(&self, step: Step) -> bool {
        match step {
            Step::Project => true,
            Step::Stripe => self.is_connected,
            Step::Event => self.event.is_some(),
            Step::Program => self.program.enabled,
            Step::Key => self.has_key,
            Step::Try => self.has_referral,
            Step::Conversion => self.has_converted,
            Step::Share => self.is_shared,
        }
    }
}

/// Reads them all.
pub(super) async fn read(app: &App, place: &Place) -> Result<Facts, ApiError> {
    let now = app.now();
    let facts = read_shown(app, place, move |tx, place| Ok(facts(tx, place, now)?));
    let mut facts = facts.await?;
    let refused = app.refused_calls.lately(&place.team_id, now);
    // What was refused before the newest secret says nothing of that.
    let is_news = |one: &Lately| facts.since.is_none_or(|since| one.last > since);
    facts.refused = refused.into_iter().filter(is_news).collect();
    Ok(facts)
}

fn facts(tx: &mut dyn Tx, place: &Place, now: Micros) -> Result<Facts, Fault> {
    let team_id = &place.team_id;
    let connection = stripe_connection::get(tx, team_id)?.filter(|one| one.is_active);
    let since = since(tx, place)?;
    // One that the secret before has signed says nothing of the present one.
    let in_use = connection.filter(|one| one.webhook_secret.is_some());
    let event = match &in_use {
        Some(one) => received::newest_signed(tx, team_id, one.secret_version)?,
        None => None,
    };
    let keys = api_keys::list(tx, team_id, &Page::first(50))?.rows;
    let works = |key: &api_keys::ApiKey| {
        let is_of_place = key.project_id.as_ref();
        let is_of_place = is_of_place.is_none_or(|only| *only == place.project_id);
        is_of_place && key.revoked_at.is_none() && key.expires_at.is_none_or(|at| at > now)
    };
    let has_links = links::settings(tx, place)?.enabled;
    let has_portal = !portal::settings(tx, place)?.allowed_origins.is_empty();
    Ok(Facts {
        is_connected: in_use.is_some(),
        since,
        event,
        refused: Vec::new(),
        program: programs::get(tx, place)?,
        has_key: keys.iter().any(works),
        has_referral: any(tx, place, None)?,
        friend: friend(tx, place)?,
        has_converted: any(tx, place, Some(Status::Converted))?,
        is_shared: has_links || has_portal,
    })
}

/// Who is new, of the newest referral that waits for a subscription.
fn friend(tx: &mut dyn Tx, place: &Place) -> Result<Option<Customer>, Fault> {
    let waiting = ReferralFilter {
        status: Some(Status::Pending),
        ..ReferralFilter::default()
    };
    let newest = referrals::list(tx, place, &waiting, &Page::first(1))?.rows;
    match newest.into_iter().next() {
        Some(referral) => customers::get(tx, place, &referral.referee_customer_id),
        None => Ok(None),
    }
}

/// When the secret in use was set, as the log tells.
fn since(tx: &mut dyn Tx, place: &Place) -> Result<Option<Micros>, Fault> {
    let mut latest = None;
    for kind in ["stripe.connected", "stripe.webhook_secret_rolled"] {
        let filter = ActivityFilter {
            kind: Some(kind.to_owned()),
            ..ActivityFilter::default()
        };
        let told = activity::list(tx, &place.team_id, &filter, &Page::first(1))?.rows;
        latest = latest.max(told.first().map(|told| told.deed.at));
    }
    Ok(latest)
}

/// Whether there is a referral that stands there.
pub(super) fn any(tx: &mut dyn Tx, place: &Place, status: Option<Status>) -> Result<bool, Fault> {
    let filter = ReferralFilter {
        status,
        ..ReferralFilter::default()
    };
    let found = referrals::list(tx, place, &filter, &Page::first(1))?;
    Ok(!found.rows.is_empty())
}
