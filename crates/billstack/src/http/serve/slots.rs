//! Who holds the connections.
//!
//! Whoever asks for something is served; whoever is silent has to make room. So a crowd of sockets that are merely
//! open keeps nobody out. An address that has its share makes room itself. When every connection is busy, a few more
//! are accepted for what must not wait; see [`Limits::urgent`](super::Limits).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Limits;
use super::head::ClientClock;

/// How long to wait before looking again whether one of the busy connections has ended.
pub(super) const A_MOMENT: Duration = Duration::from_millis(10);

/// The connections of a server.
#[derive(Debug)]
pub(super) struct Slots {
    most: usize,
    most_of_address: usize,
    reserved: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    last: u64,
    open: HashMap<u64, Open>,
    by_address: HashMap<String, usize>,
}

#[derive(Debug)]
struct Open {
    address: String,
    clock: ClientClock,
    evicted: CancellationToken,
}

/// The place of one connection; dropped, it is free.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Arc<Slots>,
    id: u64,
    pub(super) clock: ClientClock,
    /// Cancelled when the connection has to make room.
    pub(super) evicted: CancellationToken,
    /// Whether only urgent requests are served on it.
    pub(super) is_crowded: bool,
}

/// Why there is no place for a connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// All the others are busy, and one of them will end.
    Busy,
    /// Its address has its share, and is busy with it.
    OfAddress,
}

impl Slots {
    pub(super) fn new(limits: &Limits) -> Arc<Slots> {
        Arc::new(Slots {
            most: limits.max_connections,
            // Those of a proxy are everybody's.
            most_of_address: match limits.behind_proxy {
                true => usize::MAX,
                false => limits.max_connections_per_address,
            },
            reserved: limits.reserved_connections,
            held: Mutex::default(),
        })
    }

    /// Whether a further connection could not even be closed with a reason.
    pub(super) fn are_all_busy(&self) -> bool {
        let held = self.lock();
        held.open.len() >= self.most + self.reserved && held.are_busy()
    }

    /// A place for a connection from this address, as soon as there is one.
    ///
    /// Few ever wait here: the rest is left in the kernel's queue.
    pub(super) async fn wait_for(self: &Arc<Self>, address: String) -> Result<Slot, Full> {
        loop {
            match self.take(address.clone()) {
                Err(Full::Busy) => sleep(A_MOMENT).await,
                taken => return taken,
            }
        }
    }

    fn take(self: &Arc<Self>, address: String) -> Result<Slot, Full> {
        let mut held = self.lock();
        let theirs = held.by_address.get(&address).copied().unwrap_or_default();
        let has_room = if theirs >= self.most_of_address {
            held.evict(|_, open| open.address == address)
        } else if held.open.len() >= self.most {
            let most = held.by_address.values().copied().max();
            held.evict(|count, _| Some(count) == most) || held.evict(|_, _| true)
        } else {
            true
        };
        if !has_room && held.open.len() >= self.most + self.reserved {
            return Err(match held.are_busy() {
                true => Full::Busy,
                false => Full::OfAddress,
            });
        }
        Ok(held.open(self, address, !has_room))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn are_busy(&self) -> bool {
        let mut open = self.open.values();
        open.all(|open| open.clock.silent_since().is_none())
    }

    fn open(&mut self, slots: &Arc<Slots>, address: String, is_crowded: bool) -> Slot {
        self.last += 1;
        let (id, clock, evicted) = (self.last, ClientClock::start(), CancellationToken::new());
        *self.by_address.entry(address.clone()).or_default() += 1;
        let open = Open {
            address,
            clock: clock.clone(),
            evicted: evicted.clone(),
        };
        self.open.insert(id, open);
        Slot {
            slots: Arc::clone(slots),
            id,
            clock,
            evicted,
            is_crowded,
        }
    }

    /// Closes the connection that has been silent for the longest time, of those meant; tells whether there is one.
    fn evict(&mut self, is_meant: impl Fn(usize, &Open) -> bool) -> bool {
        let count = |open: &Open| self.by_address.get(&open.address).copied();
        let meant = self.open.iter();
        let meant = meant.filter(|(_, open)| is_meant(count(open).unwrap_or_default(), open));
        let silent = meant.filter_map(|(id, open)| Some((open.clock.silent_since()?, *id)));
        let Some((_, id)) = silent.min() else {
            return false;
        };
        self.close(id);
        true
    }

    fn close(&mut self, id: u64) {
        let Some(open) = self.open.remove(&id) else {
            return;
        };
        open.evicted.cancel();
        if let Some(count) = self.by_address.get_mut(&open.address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&open.address);
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.lock().close(self.id);
    }
}
