//! `GET …/referrals/exports/credits`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::access::Scope;
use billstack_core::credit::Side;
use billstack_core::time::Micros;
use billstack_store::credits::{self, Credit, CreditFilter};
use billstack_store::customers::Contact;
use billstack_store::finance::{self, ExportedCredit};
use billstack_store::list::Page;
use billstack_store::{Place, Tx};
use serde_json::{Value, json};

use super::super::credits::delivery::DeliveryStateJson;
use super::super::credits::list::filter;
use super::super::credits::{CreditKindJson, CreditStatusJson, SideJson};
use super::name::file;
use super::table::Table;
use super::{Format, PAGE, send, send_pages, wanted};
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::QueryString;

/// What stands for the side where a credit was given by hand.
const BY_HAND: &str = "manual";

/// The last ones are for people alone.
const COLUMNS: &[&str] = &[
    "id",
    "kind",
    "referral",
    "side",
    "customer",
    "externalId",
    "stripeCustomer",
    "currency",
    "amount",
    "held",
    "available",
    "delivered",
    "applied",
    "reversed",
    "settled",
    "shortfall",
    "status",
    "delivery",
    "reason",
    "transactionId",
    "createdAt",
    "heldUntil",
    "amountDecimal",
    "heldDecimal",
    "availableDecimal",
    "deliveredDecimal",
    "appliedDecimal",
    "reversedDecimal",
    "settledDecimal",
    "shortfallDecimal",
    "customerName",
    "customerEmail",
];

/// Who may see which columns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reader {
    /// A program.
    Program,
    /// Whoever opens the file as a table: amounts in whole units too.
    Person,
    /// The same, who may read customers: how they are called too.
    OfCustomers,
}

impl Reader {
    fn columns(self) -> &'static [&'static str] {
        let left_out = match self {
            Reader::Program => 10,
            Reader::Person => 2,
            Reader::OfCustomers => 0,
        };
        &COLUMNS[..COLUMNS.len() - left_out]
    }
}

fn row(exported: ExportedCredit, contact: Contact, reader: Reader) -> Vec<Value> {
    let ExportedCredit {
        credit,
        external_id,
        stripe_customer_id,
        transaction_id,
    } = exported;
    let parts = credit.parts;
    let decimal = |units| json!(credit.currency.decimal(units));
    let mut row = vec![
        json!(credit.id),
        json!(credit.kind),
        json!(credit.referral_id),
        json!(credit.side.as_ref().map_or(BY_HAND, Side::as_str)),
        json!(credit.customer_id),
        json!(external_id),
        json!(stripe_customer_id),
        json!(credit.currency),
        json!(credit.amount),
        json!(parts.held),
        json!(parts.available),
        json!(parts.delivered),
        json!(parts.applied),
        json!(parts.reversed),
        json!(parts.settled),
        json!(parts.shortfall),
        json!(credit.status),
        json!(credit.delivery),
        json!(credit.delivery_reason),
        json!(transaction_id),
        json!(rfc3339(credit.created_at.0)),
        json!(credit.held_until.map(|at| rfc3339(at.0))),
        decimal(credit.amount.get()),
        decimal(parts.held),
        decimal(parts.available),
        decimal(parts.delivered),
        decimal(parts.applied),
        decimal(parts.reversed),
        decimal(parts.settled),
        decimal(parts.shortfall),
        json!(contact.name),
        json!(contact.email),
    ];
    row.truncate(reader.columns().len());
    row
}

/// Whether a credit is among those that the list has under this filter. The range of time is that of the export.
fn is_wanted(filter: &CreditFilter, credit: &Credit) -> bool {
    fn is<T: PartialEq>(wanted: Option<&T>, value: Option<&T>) -> bool {
        wanted.is_none() || wanted == value
    }
    let CreditFilter {
        kind,
        customer_id,
        referral_id,
        side,
        status,
        delivery,
        currency,
        from: _,
        to: _,
    } = filter;
    is(kind.as_ref(), Some(&credit.kind))
        && is(customer_id.as_ref(), Some(&credit.customer_id))
        && is(referral_id.as_ref(), credit.referral_id.as_ref())
        && is(side.as_ref(), credit.side.as_ref())
        && is(status.as_ref(), Some(&credit.status))
        && is(delivery.as_ref(), Some(&credit.delivery))
        && is(currency.as_ref(), Some(&credit.currency))
}

