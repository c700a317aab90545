-- The first schema. `{int}`, `{text}`, `{bool}`, `{rows}` and `{clustered}` are replaced per engine
-- (billstack-store, dialect module). Times are microseconds since 1970 UTC, money is in minor units.
-- Every tenant table's primary key begins with team_id; users, sessions and the key index are the
-- exceptions.
-- team_id and project_id are numbers that stand for the ids of teams and projects (billstack-core,
-- ids::numbered); the ids themselves are in the tables teams and projects.
-- Statuses, roles, kinds and outcomes have no closed lists here: the version before runs beside the new one
-- while nodes are upgraded, and a word that it does not know is a value to it.
-- An index by which few rows are found begins with what tells them apart, and the team comes next: the way
-- down compares one column, not three. That takes 6 % of the writer's instructions for a webhook.

-- People who sign in.
CREATE TABLE users (
    id {text} NOT NULL PRIMARY KEY,
    email {text} NOT NULL UNIQUE,
    name {text} NOT NULL,
    password_hash {text} NOT NULL,
    created_at {int} NOT NULL,
    single_keys {bool} NOT NULL
) {rows};

CREATE TABLE sessions (
    token_hash {text} NOT NULL PRIMARY KEY,
    user_id {text} NOT NULL REFERENCES users (id),
    created_at {int} NOT NULL,
    seen_at {int} NOT NULL,
    expires_at {int} NOT NULL
) {rows};
CREATE INDEX sessions_of_user ON sessions (user_id);

-- One-time tokens that let the first user in while there is none.
CREATE TABLE setup_tokens (
    token_hash {text} NOT NULL PRIMARY KEY,
    created_at {int} NOT NULL
) {rows};

CREATE TABLE teams (
    team_id {int} NOT NULL PRIMARY KEY,
    id {text} NOT NULL UNIQUE,
    name {text} NOT NULL,
    created_at {int} NOT NULL
) {rows};

CREATE TABLE members (
    team_id {int} NOT NULL REFERENCES teams (team_id),
    user_id {text} NOT NULL REFERENCES users (id),
    role {text} NOT NULL,
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, user_id)
) {clustered};
CREATE INDEX members_of_user ON members (user_id);

CREATE TABLE invitations (
    team_id {int} NOT NULL REFERENCES teams (team_id),
    id {text} NOT NULL,
    email {text} NOT NULL,
    role {text} NOT NULL,
    token_hash {text} NOT NULL,
    created_at {int} NOT NULL,
    expires_at {int} NOT NULL,
    PRIMARY KEY (team_id, id),
    UNIQUE (team_id, token_hash),
    UNIQUE (team_id, email)
) {clustered};

CREATE TABLE projects (
    team_id {int} NOT NULL REFERENCES teams (team_id),
    project_id {int} NOT NULL,
    id {text} NOT NULL,
    name {text} NOT NULL,
    mode {text} NOT NULL,
    -- How far its clock is ahead of the time; above zero in a test project only.
    clock_offset {int} NOT NULL CHECK (clock_offset >= 0),
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, project_id),
    UNIQUE (team_id, id)
) {clustered};

-- The key index: looked up by hash alone, before the team is known.
CREATE TABLE api_keys (
    key_hash {text} NOT NULL PRIMARY KEY,
    team_id {int} NOT NULL REFERENCES teams (team_id),
    id {text} NOT NULL,
    name {text} NOT NULL,
    prefix {text} NOT NULL,
    project_id {int},
    scopes {text} NOT NULL,
    expires_at {int},
    revoked_at {int},
    created_at {int} NOT NULL,
    last_used_on {int},
    UNIQUE (team_id, id),
    FOREIGN KEY (team_id, project_id) REFERENCES projects (team_id, project_id)
) {rows};

-- Secrets are sealed (AES-256-GCM) before they come here.
CREATE TABLE stripe_connections (
    team_id {int} NOT NULL PRIMARY KEY REFERENCES teams (team_id),
    is_active {bool} NOT NULL,
    secret_key {text},
    publishable_key {text},
    webhook_secret {text},
    -- The number of this secret among those that the team has had; the one before has the number before.
    secret_version {int} NOT NULL DEFAULT 1 CHECK (secret_version >= 1),
    old_webhook_secret {text},
    old_valid_until {int},
    livemode {bool},
    account_id {text},
    account_name {text},
    connected_at {int} NOT NULL,
    endpoint_id {text},
    probe {text},
    -- Why credits are not put into balances at present, the permission that the key lacks, and when that is tried.
    delivery_pause {text},
    delivery_lacks {text},
    delivery_paused_until {int}
) {rows};

-- What a project promises for a referral. The default program is the one that the project's config is about.
CREATE TABLE programs (
    team_id {int} NOT NULL,
    id {text} NOT NULL,
    project_id {int} NOT NULL,
    is_default {bool} NOT NULL,
    enabled {bool} NOT NULL,
    terms_id {text} NOT NULL,
    -- How many conversions pay a referrer, and how much may be out; null for no limit.
    max_conversions_total {int} CHECK (max_conversions_total >= 0),
    max_conversions_per_month {int} CHECK (max_conversions_per_month >= 0),
    budget {int} CHECK (budget >= 0),
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, project_id) REFERENCES projects (team_id, project_id)
) {clustered};
CREATE UNIQUE INDEX programs_one_default ON programs (team_id, project_id) WHERE is_default;

