-- The first schema. `{int}`, `{text}`, `{bool}`, `{rows}` and `{clustered}` are replaced per engine
-- (billstack-store, dialect module). Times are microseconds since 1970 UTC, money is in minor units.
-- Every tenant table's primary key begins with team_id; users, sessions and the key index are the
-- exceptions.
-- team_id and project_id are numbers that stand for the ids of teams and projects (billstack-core,
-- ids::numbered); the ids themselves are in the tables teams and projects.
-- An index by which few rows are found begins with what tells them apart, and the team comes next: the way
-- down compares one column, not three. That takes 6 % of the writer's instructions for a webhook.

-- People who sign in.
CREATE TABLE users (
    id {text} NOT NULL PRIMARY KEY,
    email {text} NOT NULL UNIQUE,
    name {text} NOT NULL,
    password_hash {text} NOT NULL,
    created_at {int} NOT NULL
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
    role {text} NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, user_id)
) {clustered};
CREATE INDEX members_of_user ON members (user_id);

CREATE TABLE invitations (
    team_id {int} NOT NULL REFERENCES teams (team_id),
    id {text} NOT NULL,
    email {text} NOT NULL,
    role {text} NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
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
    old_webhook_secret {text},
    old_valid_until {int},
    livemode {bool},
    account_id {text},
    account_name {text},
    connected_at {int} NOT NULL
) {rows};

CREATE TABLE programs (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    enabled {bool} NOT NULL,
    referrer_credit_amount {int} NOT NULL CHECK (referrer_credit_amount BETWEEN 0 AND 99999999),
    referee_credit_amount {int} NOT NULL CHECK (referee_credit_amount BETWEEN 0 AND 99999999),
    currency {text} NOT NULL,
    updated_at {int} NOT NULL,
    PRIMARY KEY (team_id, project_id),
    FOREIGN KEY (team_id, project_id) REFERENCES projects (team_id, project_id)
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

-- A customer being created in Stripe: its id is fixed before the call, so a retry finishes the same one.
CREATE TABLE customer_reservations (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    email {text} NOT NULL,
    customer_id {text} NOT NULL,
    attempt {int} NOT NULL,
    claimed_until {int} NOT NULL,
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, project_id, email)
) {clustered};

CREATE TABLE codes (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    code {text} NOT NULL,
    customer_id {text} NOT NULL,
    is_active {bool} NOT NULL,
    created_at {int} NOT NULL,
    deactivated_at {int},
    PRIMARY KEY (team_id, project_id, code),
    FOREIGN KEY (team_id, project_id, customer_id) REFERENCES customers (team_id, project_id, id)
) {clustered};
CREATE UNIQUE INDEX codes_one_active ON codes (customer_id, team_id, project_id) WHERE is_active;
CREATE INDEX codes_of_customer ON codes (customer_id, team_id, project_id, created_at, code);
-- The rest of what a list shows is in its indexes, so that a page is one range of them.
CREATE INDEX codes_newest ON codes (team_id, project_id, created_at, code, customer_id, is_active);
CREATE INDEX codes_newest_active
    ON codes (team_id, project_id, created_at, code, customer_id, is_active) WHERE is_active;

-- Clustered by code, oldest first: reading a code's history is one range. Those of a referrer are
-- found by way of its codes.
CREATE TABLE referrals (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    code {text} NOT NULL,
    created_at {int} NOT NULL,
    id {text} NOT NULL,
    referrer_customer_id {text} NOT NULL,
    referee_customer_id {text} NOT NULL,
    -- Not IN: SQLite fills a table with a longer list each time a row is checked.
    status {text} NOT NULL
        CHECK (status = 'pending' OR status = 'converted' OR status = 'expired'),
    converted_at {int},
    referrer_credit_amount {int} NOT NULL CHECK (referrer_credit_amount BETWEEN 0 AND 99999999),
    referee_credit_amount {int} NOT NULL CHECK (referee_credit_amount BETWEEN 0 AND 99999999),
    currency {text} NOT NULL,
    -- The Stripe customer and the event that converted it, and the subscription that the event told of:
    -- its own id, or that of a session which names none.
    stripe_customer_id {text},
    stripe_event_id {text},
    stripe_subscription_id {text},
    PRIMARY KEY (team_id, project_id, code, created_at, id),
    UNIQUE (id, team_id, project_id),
    UNIQUE (referee_customer_id, team_id, project_id),
    FOREIGN KEY (team_id, project_id, code) REFERENCES codes (team_id, project_id, code),
    FOREIGN KEY (team_id, project_id, referee_customer_id)
        REFERENCES customers (team_id, project_id, id),
    CHECK ((status = 'converted') = (converted_at IS NOT NULL)),
    CHECK (converted_at >= created_at),
    CHECK (referrer_customer_id <> referee_customer_id)
) {clustered};
CREATE INDEX referrals_newest ON referrals (team_id, project_id, created_at, id);
CREATE INDEX referrals_pending ON referrals (team_id, project_id, created_at, id)
    WHERE status = 'pending';
