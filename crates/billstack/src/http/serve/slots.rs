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
        // Those who are one too many do not count as room when they go.
        while held.of(&address) >= self.most_of_address
            && held.evict(|_, open| open.address == address)
        {}
        let has_share = held.of(&address) < self.most_of_address;
        while has_share && held.open.len() >= self.most && held.evict_of_the_most() {}
        let has_room = has_share && held.open.len() < self.most;
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

    /// How many connections the address has.
    fn of(&self, address: &str) -> usize {
        self.by_address.get(address).copied().unwrap_or_default()
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
        let meant = self.open.iter();
        let meant = meant.filter(|(_, open)| is_meant(self.of(&open.address), open));
        let silent = meant.filter_map(|(id, open)| Some((open.clock.silent_since()?, *id)));
        let Some((_, id)) = silent.min() else {
            return false;
        };
        self.close(id);
        true
    }

    /// Closes a silent connection of an address that has as many as any, or else of another.
    fn evict_of_the_most(&mut self) -> bool {
        let most = self.by_address.values().copied().max();
        self.evict(|count, _| Some(count) == most) || self.evict(|_, _| true)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(slots: &Arc<Slots>, address: &str) -> Slot {
        slots.take(address.to_owned()).unwrap()
    }

    #[test]
    fn a_silent_one_too_many_makes_no_room_among_the_busy() {
        let slots = Slots::new(&Limits {
            max_connections: 2,
            ..Limits::default()
        });
        let busy = [taken(&slots, "a"), taken(&slots, "b")];
        for slot in &busy {
            slot.clock.head_ended();
        }
        let urgent = taken(&slots, "c");
        assert!(urgent.is_crowded);
        urgent.clock.head_ended();
        urgent.clock.answered();

        let next = taken(&slots, "d");
        assert!(urgent.evicted.is_cancelled());
        assert!(next.is_crowded);
        next.clock.head_ended();

        // All the silent go where that makes room.
        let [first, second] = busy;
        first.clock.answered();
        second.clock.answered();
        let last = taken(&slots, "e");
        assert!(first.evicted.is_cancelled() && second.evicted.is_cancelled());
        assert!(!last.is_crowded);
    }

    #[test]
    fn an_address_that_makes_room_for_itself_is_one_too_many_where_all_are_busy() {
        let slots = Slots::new(&Limits {
            max_connections: 1,
            max_connections_per_address: 1,
            ..Limits::default()
        });
        let busy = taken(&slots, "a");
        busy.clock.head_ended();
        let urgent = taken(&slots, "b");
        let next = taken(&slots, "b");
        assert!(urgent.evicted.is_cancelled());
        assert!(next.is_crowded);
    }

    #[test]
    fn an_address_that_is_busy_with_its_share_gets_no_more_by_one_too_many() {
        let slots = Slots::new(&Limits {
            max_connections_per_address: 1,
            ..Limits::default()
        });
        let busy = taken(&slots, "a");
        busy.clock.head_ended();
        let urgent = taken(&slots, "a");
        assert!(urgent.is_crowded);
        let next = taken(&slots, "a");
        assert!(urgent.evicted.is_cancelled());
        assert!(next.is_crowded);
    }
}
