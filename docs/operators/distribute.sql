-- Spreads a freshly migrated, empty schema over the workers of a Citus cluster. Run it once with psql, on the
-- coordinator, before the first `billstack init` or `serve`: see several-database-machines.md.
--
-- It is one transaction: when a step fails, nothing is changed.
\set ON_ERROR_STOP on
BEGIN;
-- Tables that refer to each other are changed one after the other, over one connection for each worker.
SET LOCAL citus.multi_shard_modify_mode TO 'sequential';

-- A table that has rows would stay locked while they are copied, beside servers that write.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'teams'::regclass) THEN
        RAISE EXCEPTION 'the tables are distributed already';
    ELSIF EXISTS (SELECT FROM teams) OR EXISTS (SELECT FROM users) OR EXISTS (SELECT FROM work) THEN
        RAISE EXCEPTION 'the database is in use; only an empty one can be distributed';
    END IF;
END $$;

-- While some tables are distributed and others are not yet, a foreign key between them is refused: all are put
-- aside, and put back as they were.
CREATE TEMPORARY TABLE set_aside ON COMMIT DROP AS
    SELECT conrelid::regclass AS on_table, conname AS name, pg_get_constraintdef(oid) AS definition
    FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace;
DO $$
DECLARE key record;
BEGIN
    FOR key IN SELECT * FROM set_aside LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', key.on_table, key.name);
    END LOOP;
END $$;

-- On every machine: what is looked up before the team is known, and what tenant tables are joined with.
SELECT create_reference_table('users');
SELECT create_reference_table('sessions');
SELECT create_reference_table('setup_tokens');
SELECT create_reference_table('teams');
SELECT create_reference_table('projects');
SELECT create_reference_table('api_keys');
SELECT create_reference_table('link_slugs');

-- By team: all rows of a team are on one machine, so that an operation never waits for two of them.
SELECT create_distributed_table('members', 'team_id', colocate_with => 'none');
SELECT create_distributed_table('invitations', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('stripe_connections', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('programs', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('terms', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('customers', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('codes', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('referrals', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('code_aliases', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('link_keys', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('click_days', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('link_settings', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('portal_settings', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('attention_dismissals', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('portal_tickets', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('credits', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('entries', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('entry_lines', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('stripe_balances', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('stripe_balance_lines', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('stripe_operations', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('stripe_events', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('money_facts', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('payment_links', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('subscription_starts', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('events', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('program_marks', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('code_totals', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('program_days', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('program_budgets', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('booked_marks', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('booked_days', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('idempotency_keys', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('reconcile_runs', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('reconcile_lines', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('reconcile_notes', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('webhook_endpoints', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('webhook_deliveries', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('webhook_attempts', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('webhook_outbox', 'team_id', colocate_with => 'members');
SELECT create_distributed_table('work', 'team_id', colocate_with => 'members');

-- On the coordinator alone: `schema_migrations`, which is read when a server starts, `upkeep`, which tells when the
-- data was last checked, and `locks`, by which a node that is not ready learns whether the coordinator takes writes.

DO $$
DECLARE key record;
BEGIN
    FOR key IN SELECT * FROM set_aside LOOP
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', key.on_table, key.name, key.definition);
    END LOOP;
END $$;
COMMIT;
