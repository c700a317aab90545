//! `…/referrals/codes`: the codes that customers share.

pub mod create;
pub mod deactivate;
pub mod get;
pub mod list;

use billstack_store::codes::Code;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// A referral code.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CodeJson {
    /// Eight upper-case letters and digits.
    #[schema(example = "K7M2QX9D")]
    code: String,
    /// The customer who shares it.
    customer_id: String,
    /// The project it belongs to.
    project_id: String,
    /// Whether it can be applied.
    is_active: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
}

impl CodeJson {
    /// The JSON form of a code.
    pub fn new(code: &Code, project_id: &str) -> CodeJson {
        CodeJson {
            code: code.code.clone(),
            customer_id: code.customer_id.clone(),
            project_id: project_id.to_owned(),
            is_active: code.is_active,
            created_at: rfc3339(code.created_at.0),
        }
    }
}
