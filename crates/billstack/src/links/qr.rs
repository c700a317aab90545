//! `…/qr.svg` and `…/qr.png` beside each link: made from the address alone, so no database is asked.

use axum::extract::{Path, RawQuery, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use billstack_core::vanity;
use fast_qr::{ECL, QRBuilder};

use super::page;
use crate::app::Shared;
use crate::error::ApiError;

/// White modules on each side, so that readers find the symbol.
const QUIET: usize = 4;

/// The width when nobody says.
const USUAL_SIZE: usize = 512;

const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");
const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

#[derive(Clone, Copy)]
enum Form {
    Svg,
    Png,
}

/// `/r/{code}/qr.svg`.
pub async fn svg_of_first(
    app: State<Shared>,
    Path(code): Path<String>,
    query: RawQuery,
) -> Response {
    answer(&app, None, &code, query, Form::Svg)
}

/// `/r/{code}/qr.png`.
pub async fn png_of_first(
    app: State<Shared>,
    Path(code): Path<String>,
    query: RawQuery,
) -> Response {
    answer(&app, None, &code, query, Form::Png)
}

/// `/r/{slug}/{code}/qr.svg`.
pub async fn svg(
    app: State<Shared>,
    Path((slug, code)): Path<(String, String)>,
    query: RawQuery,
) -> Response {
    answer(&app, Some(&slug), &code, query, Form::Svg)
}

/// `/r/{slug}/{code}/qr.png`.
pub async fn png(
    app: State<Shared>,
    Path((slug, code)): Path<(String, String)>,
    query: RawQuery,
) -> Response {
    answer(&app, Some(&slug), &code, query, Form::Png)
}

fn answer(
    app: &Shared,
    slug: Option<&str>,
    code: &str,
    RawQuery(query): RawQuery,
    form: Form,
) -> Response {
    let is_slug = |slug: &str| slug.len() <= 16 && slug.bytes().all(|b| b.is_ascii_alphanumeric());
    let Some(code) = vanity::read_any(code).filter(|_| slug.is_none_or(is_slug)) else {
        return page::nowhere();
    };
    let Some(size) = size(query.as_deref()) else {
        return ApiError::invalid("size", "`size` must be a whole number from 128 to 1024.")
            .into_response();
    };
    let address = format!("{}?s=qr", link(app.public_url(), slug, &code));
    match Symbol::of(&address) {
        Some(symbol) => image(&symbol, size, form),
        None => page::nowhere(),
    }
}

/// The link of a code.
pub(crate) fn link(base: &str, slug: Option<&str>, code: &str) -> String {
    match slug {
        None => format!("{base}/r/{code}"),
        Some(slug) => format!("{base}/r/{slug}/{code}"),
    }
}

/// The picture of the link of a code, for a page of ours.
pub(crate) fn picture(base: &str, slug: Option<&str>, code: &str, size: usize) -> Option<String> {
    let link = link(base, slug, &vanity::read_any(code)?);
    Some(Symbol::of(&format!("{link}?s=qr"))?.svg(size))
}

fn size(query: Option<&str>) -> Option<usize> {
    let mut pairs = query.unwrap_or_default().split('&');
    match pairs.find_map(|pair| pair.strip_prefix("size=")) {
        None => Some(USUAL_SIZE),
        Some(text) => text.parse().ok().filter(|size| (128..=1024).contains(size)),
    }
}

fn image(symbol: &Symbol, size: usize, form: Form) -> Response {
    let (kind, body) = match form {
        Form::Svg => ("image/svg+xml", Some(symbol.svg(size).into_bytes())),
        Form::Png => ("image/png", symbol.png(size)),
    };
    let Some(body) = body else {
        return page::nowhere();
    };
    let fixed = HeaderValue::from_static;
    let headers = [
        (CONTENT_TYPE, fixed(kind)),
        (CACHE_CONTROL, fixed("public, max-age=86400")),
        (CONTENT_SECURITY_POLICY, fixed("default-src 'none'")),
        (X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (X_ROBOTS_TAG, fixed("noindex")),
        // Pages of the product show it.
        (CORP, fixed("cross-origin")),
    ];
    (headers, body).into_response()
}

/// The modules of a symbol with its quiet zone, by row.
struct Symbol(Vec<Vec<bool>>);

impl Symbol {
    fn of(text: &str) -> Option<Symbol> {
        let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
        let side = code.size + 2 * QUIET;
        let mut rows = vec![vec![false; side]; side];
        for (y, row) in rows.iter_mut().skip(QUIET).take(code.size).enumerate() {
            for (x, module) in row.iter_mut().skip(QUIET).take(code.size).enumerate() {
                *module = code[y][x].value();
            }
        }
        Some(Symbol(rows))
    }

    fn svg(&self, size: usize) -> String {
        let side = self.0.len();
        let mut path = String::new();
        for (y, row) in self.0.iter().enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|one, next| one == next) {
                let width = run.len();
                if run[0] {
                    path.push_str(&format!("M{x} {y}h{width}v1h-{width}z"));
                }
                x += width;
            }
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{size}\" height=\"{size}\" viewBox=\"0 0 {side} {side}\" \
             shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/></svg>\n"
        )
    }

    /// Each module has the same whole number of points; what is left over is white around it.
    fn png(&self, size: usize) -> Option<Vec<u8>> {
        let side = self.0.len();
        let scale = (size / side).max(1);
        let width = size.max(side * scale);
        let before = (width - side * scale) / 2;
        let module = |at: usize| at.checked_sub(before).map(|at| at / scale);
        let is_dark = |x: usize, y: usize| {
            let row = module(y).and_then(|y| self.0.get(y))?;
            row.get(module(x)?).copied()
        };
        let points: Vec<u8> = (0..width * width)
            .map(|at| match is_dark(at % width, at / width) {
                Some(true) => 0,
                _ => 255,
            })
            .collect();
        let side = u32::try_from(width).ok()?;
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().ok()?;
        writer.write_image_data(&points).ok()?;
        writer.finish().ok()?;
        Some(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_has_four_white_modules_around_it() {
        let symbol = Symbol::of("https://example.com/r/AB2CD3EF?s=qr").unwrap();
        let side = symbol.0.len();
        for (y, row) in symbol.0.iter().enumerate() {
            for (x, is_dark) in row.iter().enumerate() {
                let is_edge = |at: usize| at < QUIET || at >= side - QUIET;
                assert!(!is_dark || !(is_edge(x) || is_edge(y)), "{x} {y}");
            }
        }
        assert!(symbol.0[QUIET][QUIET]);
    }

    #[test]
    fn a_size_is_within_its_bounds() {
        for (query, expected) in [
            (None, Some(512)),
            (Some("size=128"), Some(128)),
            (Some("a=1&size=1024"), Some(1024)),
            (Some("size=127"), None),
            (Some("size=1025"), None),
            (Some("size=x"), None),
        ] {
            assert_eq!(size(query), expected, "{query:?}");
        }
    }
}
