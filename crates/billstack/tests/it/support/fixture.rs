//! Teams, keys, customers, codes and referrals to test with.

use billstack::app::Shared;
use billstack::secrets::{new_token, random_bytes, token_hash};
use billstack_core::access::{Role, Scope, Scopes, api_key_hash, api_key_prefix, format_api_key};
use billstack_core::ids::TeamId;
use billstack_core::time::Micros;
use billstack_store::api_keys::{self, NewApiKey};
use billstack_store::users::{self, NewUser};
use billstack_store::{invitations, projects, sessions, teams};
use reqwest::Method;
use serde_json::{Value, json};

use super::bench::{Bench, write};
use super::client::{Caller, CookieClient, KeyClient, Wire};
use super::receiver::eventually;
use super::stripe::SECRET;

/// A team with a project.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) team: String,
    pub(crate) project: String,
    pub(crate) owner_id: String,
    /// A key with every right.
    pub(crate) key: KeyClient,
    /// The owner, signed in.
    pub(crate) owner: CookieClient,
}

impl Tenant {
    /// The team, as the store knows it.
    pub(crate) fn team_id(&self) -> TeamId {
        TeamId::from(self.team.as_str())
    }

    /// No team at all, for a bench where there is none yet.
    pub(crate) fn nowhere(wire: &Wire) -> Tenant {
        let none = String::new;
        Tenant {
            team: none(),
            project: none(),
            owner_id: none(),
            key: KeyClient::new(wire, ""),
            owner: CookieClient::new(wire, ""),
        }
    }

    /// The path of a call about the team.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/billstack/teams/{}/{rest}", self.team)
    }
}

/// Makes a team as `init` does: with an owner, a project and a key of every right. No password
/// opens these accounts; hashing one would take longer than most tests.
pub(crate) async fn tenant(app: &Shared, wire: &Wire, name: &str) -> Tenant {
    let (key, token) = (format_api_key(random_bytes()), new_token());
    let (key_hash, hash, name) = (api_key_hash(&key), token_hash(&token), name.to_owned());
    let prefix = api_key_prefix(&key).to_owned();
    let made = write(app, move |tx, act| {
        let new = NewUser {
            email: format!("{name}@owners.example"),
            name: format!("Owner of {name}"),
            password_hash: "$argon2id$v=19$m=8,t=1,p=1$none$none".to_owned(),
        };
        let owner = users::create(tx, act, &new)?;
        let team = teams::create(tx, act, &name, &owner.id)?;
        let project = projects::create(tx, act, &team.id, &name)?;
        let new = NewApiKey {
            key_hash: key_hash.clone(),
            name: "everything".to_owned(),
            prefix: prefix.clone(),
            project_id: None,
            scopes: Scopes::all(),
            expires_at: None,
        };
        api_keys::create(tx, act, &team.id, &new)?;
        sessions::create(tx, act, &owner.id, &hash, sessions::LIFETIME)?;
        Ok((team.id.to_string(), project.id.to_string(), owner.id))
    });
    let (team, project, owner_id) = made.await;
    let wire = wire.within(&team, &project);
    let cookie = format!(
        "{}={token}",
        billstack::http::access::session_cookie(app).name()
    );
    Tenant {
        key: KeyClient::new(&wire, &key),
        owner: CookieClient::new(&wire, &cookie),
        owner_id,
        team,
        project,
    }
}

/// A referrer with a code, and a referee whom Stripe knows.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) referrer: String,
    pub(crate) referee: String,
    pub(crate) code: String,
    /// The referee's id in Stripe.
    pub(crate) stripe: String,
}

/// The members of a list that are asked for.
pub(crate) fn pluck(list: &Value, member: &str) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items
        .map(|item| item[member].as_str().expect("a text").to_owned())
        .collect()
}

/// The text of a member.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

impl Bench {
    /// The deliveries to an endpoint, the newest first, once there are so many: they come with the turn of its lane.
    pub(crate) async fn deliveries(&self, endpoint_id: &str, number: usize) -> Vec<Value> {
        let path = format!("webhook-endpoints/{endpoint_id}/deliveries");
        eventually("deliveries", || async {
            let log = self.key.get(&path).await.ok();
            let rows = log["deliveries"].as_array().expect("a list").clone();
            (rows.len() >= number).then_some(rows)
        })
        .await
    }

    /// Another team with a project.
    pub(crate) async fn tenant(&self, name: &str) -> Tenant {
        tenant(self.app(), self.nobody.wire(), name).await
    }

