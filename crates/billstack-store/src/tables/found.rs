//! Where things are in a team, by what they are called: one look-up each, whatever project they are in.

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::time::Micros;

use super::projects::project_of;
use crate::seam::{Fault, Row, Tx, Val};
use crate::{params, statements};

/// SQL for whether a row is in the one project that may be looked in; all may be where it is null.
macro_rules! within {
    ($row:literal, $project:literal) => {
        concat!(
            "(CAST(",
            $project,
            " AS BIGINT) IS NULL OR ",
            $row,
            ".project_id = CAST(",
            $project,
            " AS BIGINT))"
        )
    };
}

/// Things of all projects of a team, or of one: each project is asked by the key of the table. To SQLite a cross join is an order;
/// it would skip through the keys of all teams otherwise.
macro_rules! in_projects {
    ($table:literal, $columns:literal, $condition:literal) => {
        concat!(
            "SELECT p.id, ",
            $columns,
            " FROM projects p CROSS JOIN ",
            $table,
            " x WHERE p.team_id = $1 AND x.team_id = p.team_id AND x.project_id = p.project_id AND ",
            $condition,
            " AND ",
            within!("p", "$3"),
            " ORDER BY p.project_id LIMIT 100"
        )
    };
}

statements! {
    PROJECT = concat!("SELECT x.id, x.id FROM projects x WHERE x.team_id = $1 AND x.id = $2 AND ", within!("x", "$3"));
    CUSTOMER = in_projects!("customers", "x.id", "x.id = $2");
    CUSTOMER_BY_EMAIL = in_projects!("customers", "x.id", "x.email = $2");
    CUSTOMER_BY_EXTERNAL_ID = in_projects!("customers", "x.id", "x.external_id = $2");
    CUSTOMER_OF_STRIPE = concat!("SELECT ", project_of!("x"), ", x.id FROM customers x \
        WHERE x.team_id = $1 AND x.stripe_customer_id = $2 AND ", within!("x", "$3"), " ORDER BY x.project_id, x.id LIMIT 100");
    CODE = in_projects!("codes", "x.code", "x.code = $2");
    CODE_BY_NAME = in_projects!("code_aliases", "x.code", "x.alias = $2");
    REFERRAL = concat!("SELECT ", project_of!("x"), ", x.id FROM referrals x \
        WHERE x.team_id = $1 AND x.id = $2 AND ", within!("x", "$3"));
    REFERRAL_OF_SUBSCRIPTION = concat!("SELECT ", project_of!("x"), ", x.id FROM referrals x \
        WHERE x.team_id = $1 AND x.stripe_subscription_id = $2 AND ", within!("x", "$3"));
    /// Whose a subscription may be, and the project that Stripe named.
    OWNERS_OF_SUBSCRIPTION = concat!("SELECT x.match_key, CASE WHEN x.project_id IS NULL THEN NULL ELSE ", project_of!("x"), " END \
        FROM subscription_starts x WHERE x.team_id = $1 AND x.object_id = $2 ORDER BY x.match_key LIMIT 100");
    CREDIT = in_projects!("credits", "x.id", "x.id = $2");
    CREDIT_OF_LINE = concat!("SELECT ", project_of!("x"), ", x.credit_id FROM stripe_operations x \
        WHERE x.team_id = $1 AND x.transaction_id = $2 AND ", within!("x", "$3"));
    STORY_OF_CREDIT = in_projects!("credits", "x.referral_id", "x.id = $2 AND x.referral_id IS NOT NULL");
    ENDPOINT = in_projects!("webhook_endpoints", "x.id", "x.id = $2 AND x.deleted_at IS NULL");
    DELIVERY = concat!("SELECT ", project_of!("x"), ", x.id, x.endpoint_id FROM webhook_deliveries x \
        WHERE x.team_id = $1 AND x.id = $2 AND ", within!("x", "$3"));
    STRIPE_EVENT = concat!("SELECT x.id FROM stripe_events x WHERE x.team_id = $1 AND x.id = $2 AND ", within!("x", "$3"));
    /// An id tells when it was made, and the event is not older.
    EVENT = concat!("SELECT CASE WHEN x.project_id IS NULL THEN NULL ELSE ", project_of!("x"), " END, x.id, x.referral_id \
        FROM events x WHERE x.team_id = $1 AND x.created_at >= $3 AND x.created_at < $4 AND x.id = $2 AND ", within!("x", "$5"), " \
        ORDER BY x.created_at LIMIT 1");
    REQUEST = "SELECT id FROM events WHERE team_id = $1 AND request_id = $2 LIMIT 1";
    /// Test projects whose clock is ahead.
    AHEAD = concat!("SELECT x.id, x.clock_offset FROM projects x WHERE x.team_id = $1 AND x.clock_offset > 0 AND ",
        within!("x", "$2"), " ORDER BY x.project_id LIMIT 100");
}

/// Where may be looked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Within<'a> {
    pub(crate) team_id: &'a TeamId,
    /// The one project; all of the team where there is none.
    pub(crate) project_id: Option<&'a ProjectId>,
}

