//! The shops of `examples/`, played through over HTTP: against a real server, with the stand-in for Stripe.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fake_stripe::{EventOptions, FakeStripe, body, event, sign};
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::clients::{World, node, python};
use super::{PATIENCE, Server};

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

fn fastapi(world: &World, settings: &BTreeMap<&str, String>) -> Shop {
    let (interpreter, directory) = python::shop();
    let mut command = Command::new(interpreter);
    command.args(["-m", "uvicorn", "shop:app", "--port", "0"]);
    command.current_dir(directory);
    world.tell(&mut command, &world.server.address);
    start(command.envs(settings))
}

fn express(world: &World, settings: &BTreeMap<&str, String>) -> Shop {
    let mut command = Command::new("node");
    command.arg(node::shop().join("shop.mjs")).env("PORT", "0");
    world.tell(&mut command, &world.server.address);
    start(command.envs(settings))
}

/// Starts a shop and waits until it says where it listens, as all of them do on standard error.
fn start(command: &mut Command) -> Shop {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let mut lines = lines.map_while(Result::ok);
    let mut said = Vec::new();
    let url = lines.by_ref().find_map(|line| {
        said.push(line.clone());
        let (_, after) = line.split_once("http://127.0.0.1:")?;
        let port: String = after.chars().take_while(char::is_ascii_digit).collect();
        Some(format!("http://127.0.0.1:{port}"))
    });
    let url = url.unwrap_or_else(|| panic!("it does not listen:\n{}", said.join("\n")));
    // A full pipe would stop it.
    std::thread::spawn(move || lines.for_each(drop));
    Shop { child, url }
}

/// What a browser keeps between two pages.
struct Visitor<'s> {
    shop: &'s str,
    runtime: &'s Runtime,
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

