//! Lists of referrals, credits and codes.

use super::{CURSOR, Effect, LIMIT, Place, Tool};
use crate::cli::mcp::args::{Kind, Param, may};
use crate::cli::mcp::call::{Call, Told, counted};
use crate::cli::mcp::trouble::Trouble;

/// As many items are told when nobody says how many.
const USUAL: &str = "20";

const CUSTOMER: Param = may(
    "customerId",
    Kind::Text(64),
    "Only of this customer (`pc_…`).",
);

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "list_referrals",
        title: "List referrals",
        description: "Referrals with their status and the terms that they were promised, the one applied last first. \
            `explain_referral` tells why one is where it is.",
        params: &[
            may(
                "status",
                Kind::OneOf(&["pending", "converted", "expired"]),
                "Only with this status.",
            ),
            may(
                "customerId",
                Kind::Text(64),
                "Only of this customer (`pc_…`), as referrer or as referee.",
            ),
            may(
                "referrerCustomerId",
                Kind::Text(64),
                "Only brought by this customer.",
            ),
            may(
                "refereeCustomerId",
                Kind::Text(64),
                "Only of this new customer.",
            ),
            may(
                "code",
                Kind::Text(64),
                "Only by this code, or the code of this name.",
            ),
            may(
                "source",
                Kind::OneOf(&["code", "click"]),
                "Only those that came about by this.",
            ),
            may(
                "from",
                Kind::Time,
                "Only applied at this time or later (RFC 3339).",
            ),
            may(
                "to",
                Kind::Time,
                "Only applied before this time (RFC 3339).",
            ),
            may(
                "sort",
                Kind::OneOf(&["applied", "converted"]),
                "The order; the one applied last first when left out.",
            ),
            LIMIT,
            CURSOR,
        ],
        scopes: &["referrals:read"],
        place: Place::Project,
        effect: Effect::Reads,
        run: |call| Box::pin(list(call, "/referrals", "referrals")),
    },
    Tool {
        name: "list_credits",
        title: "List credits",
        description: "Credits with their parts (held, available, delivered, applied, settled, reversed) and how far their \
            delivery into Stripe has come, the newest first. `delivery` = `needs_attention` lists those that need a person. \
            Amounts are in the smallest unit of their currency; `decimal` says them in whole units.",
        params: &[
            CUSTOMER,
            may(
                "referralId",
                Kind::Text(64),
                "Only of this referral (`ref_…`).",
            ),
            may(
                "side",
                Kind::OneOf(&["referrer", "referee"]),
                "Only of this side.",
            ),
            may(
                "kind",
                Kind::OneOf(&["referral", "manual"]),
                "Only of this kind.",
            ),
            may(
                "currency",
                Kind::Currency,
                "Only of this currency, an ISO 4217 code.",
            ),
            may(
                "status",
                Kind::OneOf(&[
                    "granted",
                    "held",
                    "applied",
                    "partially_reversed",
                    "reversed",
                ]),
                "Only with this status.",
            ),
            may(
                "delivery",
                Kind::OneOf(&[
                    "none",
                    "waiting",
                    "queued",
                    "in_flight",
                    "unknown",
                    "delivered",
                    "needs_attention",
                ]),
                "Only whose delivery has come so far.",
            ),
            may(
                "from",
                Kind::Time,
                "Only granted at this time or later (RFC 3339).",
            ),
            may(
                "to",
                Kind::Time,
                "Only granted before this time (RFC 3339).",
            ),
            LIMIT,
            CURSOR,
        ],
        scopes: &["referrals:read"],
        place: Place::Project,
        effect: Effect::Reads,
        run: |call| Box::pin(list(call, "/referrals/credits", "credits")),
    },
    Tool {
        name: "list_codes",
        title: "List referral codes",
        description: "Referral codes with their owners, names, clicks, applications and conversions.",
        params: &[
            CUSTOMER,
            may(
                "activeOnly",
                Kind::Flag,
                "Leave out codes that were switched off; true when left out.",
            ),
            may(
                "sort",
                Kind::OneOf(&["newest", "clicks", "applied", "converted"]),
                "The order; the newest first when left out.",
            ),
            may(
                "from",
                Kind::Time,
                "Only made at this time or later (RFC 3339).",
            ),
            may("to", Kind::Time, "Only made before this time (RFC 3339)."),
            LIMIT,
            CURSOR,
        ],
        scopes: &["referrals:read"],
        place: Place::Project,
        effect: Effect::Reads,
        run: |call| Box::pin(list(call, "/referrals/codes", "codes")),
    },
];

async fn list(call: &Call, rest: &str, what: &str) -> Result<Told, Trouble> {
    let path = format!("{}{rest}", call.place().await?);
    let names: Vec<&str> = call.sent.keys().map(String::as_str).collect();
    let mut query = with_limit(call.query(&names));
    query.retain(|(name, _)| *name != super::PROJECT);
    let value = call.get(&path, &query).await?;
    let number = value[what].as_array().map_or(0, Vec::len);
    let more = match value.get("nextCursor") {
        Some(_) => " There are more: `nextCursor`.",
        None => "",
    };
    Ok(Told::new(
        format!("{}.{more}", counted(number, what)),
        value,
    ))
}

/// A query with the usual number of items, unless another was asked for.
pub(super) fn with_limit(mut query: Vec<(&str, String)>) -> Vec<(&str, String)> {
    if !query.iter().any(|(name, _)| *name == "limit") {
        query.push(("limit", USUAL.to_owned()));
    }
    query
}