    /// Another project of the usual team, and the usual key in it.
    pub(crate) async fn project(&self, name: &str) -> (String, KeyClient) {
        let (team, name) = (self.home.team_id(), name.to_owned());
        let project = self.write(move |tx, act| projects::create(tx, act, &team, &name));
        let project = project.await.id.to_string();
        let wire = self.key.wire().within(&self.home.team, &project);
        (project, self.key.over(&wire))
    }

    /// A key of the usual team, and its id.
    pub(crate) async fn key(
        &self,
        project: Option<&str>,
        scopes: &[Scope],
        expires_at: Option<Micros>,
    ) -> (String, KeyClient) {
        let key = format_api_key(random_bytes());
        let new = NewApiKey {
            key_hash: api_key_hash(&key),
            name: "some".to_owned(),
            prefix: api_key_prefix(&key).to_owned(),
            project_id: project.map(Into::into),
            scopes: Scopes::from_list(scopes.to_vec()),
            expires_at,
        };
        let team = self.home.team_id();
        let made = self.write(move |tx, act| api_keys::create(tx, act, &team, &new));
        (made.await.id, KeyClient::new(self.key.wire(), &key))
    }

    /// Somebody else in the usual team, signed in.
    pub(crate) async fn member(&self, role: Role) -> CookieClient {
        self.advance(1_000);
        let (token, invited) = (new_token(), token_hash(&new_token()));
        let (team, hash) = (self.home.team_id(), token_hash(&token));
        let joined = self.write(move |tx, act| {
            let email = format!("{}@members.example", role.as_str());
            invitations::create(tx, act, &team, Role::Owner, &email, role, &invited)?;
            let new = NewUser {
                email,
                name: role.as_str().to_owned(),
                password_hash: "$argon2id$v=19$m=8,t=1,p=1$none$none".to_owned(),
            };
            let user = invitations::accept_as_new_user(tx, act, &team, &invited, &new)?;
            sessions::create(tx, act, &user.id, &hash, sessions::LIFETIME)
        });
        joined.await;
        let name = self.owner.cookie.split('=').next().unwrap_or_default();
        CookieClient::new(self.owner.wire(), &format!("{name}={token}"))
    }

    /// Makes a customer of the usual project and answers it.
    pub(crate) async fn customer_with(&self, body: Value) -> Value {
        self.key.post("customers", body).await.created()["customer"].take()
    }

    /// Makes a customer of this name, and answers the id.
    pub(crate) async fn customer(&self, name: &str) -> String {
        let body = json!({"email": format!("{name}@example.com"), "name": name});
        text(&self.customer_with(body).await["id"])
    }

    /// A customer whom Stripe knows under this id.
    pub(crate) async fn linked(&self, name: &str, stripe: &str) -> String {
        let body = json!({"email": format!("{name}@example.com"), "stripeCustomerId": stripe});
        text(&self.customer_with(body).await["id"])
    }

    /// Makes a code of a customer.
    pub(crate) async fn code(&self, customer: &str) -> String {
        let answer = self
            .key
            .post("referrals/codes", json!({"customerId": customer}));
        text(&answer.await.created()["code"]["code"])
    }

    /// Switches the program on with these amounts in dollars.
    pub(crate) async fn program(&self, referrer: i64, referee: i64) {
        self.put_program(&self.key, true, referrer, referee).await;
    }

    pub(crate) async fn put_program(
        &self,
        key: &KeyClient,
        enabled: bool,
        referrer: i64,
        referee: i64,
    ) {
        let body = json!({
            "enabled": enabled, "referrerCreditAmount": referrer, "refereeCreditAmount": referee,
        });
        key.put("referrals/config", body).await.ok();
    }

    /// A referrer with a code and a referee; the program is on, Stripe is connected.
    pub(crate) async fn pair(&self, name: &str) -> Pair {
        self.program(1000, 500).await;
        self.connect().await;
        let stripe = format!("cus_{name}");
        let referrer = self.customer(&format!("{name}-referrer")).await;
        Pair {
            code: self.code(&referrer).await,
            referee: self.linked(&format!("{name}-referee"), &stripe).await,
            referrer,
            stripe,
        }
    }

    /// Applies a code and answers the referral.
    pub(crate) async fn apply(&self, pair: &Pair) -> Value {
        let answer = self
            .key
            .post("referrals/apply", apply_body(&pair.code, &pair.referee));
        answer.await.created()["referral"].take()
    }

