//! Changes by hand that no constraint refuses: the rules find them on both engines.

use std::collections::BTreeSet;

use billstack_store::params;
use billstack_store::tx::{Abort, Tx};
use billstack_store::verify::{Breach, verify};

use crate::reports::story;
use crate::support::{Db, ENGINES, write};

/// Changes, and the rules that notice them: these and no others.
pub(crate) const CHANGES: &[(&str, &[&str])] = &[
    (
        "UPDATE referrals SET stripe_customer_id = 'cus_x' WHERE status = 'pending'",
        &["conversion_of_converted"],
    ),
    (
        "UPDATE referrals SET stripe_event_id = 'evt_x' WHERE status = 'pending'",
        &["conversion_of_converted"],
    ),
    (
        "UPDATE referrals SET status = 'expired', stripe_subscription_id = 'sub_x' \
         WHERE status = 'pending'",
        &["conversion_of_converted"],
    ),
    (
        "UPDATE referrals SET stripe_event_id = NULL WHERE status = 'converted'",
        &["conversion_named", "converted_by_event", "event_converted"],
    ),
    (
        "UPDATE referrals SET stripe_subscription_id = NULL WHERE status = 'converted'",
        &["conversion_named"],
    ),
    (
        "UPDATE referrals SET stripe_customer_id = NULL WHERE status = 'converted'",
        &[],
    ),
    (
        "UPDATE events SET created_at = created_at + 10000000 WHERE type = 'referral.converted'",
        &["conversion_first"],
    ),
];

fn breaches_of(db: &Db) -> Vec<Breach> {
    db.store.scan_blocking(|tx| Ok(verify(tx)?)).unwrap()
}

#[test]
fn a_change_that_no_constraint_refuses_is_noticed() {
    for engine in ENGINES {
        for (sql, wanted) in CHANGES {
            let db = Db::new(engine);
            write(&db.store, story);
            db.assert_sound();
            let change = |tx: &mut dyn Tx| -> Result<(), Abort> {
                for statement in sql.split("; ") {
                    assert_ne!(tx.execute(statement, params![])?, 0, "{statement}");
                }
                Ok(())
            };
            write(&db.store, move |tx, _| change(tx));
            let breaches = breaches_of(&db);
            let found: BTreeSet<&str> = breaches.iter().map(|breach| breach.rule).collect();
            let wanted: BTreeSet<&str> = wanted.iter().copied().collect();
            assert_eq!(found, wanted, "{engine:?}: {sql}");
        }
    }
}