/// Export credits.
///
/// Every credit that was granted in the time, the oldest first, as it is when its row is read: the rows that the list has
/// under the same filters. The form for people has them in the order of the list, and names customers where the caller may
/// read them.
#[utoipa::path(
    get, path = "", operation_id = "export_credits",
    params(
        ("format" = inline(Option<Format>), Query, description = "`csv` when left out."),
        ("from" = Option<String>, Query, description = "Granted at this time or later.", format = DateTime),
        ("to" = Option<String>, Query, description = "Granted before this time.", format = DateTime),
        ("currency" = Option<String>, Query, description = "Only of this currency, an ISO 4217 code.", pattern = "^[A-Za-z]{3}$"),
        ("customerId" = Option<String>, Query, description = "Only of this customer.", min_length = 1, max_length = 64),
        ("referralId" = Option<String>, Query, description = "Only of this referral.", min_length = 1, max_length = 64),
        ("side" = inline(Option<SideJson>), Query, description = "Only of this side."),
        ("kind" = inline(Option<CreditKindJson>), Query, description = "Only of this kind."),
        ("status" = inline(Option<CreditStatusJson>), Query, description = "Only with this status."),
        ("delivery" = inline(Option<DeliveryStateJson>), Query, description = "Only whose delivery has come so far."),
    ),
    responses((status = 200, description = "The file.", content(
        (String = "text/csv", example = "id,kind,referral,side,customer,externalId,stripeCustomer,currency,amount,held,available,delivered,applied,reversed,settled,shortfall,status,delivery,reason,transactionId,createdAt,heldUntil\r\n"),
        (String = "application/x-ndjson", example = "{}\n"),
    ))),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let (wanted, filter) = (wanted(&query)?, filter(&query)?);
    let file = file(&app, &access, "credits", &query).await?;
    let wanted = wanted.until(file.now);
    if wanted.format != Format::Spreadsheet {
        return oldest_first(app, access, &file.name, wanted, filter).await;
    }
    let reader = match access.has(&app, Scope::CustomersRead).await? {
        true => Reader::OfCustomers,
        false => Reader::Person,
    };
    newest_first(app, access, &file.name, reader, filter).await
}

/// As programs read them.
async fn oldest_first(
    app: Shared,
    access: ProjectRead,
    name: &str,
    wanted: super::Wanted,
    filter: CreditFilter,
) -> Result<Response, ApiError> {
    let begin = (Micros(wanted.from.0 - 1), "\u{10ffff}".to_owned());
    let read = move |tx: &mut dyn Tx, place: &Place, (at, id): &(Micros, String), is_first| {
        let credits = finance::exported_credits(tx, place, (*at, id), wanted.to, PAGE)?;
        let last = credits
            .last()
            .map(|last| (last.credit.created_at, last.credit.id.clone()));
        let next = last.filter(|_| credits.len() as i64 == PAGE);
        let reader = Reader::Program;
        let mut table = Table::new(wanted.format, reader.columns(), is_first);
        let chosen = credits.into_iter();
        chosen
            .filter(|one| is_wanted(&filter, &one.credit))
            .for_each(|credit| table.row(row(credit, Contact::default(), reader)));
        Ok((table, next))
    };
    send(app, access, name, wanted.format, begin, read).await
}

/// As the list has them.
async fn newest_first(
    app: Shared,
    access: ProjectRead,
    name: &str,
    reader: Reader,
    filter: CreditFilter,
) -> Result<Response, ApiError> {
    let read = move |tx: &mut dyn Tx, place: &Place, page: &Page, is_first| {
        let part = credits::list(tx, place, &filter, page)?;
        let mut table = Table::new(Format::Spreadsheet, reader.columns(), is_first);
        for (credit, contact) in finance::with_contacts(tx, place, part.rows)? {
            table.row(row(credit, contact, reader));
        }
        Ok((table, part.next))
    };
    send_pages(app, access, name, Format::Spreadsheet, read).await
}