-- What a program promised from one change to the next. Never updated, never deleted: a referral is promised
-- the terms of the moment when its code was applied.
CREATE TABLE terms (
    team_id {int} NOT NULL,
    id {text} NOT NULL,
    program_id {text} NOT NULL,
    referrer_credit_amount {int} NOT NULL CHECK (referrer_credit_amount BETWEEN 0 AND 99999999),
    referee_credit_amount {int} NOT NULL CHECK (referee_credit_amount BETWEEN 0 AND 99999999),
    currency {text} NOT NULL,
    -- How long before the apply a subscription may have begun.
    grace {int} NOT NULL,
    -- For how many days after a conversion its credits are held.
    hold_days {int} NOT NULL CHECK (hold_days BETWEEN 0 AND 365),
    conversion_trigger {text} NOT NULL,
    exclude_trials {bool} NOT NULL,
    minimum_paid_amount {int} NOT NULL CHECK (minimum_paid_amount BETWEEN 0 AND 99999999),
    credit_delivery {text} NOT NULL,
    clawback {text} NOT NULL,
    clawback_window_days {int} NOT NULL CHECK (clawback_window_days BETWEEN 1 AND 730),
    clawback_applied {text} NOT NULL,
    -- After how many days without a conversion a referral is closed; null for never.
    referral_expiry_days {int} CHECK (referral_expiry_days >= 1),
    -- What a customer reads beside a credit in Stripe.
    credit_description {text} NOT NULL,
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, program_id) REFERENCES programs (team_id, id)
) {clustered};
-- Those by which lost payments take credits back, none in most teams.
CREATE INDEX terms_by_clawback ON terms (clawback, team_id, clawback_window_days, hold_days);

-- How much of a program's budget is out in a currency: what was granted for referrals and not taken back. A row is
-- there while the program has a budget, from the first time that somebody asks; whoever reads it holds the budget.
CREATE TABLE program_budgets (
    team_id {int} NOT NULL,
    program_id {text} NOT NULL,
    currency {text} NOT NULL,
    amount_out {int} NOT NULL,
    -- Whether the log tells that little is left, and that nothing is.
    low_told {bool} NOT NULL,
    used_up_told {bool} NOT NULL,
    PRIMARY KEY (team_id, program_id, currency),
    FOREIGN KEY (team_id, program_id) REFERENCES programs (team_id, id)
) {clustered};

-- An erased customer keeps its row: no e-mail, no name, no metadata, erased_at set.
CREATE TABLE customers (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    id {text} NOT NULL,
    email {text},
    name {text},
    external_id {text},
    stripe_customer_id {text},
    metadata {text} NOT NULL,
    created_at {int} NOT NULL,
    updated_at {int} NOT NULL,
    erased_at {int},
    PRIMARY KEY (team_id, id, project_id),
    UNIQUE (team_id, project_id, email),
    UNIQUE (team_id, project_id, external_id),
    FOREIGN KEY (team_id, project_id) REFERENCES projects (team_id, project_id),
    CHECK ((email IS NULL) = (erased_at IS NOT NULL))
) {rows};
CREATE INDEX customers_newest ON customers (team_id, project_id, created_at, id);
CREATE INDEX customers_of_stripe ON customers (stripe_customer_id, team_id, project_id, id)
    WHERE stripe_customer_id IS NOT NULL;

CREATE TABLE codes (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    code {text} NOT NULL,
    program_id {text} NOT NULL,
    customer_id {text} NOT NULL,
    is_active {bool} NOT NULL,
    created_at {int} NOT NULL,
    deactivated_at {int},
    -- Other names of it, the present one first, parted by blanks; null for none.
    names {text},
    -- How often it was given another name on the day of UTC with this number.
    renamed_on {int} NOT NULL,
    renames {int} NOT NULL,
    PRIMARY KEY (team_id, project_id, code),
    FOREIGN KEY (team_id, program_id) REFERENCES programs (team_id, id),
    FOREIGN KEY (team_id, project_id, customer_id) REFERENCES customers (team_id, project_id, id)
) {clustered};
CREATE UNIQUE INDEX codes_one_active ON codes (customer_id, team_id, project_id, program_id)
    WHERE is_active;
CREATE INDEX codes_of_customer ON codes (customer_id, team_id, project_id, created_at, code);
-- The rest of what a list shows is in its indexes, so that a page is one range of them.
CREATE INDEX codes_newest ON codes (team_id, project_id, created_at, code, customer_id, is_active, names);
CREATE INDEX codes_newest_active
    ON codes (team_id, project_id, created_at, code, customer_id, is_active, names) WHERE is_active;

-- Other names of codes, in the form in which they are compared. A name stays its owner's for ever; of that of
-- somebody who was erased only a keyed hash is kept, so that nobody else gets it.
CREATE TABLE code_aliases (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    alias {text} NOT NULL,
    -- As people see it; null once erased.
    shown {text},
    code {text} NOT NULL,
    customer_id {text} NOT NULL,
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, project_id, alias),
    FOREIGN KEY (team_id, project_id, code) REFERENCES codes (team_id, project_id, code)
) {rows};
CREATE INDEX code_aliases_of_customer ON code_aliases (customer_id, team_id, project_id, alias);

-- What the tokens of share links and erased names of codes are keyed with. It is random, and not the key of the
-- server, because links must outlive a change of that.
CREATE TABLE link_keys (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    link_key {text} NOT NULL,
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, project_id),
    FOREIGN KEY (team_id, project_id) REFERENCES projects (team_id, project_id)
) {clustered};

