//! Databases to test on, and the small things every test needs.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::ThreadId;
use std::time::Duration;

use billstack_core::code;
use billstack_core::ids::{IdSeed, TeamId};
use billstack_core::money::Amount;
use billstack_core::program::Program;
use billstack_core::referral::{Referral, Terms};
use billstack_core::stripe_event::{Eligibility, Source, Start};
use billstack_core::time::Micros;
use billstack_store::apply::{self, Applied, Apply, InStripe};
use billstack_store::customers::{self, Customer, NewCustomer};
use billstack_store::intake::{self, Content, Delivery, Incoming, Settled};
use billstack_store::migrate::migrate;
use billstack_store::options::Options;
use billstack_store::store::{Store, Target};
use billstack_store::{Abort, Fault, Tx};
use billstack_store::{Act, Actor, Origin, Place};
use billstack_store::{params, projects, verify};
use futures_util::FutureExt;
use scratch_postgres::Cluster;
use tempfile::TempDir;

/// The time at which tests begin.
pub(crate) const START: Micros = Micros::from_secs(1_700_000_000);

/// Which engine a test runs on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

pub(crate) const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// A migrated database of a test's own.
pub(crate) struct Db {
    pub(crate) url: String,
    pub(crate) target: Target,
    pub(crate) store: Store,
    others: Vec<Store>,
    home: ThreadId,
    _directory: Option<TempDir>,
}

impl Db {
    pub(crate) fn new(engine: Engine) -> Db {
        Db::with(engine, &Options::default())
    }

    /// One whose operations meet on one node too: a server's own choice of writers.
    pub(crate) fn crowded(engine: Engine) -> Db {
        Db::with(engine, &crowd())
    }

    /// One like it, in a PostgreSQL database that is as somebody has set it.
    pub(crate) fn crowded_at(url: String) -> Db {
        Db::open(Engine::Postgres, url, None, &crowd())
    }

    pub(crate) fn with(engine: Engine, options: &Options) -> Db {
        let (url, directory) = match engine {
            Engine::Sqlite => {
                let directory = directory();
                let url = format!("sqlite://{}", directory.path().join("test.db").display());
                migrate(&Target::from_url(&url).unwrap(), START).unwrap();
                (url, Some(directory))
            }
            Engine::Postgres => (postgres_database(Some("migrated")), None),
        };
        Db::open(engine, url, directory, options)
    }

    fn open(engine: Engine, url: String, directory: Option<TempDir>, options: &Options) -> Db {
        let target = Target::from_url(&url).unwrap();
        let store = Store::open(&target, options).unwrap();
        let number = match engine {
            Engine::Sqlite => 0,
            Engine::Postgres => nodes() - 1,
        };
        let others = (0..number).map(|_| Store::open(&target, options).unwrap());
        let others = others.collect();
        Db {
            url,
            target,
            store,
            others,
            home: std::thread::current().id(),
            _directory: directory,
        }
    }

    /// The server that a test's thread talks to. With PostgreSQL there is one for the thread that made the
    /// database, and another or two by turns for all others. What one server is asked at once shares a
    /// transaction, so only operations of different servers can truly meet.
    pub(crate) fn node(&self) -> &Store {
        static TURN: AtomicUsize = AtomicUsize::new(0);
        if std::thread::current().id() == self.home || self.others.is_empty() {
            return &self.store;
        }
        let turn = TURN.fetch_add(1, Ordering::Relaxed);
        &self.others[turn % self.others.len()]
    }

    /// Closes every connection; what is returned keeps the file.
    pub(crate) fn close(self) -> Option<TempDir> {
        self._directory
    }

    /// Panics with every breach there is.
    pub(crate) fn assert_sound(&self) {
        assert_sound(&self.store);
    }
}

/// How many nodes a PostgreSQL database has: two, or as many as `BILLSTACK_NODES` says.
fn nodes() -> usize {
    let given = std::env::var("BILLSTACK_NODES").ok();
    given.map_or(2, |text| text.parse().expect("a number of nodes"))
}

fn crowd() -> Options {
    Options {
        write_lanes: 4,
        ..Options::default()
    }
}

