//! What the columns of each kind of file are called, and what a record says.
//!
//! The names are those of public documentation: of Rewardful the affiliate and the referral object
//! (<https://developers.rewardful.com>), of FirstPromoter promoters and leads (<https://docs.firstpromoter.com>), of
//! GrowSurf the participant (<https://docs.growsurf.com>), of Dub partners and customers (<https://dub.co/docs>).
//! Files are exports, or the answers of their APIs.

use super::folded;
use super::source::{Record, plain};

/// Where a file comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(super) enum Format {
    /// Columns of our own names: email, name, external_id, stripe_customer_id, code, id, referred_by, status
    Csv,
    /// Affiliates, or referrals
    Rewardful,
    /// Promoters, or leads and customers
    #[value(name = "firstpromoter")]
    FirstPromoter,
    /// Participants
    #[value(name = "growsurf")]
    GrowSurf,
    /// Partners, or customers
    Dub,
}

/// Somebody of whom a record tells.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Someone {
    pub(super) email: String,
    pub(super) name: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) stripe_customer_id: Option<String>,
    /// The code that they share.
    pub(super) code: Option<String>,
    /// What others of the file call them by.
    pub(super) called: Option<String>,
}

/// Who brought somebody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum By {
    /// Whose address, code or id this is.
    Key(String),
    /// The record tells of them too.
    Told(Someone),
}

/// What a record says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) person: Someone,
    pub(super) by: Option<By>,
    /// Whether the referral was rewarded where the file comes from.
    pub(super) is_rewarded: bool,
}

/// Columns that tell of a person; of each the first that is filled counts.
struct Columns {
    email: &'static [&'static str],
    name: &'static [&'static str],
    first: &'static [&'static str],
    last: &'static [&'static str],
    external_id: &'static [&'static str],
    stripe: &'static [&'static str],
    code: &'static [&'static str],
    called: &'static [&'static str],
}

/// How a record of a format is read.
struct Shape {
    /// A record where one of these is filled tells of a referral; any other of somebody who may share a code.
    /// None of them: each record is of that one kind.
    of_referral: &'static [&'static str],
    /// Whom a record of a referral is about.
    referee: Columns,
    /// Who brought them, where the record tells of them; else whom a record of another kind is about.
    referrer: Columns,
    /// By whom, where the record only names them.
    by: &'static [&'static str],
    status: &'static [&'static str],
    /// What the status of a rewarded referral is.
    rewarded: &'static [&'static str],
    /// Columns that are only filled, with anything but zero, when it was rewarded.
    paid: &'static [&'static str],
}

const NO_COLUMNS: Columns = Columns {
    email: &[],
    name: &[],
    first: &[],
    last: &[],
    external_id: &[],
    stripe: &[],
    code: &[],
    called: &[],
};

const CSV: Shape = Shape {
    of_referral: &["email"],
    referee: Columns {
        email: &["email"],
        name: &["name"],
        external_id: &["externalid"],
        stripe: &["stripecustomerid"],
        code: &["code"],
        called: &["id"],
        ..NO_COLUMNS
    },
    referrer: NO_COLUMNS,
    by: &["referredby"],
    status: &["status"],
    rewarded: &["rewarded", "converted"],
    paid: &[],
};

/// The id in Stripe that a record of an affiliate has may be of the customer whom they brought, so it is not read.
const REWARDFUL: Shape = Shape {
    of_referral: &[
        "customeremail",
        "customerid",
        "customername",
        "conversionstate",
    ],
    referee: Columns {
        email: &["customeremail"],
        name: &["customername"],
        stripe: &["customerid", "stripecustomerid"],
        ..NO_COLUMNS
    },
    referrer: Columns {
        email: &["affiliateemail", "email"],
        first: &["affiliatefirstname", "firstname"],
        last: &["affiliatelastname", "lastname"],
        code: &["linktoken", "affiliatelinktoken", "links0token", "token"],
        ..NO_COLUMNS
    },
    by: &["linktoken", "affiliatetoken", "token"],
    status: &["conversionstate", "state"],
    rewarded: &["conversion"],
    paid: &[],
};

const FIRST_PROMOTER: Shape = Shape {
    of_referral: &[
        "promoteremail",
        "promotionrefid",
        "promotercustid",
        "customersince",
    ],
    referee: Columns {
        email: &["email"],
        name: &["username", "name"],
        external_id: &["uid"],
        ..NO_COLUMNS
    },
    referrer: Columns {
        email: &["promoteremail", "email"],
        name: &["promotername", "name"],
        first: &["profilefirstname", "firstname"],
        last: &["profilelastname", "lastname"],
        external_id: &["promotercustid", "custid"],
        code: &[
            "promotionrefid",
            "promoterdefaultrefid",
            "promotions0refid",
            "defaultrefid",
            "refid",
        ],
        ..NO_COLUMNS
    },
    by: &["promotionrefid", "refid"],
    status: &["status"],
    rewarded: &["active", "customer", "cancelled", "canceled", "refunded"],
    paid: &["customersince"],
};