-- How the links of a project are set up, once somebody has.
CREATE TABLE link_settings (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    enabled {bool} NOT NULL,
    landing_url {text},
    -- Hosts that a link may lead to besides, parted by blanks.
    redirect_hosts {text} NOT NULL,
    window_days {int} NOT NULL CHECK (window_days BETWEEN 1 AND 365),
    code_parameter {text} NOT NULL,
    click_parameter {text} NOT NULL,
    card_title {text},
    card_text {text},
    card_image_url {text},
    updated_at {int} NOT NULL,
    PRIMARY KEY (team_id, project_id),
    FOREIGN KEY (team_id, project_id) REFERENCES projects (team_id, project_id)
) {clustered};

-- The short names of projects in links, looked up before the team is known. The empty one is for links without a
-- name: it leads to the first project of the server. A name is never changed and never removed.
CREATE TABLE link_slugs (
    slug {text} NOT NULL PRIMARY KEY,
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    created_at {int} NOT NULL,
    FOREIGN KEY (team_id, project_id) REFERENCES projects (team_id, project_id)
) {rows};
CREATE INDEX link_slugs_of_project ON link_slugs (team_id, project_id, slug);

-- How often the links of a code were followed on a day of UTC, by the way by which they had reached people. Nothing of
-- a visitor is kept.
CREATE TABLE click_days (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    code {text} NOT NULL,
    day {int} NOT NULL,
    channel {text} NOT NULL,
    clicks {int} NOT NULL CHECK (clicks > 0),
    PRIMARY KEY (team_id, project_id, code, day, channel),
    FOREIGN KEY (team_id, project_id, code) REFERENCES codes (team_id, project_id, code)
) {clustered};
CREATE INDEX click_days_newest ON click_days (team_id, project_id, day, (code || ' ' || channel));

-- How the pages of the customers of a project are set up, once somebody has. A session of an earlier epoch has ended.
CREATE TABLE portal_settings (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    epoch {int} NOT NULL CHECK (epoch >= 0),
    -- Parted by blanks.
    allowed_origins {text} NOT NULL,
    names {text} NOT NULL,
    accent {text},
    radius {int} CHECK (radius BETWEEN 0 AND 24),
    font {text},
    -- A JSON object: by language, the texts in place of ours.
    texts {text} NOT NULL,
    allow_vanity {bool} NOT NULL,
    offer_name {bool} NOT NULL,
    updated_at {int} NOT NULL,
    PRIMARY KEY (team_id, project_id),
    FOREIGN KEY (team_id, project_id) REFERENCES projects (team_id, project_id)
) {clustered};

-- Which lines of what needs attention somebody has dismissed, and when; they are not shown for a week.
CREATE TABLE attention_dismissals (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    line_id {text} NOT NULL,
    dismissed_at {int} NOT NULL,
    PRIMARY KEY (team_id, project_id, line_id),
    FOREIGN KEY (team_id, project_id) REFERENCES projects (team_id, project_id)
) {clustered};

-- What lets a customer in to their own page, once: a hash of it, and the session that it is good for.
CREATE TABLE portal_tickets (
    team_id {int} NOT NULL,
    ticket_hash {text} NOT NULL,
    project_id {int} NOT NULL,
    customer_id {text} NOT NULL,
    epoch {int} NOT NULL,
    read_only {bool} NOT NULL,
    locale {text},
    created_at {int} NOT NULL,
    expires_at {int} NOT NULL,
    session_ends_at {int} NOT NULL,
    PRIMARY KEY (team_id, ticket_hash),
    FOREIGN KEY (team_id, project_id, customer_id) REFERENCES customers (team_id, project_id, id)
) {rows};
CREATE INDEX portal_tickets_of_customer ON portal_tickets (customer_id, team_id, project_id);
CREATE INDEX portal_tickets_by_end ON portal_tickets (expires_at);

-- Clustered by code, oldest first: reading a code's history is one range. Those of a referrer are
-- found by way of its codes.
CREATE TABLE referrals (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    code {text} NOT NULL,
    created_at {int} NOT NULL,
    -- How far the clock of its project was ahead of the time then.
    clock_offset {int} NOT NULL DEFAULT 0 CHECK (clock_offset >= 0),
    id {text} NOT NULL,
    program_id {text} NOT NULL,
    terms_id {text} NOT NULL,
    referrer_customer_id {text} NOT NULL,
    referee_customer_id {text} NOT NULL,
    status {text} NOT NULL,
    converted_at {int},
    -- How many events its story has, and when the last of them was.
    story_length {int} NOT NULL,
    story_at {int} NOT NULL,
    -- The Stripe customer and the event that converted it, and the subscription that the event told of:
    -- its own id, or that of a session which names none.
    stripe_customer_id {text},
    stripe_event_id {text},
    stripe_subscription_id {text},
    -- Since when Stripe is being asked whether the referee was new; null once that is known.
    question_since {int},
    -- By what it came about, and what is known of the click.
    source {text} NOT NULL,
    channel {text},
    clicked_at {int},
    PRIMARY KEY (team_id, project_id, code, created_at, id),
    UNIQUE (id, team_id, project_id),
    UNIQUE (referee_customer_id, team_id, project_id, program_id),
    FOREIGN KEY (team_id, project_id, code) REFERENCES codes (team_id, project_id, code),
    FOREIGN KEY (team_id, terms_id) REFERENCES terms (team_id, id),
    FOREIGN KEY (team_id, project_id, referee_customer_id)
        REFERENCES customers (team_id, project_id, id),
    CHECK (status <> 'converted' OR converted_at IS NOT NULL),
    CHECK (converted_at IS NULL OR (status <> 'pending' AND status <> 'expired')),
    CHECK (converted_at >= created_at),
    CHECK (question_since IS NULL OR (status <> 'converted' AND status <> 'expired')),
    CHECK (referrer_customer_id <> referee_customer_id)
) {clustered};
CREATE INDEX referrals_newest ON referrals (team_id, project_id, created_at, id);
-- Lists by a word begin with it: PostgreSQL may take indexes that begin alike for equally good.
CREATE INDEX referrals_by_status ON referrals (status, team_id, project_id, created_at, id);
CREATE INDEX referrals_by_conversion ON referrals (team_id, project_id, converted_at, id)
    WHERE converted_at IS NOT NULL;
