//! Conversion: a Stripe event meets a pending referral, whichever of the two came first.
//!
//! Both sides come through `settle`: an event when it arrives, and an apply or a link through the
//! module `reconsider`, for the events that were kept before there was anybody to convert.

mod candidates;

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::referral::{Conversion, NotConverted, Status, decide_conversion};
use billstack_core::stripe_event::{Standing, Start};
use billstack_core::time::Micros;
use serde_json::json;

use crate::act::{Act, Fact, Place};
use crate::customers::Customer;
use crate::grants;
use crate::projects::project_of;
use crate::referrals::{self, Referral};
use crate::stripe_events::{Outcome, Settled};
use crate::tx::{Fault, Query, Row, Tx, Val};
use crate::{params, statements};

use candidates::candidates;
pub(crate) use candidates::named_project;

statements! {
    REMEMBER = "INSERT INTO subscription_starts (team_id, match_key, object_id, event_id, \
        began_at, counted_at, existed, project_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
        ON CONFLICT (team_id, match_key, object_id) DO NOTHING";
    REMEMBER_COUNTED = "UPDATE subscription_starts SET event_id = $4, counted_at = $5, \
        existed = TRUE WHERE team_id = $1 AND match_key = $2 AND object_id = $3 \
        AND counted_at IS NULL";
    REMEMBER_EXISTED = "UPDATE subscription_starts SET existed = TRUE \
        WHERE team_id = $1 AND match_key = $2 AND object_id = $3 AND NOT existed";
    /// The subscriptions known under two names. With one name they are seen twice, which changes
    /// neither answer. Two selects, because SQLite builds a table for `IN`, at twice the price.
    KNOWN_STARTS = "SELECT COUNT(*), MIN(CASE WHEN existed \
        AND (project_id IS NULL OR project_id = $4) THEN began_at END) FROM (\
        SELECT existed, project_id, began_at FROM subscription_starts \
        WHERE team_id = $1 AND match_key = $2 UNION ALL \
        SELECT existed, project_id, began_at FROM subscription_starts \
        WHERE team_id = $1 AND match_key = $3) AS known";
    /// Every customer, erased ones too, that is or was this Stripe customer.
    OF_STRIPE = concat!("SELECT ", project_of!("customers"), ", id, erased_at FROM customers \
        WHERE team_id = $1 AND stripe_customer_id = $2 ORDER BY project_id, id LIMIT 100");
    BY_ID = concat!("SELECT ", project_of!("customers"), ", id, stripe_customer_id \
        FROM customers WHERE team_id = $1 AND id = $2 AND erased_at IS NULL \
        ORDER BY project_id LIMIT 100");
    PAID_FOR_CUSTOMER = "SELECT id FROM referrals WHERE team_id = $1 AND project_id = $2 \
        AND stripe_customer_id = $3";
    PAID_FOR_SUBSCRIPTION = "SELECT id FROM referrals WHERE team_id = $1 \
        AND stripe_subscription_id = $2";
}

/// A Stripe event that tells of the start of a subscription.
pub(crate) struct Sign<'a> {
    pub(crate) team_id: &'a TeamId,
    pub(crate) event_id: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) start: &'a Start,
    /// The project that its metadata picks, see [`named_project`].
    pub(crate) project_id: Option<ProjectId>,
    /// How long before the apply a subscription may have begun, in microseconds.
    pub(crate) grace: i64,
}

impl Sign<'_> {
    /// The Stripe customer, or the account that acts as one, that subscribed.
    pub(crate) fn stripe_id(&self) -> Option<&str> {
        self.start.stripe_ids().next()
    }
}

/// Keeps what an event tells, findable by everyone it may belong to.
pub(crate) fn remember(tx: &mut dyn Tx, sign: &Sign<'_>) -> Result<(), Fault> {
    let (team_id, start) = (sign.team_id, sign.start);
    let counted_at = (start.standing == Standing::Counts).then_some(start.occurred_at);
    let existed = matches!(start.standing, Standing::Counts | Standing::Past);
    for key in names_spoken_for(tx, team_id, start)? {
        let object_id = &start.object_id;
        let inserted = tx.hit(
            REMEMBER,
            params![
                team_id,
                &key,
                object_id,
                sign.event_id,
                start.customer_since(),
                counted_at,
                existed,
                sign.project_id.as_ref()
            ],
        )?;
        if inserted {
            continue;
        }
        if let Some(at) = counted_at {
            tx.hit(
                REMEMBER_COUNTED,
                params![team_id, &key, object_id, sign.event_id, at],
            )?;
        } else if existed {
            tx.hit(REMEMBER_EXISTED, params![team_id, &key, object_id])?;
        }
    }
    Ok(())
}

