//! Values that this version knows. It shows a row with another word as it is, and never acts on it.

use billstack_core::access::Scopes;
use billstack_core::email;
use billstack_core::event::Facts;
use billstack_core::stripe_event::{Start, id_of};
use serde_json::value::RawValue;

use super::{Reads, Rule};
use crate::seam::{Fault, Row};
use crate::tables::projects::project_of;
use crate::tables::teams::team_of;
use crate::tables::{attention_dismissals, portal_settings};

declare_rules! {
    project_values, "a project has a known mode, and its clock is ahead in test mode only" =
        concat!("SELECT id, ", team_of!("projects"), " FROM projects \
        WHERE mode NOT IN ({project_modes}) OR clock_offset < 0 \
        OR (mode <> 'test' AND clock_offset <> 0) LIMIT 100");

    terms_values, "terms have a known currency, known settings, and amounts within their bounds" =
        concat!("SELECT id, ", team_of!("terms"), " FROM terms \
        WHERE currency NOT IN ({currencies}) OR referrer_credit_amount NOT BETWEEN 0 AND {most} \
        OR referee_credit_amount NOT BETWEEN 0 AND {most} OR minimum_paid_amount NOT BETWEEN 0 AND {most} \
        OR conversion_trigger NOT IN ({triggers}) OR credit_delivery NOT IN ({deliveries}) \
        OR clawback NOT IN ({clawbacks}) OR clawback_applied NOT IN ({clawbacks_applied}) \
        OR clawback_window_days NOT BETWEEN 1 AND 730 OR referral_expiry_days < 1 \
        OR (clawback = 'within_hold' AND hold_days = 0) LIMIT 100");

    program_limits, "the limits of a program are not below zero" =
        concat!("SELECT id, ", team_of!("programs"), " FROM programs WHERE max_conversions_total < 0 \
        OR max_conversions_per_month < 0 OR budget < 0 LIMIT 100");

    signed_events, "an event that was signed was sent, and signed with a secret that its team has had" =
        concat!("SELECT e.id, ", team_of!("e"), " FROM stripe_events e \
        LEFT JOIN stripe_connections c ON c.team_id = e.team_id \
        WHERE e.signed_with IS NOT NULL AND (e.source <> 'event' OR e.signed_with < 1 \
        OR c.secret_version IS NULL OR e.signed_with > c.secret_version) LIMIT 100");

    click_values, "clicks are counted by a known channel, and are more than none" =
        concat!("SELECT code, ", place_of!("click_days"), " FROM click_days \
        WHERE clicks <= 0 OR channel NOT IN ({channels}) LIMIT 100");

    referral_source, "a referral came about by a code or a click, and of a click time and channel are known" =
        concat!("SELECT id, ", place_of!("referrals"), " FROM referrals \
        WHERE source NOT IN ({sources}) OR (channel IS NULL) <> (clicked_at IS NULL) \
        OR (source = 'click' AND clicked_at IS NULL) LIMIT 100");

    referral_values, "a referral has a known status" =
        concat!("SELECT id, ", place_of!("referrals"), " FROM referrals \
        WHERE status NOT IN ({statuses}) LIMIT 100");

    credit_values, "a credit has a known kind, side, status and currency, and an amount within its bounds" =
        concat!("SELECT id, ", place_of!("credits"), " FROM credits \
        WHERE kind NOT IN ({credit_kinds}) OR seq < 1 OR side NOT IN ({sides}) OR status NOT IN ({credit_statuses}) \
        OR currency NOT IN ({currencies}) OR amount NOT BETWEEN 1 AND {most} \
        OR delivery NOT IN ('none', 'waiting', 'queued', 'in_flight', 'unknown', 'delivered', 'needs_attention') \
        LIMIT 100");

    line_values, "a line of an entry is of a known account" =
        concat!("SELECT credit_id, ", place_of!("entry_lines"), " FROM entry_lines \
        WHERE account NOT IN ({accounts}) LIMIT 100");

    entry_values, "an entry has a known cause" =
        concat!("SELECT credit_id, ", place_of!("entries"), " FROM entries \
        WHERE cause NOT IN ({causes}) OR cause_id = '' LIMIT 100");

    stripe_event_values, "a Stripe event has a known outcome and source" =
        concat!("SELECT id, ", team_of!("stripe_events"), " FROM stripe_events \
        WHERE outcome NOT IN ({outcomes}) OR source NOT IN ('event', 'asked', 'caught_up') LIMIT 100");

    stripe_event_start, "a Stripe event that was decided keeps what it tells of a subscription" =
        concat!("SELECT id, ", team_of!("stripe_events"), " FROM stripe_events \
        WHERE outcome IN ('converted', 'no_referral', 'no_customer', 'ambiguous') AND start IS NULL \
        LIMIT 100");

    member_values, "a member has a known role" =
        concat!("SELECT user_id, ", team_of!("members"), " FROM members \
        WHERE role NOT IN ({roles}) LIMIT 100");

    invitation_values, "an invitation has a known role, and ends after it was made" =
        concat!("SELECT id, ", team_of!("invitations"), " FROM invitations \
        WHERE role NOT IN ({roles}) OR expires_at <= created_at LIMIT 100");

    old_secret_until, "only a replaced webhook secret has a time until which it is valid, and only an active \
        connection has secrets" =
        concat!("SELECT ", team_of!("c"), ", ", team_of!("c"), " FROM stripe_connections c \
        WHERE (c.old_webhook_secret IS NULL) <> (c.old_valid_until IS NULL) \
        OR (c.is_active AND c.webhook_secret IS NULL AND c.secret_key IS NULL) OR (NOT c.is_active AND (\
        c.secret_key IS NOT NULL OR c.webhook_secret IS NOT NULL \
        OR c.old_webhook_secret IS NOT NULL)) LIMIT 100");

    code_values, "a code is in the form in which codes are compared" =
        concat!("SELECT code, ", place_of!("codes"), " FROM codes WHERE LENGTH(code) <> 8 \
        OR LTRIM(code, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789') <> '' LIMIT 100");

    alias_values, "a name of a code is in the form in which names are compared, or a hash of it" =
        concat!("SELECT alias, ", place_of!("code_aliases"), " FROM code_aliases \
        WHERE alias <> COALESCE(REPLACE(REPLACE(shown, '-', ''), '_', ''), alias) \
        OR (shown IS NULL) <> (SUBSTR(alias, 1, 1) = '#') OR LENGTH(alias) = 8 LIMIT 100");

    link_settings_values, "settings of links lead somewhere, and name two parameters" =
        concat!("SELECT ", place_of!("link_settings"), ", ", place_of!("link_settings"), " FROM link_settings \
        WHERE window_days NOT BETWEEN 1 AND 365 OR (enabled AND landing_url IS NULL) \
        OR code_parameter = '' OR click_parameter = '' OR code_parameter = click_parameter \
        OR (card_title IS NULL AND (card_text IS NOT NULL OR card_image_url IS NOT NULL)) LIMIT 100");

    ticket_values, "a ticket is kept as a hash, and ends after it was made and before the session that it is good for" =
        concat!("SELECT ticket_hash, ", place_of!("portal_tickets"), " FROM portal_tickets \
        WHERE LENGTH(ticket_hash) <> 64 OR expires_at <= created_at OR session_ends_at < expires_at \
        OR epoch < 0 LIMIT 100");

    slug_values, "a short name of links has six letters and digits" =
        concat!("SELECT slug, ", place_of!("link_slugs"), " FROM link_slugs \
        WHERE slug <> '' AND (LENGTH(slug) <> 6 OR LTRIM(slug, '23456789bcdfghjkmnpqrstvwxyz') <> '') LIMIT 100");

    link_key_values, "the key of share links has 256 bits" =
        concat!("SELECT link_key, ", place_of!("link_keys"), " FROM link_keys \
        WHERE LENGTH(link_key) <> 64 OR LTRIM(link_key, '0123456789abcdef') <> '' LIMIT 100");

    upkeep_values, "a check or a backup that is noted ended after it began" =
        "SELECT kind, kind FROM upkeep WHERE kind NOT IN ({upkeep_kinds}) \
        OR ended_at < began_at OR result < 0 OR version = '' LIMIT 100";

    customer_times, "a customer was neither changed nor erased before it was created" =
        concat!("SELECT id, ", place_of!("customers"), " FROM customers \
        WHERE erased_at < created_at OR updated_at < erased_at LIMIT 100");
}

