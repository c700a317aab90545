//! The database fails under a running server: what was acknowledged is there, what was refused is not, and whatever
//! is repeated happens once.

mod disk;
mod links;
mod postgres;

use std::ffi::OsString;
use std::future::Future;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use billstack::clock::Clock;
use fake_stripe::{EventOptions, Subscription, body, event, sign};
use serde_json::{Value, json};

use super::{INIT, PASSWORD, PATIENCE, Place, Server, finish};
use crate::support::client::http;
use crate::support::fixture::text;

/// Those who call at once.
const CALLERS: usize = 6;

/// More writes than the file of a log has room for.
const MOST_THAT_FIT: usize = 5_000;

/// Between two looks, and before something is repeated.
const PAUSE: Duration = Duration::from_millis(20);

/// How long a caller whose call was not done lets the server be.
const BACK_OFF: Duration = Duration::from_millis(100);

/// No call hangs: the store gives a server of PostgreSQL up after 30 s.
const LONGEST_CALL: Duration = Duration::from_secs(40);

/// A project of a server that can be started again.
struct World {
    place: Place,
    settings: Vec<(String, OsString)>,
    project: String,
    webhook: String,
    key: String,
}

impl World {
    /// With these variables for every process.
    fn new(place: Place, settings: Vec<(String, OsString)>) -> World {
        let mut world = World {
            place,
            settings,
            project: String::new(),
            webhook: String::new(),
            key: String::new(),
        };
        let made = finish(world.command(&INIT), &format!("{PASSWORD}\n")).ok();
        let made: Value = serde_json::from_str(&made).expect("one JSON object");
        let (team, project) = (text(&made["teamId"]), text(&made["projectId"]));
        world.project = format!("/api/billstack/teams/{team}/projects/{project}");
        world.webhook = format!("/api/webhooks/stripe/{team}");
        world.key = text(&made["apiKey"]);
        world
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.place.command(args);
        command.envs(self.settings.iter().cloned());
        command.env("BILLSTACK_RATE_LIMIT", "off");
        command.env("BILLSTACK_SECRET_KEY", "ab".repeat(32));
        command
    }

    /// Starts a server whose log is in the file `log`.
    fn serve(&self) -> Server {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        let log = std::fs::File::create(self.place.file("log")).expect("a log");
        command.stderr(log);
        Server::start_as_it_is(command)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.place.file("log")).expect("a log")
    }

    fn caller(&self, server: &Server) -> Caller {
        let http = http().timeout(LONGEST_CALL);
        Caller {
            http: http.build().expect("a client"),
            origin: format!("http://{}", server.address),
            project: self.project.clone(),
            webhook: self.webhook.clone(),
            key: self.key.clone(),
        }
    }

    fn verify(&self) {
        let said = finish(self.command(&["verify"]), "").ok();
        assert!(said.contains("rules hold"), "{said}");
    }
}

/// Why a call was not done.
#[derive(Clone, Debug, PartialEq)]
enum Trouble {
    /// 503 with this reason.
    Refused(String),
    /// The connection broke.
    Broken,
}

impl Trouble {
    fn unavailable() -> Trouble {
        Trouble::Refused("database_unavailable".to_owned())
    }

    fn unknown() -> Trouble {
        Trouble::Refused("outcome_unknown".to_owned())
    }
}

/// Tries until it is refused because there is no database to write to, and tells how often it was not.
async fn until_refused(attempt: impl AsyncFn(usize) -> Result<Value, Trouble>) -> usize {
    for number in 0..MOST_THAT_FIT {
        if let Err(trouble) = attempt(number).await {
            assert_eq!(trouble, Trouble::unavailable());
            return number;
        }
    }
    panic!("writes are taken in spite of all");
}

#[derive(Clone)]
struct Caller {
    http: reqwest::Client,
    origin: String,
    project: String,
    webhook: String,
    key: String,
}

