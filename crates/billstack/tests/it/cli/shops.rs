//! The shops of `examples/`, played through over HTTP: against a real server, with the stand-in for Stripe.

mod browser;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use fake_stripe::{EventOptions, FakeStripe, body, event, sign};
use reqwest::RequestBuilder;
use reqwest::header::{CACHE_CONTROL, HeaderMap, LOCATION, SET_COOKIE};
use serde_json::{Value, json};
use tokio::runtime::{Handle, Runtime};

use super::clients::{World, node, python, text_of};
use super::examples::blocks_of;
use super::{PATIENCE, Server};
use crate::support::client::http;

/// The secret of the team's connection to Stripe, as `init` is told.
const STRIPE_SECRET: &str = "whsec_1";

#[test]
fn the_shop_in_fastapi_brings_a_visitor_to_a_credit() {
    play(fastapi);
}

#[test]
fn the_shop_in_express_brings_a_visitor_to_a_credit() {
    play(express);
}

#[test]
fn the_shop_in_next_brings_a_visitor_to_a_credit() {
    play(next);
}

/// The page on Next.js shows what is played through, and nothing besides.
#[test]
fn the_page_on_next_shows_the_code_of_the_shop() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let code = text_of(&root.join("examples/next"));
    let page = root.join("docs/integrators/nextjs.md");
    for block in ["ts", "tsx"].iter().flat_map(|kind| blocks_of(&page, kind)) {
        assert!(code.contains(&block), "{block}");
    }
}

/// A shop that is being run; it is killed when the test ends.
struct Shop {
    child: Child,
    url: String,
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn fastapi() -> Command {
    let (interpreter, directory) = python::shop();
    let mut command = Command::new(interpreter);
    command.args(["-m", "uvicorn", "shop:app", "--port", "0"]);
    command.current_dir(directory);
    command
}

fn express() -> Command {
    let mut command = Command::new("node");
    command.arg(node::shop("express", &["--omit=optional"]).join("shop.mjs"));
    command.env("PORT", "0");
    command
}

fn next() -> Command {
    let mut command = Command::new("node");
    command.current_dir(node::built_shop());
    command.args(["node_modules/next/dist/bin/next", "start"]);
    command.args(["--hostname", "127.0.0.1", "--port", "0"]);
    command
}

/// Starts a shop and waits until it says where it listens.
fn start(mut command: Command) -> Shop {
    let (output, input) = std::io::pipe().expect("a pipe");
    command.stderr(input.try_clone().expect("its end"));
    command.stdout(input);
    let mut child = command.spawn().expect("it starts");
    // Its ends of the pipe are ours as well, and the output would never be over.
    drop(command);
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let mut said = Vec::new();
    let url = lines.by_ref().find_map(|line| {
        said.push(line.clone());
        let (_, after) = line.split_once("http://127.0.0.1:")?;
        let port: String = after.chars().take_while(char::is_ascii_digit).collect();
        Some(format!("http://127.0.0.1:{port}"))
    });
    // A full pipe would stop it.
    std::thread::spawn(move || lines.for_each(drop));
    let Some(url) = url else {
        let _ = child.wait();
        panic!("it does not listen:\n{}", said.join("\n"));
    };
    Shop { child, url }
}

/// A shop with what it needs: a server whose webhooks and links lead to it, and the stand-in for Stripe.
struct Stage {
    runtime: Runtime,
    stripe: FakeStripe,
    world: World,
    shop: Shop,
    /// What the webhooks of the server are signed with.
    secret: String,
}

impl Stage {
    fn set_up(mut shop: Command) -> Stage {
        let runtime = Runtime::new().expect("a runtime");
        let stripe = runtime.block_on(FakeStripe::start());
        let world = World::with(&["--webhook-allowed-networks", "127.0.0.0/8"]);
        let endpoint = json!({"url": "http://127.0.0.1:9/"});
        let endpoint = world.send("POST", "/webhook-endpoints", &endpoint);
        let secret = text(&endpoint["secret"]);
        world.tell(&mut shop, &world.server.address);
        // A blank at the end is easily left in a setting.
        shop.env("REFERRALS_WEBHOOK_SECRETS", format!("{secret} "));
        shop.env("SHOP_DATABASE", world.place.file("shop.db"));
        shop.env("SHOP_PAUSE_SECONDS", "0.2");
        shop.env("SHOP_URL", "http://shop.example");
        shop.env("STRIPE_API_BASE", stripe.base_url());
        shop.env("STRIPE_PRICE", "price_1");
        shop.env("STRIPE_SECRET_KEY", "sk_test_shop");
        let shop = start(shop);
        let id = text(&endpoint["endpoint"]["id"]);
        let to_shop = json!({"url": format!("{}/webhooks/billstack", shop.url)});
        world.send("PATCH", &format!("/webhook-endpoints/{id}"), &to_shop);
        Stage {
            runtime,
            stripe,
            world,
            shop,
            secret,
        }
    }

