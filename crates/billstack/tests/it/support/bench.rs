//! A bench: real servers on a database of the test's own, a team in it, and clients.

use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use billstack::app::Shared;
use billstack::clock::Clock;
use billstack::secrets::random_bytes;
use billstack::server;
use billstack::settings::{Settings, SettingsArgs};
use billstack::setup::announce_setup;
use billstack::webhooks::out::client::WebhookClient;
use billstack_core::ids::IdSeed;
use billstack_core::time::Micros;
use billstack_store::store::Store;
use billstack_store::{Abort, Tx};
use billstack_store::{Act, Actor, Origin};
use billstack_store::{dump, verify};
use fake_stripe::FakeStripe;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::client::{Anonymous, Caller, CookieClient, KeyClient, Wire};
use super::database::{Database, Engine};
use super::fixture::{self, Tenant};

/// When every test begins: 2026-03-30T12:00:00Z.
pub(crate) const START: Micros = Micros::from_secs(1_774_872_000);

const SECRET_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// How a bench differs from the usual one.
pub(crate) struct Setup {
    /// Servers on the one database.
    pub(crate) nodes: usize,
    /// Whether there is a stand-in for Stripe that the servers call.
    pub(crate) stripe: bool,
    /// Whether nobody is there yet, and the operator has just been shown a set-up token.
    pub(crate) empty: bool,
    /// Changes to the settings.
    pub(crate) settings: fn(&mut SettingsArgs),
    /// What calls endpoints of webhooks, if not the usual client.
    pub(crate) webhooks: Option<fn() -> WebhookClient>,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            nodes: 1,
            stripe: false,
            empty: false,
            settings: |_| {},
            webhooks: None,
        }
    }
}

/// A running server.
pub(crate) struct Node {
    pub(crate) app: Shared,
    pub(crate) origin: String,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

/// What a test works with.
pub(crate) struct Bench {
    pub(crate) clock: Clock,
    pub(crate) nodes: Vec<Node>,
    /// The usual team, and its project.
    pub(crate) home: Tenant,
    /// A key of the usual team with every right.
    pub(crate) key: KeyClient,
    /// The owner of the usual team, signed in.
    pub(crate) owner: CookieClient,
    /// Nobody.
    pub(crate) nobody: Anonymous,
    /// What lets the first user in, on an empty bench.
    pub(crate) setup_token: Option<String>,
    /// Stripe, where the setup asks for it.
    pub(crate) stripe: Option<FakeStripe>,
}

/// Runs a test on a fresh bench, and checks afterwards that the data is sound.
pub(crate) fn run(engine: Engine, setup: Setup, test: impl AsyncFnOnce(&Bench)) {
    let database = Database::new(engine);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let stripe = setup.stripe.then(|| runtime.block_on(FakeStripe::start()));
    let clock = Clock::manual(START.0);
    // The store connects and disconnects outside of async code, hence before and after the runtime.
    let prepared: Vec<_> = (0..setup.nodes)
        .map(|_| prepare(&database, &setup, stripe.as_ref(), clock.clone()))
        .collect();
    let setup_token = setup.empty.then(|| announce_setup(&prepared[0].0));
    let setup_token = setup_token.map(|token| token.expect("there is no user"));
    let mut apps: Vec<Shared> = prepared.iter().map(|(app, _)| Arc::clone(app)).collect();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            let mut bench = Bench::start(clock, prepared, stripe, setup_token).await;
            let outcome = catch(test(&bench)).await;
            bench.stop().await;
            if let Err(panic) = outcome {
                resume_unwind(panic);
            }
        });
    }));
    runtime.shutdown_timeout(Duration::from_secs(5));
    if let Err(panic) = outcome {
        // Dropping the stores joins their threads; the database can then be removed.
        drop(apps);
        resume_unwind(panic);
    }
    assert_sound(&apps[0].store);
    let last = apps.swap_remove(0);
    drop(apps);
    let last = Arc::into_inner(last).expect("the servers have let go of it");
    database.recycle(last.store);
}

/// Catches the panic of a future, so that its server is stopped in order.
async fn catch(test: impl Future<Output = ()>) -> std::thread::Result<()> {
    let mut test = std::pin::pin!(test);
    std::future::poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| test.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => std::task::Poll::Ready(Err(panic)),
        },
    )
    .await
}

/// Panics with every breach of the rules of the data.
pub(crate) fn assert_sound(store: &Store) {
    let breaches = store.scan_blocking(|tx| Ok(verify::verify(tx)?));
    let breaches = breaches.expect("the data can be read");
    let texts: Vec<_> = breaches.iter().map(ToString::to_string).collect();
    assert!(texts.is_empty(), "{}", texts.join("\n"));
}

/// Settings of a server on this database.
pub(crate) fn settings(database_url: &str, change: impl FnOnce(&mut SettingsArgs)) -> Settings {
    let mut args = SettingsArgs {
        database_url: Some(database_url.to_owned()),
        rate_limit: Some("off".to_owned()),
        secret_key: Some(SECRET_KEY.to_owned()),
        reader_threads: Some("1".to_owned()),
        postgres_point_lanes: Some("1".to_owned()),
        postgres_scan_lanes: Some("2".to_owned()),
        ..SettingsArgs::default()
    };
    change(&mut args);
    Settings::from_args(&args).expect("settings")
}