/// The names of those to whom an event may belong. Buyers can set `client_reference_id`: what is
/// subscribed to under another's id makes that one no customer whose own Stripe customer is known.
fn names_spoken_for(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    start: &Start,
) -> Result<Vec<String>, Fault> {
    let mut names = start.match_keys();
    let Some(id) = start.client_reference_id.as_deref() else {
        return Ok(names);
    };
    if start.billstack_customer_id.as_deref() == Some(id) {
        return Ok(names);
    }
    let linked = tx.all(BY_ID, params![team_id, id], |row| row.opt_string(2))?;
    let is_another = |linked: &Option<String>| {
        linked
            .as_deref()
            .is_some_and(|linked| start.stripe_ids().all(|id| id != linked))
    };
    if !linked.is_empty() && linked.iter().all(is_another) {
        names.retain(|name| name.strip_prefix("customer:") != Some(id));
    }
    Ok(names)
}

/// What is known of a customer's subscriptions.
#[derive(Default)]
pub(crate) struct KnownStarts {
    /// Whether there is any event to look at again.
    pub(crate) any: bool,
    /// When the oldest one in the customer's project began.
    pub(crate) earliest: Option<Micros>,
}

/// A row of [`KNOWN_STARTS`].
pub(crate) fn decode_starts(row: &dyn Row) -> Result<KnownStarts, Fault> {
    Ok(KnownStarts {
        any: row.int(0)? > 0,
        earliest: row.opt_time(1)?,
    })
}

/// The names under which events of a customer are kept, one or two.
pub(crate) fn names_of(customer: &Customer) -> Vec<String> {
    let stripe = customer
        .stripe_customer_id
        .iter()
        .map(|id| format!("stripe:{id}"));
    stripe
        .chain([format!("customer:{}", customer.id)])
        .collect()
}

/// Finds whose subscription an event tells of and converts their pending referral, or says why not.
pub(crate) fn settle(tx: &mut dyn Tx, act: &mut Act, sign: &Sign<'_>) -> Result<Settled, Fault> {
    let found = candidates(tx, act, sign)?;
    if found.customers.is_empty() {
        return Ok(Settled::new(Outcome::NoCustomer, "no such customer"));
    }
    let referrals = referrals_of(tx, &found.customers)?;
    if let Some(reason) = &sign.start.reason {
        return does_not_count(tx, act, sign, reason, &referrals, &found.customers);
    }
    let pending: Vec<_> = referrals
        .iter()
        .filter(|(_, r)| r.status == Status::Pending)
        .collect();
    match pending.as_slice() {
        [] => match referrals.as_slice() {
            [(place, referral)] => decide(tx, act, sign, place, referral, &[]),
            _ => {
                let mut settled = Settled::new(Outcome::NoReferral, "no pending referral");
                if let [(place, customer_id)] = found.customers.as_slice() {
                    settled.of_customer(place, customer_id);
                }
                Ok(settled)
            }
        },
        [(place, referral)] => {
            let mut others = referrals_of(tx, &found.erased)?;
            others.extend(referrals.iter().cloned());
            decide(tx, act, sign, place, referral, &others)
        }
        several => {
            for (place, referral) in several {
                not_converted(tx, act, sign, place, referral, "ambiguous")?;
            }
            let why = "several customers with a pending referral share this Stripe customer";
            Ok(Settled::new(Outcome::Ambiguous, why))
        }
    }
}

/// The referrals in which these customers are the referees.
fn referrals_of(
    tx: &mut dyn Tx,
    customers: &[(Place, String)],
) -> Result<Vec<(Place, Referral)>, Fault> {
    let mut referrals = Vec::new();
    for (place, customer_id) in customers {
        if let Some(referral) = referrals::get_of_referee(tx, place, customer_id)? {
            referrals.push((place.clone(), referral));
        }
    }
    Ok(referrals)
}

