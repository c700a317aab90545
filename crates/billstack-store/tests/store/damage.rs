//! Changes by hand to every kind of column: the rules find them on both engines.

use std::collections::BTreeSet;

use billstack_core::access::{Role, Scopes};
use billstack_core::ids::TeamId;
use billstack_core::reconcile::{Drift, Remedy};
use billstack_store::api_keys::{self, NewApiKey};
use billstack_store::reconcile::{self, Line, Turn, Wish};
use billstack_store::stripe_connection::{self, NewConnection};
use billstack_store::teams;
use billstack_store::users::{self, NewUser};
use billstack_store::verify::{Breach, verify, verify_in};
use billstack_store::{Abort, Act, Fault, Place, Tx};
use billstack_store::{invitations, params, projects};

use crate::figures::add_up;
use crate::reports::told;
use crate::support::{Db, ENGINES, make_customer, origin, write};

/// Damage, and the rules that must notice it, perhaps among others.
pub(crate) const DAMAGES: &[(&str, &[&str])] = &[
    ("DELETE FROM subscription_starts", &["start_kept"]),
    (
        "UPDATE subscription_starts SET counted_at = NULL",
        &["start_kept"],
    ),
    (
        "UPDATE subscription_starts SET counted_at = counted_at + 1",
        &["start_as_told"],
    ),
    (
        "UPDATE subscription_starts SET began_at = began_at - 1",
        &["start_as_told"],
    ),
    (
        "UPDATE subscription_starts SET began_at = began_at + 1",
        &["start_as_told"],
    ),
    (
        "UPDATE subscription_starts SET existed = FALSE",
        &["start_kept"],
    ),
    (
        "UPDATE subscription_starts SET object_id = 'sub_x'",
        &["start_kept", "start_as_told"],
    ),
    (
        "UPDATE subscription_starts SET match_key = 'stripe:cus_x'",
        &["start_kept", "start_as_told"],
    ),
    (
        "UPDATE stripe_events SET start = NULL",
        &["stripe_event_start", "start_as_told"],
    ),
    (
        "UPDATE stripe_events SET start = REPLACE(start, 'cus_bob', 'cus_x')",
        &["conversion_as_told", "start_as_told"],
    ),
    (
        "UPDATE stripe_events SET start = REPLACE(start, '1700000000000000', '1600000000000000')",
        &["conversion_as_told", "start_as_told"],
    ),
    (
        "UPDATE stripe_events SET outcome = 'waiting', start = NULL",
        &["object_work"],
    ),
    (
        "UPDATE stripe_events SET signed_with = 99",
        &["signed_events"],
    ),
    (
        "UPDATE stripe_events SET payload = 'x'",
        &["readable_payload"],
    ),
    (
        "UPDATE stripe_events SET payload = '{\"id\":\"evt_x\"}'",
        &["readable_payload"],
    ),
    (
        "UPDATE stripe_events SET outcome = 'x', source = 'x'",
        &["stripe_event_values"],
    ),
    (
        "UPDATE referrals SET converted_at = converted_at + 1 WHERE status = 'converted'",
        &["conversion_as_told"],
    ),
    (
        "UPDATE referrals SET stripe_customer_id = NULL WHERE status = 'converted'",
        &["conversion_as_told"],
    ),
    (
        "UPDATE referrals SET stripe_subscription_id = 'sub_x' WHERE status = 'converted'",
        &["conversion_as_told"],
    ),
    (
        "UPDATE events SET facts = '{}' WHERE type = 'referral.converted'",
        &["conversion_as_told"],
    ),
    (
        "UPDATE referrals SET created_at = created_at - 1 WHERE status = 'pending'",
        &["story_times"],
    ),
    (
        "UPDATE referrals SET question_since = 1 WHERE status = 'pending'",
        &["question_work"],
    ),
    (
        "UPDATE referrals SET story_at = story_at + 1",
        &["story_times"],
    ),
    (
        "UPDATE customers SET stripe_customer_id = 'cus_x' WHERE email = 'bob@example.com'",
        &["customer_as_linked"],
    ),
    (
        "UPDATE customers SET stripe_customer_id = 'cus_bo' WHERE email = 'bob@example.com'",
        &["customer_as_linked"],
    ),
    (
        "UPDATE customers SET stripe_customer_id = NULL WHERE email = 'bob@example.com'",
        &["customer_as_linked"],
    ),
    (
        "UPDATE customers SET stripe_customer_id = 'cus_x' WHERE email = 'ann@example.com'",
        &["customer_as_linked"],
    ),
    (
        "UPDATE customers SET email = 'BOB@example.com' WHERE email = 'bob@example.com'",
        &["customer_values"],
    ),
    ("UPDATE customers SET metadata = '[]'", &["customer_values"]),
    (
        "UPDATE customers SET updated_at = 1 WHERE erased_at IS NOT NULL",
        &["customer_times"],
    ),
    (
        "DELETE FROM customers WHERE email = 'eve@example.com'",
        &["customer_kept"],
    ),
    (
        "DELETE FROM code_totals; DELETE FROM codes WHERE NOT is_active",
        &["code_kept"],
    ),
    (
        "DELETE FROM code_totals; UPDATE codes SET code = LOWER(code) WHERE NOT is_active",
        &["code_values", "code_kept"],
    ),
    (
        "DELETE FROM terms WHERE program_id NOT IN (SELECT program_id FROM codes); \
         DELETE FROM programs WHERE id NOT IN (SELECT program_id FROM codes); \
         DELETE FROM link_slugs WHERE project_id NOT IN (SELECT project_id FROM codes); \
         DELETE FROM projects WHERE project_id NOT IN (SELECT project_id FROM codes)",
        &["project_kept"],
    ),
    (
        "DELETE FROM terms WHERE program_id NOT IN (SELECT program_id FROM codes); \
         DELETE FROM programs WHERE id NOT IN (SELECT program_id FROM codes)",
        &["project_program"],
    ),
    ("UPDATE projects SET mode = 'x'", &["project_values"]),
    (
        "UPDATE projects SET clock_offset = 1 WHERE mode = 'live'",
        &["project_values"],
    ),
    ("UPDATE referrals SET clock_offset = 1", &["referral_clock"]),
    (
        "UPDATE referrals SET source = 'x'",
        &["referral_source", "referral_as_applied"],
    ),
    ("UPDATE referrals SET channel = 'qr'", &["referral_source"]),
    (
        "UPDATE referrals SET source = 'click', channel = 'qr', clicked_at = 1",
        &["referral_as_applied"],
    ),
    (
        "UPDATE projects SET mode = 'test'; UPDATE stripe_events SET livemode = TRUE",
        &["test_conversion"],
    ),
    ("UPDATE entries SET cause = 'x'", &["entry_values"]),
    (
        "UPDATE program_days SET number = number + 1 WHERE figure = 'converted'",
        &["figures_as_logged"],
    ),
    (
        "UPDATE program_days SET amount = amount - 1 WHERE side = 'referee'",
        &["figures_as_logged"],
    ),
    (
        "UPDATE program_days SET day = day + 1 WHERE figure = 'conversions'",
        &["figures_as_logged"],
    ),
    (
        "UPDATE program_days SET day = day + 1 WHERE figure = 'converted_of_applied'",
        &["figures_as_logged"],
    ),
    (
        "UPDATE program_days SET amount = amount + 1 WHERE figure = 'credited'",
        &["figures_as_logged"],
    ),
    (
        "UPDATE code_totals SET applied = applied + 1",
        &["code_totals_as_logged"],
    ),
    (
        "UPDATE code_totals SET converted = converted - 1 WHERE converted > 0",
        &["code_totals_as_logged"],
    ),
    (
        "DELETE FROM code_totals WHERE applied = 0",
        &["code_totals_whole"],
    ),
    (
        "UPDATE booked_days SET held = held + 1, available = available - 1",
        &["booked_as_posted"],
    ),
    (
        "DELETE FROM program_days WHERE figure = 'pending'",
        &["figures_as_logged"],
    ),
    ("DELETE FROM program_marks", &["figures_as_logged"]),
    (
        "UPDATE program_marks SET created_at = 0",
        &["figures_as_logged"],
    ),
    (
        "UPDATE entries SET cause_id = 'evt_x'",
        &["entry_as_caused"],
    ),
    (
        "UPDATE entries SET effective_at = effective_at - 1",
        &["entry_as_caused"],
    ),
    (
        "UPDATE credits SET created_at = created_at + 1",
        &["entry_as_caused"],
    ),
    ("UPDATE entry_lines SET amount = -amount", &["credit_parts"]),
    (
        "UPDATE entry_lines SET amount = amount + 1 WHERE account = 'customer'",
        &["entries_balance"],
    ),
    (
        "UPDATE codes SET customer_id = (SELECT id FROM customers WHERE email = 'eve@example.com') \
         WHERE NOT is_active",
        &["code_as_made"],
    ),
    (
        "UPDATE api_keys SET scopes = 'customers:read'",
        &["api_key_as_made"],
    ),
    (
        "UPDATE events SET facts = '{}' WHERE type = 'api_key.created'",
        &["api_key_as_made"],
    ),
    (
        "UPDATE events SET type = 'referral.not_converted' WHERE type = 'referral.converted'",
        &["converted_event"],
    ),
    (
        "UPDATE events SET subject = 'cr_x' WHERE type = 'credit.granted'",
        &["entry_events"],
    ),
    (
        "DELETE FROM events WHERE type = 'credit.granted'",
        &["entry_events", "story_numbers"],
    ),
    (
        "UPDATE stripe_events SET outcome = 'ignored' WHERE outcome = 'converted'",
        &["converted_by_event"],
    ),
    (
        "UPDATE stripe_events SET referral_id = NULL WHERE outcome = 'converted'",
        &["converted_by_event", "event_converted"],
    ),
    (
        "UPDATE stripe_events SET id = 'evt_x'",
        &["converted_by_event", "readable_payload", "start_event"],
    ),
    (
        "UPDATE stripe_events SET type = 'x' WHERE outcome = 'converted'",
        &["conversion_as_told"],
    ),
    (
        "UPDATE terms SET grace = 0 - 1000000000",
        &["conversion_as_told"],
    ),
    (
        "UPDATE referrals SET status = 'expired', converted_at = NULL WHERE status = 'converted'",
        &["converted_event", "credit_of_converted"],
    ),
    (
        "UPDATE referrals SET story_length = story_length + 1",
        &["story_numbers"],
    ),
    (
        "UPDATE customers SET email = NULL, erased_at = updated_at WHERE email = 'cem@example.com'",
        &["erased_person", "erased_referee"],
    ),
    (
        "UPDATE codes SET deactivated_at = NULL WHERE NOT is_active",
        &["code_deactivated_at"],
    ),
    (
        "UPDATE api_keys SET team_id = (SELECT team_id FROM teams WHERE id = 'team_1')",
        &["api_key_kept"],
    ),
    ("UPDATE credits SET kind = 'x'", &["credit_values"]),
    ("DELETE FROM members", &["member_kept"]),
    (
        "UPDATE members SET role = 'member'",
        &["team_owner", "member_as_logged"],
    ),
    ("UPDATE members SET role = 'king'", &["member_values"]),
    (
        "UPDATE invitations SET role = 'king'",
        &["invitation_values"],
    ),
    (
        "UPDATE invitations SET expires_at = 0",
        &["invitation_values"],
    ),
    (
        "UPDATE invitations SET email = 'X@example.com'",
        &["invitation_address"],
    ),
    ("UPDATE users SET email = 'X@example.com'", &["user_values"]),
    ("UPDATE users SET password_hash = 'x'", &["user_values"]),
    (
        "UPDATE api_keys SET scopes = 'nonsense'",
        &["api_key_values"],
    ),
    ("UPDATE api_keys SET scopes = ' '", &["api_key_values"]),
    ("UPDATE api_keys SET last_used_on = 1", &["api_key_values"]),
    (
        "UPDATE api_keys SET revoked_at = NULL WHERE revoked_at IS NOT NULL",
        &["api_key_kept"],
    ),
    ("DELETE FROM api_keys", &["api_key_kept"]),
    (
        "UPDATE stripe_connections SET secret_key = 'x'",
        &["sealed_secrets"],
    ),
    (
        "UPDATE stripe_connections SET webhook_secret = 'x'",
        &["sealed_secrets"],
    ),
    (
        "UPDATE stripe_connections SET webhook_secret = NULL, secret_key = NULL",
        &["old_secret_until"],
    ),
    (
        "UPDATE stripe_connections SET old_valid_until = 1",
        &["old_secret_until"],
    ),
    ("UPDATE reconcile_runs SET status = 'x'", &["reconcile_run"]),
    ("UPDATE reconcile_runs SET remedy = 'x'", &["reconcile_run"]),
    ("UPDATE reconcile_runs SET stage = 'x'", &["reconcile_run"]),
    ("UPDATE reconcile_runs SET slots = 21", &["reconcile_run"]),
    ("UPDATE reconcile_runs SET looked = -1", &["reconcile_run"]),
    ("UPDATE reconcile_runs SET asked = -1", &["reconcile_run"]),
    (
        "INSERT INTO reconcile_notes SELECT team_id, 'x', 'cbtxn_x', 'x', 1 FROM teams",
        &["reconcile_note"],
    ),
    (
        "INSERT INTO reconcile_notes SELECT team_id, 'edited', 'cbtxn_x', '', 1 FROM teams",
        &["reconcile_note"],
    ),
    ("UPDATE reconcile_runs SET ended_at = 1", &["reconcile_run"]),
    (
        "UPDATE reconcile_runs SET status = 'running'",
        &["reconcile_turns"],
    ),
    (
        "UPDATE reconcile_runs SET found = found + 1",
        &["reconcile_lines"],
    ),
    ("UPDATE reconcile_runs SET project_id = 5", &["run_project"]),
    (
        "UPDATE reconcile_lines SET kind = 'x'",
        &["reconcile_lines"],
    ),
    (
        "UPDATE reconcile_lines SET is_repaired = TRUE",
        &["reconcile_lines"],
    ),
    ("DELETE FROM reconcile_lines", &["reconcile_lines"]),
    ("DELETE FROM work WHERE kind = 'reconcile'", &["run_work"]),
];

