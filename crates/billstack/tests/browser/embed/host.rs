//! A product on another origin, whose page embeds a customer's page.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use billstack::clock::{Clock, rfc3339};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::bench::Bench;
use crate::support::client::{Caller, KeyClient};
use crate::support::fixture::text;
use crate::support::receiver::eventually;

/// What is given in place of tokens where the backend does not work.
pub(super) const FAILURE: &str = "failure";

/// What its backend knows.
struct Product {
    key: KeyClient,
    customer: String,
    server: String,
    project: String,
    /// For how long it says that tokens are good.
    lasting: Duration,
    /// What it gives in place of tokens, if it is not empty.
    instead: Mutex<String>,
    /// Every token that it gave, in order.
    given: Mutex<Vec<String>>,
}

/// A running product.
pub(crate) struct Host {
    product: Arc<Product>,
    port: u16,
    serving: JoinHandle<()>,
}

impl Host {
    /// Starts one whose customer this is.
    pub(crate) async fn start(t: &Bench, customer: &str, lasting: Duration) -> Host {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let product = Arc::new(Product {
            key: t.key.clone(),
            customer: customer.to_owned(),
            server: t.nodes[0].origin.clone(),
            project: format!("{}/{}", t.home.team, t.home.project),
            lasting,
            instead: Mutex::default(),
            given: Mutex::default(),
        });
        let routes = Router::new()
            .route("/", get(page))
            .route("/token", get(token))
            .route("/other", get(async || Html("<p>Another frame</p>")))
            .with_state(Arc::clone(&product));
        let serving = tokio::spawn(async {
            axum::serve(listener, routes).await.expect("a server");
        });
        Host {
            product,
            port,
            serving,
        }
    }

    /// Its page on an origin that can be allowed.
    pub(crate) fn url(&self, query: &str) -> String {
        format!("http://localhost:{}/?{query}", self.port)
    }

    /// The origin of that page.
    pub(super) fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The same page on another origin.
    pub(super) fn url_elsewhere(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Gives this in place of tokens from now on; if it is empty, tokens again.
    pub(super) fn give_only(&self, instead: &str) {
        instead.clone_into(&mut self.product.instead.lock().expect("no panic"));
    }

    /// Waits until it has given so many tokens.
    pub(super) async fn until_given(&self, number: usize) {
        let given = || async { (self.given().len() >= number).then_some(()) };
        eventually("tokens", given).await;
    }

    /// Every token that it gave, in order.
    pub(super) fn given(&self) -> Vec<String> {
        self.product.given.lock().expect("no panic").clone()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Its page. `attributes` of the query are those of the element; `closed` lets no frame write to the clipboard, and
/// `open` lets it have frames of its own.
async fn page(State(product): State<Arc<Product>>, uri: Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let attributes: String = pairs
        .filter(|(name, _)| name != "closed" && name != "open")
        .map(|(name, value)| format!(" {name}=\"{value}\""))
        .collect();
    let (server, project) = (&product.server, &product.project);
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Product</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <script type=\"module\" src=\"{server}/embed/v1.js\"></script></head><body><main><h1>Product</h1>\
         <billstack-referrals project=\"{project}\" token-url=\"/token\"{attributes}></billstack-referrals>\
         </main></body></html>"
    );
    let other = match query.contains("open") {
        true => " 'self'",
        false => "",
    };
    let policy = format!(
        "default-src 'none'; script-src {server}; frame-src {server}{other}; connect-src 'self'"
    );
    let permissions = match query.contains("closed") {
        true => "clipboard-write=()",
        false => "",
    };
    let headers = [
        ("content-security-policy", policy.as_str()),
        ("permissions-policy", permissions),
    ];
    (headers, Html(page)).into_response()
}

/// What the product's backend does: it asks for a session of whom it has signed in.
async fn token(State(product): State<Arc<Product>>) -> Result<Json<Value>, StatusCode> {
    let path = format!("customers/{}/portal-sessions", product.customer);
    let made = product.key.post(&path, json!({})).await.created();
    let instead = product.instead.lock().expect("no panic").clone();
    if instead == FAILURE {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    let token = match instead.is_empty() {
        true => text(&made["portalSession"]["token"]),
        false => instead,
    };
    product.given.lock().expect("no panic").push(token.clone());
    let lasting = i64::try_from(product.lasting.as_micros()).expect("a time");
    let end = rfc3339(Clock::System.now_micros() + lasting);
    Ok(Json(json!({"token": token, "expiresAt": end})))
}
