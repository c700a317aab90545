//! Referrals: who brought whom, by which code, on what terms, and where it stands.
//!
//! [`advance`] is the only update of a status.

pub(crate) mod friends;
mod history;
pub(crate) mod list;
pub(crate) mod told;

pub use history::{Episode, history};
pub(crate) use list::LISTS;
pub use list::{ReferralFilter, ReferralSort, list};

use billstack_core::ids::TeamId;
use billstack_core::referral::{Referral, Status};
use billstack_core::source::{Attribution, Source};
use billstack_core::time::Micros;

use super::projects::project_of;
use super::terms::{self, terms_columns};
use crate::seam::{Act, Fault, Place, Row, Tx};
use crate::{params, statements};

/// A referral with its terms, by what follows the `WHERE`.
macro_rules! referral_where {
    ($condition:literal) => {
        concat!(
            "SELECT r.id, r.code, r.referrer_customer_id, r.referee_customer_id, r.status, \
             r.created_at, r.converted_at, r.question_since, r.clock_offset, \
             r.source, r.channel, r.clicked_at, ",
            terms_columns!(),
            " FROM referrals r JOIN terms t ON t.team_id = r.team_id \
             AND t.id = r.terms_id WHERE r.team_id = $1 AND r.project_id = $2",
            $condition
        )
    };
}

use referral_where;

/// Every update of a referral makes room in its story for `$4` events, the first of them not before `$5`.
/// Clocks differ between nodes, so the story itself decides what is later.
macro_rules! update {
    ($set:literal, $condition:literal) => {
        concat!(
            "UPDATE referrals SET ",
            $set,
            "story_length = story_length + $4, \
             story_at = CASE WHEN story_at < $5 THEN $5 ELSE story_at + 1 END + $4 - 1 \
             WHERE team_id = $1 AND project_id = $2 AND id = $3",
            $condition,
            " RETURNING story_length, story_at, status"
        )
    };
}

statements! {
    GET = referral_where!(" AND r.id = $3");
    OF_REFEREE = referral_where!(" AND r.referee_customer_id = $3");
    /// What brought the owner of a code, if it was this customer and may be paid or is.
    RECIPROCAL = "SELECT r.id FROM codes AS c JOIN referrals AS r ON r.team_id = c.team_id \
        AND r.project_id = c.project_id AND r.referee_customer_id = c.customer_id \
        WHERE c.team_id = $1 AND c.project_id = $2 AND c.code = $3 \
        AND r.referrer_customer_id = $4 AND r.status IN ('pending', 'converted')";
    PENDING_OF_REFEREE = "SELECT id FROM referrals WHERE team_id = $1 AND project_id = $2 \
        AND referee_customer_id = $3 AND status || '' = 'pending'";
    /// Not by way of the index of all pending ones.
    PENDING_OF_CODE = "SELECT id FROM referrals WHERE team_id = $1 AND project_id = $2 \
        AND code = $3 AND status || '' = 'pending'";
    ALL_CODES_OF = "SELECT code FROM codes \
        WHERE team_id = $1 AND project_id = $2 AND customer_id = $3 ORDER BY created_at, code";
    PAID_FOR_CUSTOMER = "SELECT id FROM referrals WHERE team_id = $1 AND project_id = $2 \
        AND stripe_customer_id = $3";
    /// By a subscription of a customer who has this id besides the one that was kept with the referral.
    PAID_FOR_ACCOUNT = "SELECT r.id FROM subscription_starts AS s JOIN referrals AS r \
        ON r.team_id = s.team_id AND r.stripe_subscription_id = s.object_id \
        WHERE s.team_id = $1 AND r.project_id = $2 AND s.match_key = 'stripe:' || $3";
    PAID_FOR_SUBSCRIPTION = "SELECT id FROM referrals WHERE team_id = $1 \
        AND stripe_subscription_id = $2";
    OF_SUBSCRIPTION = concat!("SELECT ", project_of!("referrals"), ", id FROM referrals WHERE team_id = $1 \
        AND stripe_subscription_id = $2");
    SUBSCRIPTION_OF = "SELECT stripe_subscription_id FROM referrals WHERE team_id = $1 AND project_id = $2 \
        AND id = $3";
    INSERT = "INSERT INTO referrals (team_id, project_id, code, created_at, id, program_id, terms_id, \
        referrer_customer_id, referee_customer_id, status, story_length, story_at, question_since, \
        clock_offset, source, channel, clicked_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'pending', 1, $4, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING";
    CONVERT = update!("status = 'converted', converted_at = $6, stripe_customer_id = $7, \
        stripe_event_id = $8, stripe_subscription_id = $9, ",
        " AND status = 'pending' AND question_since IS NULL");
    EXPIRE = update!("status = 'expired', question_since = NULL, ", " AND status = 'pending'");
    ANSWERED = "UPDATE referrals SET question_since = NULL \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND question_since IS NOT NULL";
    TELL = update!("", "");
}

