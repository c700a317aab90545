//! What a link shows where it does not lead on: a card for chats, and pages that say why.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use billstack_core::link::Card;

const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

/// What every answer to a link carries: nobody keeps it or lists it, and nothing tells the next page where it was.
pub(super) fn headers() -> HeaderMap {
    let fixed = HeaderValue::from_static;
    HeaderMap::from_iter([
        (CACHE_CONTROL, fixed("no-store")),
        (REFERRER_POLICY, fixed("no-referrer")),
        (X_ROBOTS_TAG, fixed("noindex")),
    ])
}

/// The page of a link that leads nowhere.
pub(super) fn nowhere() -> Response {
    let why = "This link leads nowhere. Ask whoever gave it to you for another one.";
    page(StatusCode::NOT_FOUND, "Nothing here", &text(why))
}

/// The page of a link of which nothing can be found out now.
pub(super) fn unheard() -> Response {
    let why = "This link cannot be followed right now. Please try again in a minute.";
    page(StatusCode::SERVICE_UNAVAILABLE, "Try again", &text(why))
}

/// What chats show of a link.
pub(super) fn card(card: &Card, address: &str) -> Response {
    let mut head = property("og:type", "website");
    head += &property("og:title", &card.title);
    head += &property("og:url", address);
    if let Some(text) = &card.text {
        head += &property("og:description", text);
    }
    if let Some(image) = &card.image_url {
        head += &property("og:image", image);
    }
    head += &format!("<link rel=\"canonical\" href=\"{}\">\n", escaped(address));
    page(StatusCode::OK, &card.title, &head)
}

fn property(name: &str, value: &str) -> String {
    format!(
        "<meta property=\"{name}\" content=\"{}\">\n",
        escaped(value)
    )
}

fn text(text: &str) -> String {
    format!("<body>\n<p>{}</p>\n", escaped(text))
}

fn page(status: StatusCode, title: &str, rest: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n{rest}</html>\n",
        escaped(title)
    );
    let fixed = HeaderValue::from_static;
    let same_origin = |name: &'static str| (HeaderName::from_static(name), fixed("same-origin"));
    let of_page = [
        (CONTENT_TYPE, fixed("text/html; charset=utf-8")),
        (
            CONTENT_SECURITY_POLICY,
            fixed(
                "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            ),
        ),
        (X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        same_origin("cross-origin-opener-policy"),
        same_origin("cross-origin-resource-policy"),
    ];
    (status, headers(), of_page, html).into_response()
}

/// A text as it stands in HTML, inside of quotes too.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(
            escaped("\"><img src=x onerror='a&b'>"),
            "&quot;&gt;&lt;img src=x onerror=&#39;a&amp;b&#39;&gt;"
        );
    }
}
