//! What is asked of a server. Keys are random, event ids unique: sequential ones flatter a B-tree.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::client::{get, post};
use crate::load::Next;
use crate::seed::{Place, Size, code, code_made_at, customer_id, stripe_id};

/// A seeded server.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Where its data is.
    pub(crate) place: Place,
    /// An API key.
    pub(crate) key: String,
    /// The secret its team signs Stripe events with.
    pub(crate) secret: String,
    /// What its paths begin with; the size of the answer for the floor, nothing for others.
    pub(crate) prefix: String,
    /// How much it holds.
    pub(crate) size: Size,
    /// Fresh customers used up so far, over all runs.
    pub(crate) used: Arc<AtomicU64>,
    /// Waiting referrals converted so far.
    pub(crate) converted: Arc<AtomicU64>,
    /// Its codes, where the program has drawn them.
    pub(crate) codes: Option<Arc<Vec<String>>>,
}

/// A kind of request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Workload {
    /// `GET /referrals/codes/{code}`, ten referrals each.
    GetCode,
    /// `GET /referrals/codes?limit=50`.
    ListCodes,
    /// The same by a cursor, anywhere in the list.
    DeepPage,
    /// `POST /referrals/apply`.
    Apply,
    /// `POST /referrals/codes`.
    CreateCode,
    /// A Stripe event that converts a pending referral and grants two credits.
    Webhook,
    /// Nine reads of a code to one apply.
    Mix,
    /// `GET /r/{code}` by a browser, each time from another address.
    Follow,
}

impl Workload {
    /// Every workload.
    pub(crate) const ALL: [Workload; 8] = [
        Workload::GetCode,
        Workload::ListCodes,
        Workload::DeepPage,
        Workload::Apply,
        Workload::CreateCode,
        Workload::Webhook,
        Workload::Mix,
        Workload::Follow,
    ];

    /// Its name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Workload::GetCode => "get code",
            Workload::ListCodes => "list codes",
            Workload::DeepPage => "list by cursor",
            Workload::Apply => "apply",
            Workload::CreateCode => "create code",
            Workload::Webhook => "webhook",
            Workload::Mix => "mix 90/10",
            Workload::Follow => "share link",
        }
    }

    /// How many fresh customers and waiting referrals a request uses up.
    pub(crate) fn uses(self) -> (u64, u64) {
        match self {
            Workload::GetCode | Workload::ListCodes | Workload::DeepPage | Workload::Follow => {
                (0, 0)
            }
            Workload::Apply | Workload::CreateCode | Workload::Mix => (1, 0),
            Workload::Webhook => (0, 1),
        }
    }
}

/// Spreads a counter over a range so that neighbours in time are strangers in the index.
fn scatter(n: u64, range: u64) -> u64 {
    // A multiplication by an odd constant, folded: good enough, and the same in every run.
    (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16) % range.max(1)
}

/// A number below `range` that no earlier caller got, in scattered order; `None` when all are used
/// up. The step is coprime to every range we use, so no number comes twice.
fn take(used: &AtomicU64, range: u64) -> Option<u64> {
    const STEP: u64 = 1_000_003;
    let n = used.fetch_add(1, Ordering::Relaxed);
    (n < range).then(|| n.wrapping_mul(STEP) % range)
}

/// The status of a request for which nothing was left: no answer has it, so it is an error.
const NONE_LEFT: u16 = 0;

impl Target {
    /// A path in its project.
    pub(crate) fn path(&self, rest: &str) -> String {
        let (prefix, team, project) = (&self.prefix, &self.place.team_id, &self.place.project_id);
        format!("{prefix}/api/billstack/teams/{team}/projects/{project}/{rest}")
    }

    /// The maker of requests for a workload.
    pub(crate) fn requests(&self, workload: Workload) -> Next {
        let (target, count) = (self.clone(), AtomicU64::new(0));
        // The one request that is always the same is made once.
        let list = Bytes::from(get(&self.path("referrals/codes?limit=50"), &self.key));
        Arc::new(move || {
            let n = count.fetch_add(1, Ordering::Relaxed);
            let (request, wanted) = match workload {
                Workload::ListCodes => return (list.clone(), 200),
                Workload::GetCode => (target.get_code(n), 200),
                Workload::DeepPage => (target.deep_page(n), 200),
                Workload::Apply => target.apply(n),
                Workload::CreateCode => target.create_code(),
                Workload::Webhook => target.webhook(),
                Workload::Mix if n % 10 == 9 => target.apply(n),
                Workload::Mix => (target.get_code(n), 200),
                Workload::Follow => (target.follow(n), 302),
            };
            (request.into(), wanted)
        })
    }