/// Rules that must look at the rows themselves.
pub(super) const READ_ROWS: &[Rule] = &[
    Rule {
        name: "readable_start",
        holds: "what a Stripe event tells of the start of a subscription can be read",
        sql: concat!(
            "SELECT id, ",
            team_of!("stripe_events"),
            ", team_id, id, start FROM stripe_events WHERE start IS NOT NULL \
             AND (team_id, id) > ($1, $2) ORDER BY team_id, id LIMIT $3"
        ),
        reads: Reads::InPages,
        breaks: is_no_start,
    },
    Rule {
        name: "readable_payload",
        holds: "the body kept with a Stripe event is that of the event or its object",
        // A body may be a thousand times as large as other rows, so a page has few.
        sql: concat!(
            "SELECT id, ",
            team_of!("stripe_events"),
            ", team_id, id, payload FROM stripe_events WHERE payload IS NOT NULL \
             AND (team_id, id) > ($1, $2) ORDER BY team_id, id LIMIT CAST($3 AS BIGINT) / 50"
        ),
        reads: Reads::InPages,
        breaks: is_no_body_of,
    },
    Rule {
        name: "customer_values",
        holds: "the address of a customer is in the form in which addresses are compared, and its metadata \
                can be read",
        sql: concat!(
            "SELECT id, ",
            place_of!("customers"),
            ", team_id, id, email, metadata FROM customers \
             WHERE (team_id, id) > ($1, $2) ORDER BY team_id, id LIMIT $3"
        ),
        reads: Reads::InPages,
        breaks: is_no_customer,
    },
    Rule {
        name: "user_values",
        holds: "the address of a user is in the form in which addresses are compared, and the password is a \
                hash",
        sql: "SELECT id, id, CAST(0 AS BIGINT), id, email, password_hash FROM users \
              WHERE CAST($1 AS BIGINT) <= 0 AND id > $2 ORDER BY id LIMIT $3",
        reads: Reads::InPages,
        breaks: is_no_user,
    },
    Rule {
        name: "invitation_address",
        holds: "the address of an invitation is in the form in which addresses are compared",
        sql: concat!(
            "SELECT id, ",
            team_of!("invitations"),
            ", team_id, id, email FROM invitations \
             WHERE (team_id, id) > ($1, $2) ORDER BY team_id, id LIMIT $3"
        ),
        reads: Reads::InPages,
        breaks: |row| Ok(!is_address(row.text(4)?)),
    },
    Rule {
        name: "api_key_values",
        holds: "an API key has known scopes, and was last used on a day",
        sql: concat!(
            "SELECT id, ",
            team_of!("api_keys"),
            ", team_id, id, scopes, last_used_on FROM api_keys \
             WHERE (team_id, id) > ($1, $2) ORDER BY team_id, id LIMIT $3"
        ),
        reads: Reads::InPages,
        breaks: is_no_key,
    },
    Rule {
        name: "api_key_as_made",
        holds: "an API key has the scopes and the project with which it was made",
        sql: concat!(
            "SELECT k.id, ",
            team_of!("k"),
            ", k.scopes, ",
            project_of!("k"),
            ", e.facts FROM events e JOIN api_keys k ON k.team_id = e.team_id AND k.id = e.subject \
             WHERE e.type = 'api_key.created'"
        ),
        reads: Reads::Once,
        breaks: is_not_as_made,
    },
    Rule {
        name: "portal_settings_values",
        holds: "the pages of customers are set up in a way in which they may be",
        sql: concat!(
            "SELECT ",
            place_of!("portal_settings"),
            ", ",
            place_of!("portal_settings"),
            ", allowed_origins, names, accent, radius, font, texts, allow_vanity, offer_name, epoch \
             FROM portal_settings"
        ),
        reads: Reads::Once,
        breaks: |row| portal_settings::is_broken(row, 2),
    },
    Rule {
        name: "dismissal_values",
        holds: "a line that was dismissed is one that there can be",
        sql: concat!(
            "SELECT line_id, ",
            place_of!("attention_dismissals"),
            ", line_id FROM attention_dismissals"
        ),
        reads: Reads::Once,
        breaks: |row| attention_dismissals::is_broken(row, 2),
    },
    Rule {
        name: "sealed_secrets",
        holds: "the secrets of a connection to Stripe are sealed",
        sql: concat!(
            "SELECT ",
            team_of!("c"),
            ", ",
            team_of!("c"),
            ", c.team_id, CAST(c.team_id AS TEXT), c.secret_key, c.webhook_secret, \
             c.old_webhook_secret FROM stripe_connections c WHERE c.team_id > $1 \
             AND CAST($2 AS TEXT) IS NOT NULL ORDER BY c.team_id LIMIT $3"
        ),
        reads: Reads::InPages,
        breaks: has_open_secret,
    },
];