    /// The same with a referee whom Stripe does not know yet.
    pub(crate) async fn unlinked(&self, name: &str) -> (Pair, String) {
        let pair = self.pair(name).await;
        self.link(&pair.referee, Value::Null).await;
        let referral = text(&self.apply(&pair).await["id"]);
        (pair, referral)
    }

    /// Gives a customer another id in Stripe, or none.
    pub(crate) async fn link(&self, customer: &str, stripe: Value) {
        let path = format!("customers/{customer}");
        let patch = json!({"stripeCustomerId": stripe});
        self.key.patch(&path, patch).await.ok();
    }

    /// Erases a customer.
    pub(crate) async fn erase(&self, customer: &str) {
        self.key.delete(&format!("customers/{customer}")).await.ok();
    }

    /// A pair whose code has been applied, and the id of the referral.
    pub(crate) async fn pending(&self, name: &str) -> (Pair, String) {
        let pair = self.pair(name).await;
        let referral = text(&self.apply(&pair).await["id"]);
        (pair, referral)
    }

    /// A referral as it is now, as lists show it.
    pub(crate) async fn referral(&self, id: &str) -> Value {
        let answer = self.key.get(&format!("referrals/{id}"));
        let mut referral = answer.await.ok()["referral"].take();
        let explanation = referral
            .as_object_mut()
            .and_then(|it| it.remove("explanation"));
        assert!(explanation.is_some(), "{referral}");
        referral
    }

    /// Why a referral is where it is, and what must still happen.
    pub(crate) async fn explained(&self, id: &str) -> (String, Vec<String>) {
        let answer = self.key.get(&format!("referrals/{id}")).await.ok();
        let said = &answer["referral"]["explanation"];
        let next = said["next"].as_array().expect("a list").iter();
        (text(&said["why"]), next.map(text).collect())
    }

    /// A page of the team, as its owner sees it.
    pub(crate) async fn page(&self, rest: &str) -> String {
        let path = format!("/t/{}{rest}", self.home.team);
        let call = self.owner.call(Method::GET, &path);
        let page = call.header("accept", "text/html").send().await;
        assert_eq!(page.status, 200, "{page:?}");
        page.text
    }

    /// The status of a referral.
    pub(crate) async fn status(&self, id: &str) -> String {
        text(&self.referral(id).await["status"])
    }

    /// Every credit of the usual project, the newest first.
    pub(crate) async fn credits(&self) -> Vec<Value> {
        let answer = self.key.get("referrals/credits?limit=1000").await.ok();
        answer["credits"].as_array().expect("a list").clone()
    }

    /// Connects the usual team to Stripe with nothing but a webhook secret.
    pub(crate) async fn connect(&self) {
        self.connect_with(json!({"webhookSecret": SECRET})).await;
    }

    /// Connects the usual team to Stripe.
    pub(crate) async fn connect_with(&self, body: Value) {
        let path = self.home.path("stripe/connect");
        self.owner.post(&path, body).await.ok();
    }

    /// Waits for many calls at once, all in the air before the first is answered.
    pub(crate) async fn at_once<T: Send + 'static>(
        calls: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
    ) -> Vec<T> {
        let tasks: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.expect("an answer"));
        }
        answers
    }

    /// A call of the usual team by its owner.
    pub(crate) fn team_call(&self, method: Method, rest: &str) -> super::client::Call {
        self.owner.call(method, &self.home.path(rest))
    }
}

/// The terms of a program in which only amounts and currency were set.
pub(crate) fn usual_terms(referrer: i64, referee: i64, currency: &str) -> Value {
    json!({
        "referrerCreditAmount": referrer, "refereeCreditAmount": referee, "currency": currency,
        "holdDays": 0, "conversionTrigger": "subscription_created", "excludeTrials": false,
        "minimumPaidAmount": 0, "creditDelivery": "ledger", "clawback": "none", "clawbackWindowDays": 180,
        "clawbackApplied": "unused_only", "referralExpiryDays": null,
        "creditDescription": "Referral credit",
    })
}

/// A code as lists show it that has brought nothing yet.
pub(crate) fn without_figures(code: &Value) -> Value {
    let mut code = code.clone();
    for figure in ["clicks", "applied", "converted"] {
        code[figure] = json!(0);
    }
    code
}

/// What an apply says.
pub(crate) fn apply_body(code: &str, referee: &str) -> Value {
    json!({"code": code, "refereeCustomerId": referee})
}