/// A referral that converted, and a team with everything a team has.
pub(crate) fn everything(tx: &mut dyn Tx, act: &mut Act) -> Result<(), Abort> {
    let place = told(tx, act)?;
    make_customer(tx, act, &place, "eve", None)?;
    projects::create(tx, act, &place.team_id, "other")?;
    let new = NewUser {
        email: "owner@example.com".to_owned(),
        name: "Owner".to_owned(),
        password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned(),
    };
    let owner = users::create(tx, act, &new)?;
    let team_id = teams::create(tx, act, "team", &owner.id)?.id;
    let guest = "guest@example.com";
    invitations::create(tx, act, &team_id, Role::Owner, guest, Role::Admin, "token")?;
    let id = make_key(tx, act, &team_id)?;
    api_keys::revoke(tx, act, &team_id, &id)?;
    let sealed = format!("v1.{}", "0".repeat(80));
    let new = NewConnection {
        secret_key: Some(sealed.clone()),
        publishable_key: None,
        webhook_secret: Some(sealed),
        livemode: Some(false),
        account_id: None,
        account_name: None,
        endpoint_id: None,
        probe: None,
    };
    stripe_connection::connect(tx, act, &team_id, &new)?;
    compare(tx, act, &team_id)
}

/// Two runs of reconcile: one is under way and has found something, the other waits.
fn compare(tx: &mut dyn Tx, act: &mut Act, team_id: &TeamId) -> Result<(), Abort> {
    let mut wish = Wish {
        project_id: None,
        remedy: Remedy::Tell,
        is_whole: false,
        since: None,
    };
    let first = reconcile::ask(tx, act, team_id, &wish)?;
    assert_eq!(reconcile::ask(tx, act, team_id, &wish)?.id, first.id);
    let taken = reconcile::take_up(tx, act, team_id, &first.id)?;
    let Turn::Ours(run) = taken else {
        unreachable!("nothing else is under way: {taken:?}");
    };
    let line = Line {
        kind: Drift::EventMissed,
        subject: "evt_1".to_owned(),
        detail: "invoice.paid".to_owned(),
        is_repaired: false,
    };
    let events = run.events.expect("it looks for events").after();
    reconcile::advance(tx, team_id, &run.id, &events, &[line])?;
    wish.remedy = Remedy::Repair;
    let second = reconcile::ask(tx, act, team_id, &wish)?;
    let taken = reconcile::take_up(tx, act, team_id, &second.id)?;
    assert_eq!(taken, Turn::Another);
    Ok(())
}