fn is_no_start(row: &dyn Row) -> Result<bool, Fault> {
    Ok(serde_json::from_str::<Start>(row.text(4)?).is_err())
}

/// A thing that Stripe told of when it was asked is kept under the id of its object.
fn is_no_body_of(row: &dyn Row) -> Result<bool, Fault> {
    let event_id = row.text(3)?;
    let id = event_id.strip_prefix("asked_").unwrap_or(event_id);
    Ok(id_of(row.text(4)?.as_bytes()).as_deref() != Some(id))
}

fn is_no_customer(row: &dyn Row) -> Result<bool, Fault> {
    let is_object = serde_json::from_str::<&RawValue>(row.text(5)?)
        .is_ok_and(|metadata| metadata.get().starts_with('{'));
    Ok(!is_object || !row.opt_text(4)?.is_none_or(is_address))
}

fn is_no_user(row: &dyn Row) -> Result<bool, Fault> {
    Ok(!(is_address(row.text(4)?) && is_password_hash(row.text(5)?)))
}

fn is_address(text: &str) -> bool {
    email::normalize(text).as_deref() == Some(text)
}

/// Whether a text has the form in which hashes of passwords are written (PHC): `$argon2id$`, costs, salt and
/// hash. What is in it only the password tells.
fn is_password_hash(text: &str) -> bool {
    let parts: Vec<&str> = text.split('$').collect();
    matches!(parts.as_slice(), ["", "argon2id", _, _, salt, hash] if !salt.is_empty() && !hash.is_empty())
}