CREATE INDEX referrals_by_source ON referrals (source, team_id, project_id, created_at, id);
-- One Stripe customer is paid for once in a program, whatever customers point at it.
CREATE UNIQUE INDEX referrals_one_per_stripe_customer
    ON referrals (stripe_customer_id, team_id, project_id, program_id)
    WHERE stripe_customer_id IS NOT NULL;
-- One subscription is paid for once, whatever projects and customers its events may be about.
CREATE UNIQUE INDEX referrals_one_per_subscription
    ON referrals (stripe_subscription_id, team_id) WHERE stripe_subscription_id IS NOT NULL;

-- A credit of a referral has its side, and a number among those of the same kind; of any other kind the
-- referral and the side are null. The parts sum to the amount; each is what the lines of the credit's entries
-- sum to, kept here so that lists need not add them up.
CREATE TABLE credits (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    id {text} NOT NULL,
    kind {text} NOT NULL,
    seq {int} NOT NULL,
    referral_id {text},
    side {text},
    customer_id {text} NOT NULL,
    amount {int} NOT NULL CHECK (amount BETWEEN 1 AND 99999999),
    currency {text} NOT NULL,
    status {text} NOT NULL,
    -- When its hold ends or would have ended.
    held_until {int},
    held {int} NOT NULL CHECK (held >= 0),
    available {int} NOT NULL CHECK (available >= 0),
    delivered {int} NOT NULL CHECK (delivered >= 0),
    applied {int} NOT NULL CHECK (applied >= 0),
    settled {int} NOT NULL CHECK (settled >= 0),
    reversed {int} NOT NULL CHECK (reversed >= 0),
    -- What should have been taken back and could not be; it is among the other parts.
    shortfall {int} NOT NULL CHECK (shortfall >= 0 AND shortfall <= amount),
    -- What of the reversed part a person took back.
    reversed_by_hand {int} NOT NULL CHECK (reversed_by_hand >= 0),
    -- How many entries it has. Whoever adds one names the number that they saw.
    entries {int} NOT NULL CHECK (entries >= 1),
    created_at {int} NOT NULL,
    -- Whether it is put into the balance that the customer has in Stripe, and how far that has come.
    by_stripe {bool} NOT NULL,
    delivery {text} NOT NULL,
    delivery_reason {text},
    PRIMARY KEY (team_id, project_id, id),
    UNIQUE (referral_id, team_id, side, project_id, kind, seq),
    FOREIGN KEY (team_id, project_id, referral_id) REFERENCES referrals (team_id, project_id, id),
    CHECK ((referral_id IS NULL) = (side IS NULL)),
    CHECK (held + available + delivered + applied + settled + reversed = amount)
) {clustered};
CREATE INDEX credits_newest ON credits (team_id, project_id, created_at, id);
CREATE INDEX credits_by_status ON credits (status, team_id, project_id, created_at, id);
CREATE INDEX credits_by_side ON credits (side, team_id, project_id, created_at, id);
CREATE INDEX credits_of_customer ON credits (customer_id, team_id, project_id, created_at, id);
CREATE INDEX credits_by_currency ON credits (currency, team_id, project_id, created_at, id);
CREATE INDEX credits_by_delivery ON credits (delivery, team_id, project_id, created_at, id);

-- Double entry: every movement of a credit, and why. Never updated, never deleted. effective_at is the time
-- of what caused it, created_at is ours.
CREATE TABLE entries (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    credit_id {text} NOT NULL,
    seq {int} NOT NULL,
    cause {text} NOT NULL,
    cause_id {text} NOT NULL,
    -- Why, and what it is called elsewhere, when a person said so.
    reason {text},
    reference {text},
    -- What in Stripe it is about, and the operation on a balance there that it tells of.
    stripe_object {text},
    operation_id {text},
    effective_at {int} NOT NULL,
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, project_id, credit_id, seq),
    FOREIGN KEY (team_id, project_id, credit_id) REFERENCES credits (team_id, project_id, id)
) {clustered};

-- Reports go by the time of booking.
CREATE INDEX entries_by_time ON entries (team_id, project_id, created_at, credit_id, seq);

-- The lines of an entry sum to zero. Currency and customer are those of the credit.
CREATE TABLE entry_lines (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    credit_id {text} NOT NULL,
    seq {int} NOT NULL,
    account {text} NOT NULL,
    amount {int} NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (team_id, project_id, credit_id, seq, account),
    FOREIGN KEY (team_id, project_id, credit_id, seq)
        REFERENCES entries (team_id, project_id, credit_id, seq)
) {clustered};

-- The balances in Stripe that operations of ours are on. changes counts what was told of each; due is from when on its
-- lines are to be read, null when they are known.
CREATE TABLE stripe_balances (
    team_id {int} NOT NULL,
    stripe_customer_id {text} NOT NULL,
    changes {int} NOT NULL,
    due {int},
    failures {int} NOT NULL,
    -- Its lines do not follow from each other, so nothing is decided by them.
    is_unclear {bool} NOT NULL,
    -- It is gone with its customer; or the customer has money of their own at Stripe, and cannot owe any.
    is_deleted {bool} NOT NULL,
    has_cash {bool} NOT NULL,
    PRIMARY KEY (team_id, stripe_customer_id)
) {rows};