fn make_key(tx: &mut dyn Tx, act: &mut Act, team_id: &TeamId) -> Result<String, Abort> {
    let new = NewApiKey {
        key_hash: "hash".to_owned(),
        name: "Backend".to_owned(),
        prefix: "bs_0000".to_owned(),
        project_id: None,
        scopes: Scopes::all(),
        expires_at: None,
    };
    Ok(api_keys::create(tx, act, team_id, &new)?.id)
}

#[test]
fn damage_of_every_kind_is_noticed() {
    for engine in ENGINES {
        let mut faults = Vec::new();
        let db = Db::new(engine);
        write(&db.store, everything);
        add_up(&db.store, 1_000);
        db.assert_sound();
        for (sql, wanted) in DAMAGES {
            let found = found_after(&db, sql);
            if !wanted.iter().all(|rule| found.contains(*rule)) {
                faults.push(format!("{sql}: {wanted:?} not all among {found:?}"));
            }
        }
        db.assert_sound();
        assert!(faults.is_empty(), "{engine:?}: {}", faults.join("\n"));
    }
}

/// Whoever asks about one project is told what those are told of it who ask about everything.
fn assert_told_alike(tx: &mut dyn Tx, all: &[Breach]) -> Result<(), Abort> {
    let sql = "SELECT t.id, p.id FROM projects p JOIN teams t ON t.team_id = p.team_id";
    let places = tx.all(sql, params![], |row| {
        Ok(Place::new(row.string(0)?, row.string(1)?))
    })?;
    for place in places {
        let texts = |breaches: &[Breach]| -> BTreeSet<String> {
            breaches.iter().map(ToString::to_string).collect()
        };
        let there: Vec<Breach> = all
            .iter()
            .filter(|one| one.is_in(&place))
            .cloned()
            .collect();
        let told = verify_in(tx, &place)?;
        assert_eq!(texts(&told), texts(&there), "{place:?}");
    }
    Ok(())
}