fn prepare(
    database: &Database,
    setup: &Setup,
    stripe: Option<&FakeStripe>,
    clock: Clock,
) -> (Shared, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("a socket");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let settings = settings(&database.url, |args| {
        // Nothing listens there: a test that does not expect a call to Stripe must not make one.
        let base = stripe.map_or("http://127.0.0.1:9".to_owned(), FakeStripe::base_url);
        args.stripe_api_base = Some(base);
        (setup.settings)(args);
    });
    let on_fatal = Arc::new(|why: &str| panic!("{why}"));
    let mut app = server::prepare(settings, clock, origin, on_fatal).expect("a server");
    if let Some(client) = setup.webhooks {
        Arc::get_mut(&mut app)
            .expect("it has not begun")
            .webhooks_out = client();
    }
    (app, listener)
}

impl Node {
    fn start((app, listener): (Shared, TcpListener)) -> Node {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        let (stop, stopped) = oneshot::channel();
        let (origin, shared) = (app.local_url.clone(), Arc::clone(&app));
        let running = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            server::run(&shared, listener, shutdown).await;
        });
        Node {
            app,
            origin,
            stop: Some(stop),
            running,
        }
    }
}

impl Bench {
    async fn start(
        clock: Clock,
        prepared: Vec<(Shared, TcpListener)>,
        stripe: Option<FakeStripe>,
        setup_token: Option<String>,
    ) -> Bench {
        let nodes: Vec<Node> = prepared.into_iter().map(Node::start).collect();
        let wire = Wire::new(&nodes[0].origin, clock.clone());
        let home = match setup_token {
            None => fixture::tenant(&nodes[0].app, &wire, "home").await,
            Some(_) => Tenant::nowhere(&wire),
        };
        Bench {
            key: home.key.clone(),
            owner: home.owner.clone(),
            nobody: Anonymous::new(&wire.within(&home.team, &home.project)),
            clock,
            nodes,
            home,
            setup_token,
            stripe,
        }
    }

    async fn stop(&mut self) {
        for node in &mut self.nodes {
            if let Some(stop) = node.stop.take() {
                let _ = stop.send(());
            }
            let _ = (&mut node.running).await;
        }
    }

    /// What the first server holds.
    pub(crate) fn app(&self) -> &Shared {
        &self.nodes[0].app
    }

    /// Runs an operation of the store, for what no call of the API does.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
    ) -> T {
        write(self.app(), op).await
    }

    /// Every row of every table, but the standing work of the servers, which move it on by themselves.
    pub(crate) async fn dump(&self) -> String {
        let tables = self.app().store.scan(|tx| Ok(dump::dump(tx)?)).await;
        let mut tables = tables.expect("a dump");
        // What the log adds up to is kept by such work too.
        tables.retain(|(table, _)| !table.starts_with("program_") && table != "code_totals");
        for (_, rows) in tables.iter_mut().filter(|(table, _)| table == "work") {
            rows.retain(|row| !row.starts_with("[0,0,"));
        }
        // Whatever a key does marks its day, which is the last column.
        for (_, rows) in tables.iter_mut().filter(|(table, _)| table == "api_keys") {
            for row in rows {
                row.truncate(row.rfind(',').unwrap_or_default());
            }
        }
        let tables = tables
            .iter()
            .map(|(table, rows)| format!("{table}\n{}\n", rows.join("\n")));
        tables.collect()
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> usize {
        let tables = self.app().store.scan(|tx| Ok(dump::dump(tx)?)).await;
        let tables = tables.expect("a dump");
        let found = tables.iter().find(|(name, _)| name == table);
        found.expect("a table").1.len()
    }

    /// The time of the servers.
    pub(crate) fn now(&self) -> Micros {
        Micros(self.clock.now_micros())
    }

    /// The time of the servers in whole seconds, as Stripe writes it.
    pub(crate) fn seconds(&self) -> i64 {
        self.now().0 / 1_000_000
    }

    /// Moves the time of the servers while the owner looks in now and then, to stay signed in.
    pub(crate) async fn later(&self, micros: i64) {
        let step = 6 * billstack_core::time::HOUR;
        for _ in 0..micros / step {
            self.advance(step);
            self.owner.get("referrals/config").await.ok();
        }
        self.advance(micros % step);
    }

    /// Moves the time of the servers.
    pub(crate) fn advance(&self, micros: i64) {
        advance(&self.clock, micros);
    }
}

/// Moves a clock.
pub(crate) fn advance(clock: &Clock, micros: i64) {
    let Clock::Moved(hands) = clock else {
        unreachable!("a bench has a manual clock");
    };
    hands.move_by(micros);
}

/// Runs an operation of the store and takes its success for granted.
pub(crate) async fn write<T: Send + 'static>(
    app: &Shared,
    op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
) -> T {
    let at = Micros(app.clock.now_micros());
    let origin = Origin {
        seed: IdSeed::new(at, random_bytes()),
        actor: Actor::System,
        request_id: "test".to_owned(),
    };
    app.store.write(origin, op).await.expect("an operation")
}