/// Something in a project, or in the team.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Thing {
    pub(crate) project_id: Option<ProjectId>,
    pub(crate) id: String,
    /// What it is part of.
    pub(crate) of: Option<String>,
}

fn decode(row: &dyn Row) -> Result<Thing, Fault> {
    Ok(Thing {
        project_id: row.opt_string(0)?.map(|id| ProjectId::from(&*id)),
        id: row.string(1)?,
        of: None,
    })
}

/// By which of its names a thing is looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum By {
    Project,
    Customer,
    CustomerEmail,
    CustomerExternalId,
    CustomerStripeId,
    Code,
    CodeName,
    Referral,
    ReferralSubscription,
    Credit,
    CreditLine,
    Endpoint,
}

/// The things of a team that a text names.
pub(crate) fn things(
    tx: &mut dyn Tx,
    within: Within<'_>,
    by: By,
    text: &str,
) -> Result<Vec<Thing>, Fault> {
    let sql = match by {
        By::Project => PROJECT,
        By::Customer => CUSTOMER,
        By::CustomerEmail => CUSTOMER_BY_EMAIL,
        By::CustomerExternalId => CUSTOMER_BY_EXTERNAL_ID,
        By::CustomerStripeId => CUSTOMER_OF_STRIPE,
        By::Code => CODE,
        By::CodeName => CODE_BY_NAME,
        By::Referral => REFERRAL,
        By::ReferralSubscription => REFERRAL_OF_SUBSCRIPTION,
        By::Credit => CREDIT,
        By::CreditLine => CREDIT_OF_LINE,
        By::Endpoint => ENDPOINT,
    };
    tx.all(
        sql,
        params![within.team_id, text, within.project_id],
        decode,
    )
}

/// Whose a subscription may be that Stripe told of: the customers of all projects, or of the one that Stripe named.
pub(crate) fn owners_of_subscription(
    tx: &mut dyn Tx,
    within: Within<'_>,
    id: &str,
) -> Result<Vec<(ProjectId, String)>, Fault> {
    let names = tx.all(OWNERS_OF_SUBSCRIPTION, params![within.team_id, id], |row| {
        let project = row.opt_string(1)?;
        Ok((row.string(0)?, project.map(|id| ProjectId::from(&*id))))
    })?;
    let mut owners = Vec::new();
    for (name, named) in names {
        let (by, id) = match name.split_once(':') {
            Some(("stripe", id)) => (By::CustomerStripeId, id),
            Some(("customer", id)) => (By::Customer, id),
            _ => continue,
        };
        for customer in things(tx, within, by, id)? {
            let project = customer
                .project_id
                .filter(|project| named.as_ref().is_none_or(|named| named == project));
            let owner = project.map(|project| (project, customer.id));
            owners.extend(owner.filter(|owner| !owners.contains(owner)));
        }
    }
    Ok(owners)
}

/// A delivery of a webhook, and the endpoint that it is part of.
pub(crate) fn delivery(
    tx: &mut dyn Tx,
    within: Within<'_>,
    id: &str,
) -> Result<Option<Thing>, Fault> {
    let scope = params![within.team_id, id, within.project_id];
    tx.one(DELIVERY, scope, |row| {
        let of = Some(row.string(2)?);
        Ok(Thing { of, ..decode(row)? })
    })
}

/// An event of ours that was recorded in this range of time, and the referral whose story it is part of.
pub(crate) fn event(
    tx: &mut dyn Tx,
    within: Within<'_>,
    id: &str,
    (from, to): (Micros, Micros),
) -> Result<Option<Thing>, Fault> {
    let scope = params![within.team_id, id, from, to, within.project_id];
    tx.one(EVENT, scope, |row| {
        let of = row.opt_string(2)?;
        Ok(Thing { of, ..decode(row)? })
    })
}

/// Projects whose clock is ahead, and how far.
pub(crate) fn ahead(tx: &mut dyn Tx, within: Within<'_>) -> Result<Vec<(ProjectId, i64)>, Fault> {
    tx.all(AHEAD, params![within.team_id, within.project_id], |row| {
        Ok((row.project_id(0)?, row.int(1)?))
    })
}

/// Whether an event of Stripe with this id is kept.
pub(crate) fn has_stripe_event(
    tx: &mut dyn Tx,
    within: Within<'_>,
    id: &str,
) -> Result<bool, Fault> {
    tx.exists(STRIPE_EVENT, params![within.team_id, id, within.project_id])
}

/// Whether anything happened in a request.
pub(crate) fn has_request(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<bool, Fault> {
    tx.exists(REQUEST, params![team_id, id])
}

/// The referral whose story tells of something.
pub(crate) fn story_of(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    subject: &str,
) -> Result<Option<String>, Fault> {
    if subject.starts_with("ref_") {
        return Ok(Some(subject.to_owned()));
    }
    if !subject.starts_with("cr_") {
        return Ok(None);
    }
    let anywhere: Option<&ProjectId> = None;
    let scope: &[Val<'_>] = params![team_id, subject, anywhere];
    tx.one(STORY_OF_CREDIT, scope, |row| row.string(1))
}
