//! What a referral is, as events of it are told: nothing of this changes once it is there.

use billstack_core::time::Micros;

use crate::seam::{Fault, Row};
use crate::statements;

statements! {
    TOLD = "SELECT code, referrer_customer_id, referee_customer_id, created_at, converted_at, \
        stripe_subscription_id FROM referrals WHERE team_id = $1 AND project_id = $2 AND id = $3";
}

/// Who brought whom, by which code, and what converted it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToldReferral {
    /// The code that was applied.
    pub code: String,
    /// Who owns the code.
    pub referrer_customer_id: String,
    /// Who applied it.
    pub referee_customer_id: String,
    /// When it was applied.
    pub created_at: Micros,
    /// When it converted, if it has by now.
    pub converted_at: Option<Micros>,
    /// The subscription that converted it, or the session that names none.
    pub stripe_subscription_id: Option<String>,
}

/// A row of [`TOLD`].
pub(crate) fn decode(row: &dyn Row) -> Result<ToldReferral, Fault> {
    Ok(ToldReferral {
        code: row.string(0)?,
        referrer_customer_id: row.string(1)?,
        referee_customer_id: row.string(2)?,
        created_at: row.time(3)?,
        converted_at: row.opt_time(4)?,
        stripe_subscription_id: row.opt_string(5)?,
    })
}
