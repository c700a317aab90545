//! Granting: a referral becomes converted, and its credits and postings are written with it.

use billstack_core::credit::{Side, grants};
use billstack_core::ids::IdKind;
use billstack_core::ledger::postings;
use billstack_core::time::Micros;
use serde_json::json;

use crate::act::{Act, Fact, Place};
use crate::conversion::Sign;
use crate::referrals::Referral;
use crate::tx::{Fault, Tx};
use crate::{params, statements};

statements! {
    CONVERT = "UPDATE referrals SET status = 'converted', converted_at = $4, \
        stripe_customer_id = $5, stripe_event_id = $6, stripe_subscription_id = $7 \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND status = 'pending'";
    INSERT_CREDIT = "INSERT INTO credits (team_id, project_id, id, referral_id, customer_id, \
        side, amount, currency, status, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'granted', $9)";
    INSERT_POSTING = "INSERT INTO postings (team_id, project_id, credit_id, account, \
        customer_id, amount, currency, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
}

/// Converts a pending referral and grants its credits.
pub(crate) fn convert(
    tx: &mut dyn Tx,
    act: &mut Act,
    sign: &Sign<'_>,
    place: &Place,
    referral: &Referral,
    at: Micros,
) -> Result<(), Fault> {
    let params = params![
        &place.team_id,
        &place.project_id,
        &referral.id,
        at,
        sign.stripe_id(),
        sign.event_id,
        sign.start.subscription(),
    ];
    if !tx.hit(CONVERT, params)? {
        return Err(Fault::Conflict(
            "the referral changed since it was read".to_owned(),
        ));
    }
    let facts = json!({
        "stripeEventId": sign.event_id,
        "stripeEventType": sign.kind,
        "stripeObjectId": sign.start.object_id,
    });
    let subject = &referral.id;
    let fact = Fact {
        kind: "referral.converted",
        subject,
        referral_id: Some(subject),
        facts,
    };
    act.record(tx, place, &fact)?;
    grant_credits(tx, act, place, referral)
}

fn grant_credits(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    referral: &Referral,
) -> Result<(), Fault> {
    let currency = &referral.terms.currency;
    // The event may have come in before the apply, and waited for it.
    let granted_at = act.at.max(referral.created_at);
    for grant in grants(&referral.terms) {
        let customer_id = match grant.side {
            Side::Referrer => &referral.referrer_customer_id,
            Side::Referee => &referral.referee_customer_id,
        };
        let id = act.id(IdKind::Credit);
        let (team_id, project_id) = (&place.team_id, &place.project_id);
        let (side, amount) = (grant.side.as_str(), grant.amount);
        tx.must_later(
            INSERT_CREDIT,
            params![
                team_id,
                project_id,
                &id,
                &referral.id,
                customer_id,
                side,
                amount,
                currency,
                granted_at
            ],
        )?;
        for posting in postings(customer_id, amount) {
            let account = posting.account;
            tx.must_later(
                INSERT_POSTING,
                params![
                    team_id,
                    project_id,
                    &id,
                    account.kind(),
                    account.customer_id(),
                    posting.amount,
                    currency,
                    granted_at
                ],
            )?;
        }
        let facts = json!({
            "creditId": id, "customerId": customer_id, "side": side,
            "amount": amount.get(), "currency": currency.as_str(),
        });
        let referral_id = Some(referral.id.as_str());
        act.record(
            tx,
            place,
            &Fact {
                kind: "credit.granted",
                subject: &id,
                referral_id,
                facts,
            },
        )?;
    }
    Ok(())
}