    /// Lets share links lead to the shop, under this address of it.
    fn land(&self, url: &str) {
        let landing = json!({"enabled": true, "landingUrl": format!("{url}/sign-up")});
        self.world.send("PUT", "/links/settings", &landing);
    }

    /// Lets Stripe tell that what a checkout was for has begun.
    fn complete(&self, checkout: &str) {
        let id = checkout.rsplit('/').next().expect("an id").to_owned();
        let session = self
            .stripe
            .with_books(|books| books.checkout_sessions.get(&id).cloned());
        let mut session = session.expect("a session");
        assert_eq!(session["success_url"], "http://shop.example/account");
        let ours = text(&session["metadata"]["billstackCustomerId"]);
        assert!(ours.starts_with("pc_"), "{session}");
        assert!(text(&session["customer"]).starts_with("cus_"), "{session}");
        let known = format!("/customers/{ours}");
        let known = self.world.send("GET", &known, &json!({}));
        assert_eq!(known["customer"]["stripeCustomerId"], session["customer"]);
        session["status"] = json!("complete");
        session["payment_status"] = json!("paid");
        session["subscription"] = json!(format!("sub_{id}"));
        let now = session["created"].as_i64().expect("a time");
        let kind = "checkout.session.completed";
        let told = body(&event(kind, &session, &EventOptions::at(now)));
        let team = self.world.project.split('/').nth(4).expect("a team");
        let address = &self.world.server.address;
        let call = client().post(format!("http://{address}/api/webhooks/stripe/{team}"));
        let call = call.header("stripe-signature", sign(&told, STRIPE_SECRET, now));
        let call = call.header("content-type", "application/json").body(told);
        let answer = self.runtime.block_on(call.send()).expect("an answer");
        assert_eq!(answer.status(), 200);
    }
}

/// What a browser keeps between two pages.
struct Visitor {
    shop: String,
    runtime: Handle,
    cookies: BTreeMap<String, String>,
}

/// A page, or where else to look.
struct Page {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Page {
    #[track_caller]
    fn leads_to(&self) -> String {
        assert!(
            (300..400).contains(&self.status),
            "{} {}",
            self.status,
            self.text
        );
        let to = self.headers[LOCATION].to_str().expect("an address");
        to.to_owned()
    }
}

impl Visitor {
    fn new(stage: &Stage) -> Visitor {
        Visitor {
            shop: stage.shop.url.clone(),
            runtime: stage.runtime.handle().clone(),
            cookies: BTreeMap::new(),
        }
    }

    fn get(&mut self, path: &str) -> Page {
        self.send("GET", path, |call| call)
    }

    /// Fills in the form of a page and sends it, as a browser without scripts does.
    fn submit(&mut self, path: &str, typed: &[(&str, &str)]) -> Page {
        let page = self.get(path);
        let form = Form::of(&page.text);
        let to = match form.action.as_str() {
            "" => path,
            action => action,
        };
        let is_typed = |name: &str| typed.iter().find(|(field, _)| *field == name);
        let fields = form
            .fields
            .iter()
            .map(|(name, value)| match is_typed(name) {
                Some((_, typed)) => (name.as_str(), *typed),
                None => (name.as_str(), value.as_str()),
            });
        let (kind, body) = match form.is_multipart {
            true => multipart(fields),
            false => urlencoded(fields),
        };
        self.send("POST", to, |call| {
            call.header("content-type", kind).body(body)
        })
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Page {
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let call = client().request(
            method.parse().expect("a method"),
            format!("{}{path}", self.shop),
        );
        let call = fill(call.header("cookie", cookies));
        let page = self.runtime.block_on(async {
            let answer = call.send().await.expect("a page");
            Page {
                status: answer.status().as_u16(),
                headers: answer.headers().clone(),
                text: answer.text().await.expect("a text"),
            }
        });
        for cookie in page.headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().expect("a text");
            assert!(
                text.contains("HttpOnly") && text.to_lowercase().contains("samesite=lax"),
                "{text}"
            );
            let (name, rest) = text.split_once('=').expect("a cookie");
            let value = rest.split(';').next().unwrap_or_default().to_owned();
            if text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value);
            }
        }
        page
    }

