//! Looking up the addresses of a host.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::Semaphore;

/// How many hosts are looked up at once. Each takes a thread, as long as the name servers of that host are silent.
const AT_ONCE: usize = 128;

/// Looks up hosts.
pub trait Resolve: Send + Sync {
    /// The addresses that a host has now.
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

type Found = Result<Vec<IpAddr>, io::ErrorKind>;
type LookUp = Shared<BoxFuture<'static, Found>>;

/// Looks up hosts as the machine does. Nothing is kept: a look-up is shared by whoever asks for the same host while
/// it goes on, so a host whose name servers are silent takes one thread and no more.
pub struct SystemResolver {
    under_way: Arc<Mutex<HashMap<String, LookUp>>>,
    threads: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> SystemResolver {
        SystemResolver {
            under_way: Arc::default(),
            threads: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let joined = under_way.get(host).cloned();
        let look_up = joined.unwrap_or_else(|| {
            let begun = self.begin(host.to_owned());
            under_way.insert(host.to_owned(), begun.clone());
            begun
        });
        look_up.map(|found| found.map_err(io::Error::from)).boxed()
    }
}

impl SystemResolver {
    /// Begins a look-up. It goes on by itself, so that its end is noted even when nobody waits for it any more.
    fn begin(&self, host: String) -> LookUp {
        let (under_way, threads) = (Arc::clone(&self.under_way), Arc::clone(&self.threads));
        let task = tokio::spawn(async move {
            let _permit = threads.acquire_owned().await;
            let name = host.clone();
            let looked = tokio::task::spawn_blocking(move || look_up(&name)).await;
            let mut under_way = under_way.lock().unwrap_or_else(PoisonError::into_inner);
            under_way.remove(&host);
            looked.unwrap_or(Err(io::ErrorKind::Other))
        });
        let found = task.map(|done| done.unwrap_or(Err(io::ErrorKind::Other)));
        found.boxed().shared()
    }
}

fn look_up(host: &str) -> Found {
    let found = (host, 0).to_socket_addrs().map_err(|error| error.kind())?;
    Ok(found.map(|address| address.ip()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn finds_what_the_machine_finds_and_keeps_nothing() {
        let resolver = SystemResolver::default();
        let both = tokio::join!(resolver.resolve("localhost"), resolver.resolve("localhost"));
        let found = both.0.expect("every machine has it");
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback));
        assert_eq!(both.1.expect("the same look-up"), found);
        assert!(resolver.under_way.lock().expect("no panic").is_empty());
        let missing = resolver.resolve("nowhere.invalid").await;
        missing.expect_err("there is no such host");
    }
}
