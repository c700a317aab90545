//! Starting, steering and stopping the fake.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::api;
use crate::auth::Keys;
use crate::books::Books;
use crate::clock::Clock;
use crate::connection::{Breaker, Stream};
use crate::fault::{Fault, Faults, Injection};
use crate::generation::Generation;
use crate::idempotency::Replies;
use crate::journal::{Journal, Received};
use crate::money::Money;
use crate::permissions::Permissions;
use crate::turns::Turns;

/// How a fake is set up before it starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The name that `GET /v1/account` shows.
    pub account_name: String,
    /// The account's default version: of a request that names none, and of `GET /v1/events`.
    pub default_generation: Generation,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            account_name: "Fake Stripe Account".to_owned(),
            default_generation: Generation::Endive,
        }
    }
}

/// What the requests share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) clock: Clock,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) replies: Replies,
    pub(crate) turns: Turns,
    pub(crate) down: watch::Sender<bool>,
    keys: Mutex<Keys>,
    permissions: Mutex<Permissions>,
    test: Mutex<Books>,
    live: Mutex<Books>,
}

impl App {
    fn new(settings: &Settings) -> Self {
        let books = || Books::new(&settings.account_name, settings.default_generation);
        Self {
            clock: Clock::new(),
            faults: Faults::default(),
            journal: Journal::default(),
            replies: Replies::default(),
            turns: Turns::default(),
            down: watch::Sender::new(false),
            keys: Mutex::default(),
            permissions: Mutex::default(),
            test: Mutex::new(books()),
            live: Mutex::new(books()),
        }
    }

    pub(crate) fn books(&self, livemode: bool) -> MutexGuard<'_, Books> {
        let books = if livemode { &self.live } else { &self.test };
        books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn permissions(&self) -> MutexGuard<'_, Permissions> {
        self.permissions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running fake. Dropping it stops it.
#[derive(Debug)]
pub struct FakeStripe {
    address: SocketAddr,
    app: Arc<App>,
    accepting: JoinHandle<()>,
}

impl FakeStripe {
    /// Starts a fake on a free port of the loopback interface.
    ///
    /// # Panics
    /// When no port can be opened.
    pub async fn start() -> Self {
        Self::start_with(Settings::default())
            .await
            .expect("a free port on the loopback interface")
    }

    /// Starts a fake as the settings say.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start_with(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let app = Arc::new(App::new(&settings));
        let accepting = tokio::spawn(accept(listener, app.clone()));
        Ok(Self {
            address,
            app,
            accepting,
        })
    }

    /// The URL that stands for `https://api.stripe.com`, without a slash at its end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until the task is stopped from outside.
    pub async fn serve_forever(mut self) {
        // Accepting ends only with the runtime, and then nobody asks how.
        let _ = (&mut self.accepting).await;
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.app.clock
    }

    /// Looks at or changes the test-mode objects. Requests wait meanwhile.
    pub fn with_books<T>(&self, work: impl FnOnce(&mut Books) -> T) -> T {
        work(&mut self.app.books(false))
    }

    /// Looks at or changes the live-mode objects. Requests wait meanwhile.
    pub fn with_live_books<T>(&self, work: impl FnOnce(&mut Books) -> T) -> T {
        work(&mut self.app.books(true))
    }

