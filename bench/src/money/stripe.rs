//! The stand-in for Stripe, on a thread of its own.

use std::collections::BTreeMap;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use fake_stripe::{Customer, EventObject as _, FakeStripe, Generation};
use tokio::sync::oneshot;

/// A running stand-in.
pub(super) struct Stripe {
    fake: Option<FakeStripe>,
    base_url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// The calls of a team so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Calls {
    /// All of them.
    pub(super) all: usize,
    /// Those that wrote a line.
    pub(super) lines: usize,
    /// Those that were answered with anything but success.
    pub(super) refused: usize,
}

impl Stripe {
    /// Starts one whose every answer takes so long.
    pub(super) fn start(latency: Duration) -> Result<Stripe, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let (started, fake) = sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let _ = started.send(FakeStripe::start().await);
                let _ = stopped.await;
            });
        });
        let fake: FakeStripe = fake.recv().map_err(|error| error.to_string())?;
        fake.set_latency(latency);
        Ok(Stripe {
            base_url: fake.base_url(),
            fake: Some(fake),
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// What stands for the address of Stripe.
    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Makes customers who pay in dollars known.
    pub(super) fn know(&self, customers: impl Iterator<Item = String>) {
        let Some(fake) = &self.fake else { return };
        fake.with_books(|books| {
            for id in customers {
                let customer = Customer::new(&id).currency("usd");
                let customer = customer.render(Generation::Endive, false);
                books.customers.put(customer);
            }
        });
    }

    /// The calls so far, by API key.
    pub(super) fn calls(&self) -> BTreeMap<String, Calls> {
        let mut calls = BTreeMap::<String, Calls>::new();
        let Some(fake) = &self.fake else { return calls };
        for request in fake.requests() {
            let of_key = calls.entry(request.api_key.unwrap_or_default());
            let of_key = of_key.or_default();
            of_key.all += 1;
            let is_line =
                request.method == "POST" && request.path.ends_with("/balance_transactions");
            let is_done = request.answered == Some(200);
            of_key.lines += usize::from(is_line && is_done);
            of_key.refused += usize::from(request.answered.is_some() && !is_done);
        }
        calls
    }

    /// Forgets the calls so far.
    pub(super) fn forget_calls(&self) {
        if let Some(fake) = &self.fake {
            fake.clear_requests();
        }
    }
}

impl Drop for Stripe {
    fn drop(&mut self) {
        drop(self.fake.take());
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