impl Caller {
    /// Under a key that belongs to the path and this name.
    async fn post(&self, path: &str, name: &str, body: Value) -> Result<Value, Trouble> {
        let key = format!("{path} {name}");
        let call = self.http.post(format!("{}{path}", self.at_project()));
        let call = call.bearer_auth(&self.key).header("idempotency-key", key);
        let call = call.header("content-type", "application/json");
        told(call.body(body.to_string())).await
    }

    async fn put(&self, path: &str, body: Value) -> Result<Value, Trouble> {
        let call = self.http.put(format!("{}{path}", self.at_project()));
        let call = call.bearer_auth(&self.key);
        let call = call.header("content-type", "application/json");
        told(call.body(body.to_string())).await
    }

    async fn get(&self, path: &str) -> Result<Value, Trouble> {
        let call = self.http.get(format!("{}{path}", self.at_project()));
        told(call.bearer_auth(&self.key)).await
    }

    async fn deliver(&self, event: &Value) -> Result<Value, Trouble> {
        let bytes = body(event);
        let signature = sign(&bytes, "whsec_1", now());
        let call = self.http.post(format!("{}{}", self.origin, self.webhook));
        let call = call.header("stripe-signature", signature);
        told(call.header("content-type", "application/json").body(bytes)).await
    }

    async fn readiness(&self) -> Result<Value, Trouble> {
        told(self.http.get(format!("{}/readyz", self.origin))).await
    }

    fn at_project(&self) -> String {
        format!("{}{}/", self.origin, self.project)
    }

    /// Waits until the server is ready, which it becomes by itself.
    async fn until_ready(&self) {
        let begin = Instant::now();
        while let Err(why) = self.readiness().await {
            assert!(begin.elapsed() < PATIENCE, "never ready again: {why:?}");
            tokio::time::sleep(PAUSE).await;
        }
        println!("ready after {:?}", begin.elapsed());
    }

