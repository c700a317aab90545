//! `…/referrals/codes`: the codes that customers share.

pub mod create;
pub mod deactivate;
pub mod get;
pub mod list;

use billstack_core::ids::ProjectId;
use billstack_store::codes::Listed;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Moment;

/// A referral code.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralCode)]
#[serde(rename_all = "camelCase")]
pub struct CodeJson<'c> {
    /// Eight upper-case letters and digits.
    #[schema(example = "K7M2QX9D")]
    code: &'c str,
    /// The customer who shares it.
    customer_id: &'c str,
    /// The project it belongs to.
    project_id: &'c str,
    /// Whether it can be applied.
    is_active: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Moment,
}

impl<'c> CodeJson<'c> {
    /// The JSON form of a code.
    pub fn new(code: &Listed<'c>, project_id: &'c ProjectId) -> CodeJson<'c> {
        CodeJson {
            code: code.code,
            customer_id: code.customer_id,
            project_id: project_id.as_str(),
            is_active: code.is_active,
            created_at: Moment(code.created_at),
        }
    }
}