/// A row of [`GET`] or [`OF_REFEREE`].
pub(crate) fn decode(row: &dyn Row) -> Result<Referral, Fault> {
    Ok(Referral {
        id: row.string(0)?,
        code: row.string(1)?,
        referrer_customer_id: row.string(2)?,
        referee_customer_id: row.string(3)?,
        status: row.read(4, Status::read)?,
        created_at: row.time(5)?,
        converted_at: row.opt_time(6)?,
        question_since: row.opt_time(7)?,
        clock_offset: row.int(8)?,
        attribution: Attribution {
            source: row.read(9, Source::read)?,
            channel: row.opt_string(10)?,
            clicked_at: row.opt_time(11)?,
        },
        terms: terms::decode(row, 12)?,
    })
}

/// The referral with this id.
pub fn get(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Option<Referral>, Fault> {
    tx.one(GET, params![&place.team_id, &place.project_id, id], decode)
}

/// The referral in which this customer is the referee.
pub fn of_referee(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
) -> Result<Option<Referral>, Fault> {
    let scope = params![&place.team_id, &place.project_id, customer_id];
    tx.one(OF_REFEREE, scope, decode)
}

/// Where the referral is that a subscription has converted, and its id.
pub(crate) fn of_subscription(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    subscription: &str,
) -> Result<Option<(Place, String)>, Fault> {
    tx.one(OF_SUBSCRIPTION, params![team_id, subscription], |row| {
        let place = Place::new(team_id.clone(), row.project_id(0)?);
        Ok((place, row.string(1)?))
    })
}

/// A referral that has converted, and the subscription that converted it.
pub(crate) fn converted(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
) -> Result<Option<(Referral, String)>, Fault> {
    let scope = params![&place.team_id, &place.project_id, id];
    let subscription = tx
        .one(SUBSCRIPTION_OF, scope, |row| row.opt_string(0))?
        .flatten();
    let referral = get(tx, place, id)?.filter(|referral| referral.status == Status::Converted);
    Ok(referral.zip(subscription))
}

/// The ids of the pending referrals that a customer takes part in, on either side.
pub(crate) fn pending_of(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
) -> Result<Vec<String>, Fault> {
    let scope = params![&place.team_id, &place.project_id, customer_id];
    let mut ids = tx.all(PENDING_OF_REFEREE, scope, |row| row.string(0))?;
    for code in tx.all(ALL_CODES_OF, scope, |row| row.string(0))? {
        let of_code = params![&place.team_id, &place.project_id, &code];
        ids.extend(tx.all(PENDING_OF_CODE, of_code, |row| row.string(0))?);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// The pending referrals in which a customer is the friend: one in each program at most.
pub(crate) fn pending_of_referee(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
) -> Result<Vec<String>, Fault> {
    let scope = params![&place.team_id, &place.project_id, customer_id];
    tx.all(PENDING_OF_REFEREE, scope, |row| row.string(0))
}

/// Adds a pending referral; tells whether nobody was first. Its story begins with one event.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    place: &Place,
    referral: &Referral,
    program_id: &str,
    terms_id: &str,
) -> Result<Option<Chapter>, Fault> {
    let row = params![
        &place.team_id,
        &place.project_id,
        &referral.code,
        referral.created_at,
        &referral.id,
        program_id,
        terms_id,
        &referral.referrer_customer_id,
        &referral.referee_customer_id,
        referral.question_since,
        referral.clock_offset,
        referral.attribution.source.as_str(),
        referral.attribution.channel.as_deref(),
        referral.attribution.clicked_at,
    ];
    let chapter = Chapter {
        referral_id: referral.id.clone(),
        next: 1,
        at: referral.created_at,
        left: 1,
        status: referral.status,
    };
    Ok(tx.hit(INSERT, row)?.then_some(chapter))
}

/// What moves a pending referral on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Advance<'a> {
    /// It converts.
    Converted {
        /// When.
        at: Micros,
        /// The Stripe customer that subscribed.
        stripe_customer_id: Option<&'a str>,
        /// The event that told of it.
        stripe_event_id: &'a str,
        /// The subscription, or a session that names none.
        stripe_subscription_id: &'a str,
    },
    /// It is closed.
    Expired,
}

/// Moves a pending referral on, and begins a chapter of its story for so many events. `None` when it is
/// not pending any more.
pub(crate) fn advance(
    tx: &mut dyn Tx,
    act: &Act,
    place: &Place,
    id: &str,
    to: Advance<'_>,
    events: i64,
) -> Result<Option<Chapter>, Fault> {
    let (team_id, project_id, now) = (&place.team_id, &place.project_id, act.moment());
    match to {
        Advance::Converted {
            at,
            stripe_customer_id,
            stripe_event_id,
            stripe_subscription_id,
        } => {
            let row = params![
                team_id,
                project_id,
                id,
                events,
                now,
                at,
                stripe_customer_id,
                stripe_event_id,
                stripe_subscription_id,
            ];
            begin_chapter(tx, CONVERT, row, id, events)
        }
        Advance::Expired => {
            let row = params![team_id, project_id, id, events, now];
            begin_chapter(tx, EXPIRE, row, id, events)
        }
    }
}

/// Stripe has told whether the referee of a pending referral was new; tells whether that was in question.
pub(crate) fn answered(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<bool, Fault> {
    tx.hit(ANSWERED, params![&place.team_id, &place.project_id, id])
}

/// Begins a chapter of one event in the story of a referral that stays as it is.
pub(crate) fn tell(tx: &mut dyn Tx, act: &Act, place: &Place, id: &str) -> Result<Chapter, Fault> {
    let row = params![&place.team_id, &place.project_id, id, 1_i64, act.moment()];
    let chapter = begin_chapter(tx, TELL, row, id, 1)?;
    chapter.ok_or_else(|| Fault::Defect(format!("no referral {id}")))
}

fn begin_chapter(
    tx: &mut dyn Tx,
    sql: &str,
    params: &[crate::seam::Val<'_>],
    id: &str,
    events: i64,
) -> Result<Option<Chapter>, Fault> {
    tx.one(sql, params, |row| {
        let (length, last) = (row.int(0)?, row.time(1)?);
        let status = row.read(2, Status::read)?;
        Ok(Chapter {
            referral_id: id.to_owned(),
            next: length - events + 1,
            at: last.plus(1 - events),
            left: events,
            status,
        })
    })
}

/// Room for events in the story of a referral, numbered in the order in which they are recorded.
#[derive(Debug)]
pub(crate) struct Chapter {
    referral_id: String,
    next: i64,
    at: Micros,
    left: i64,
    status: Status,
}

impl Chapter {
    /// Whose story it is.
    pub(crate) fn referral_id(&self) -> &str {
        &self.referral_id
    }

    /// Where the referral stands.
    pub(crate) fn status(&self) -> Status {
        self.status
    }

    /// The number and the time of the next event.
    pub(crate) fn turn_page(&mut self) -> Result<(i64, Micros), Fault> {
        let page = (self.next, self.at);
        if self.left == 0 {
            return Err(Fault::Defect(
                "a chapter has more events than it has room for".to_owned(),
            ));
        }
        (self.next, self.at, self.left) = (self.next + 1, self.at.plus(1), self.left - 1);
        Ok(page)
    }
}