    fn any_code(&self, n: u64) -> String {
        let place = scatter(n, self.size.codes());
        let drawn = self.codes.as_ref();
        let drawn = drawn.and_then(|codes| codes.get(usize::try_from(place).ok()?).cloned());
        drawn.unwrap_or_else(|| code(place, self.size.codes()))
    }

    fn get_code(&self, n: u64) -> Vec<u8> {
        get(
            &self.path(&format!("referrals/codes/{}", self.any_code(n))),
            &self.key,
        )
    }

    fn deep_page(&self, n: u64) -> Vec<u8> {
        let place = scatter(n, self.size.codes());
        let (at, code) = (code_made_at(place), code(place, self.size.codes()));
        let page = format!("referrals/codes?limit=50&cursor={at:x}.{code}");
        get(&self.path(&page), &self.key)
    }

    fn follow(&self, n: u64) -> Vec<u8> {
        let (prefix, code) = (&self.prefix, self.any_code(n));
        let address = Ipv4Addr::from_bits(scatter(n, 1 << 32) as u32);
        format!(
            "GET {prefix}/r/{code}?utm_source=mail HTTP/1.1\r\nhost: bench\r\nsec-fetch-mode: navigate\r\n\
             user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
             x-forwarded-for: {address}\r\n\r\n"
        )
        .into_bytes()
    }

    fn fresh_customer(&self) -> Option<String> {
        let first = self.size.codes() + self.size.all_referrals();
        Some(customer_id(first + take(&self.used, self.size.fresh)?))
    }

    fn authorization(&self) -> String {
        format!("authorization: Bearer {}\r\n", self.key)
    }

    fn apply(&self, n: u64) -> (Vec<u8>, u16) {
        let referee = self.fresh_customer();
        let wanted = referee.as_ref().map_or(NONE_LEFT, |_| 201);
        let (code, referee) = (self.any_code(n), referee.unwrap_or_default());
        let body = format!(r#"{{"code":"{code}","refereeCustomerId":"{referee}"}}"#);
        let path = self.path("referrals/apply");
        let request = post(&path, &self.authorization(), body.as_bytes());
        (request, wanted)
    }

    fn create_code(&self) -> (Vec<u8>, u16) {
        let customer = self.fresh_customer();
        let wanted = customer.as_ref().map_or(NONE_LEFT, |_| 201);
        let body = format!(r#"{{"customerId":"{}"}}"#, customer.unwrap_or_default());
        let path = self.path("referrals/codes");
        let request = post(&path, &self.authorization(), body.as_bytes());
        (request, wanted)
    }

    /// The referee of a waiting referral subscribes now.
    fn webhook(&self) -> (Vec<u8>, u16) {
        let waiting = take(&self.converted, self.size.waiting);
        let wanted = waiting.map_or(NONE_LEFT, |_| 200);
        let place = self.size.referrals + waiting.unwrap_or_default();
        let customer = stripe_id(self.size.codes() + place);
        let now = now();
        let id = format!("{now:x}{place:08x}");
        let event = subscription_event(&id, &customer, now);
        let header = format!("stripe-signature: {}\r\n", sign(&self.secret, now, &event));
        let path = format!("{}/api/webhooks/stripe/{}", self.prefix, self.place.team_id);
        (post(&path, &header, &event), wanted)
    }
}

/// What makes an event as long as Stripe's are. Made once: what the load generator spends on a request
/// is taken from the server, on a machine that they share.
static NOTES: LazyLock<String> = LazyLock::new(|| {
    let filler = "x".repeat(480);
    let notes: Vec<String> = (0..6)
        .map(|n| format!(r#""note_{n}":"{filler}""#))
        .collect();
    notes.join(",")
});

/// A `customer.subscription.created` of about 4 KiB, the size Stripe's have.
pub(crate) fn subscription_event(id: &str, customer: &str, now: u64) -> Vec<u8> {
    let notes = NOTES.as_str();
    format!(
        r#"{{"id":"evt_{id}","object":"event","api_version":"2026-10-28.endive","created":{now},
"data":{{"object":{{"id":"sub_{id}","object":"subscription","collection_method":"charge_automatically",
"created":{now},"currency":"usd","customer":"{customer}","items":{{"object":"list","data":[{{
"id":"si_{id}","quantity":1}}]}},"livemode":false,"metadata":{{{notes}}},"start_date":{now},
"status":"active"}}}},"livemode":false,"pending_webhooks":1,"request":{{"id":null,
"idempotency_key":null}},"type":"customer.subscription.created"}}"#
    )
    .into_bytes()
}

pub(crate) fn sign(secret: &str, now: u64, body: &[u8]) -> String {
    // An HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{now}.").as_bytes());
    mac.update(body);
    format!("t={now},v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "events are signed with the time of the machine"
)]
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