fn is_no_key(row: &dyn Row) -> Result<bool, Fault> {
    let scopes = Scopes::from_text(row.text(4)?);
    let is_unknown = |scopes: Scopes| scopes.list().iter().any(|scope| scope.known().is_none());
    let was_used = row.opt_time(5)?;
    Ok(scopes.is_none_or(is_unknown) || was_used.is_some_and(|on| on != on.day()))
}

/// One whose scopes are unknown breaks another rule.
fn is_not_as_made(row: &dyn Row) -> Result<bool, Fault> {
    let Some(scopes) = Scopes::from_text(row.text(2)?) else {
        return Ok(false);
    };
    let facts = Facts::read(row.text(4)?);
    let scopes = serde_json::to_value(&scopes).unwrap_or_default();
    Ok(!(facts.tell("scopes", scopes) && facts.tell("projectId", row.opt_text(3)?)))
}

fn has_open_secret(row: &dyn Row) -> Result<bool, Fault> {
    for column in 4..=6 {
        if !row.opt_text(column)?.is_none_or(is_sealed) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a text has the form of a sealed one: its version, and in hex digits a nonce of 12 bytes, the secret
/// and a tag of 16. What is in it only the key tells.
fn is_sealed(text: &str) -> bool {
    let digits = text.strip_prefix("v1.").unwrap_or_default();
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex && digits.len() > 2 * (12 + 16) && digits.len().is_multiple_of(2)
}
