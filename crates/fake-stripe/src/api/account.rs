//! `/v1/account`

use super::{Answer, params};
use crate::books::Books;
use crate::call::Call;

pub(super) fn retrieve(books: &mut Books, call: &Call, _: &[String]) -> Answer {
    params::allow(call, &[])?;
    Ok(books.account.clone())
}
