//! Credits that reach the balance which their customer has in Stripe.

mod back;
mod by_hand;
mod causes;
mod faults;
mod turns;

use billstack_core::time::{DAY, Micros, SECOND};
use fake_stripe::{Customer, EventObject as _, Generation};
use serde_json::{Value, json};

use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::{Pair, text};
use crate::support::stripe::SECRET;

on_both_engines! {
    a_program_that_keeps_books_never_calls with stripe,
    each_side_gets_one_line with stripe,
    what_is_held_waits with stripe,
    a_list_shows_and_filters_deliveries with stripe,
    the_customer_may_be_an_account with stripe,
}

/// For how long a worker has a customer of Stripe to itself.
const LEASE: i64 = 6 * SECOND;

pub(crate) fn stripe() -> Setup {
    Setup {
        stripe: true,
        settings: |args| {
            args.stripe_rate = Some("100".to_owned());
            args.stripe_timeout_seconds = Some("1".to_owned());
            args.delivery_unknown_wait = Some("120".to_owned());
        },
        ..Setup::default()
    }
}

impl Bench {
    /// Connects with a secret key, and lets the program put credits into balances.
    pub(crate) async fn delivering(&self, more: Value) {
        self.fake().clock().set(self.seconds());
        self.connect_key().await;
        let mut body = json!({
            "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500,
            "creditDelivery": "stripe_balance",
        });
        for (member, value) in more.as_object().into_iter().flatten() {
            body[member] = value.clone();
        }
        self.key.put("referrals/config", body).await.ok();
    }

    pub(crate) async fn connect_key(&self) {
        let body = json!({"secretKey": "sk_test_1", "webhookSecret": SECRET});
        self.connect_with(body).await;
    }

    /// A customer whom Stripe knows under this id, and who pays in dollars.
    pub(crate) async fn payer(&self, name: &str, stripe: &str) -> String {
        self.known_to_stripe(&Customer::new(stripe).currency("usd"));
        self.linked(name, stripe).await
    }

    pub(crate) fn known_to_stripe(&self, customer: &Customer) {
        let customer = customer.render(Generation::Endive, false);
        self.fake()
            .with_books(|books| books.customers.put(customer));
    }

    /// Gives a customer so much by hand, and returns the id of the credit.
    pub(crate) async fn give(&self, customer: &str, amount: i64) -> String {
        let body = json!({
            "customerId": customer, "amount": amount, "currency": "usd", "reason": "Contest",
        });
        let made = self.key.post("referrals/credits", body).await.created();
        text(&made["credit"]["id"])
    }

    pub(crate) async fn credit(&self, id: &str) -> Value {
        let answer = self.key.get(&format!("referrals/credits/{id}"));
        answer.await.ok()["credit"].take()
    }