pub(crate) fn assert_sound(store: &Store) {
    let breaches = store.scan_blocking(|tx| Ok(verify::verify(tx)?)).unwrap();
    let texts: Vec<_> = breaches.iter().map(ToString::to_string).collect();
    assert!(texts.is_empty(), "{}", texts.join("\n"));
}

/// In memory where there is such a place: what is tested is not the speed of a disk.
pub(crate) fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        return tempfile::tempdir_in(memory).unwrap();
    }
    tempfile::tempdir().unwrap()
}

/// A database of the shared cluster: empty, or a copy of the migrated one.
pub(crate) fn postgres_database(template: Option<&str>) -> String {
    static MIGRATED: OnceLock<()> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let cluster = Cluster::shared();
    MIGRATED.get_or_init(|| {
        let url = cluster.create_database("migrated", None).unwrap();
        migrate(&Target::from_url(&url).unwrap(), START).unwrap();
    });
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{number}");
    let url = cluster.create_database(&name, template).unwrap();
    // Whatever is usual in a database, ours must not depend on it.
    let usual = ["read committed", "repeatable read", "serializable"][number as usize % 3];
    let usual = std::env::var("BILLSTACK_ISOLATION").unwrap_or(usual.to_owned());
    let set = cluster.set_default(&name, "default_transaction_isolation", &usual);
    set.unwrap();
    url
}

/// Where and under which seed an operation runs. Equal numbers make equal ids.
pub(crate) fn origin_at(at: Micros, number: u64) -> Origin {
    let mut seed = [7; 16];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    Origin {
        seed: IdSeed::new(at, seed),
        actor: Actor::System,
        request_id: format!("req_{number}"),
    }
}

/// An origin that no other call in this process has had.
pub(crate) fn origin() -> Origin {
    static NEXT: AtomicU64 = AtomicU64::new(1 << 40);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    origin_at(START.plus(1_000 * (number as i64 & 0xffff_ffff)), number)
}

/// Runs a write and takes its success for granted.
pub(crate) fn write<T: Send + 'static>(
    store: &Store,
    op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
) -> T {
    store.write_blocking(origin(), op).unwrap()
}

