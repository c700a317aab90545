//! Referral codes: made, listed, looked up, switched off. A code is never deleted.

use billstack_core::time::Micros;
use serde_json::json;

use crate::act::{Act, Fact, Place};
use crate::customers;
use crate::list::{Cursor, Filter, Last, List, Order, Page, Texts, Wanted};
use crate::refusal::Refusal;
use crate::tx::{Abort, Fault, Row, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT code, customer_id, is_active, created_at FROM codes \
        WHERE team_id = $1 AND project_id = $2 AND code = $3";
    /// A code that nobody may switch off until the transaction ends, and who owns it.
    HOLD = "SELECT codes.code, codes.customer_id, codes.is_active, codes.created_at, \
        owners.email, owners.stripe_customer_id FROM codes JOIN customers AS owners \
        ON owners.team_id = codes.team_id AND owners.project_id = codes.project_id \
        AND owners.id = codes.customer_id \
        WHERE codes.team_id = $1 AND codes.project_id = $2 AND codes.code = $3 \
        /* FOR SHARE OF codes */";
    GET_ACTIVE = "SELECT code, customer_id, is_active, created_at FROM codes \
        WHERE team_id = $1 AND project_id = $2 AND customer_id = $3 AND is_active";
    INSERT = "INSERT INTO codes (team_id, project_id, code, customer_id, is_active, created_at) \
        VALUES ($1, $2, $3, $4, TRUE, $5) ON CONFLICT DO NOTHING";
    DEACTIVATE = "UPDATE codes SET is_active = FALSE, deactivated_at = $4 \
        WHERE team_id = $1 AND project_id = $2 AND code = $3 AND is_active";
}

/// Every list of codes.
pub(crate) const LISTS: &[&List] = &[&LIST];

static LIST: List = List {
    name: "codes",
    select: "SELECT code, customer_id, is_active, created_at FROM codes \
        WHERE team_id = $1 AND project_id = $2",
    scope: 2,
    filters: &[Filter::Equals("customer_id"), Filter::Holds("is_active")],
    keys: ["created_at", "code"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// How many fresh codes one run tries before it gives up.
const TRIES: usize = 8;

/// A referral code.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    /// Eight upper-case letters and digits.
    pub code: String,
    /// The referrer it belongs to.
    pub customer_id: String,
    /// Whether it can be applied.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Micros,
}

impl Code {
    /// The same, borrowed.
    pub fn listed(&self) -> Listed<'_> {
        Listed {
            code: &self.code,
            customer_id: &self.customer_id,
            is_active: self.is_active,
            created_at: self.created_at,
        }
    }
}

fn decode(row: &dyn Row) -> Result<Code, Fault> {
    Ok(Code {
        code: row.string(0)?,
        customer_id: row.string(1)?,
        is_active: row.flag(2)?,
        created_at: row.time(3)?,
    })
}

/// The code with this normalised text.
pub fn get(tx: &mut dyn Tx, place: &Place, code: &str) -> Result<Option<Code>, Fault> {
    tx.one(
        GET,
        params![&place.team_id, &place.project_id, code],
        decode,
    )
}

/// A code that nobody may switch off until the transaction ends, and who owns it.
pub(crate) struct Held {
    pub(crate) code: Code,
    /// The owner's e-mail address; `None` once the owner has been erased.
    pub(crate) owner_email: Option<String>,
    /// The owner's Stripe id.
    pub(crate) owner_stripe_id: Option<String>,
}

/// A row of [`HOLD`].
pub(crate) fn decode_held(row: &dyn Row) -> Result<Held, Fault> {
    Ok(Held {
        code: decode(row)?,
        owner_email: row.opt_string(4)?,
        owner_stripe_id: row.opt_string(5)?,
    })
}

/// The active code of a customer.
pub fn get_active(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
) -> Result<Option<Code>, Fault> {
    tx.one(
        GET_ACTIVE,
        params![&place.team_id, &place.project_id, customer_id],
        decode,
    )
}

/// A code as a list shows it, borrowed from its row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Listed<'r> {
    /// Eight upper-case letters and digits.
    pub code: &'r str,
    /// The referrer it belongs to.
    pub customer_id: &'r str,
    /// Whether it can be applied.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Micros,
}

/// Shows codes, the newest first, and tells where the next page begins.
pub fn list(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: Option<String>,
    active: ActiveOnly,
    page: &Page,
    mut each: impl FnMut(&Listed<'_>),
) -> Result<Option<Cursor>, Fault> {
    let active = if active == ActiveOnly::Yes {
        Wanted::Holds
    } else {
        Wanted::Any
    };
    let scope = params![&place.team_id, &place.project_id];
    let wanted = [Wanted::from(customer_id), active];
    let mut last = Last::default();
    let more = LIST.visit(tx, scope, &wanted, page, &mut |row| {
        let listed = Listed {
            code: row.text(0)?,
            customer_id: row.text(1)?,
            is_active: row.flag(2)?,
            created_at: row.time(3)?,
        };
        each(&listed);
        last.set(listed.created_at, listed.code);
        Ok(())
    })?;
    Ok(last.cursor(more))
}

/// Whether a list leaves out codes that were switched off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ActiveOnly {
    /// Only codes that can be applied.
    Yes,
    /// All codes.
    No,
}

/// Makes a code for a customer that has no active one.
pub fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer_id: &str,
) -> Result<Code, Abort> {
    // Erasing the customer switches its code off; the two must not pass each other.
    tx.lock(&place.team_id, &[&format!("customer:{customer_id}")])?;
    customers::require(tx, place, customer_id)?;
    for _ in 0..TRIES {
        let code = act.ids.code();
        let params = params![
            &place.team_id,
            &place.project_id,
            &code,
            customer_id,
            act.at
        ];
        if tx.hit(INSERT, params)? {
            let facts = json!({"customerId": customer_id});
            let fact = Fact {
                kind: "code.created",
                subject: &code,
                referral_id: None,
                facts,
            };
            act.record(tx, place, &fact)?;
            let customer_id = customer_id.to_owned();
            return Ok(Code {
                code,
                customer_id,
                is_active: true,
                created_at: act.at,
            });
        }
        if let Some(existing) = get_active(tx, place, customer_id)? {
            return Err(Refusal::ActiveCodeExists(place.clone(), Box::new(existing)).into());
        }
    }
    Err(Refusal::CodeCollision.into())
}

/// Switches a code off. Doing it again changes nothing.
pub fn deactivate(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    code: &str,
) -> Result<Code, Abort> {
    let params = params![&place.team_id, &place.project_id, code, act.at];
    if tx.hit(DEACTIVATE, params)? {
        let fact = Fact {
            kind: "code.deactivated",
            subject: code,
            referral_id: None,
            facts: json!({}),
        };
        act.record(tx, place, &fact)?;
    }
    Ok(get(tx, place, code)?.ok_or(Refusal::NotFound("code"))?)
}