    /// Looks at a page until it shows this.
    fn see(&mut self, path: &str, text: &str) -> String {
        let begin = std::time::Instant::now();
        loop {
            let page = self.get(path);
            if page.text.contains(text) {
                return page.text;
            }
            assert!(begin.elapsed() < PATIENCE, "no {text:?} in {:?}", page.text);
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn client() -> reqwest::Client {
    let client = http().redirect(reqwest::redirect::Policy::none());
    client.build().expect("a client")
}

/// The first form of a page.
struct Form {
    action: String,
    is_multipart: bool,
    fields: Vec<(String, String)>,
}

impl Form {
    #[track_caller]
    fn of(page: &str) -> Form {
        let (_, rest) = page
            .split_once("<form")
            .unwrap_or_else(|| panic!("no form: {page}"));
        let (form, _) = rest.split_once("</form>").expect("its end");
        let mut tags = form.split("<input");
        let head = tags.next().expect("a head");
        let field = |tag: &str| Some((attribute(tag, "name")?, attribute(tag, "value")));
        Form {
            action: attribute(head, "action").unwrap_or_default(),
            is_multipart: head.contains("multipart/form-data"),
            fields: tags
                .filter_map(field)
                .map(|(name, value)| (name, value.unwrap_or_default()))
                .collect(),
        }
    }
}

/// What an attribute of a tag says, where the tag has it.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (tag, _) = tag.split_once('>')?;
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(value.replace("&quot;", "\"").replace("&amp;", "&"))
}

fn urlencoded<'f>(fields: impl Iterator<Item = (&'f str, &'f str)>) -> (String, String) {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(fields);
    let kind = "application/x-www-form-urlencoded".to_owned();
    (kind, body.finish())
}

fn multipart<'f>(fields: impl Iterator<Item = (&'f str, &'f str)>) -> (String, String) {
    let part = |(name, value): (&str, &str)| {
        format!("--parts\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body: String = fields.map(part).collect();
    let kind = "multipart/form-data; boundary=parts".to_owned();
    (kind, format!("{body}--parts--\r\n"))
}

/// From a link to what both have, and a sign-up while the server is away.
fn play(shop: impl Fn() -> Command) {
    let mut stage = Stage::set_up(shop());
    stage.land(&stage.shop.url);
    let mut ada = Visitor::new(&stage);
    let typed = [("name", "Ada L"), ("email", "ada@lovelace.example")];
    let signed_up = ada.submit("/sign-up", &typed);
    assert_eq!(signed_up.leads_to(), "/account");
    assert_eq!(signed_up.status, 303);
    let page = ada.see("/account", "Recommend us: http");
    let link = page
        .split("Recommend us: ")
        .nth(1)
        .and_then(|rest| rest.split('<').next());
    let link = link.expect("a link").to_owned();
    let again = Visitor::new(&stage).submit("/sign-up", &typed);
    assert!(
        again.text.contains("There is an account with this address"),
        "{}",
        again.text
    );

    let mut grace = follow(&link, &stage);
    let typed = [("name", "Grace"), ("email", "grace@hopper.example")];
    let form = grace.submit("/sign-up", &typed);
    assert_eq!(form.leads_to(), "/account");
    for of_no_more_use in ["ref", "ref_click"] {
        assert!(!grace.cookies.contains_key(of_no_more_use));
    }
    stage.complete(&grace.submit("/account", &[]).leads_to());
    ada.see("/account", "You have earned 10.00 USD");
    grace.see("/account", "You have earned 5.00 USD");
    ada.see("/account", "You have 10.00 USD");
    let converted = "/referrals?status=converted";
    let referrals = stage.world.send("GET", converted, &json!({}));
    let attribution = &referrals["referrals"][0]["attribution"];
    assert!(attribution["clickedAt"].is_string(), "{attribution}");

    // Nobody is sent to another host.
    let evil = Visitor::new(&stage).get("//evil.example/a?ref_click=ct_1");
    assert!(evil.leads_to().starts_with("/evil"), "{:?}", evil.headers);
    only_their_own_page(&stage, &mut grace);
    forged(&stage);
    whoever_cannot_be_introduced_is_told(&stage);
    nobody_waits_for_the_server(&mut stage, &link);
    stage.world.place.run(&["verify"]).ok();
}

/// Follows a share link to the form, by way of the page that keeps the click.
fn follow(link: &str, stage: &Stage) -> Visitor {
    let mut visitor = Visitor::new(stage);
    let call = client().get(link).header("user-agent", "Mozilla/5.0");
    let followed = stage.runtime.block_on(call.send()).expect("an answer");
    let landing = followed.headers()[LOCATION].to_str().expect("an address");
    let path = landing
        .strip_prefix(&stage.shop.url)
        .expect("the landing page");
    assert!(path.contains("ref_click=ct_"), "{path}");
    let with_code = visitor.get(path).leads_to();
    let code = with_code.strip_prefix("/sign-up?ref=");
    let code = code.unwrap_or_else(|| panic!("{with_code}")).to_owned();
    assert!(visitor.cookies["ref_click"].starts_with("ct_"));
    visitor.get(&with_code);
    // The code stays with them, wherever they look around.
    let form = visitor.get("/sign-up");
    assert!(form.text.contains(&code), "{}", form.text);
    visitor
}

/// A token for the page of a customer is for whoever is signed in.
fn only_their_own_page(stage: &Stage, grace: &mut Visitor) {
    let path = "/my/referral-token";
    assert_eq!(Visitor::new(stage).get(path).status, 401);
    let given = grace.get(path);
    assert_eq!(given.status, 200, "{}", given.text);
    assert_eq!(given.headers[CACHE_CONTROL], "no-store");
    let token: Value = serde_json::from_str(&given.text).expect("JSON");
    assert!(text(&token["token"]).starts_with("bp_"), "{token}");
    assert!(text(&token["expiresAt"]).ends_with('Z'), "{token}");
}

/// A webhook that nobody signed changes nothing.
fn forged(stage: &Stage) {
    let body = r#"{"type":"credit.granted","id":"evt_1"}"#;
    let call = client().post(format!("{}/webhooks/billstack", stage.shop.url));
    let call = call
        .header("webhook-id", "evt_1")
        .header("webhook-timestamp", "1");
    let call = call.header("webhook-signature", format!("v1,{}", stage.secret));
    let answer = stage.runtime.block_on(call.body(body).send());
    assert_eq!(answer.expect("an answer").status(), 400);
}

/// No repetition makes an address of what is none, or theirs what is somebody else's: they read why, and it is over.
fn whoever_cannot_be_introduced_is_told(stage: &Stage) {
    let taken = json!({"email": "taken@shop.example", "externalId": "somebody else"});
    stage.world.send("POST", "/customers", &taken);
    for (email, told) in [
        ("no-address", "must be an e-mail address"),
        (
            "taken@shop.example",
            "A customer with this e-mail address exists",
        ),
    ] {
        let mut visitor = Visitor::new(stage);
        let typed = [("name", "Mallory"), ("email", email)];
        assert_eq!(visitor.submit("/sign-up", &typed).leads_to(), "/account");
        let page = visitor.get("/account");
        assert!(page.text.contains(told), "{}", page.text);
    }
}

/// Somebody signs up while the server is away, and is introduced once it is back.
fn nobody_waits_for_the_server(stage: &mut Stage, link: &str) {
    let mut eve = follow(link, stage);
    let world = &mut stage.world;
    let address = world.server.address.clone();
    assert_eq!(world.server.stop("-TERM"), Some(0));
    let typed = [("name", "Eve"), ("email", "eve@example.com")];
    let form = eve.submit("/sign-up", &typed);
    assert_eq!(form.leads_to(), "/account");
    let page = eve.get("/account");
    assert!(
        page.text.contains("Eve") && !page.text.contains("Recommend"),
        "{}",
        page.text
    );
    world.server = Server::start(world.place.command(&["serve", "--listen", &address]));
    eve.see("/account", "Recommend us: http");
    let customers = world.send("GET", "/customers?email=eve@example.com", &json!({}));
    let id = text(&customers["customers"][0]["id"]);
    let referrals = world.send(
        "GET",
        &format!("/referrals?refereeCustomerId={id}"),
        &json!({}),
    );
    assert_eq!(referrals["referrals"][0]["status"], "pending");
}

#[track_caller]
fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}
