//! Every row of every table as text, to compare one database with another.
//!
//! Columns are listed here a second time on purpose: a test compares this list with the catalogs of
//! both engines, so a column that only one of them has cannot go unnoticed.

use serde_json::Value;

use crate::seam::{Fault, Row, Tx};

/// What a column holds, as the seam reads it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A 64-bit integer.
    Int,
    /// Text.
    Text,
    /// A flag.
    Bool,
}

/// A table and its columns.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns that it is sorted by, separated by commas; together they tell its rows apart.
    pub key: &'static str,
    /// Its columns, in order.
    pub columns: &'static [(&'static str, Kind)],
}

macro_rules! tables {
    ($($name:ident by $key:literal { $($column:ident: $kind:ident),* $(,)? })*) => {
        /// Every table but `locks`, which means nothing between transactions. Of the list of
        /// migrations the time is left out: it tells when this database was made, not what is in it.
        pub const TABLES: &[Table] = &[$(Table {
            name: stringify!($name),
            key: $key,
            columns: &[$((stringify!($column), Kind::$kind)),*],
        }),*];
    };
}

tables! {
    schema_migrations by "version" { version: Int, name: Text, fingerprint: Int }
    users by "id" { id: Text, email: Text, name: Text, password_hash: Text, created_at: Int, single_keys: Bool }
    sessions by "token_hash" {
        token_hash: Text, user_id: Text, created_at: Int, seen_at: Int, expires_at: Int,
    }
    setup_tokens by "token_hash" { token_hash: Text, created_at: Int }
    teams by "team_id" { team_id: Int, id: Text, name: Text, created_at: Int }
    members by "team_id, user_id" { team_id: Int, user_id: Text, role: Text, created_at: Int }
    invitations by "team_id, id" {
        team_id: Int, id: Text, email: Text, role: Text, token_hash: Text, created_at: Int,
        expires_at: Int,
    }
    projects by "team_id, project_id" {
        team_id: Int, project_id: Int, id: Text, name: Text, mode: Text, clock_offset: Int,
        created_at: Int,
    }
    api_keys by "key_hash" {
        key_hash: Text, team_id: Int, id: Text, name: Text, prefix: Text, project_id: Int,
        scopes: Text, expires_at: Int, revoked_at: Int, created_at: Int, last_used_on: Int,
    }
    stripe_connections by "team_id" {
        team_id: Int, is_active: Bool, secret_key: Text, publishable_key: Text,
        webhook_secret: Text, secret_version: Int, old_webhook_secret: Text, old_valid_until: Int,
        livemode: Bool, account_id: Text, account_name: Text, connected_at: Int, endpoint_id: Text, probe: Text,
        delivery_pause: Text, delivery_lacks: Text, delivery_paused_until: Int,
    }
    programs by "team_id, id" {
        team_id: Int, id: Text, project_id: Int, is_default: Bool, enabled: Bool, terms_id: Text,
        max_conversions_total: Int, max_conversions_per_month: Int, budget: Int,
        created_at: Int, updated_at: Int,
    }
    terms by "team_id, id" {
        team_id: Int, id: Text, program_id: Text, referrer_credit_amount: Int,
        referee_credit_amount: Int, currency: Text, grace: Int, hold_days: Int,
        conversion_trigger: Text, exclude_trials: Bool, minimum_paid_amount: Int, credit_delivery: Text,
        clawback: Text, clawback_window_days: Int, clawback_applied: Text, referral_expiry_days: Int,
        credit_description: Text, created_at: Int,
    }
    customers by "team_id, project_id, id" {
        team_id: Int, project_id: Int, id: Text, email: Text, name: Text, external_id: Text,
        stripe_customer_id: Text, metadata: Text, created_at: Int, updated_at: Int, erased_at: Int,
    }
    codes by "team_id, project_id, code" {
        team_id: Int, project_id: Int, code: Text, program_id: Text, customer_id: Text,
        is_active: Bool, created_at: Int, deactivated_at: Int, names: Text, renamed_on: Int, renames: Int,
    }
    code_aliases by "team_id, project_id, alias" {
        team_id: Int, project_id: Int, alias: Text, shown: Text, code: Text, customer_id: Text, created_at: Int,
    }
    link_keys by "team_id, project_id" {
        team_id: Int, project_id: Int, link_key: Text, created_at: Int,
    }
    link_settings by "team_id, project_id" {
        team_id: Int, project_id: Int, enabled: Bool, landing_url: Text, redirect_hosts: Text, window_days: Int,
        code_parameter: Text, click_parameter: Text, card_title: Text, card_text: Text, card_image_url: Text,
        updated_at: Int,
    }
    portal_settings by "team_id, project_id" {
        team_id: Int, project_id: Int, epoch: Int, allowed_origins: Text, names: Text, accent: Text, radius: Int,
        font: Text, texts: Text, allow_vanity: Bool, offer_name: Bool, updated_at: Int,
    }
    attention_dismissals by "team_id, project_id, line_id" {
        team_id: Int, project_id: Int, line_id: Text, dismissed_at: Int,
    }
    portal_tickets by "team_id, ticket_hash" {
        team_id: Int, ticket_hash: Text, project_id: Int, customer_id: Text, epoch: Int, read_only: Bool, locale: Text,
        created_at: Int, expires_at: Int, session_ends_at: Int,
    }
    link_slugs by "slug" { slug: Text, team_id: Int, project_id: Int, created_at: Int }
    click_days by "team_id, project_id, code, day, channel" {
        team_id: Int, project_id: Int, code: Text, day: Int, channel: Text, clicks: Int,
    }
    referrals by "team_id, project_id, code, created_at, id" {
        team_id: Int, project_id: Int, code: Text, created_at: Int, clock_offset: Int, id: Text,
        program_id: Text, terms_id: Text, referrer_customer_id: Text, referee_customer_id: Text, status: Text,
        converted_at: Int, story_length: Int, story_at: Int, stripe_customer_id: Text,
        stripe_event_id: Text, stripe_subscription_id: Text, question_since: Int, source: Text, channel: Text,
        clicked_at: Int,
    }
    credits by "team_id, project_id, id" {
        team_id: Int, project_id: Int, id: Text, kind: Text, seq: Int, referral_id: Text,
        side: Text, customer_id: Text, amount: Int, currency: Text, status: Text, held_until: Int,
        held: Int, available: Int, delivered: Int, applied: Int, settled: Int, reversed: Int,
        shortfall: Int, reversed_by_hand: Int, entries: Int, created_at: Int, by_stripe: Bool,
        delivery: Text, delivery_reason: Text,
    }
    entries by "team_id, project_id, credit_id, seq" {
        team_id: Int, project_id: Int, credit_id: Text, seq: Int, cause: Text, cause_id: Text,
        reason: Text, reference: Text, stripe_object: Text, operation_id: Text, effective_at: Int, created_at: Int,
    }
    entry_lines by "team_id, project_id, credit_id, seq, account" {
        team_id: Int, project_id: Int, credit_id: Text, seq: Int, account: Text, amount: Int,
    }
    stripe_balances by "team_id, stripe_customer_id" {
        team_id: Int, stripe_customer_id: Text, changes: Int, due: Int, failures: Int, is_unclear: Bool,
        is_deleted: Bool, has_cash: Bool,
    }
    stripe_balance_lines by "team_id, stripe_customer_id, number" {
        team_id: Int, stripe_customer_id: Text, number: Int, id: Text, currency: Text, amount: Int,
        ending_balance: Int, kind: Text, invoice_id: Text, credit_id: Text, created_at: Int,
    }
    stripe_operations by "team_id, id" {
        team_id: Int, id: Text, project_id: Int, credit_id: Text, kind: Text, stripe_customer_id: Text,
        amount: Int, currency: Text, body: Text, refusal: Text, transaction_id: Text,
        lost_transaction_id: Text, created_at: Int, cause: Text, cause_id: Text, cause_reason: Text,
        takes_back: Text, version: Int, looked_version: Int, slot: Int, state: Text,
        reason: Text, generation: Int, key_state: Text, attempts: Int, failures: Int, first_try: Int,
        last_try: Int, tried_from: Int, silent_since: Int, absent_at: Int,
        is_doubtful: Bool, is_retried: Bool, others_are_known: Bool, step: Text, due: Int,
    }
    stripe_events by "team_id, id" {
        team_id: Int, id: Text, type: Text, created_at: Int, received_at: Int, livemode: Bool,
        source: Text, outcome: Text, reason: Text, project_id: Int, customer_id: Text, referral_id: Text,
        start: Text, payload: Text, signed_with: Int,
    }
    money_facts by "team_id, fact_key" {
        team_id: Int, fact_key: Text, charge_id: Text, payment_intent_id: Text, invoice_id: Text,
        subscription_id: Text, stripe_customer_id: Text, fact: Text, event_id: Text, keep_until: Int,
    }
    payment_links by "team_id, from_id, kind, to_id" {
        team_id: Int, from_id: Text, kind: Text, to_id: Text, keep_until: Int,
    }
    subscription_starts by "team_id, match_key, object_id" {
        team_id: Int, match_key: Text, object_id: Text, event_id: Text, began_at: Int,
        counted_at: Int, existed: Bool, project_id: Int,
    }
    events by "team_id, created_at, id" {
        team_id: Int, created_at: Int, id: Text, project_id: Int, type: Text, subject: Text,
        referral_id: Text, sequence: Int, actor: Text, request_id: Text, facts: Text,
    }
    program_budgets by "team_id, program_id, currency" {
        team_id: Int, program_id: Text, currency: Text, amount_out: Int, low_told: Bool, used_up_told: Bool,
    }
    program_marks by "team_id" { team_id: Int, created_at: Int, event_id: Text }
    program_days by "team_id, project_id, day, figure, side, currency" {
        team_id: Int, project_id: Int, day: Int, figure: Text, side: Text, currency: Text,
        number: Int, amount: Int,
    }
    code_totals by "team_id, project_id, code" {
        team_id: Int, project_id: Int, code: Text, clicks: Int, applied: Int, converted: Int,
    }
    booked_marks by "team_id, project_id" { team_id: Int, project_id: Int, booked_before: Int }
    booked_days by "team_id, project_id, day, granted_day, currency, side" {
        team_id: Int, project_id: Int, day: Int, granted_day: Int, currency: Text, side: Text,
        held: Int, available: Int, delivered: Int, applied: Int, settled: Int, reversed: Int,
        shortfall: Int, granted: Int,
    }
    idempotency_keys by "team_id, caller, idempotency_key" {
        team_id: Int, caller: Text, idempotency_key: Text, request_hash: Text, status: Int,
        body: Text, customer_id: Text, created_at: Int,
    }
    reconcile_runs by "team_id, id" {
        team_id: Int, id: Text, project_id: Int, remedy: Text, is_whole: Bool, status: Text, reason: Text,
        events_wish: Int, events_since: Int, events_at: Int, events_until: Int, events_width: Int,
        caught_up_to: Int, stage: Text, slots: Int, after: Text, looked: Int, asked: Int, done: Int, total: Int, found: Int,
        repaired: Int, created_at: Int, ended_at: Int,
    }
    reconcile_lines by "team_id, run_id, number" {
        team_id: Int, run_id: Text, number: Int, kind: Text, subject: Text, detail: Text, is_repaired: Bool,
    }
    reconcile_notes by "team_id, kind, subject" {
        team_id: Int, kind: Text, subject: Text, appearance: Text, noted_at: Int,
    }
    webhook_endpoints by "team_id, project_id, id" {
        team_id: Int, project_id: Int, id: Text, url: Text, description: Text, types: Text, secret: Text,
        old_secret: Text, old_valid_until: Int, state: Text, enabled_at: Int, disabled_at: Int,
        disabled_reason: Text, first_failure_at: Int, failures: Int, last_success_at: Int, last_failure_at: Int,
        created_at: Int, deleted_at: Int, version: Int,
    }
    webhook_deliveries by "team_id, id" {
        team_id: Int, id: Text, project_id: Int, endpoint_id: Text, event_at: Int, event_id: Text, type: Text,
        is_replay: Bool, state: Text, attempts: Int, created_at: Int, ended_at: Int,
    }
    webhook_attempts by "team_id, delivery_id, number" {
        team_id: Int, delivery_id: Text, number: Int, at: Int, duration_ms: Int, status: Int, error: Text,
        answer: Text,
    }
    webhook_outbox by "team_id, project_id, event_at, event_id" {
        team_id: Int, project_id: Int, event_at: Int, event_id: Text, type: Text, endpoint_ids: Text,
        created_at: Int,
    }
    work by "team_id, project_id, kind, subject" {
        team_id: Int, project_id: Int, kind: Text, subject: Text, lane: Text, facts: Text, run_after: Int,
        leased_until: Int, attempt: Int, last_error: Text, created_at: Int,
    }
    upkeep by "kind" { kind: Text, began_at: Int, ended_at: Int, result: Int, version: Text }
}

