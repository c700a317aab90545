//! What of the ledger is explained by no movement, added up now and then: every page of a project asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use billstack_core::money::Currency;
use billstack_core::time::{MINUTE, Micros};
use billstack_store::attention::{self, Line};
use billstack_store::{Fault, Place, Tx, finance};

/// For how long a sum is good.
const GOOD_FOR: i64 = MINUTE;

/// The most projects that are remembered.
const MOST: usize = 10_000;

/// What was found in each project, and when.
type Found = HashMap<i64, (Micros, Vec<(Currency, i64)>)>;

/// The projects whose ledger was added up lately.
#[derive(Clone, Debug, Default)]
pub struct Ledgers(Arc<Mutex<Found>>);

impl Ledgers {
    /// The lines about the ledger of a project, of which no more than a minute has gone by.
    pub(super) fn lines(
        &self,
        tx: &mut dyn Tx,
        place: &Place,
        now: Micros,
    ) -> Result<Vec<Line>, Fault> {
        let project = place.project_id.number();
        if let Some((at, sums)) = self.found().get(&project)
            && (0..GOOD_FOR).contains(&now.since(*at))
        {
            return Ok(attention::unexplained(sums));
        }
        let sums = finance::unexplained(tx, place)?;
        let lines = attention::unexplained(&sums);
        let mut found = self.found();
        if found.len() >= MOST {
            // Starting over is enough: whoever asks again pays once.
            found.clear();
        }
        found.insert(project, (now, sums));
        Ok(lines)
    }

    fn found(&self) -> std::sync::MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