-- Their lines, in the order in which Stripe wrote them, from 1 without a gap over all currencies. credit_id is what the
-- metadata says; whose line it is we know better by its id.
CREATE TABLE stripe_balance_lines (
    team_id {int} NOT NULL,
    stripe_customer_id {text} NOT NULL,
    number {int} NOT NULL,
    id {text} NOT NULL,
    currency {text} NOT NULL,
    amount {int} NOT NULL,
    ending_balance {int} NOT NULL,
    kind {text} NOT NULL,
    invoice_id {text},
    credit_id {text},
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, stripe_customer_id, number),
    FOREIGN KEY (team_id, stripe_customer_id) REFERENCES stripe_balances (team_id, stripe_customer_id)
) {clustered};

-- What is done to balances in Stripe: each operation is one line there. It is written by what causes it, and called
-- by whoever holds the row of work of its customer of Stripe. Times are null until there are such.
CREATE TABLE stripe_operations (
    team_id {int} NOT NULL,
    id {text} NOT NULL,
    project_id {int} NOT NULL,
    credit_id {text} NOT NULL,
    kind {text} NOT NULL,
    stripe_customer_id {text} NOT NULL,
    amount {int} NOT NULL CHECK (amount BETWEEN 1 AND 99999999),
    currency {text} NOT NULL,
    -- The call, byte for byte.
    body {text} NOT NULL,
    -- What Stripe said when it refused.
    refusal {text},
    -- The line; and the one that it had before and that is gone, for which its entry was made.
    transaction_id {text},
    lost_transaction_id {text},
    created_at {int} NOT NULL,
    -- Why: its entries say so.
    cause {text} NOT NULL,
    cause_id {text} NOT NULL,
    cause_reason {text},
    -- The line that it takes back, where that is all that it is for.
    takes_back {text},
    -- Whoever changes it names the version that they saw; and the one that was last compared with Stripe's lines.
    version {int} NOT NULL,
    looked_version {int} NOT NULL,
    -- One of twenty, by its customer: each day another is compared.
    slot {int} NOT NULL,
    state {text} NOT NULL,
    reason {text},
    generation {int} NOT NULL CHECK (generation >= 1),
    key_state {text} NOT NULL,
    attempts {int} NOT NULL CHECK (attempts >= 0),
    failures {int} NOT NULL,
    first_try {int},
    last_try {int},
    tried_from {int},
    silent_since {int},
    absent_at {int},
    is_doubtful {bool} NOT NULL,
    is_retried {bool} NOT NULL,
    others_are_known {bool} NOT NULL,
    step {text} NOT NULL,
    -- When it goes on; null when it is over or waits for somebody.
    due {int},
    PRIMARY KEY (team_id, id),
    FOREIGN KEY (team_id, project_id, credit_id) REFERENCES credits (team_id, project_id, id)
) {rows};
CREATE INDEX stripe_operations_of_customer ON stripe_operations (stripe_customer_id, team_id);
CREATE INDEX stripe_operations_of_credit ON stripe_operations (credit_id, team_id, project_id);
CREATE UNIQUE INDEX stripe_operations_of_line ON stripe_operations (team_id, transaction_id)
    WHERE transaction_id IS NOT NULL;
CREATE UNIQUE INDEX stripe_operations_of_doubled ON stripe_operations (team_id, takes_back)
    WHERE takes_back IS NOT NULL;
CREATE INDEX stripe_operations_due ON stripe_operations (stripe_customer_id, team_id, due)
    WHERE due IS NOT NULL;
CREATE INDEX stripe_operations_waiting ON stripe_operations (project_id, team_id, due)
    WHERE due IS NOT NULL;
CREATE INDEX stripe_operations_stuck ON stripe_operations (stripe_customer_id, team_id, id)
    WHERE state = 'needs_attention';
CREATE INDEX stripe_operations_pending ON stripe_operations (team_id, created_at)
    WHERE state <> 'delivered';
CREATE INDEX stripe_operations_in_slot ON stripe_operations (slot, team_id, stripe_customer_id);
CREATE INDEX stripe_operations_changed ON stripe_operations (team_id, stripe_customer_id)
    WHERE version <> looked_version;

-- What Stripe told and what became of it. start holds the facts read from it, without personal data.
CREATE TABLE stripe_events (
    team_id {int} NOT NULL,
    id {text} NOT NULL,
    type {text} NOT NULL,
    created_at {int} NOT NULL,
    received_at {int} NOT NULL,
    livemode {bool},
    -- How we came to know: an event that was sent, or an answer of Stripe when it was asked.
    source {text} NOT NULL,
    outcome {text} NOT NULL,
    reason {text},
    project_id {int},
    customer_id {text},
    referral_id {text},
    start {text},
    payload {text},
    -- The number of the secret that it was signed with, if it was sent.
    signed_with {int} CHECK (signed_with >= 1),
    PRIMARY KEY (team_id, id)
) {rows};
CREATE INDEX stripe_events_newest ON stripe_events (team_id, received_at, id);
CREATE INDEX stripe_events_by_outcome ON stripe_events (team_id, outcome, received_at, id);
CREATE INDEX stripe_events_by_type ON stripe_events (type, team_id, received_at, id);
CREATE INDEX stripe_events_by_type_and_outcome
    ON stripe_events ((type || ' ' || outcome), team_id, received_at, id);