/// Waits for what only async code can wait for elsewhere.
pub(crate) fn wait_for<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        if let Some(done) = work.as_mut().now_or_never() {
            return done;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Makes a team; there is no operation that needs nobody to own it.
pub(crate) fn make_team(tx: &mut dyn Tx, team_id: &str) -> Result<(), Fault> {
    let sql = "INSERT INTO teams (team_id, id, name, created_at) VALUES ($1, $2, $2, $3)";
    tx.must(sql, params![&TeamId::from(team_id), team_id, START])
}

/// Makes a project of a team.
pub(crate) fn make_project(tx: &mut dyn Tx, act: &mut Act, team_id: &str) -> Result<Place, Abort> {
    let team_id = TeamId::from(team_id);
    let project = projects::create(tx, act, &team_id, "project")?;
    Ok(Place::new(team_id, project.id))
}

/// A program that promises 10.00 and 5.00 dollars.
pub(crate) fn program() -> Program {
    Program {
        enabled: true,
        terms: Terms {
            referrer_credit_amount: Amount::new(1_000).unwrap(),
            referee_credit_amount: Amount::new(500).unwrap(),
            ..Terms::default()
        },
        ..Program::default()
    }
}

pub(crate) fn new_customer(email: &str, stripe: Option<&str>) -> NewCustomer {
    NewCustomer {
        id: None,
        email: email.to_owned(),
        name: Some("Somebody".to_owned()),
        external_id: None,
        stripe_customer_id: stripe.map(str::to_owned),
        metadata: "{}".to_owned(),
        stripe_note: None,
    }
}

/// Makes a customer, with an address made of its number.
pub(crate) fn make_customer(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    name: &str,
    stripe: Option<&str>,
) -> Result<Customer, Abort> {
    let email = format!("{name}@example.com");
    customers::create(tx, act, place, &new_customer(&email, stripe))
}

pub(crate) fn apply_code(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    typed: &str,
    referee: &str,
) -> Result<Referral, Abort> {
    apply_told(tx, act, place, typed, referee, InStripe::NotAsked)
}

/// The same while Stripe does not answer.
pub(crate) fn apply_unanswered(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    typed: &str,
    referee: &str,
) -> Result<Referral, Abort> {
    apply_told(tx, act, place, typed, referee, InStripe::NoAnswer)
}

fn apply_told(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    typed: &str,
    referee: &str,
    in_stripe: InStripe,
) -> Result<Referral, Abort> {
    let cmd = Apply {
        code: code::normalize(typed),
        is_typed: true,
        click_token: None,
        referee_customer_id: referee.to_owned(),
        in_stripe,
    };
    match apply::apply(tx, act, place, &cmd)? {
        Applied::Done(referral) => Ok(*referral),
        Applied::AskStripe(asked) => panic!("{asked:?}"),
    }
}

/// An active subscription of a Stripe customer that began at [`START`].
pub(crate) fn start(stripe: Option<&str>) -> Start {
    Start {
        object_id: format!("sub_{}", stripe.unwrap_or("none")),
        source: Source::Subscription,
        subscription_id: None,
        eligibility: Eligibility::Counts,
        reason: None,
        began_at: START,
        occurred_at: START,
        ended_at: None,
        stripe_customer_id: stripe.map(str::to_owned),
        stripe_customer_account: None,
        client_reference_id: None,
        buyer_email: None,
        is_trial: false,
        invoice: None,
        billstack_customer_id: None,
        project_id: None,
    }
}

pub(crate) fn incoming(id: &str, start: Start) -> Incoming {
    Incoming {
        id: id.to_owned(),
        kind: "customer.subscription.created".to_owned(),
        created_at: start.occurred_at,
        livemode: Some(false),
        content: Content::Start(Box::new(start)),
        source: intake::Source::Event,
        payload: format!("{{\"id\":\"{id}\"}}"),
        signed_with: None,
        link_answer: None,
    }
}

pub(crate) fn deliver(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &str,
    event: &Incoming,
) -> Result<Option<Settled>, Abort> {
    intake::receive(tx, act, &team_id.into(), event, Delivery::Delivered)
}

/// How many times something is tried: few in `./test`, many in `./test --nightly`.
pub(crate) fn times(few: usize, nightly: usize) -> usize {
    match std::env::var_os("BILLSTACK_NIGHTLY") {
        None => few,
        Some(_) => nightly,
    }
}

/// The seed of a test that draws: that of `BILLSTACK_SEED`, which repeats a run; else each night another. It is
/// printed, and shown when the test fails.
pub(crate) fn seed() -> u64 {
    let seed = match given_seed() {
        Some(seed) => seed,
        None if times(0, 1) == 0 => 1,
        None => fresh_seed(),
    };
    println!("BILLSTACK_SEED={seed}");
    seed
}

/// The seed that is to be tried again.
pub(crate) fn given_seed() -> Option<u64> {
    let given = std::env::var("BILLSTACK_SEED").ok();
    given.map(|text| text.parse().expect("BILLSTACK_SEED is a number"))
}

/// A number that nobody has tried.
pub(crate) fn fresh_seed() -> u64 {
    // Each of these hashes under keys of its own.
    RandomState::new().hash_one(0) >> 1
}

/// A small generator (xorshift64*, Vigna 2016), so that a failing run can be repeated from its seed.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in `times`.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() {
            return None;
        }
        from.get(self.below(from.len() as u64) as usize)
    }
}

/// One of two threads that meet again and again. When one panics, so does the other, which a barrier would
/// keep waiting for ever.
pub(crate) struct Side {
    here: SyncSender<()>,
    there: Receiver<()>,
}

impl Side {
    pub(crate) fn meet(&self) {
        let met = self.here.send(()).is_ok() && self.there.recv().is_ok();
        assert!(met, "the other side is gone");
    }
}

pub(crate) fn two_sides() -> (Side, Side) {
    let (left, of_left) = sync_channel(1);
    let (right, of_right) = sync_channel(1);
    let side = |here, there| Side { here, there };
    (side(left, of_right), side(right, of_left))
}

/// Why the database is of no use to something that was refused for that.
#[track_caller]
pub(crate) fn refusal<T>(done: Result<T, Fault>) -> String {
    match done {
        Err(Fault::Unavailable(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was taken"),
    }
}