/// The rules that are broken by a change, which is taken back.
pub(crate) fn found_after(db: &Db, sql: &'static str) -> BTreeSet<String> {
    let change = move |tx: &mut dyn Tx, _: &mut Act| -> Result<(), Abort> {
        for statement in sql.split("; ") {
            assert_ne!(tx.execute(statement, params![])?, 0, "{statement}");
        }
        let breaches = verify(tx)?;
        assert_told_alike(tx, &breaches)?;
        let rules: Vec<_> = breaches.iter().map(|breach| breach.rule).collect();
        Err(Fault::Unavailable(rules.join(" ")).into())
    };
    match db.store.write_blocking(origin(), change) {
        Err(Abort::Fault(Fault::Unavailable(rules))) => {
            rules.split(' ').map(str::to_owned).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_dropped_index_is_noticed() {
    for engine in ENGINES {
        let db = Db::new(engine);
        write(&db.store, |tx, _| {
            tx.execute("DROP INDEX codes_one_active", params![])?;
            Ok(())
        });
        let breaches = db.store.scan_blocking(|tx| Ok(verify(tx)?)).unwrap();
        let told: Vec<_> = breaches
            .iter()
            .map(|b| (b.rule, b.subject.as_str()))
            .collect();
        assert_eq!(told, [("indexes", "codes_one_active")], "{engine:?}");
    }
}
