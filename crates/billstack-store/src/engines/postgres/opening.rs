//! Whether a server that starts gets all the connections that it needs.
//!
//! With fewer it would seem to work, and requests would wait for a lane that never comes.

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::connection::Settings;
use super::transaction::{PostgresTx, TOO_MANY};
use crate::engines::options::Options;
use crate::seam::Fault;

type Opened = Result<(), Fault>;

/// What each lane begins with.
#[derive(Clone)]
pub(super) struct Opening(Option<Sender<Opened>>);

/// What became of all lanes.
pub(super) struct Outcomes(Receiver<Opened>);

/// Lanes of a server connect at once and tell; those of a short command connect when they have work.
pub(super) fn of(options: &Options) -> (Opening, Outcomes) {
    let (told, outcomes) = unbounded();
    (
        Opening(options.exclusive.then_some(told)),
        Outcomes(outcomes),
    )
}

impl Opening {
    /// The connection that a lane begins with.
    pub(super) fn begin(self, settings: &Settings) -> Option<PostgresTx> {
        let told = self.0?;
        let (connection, outcome) = match PostgresTx::open(settings) {
            Ok(connection) => (Some(connection), Ok(())),
            Err(why) => (None, Err(why)),
        };
        // Nobody listens any more when the store was given up.
        let _ = told.send(outcome);
        connection
    }
}

impl Outcomes {
    /// Waits for all lanes. They keep their connections meanwhile, so that all of them are open at once.
    pub(super) fn all(self) -> Opened {
        let outcomes: Vec<_> = self.0.iter().collect();
        let wanted = outcomes.len();
        let faults: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
        let got = wanted - faults.len();
        match faults.into_iter().next() {
            None => Ok(()),
            Some(Fault::Unavailable(why)) if got > 0 || why.contains(TOO_MANY) => {
                Err(Fault::Unavailable(format!(
                    "this server needs {wanted} connections at once and got {got} ({why}); raise max_connections, the \
                     CONNECTION LIMIT of the role or database, or the pool size of the pooler, or lower \
                     BILLSTACK_POSTGRES_WRITE_LANES, BILLSTACK_POSTGRES_POINT_LANES or \
                     BILLSTACK_POSTGRES_SCAN_LANES"
                )))
            }
            Some(why) => Err(why),
        }
    }
}