/// A table's name, and its rows.
pub type Dumped = (String, Vec<String>);

/// Every row of every table as a JSON array, sorted by key. It holds the whole database in memory:
/// for tests and small copies.
pub fn dump(tx: &mut dyn Tx) -> Result<Vec<Dumped>, Fault> {
    TABLES
        .iter()
        .map(|table| {
            let rows = tx.all(&table.sql(), &[], |row| table.text(row))?;
            Ok((table.name.to_owned(), rows))
        })
        .collect()
}

impl Table {
    fn sql(&self) -> String {
        let columns: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        let (name, key) = (self.name, self.key);
        format!("SELECT {} FROM {name} ORDER BY {key}", columns.join(", "))
    }

    fn text(&self, row: &dyn Row) -> Result<String, Fault> {
        let values = self.columns.iter().enumerate().map(|(index, (_, kind))| {
            Ok(match kind {
                Kind::Int => Value::from(row.opt_int(index)?),
                Kind::Text => Value::from(row.opt_text(index)?),
                Kind::Bool => Value::from(row.opt_flag(index)?),
            })
        });
        Ok(Value::Array(values.collect::<Result<_, Fault>>()?).to_string())
    }
}

/// Every statement of this module, by name.
pub(crate) fn statements() -> impl Iterator<Item = (String, String)> {
    TABLES
        .iter()
        .map(|table| (table.name.to_owned(), table.sql()))
}
