//! Parts of a page that may fail alone: the rest of the page stands.

use std::time::Duration;

use maud::{Markup, html};

use crate::error::{ApiError, Reason};
use crate::pages::view::View;

/// How long a part is waited for.
pub(in crate::pages) const PATIENCE: Duration = Duration::from_secs(2);

/// A part as soon as it is read; in its place, why it could not be.
pub(in crate::pages) async fn part(
    view: &View,
    reading: impl Future<Output = Result<Markup, ApiError>>,
) -> Markup {
    let read = tokio::time::timeout(PATIENCE, reading).await;
    match read.unwrap_or_else(|_| Err(ApiError::new(Reason::Overloaded))) {
        Ok(part) => part,
        Err(error) => unread(view, &error),
    }
}

/// Why a part could not be read, and the way to try again.
pub(in crate::pages) fn unread(view: &View, error: &ApiError) -> Markup {
    html! {
        div.notice.bad role="alert" {
            "This part cannot be shown: " (error.message) " "
            a href="" { "Try again" } " "
            span.quiet { "Request " code { (view.request_id) } }
        }
    }
}
