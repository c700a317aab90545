//! Answers that are the same for everybody as long as the program runs: compressed once, and sent to nobody who has
//! them already.

use std::io::Write as _;

use axum::body::Bytes;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName,
    IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// An answer that never changes.
#[derive(Debug)]
pub struct Fixed {
    kind: HeaderValue,
    tag: HeaderValue,
    plain: Bytes,
    gzip: Bytes,
}

impl Fixed {
    /// An answer of this content type. Compressing it takes its time, once.
    pub fn new(kind: HeaderValue, plain: impl Into<Bytes>) -> Fixed {
        let plain = plain.into();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let gzip = encoder.write_all(&plain).and_then(|()| encoder.finish());
        // Weak, because both forms of the body share it.
        let hash = hex::encode(Sha256::digest(&plain));
        let tag = HeaderValue::from_str(&format!("W/\"{}\"", &hash[..32]));
        Fixed {
            kind,
            tag: tag.expect("hex digits"),
            plain,
            gzip: gzip.expect("memory takes what is written").into(),
        }
    }

    /// The answer to a request with these headers.
    pub fn answer(&self, request: &HeaderMap) -> Response {
        let same = [
            (ETAG, self.tag.clone()),
            // A new version of the program has another answer under the same address.
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (VARY, HeaderValue::from_static("Accept-Encoding")),
        ];
        if listed(request, &IF_NONE_MATCH)
            .any(|tag| tag == "*" || tag.as_bytes() == self.tag.as_bytes())
        {
            return (StatusCode::NOT_MODIFIED, same).into_response();
        }
        let kind = [(CONTENT_TYPE, self.kind.clone())];
        match listed(request, &ACCEPT_ENCODING).any(takes_gzip) {
            true => {
                let gzip = [(CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
                (same, kind, gzip, self.gzip.clone()).into_response()
            }
            false => (same, kind, self.plain.clone()).into_response(),
        }
    }
}

/// The members of a header that is a list.
fn listed<'r>(headers: &'r HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'r str> {
    let lines = headers.get_all(name).into_iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

/// Whether a member of `Accept-Encoding` asks for gzip, with a weight above zero if it has one.
fn takes_gzip(coding: &str) -> bool {
    let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
    let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
    name.trim().eq_ignore_ascii_case("gzip") && weight.parse().is_ok_and(|q: f32| q > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed() -> Fixed {
        Fixed::new(HeaderValue::from_static("text/plain"), "abc".repeat(1000))
    }

    fn asked(name: HeaderName, value: &str) -> Response {
        let headers = HeaderMap::from_iter([(name, value.parse().unwrap())]);
        fixed().answer(&headers)
    }

    #[test]
    fn gzip_is_for_those_who_take_it() {
        for (accepted, coded) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("br;q=1.0, gzip ; q=0.001", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000, identity", false),
            ("gzip;q=x", false),
            ("identity", false),
            ("", false),
        ] {
            let answer = asked(ACCEPT_ENCODING, accepted);
            let has = answer.headers().contains_key(CONTENT_ENCODING);
            assert_eq!(has, coded, "{accepted}");
            assert_eq!(answer.headers()[VARY], "Accept-Encoding");
        }
        let Fixed { plain, gzip, .. } = fixed();
        assert!(gzip.len() < plain.len() / 10);
    }

    #[test]
    fn nothing_is_sent_twice() {
        let tag = fixed().tag.to_str().unwrap().to_owned();
        for (known, status) in [
            (tag.clone(), 304),
            (format!("\"other\", {tag}"), 304),
            ("*".to_owned(), 304),
            ("\"other\"".to_owned(), 200),
            (String::new(), 200),
        ] {
            let answer = asked(IF_NONE_MATCH, &known);
            assert_eq!(answer.status().as_u16(), status, "{known}");
            assert_eq!(answer.headers()[ETAG].to_str().unwrap(), tag);
        }
    }
}