/// A participant's id is what their link brings.
const GROW_SURF: Shape = Shape {
    of_referral: &["email"],
    referee: Columns {
        email: &["email"],
        name: &["name"],
        first: &["firstname"],
        last: &["lastname"],
        code: &["id", "uniqueid", "growsurfid"],
        called: &["id", "uniqueid", "growsurfid"],
        ..NO_COLUMNS
    },
    referrer: NO_COLUMNS,
    by: &["referreremail", "referrerid", "referrer", "referredby"],
    status: &["referralstatus"],
    rewarded: &["creditawarded"],
    paid: &[],
};

const DUB: Shape = Shape {
    of_referral: &[
        "partneremail",
        "partnerid",
        "externalid",
        "stripecustomerid",
    ],
    referee: Columns {
        email: &["email"],
        name: &["name"],
        external_id: &["externalid"],
        stripe: &["stripecustomerid"],
        ..NO_COLUMNS
    },
    referrer: Columns {
        email: &["partneremail", "email"],
        name: &["partnername", "name"],
        code: &["linkkey", "links0key", "key"],
        called: &["partnerid", "id"],
        ..NO_COLUMNS
    },
    by: &["linkkey", "partnerid"],
    status: &["status"],
    rewarded: &[],
    paid: &["sales", "saleamount", "firstsaleat"],
};

impl Format {
    fn shape(self) -> &'static Shape {
        match self {
            Format::Csv => &CSV,
            Format::Rewardful => &REWARDFUL,
            Format::FirstPromoter => &FIRST_PROMOTER,
            Format::GrowSurf => &GROW_SURF,
            Format::Dub => &DUB,
        }
    }

    /// Whether records under these names can tell of somebody.
    pub(super) fn fits(self, head: &[String]) -> Result<(), String> {
        let shape = self.shape();
        let mut wanted = [shape.referee.email, shape.referrer.email]
            .concat()
            .into_iter();
        if wanted.any(|column| head.iter().any(|name| name == column)) {
            return Ok(());
        }
        let named: Vec<_> = head.iter().filter(|name| !name.is_empty()).collect();
        let named = named.iter().map(|name| format!("`{name:.40}`"));
        let named = named.take(8).collect::<Vec<_>>().join(", ");
        Err(format!(
            "none of its columns is an e-mail address; the first line names {named}"
        ))
    }

    /// What a record says, or why it says nothing that can be used.
    pub(super) fn row(self, record: &Record) -> Result<Row, String> {
        let shape = self.shape();
        let line = record.line;
        if record.first(shape.of_referral).is_none() {
            let person = person(record, &shape.referrer).ok_or("it has no e-mail address")?;
            return Ok(Row {
                line,
                person,
                by: None,
                is_rewarded: false,
            });
        }
        let missing = "it has no e-mail address of whoever was brought";
        let referee = person(record, &shape.referee).ok_or(missing)?;
        let told = person(record, &shape.referrer);
        let told = told.filter(|told| folded(&told.email) != folded(&referee.email));
        let key = record.first(shape.by).map(|key| By::Key(key.to_owned()));
        let is_paid = shape
            .paid
            .iter()
            .any(|column| is_something(record.first(&[column])));
        let status = record.first(shape.status).map(plain).unwrap_or_default();
        Ok(Row {
            line,
            person: referee,
            by: told.map(By::Told).or(key),
            is_rewarded: is_paid || shape.rewarded.contains(&status.as_str()),
        })
    }
}

fn is_something(cell: Option<&str>) -> bool {
    cell.is_some_and(|cell| !matches!(cell, "0" | "0.0" | "0.00" | "false"))
}

fn person(record: &Record, columns: &Columns) -> Option<Someone> {
    let owned = |columns: &[&str]| record.first(columns).map(str::to_owned);
    let parts = [record.first(columns.first), record.first(columns.last)];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    let name = owned(columns.name).or_else(|| (!parts.is_empty()).then(|| parts.join(" ")));
    Some(Someone {
        email: owned(columns.email)?,
        name,
        external_id: owned(columns.external_id),
        stripe_customer_id: owned(columns.stripe),
        code: owned(columns.code),
        called: owned(columns.called),
    })
}
