//! The history of a code: its referrals, the oldest first.

use billstack_core::referral::Status;
use billstack_core::time::Micros;

use crate::params;
use crate::seam::list::{Cursor, Last, List, Order, Page, Texts};
use crate::seam::{Fault, Place, Tx};

pub(super) static HISTORY: List = List {
    name: "referrals of a code",
    select: "SELECT id, referee_customer_id, status, created_at, converted_at FROM referrals \
        WHERE team_id = $1 AND project_id = $2 AND code = $3",
    scope: 3,
    filters: &[],
    keys: ["created_at", "id"],
    order: Order::OldestFirst,
    texts: Texts::new(),
};

/// A referral as the history of its code tells of it, borrowed from its row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Episode<'r> {
    /// `ref_…`.
    pub id: &'r str,
    /// Who applied the code.
    pub referee_customer_id: &'r str,
    /// Where it stands.
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
            status: row.read(2, Status::read)?,
            created_at: row.time(3)?,
            converted_at: row.opt_time(4)?,
        };
        each(&episode);
        last.set(episode.created_at, episode.id);
        Ok(())
    })?;
    Ok(last.cursor(more))
}