-- Bodies to forget: by whom they tell of, and by age.
CREATE INDEX stripe_events_of_customer ON stripe_events (customer_id, team_id)
    WHERE payload IS NOT NULL;
CREATE INDEX stripe_events_with_body ON stripe_events (received_at) WHERE payload IS NOT NULL;

-- What Stripe told of payments: of each thing its latest version, as ids, amounts, currencies and times. fact holds
-- it; the other columns are what it is found by. keep_until is null once a credit depends on it.
CREATE TABLE money_facts (
    team_id {int} NOT NULL,
    fact_key {text} NOT NULL,
    charge_id {text},
    payment_intent_id {text},
    invoice_id {text},
    subscription_id {text},
    stripe_customer_id {text},
    fact {text} NOT NULL,
    event_id {text} NOT NULL,
    keep_until {int},
    PRIMARY KEY (team_id, fact_key)
) {rows};
CREATE INDEX money_facts_of_charge ON money_facts (charge_id, team_id) WHERE charge_id IS NOT NULL;
CREATE INDEX money_facts_of_intent ON money_facts (payment_intent_id, team_id)
    WHERE payment_intent_id IS NOT NULL;
CREATE INDEX money_facts_of_invoice ON money_facts (invoice_id, team_id) WHERE invoice_id IS NOT NULL;
CREATE INDEX money_facts_of_subscription ON money_facts (subscription_id, team_id)
    WHERE subscription_id IS NOT NULL;
CREATE INDEX money_facts_of_stripe_customer ON money_facts (stripe_customer_id, team_id)
    WHERE stripe_customer_id IS NOT NULL;
CREATE INDEX money_facts_to_forget ON money_facts (keep_until) WHERE keep_until IS NOT NULL;

-- What belongs to what in Stripe, as it said: charges, payment intents, invoices and subscriptions. Beside them, of
-- kind 'event_waits', the events that wait until their charge or payment intent leads to an invoice.
CREATE TABLE payment_links (
    team_id {int} NOT NULL,
    from_id {text} NOT NULL,
    kind {text} NOT NULL,
    to_id {text} NOT NULL,
    keep_until {int},
    PRIMARY KEY (team_id, from_id, kind, to_id)
) {clustered};
CREATE INDEX payment_links_back ON payment_links (to_id, team_id, kind, from_id);
CREATE INDEX payment_links_waiting ON payment_links (team_id, from_id) WHERE kind = 'event_waits';
CREATE INDEX payment_links_to_forget ON payment_links (keep_until) WHERE keep_until IS NOT NULL;

-- Every start of a subscription we heard of, findable by whom it may belong to ('stripe:cus_…',
-- 'customer:pc_…'), whether or not anybody was found then. counted_at is set once it counts. A session
-- began when it was completed.
CREATE TABLE subscription_starts (
    team_id {int} NOT NULL,
    match_key {text} NOT NULL,
    object_id {text} NOT NULL,
    event_id {text} NOT NULL,
    began_at {int} NOT NULL,
    counted_at {int},
    -- Whether it has been a real subscription at any time.
    existed {bool} NOT NULL,
    -- The project of the team that the event named, when it named one.
    project_id {int},
    PRIMARY KEY (team_id, match_key, object_id)
) {clustered};
-- A subscription is looked for by its own id too.
CREATE INDEX subscription_starts_of_object ON subscription_starts (object_id, team_id);

-- What happened, by whom, and why. Rows of one operation are a microsecond apart, in order. sequence is the
-- number of a row in the story of its referral, from 1 without a gap.
CREATE TABLE events (
    team_id {int} NOT NULL,
    created_at {int} NOT NULL,
    id {text} NOT NULL,
    project_id {int},
    type {text} NOT NULL,
    subject {text} NOT NULL,
    referral_id {text},
    sequence {int},
    actor {text} NOT NULL,
    request_id {text} NOT NULL,
    facts {text} NOT NULL,
    PRIMARY KEY (team_id, created_at, id),
    CHECK ((referral_id IS NULL) = (sequence IS NULL))
) {clustered};
CREATE UNIQUE INDEX events_of_referral ON events (referral_id, team_id, sequence)
    WHERE referral_id IS NOT NULL;
-- What is told outside is read by project.
CREATE INDEX events_of_project ON events (team_id, project_id, created_at, id)
    WHERE project_id IS NOT NULL;

-- What people do, and what is part of no story, is looked for by what it is; few events pay for that.
CREATE INDEX events_by_person ON events (actor, team_id, created_at, id) WHERE substr(actor, 1, 5) = 'user:';
CREATE INDEX events_beside_stories ON events (type, team_id, created_at, id) WHERE referral_id IS NULL;
CREATE INDEX events_of_subject ON events (subject, team_id, created_at, id) WHERE referral_id IS NULL;
-- By what errors, answers and log lines name. New ids are greater than older ones.
CREATE INDEX events_of_request ON events (request_id, team_id, created_at, id);
-- Changes of programs, few among all the others.
CREATE INDEX events_of_programs ON events (team_id, project_id, created_at, id)
    WHERE type = 'program.updated';

-- Up to which event the log of a team has been added up in program_days: that event included, none after it.
CREATE TABLE program_marks (
    team_id {int} NOT NULL PRIMARY KEY REFERENCES teams (team_id),
    created_at {int} NOT NULL,
    event_id {text} NOT NULL
) {rows};

