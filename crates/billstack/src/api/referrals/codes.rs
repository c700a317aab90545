//! `…/referrals/codes`: the codes that customers share.

pub mod clicks;
pub mod create;
pub mod deactivate;
pub mod get;
pub mod list;
pub mod rename;

use axum::http::StatusCode;
use billstack_core::ids::ProjectId;
use billstack_core::vanity::{Unfit, Vanity};
use billstack_store::Place;
use billstack_store::codes::{Code, Listed, WithTotal};
use billstack_store::idempotency::Answer;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Moment;
use crate::error::{ApiError, Reason};
use crate::http::answer;

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
    /// The name that people gave it last; null for none.
    #[schema(example = "ADA-L")]
    vanity: Option<&'c str>,
    /// All its names, the last one first. Each works wherever the code does.
    #[schema(example = json!(["ADA-L", "ADA"]))]
    aliases: Vec<&'c str>,
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
            vanity: code.names.first().copied(),
            aliases: code.names.clone(),
        }
    }
}

/// A referral code, and what it has brought.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralCodeWithFigures)]
pub struct CodeWithFiguresJson<'c> {
    #[serde(flatten)]
    code: CodeJson<'c>,
    /// How often its links were followed, as far as people can be told from programs.
    #[schema(example = 120)]
    clicks: i64,
    /// How often it was applied.
    #[schema(example = 8)]
    applied: i64,
    /// How many of these referrals converted.
    #[schema(example = 2)]
    converted: i64,
}

impl<'c> CodeWithFiguresJson<'c> {
    /// The JSON form of a code of a list.
    pub fn new(
        (code, total): &WithTotal<'c>,
        project_id: &'c ProjectId,
    ) -> CodeWithFiguresJson<'c> {
        CodeWithFiguresJson {
            code: CodeJson::new(code, project_id),
            clicks: total.clicks,
            applied: total.applied,
            converted: total.converted,
        }
    }
}

/// A code as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct CodeAnswer<'c> {
    /// The code.
    code: CodeJson<'c>,
}

/// The answer that shows a code. It goes when the owner is erased: a name may be a person's.
fn answer(status: StatusCode, code: &Code, place: &Place) -> Answer {
    let listed = code.listed();
    let shown = CodeJson::new(&listed, &place.project_id);
    Answer {
        customer_id: Some(code.customer_id.clone()),
        ..answer::answer(status, &CodeAnswer { code: shown })
    }
}

/// Reads the name of a code.
pub(crate) fn name(given: &str) -> Result<Vanity, ApiError> {
    Vanity::parse(given).map_err(|unfit| {
        let why = match unfit {
            Unfit::Shape => {
                "`vanity` has 3 to 24 letters `A` to `Z`, digits, hyphens and underscores, of which at least 3 are letters or digits."
            }
            Unfit::LikeACode => "`vanity` must not have eight letters and digits, as a code has.",
            Unfit::Reserved => "This word is reserved; choose another.",
            Unfit::Rude => "This word is not allowed; choose another.",
        };
        ApiError::new(Reason::VanityNotAllowed)
            .field("vanity")
            .message(why)
    })
}
