//! `…/referrals/exports`: what finance takes elsewhere, as a file of any length.
//!
//! An export is read page by page while it is sent, so that a million rows take no more memory than one page. If
//! something fails on the way, the connection ends before the file does.

pub mod clicks;
pub mod codes;
pub mod credits;
pub(in crate::api) mod name;
pub mod postings;
pub mod referrals;
pub mod roll_forward;
pub(in crate::api) mod table;

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use billstack_core::time::Micros;
use billstack_store::list::{Cursor, Page};
use billstack_store::{Abort, Place, Tx, Weight};
use futures_util::stream;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::{in_order, one_of, time};
use crate::http::query::Query;

pub(crate) use self::table::Table;

/// How many rows, or entries of the ledger, are read at once.
const PAGE: i64 = 500;

/// In which form a file is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ToSchema)]
#[schema(as = ExportFormat)]
pub enum Format {
    /// Comma-separated values with a line of names, RFC 4180.
    #[schema(rename = "csv")]
    Csv,
    /// A JSON object for each line.
    #[schema(rename = "ndjson")]
    Ndjson,
    /// CSV for programs in which people open tables: it begins with a byte order mark, and where the other forms tell
    /// amounts in minor units alone it tells them in whole ones too.
    #[schema(rename = "spreadsheet")]
    Spreadsheet,
}

impl Format {
    /// Reads the word for it.
    pub(crate) fn parse(text: &str) -> Option<Format> {
        match text {
            "csv" => Some(Format::Csv),
            "ndjson" => Some(Format::Ndjson),
            "spreadsheet" => Some(Format::Spreadsheet),
            _ => None,
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Format::Csv | Format::Spreadsheet => "text/csv; charset=utf-8",
            Format::Ndjson => "application/x-ndjson",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Format::Csv | Format::Spreadsheet => "csv",
            Format::Ndjson => "ndjson",
        }
    }
}

/// What an export is asked for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    format: Format,
    from: Micros,
    to: Micros,
}

fn format(query: &Query) -> Result<Format, ApiError> {
    Ok(one_of(query, "format", Format::parse)?.unwrap_or(Format::Csv))
}

impl Wanted {
    /// The same up to a time. Nothing that is booked after an export has begun is in it.
    fn until(self, now: Micros) -> Wanted {
        let to = self.to.min(now.plus(1));
        Wanted { to, ..self }
    }
}

/// Reads the query of an export.
fn wanted(query: &Query) -> Result<Wanted, ApiError> {
    let format = format(query)?;
    let (from, to) = in_order(
        time(query, "from")?.unwrap_or(Micros(i64::MIN + 1)),
        time(query, "to")?.unwrap_or(Micros(i64::MAX)),
    )?;
    Ok(Wanted { format, from, to })
}

/// A part of a file, and where the next one begins.
type Part<C> = (Table, Option<C>);

/// Sends a file whose parts `read` makes one after another, each from where the one before ended.
async fn send<C: Clone + Send + 'static>(
    app: Shared,
    access: ProjectRead,
    name: &str,
    format: Format,
    begin: C,
    read: impl Fn(&mut dyn Tx, &Place, &C, bool) -> Result<Part<C>, Abort>
    + Clone
    + Send
    + Sync
    + 'static,
) -> Result<Response, ApiError> {
    let part = async move |cursor: C, is_first: bool| {
        let read = read.clone();
        let scan = access.scan(&app, Weight::Long, move |tx, place| {
            read(tx, place, &cursor, is_first)
        });
        let (table, next) = scan.await?;
        Ok::<_, ApiError>((table.into_bytes(), next))
    };
    // The first part is read before anything is sent: what is wrong with the request has its status.
    let (first, next) = part(begin, true).await?;
    let rest = stream::try_unfold((next, part), async |(next, part)| match next {
        None => Ok(None),
        Some(cursor) => {
            let read = part(cursor, false).await;
            let (bytes, next) = read.map_err(|_| std::io::Error::other("the export was cut"))?;
            Ok::<_, std::io::Error>(Some((bytes, (next, part))))
        }
    });
    let first = stream::once(std::future::ready(Ok(first)));
    let body = Body::from_stream(stream::StreamExt::chain(first, rest));
    Ok(sent(name, format, body))
}

/// Sends a file whose parts are pages of a list, made of each by `read` with the cursor of the next one.
async fn send_pages(
    app: Shared,
    access: ProjectRead,
    name: &str,
    format: Format,
    read: impl Fn(&mut dyn Tx, &Place, &Page, bool) -> Result<Part<Cursor>, Abort>
    + Clone
    + Send
    + Sync
    + 'static,
) -> Result<Response, ApiError> {
    let part = move |tx: &mut dyn Tx, place: &Place, after: &Option<Cursor>, is_first| {
        let page = Page {
            limit: PAGE,
            offset: 0,
            after: after.clone(),
        };
        let (table, next) = read(tx, place, &page, is_first)?;
        Ok((table, next.map(Some)))
    };
    send(app, access, name, format, None, part).await
}

/// Sends a file that is there as a whole.
pub(crate) fn whole(name: &str, format: Format, table: Table) -> Response {
    sent(name, format, Body::from(table.into_bytes()))
}

fn sent(name: &str, format: Format, body: Body) -> Response {
    let file = format!("attachment; filename=\"{name}.{}\"", format.ending());
    let file = HeaderValue::from_str(&file).unwrap_or(HeaderValue::from_static("attachment"));
    let kind = HeaderValue::from_static(format.media_type());
    ([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, file)], body).into_response()
}
