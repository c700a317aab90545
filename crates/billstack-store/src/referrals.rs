//! Referrals: who brought whom, by which code, on what terms, and how far it has come.

use billstack_core::referral::{Status, Terms};
use billstack_core::time::Micros;

use crate::act::Place;
use crate::list::{Cursor, Filter, Last, List, Order, Page, Part, Texts, Wanted};
use crate::tx::{Fault, Row, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT id, code, referrer_customer_id, referee_customer_id, status, created_at, \
        converted_at, referrer_credit_amount, referee_credit_amount, currency FROM referrals \
        WHERE team_id = $1 AND project_id = $2 AND id = $3";
    GET_OF_REFEREE = "SELECT id, code, referrer_customer_id, referee_customer_id, status, \
        created_at, converted_at, referrer_credit_amount, referee_credit_amount, currency \
        FROM referrals WHERE team_id = $1 AND project_id = $2 AND referee_customer_id = $3";
    /// With several codes the referrals of all of them are sorted, with one they are in order.
    CODES_OF = "SELECT code FROM codes \
        WHERE team_id = $1 AND project_id = $2 AND customer_id = $3 LIMIT 2";
    /// Every customer, erased ones too, that is or was this Stripe customer. The project is not a
    /// condition, and this is no join: either would leave PostgreSQL a choice that it gets wrong on
    /// tables it has no statistics of yet, and every apply would read the whole project.
    CUSTOMERS_OF_STRIPE = "SELECT project_id, id FROM customers \
        WHERE team_id = $1 AND stripe_customer_id = $2 ORDER BY project_id, id";
}

/// Every list of referrals.
pub(crate) const LISTS: &[&List] = &[&LIST, &HISTORY];