    /// Waits until the delivery of a credit is in this state. Whenever it waits for a time, that time comes.
    #[track_caller]
    pub(crate) fn delivery(&self, id: &str, state: &'static str) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            for look in 1..=1_200 {
                let credit = self.credit(id).await;
                if credit["delivery"]["state"] == state {
                    return credit;
                }
                self.advance(self.until_next(&credit));
                if look % 60 == 0 {
                    // A write that a leap of the clock has made late was refused: its lease has to run out.
                    self.advance(LEASE);
                }
                tokio::time::sleep(std::time::Duration::from_millis(25)).await;
            }
            panic!("{caller}: never {state}: {:#}", self.credit(id).await);
        }
    }

    /// Waits until a call that writes a line has come to Stripe, after so many others. A time that the delivery waits
    /// for comes, so long as no call is under way.
    pub(crate) async fn called(&self, id: &str, before: usize) {
        for _ in 0..1_200 {
            let credit = self.credit(id).await;
            if self.posts() > before {
                return;
            }
            if credit["delivery"]["state"] == "queued" {
                self.advance(self.until_next(&credit));
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("no call came: {:#}", self.credit(id).await);
    }

    /// How long it is until the delivery of a credit goes on, in microseconds.
    pub(crate) fn until_next(&self, credit: &Value) -> i64 {
        let next = credit["delivery"]["nextAttemptAt"].as_str();
        let next = next.and_then(Micros::from_rfc3339);
        next.map_or(0, |next| next.plus(1_000).since(self.now()).max(0))
    }

    /// The lines of a customer's balance in Stripe, the oldest first.
    pub(crate) fn lines(&self, stripe: &str) -> Vec<Value> {
        self.fake().with_books(|books| {
            let lines = books.balance_transactions.newest_first().into_iter().rev();
            let own =
                |line: &&Value| line["customer"] == stripe || line["customer_account"] == stripe;
            lines.filter(own).cloned().collect()
        })
    }

    pub(crate) fn amounts(&self, stripe: &str) -> Vec<i64> {
        let lines = self.lines(stripe);
        let amount = |line: &Value| line["amount"].as_i64().expect("an amount");
        lines.iter().map(amount).collect()
    }

    /// How many calls were made that write a line.
    pub(crate) fn posts(&self) -> usize {
        let requests = self.fake().requests();
        let is_post = |one: &&fake_stripe::Received| {
            one.method == "POST" && one.path.ends_with("/balance_transactions")
        };
        requests.iter().filter(is_post).count()
    }
}

/// A referrer and a referee whom Stripe knows, and whose referral converts.
async fn converted(t: &Bench, name: &str) -> (String, String) {
    let referrer = t
        .payer(&format!("{name}-a"), &format!("cus_{name}_a"))
        .await;
    let pair = Pair {
        code: t.code(&referrer).await,
        referee: t
            .payer(&format!("{name}-b"), &format!("cus_{name}_b"))
            .await,
        referrer,
        stripe: format!("cus_{name}_b"),
    };
    let referral = text(&t.apply(&pair).await["id"]);
    t.subscribe(&pair).await;
    let of = |side: &str| format!("referrals/credits?referralId={referral}&side={side}");
    let mut ids = Vec::new();
    for side in ["referrer", "referee"] {
        let found = t.key.get(&of(side)).await.ok();
        ids.push(text(&found["credits"][0]["id"]));
    }
    let [referrer, referee] = ids.try_into().expect("two credits");
    (referrer, referee)
}

async fn a_program_that_keeps_books_never_calls(t: &Bench) {
    t.connect_key().await;
    t.program(1000, 500).await;
    let (referrer, _) = converted(t, "a").await;
    let credit = t.credit(&referrer).await;
    assert_eq!(credit["status"], "granted");
    let none = json!({
        "state": "none", "reason": null, "message": null, "stripeCustomerId": null,
        "transactionId": null, "attempts": 0, "nextAttemptAt": null,
    });
    assert_eq!(credit["delivery"], none);
    t.give(&t.customer("z").await, 700).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(t.posts(), 0);
    assert_eq!(t.count("stripe_operations").await, 0);
}

async fn each_side_gets_one_line(t: &Bench) {
    t.delivering(json!({"creditDescription": "Dank & Gruß"}))
        .await;
    let (referrer, referee) = converted(t, "a").await;
    for (id, stripe, amount) in [(&referrer, "cus_a_a", 1000), (&referee, "cus_a_b", 500)] {
        let credit = t.delivery(id, "delivered").await;
        let lines = t.lines(stripe);
        assert_eq!(lines.len(), 1);
        let line = &lines[0];
        assert_eq!(line["amount"], -amount);
        assert_eq!(
            (&line["currency"], &line["type"]),
            (&json!("usd"), &json!("adjustment"))
        );
        assert_eq!(line["description"], "Dank & Gruß");
        assert_eq!(line["metadata"]["billstack_credit_id"], **id);
        assert_eq!(line["metadata"]["billstack_project_id"], t.home.project);
        assert_eq!(line["metadata"].as_object().expect("an object").len(), 3);
        let delivery = &credit["delivery"];
        assert_eq!(delivery["transactionId"], line["id"]);
        assert_eq!(delivery["stripeCustomerId"], stripe);
        assert_eq!(
            (&delivery["attempts"], &delivery["nextAttemptAt"]),
            (&json!(1), &Value::Null)
        );
        assert_eq!(
            (&credit["status"], &credit["amounts"]["delivered"]),
            (&json!("granted"), &json!(amount))
        );
        let postings = t
            .key
            .get(&format!("referrals/credits/{id}/postings"))
            .await
            .ok();
        let last = &postings["postings"].as_array().expect("a list")[2..];
        assert_eq!(last[0]["account"], "customer");
        assert_eq!(
            (&last[1]["account"], &last[1]["amount"]),
            (&json!("stripe"), &json!(amount))
        );
        assert_eq!(
            (&last[1]["cause"], &last[1]["stripeObject"]),
            (&json!("job"), &line["id"])
        );
    }
    let path = format!(
        "customers/{}/credit-balance",
        text(&t.credit(&referrer).await["customerId"])
    );
    assert_eq!(t.key.get(&path).await.ok()["balances"][0]["amount"], 1000);
    let bodies = t
        .fake()
        .requests()
        .into_iter()
        .filter(|one| one.path.contains("balance_transactions"));
    for one in bodies {
        let body = String::from_utf8_lossy(&one.body).into_owned();
        assert!(!body.contains("example.com"), "{body}");
    }
    let keys = t.fake().idempotency_keys();
    assert!(
        keys.iter().filter(|key| key.starts_with("bsc_op_")).count() == 2,
        "{keys:?}"
    );
}

async fn what_is_held_waits(t: &Bench) {
    t.delivering(json!({"holdDays": 7})).await;
    let (referrer, _) = converted(t, "a").await;
    let credit = t.credit(&referrer).await;
    assert_eq!(
        (&credit["status"], &credit["delivery"]["state"]),
        (&json!("held"), &json!("waiting"))
    );
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    assert_eq!(t.posts(), 0);
    let body = json!({"amount": 300, "reason": "early"});
    t.key
        .post(&format!("referrals/credits/{referrer}/release"), body)
        .await
        .ok();
    for _ in 0..1_200 {
        if !t.lines("cus_a_a").is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let credit = t.delivery(&referrer, "waiting").await;
    assert_eq!(credit["amounts"]["delivered"], 300);
    t.advance(7 * DAY);
    let credit = t.delivery(&referrer, "delivered").await;
    assert_eq!(
        (&credit["amounts"]["held"], &credit["amounts"]["delivered"]),
        (&json!(0), &json!(1000))
    );
    assert_eq!(t.amounts("cus_a_a"), [-300, -700]);
}

async fn a_list_shows_and_filters_deliveries(t: &Bench) {
    let nobody = t.customer("b").await;
    t.delivering(json!({})).await;
    let known = t.payer("a", "cus_a").await;
    let delivered = t.give(&known, 100).await;
    let stuck = t.give(&nobody, 200).await;
    t.delivery(&delivered, "delivered").await;
    let credit = t.credit(&stuck).await;
    assert_eq!(credit["delivery"]["state"], "needs_attention");
    assert_eq!(credit["delivery"]["reason"], "no_stripe_customer");
    let list = t
        .key
        .get("referrals/credits?delivery=needs_attention")
        .await
        .ok();
    assert_eq!(list["credits"], json!([credit]));
    let list = t.key.get("referrals/credits?delivery=delivered").await.ok();
    assert_eq!(list["credits"], json!([t.credit(&delivered).await]));
    t.key
        .get("referrals/credits?delivery=lost")
        .await
        .invalid("delivery");
}

async fn the_customer_may_be_an_account(t: &Bench) {
    t.delivering(json!({})).await;
    let customer = t.payer("a", "acct_a").await;
    let id = t.give(&customer, 100).await;
    t.delivery(&id, "delivered").await;
    assert_eq!(t.amounts("acct_a"), [-100]);
    let paths = t.fake().requests().into_iter().map(|one| one.path);
    assert!(
        paths
            .into_iter()
            .any(|path| path == "/v1/customers/acct_a/balance_transactions")
    );
}
