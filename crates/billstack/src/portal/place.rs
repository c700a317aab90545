//! Where a page of a list goes on. A place in a list holds an id and an exact time, which customers do not get.

use billstack_core::portal::Session;
use billstack_store::list::{Cursor, Page};

use crate::app::App;
use crate::error::ApiError;
use crate::http::query::Query;

/// Rows of a page when the caller does not say, and the most there are.
const USUAL: i64 = 50;
const MOST: i64 = 100;

/// The longest sealed place, in characters.
const LONGEST: usize = 700;

/// Which list of whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub session: &'a Session,
    pub list: &'static str,
}

impl Context<'_> {
    fn text(&self) -> String {
        let Session {
            team_id,
            project_id,
            customer_id,
            ..
        } = self.session;
        format!("portal {} {team_id} {project_id} {customer_id}", self.list)
    }
}

/// The place of the next page, as the customer gets it.
pub fn sealed_cursor(app: &App, context: Context<'_>, next: Option<&Cursor>) -> Option<String> {
    next.map(|next| app.cipher.seal(&next.encode(), &context.text()))
}

/// The page that a query asks for.
pub fn unsealed_cursor(app: &App, context: Context<'_>, query: &Query) -> Result<Page, ApiError> {
    let limit = query.int("limit", USUAL, 1..=MOST)?;
    unsealed(app, context, query.optional_str("cursor", LONGEST)?, limit)
}

/// The page that begins at a sealed place, or where the list does.
pub(super) fn unsealed(
    app: &App,
    context: Context<'_>,
    sealed: Option<&str>,
    limit: i64,
) -> Result<Page, ApiError> {
    let wrong = || {
        let why = "`cursor` must be the nextCursor of an earlier page.";
        ApiError::invalid("cursor", why)
    };
    let after = match sealed {
        None => None,
        Some(sealed) => {
            let opened = app.cipher.open(sealed, &context.text()).ok();
            let cursor = opened.as_deref().and_then(Cursor::decode);
            Some(cursor.ok_or_else(wrong)?)
        }
    };
    Ok(Page {
        limit,
        offset: 0,
        after,
    })
}