/// Whether the same Stripe customer has been referred before under another customer's id, which did not
/// come out at the apply: it was linked afterwards.
fn was_referred_before(place: &Place, referral: &Referral, all: &[(Place, Referral)]) -> bool {
    all.iter().any(|(at, other)| {
        at == place && other.id != referral.id && other.created_at <= referral.created_at
    })
}

/// An event that does not count (yet): tells every referral it concerns why.
fn does_not_count(
    tx: &mut dyn Tx,
    act: &mut Act,
    sign: &Sign<'_>,
    reason: &str,
    referrals: &[(Place, Referral)],
    candidates: &[(Place, String)],
) -> Result<Settled, Fault> {
    for (place, referral) in referrals {
        not_converted(tx, act, sign, place, referral, reason)?;
    }
    let outcome = match sign.start.standing {
        Standing::Waits => Outcome::Waiting,
        _ => Outcome::Ignored,
    };
    let mut settled = Settled::new(outcome, reason);
    if let [(place, customer_id)] = candidates {
        settled.of_customer(place, customer_id);
    }
    if let [(_, referral)] = referrals {
        settled.referral_id = Some(referral.id.clone());
    }
    Ok(settled)
}

/// Applies the rules to the one referral an event is about; the others are of the same Stripe customer.
fn decide(
    tx: &mut dyn Tx,
    act: &mut Act,
    sign: &Sign<'_>,
    place: &Place,
    referral: &Referral,
    others: &[(Place, Referral)],
) -> Result<Settled, Fault> {
    let start = sign.start;
    let decision = match decide_conversion(
        referral.status,
        referral.created_at,
        start.began_at,
        start.occurred_at,
        sign.grace,
    ) {
        Conversion::Converts { .. } if was_referred_before(place, referral, others) => {
            Conversion::Refused(NotConverted::AlreadyReferred)
        }
        Conversion::Converts { .. } if is_paid(tx, place, start)? => {
            Conversion::Refused(NotConverted::AlreadyConverted)
        }
        decision => decision,
    };
    let mut settled = match decision {
        Conversion::Converts { at } => {
            grants::convert(tx, act, sign, place, referral, at)?;
            Settled::new(Outcome::Converted, "converted")
        }
        Conversion::Refused(why) => {
            not_converted(tx, act, sign, place, referral, why.as_str())?;
            Settled::new(Outcome::NoReferral, why.as_str())
        }
    };
    settled.of_customer(place, &referral.referee_customer_id);
    settled.referral_id = Some(referral.id.clone());
    Ok(settled)
}

/// Whether a referral has been converted by the same subscription, or in this project by the same
/// Stripe customer. The unique indexes say so too, to whoever comes at the same moment.
fn is_paid(tx: &mut dyn Tx, place: &Place, start: &Start) -> Result<bool, Fault> {
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    let customers: Vec<_> = start
        .stripe_ids()
        .map(|id| [Val::from(team_id), Val::from(project_id), Val::from(id)])
        .collect();
    let subscription = params![team_id, start.subscription()];
    let mut queries: Vec<Query<'_>> = customers
        .iter()
        .map(|customer| (PAID_FOR_CUSTOMER, &customer[..]))
        .collect();
    queries.push((PAID_FOR_SUBSCRIPTION, subscription));
    let mut is_paid = false;
    tx.query_together(&queries, &mut |_, _| {
        is_paid = true;
        Ok(())
    })?;
    Ok(is_paid)
}

/// Adds to a referral's story why an event did not convert it. A routine update of the subscription
/// that converted it long ago is not part of the story.
fn not_converted(
    tx: &mut dyn Tx,
    act: &mut Act,
    sign: &Sign<'_>,
    place: &Place,
    referral: &Referral,
    reason: &str,
) -> Result<(), Fault> {
    let routine = !matches!(
        sign.kind,
        "customer.subscription.created"
            | "checkout.session.completed"
            | "checkout.session.async_payment_succeeded"
    );
    if routine && referral.status != Status::Pending {
        return Ok(());
    }
    let facts = json!({
        "reason": reason,
        "stripeEventId": sign.event_id,
        "stripeEventType": sign.kind,
        "stripeObjectId": sign.start.object_id,
    });
    let subject = &referral.id;
    let fact = Fact {
        kind: "referral.not_converted",
        subject,
        referral_id: Some(subject),
        facts,
    };
    act.record(tx, place, &fact)
}