-- What the log says, added up: what happened on a day (counted from 1970-01-01), and with day -1 how much
-- there is by now. Side and currency are empty where a figure has none. Nothing else is told by these rows:
-- they could be made anew from the log.
CREATE TABLE program_days (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    day {int} NOT NULL,
    figure {text} NOT NULL,
    side {text} NOT NULL,
    currency {text} NOT NULL,
    number {int} NOT NULL,
    amount {int} NOT NULL,
    PRIMARY KEY (team_id, project_id, day, figure, side, currency),
    FOREIGN KEY (team_id, project_id) REFERENCES projects (team_id, project_id)
) {clustered};

-- What codes have brought: clicks as they are written, the rest as the log says up to the mark. Nothing else is told by
-- these rows.
CREATE TABLE code_totals (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    code {text} NOT NULL,
    clicks {int} NOT NULL,
    applied {int} NOT NULL,
    converted {int} NOT NULL,
    PRIMARY KEY (team_id, project_id, code),
    FOREIGN KEY (team_id, project_id, code) REFERENCES codes (team_id, project_id, code)
) {clustered};
CREATE INDEX code_totals_by_clicks ON code_totals (team_id, project_id, clicks, code);
CREATE INDEX code_totals_by_applied ON code_totals (team_id, project_id, applied, code);
CREATE INDEX code_totals_by_converted ON code_totals (team_id, project_id, converted, code);

-- The ledger, added up: what was booked on each account on a day (counted from 1970-01-01), by the day on which the
-- credits were granted, before a mark for each project. Nothing else is told by these rows: they could be made anew.
CREATE TABLE booked_marks (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    booked_before {int} NOT NULL,
    PRIMARY KEY (team_id, project_id),
    FOREIGN KEY (team_id, project_id) REFERENCES projects (team_id, project_id)
) {clustered};
CREATE TABLE booked_days (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    day {int} NOT NULL,
    granted_day {int} NOT NULL,
    currency {text} NOT NULL,
    side {text} NOT NULL,
    held {int} NOT NULL,
    available {int} NOT NULL,
    delivered {int} NOT NULL,
    applied {int} NOT NULL,
    settled {int} NOT NULL,
    reversed {int} NOT NULL,
    shortfall {int} NOT NULL,
    granted {int} NOT NULL,
    PRIMARY KEY (team_id, project_id, day, granted_day, currency, side),
    FOREIGN KEY (team_id, project_id) REFERENCES projects (team_id, project_id)
) {clustered};

-- The first answer under an Idempotency-Key; status is null while the call that will give it is running,
-- whose turn is a row of work.
CREATE TABLE idempotency_keys (
    team_id {int} NOT NULL,
    caller {text} NOT NULL,
    idempotency_key {text} NOT NULL,
    request_hash {text} NOT NULL,
    status {int},
    body {text},
    customer_id {text},
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, caller, idempotency_key)
) {rows};
CREATE INDEX idempotency_keys_oldest ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_of_customer ON idempotency_keys (team_id, customer_id)
    WHERE customer_id IS NOT NULL;

-- Comparisons of our books with Stripe's, by whoever asked: a project's API, or nobody in particular. Of a team one
-- is under way at a time.
CREATE TABLE reconcile_runs (
    team_id {int} NOT NULL REFERENCES teams (team_id),
    id {text} NOT NULL,
    project_id {int},
    -- What it may do about what it finds, and whether it looks at all customers.
    remedy {text} NOT NULL,
    is_whole {bool} NOT NULL,
    status {text} NOT NULL,
    -- Why it could not look.
    reason {text},
    -- From when on events were asked for; then what is left of that time, and how long the next part of it is.
    events_wish {int},
    events_since {int},
    events_at {int},
    events_until {int},
    events_width {int},
    -- Until when no event before is missed any more.
    caught_up_to {int},
    -- How far it has come behind the events: in which stage, through how many slots, after which payment, customer of
    -- Stripe or credit, how many customers it has looked at, and how many conversions it has asked about.
    stage {text} NOT NULL,
    slots {int} NOT NULL,
    after {text} NOT NULL,
    looked {int} NOT NULL,
    asked {int} NOT NULL,
    done {int} NOT NULL,
    total {int} NOT NULL,
    found {int} NOT NULL,
    repaired {int} NOT NULL,
    created_at {int} NOT NULL,
    ended_at {int},
    PRIMARY KEY (team_id, id)
) {rows};

-- What a run found, in that order.
CREATE TABLE reconcile_lines (
    team_id {int} NOT NULL,
    run_id {text} NOT NULL,
    number {int} NOT NULL,
    kind {text} NOT NULL,
    subject {text} NOT NULL,
    detail {text} NOT NULL,
    is_repaired {bool} NOT NULL,
    PRIMARY KEY (team_id, run_id, number),
    FOREIGN KEY (team_id, run_id) REFERENCES reconcile_runs (team_id, id)
) {clustered};

-- Differences that were taken note of: as long as one looks the same, it is not told again.
CREATE TABLE reconcile_notes (
    team_id {int} NOT NULL REFERENCES teams (team_id),
    kind {text} NOT NULL,
    subject {text} NOT NULL,
    appearance {text} NOT NULL,
    noted_at {int} NOT NULL,
    PRIMARY KEY (team_id, kind, subject)
) {clustered};