    /// Waits until the server has noticed that writes fail, and says so.
    async fn until_not_ready(&self) {
        let begin = Instant::now();
        while self.readiness().await.is_ok() {
            assert!(begin.elapsed() < PATIENCE, "it is ready in spite of all");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// No write is taken, of a client or of Stripe, and the server is not ready. Returns the address that was refused.
    ///
    /// A log that was copied to its database is written anew from its beginning, for which its file has room already: so
    /// much is taken before, and what is small for longer than what is large.
    async fn assert_refuses_writes(&self) -> String {
        let email = |number| format!("late-{number}@example.com");
        let number = until_refused(async |number| {
            let body = json!({"email": email(number)});
            self.post("customers", &format!("late-{number}"), body)
                .await
        });
        let number = number.await;
        until_refused(async |number| {
            let event = Life::new(format!("late-{number}")).subscription();
            self.deliver(&event).await
        })
        .await;
        until_refused(async |_| self.readiness().await).await;
        email(number)
    }

    /// The same while reads go on, which find nothing of it.
    async fn assert_only_reads(&self) {
        let refused = self.assert_refuses_writes().await;
        let found = self.get(&format!("customers?email={refused}")).await;
        assert_eq!(found.expect("a list")["customers"], json!([]));
    }

    /// Switches the program on and makes a code.
    async fn open(&self) -> String {
        let terms =
            json!({"enabled": true, "referrerCreditAmount": 500, "refereeCreditAmount": 300});
        self.put("referrals/config", terms)
            .await
            .expect("a program");
        let body = json!({"email": "owner@example.com"});
        let owner = self.post("customers", "owner", body).await;
        let body = json!({"customerId": owner.expect("a customer")["customer"]["id"]});
        let code = self.post("referrals/codes", "code", body).await;
        text(&code.expect("a code")["code"]["code"])
    }
}

fn now() -> i64 {
    Clock::System.now_micros() / 1_000_000
}

/// What a call is told. Anything but success and 503 is a fault, and so is no answer at all.
async fn told(call: reqwest::RequestBuilder) -> Result<Value, Trouble> {
    let answer = match call.send().await {
        Ok(answer) => answer,
        Err(error) => {
            assert!(!error.is_timeout(), "a call hangs: {error}");
            return Err(Trouble::Broken);
        }
    };
    let status = answer.status().as_u16();
    let Ok(bytes) = answer.bytes().await else {
        return Err(Trouble::Broken);
    };
    let body: Value = serde_json::from_slice(&bytes).expect("JSON");
    match status {
        200 | 201 => Ok(body),
        503 => Err(Trouble::Refused(text(&body["reason"]))),
        other => panic!("{other}: {body}"),
    }
}

/// Somebody who signs up, was referred, subscribes, and is given a credit by hand. Every step is wanted once, and has
/// a name of its own for repetitions.
struct Life {
    name: String,
    customer: Option<String>,
    referral: Option<String>,
    has_paid: bool,
    gift: Option<String>,
    /// Why the next step has not been done, if it was tried.
    trouble: Option<Trouble>,
}

impl Life {
    fn new(name: String) -> Life {
        Life {
            name,
            customer: None,
            referral: None,
            has_paid: false,
            gift: None,
            trouble: None,
        }
    }

    fn is_over(&self) -> bool {
        self.gift.is_some()
    }

    /// Does the next step, or tries to.
    async fn step(&mut self, caller: &Caller, code: &str) -> Result<(), Trouble> {
        let done = self.try_step(caller, code).await;
        self.trouble = done.clone().err();
        done
    }

    async fn try_step(&mut self, caller: &Caller, code: &str) -> Result<(), Trouble> {
        let name = &self.name;
        let Some(customer) = &self.customer else {
            // Large enough to need new room soon.
            let filling = "x".repeat(480);
            let body = json!({
                "email": self.email(),
                "stripeCustomerId": format!("cus_{name}"),
                "metadata": {"a": filling, "b": filling, "c": filling},
            });
            let made = caller.post("customers", name, body);
            self.customer = Some(text(&made.await?["customer"]["id"]));
            return Ok(());
        };
        if self.referral.is_none() {
            let body = json!({"code": code, "refereeCustomerId": customer});
            let made = caller.post("referrals/apply", name, body);
            self.referral = Some(text(&made.await?["referral"]["id"]));
        } else if !self.has_paid {
            caller.deliver(&self.subscription()).await?;
            self.has_paid = true;
        } else {
            let body = json!({
                "customerId": customer, "amount": 100, "currency": "usd", "reason": "Contest"
            });
            let made = caller.post("referrals/credits", name, body);
            self.gift = Some(text(&made.await?["credit"]["id"]));
        }
        Ok(())
    }

    fn email(&self) -> String {
        format!("{}@example.com", self.name)
    }

    /// The same event each time.
    fn subscription(&self) -> Value {
        let (id, customer) = (format!("sub_{}", self.name), format!("cus_{}", self.name));
        let object = Subscription::new(&id, customer.as_str()).created(now());
        let options = EventOptions::at(now()).id(&format!("evt_{}", self.name));
        event("customer.subscription.created", &object, &options)
    }

    /// What there is of it: customers, gifts and other credits.
    async fn found(&self, caller: &Caller) -> [usize; 3] {
        let count = |answer: Result<Value, Trouble>, name: &str| {
            let answer = answer.expect("a list");
            answer[name].as_array().expect("a list").len()
        };
        let path = format!("customers?email={}", self.email());
        let customers = count(caller.get(&path).await, "customers");
        let Some(id) = &self.customer else {
            return [customers, 0, 0];
        };
        let path = format!("referrals/credits?customerId={id}");
        let all = count(caller.get(&path).await, "credits");
        let path = format!("referrals/credits?kind=manual&customerId={id}");
        let gifts = count(caller.get(&path).await, "credits");
        [customers, gifts, all - gifts]
    }

    /// What was acknowledged is there; what was refused as not kept is not; of the rest it is one or the other.
    async fn check(&self, caller: &Caller) {
        let is_unknown = [Some(Trouble::Broken), Some(Trouble::unknown())].contains(&self.trouble);
        let least = [
            usize::from(self.customer.is_some()),
            usize::from(self.gift.is_some()),
            usize::from(self.has_paid),
        ];
        let mut most = least;
        if is_unknown {
            let next = match (&self.customer, &self.referral, self.has_paid) {
                (None, ..) => Some(0),
                (_, None, _) => None,
                (_, _, false) => Some(2),
                _ => Some(1),
            };
            if let Some(next) = next {
                most[next] += 1;
            }
        }
        let found = self.found(caller).await;
        let is_right = (0..3).all(|part| (least[part]..=most[part]).contains(&found[part]));
        let (name, trouble) = (&self.name, &self.trouble);
        assert!(
            is_right,
            "{name}: {found:?}, not {least:?} to {most:?} after {trouble:?}"
        );
        if let Some(id) = &self.referral {
            let read = caller.get(&format!("referrals/{id}")).await;
            let status = text(&read.expect("an acknowledged referral")["referral"]["status"]);
            assert!(status == "converted" || !self.has_paid, "{name}: {status}");
        }
    }
}

/// What a load has led to.
#[derive(Default)]
struct Lives(Vec<Life>);

impl Lives {
    /// How many met this.
    fn met(&self, wanted: &Trouble) -> usize {
        let all = self
            .0
            .iter()
            .filter(|life| life.trouble.as_ref() == Some(wanted));
        all.count()
    }

    /// Prints how it went with a server that goes on, and refuses what it cannot do.
    fn assert_answered(&self) {
        let (unavailable, unknown) = (
            self.met(&Trouble::unavailable()),
            self.met(&Trouble::unknown()),
        );
        let number = self.0.len();
        println!("{number} lives: {unavailable} refused, {unknown} of unknown outcome");
        assert_eq!(self.met(&Trouble::Broken), 0);
    }

    /// Looks at each, repeats what was not done until it is, and looks again.
    async fn settle(&mut self, caller: &Caller, code: &str) {
        for life in &self.0 {
            life.check(caller).await;
        }
        for life in &mut self.0 {
            let begin = Instant::now();
            while !life.is_over() {
                let done = life.step(caller, code).await;
                assert!(begin.elapsed() < PATIENCE, "{}: {done:?}", life.name);
                if done.is_err() {
                    tokio::time::sleep(PAUSE).await;
                }
            }
            assert_eq!(life.found(caller).await, [1, 1, 1], "{}", life.name);
        }
        println!("{} lives are whole", self.0.len());
    }
}

/// Lives as many lives as there is time for while something else goes on. A life that met trouble is left as it is.
async fn load<T>(caller: &Caller, code: &str, beside: impl Future<Output = T>) -> (Lives, T) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let is_over = Arc::new(AtomicBool::new(false));
    let one = || {
        let (caller, code, is_over) = (caller.clone(), code.to_owned(), Arc::clone(&is_over));
        async move {
            let mut lives = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let mut life = Life::new(format!("l{}", NEXT.fetch_add(1, Ordering::Relaxed)));
                while !life.is_over() && life.step(&caller, &code).await.is_ok() {}
                if !life.is_over() {
                    tokio::time::sleep(BACK_OFF).await;
                }
                lives.push(life);
            }
            lives
        }
    };
    let tasks: Vec<_> = (0..CALLERS).map(|_| tokio::spawn(one())).collect();
    let done = beside.await;
    is_over.store(true, Ordering::Relaxed);
    let mut lives = Lives::default();
    for task in tasks {
        lives.0.extend(task.await.expect("a caller"));
    }
    (lives, done)
}

/// Few in `./test`, many in `./test --nightly`.
fn times(few: usize, nightly: usize) -> usize {
    match std::env::var_os("BILLSTACK_NIGHTLY") {
        None => few,
        Some(_) => nightly,
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}

async fn sleep(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}