    /// Makes things happen to money in test mode.
    pub fn money(&self) -> Money<'_> {
        Money::new(&self.app, false)
    }

    /// Makes things happen to money in live mode.
    pub fn live_money(&self) -> Money<'_> {
        Money::new(&self.app, true)
    }

    /// The events of what happened in test mode since this was last called, oldest first, as an endpoint
    /// of this version gets them. See [`Books::take_events`].
    pub fn take_events(&self, generation: Generation) -> Vec<Value> {
        self.with_books(|books| books.take_events(generation))
    }

    /// The thin events of the same. See [`Books::take_thin_events`].
    pub fn take_thin_events(&self) -> Vec<Value> {
        self.with_books(Books::take_thin_events)
    }

    /// Accepts only these API keys from now on.
    pub fn accept_only(&self, keys: &[&str]) {
        *self.app.keys() = Keys::Only(keys.iter().map(|key| (*key).to_owned()).collect());
    }

    /// Accepts every well-formed secret or restricted key, as after the start.
    pub fn accept_any_key(&self) {
        *self.app.keys() = Keys::WellFormed;
    }

    /// Lets a key do only what these permissions (`rak_…`) allow, whether or not it is a restricted one.
    pub fn restrict(&self, key: &str, to: &[&str]) {
        self.app.permissions().restrict(key, to.iter().copied());
    }

    /// Lets the next `times` calls, whichever they are, meet a fault.
    pub fn fail_next(&self, times: usize, fault: Fault) {
        self.inject(Injection::new(fault).times(times));
    }

    /// Lets chosen calls meet a fault. Of several injections that match, the first is used up first.
    pub fn inject(&self, injection: Injection) {
        self.app.faults.inject(injection);
    }

    /// How many ordered faults have not happened yet.
    pub fn faults_left(&self) -> usize {
        self.app.faults.left()
    }

    /// Takes back all faults that have not happened yet, and lets calls that hang go on.
    pub fn clear_faults(&self) {
        self.app.faults.clear();
    }

    /// While down, new connections are reset at once and open ones are broken. The port stays taken,
    /// so that nobody else can answer on it.
    pub fn set_down(&self, down: bool) {
        self.app.down.send_replace(down);
    }

    /// Every request received, oldest first. Calls made while down are not among them.
    pub fn requests(&self) -> Vec<Received> {
        self.app.journal.all()
    }

    /// Forgets the requests received so far.
    pub fn clear_requests(&self) {
        self.app.journal.clear();
    }

    /// The pairs of writes to one customer that were in flight at the same time.
    pub fn overlaps(&self) -> Vec<(Received, Received)> {
        self.app.journal.overlaps()
    }

    /// Lets every call take this long from now on.
    pub fn set_latency(&self, latency: Duration) {
        self.app.turns.set_latency(latency);
    }

    /// Refuses a write to a customer with 429 `lock_timeout` while another one is being worked on, from
    /// now on or no more. It needs some latency to be seen.
    pub fn refuse_overlap(&self, refuse: bool) {
        self.app.turns.refuse_overlap(refuse);
    }

    /// Forgets all answers kept for idempotency keys, as if a day had gone by. A key that is being worked
    /// on stays taken.
    pub fn forget_idempotency_keys(&self) {
        self.app.replies.forget();
    }

    /// The test-mode idempotency keys that are still remembered, in no order.
    pub fn idempotency_keys(&self) -> Vec<String> {
        let keys = self.app.replies.keys(self.app.clock.now());
        keys.into_iter()
            .filter(|(livemode, _)| !livemode)
            .map(|(_, key)| key)
            .collect()
    }
}

impl Drop for FakeStripe {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, app: Arc<App>) {
    let router = api::router(app.clone());
    // Ends all connections when this task is stopped.
    let mut connections = JoinSet::new();
    loop {
        // A failed accept (no descriptors left, a peer that is gone) says nothing about the next one.
        let Ok((tcp, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(tcp, router.clone(), app.clone()));
    }
}

async fn serve(tcp: TcpStream, router: Router, app: Arc<App>) {
    let breaker = Arc::new(Breaker::default());
    let mut down = app.down.subscribe();
    let stream = TokioIo::new(Stream::new(tcp, breaker.clone()));
    let service = TowerToHyperService::new(router.layer(Extension(breaker.clone())));
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(stream, service);
    tokio::pin!(connection);
    tokio::select! {
        biased;
        _ = down.wait_for(|down| *down) => breaker.trip(),
        () = breaker.tripped() => {}
        // How a connection ended is its client's affair.
        _ = &mut connection => {}
    }
}