-- Where webhooks of a project are sent. One that was taken away keeps its row, without its secrets, as long as there
-- are deliveries of it.
CREATE TABLE webhook_endpoints (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    id {text} NOT NULL,
    url {text} NOT NULL,
    description {text},
    -- Which types it wants, separated by spaces; '*' for all.
    types {text} NOT NULL,
    -- Sealed (AES-256-GCM) before they come here, and until when the one before is good.
    secret {text},
    old_secret {text},
    old_valid_until {int},
    -- How it does, since when it may be told of events, and since when it is not any more and why.
    state {text} NOT NULL,
    enabled_at {int} NOT NULL,
    disabled_at {int},
    disabled_reason {text},
    -- Since when it has done nothing but fail, and how often.
    first_failure_at {int},
    failures {int} NOT NULL CHECK (failures >= 0),
    last_success_at {int},
    last_failure_at {int},
    created_at {int} NOT NULL,
    -- By the time of day, like the end of a delivery.
    deleted_at {int},
    -- Whoever changes it names the version that they saw.
    version {int} NOT NULL,
    PRIMARY KEY (team_id, project_id, id),
    FOREIGN KEY (team_id, project_id) REFERENCES projects (team_id, project_id),
    CHECK ((disabled_at IS NULL) = (disabled_reason IS NULL)),
    CHECK ((state = 'disabled') = (disabled_at IS NOT NULL)),
    CHECK ((first_failure_at IS NULL) = (failures = 0)),
    CHECK ((secret IS NULL) = (deleted_at IS NOT NULL))
) {clustered};

CREATE INDEX webhook_endpoints_to_forget ON webhook_endpoints (deleted_at) WHERE deleted_at IS NOT NULL;

-- Events that endpoints are still to be told of, by the transaction of the event. Whoever sends takes a row out in the
-- transaction that makes a delivery for each endpoint in it: those that wanted the event when it happened, separated by
-- spaces. One row without a secondary index, because whoever changes something waits for it.
CREATE TABLE webhook_outbox (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    -- The event, by both parts of its key.
    event_at {int} NOT NULL,
    event_id {text} NOT NULL,
    type {text} NOT NULL,
    endpoint_ids {text} NOT NULL CHECK (endpoint_ids <> ''),
    -- By the time of day.
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, project_id, event_at, event_id)
) {clustered};

-- What is sent where. When it is due, and who is sending it, is in its row of work, which it has as long as it waits.
CREATE TABLE webhook_deliveries (
    team_id {int} NOT NULL,
    id {text} NOT NULL,
    project_id {int} NOT NULL,
    endpoint_id {text} NOT NULL,
    -- The event, by both parts of its key.
    event_at {int} NOT NULL,
    event_id {text} NOT NULL,
    type {text} NOT NULL,
    -- Whether somebody asked for it; then it is tried once.
    is_replay {bool} NOT NULL,
    state {text} NOT NULL,
    attempts {int} NOT NULL CHECK (attempts >= 0),
    created_at {int} NOT NULL,
    -- By the time of day: it is forgotten so long after.
    ended_at {int},
    PRIMARY KEY (team_id, id),
    CHECK ((state = 'waiting') = (ended_at IS NULL))
) {clustered};
CREATE INDEX webhook_deliveries_of_endpoint
    ON webhook_deliveries (endpoint_id, team_id, created_at, id);
-- Not of what waits, which is found by way of the queue: each event pays for what is written with it.
CREATE INDEX webhook_deliveries_by_state
    ON webhook_deliveries (state, endpoint_id, team_id, created_at, id) WHERE ended_at IS NOT NULL;
-- What was sent again by hand, by its event.
CREATE INDEX webhook_deliveries_resent
    ON webhook_deliveries (event_id, endpoint_id, team_id) WHERE is_replay;
CREATE INDEX webhook_deliveries_to_forget ON webhook_deliveries (ended_at) WHERE ended_at IS NOT NULL;

-- Each time that it was sent, and how it went. status is null where there was no answer, error where there was one.
CREATE TABLE webhook_attempts (
    team_id {int} NOT NULL,
    delivery_id {text} NOT NULL,
    number {int} NOT NULL CHECK (number >= 1),
    at {int} NOT NULL,
    duration_ms {int} NOT NULL CHECK (duration_ms >= 0),
    status {int},
    error {text},
    -- How the answer begins.
    answer {text},
    PRIMARY KEY (team_id, delivery_id, number)
) {clustered};

-- The one queue: whatever is to happen later. A row is written by the transaction that causes it. Whoever
-- works on it holds a lease; when that runs out, another may. Of no team: number 0.
CREATE TABLE work (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    kind {text} NOT NULL,
    subject {text} NOT NULL,
    -- Whose turns those of a kind take, where it matters: the endpoint of a delivery. Empty elsewhere.
    lane {text} NOT NULL DEFAULT '',
    -- What the work needs to know, a JSON object.
    facts {text} NOT NULL,
    run_after {int} NOT NULL,
    leased_until {int} NOT NULL,
    attempt {int} NOT NULL,
    last_error {text},
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, project_id, kind, subject)
) {rows};
CREATE INDEX work_due ON work (kind, lane, run_after);
-- Teams take turns, however much one of them has that is due; what is in lanes is found by these.
CREATE INDEX work_by_team ON work (kind, team_id, run_after) WHERE lane = '';
CREATE INDEX work_under_way ON work (kind, lane, leased_until) WHERE leased_until > 0;

-- When what looks after the data last ran: one row for each kind of run, the latest. It tells of this database itself, so
-- a copy into another engine leaves it out. `result` is the number of broken rules of a check, and of a backup its bytes.
CREATE TABLE upkeep (
    kind {text} NOT NULL PRIMARY KEY,
    began_at {int} NOT NULL,
    ended_at {int} NOT NULL,
    result {int} NOT NULL,
    version {text} NOT NULL
) {rows};

-- Where the probe of readiness writes and takes back; no team has the number 0 that it uses.
CREATE TABLE locks (
    team_id {int} NOT NULL,
    name {text} NOT NULL,
    PRIMARY KEY (team_id, name)
) {clustered};
