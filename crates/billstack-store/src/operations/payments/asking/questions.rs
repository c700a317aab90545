//! What Stripe is to be asked about something, as things are now.

use std::collections::BTreeMap;

use billstack_core::ids::TeamId;
use billstack_core::payments::{Fact, Subjects};
use billstack_core::time::Micros;

use super::{Question, Thing, facts_of};
use crate::operations::payments::reach::Reach;
use crate::operations::work::Leased;
use crate::seam::{Fault, Tx};
use crate::tables::money_facts::{self, About};
use crate::tables::payment_links;

/// What Stripe is to be asked, as things are now.
///
/// # Errors
/// As `team_of`, or the database fails.
pub fn question(tx: &mut dyn Tx, leased: &Leased) -> Result<Question, Fault> {
    let (team_id, thing) = facts_of(leased)?;
    let id = leased.key.subject.as_str();
    Ok(match thing {
        Thing::Charge | Thing::Intent => {
            let reach = reach_of(thing, id).follow(tx, &team_id)?;
            let waits_until = waits_until(tx, &team_id, &reach)?;
            let charge = (thing == Thing::Charge).then_some(id);
            let refunded_at = match charge {
                Some(charge) => refunded_at(tx, &team_id, charge)?,
                None => None,
            };
            match waits_until.is_some() || refunded_at.is_some() {
                true => Question::Payment {
                    charge: charge.map(str::to_owned),
                    intents: reach.intents().map(str::to_owned).collect(),
                    waits_until,
                    refunded_at,
                },
                false => Question::Nothing,
            }
        }
        Thing::Invoice if is_known(tx, &team_id, id)? => Question::Nothing,
        Thing::Invoice if payment_links::to(tx, &team_id, id)?.is_empty() => Question::Nothing,
        Thing::Invoice => Question::Invoice(id.to_owned()),
        Thing::Subscription => Question::Beginning(id.to_owned()),
    })
}

/// The names of everything that a question may be about.
pub(crate) fn names(tx: &mut dyn Tx, leased: &Leased) -> Result<Vec<String>, Fault> {
    let (team_id, thing) = facts_of(leased)?;
    let reach = reach_of(thing, &leased.key.subject);
    Ok(reach.follow(tx, &team_id)?.names())
}

fn reach_of(thing: Thing, id: &str) -> Reach {
    let (id, none) = (Some(id), Subjects::default());
    Reach::of_one(&match thing {
        Thing::Charge => Subjects { charge: id, ..none },
        Thing::Intent => Subjects {
            payment_intent: id,
            ..none
        },
        Thing::Invoice => Subjects {
            invoice: id,
            ..none
        },
        Thing::Subscription => Subjects {
            subscription: id,
            ..none
        },
    })
}

/// Until when something waits for the invoice of a payment; `None` when nothing does, or not any more.
fn waits_until(tx: &mut dyn Tx, team_id: &TeamId, reach: &Reach) -> Result<Option<Micros>, Fault> {
    let mut last = None;
    if !reach.is_linked() {
        for id in reach.payments() {
            last = last.max(payment_links::waits_until(tx, team_id, id)?);
        }
    }
    Ok(last)
}

/// Whether what an invoice is was told.
pub(super) fn is_known(tx: &mut dyn Tx, team_id: &TeamId, invoice: &str) -> Result<bool, Fault> {
    let known = money_facts::about(tx, team_id, About::Invoice(invoice))?;
    let is_invoice = |kept: &money_facts::Kept| matches!(kept.fact, Some(Fact::Invoice(_)));
    Ok(known.iter().any(is_invoice))
}

/// When a total of a charge was last told, if that was not before its refunds were listed.
fn refunded_at(tx: &mut dyn Tx, team_id: &TeamId, charge: &str) -> Result<Option<Micros>, Fault> {
    let known = money_facts::about(tx, team_id, About::Charge(charge))?;
    let facts: Vec<Fact> = known.into_iter().filter_map(|kept| kept.fact).collect();
    Ok(told_by_total(&facts).get(charge).copied())
}

/// The charges of which a total is as new as the last list of their refunds, or newer, and when it was told.
pub(super) fn told_by_total<'f>(
    facts: impl IntoIterator<Item = &'f Fact>,
) -> BTreeMap<&'f str, Micros> {
    let (mut told, mut listed) = (BTreeMap::new(), BTreeMap::new());
    for fact in facts {
        match fact {
            Fact::ChargeStep(step) => {
                let last = told.entry(&*step.charge).or_insert(step.at);
                *last = (*last).max(step.at);
            }
            Fact::RefundsListed(list) => {
                listed.insert(&*list.charge, list.at);
            }
            _ => {}
        }
    }
    told.retain(|charge, at| listed.get(charge).is_none_or(|listed| *at >= *listed));
    told
}
