//! What the columns of each service are called.

use super::{Columns, Shape};

/// No column of any kind.
pub(super) const NO_COLUMNS: Columns = Columns {
    email: &[],
    name: &[],
    first: &[],
    last: &[],
    external_id: &[],
    stripe: &[],
    code: &[],
    codes: &[],
    called: &[],
};

const NO_SHAPE: Shape = Shape {
    of_referral: &[],
    referee: NO_COLUMNS,
    referrer: NO_COLUMNS,
    by: &[],
    partner: &[],
    status: &[],
    waiting: &[],
    rewarded: &[],
    closed: &[],
    strangers: &[],
    paid: &[],
};

pub(super) const CSV: Shape = Shape {
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
    by: &["referredby"],
    status: &["status"],
    waiting: &[
        "pending", "waiting", "open", "applied", "lead", "signup", "trialing",
    ],
    rewarded: &["rewarded", "converted", "paid", "active", "customer"],
    closed: &[
        "closed",
        "denied",
        "rejected",
        "expired",
        "canceled",
        "cancelled",
        "refunded",
    ],
    ..NO_SHAPE
};

/// The id in Stripe that a record of an affiliate has may be of the customer whom they brought, so it is not read.
pub(super) const REWARDFUL: Shape = Shape {
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
        code: &["linktoken", "affiliatelinktoken", "token"],
        codes: &[("links", "token")],
        ..NO_COLUMNS
    },
    by: &["linktoken", "affiliatetoken", "token"],
    status: &["conversionstate", "state"],
    waiting: &["visitor", "lead"],
    rewarded: &["conversion"],
    strangers: &["visitor"],
    ..NO_SHAPE
};

pub(super) const FIRST_PROMOTER: Shape = Shape {
    of_referral: &[
        "promoteremail",
        "promotionrefid",
        "promotercustid",
        "customersince",
        "promotercampaignid",
        "promotercampaignpromoteremail",
    ],
    referee: Columns {
        email: &["email"],
        name: &["username", "name"],
        external_id: &["uid"],
        ..NO_COLUMNS
    },
    referrer: Columns {
        email: &["promoteremail", "promotercampaignpromoteremail", "email"],
        name: &["promotername", "promotercampaignpromotername", "name"],
        first: &["profilefirstname", "firstname"],
        last: &["profilelastname", "lastname"],
        external_id: &["promotercustid", "custid"],
        code: &[
            "promotionrefid",
            "promoterdefaultrefid",
            "defaultrefid",
            "promotercampaignreftoken",
            "refid",
            "reftoken",
        ],
        codes: &[("promotions", "refid"), ("promotercampaigns", "reftoken")],
        ..NO_COLUMNS
    },
    by: &["promotionrefid", "refid", "promotercampaignreftoken"],
    status: &["status", "state"],
    waiting: &["signup", "subscribed", "pending", "lead"],
    rewarded: &["active", "customer", "cancelled", "canceled", "refunded"],
    closed: &["denied", "moved"],
    paid: &["customersince"],
    ..NO_SHAPE
};

/// A participant's id is what their link brings.
pub(super) const GROW_SURF: Shape = Shape {
    of_referral: &["email"],
    referee: Columns {
        email: &["email"],
        name: &["name"],
        first: &["firstname"],
        last: &["lastname"],
        code: &["id", "participantid", "uniqueid", "growsurfid"],
        called: &["id", "participantid", "uniqueid", "growsurfid"],
        ..NO_COLUMNS
    },
    by: &[
        "referreremail",
        "referredbyemail",
        "referrerid",
        "referredbyid",
        "referrer",
        "referredby",
    ],
    status: &["referralstatus"],
    waiting: &["creditpending"],
    rewarded: &["creditawarded"],
    closed: &["creditexpired"],
    ..NO_SHAPE
};

/// A file of customers has the short link of whoever brought them, an answer of the API its key. What brought a customer
/// may also be a campaign, which no partner stands behind.
pub(super) const DUB: Shape = Shape {
    of_referral: &[
        "partneremail",
        "partnerid",
        "externalid",
        "stripecustomerid",
        "linkkey",
        "linkshortlink",
        "link",
    ],
    referee: Columns {
        email: &["email"],
        name: &["name"],
        external_id: &["externalid"],
        stripe: &["stripecustomerid"],
        called: &["id"],
        ..NO_COLUMNS
    },
    referrer: Columns {
        email: &["partneremail", "email"],
        name: &["partnername", "name"],
        code: &["linkkey", "linkshortlink", "link", "key"],
        codes: &[("links", "key")],
        called: &["partnerid", "id"],
        ..NO_COLUMNS
    },
    by: &["linkkey", "linkshortlink", "link", "partnerid"],
    partner: &["partneremail", "partnerid"],
    paid: &["sales", "saleamount", "firstsaleat"],
    ..NO_SHAPE
};