-- One Stripe customer is paid for once in a project, whatever customers point at it.
CREATE UNIQUE INDEX referrals_one_per_stripe_customer
    ON referrals (stripe_customer_id, team_id, project_id) WHERE stripe_customer_id IS NOT NULL;
-- One subscription is paid for once, whatever projects and customers its events may be about.
CREATE UNIQUE INDEX referrals_one_per_subscription
    ON referrals (stripe_subscription_id, team_id) WHERE stripe_subscription_id IS NOT NULL;

CREATE TABLE credits (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    id {text} NOT NULL,
    referral_id {text} NOT NULL,
    customer_id {text} NOT NULL,
    side {text} NOT NULL CHECK (side IN ('referrer', 'referee')),
    amount {int} NOT NULL CHECK (amount BETWEEN 1 AND 99999999),
    currency {text} NOT NULL,
    status {text} NOT NULL,
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, project_id, id),
    UNIQUE (referral_id, team_id, side, project_id),
    FOREIGN KEY (team_id, project_id, referral_id) REFERENCES referrals (team_id, project_id, id)
) {clustered};
CREATE INDEX credits_newest ON credits (team_id, project_id, created_at, id);
CREATE INDEX credits_of_customer ON credits (customer_id, team_id, project_id, created_at, id);

-- Double entry: the postings of a credit sum to zero. Never updated, never deleted. Those of a customer
-- are found by way of its credits.
CREATE TABLE postings (
    team_id {int} NOT NULL,
    project_id {int} NOT NULL,
    credit_id {text} NOT NULL,
    account {text} NOT NULL CHECK (account IN ('program', 'customer')),
    customer_id {text},
    amount {int} NOT NULL CHECK (amount <> 0),
    currency {text} NOT NULL,
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, project_id, credit_id, account),
    FOREIGN KEY (team_id, project_id, credit_id) REFERENCES credits (team_id, project_id, id),
    CHECK ((account = 'customer') = (customer_id IS NOT NULL))
) {clustered};

-- What Stripe sent and what became of it. start holds the facts read from it, without personal data.
CREATE TABLE stripe_events (
    team_id {int} NOT NULL,
    id {text} NOT NULL,
    type {text} NOT NULL,
    created_at {int} NOT NULL,
    received_at {int} NOT NULL,
    livemode {bool},
    outcome {text} NOT NULL CHECK (outcome = 'converted' OR outcome = 'no_referral'
        OR outcome = 'no_customer' OR outcome = 'ambiguous' OR outcome = 'ignored'
        OR outcome = 'waiting' OR outcome = 'failed'),
    reason {text},
    project_id {int},
    customer_id {text},
    referral_id {text},
    start {text},
    payload {text},
    PRIMARY KEY (team_id, id)
) {rows};
CREATE INDEX stripe_events_newest ON stripe_events (team_id, received_at, id);
CREATE INDEX stripe_events_by_outcome ON stripe_events (team_id, outcome, received_at, id);
-- Bodies to forget: by whom they tell of, and by age.
CREATE INDEX stripe_events_of_customer ON stripe_events (customer_id, team_id)
    WHERE payload IS NOT NULL;
CREATE INDEX stripe_events_with_body ON stripe_events (received_at) WHERE payload IS NOT NULL;

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

-- What happened, by whom, and why. Rows of one operation are a microsecond apart, in order.
CREATE TABLE events (
    team_id {int} NOT NULL,
    created_at {int} NOT NULL,
    id {text} NOT NULL,
    project_id {int},
    type {text} NOT NULL,
    subject {text} NOT NULL,
    referral_id {text},
    actor {text} NOT NULL,
    request_id {text} NOT NULL,
    facts {text} NOT NULL,
    PRIMARY KEY (team_id, created_at, id)
) {clustered};
CREATE INDEX events_of_referral ON events (referral_id, team_id, created_at, id)
    WHERE referral_id IS NOT NULL;

-- The first answer under an Idempotency-Key; status is null while a call to Stripe is still running.
CREATE TABLE idempotency_keys (
    team_id {int} NOT NULL,
    caller {text} NOT NULL,
    idempotency_key {text} NOT NULL,
    request_hash {text} NOT NULL,
    status {int},
    body {text},
    customer_id {text},
    claimed_until {int} NOT NULL,
    created_at {int} NOT NULL,
    PRIMARY KEY (team_id, caller, idempotency_key)
) {rows};
CREATE INDEX idempotency_keys_oldest ON idempotency_keys (created_at);
CREATE INDEX idempotency_keys_of_customer ON idempotency_keys (team_id, customer_id)
    WHERE customer_id IS NOT NULL;

-- Where the probe of readiness writes and takes back; no team has the number 0 that it uses.
CREATE TABLE locks (
    team_id {int} NOT NULL,
    name {text} NOT NULL,
    PRIMARY KEY (team_id, name)
) {clustered};
