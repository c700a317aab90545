//! Who is in a team, and what the log says of everybody who was made.

use crate::tables::teams::team_of;

/// SQL for what an event of the log tells of a membership, added up: each step to a role counts one, each from
/// it takes one away. A sum asks no clock, and those of two nodes may differ.
macro_rules! steps {
    ($role:literal) => {
        concat!(
            "COALESCE((SELECT SUM(CASE \
             WHEN e.type = 'member.joined' THEN 1 WHEN e.type = 'member.removed' THEN -1 \
             WHEN REPLACE(e.facts, '\"to\":\"' || ",
            $role,
            " || '\"', '') <> e.facts THEN 1 ELSE -1 END) FROM events e \
             WHERE e.team_id = m.team_id AND e.subject = m.user_id \
             AND e.type IN ('member.joined', 'member.role_changed', 'member.removed') \
             AND REPLACE(e.facts, '\"' || ",
            $role,
            " || '\"', '') <> e.facts), 0)"
        )
    };
}

declare_rules! {
    team_owner, "a team with members has an owner" =
        concat!("SELECT ", team_of!("m"), ", ", team_of!("m"), " FROM members m GROUP BY m.team_id \
        HAVING SUM(CASE WHEN m.role = 'owner' THEN 1 ELSE 0 END) = 0 LIMIT 100");

    member_as_logged, "a member has the role that the log tells" =
        concat!("SELECT m.user_id, ", team_of!("m"), " FROM members m \
        WHERE ", steps!("m.role"), " <> 1 LIMIT 100");

    member_kept, "whoever joined a team more often than they left is a member" =
        concat!("SELECT e.subject, ", team_of!("e"), " FROM events e \
        LEFT JOIN members m ON m.team_id = e.team_id AND m.user_id = e.subject \
        WHERE e.type IN ('member.joined', 'member.removed') GROUP BY e.team_id, e.subject \
        HAVING SUM(CASE WHEN e.type = 'member.joined' THEN 1 ELSE -1 END) <> COUNT(DISTINCT m.user_id) \
        LIMIT 100");

    customer_as_linked, "a customer has the link to Stripe that the log tells" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM events e JOIN customers c \
        ON c.team_id = e.team_id AND c.project_id = e.project_id AND c.id = e.subject \
        WHERE e.type IN ('customer.created', 'customer.linked', 'customer.updated') \
        GROUP BY c.team_id, c.project_id, c.id, c.stripe_customer_id \
        HAVING SUM(CASE WHEN e.type = 'customer.updated' \
        AND REPLACE(e.facts, '\"stripeCustomerId\"', '') <> e.facts THEN 1 ELSE 0 END) = 0 \
        AND (SUM(CASE WHEN e.type <> 'customer.updated' \
        AND REPLACE(e.facts, '\"stripeCustomerId\":\"' || COALESCE(c.stripe_customer_id || '\"', ''), '') \
        <> e.facts THEN 1 ELSE 0 END) > 0) = (c.stripe_customer_id IS NULL) LIMIT 100");

    customer_kept, "a customer in the log exists" =
        concat!("SELECT e.subject, ", place_of!("e"), " FROM events e \
        LEFT JOIN customers c ON c.team_id = e.team_id AND c.project_id = e.project_id \
        AND c.id = e.subject WHERE e.type = 'customer.created' AND c.id IS NULL LIMIT 100");

    code_kept, "a code in the log exists" =
        concat!("SELECT e.subject, ", place_of!("e"), " FROM events e \
        LEFT JOIN codes c ON c.team_id = e.team_id AND c.project_id = e.project_id \
        AND c.code = e.subject WHERE e.type = 'code.created' AND c.code IS NULL LIMIT 100");

    code_as_made, "a code is of the customer for whom it was made" =
        concat!("SELECT c.code, ", place_of!("c"), " FROM events e JOIN codes c \
        ON c.team_id = e.team_id AND c.project_id = e.project_id AND c.code = e.subject \
        WHERE e.type = 'code.created' \
        AND REPLACE(e.facts, '\"customerId\":\"' || c.customer_id || '\"', '') = e.facts LIMIT 100");

    project_kept, "a project in the log exists" =
        concat!("SELECT e.subject, ", team_of!("e"), " FROM events e \
        LEFT JOIN projects p ON p.team_id = e.team_id AND p.project_id = e.project_id \
        WHERE e.type = 'project.created' AND p.id IS NULL LIMIT 100");

    api_key_kept, "an API key in the log exists, and is revoked if the log says so" =
        concat!("SELECT e.subject, ", team_of!("e"), " FROM events e \
        LEFT JOIN api_keys k ON k.team_id = e.team_id AND k.id = e.subject \
        WHERE (e.type = 'api_key.created' AND k.id IS NULL) \
        OR (e.type = 'api_key.revoked' AND k.revoked_at IS NULL) LIMIT 100");
}