static LIST: List = List {
    name: "referrals",
    select: "SELECT id, code, referrer_customer_id, referee_customer_id, status, created_at, \
        converted_at, referrer_credit_amount, referee_credit_amount, currency FROM referrals \
        WHERE team_id = $1 AND project_id = $2",
    scope: 2,
    filters: &[
        Filter::Equals("status"),
        // A code is its owner's for ever, and there are few to each owner.
        Filter::Within(
            "code",
            "SELECT code FROM codes WHERE team_id = $1 AND project_id = $2 AND customer_id",
        ),
        Filter::Equals("referee_customer_id"),
        Filter::Equals("code"),
        Filter::Holds("status = 'pending'"),
    ],
    keys: ["created_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

static HISTORY: List = List {
    name: "referrals of a code",
    select: "SELECT id, referee_customer_id, status, created_at, converted_at FROM referrals \
        WHERE team_id = $1 AND project_id = $2 AND code = $3",
    scope: 3,
    filters: &[],
    keys: ["created_at", "id"],
    order: Order::OldestFirst,
    texts: Texts::new(),
};

/// One person brought by another.
#[derive(Clone, Debug, PartialEq)]
pub struct Referral {
    /// `ref_…`.
    pub id: String,
    /// The code that was applied.
    pub code: String,
    /// Who owns the code.
    pub referrer_customer_id: String,
    /// Who applied it.
    pub referee_customer_id: String,
    /// How far it has come.
    pub status: Status,
    /// When the code was applied.
    pub created_at: Micros,
    /// When it converted.
    pub converted_at: Option<Micros>,
    /// What was promised when the code was applied.
    pub terms: Terms,
}

pub(crate) fn decode(row: &dyn Row) -> Result<Referral, Fault> {
    Ok(Referral {
        id: row.string(0)?,
        code: row.string(1)?,
        referrer_customer_id: row.string(2)?,
        referee_customer_id: row.string(3)?,
        status: row.parsed(4, Status::parse)?,
        created_at: row.time(5)?,
        converted_at: row.opt_time(6)?,
        terms: Terms {
            referrer_credit_amount: row.amount(7)?,
            referee_credit_amount: row.amount(8)?,
            currency: row.currency(9)?,
        },
    })
}

/// The referral with this id.
pub fn get(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Option<Referral>, Fault> {
    tx.one(GET, params![&place.team_id, &place.project_id, id], decode)
}

/// The referral in which this customer is the referee.
pub fn get_of_referee(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
) -> Result<Option<Referral>, Fault> {
    tx.one(
        GET_OF_REFEREE,
        params![&place.team_id, &place.project_id, customer_id],
        decode,
    )
}

/// The oldest referral in which one of these customers is the referee.
pub(crate) fn get_oldest_of(
    tx: &mut dyn Tx,
    place: &Place,
    customer_ids: &[String],
) -> Result<Option<Referral>, Fault> {
    let mut oldest: Option<Referral> = None;
    for id in customer_ids {
        let found = get_of_referee(tx, place, id)?;
        oldest = oldest.into_iter().chain(found).min_by_key(|r| r.created_at);
    }
    Ok(oldest)
}

/// What a list of referrals may be narrowed by.
#[derive(Clone, Debug, Default)]
pub struct ReferralFilter {
    /// How far it has come.
    pub status: Option<Status>,
    /// Who owns the code.
    pub referrer_customer_id: Option<String>,
    /// Who applied it.
    pub referee_customer_id: Option<String>,
    /// The normalised code.
    pub code: Option<String>,
}

/// Referrals, the newest first.
pub fn list(
    tx: &mut dyn Tx,
    place: &Place,
    filter: &ReferralFilter,
    page: &Page,
) -> Result<Part<Referral>, Fault> {
    // The literal lets both engines use the index of pending referrals.
    let (status, pending) = match filter.status {
        Some(Status::Pending) => (Wanted::Any, Wanted::Holds),
        other => (
            Wanted::from(other.map(|status| status.as_str().to_owned())),
            Wanted::Any,
        ),
    };
    let (mut referrer, mut code) = (filter.referrer_customer_id.clone(), filter.code.clone());
    if let (Some(id), None) = (&referrer, &code) {
        let codes = tx.all(
            CODES_OF,
            params![&place.team_id, &place.project_id, id],
            |row| row.string(0),
        )?;
        if let [only] = codes.as_slice() {
            (referrer, code) = (None, Some(only.clone()));
        }
    }
    let wanted = [
        status,
        Wanted::from(referrer),
        Wanted::from(filter.referee_customer_id.clone()),
        Wanted::from(code),
        pending,
    ];
    LIST.read(
        tx,
        params![&place.team_id, &place.project_id],
        &wanted,
        page,
        decode,
        place_of,
    )
}

/// A referral as the history of its code tells of it, borrowed from its row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Episode<'r> {
    /// `ref_…`.
    pub id: &'r str,
    /// Who applied the code.
    pub referee_customer_id: &'r str,
    /// How far it has come.
    pub status: Status,
    /// When the code was applied.
    pub created_at: Micros,
    /// When it converted.
    pub converted_at: Option<Micros>,
}

/// Shows the referrals of one code, the oldest first, and tells where the next page begins.
pub fn history(
    tx: &mut dyn Tx,
    place: &Place,
    code: &str,
    page: &Page,
    mut each: impl FnMut(&Episode<'_>),
) -> Result<Option<Cursor>, Fault> {
    let scope = params![&place.team_id, &place.project_id, code];
    let mut last = Last::default();
    let more = HISTORY.visit(tx, scope, &[], page, &mut |row| {
        let episode = Episode {
            id: row.text(0)?,
            referee_customer_id: row.text(1)?,
            status: row.parsed(2, Status::parse)?,
            created_at: row.time(3)?,
            converted_at: row.opt_time(4)?,
        };
        each(&episode);
        last.set(episode.created_at, episode.id);
        Ok(())
    })?;
    Ok(last.cursor(more))
}

fn place_of(referral: &Referral) -> Cursor {
    Cursor {
        at: referral.created_at.0,
        key: referral.id.clone(),
    }
}
