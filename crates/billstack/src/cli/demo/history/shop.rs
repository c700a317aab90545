//! The backend of the shop: it calls the API, and Stripe tells the server of its checkout.

use std::time::Duration;

use billstack_core::stripe_access::EVENTS;
use billstack_core::time::DAY;
use billstack_store::Place;
use billstack_store::links::Counted;
use fake_stripe::{Customer, Generation};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::agenda::Agenda;
use super::people::{Person, Town};
use crate::cli::demo::story::text;
use crate::cli::demo::{World, stripe};
use crate::cli::output::Failure;

/// Who is there on the first day.
const FIRST: usize = 40;

/// What a person's browser says of itself.
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

/// No call should take a fraction of this.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Calls the API for the shop, and Stripe.
pub(super) struct Shop<'w> {
    pub(super) world: &'w World<'w>,
    pub(super) place: Place,
    /// How many days there are.
    pub(super) days: i64,
    /// The short name of the project in its links, once they are set up.
    pub(super) slug: String,
    client: Client,
}

impl<'w> Shop<'w> {
    pub(super) fn new(world: &'w World<'w>, place: &Place, days: i64) -> Result<Shop<'w>, Failure> {
        let client = Client::builder().timeout(TIMEOUT).no_proxy();
        let client = client.redirect(reqwest::redirect::Policy::none()).build();
        Ok(Shop {
            world,
            place: place.clone(),
            days,
            slug: String::new(),
            client: client.map_err(Failure::refused)?,
        })
    }

    /// Calls the API of the project and expects this status.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Option<Value>>,
        expected: u16,
    ) -> Result<Value, Failure> {
        let (base, place) = (&self.world.app.local_url, &self.place);
        let (team, project) = (&place.team_id, &place.project_id);
        let url = format!("{base}/api/billstack/teams/{team}/projects/{project}{path}");
        let mut request = self.client.request(method, &url);
        if let Some(body) = body.into() {
            request = request.json(&body);
        }
        let key = &self.world.scene.founded.api_key;
        let response = request.bearer_auth(key).send().await;
        let response = response.map_err(Failure::refused)?;
        let status = response.status().as_u16();
        let answer = response.text().await.map_err(Failure::refused)?;
        if status != expected {
            return Err(Failure::refused(format_args!(
                "the demo expected {expected} of {path} and was answered {status}: {answer}"
            )));
        }
        Ok(serde_json::from_str(&answer).unwrap_or_default())
    }

    /// Tells the server what has happened in Stripe since, as Stripe would tell it.
    pub(super) async fn tell(&self) -> Result<(), Failure> {
        for event in self.world.stand_in.take_events(Generation::Endive) {
            if EVENTS.contains(&event["type"].as_str().unwrap_or_default()) {
                let secret = &self.world.scene.webhook_secret;
                self.deliver(&event, secret, 200).await?;
            }
        }
        Ok(())
    }

    /// Delivers one event, signed with this secret.
    pub(super) async fn deliver(
        &self,
        event: &Value,
        secret: &str,
        expected: u16,
    ) -> Result<(), Failure> {
        let body = event.to_string();
        let at = self.world.app.now().as_secs();
        let signature = stripe::sign(body.as_bytes(), secret, at);
        let request = self
            .client
            .post(&self.world.scene.founded.webhook_url)
            .header("Content-Type", "application/json")
            .header("Stripe-Signature", signature)
            .body(body);
        let response = request.send().await.map_err(Failure::refused)?;
        match response.status().as_u16() {
            status if status == expected => Ok(()),
            status => Err(Failure::refused(format_args!(
                "the demo expected {expected} for an event and was answered {status}"
            ))),
        }
    }

    /// Those who were customers before the shop had referrals; two in three of them share a code soon.
    pub(super) async fn first_customers(
        &self,
        town: &mut Town,
        agenda: &mut Agenda,
    ) -> Result<(), Failure> {
        for number in 0..FIRST {
            self.sign_up(town).await?;
            self.subscribe(0, number, town, agenda);
        }
        // What was before is nothing that the server is told of.
        self.world.stand_in.take_events(Generation::Endive);
        for number in 0..FIRST {
            if town.chance(66) {
                self.share(town, number).await?;
            }
        }
        Ok(())
    }

    /// Somebody signs up. Returns their number.
    pub(super) async fn sign_up(&self, town: &mut Town) -> Result<usize, Failure> {
        let (name, email) = town.next_name();
        let number = town.people.len();
        let stripe = format!("cus_Demo{number:04}");
        let new = Customer::new(&stripe).email(&email).name(&name);
        let now = self.world.stand_in.clock().now();
        self.world
            .stand_in
            .money()
            .customer(&new.created(now).currency("usd"));
        let body = json!({
            "email": email, "name": name, "stripeCustomerId": stripe, "externalId": format!("user-{}", 1_000 + number),
        });
        let made = self.call(Method::POST, "/customers", body, 201).await?;
        town.people.push(Person {
            id: text(&made, "/customer/id")?,
            stripe,
            name,
            is_brought: false,
            code: None,
        });
        Ok(number)
    }

    /// Somebody who has just signed up says who brought them.
    pub(super) async fn bring(&self, town: &mut Town, number: usize) -> Result<(), Failure> {
        let Some(by) = town.referrer() else {
            return Ok(());
        };
        let (code, _) = town.people[by]
            .code
            .clone()
            .expect("a referrer with a code");
        let mut body = json!({"refereeCustomerId": town.people[number].id});
        if town.chance(45) {
            let channels = ["link", "whatsapp", "mail"];
            let channel = channels[usize::try_from(town.between(0, 2)).unwrap_or(0)];
            body["clickToken"] = json!(self.follow(&code, channel).await?);
        } else {
            body["code"] = json!(code);
        }
        self.call(Method::POST, "/referrals/apply", body, 201)
            .await?;
        town.people[number].is_brought = true;
        Ok(())
    }

    /// Follows the link of a code as a browser does. Returns what it brings along.
    async fn follow(&self, code: &str, channel: &str) -> Result<String, Failure> {
        let (base, slug) = (&self.world.app.local_url, &self.slug);
        let url = format!("{base}/r/{slug}/{code}?s={channel}");
        let request = self.client.get(&url).header("User-Agent", BROWSER);
        let answer = request.header("Sec-Fetch-Mode", "navigate").send().await;
        let answer = answer.map_err(Failure::refused)?;
        let to = answer
            .headers()
            .get("Location")
            .and_then(|to| to.to_str().ok());
        let to = to.and_then(|to| reqwest::Url::parse(to).ok());
        let brought = to.as_ref().into_iter().flat_map(reqwest::Url::query_pairs);
        let mut tokens = brought.filter(|(name, _)| name == "ref_click");
        let token = tokens.next().map(|(_, token)| token.into_owned());
        token.ok_or_else(|| Failure::refused("a link brings no token"))
    }

    /// Somebody gets a code to share.
    pub(super) async fn share(&self, town: &mut Town, number: usize) -> Result<(), Failure> {
        let body = json!({"customerId": town.people[number].id});
        let made = self
            .call(Method::POST, "/referrals/codes", body, 201)
            .await?;
        // Few share a lot, and many a little.
        let clicks = match town.between(0, 9) {
            0 => town.between(30, 60),
            1..=3 => town.between(8, 20),
            _ => town.between(1, 6),
        };
        let code = text(&made, "/code/code")?;
        town.people[number].code = Some((code, u32::try_from(clicks).unwrap_or(1)));
        Ok(())
    }

    /// The clicks of a day, counted where those on real links are.
    pub(super) fn count_clicks(&self, town: &mut Town) {
        let day = self.world.app.now().0.div_euclid(DAY);
        for number in 0..town.people.len() {
            let Some((code, in_a_week)) = town.people[number].code.clone() else {
                continue;
            };
            let clicks = town.between(0, i64::from(in_a_week) * 2 / 7 + 1);
            for _ in 0..clicks {
                let channel = ["link", "link", "link", "whatsapp", "mail", "qr"];
                let channel = channel[usize::try_from(town.between(0, 5)).unwrap_or(0)];
                let counted = Counted {
                    code: code.clone(),
                    day,
                    channel: channel.to_owned(),
                };
                self.world.app.clicks.add(&self.place, counted);
            }
        }
    }
}
