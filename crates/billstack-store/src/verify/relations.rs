//! Rows that point at other rows: what they point at must exist.
//!
//! Foreign keys cover part of this; a distributed database may have been set up without them, and
//! a restore may have loaded tables one by one.

use crate::tables::teams::team_of;

/// Rows of a table for which there is no row of another.
macro_rules! orphans {
    ($child:literal, $subject:expr, $place:expr, $parent:literal, $on:literal) => {
        orphans!($child, $subject, $place, $parent, $on, "TRUE")
    };
    ($child:literal, $subject:expr, $place:expr, $parent:literal, $on:literal, $when:literal) => {
        concat!(
            "SELECT ",
            $subject,
            ", ",
            $place,
            " FROM ",
            $child,
            " c WHERE ",
            $when,
            " AND NOT EXISTS (SELECT 1 FROM ",
            $parent,
            " p WHERE ",
            $on,
            ") LIMIT 100"
        )
    };
}

declare_rules! {
    session_user, "the user of a session exists" =
        orphans!("sessions", "c.user_id", "c.user_id", "users", "p.id = c.user_id");
    member_team, "the team of a member exists" =
        orphans!("members", "c.user_id", team_of!("c"), "teams", "p.team_id = c.team_id");
    member_user, "the user of a member exists" =
        orphans!("members", "c.user_id", team_of!("c"), "users", "p.id = c.user_id");
    invitation_team, "the team of an invitation exists" =
        orphans!("invitations", "c.id", team_of!("c"), "teams", "p.team_id = c.team_id");
    project_team, "the team of a project exists" =
        orphans!("projects", "c.id", team_of!("c"), "teams", "p.team_id = c.team_id");
    api_key_team, "the team of an API key exists" =
        orphans!("api_keys", "c.id", team_of!("c"), "teams", "p.team_id = c.team_id");
    api_key_project, "the project of an API key exists" =
        orphans!("api_keys", "c.id", team_of!("c"), "projects",
            "p.team_id = c.team_id AND p.project_id = c.project_id", "c.project_id IS NOT NULL");
    stripe_connection_team, "the team of a Stripe connection exists" =
        orphans!("stripe_connections", team_of!("c"), team_of!("c"), "teams", "p.team_id = c.team_id");
    stripe_event_team, "the team of a Stripe event exists" =
        orphans!("stripe_events", "c.id", team_of!("c"), "teams", "p.team_id = c.team_id");
    program_project, "the project of a program exists" =
        orphans!("programs", "c.id", team_of!("c"), "projects",
            "p.team_id = c.team_id AND p.project_id = c.project_id");
    // Where the tables are spread over machines, each has all projects but only some programs, so a
    // correlated sub-query is refused.
    project_program, "a project has a default program" =
        concat!("SELECT c.id, ", team_of!("c"), " FROM projects c WHERE (c.team_id, c.project_id) NOT IN (\
            SELECT p.team_id, p.project_id FROM programs p WHERE p.is_default) LIMIT 100");
    program_terms, "the terms of a program exist and are its own" =
        orphans!("programs", "c.id", team_of!("c"), "terms",
            "p.team_id = c.team_id AND p.id = c.terms_id AND p.program_id = c.id");
    terms_program, "the program of terms exists" =
        orphans!("terms", "c.id", team_of!("c"), "programs",
            "p.team_id = c.team_id AND p.id = c.program_id");
    code_program, "the program of a code is of its project" =
        orphans!("codes", "c.code", team_of!("c"), "programs",
            "p.team_id = c.team_id AND p.id = c.program_id AND p.project_id = c.project_id");
    webhook_endpoint_project, "the project of a webhook endpoint exists" =
        orphans!("webhook_endpoints", "c.id", team_of!("c"), "projects",
            "p.team_id = c.team_id AND p.project_id = c.project_id");
    customer_project, "the project of a customer exists" =
        orphans!("customers", "c.id", team_of!("c"), "projects",
            "p.team_id = c.team_id AND p.project_id = c.project_id");
    work_team, "the team of work exists" =
        orphans!("work", "c.subject", team_of!("c"), "teams", "p.team_id = c.team_id",
            "c.team_id <> 0");
    code_customer, "the customer of a code exists" =
        orphans!("codes", "c.code", team_of!("c"), "customers",
            "p.team_id = c.team_id AND p.project_id = c.project_id AND p.id = c.customer_id");
    alias_code, "the code that a name leads to is of the customer who owns the name" =
        orphans!("code_aliases", "c.alias", team_of!("c"), "codes",
            "p.team_id = c.team_id AND p.project_id = c.project_id AND p.code = c.code \
            AND p.customer_id = c.customer_id");
    link_settings_project, "the project whose links are set up exists" =
        orphans!("link_settings", team_of!("c"), team_of!("c"), "projects",
            "p.team_id = c.team_id AND p.project_id = c.project_id");
    portal_settings_project, "the project whose customers' pages are set up exists" =
        orphans!("portal_settings", team_of!("c"), team_of!("c"), "projects",
            "p.team_id = c.team_id AND p.project_id = c.project_id");
    dismissal_project, "the project in which a line was dismissed exists" =
        orphans!("attention_dismissals", "c.line_id", team_of!("c"), "projects",
            "p.team_id = c.team_id AND p.project_id = c.project_id");
    ticket_customer, "the customer whom a ticket lets in exists" =
        orphans!("portal_tickets", "c.ticket_hash", place_of!("c"), "customers",
            "p.team_id = c.team_id AND p.project_id = c.project_id AND p.id = c.customer_id");
    total_code, "the code whose totals are kept exists" =
        orphans!("code_totals", "c.code", place_of!("c"), "codes",
            "p.team_id = c.team_id AND p.project_id = c.project_id AND p.code = c.code");
    click_code, "the code whose clicks were counted exists" =
        orphans!("click_days", "c.code", place_of!("c"), "codes",
            "p.team_id = c.team_id AND p.project_id = c.project_id AND p.code = c.code");
    slug_project, "the project that a short name of links leads to exists" =
        orphans!("link_slugs", "c.slug", team_of!("c"), "projects",
            "p.team_id = c.team_id AND p.project_id = c.project_id");
    project_slug, "links to a project have a short name" =
        orphans!("projects", "c.id", team_of!("c"), "link_slugs",
            "p.team_id = c.team_id AND p.project_id = c.project_id AND p.slug <> ''");
    first_project, "where there is a project, links without a short name lead to one" =
        orphans!("projects", "c.id", team_of!("c"), "link_slugs", "p.slug = ''");
    link_key_project, "the project of a key of share links exists" =
        orphans!("link_keys", team_of!("c"), team_of!("c"), "projects",
            "p.team_id = c.team_id AND p.project_id = c.project_id");
    referral_referrer, "the referrer of a referral exists" =
        orphans!("referrals", "c.id", team_of!("c"), "customers",
            "p.team_id = c.team_id AND p.project_id = c.project_id \
            AND p.id = c.referrer_customer_id");
    referral_referee, "the referee of a referral exists" =
        orphans!("referrals", "c.id", team_of!("c"), "customers",
            "p.team_id = c.team_id AND p.project_id = c.project_id \
            AND p.id = c.referee_customer_id");
    credit_customer, "the customer of a credit exists" =
        orphans!("credits", "c.id", team_of!("c"), "customers",
            "p.team_id = c.team_id AND p.project_id = c.project_id AND p.id = c.customer_id");
    entry_credit, "the credit of an entry exists" =
        orphans!("entries", "c.credit_id", team_of!("c"), "credits",
            "p.team_id = c.team_id AND p.project_id = c.project_id AND p.id = c.credit_id");
    operation_credit, "the credit of an operation exists" =
        orphans!("stripe_operations", "c.id", team_of!("c"), "credits",
            "p.team_id = c.team_id AND p.project_id = c.project_id AND p.id = c.credit_id");
    entry_operation, "the operation that an entry tells of exists" =
        orphans!("entries", "c.credit_id", team_of!("c"), "stripe_operations",
            "p.team_id = c.team_id AND p.id = c.operation_id", "c.operation_id IS NOT NULL");
    line_entry, "the entry of a line exists" =
        orphans!("entry_lines", "c.credit_id", team_of!("c"), "entries",
            "p.team_id = c.team_id AND p.project_id = c.project_id AND p.credit_id = c.credit_id \
            AND p.seq = c.seq");
    start_event, "the Stripe event that told of a subscription is kept" =
        orphans!("subscription_starts", "c.object_id", team_of!("c"), "stripe_events",
            "p.team_id = c.team_id AND p.id = c.event_id");
    question_work, "what Stripe is to be asked about a referral is in the queue" =
        orphans!("referrals", "c.id", place_of!("c"), "work",
            "p.team_id = c.team_id AND p.project_id = c.project_id AND p.kind = 'newness' AND p.subject = c.id",
            "c.question_since IS NOT NULL");
    run_work, "a run of reconcile that is not over is in the queue" =
        orphans!("reconcile_runs", "c.id", team_of!("c"), "work",
            "p.team_id = c.team_id AND p.project_id = 0 AND p.kind = 'reconcile' AND p.subject = c.id",
            "c.ended_at IS NULL");
    run_project, "the project that asked for a run of reconcile exists" =
        orphans!("reconcile_runs", "c.id", team_of!("c"), "projects",
            "p.team_id = c.team_id AND p.project_id = c.project_id", "c.project_id IS NOT NULL");
    reconcile_line_run, "the run that found a line of reconcile exists" =
        orphans!("reconcile_lines", "c.run_id", team_of!("c"), "reconcile_runs",
            "p.team_id = c.team_id AND p.id = c.run_id");
    object_work, "the object that a Stripe event waits for is in the queue" =
        orphans!("stripe_events", "c.id", team_of!("c"), "work",
            "p.team_id = c.team_id AND p.project_id = 0 AND p.kind = 'thin_event' AND p.subject = c.id",
            "c.outcome = 'waiting' AND c.start IS NULL AND c.reason <> 'payment_unlinked'");
    event_referral, "a referral in the log exists" =
        orphans!("events", "c.referral_id", team_of!("c"), "referrals",
            "p.team_id = c.team_id AND p.project_id = c.project_id AND p.id = c.referral_id",
            "c.referral_id IS NOT NULL");
}
