//! What Stripe told of payments: of each thing its latest version, findable by whatever it is about.

use billstack_core::ids::TeamId;
use billstack_core::payments::Fact;
use billstack_core::time::Micros;

use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT fact, event_id, keep_until FROM money_facts WHERE team_id = $1 AND fact_key = $2";
    INSERT = "INSERT INTO money_facts (team_id, fact_key, charge_id, payment_intent_id, invoice_id, \
        subscription_id, stripe_customer_id, fact, event_id, keep_until) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    /// A later version may name less: what was found by a name once stays findable by it.
    REPLACE = "UPDATE money_facts SET charge_id = COALESCE($3, charge_id), \
        payment_intent_id = COALESCE($4, payment_intent_id), invoice_id = COALESCE($5, invoice_id), \
        subscription_id = COALESCE($6, subscription_id), \
        stripe_customer_id = COALESCE($7, stripe_customer_id), fact = $8, event_id = $9, keep_until = $10 \
        WHERE team_id = $1 AND fact_key = $2 AND fact = $11";
    OF_CHARGE = "SELECT fact, event_id, keep_until FROM money_facts WHERE team_id = $1 AND charge_id = $2";
    OF_INTENT = "SELECT fact, event_id, keep_until FROM money_facts \
        WHERE team_id = $1 AND payment_intent_id = $2";
    OF_INVOICE = "SELECT fact, event_id, keep_until FROM money_facts WHERE team_id = $1 AND invoice_id = $2";
    OF_SUBSCRIPTION = "SELECT fact, event_id, keep_until FROM money_facts \
        WHERE team_id = $1 AND subscription_id = $2";
    IS_OF = "SELECT fact_key FROM money_facts WHERE team_id = $1 AND invoice_id = $2 AND stripe_customer_id = $3";
    KEEP = "UPDATE money_facts SET keep_until = NULL WHERE team_id = $1 AND fact_key = $2";
    DROP_OLD = "DELETE FROM money_facts WHERE (team_id, fact_key) IN (\
        SELECT team_id, fact_key FROM money_facts WHERE keep_until < $1 LIMIT $2)";
}

/// A fact as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    /// `None` for what a newer version has written, which is left as it is.
    pub(crate) fact: Option<Fact>,
    text: String,
    /// The event that told it.
    pub(crate) event_id: String,
    /// Until when it is kept; `None` for good.
    pub(crate) keep_until: Option<Micros>,
}

fn decode(row: &dyn Row) -> Result<Kept, Fault> {
    let text = row.string(0)?;
    Ok(Kept {
        fact: serde_json::from_str(&text).ok(),
        text,
        event_id: row.string(1)?,
        keep_until: row.opt_time(2)?,
    })
}

/// Where a fact comes from and for how long it is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) event_id: &'a str,
    pub(crate) stripe_customer_id: Option<&'a str>,
    pub(crate) keep_until: Micros,
}

/// Keeps a fact, unless a later version of it is known. Tells whether it is news.
///
/// Whoever keeps facts holds the names of what they are about.
pub(crate) fn take(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    fact: &Fact,
    source: Source<'_>,
) -> Result<bool, Fault> {
    let key = fact.key();
    let subjects = fact.subjects();
    let text = serde_json::to_string(fact).map_err(|e| Fault::Defect(e.to_string()))?;
    let known = tx.one(GET, params![team_id, &key], decode)?;
    let Some(known) = known else {
        let row = params![
            team_id,
            &key,
            subjects.charge,
            subjects.payment_intent,
            subjects.invoice,
            subjects.subscription,
            source.stripe_customer_id,
            &text,
            source.event_id,
            source.keep_until,
        ];
        return match tx.hit(INSERT, row)? {
            true => Ok(true),
            false => Err(Fault::Conflict(format!("{key} was told meanwhile"))),
        };
    };
    if !known
        .fact
        .as_ref()
        .is_some_and(|known| fact.supersedes(known))
    {
        return Ok(false);
    }
    let row = params![
        team_id,
        &key,
        subjects.charge,
        subjects.payment_intent,
        subjects.invoice,
        subjects.subscription,
        source.stripe_customer_id,
        &text,
        source.event_id,
        known.keep_until.map(|until| until.max(source.keep_until)),
        &known.text,
    ];
    match tx.hit(REPLACE, row)? {
        true => Ok(true),
        false => Err(Fault::Conflict(format!("{key} was told meanwhile"))),
    }
}

/// What facts are looked up by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About<'a> {
    Charge(&'a str),
    Intent(&'a str),
    Invoice(&'a str),
    Subscription(&'a str),
}

/// The facts about something.
pub(crate) fn about(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    what: About<'_>,
) -> Result<Vec<Kept>, Fault> {
    let (sql, id) = match what {
        About::Charge(id) => (OF_CHARGE, id),
        About::Intent(id) => (OF_INTENT, id),
        About::Invoice(id) => (OF_INVOICE, id),
        About::Subscription(id) => (OF_SUBSCRIPTION, id),
    };
    tx.all(sql, params![team_id, id], decode)
}

/// Whether an invoice is known to be of a Stripe customer.
pub(crate) fn is_of(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    invoice: &str,
    stripe_customer_id: &str,
) -> Result<bool, Fault> {
    tx.exists(IS_OF, params![team_id, invoice, stripe_customer_id])
}

/// Keeps a fact for good: a credit depends on it.
pub(crate) fn keep(tx: &mut dyn Tx, team_id: &TeamId, key: &str) -> Result<(), Fault> {
    tx.must_later(KEEP, params![team_id, key])
}

/// Drops facts that are kept no longer. Returns how many.
pub(crate) fn drop_old(tx: &mut dyn Tx, now: Micros, limit: i64) -> Result<u64, Fault> {
    tx.execute(DROP_OLD, params![now, limit])
}
