//! The friends of a customer, as the customer's own page needs them.

use billstack_core::credit::CreditStatus;
use billstack_core::event::Facts;
use billstack_core::money::{Amount, Currency};
use billstack_core::portal::{self, Promise, State};
use billstack_core::program::ConversionTrigger;
use billstack_core::referral::Status;
use billstack_core::time::Micros;

use crate::seam::list::{Cursor, Filter, List, Order, Page, Part, Texts, Wanted};
use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

statements! {
    /// The friends of a customer, added up.
    COUNTED = "SELECT r.status, cr.status, t.referrer_credit_amount = 0, t.currency, COUNT(*), \
        CAST(SUM(t.referrer_credit_amount) AS BIGINT) FROM codes c \
        JOIN referrals r ON r.team_id = c.team_id AND r.project_id = c.project_id AND r.code = c.code \
        JOIN terms t ON t.team_id = r.team_id AND t.id = r.terms_id \
        LEFT JOIN credits cr ON cr.team_id = r.team_id AND cr.project_id = r.project_id \
        AND cr.referral_id = r.id AND cr.side = 'referrer' \
        WHERE c.team_id = $1 AND c.project_id = $2 AND c.customer_id = $3 \
        GROUP BY r.status, cr.status, t.referrer_credit_amount = 0, t.currency \
        ORDER BY r.status, cr.status, t.referrer_credit_amount = 0, t.currency";
}

/// The page of a code, and of all codes of a customer.
pub(super) static FRIENDS: List = List {
    name: "friends",
    select: "SELECT r.id, r.created_at, r.status, r.converted_at, t.conversion_trigger, t.exclude_trials, \
        t.referrer_credit_amount, t.currency, f.name, f.erased_at IS NOT NULL, cr.status, cr.amount - cr.reversed, \
        cr.held_until, (SELECT e.facts FROM events e WHERE e.team_id = r.team_id AND e.referral_id = r.id \
        AND e.type = 'referral.expired' AND r.status = 'expired' ORDER BY e.sequence DESC LIMIT 1) \
        FROM referrals r JOIN terms t ON t.team_id = r.team_id AND t.id = r.terms_id \
        JOIN customers f ON f.team_id = r.team_id AND f.project_id = r.project_id AND f.id = r.referee_customer_id \
        LEFT JOIN credits cr ON cr.team_id = r.team_id AND cr.project_id = r.project_id \
        AND cr.referral_id = r.id AND cr.side = 'referrer' WHERE r.team_id = $1 AND r.project_id = $2",
    scope: 2,
    filters: &[
        Filter::Within(
            "r.code",
            "SELECT code FROM codes WHERE team_id = $1 AND project_id = $2 AND customer_id",
        ),
        Filter::Equals("r.code"),
    ],
    keys: ["r.created_at", "r.id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// A friend whom a customer has brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Friend {
    /// Of the referral; for the place in the list only.
    pub(crate) id: String,
    /// When the code was applied.
    pub applied_at: Micros,
    /// When it converted.
    pub converted_at: Option<Micros>,
    pub state: State,
    /// What was promised to the customer, or what is left of it.
    pub reward: Amount,
    pub currency: Currency,
    /// Until when the reward is held.
    pub held_until: Option<Micros>,
    /// The friend's whole name: the page masks it.
    pub name: Option<String>,
    pub is_erased: bool,
}

fn decode(row: &dyn Row) -> Result<Friend, Fault> {
    let closed = row.opt_text(13)?.map(Facts::read);
    let promised = row.amount(6)?;
    let reward = row.opt_read(10, CreditStatus::read)?;
    let state = portal::state(&portal::Facts {
        status: row.read(2, Status::read)?,
        trigger: row.read(4, ConversionTrigger::read)?,
        exclude_trials: row.flag(5)?,
        promise: promise(promised.is_zero()),
        reward,
        closed: closed.as_ref().and_then(|facts| facts.text("reason")),
    });
    let left = row.opt_int(11)?.and_then(Amount::new);
    Ok(Friend {
        id: row.string(0)?,
        applied_at: row.time(1)?,
        converted_at: row.opt_time(3)?,
        state,
        reward: left.unwrap_or(promised),
        currency: row.currency(7)?,
        held_until: row.opt_time(12)?,
        name: row.opt_string(8)?,
        is_erased: row.flag(9)?,
    })
}

fn promise(is_nothing: bool) -> Promise {
    match is_nothing {
        true => Promise::Nothing,
        false => Promise::Reward,
    }
}

/// The friends of a customer, the newest first.
pub(crate) fn list(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
    page: &Page,
) -> Result<Part<Friend>, Fault> {
    let scope = params![&place.team_id, &place.project_id];
    let of_customer = params![&place.team_id, &place.project_id, customer_id];
    let codes = tx.all(super::list::CODES_OF, of_customer, |row| row.string(0))?;
    let wanted = match codes.as_slice() {
        [only] => [Wanted::Any, Wanted::from(Some(only.clone()))],
        _ => [Wanted::from(Some(customer_id.to_owned())), Wanted::Any],
    };
    FRIENDS.read(tx, scope, &wanted, page, decode, |friend| Cursor {
        at: friend.applied_at.0,
        key: friend.id.clone(),
    })
}

/// The friends of a customer, added up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// All of them.
    pub friends: i64,
    pub waiting: i64,
    pub earned: i64,
    /// What the customer is promised for those whose subscription or payment is still to come.
    pub(crate) promised: Vec<(Currency, i64)>,
}

/// Adds the friends of a customer up.
pub(crate) fn counts(tx: &mut dyn Tx, place: &Place, customer_id: &str) -> Result<Counts, Fault> {
    let scope = params![&place.team_id, &place.project_id, customer_id];
    let mut counts = Counts::default();
    tx.query(COUNTED, scope, &mut |row| {
        let status = row.read(0, Status::read)?;
        let state = portal::state(&portal::Facts {
            status,
            // Neither says whether somebody waits.
            trigger: ConversionTrigger::SubscriptionCreated,
            exclude_trials: false,
            closed: None,
            promise: promise(row.flag(2)?),
            reward: row.opt_read(1, CreditStatus::read)?,
        });
        let number = row.int(4)?;
        counts.friends += number;
        match state {
            State::Waiting(_) => counts.waiting += number,
            State::Earned => counts.earned += number,
            State::NotCounted | State::Ended => {}
        }
        if status == Status::Pending {
            counts.promised.push((row.currency(3)?, row.int(5)?));
        }
        Ok(())
    })?;
    Ok(counts)
}