impl Visitor<'_> {
    fn new<'s>(shop: &'s Shop, runtime: &'s Runtime) -> Visitor<'s> {
        Visitor {
            shop: &shop.url,
            runtime,
            cookies: BTreeMap::new(),
        }
    }

    fn get(&mut self, path: &str) -> Page {
        self.send("GET", path, "")
    }

    fn post(&mut self, path: &str, form: &str) -> Page {
        self.send("POST", path, form)
    }

    fn send(&mut self, method: &str, path: &str, form: &str) -> Page {
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let call = client().request(
            method.parse().expect("a method"),
            format!("{}{path}", self.shop),
        );
        let call = call.header("cookie", cookies);
        let call = call.header("content-type", "application/x-www-form-urlencoded");
        let page = self.runtime.block_on(async {
            let answer = call.body(form.to_owned()).send().await.expect("a page");
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
    // A second installation in the same process is refused and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy();
    let client = client.redirect(reqwest::redirect::Policy::none());
    client.build().expect("a client")
}

/// From a link to what both have, and a sign-up while the server is away.
fn play(run: impl Fn(&World, &BTreeMap<&str, String>) -> Shop) {
    let runtime = Runtime::new().expect("a runtime");
    let stripe = runtime.block_on(FakeStripe::start());
    let mut world = World::with(&["--webhook-allowed-networks", "127.0.0.0/8"]);
    let endpoint = json!({"url": "http://127.0.0.1:9/"});
    let endpoint = world.send("POST", "/webhook-endpoints", &endpoint);
    let settings = BTreeMap::from([
        ("BILLSTACK_WEBHOOK_SECRETS", text(&endpoint["secret"])),
        (
            "SHOP_DATABASE",
            world.place.file("shop.db").display().to_string(),
        ),
        ("SHOP_PAUSE_SECONDS", "0.2".to_owned()),
        ("SHOP_URL", "http://shop.example".to_owned()),
        ("STRIPE_API_BASE", stripe.base_url()),
        ("STRIPE_PRICE", "price_1".to_owned()),
        ("STRIPE_SECRET_KEY", "sk_test_shop".to_owned()),
    ]);
    let shop = run(&world, &settings);
    let id = text(&endpoint["endpoint"]["id"]);
    let to_shop = json!({"url": format!("{}/webhooks/billstack", shop.url)});
    world.send("PATCH", &format!("/webhook-endpoints/{id}"), &to_shop);
    let landing = json!({"enabled": true, "landingUrl": format!("{}/sign-up", shop.url)});
    world.send("PUT", "/links/settings", &landing);

    let mut ada = Visitor::new(&shop, &runtime);
    let signed_up = ada.post("/sign-up", "name=Ada+L&email=ada%40lovelace.example");
    assert_eq!(signed_up.leads_to(), "/account");
    assert_eq!(signed_up.status, 303);
    let page = ada.see("/account", "Recommend us: http");
    let link = page
        .split("Recommend us: ")
        .nth(1)
        .and_then(|rest| rest.split('<').next());
    let link = link.expect("a link").to_owned();

    let mut grace = follow(&link, &shop, &runtime);
    let form = grace.post("/sign-up", "name=Grace&email=grace%40hopper.example");
    assert_eq!(form.leads_to(), "/account");
    assert!(
        !grace.cookies.contains_key("ref_click"),
        "it is of no more use"
    );
    buy(&mut grace, &stripe, &world);
    ada.see("/account", "You have earned 10.00 USD");
    grace.see("/account", "You have earned 5.00 USD");
    ada.see("/account", "You have 10.00 USD");
    let referrals = world.send("GET", "/referrals?status=converted", &json!({}));
    assert_eq!(referrals["referrals"][0]["attribution"]["source"], "click");

    // Nobody is sent to another host.
    let evil = Visitor::new(&shop, &runtime).get("//evil.example/a?ref_click=ct_1");
    assert!(evil.leads_to().starts_with("/evil"), "{:?}", evil.headers);
    forged(&shop, &runtime, &text(&endpoint["secret"]));
    nobody_waits_for_the_server(&mut world, &shop, &runtime, &link);
    world.place.run(&["verify"]).ok();
}

/// Follows a share link to the form, by way of the page that keeps the click.
fn follow<'s>(link: &str, shop: &'s Shop, runtime: &'s Runtime) -> Visitor<'s> {
    let mut visitor = Visitor::new(shop, runtime);
    let followed = runtime.block_on(
        client()
            .get(link)
            .header("user-agent", "Mozilla/5.0")
            .send(),
    );
    let followed = followed.expect("an answer");
    let landing = followed.headers()[LOCATION].to_str().expect("an address");
    let path = landing.strip_prefix(&shop.url).expect("the landing page");
    assert!(path.contains("ref_click=ct_"), "{path}");
    let code = visitor.get(path).leads_to();
    assert!(code.starts_with("/sign-up?ref="), "{code}");
    assert!(visitor.cookies["ref_click"].starts_with("ct_"));
    let form = visitor.get(&code);
    assert!(
        form.text.contains(code.trim_start_matches("/sign-up?ref=")),
        "{}",
        form.text
    );
    visitor
}

/// Goes to the checkout, and lets Stripe tell that the subscription has begun.
fn buy(visitor: &mut Visitor<'_>, stripe: &FakeStripe, world: &World) {
    let checkout = visitor.post("/checkout", "").leads_to();
    let id = checkout.rsplit('/').next().expect("an id").to_owned();
    let session = stripe.with_books(|books| books.checkout_sessions.get(&id).cloned());
    let mut session = session.expect("a session");
    let ours = text(&session["metadata"]["billstackCustomerId"]);
    assert!(ours.starts_with("pc_"), "{session}");
    assert!(text(&session["customer"]).starts_with("cus_"), "{session}");
    let known = world.send("GET", &format!("/customers/{ours}"), &json!({}));
    assert_eq!(known["customer"]["stripeCustomerId"], session["customer"]);
    session["status"] = json!("complete");
    session["payment_status"] = json!("paid");
    session["subscription"] = json!(format!("sub_{id}"));
    let now = session["created"].as_i64().expect("a time");
    let told = body(&event(
        "checkout.session.completed",
        &session,
        &EventOptions::at(now),
    ));
    let team = world.project.split('/').nth(4).expect("a team");
    let address = &world.server.address;
    let call = client().post(format!("http://{address}/api/webhooks/stripe/{team}"));
    let call = call.header("stripe-signature", sign(&told, STRIPE_SECRET, now));
    let call = call.header("content-type", "application/json").body(told);
    let answer = visitor.runtime.block_on(call.send()).expect("an answer");
    assert_eq!(answer.status(), 200);
}

/// A webhook that nobody signed changes nothing.
fn forged(shop: &Shop, runtime: &Runtime, secret: &str) {
    let body = r#"{"type":"credit.granted","id":"evt_1"}"#;
    let call = client().post(format!("{}/webhooks/billstack", shop.url));
    let call = call
        .header("webhook-id", "evt_1")
        .header("webhook-timestamp", "1");
    let call = call.header("webhook-signature", format!("v1,{secret}"));
    let answer = runtime.block_on(call.body(body).send()).expect("an answer");
    assert_eq!(answer.status(), 400);
}

/// Somebody signs up while the server is away, and is introduced once it is back.
fn nobody_waits_for_the_server(world: &mut World, shop: &Shop, runtime: &Runtime, link: &str) {
    let mut eve = follow(link, shop, runtime);
    let address = world.server.address.clone();
    assert_eq!(world.server.stop("-TERM"), Some(0));
    let form = eve.post("/sign-up", "name=Eve&email=eve%40example.com");
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
