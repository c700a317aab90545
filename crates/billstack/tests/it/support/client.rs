//! Clients, one type for each way to call: as nobody, with an API key, with a session cookie.
//!
//! Whatever is asked, an answer is held against what is promised of every answer, and against the
//! API document; see [`Answer::check`].

use billstack::clock::Clock;
use billstack::error::Reason;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::bench::advance;
use super::document;

/// What makes clients of the tests: by no proxy, whoever is the first of the process.
pub(crate) fn http() -> reqwest::ClientBuilder {
    // Calls are plain HTTP, but a client insists on a cryptography provider. A second installation in the same
    // process is refused and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}

/// A way to a server, and the place that relative paths belong to.
#[derive(Clone)]
pub(crate) struct Wire {
    http: reqwest::Client,
    pub(crate) origin: String,
    place: String,
    clock: Clock,
}

impl Wire {
    pub(crate) fn new(origin: &str, clock: Clock) -> Wire {
        let http = http()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(std::time::Duration::from_secs(60))
            .build();
        Wire {
            http: http.expect("a client"),
            origin: origin.to_owned(),
            place: String::new(),
            clock,
        }
    }

    /// The same way; relative paths are those of this project.
    pub(crate) fn within(&self, team: &str, project: &str) -> Wire {
        Wire {
            place: format!("/api/billstack/teams/{team}/projects/{project}"),
            ..self.clone()
        }
    }

    /// The same place on another server.
    pub(crate) fn at(&self, origin: &str) -> Wire {
        Wire {
            origin: origin.to_owned(),
            ..self.clone()
        }
    }

    /// The path on the server; one without a slash in front is that of the project.
    pub(crate) fn path(&self, path: &str) -> String {
        if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{}/{path}", self.place)
        }
    }
}

/// Somebody who calls the server.
pub(crate) trait Caller {
    fn wire(&self) -> &Wire;

    /// Adds what shows who it is.
    fn identify(&self, request: RequestBuilder, method: &Method) -> RequestBuilder;

    fn call(&self, method: Method, path: &str) -> Call {
        let wire = self.wire();
        let path = wire.path(path);
        let request = wire
            .http
            .request(method.clone(), format!("{}{path}", wire.origin));
        Call {
            request: self.identify(request, &method),
            method,
            path,
            clock: wire.clock.clone(),
        }
    }

    fn get(&self, path: &str) -> impl Future<Output = Answer> + Send + 'static {
        self.call(Method::GET, path).send()
    }

    fn post(&self, path: &str, body: Value) -> impl Future<Output = Answer> + Send + 'static {
        self.call(Method::POST, path).json(&body).send()
    }

    fn put(&self, path: &str, body: Value) -> impl Future<Output = Answer> + Send + 'static {
        self.call(Method::PUT, path).json(&body).send()
    }

    fn patch(&self, path: &str, body: Value) -> impl Future<Output = Answer> + Send + 'static {
        self.call(Method::PATCH, path).json(&body).send()
    }

    fn delete(&self, path: &str) -> impl Future<Output = Answer> + Send + 'static {
        self.call(Method::DELETE, path).send()
    }
}

/// Nobody in particular.
#[derive(Clone)]
pub(crate) struct Anonymous(Wire);

impl Anonymous {
    pub(crate) fn new(wire: &Wire) -> Anonymous {
        Anonymous(wire.clone())
    }
}

impl Caller for Anonymous {
    fn wire(&self) -> &Wire {
        &self.0
    }

    fn identify(&self, request: RequestBuilder, _: &Method) -> RequestBuilder {
        request
    }
}

/// A program with an API key.
#[derive(Clone)]
pub(crate) struct KeyClient {
    wire: Wire,
    pub(crate) key: String,
}

impl KeyClient {
    pub(crate) fn new(wire: &Wire, key: &str) -> KeyClient {
        KeyClient {
            wire: wire.clone(),
            key: key.to_owned(),
        }
    }

    /// The same key used on another way.
    pub(crate) fn over(&self, wire: &Wire) -> KeyClient {
        KeyClient::new(wire, &self.key)
    }
}

impl Caller for KeyClient {
    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn identify(&self, request: RequestBuilder, _: &Method) -> RequestBuilder {
        request.bearer_auth(&self.key)
    }
}

/// Somebody signed in, in a browser that says where a write comes from.
#[derive(Clone)]
pub(crate) struct CookieClient {
    wire: Wire,
    /// Name and value of the cookie.
    pub(crate) cookie: String,
}

impl CookieClient {
    pub(crate) fn new(wire: &Wire, cookie: &str) -> CookieClient {
        CookieClient {
            wire: wire.clone(),
            cookie: cookie.to_owned(),
        }
    }

    /// The same session used on another way.
    pub(crate) fn over(&self, wire: &Wire) -> CookieClient {
        CookieClient::new(wire, &self.cookie)
    }

    /// A call that says nothing of where it comes from.
    pub(crate) fn bare(&self, method: Method, path: &str) -> Call {
        let nobody = Anonymous::new(&self.wire);
        nobody.call(method, path).header("cookie", &self.cookie)
    }
}

impl Caller for CookieClient {
    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn identify(&self, request: RequestBuilder, method: &Method) -> RequestBuilder {
        let request = request.header("cookie", &self.cookie);
        if method.is_safe() {
            return request;
        }
        request.header("sec-fetch-site", "same-origin")
    }
}

/// A call that has not been sent yet.
pub(crate) struct Call {
    request: RequestBuilder,
    method: Method,
    path: String,
    clock: Clock,
}

impl Call {
    pub(crate) fn header(self, name: &str, value: &str) -> Call {
        Call {
            request: self.request.header(name, value),
            ..self
        }
    }

    /// A form, as a browser sends it.
    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Call {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        let body = body.extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    pub(crate) fn json(self, body: &Value) -> Call {
        self.body("application/json", body.to_string())
    }

    pub(crate) fn body(self, kind: &str, body: impl Into<reqwest::Body>) -> Call {
        Call {
            request: self.request.header(CONTENT_TYPE, kind).body(body),
            ..self
        }
    }

    /// Sends it a millisecond after the one before, so that the order of things is known.
    pub(crate) async fn send(self) -> Answer {
        let answer = self.send_beside_a_newer_version().await;
        answer.check();
        answer
    }

    /// The same for an answer with words that the API document of this version does not know.
    pub(crate) async fn send_beside_a_newer_version(self) -> Answer {
        advance(&self.clock, 1_000);
        let response = self.request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("a body");
        Answer {
            method: self.method,
            path: self.path,
            status,
            headers,
            text,
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// What holds for every answer: an `X-Request-Id`; for an error, our shape, a reason of the
    /// list and the status that goes with it; and what the API document says of the call.
    fn check(&self) {
        let id = self.header("x-request-id");
        let id = id.unwrap_or_else(|| panic!("{self:?}"));
        if self.is_page() {
            // A form that comes back says itself what is wrong; any other refusal can be asked about.
            assert!(
                self.status < 400 || self.text.contains("<form") || self.text.contains(id),
                "{self:?}"
            );
            return;
        }
        if self.status >= 400 {
            let body = self.json();
            assert!(body["error"].as_str().is_some_and(|e| !e.is_empty()));
            let reason = self.reason();
            let known = Reason::ALL.iter().find(|known| known.as_str() == reason);
            let known = known.unwrap_or_else(|| panic!("{self:?}"));
            assert_eq!(known.status().as_u16(), self.status, "{self:?}");
            let waits = known.asks_to_retry();
            assert_eq!(self.header("retry-after").is_some(), waits, "{self:?}");
        }
        document::check(self);
    }

    /// Whether it is one of our pages, in its frame.
    pub(crate) fn is_page(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default();
        kind.starts_with("text/html") && self.text.contains("<main")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{self:?}"
        );
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// The `reason` of an error.
    #[track_caller]
    pub(crate) fn reason(&self) -> String {
        let reason = self.json()["reason"].as_str().map(str::to_owned);
        reason.unwrap_or_else(|| panic!("no reason: {self:?}"))
    }

    /// The body of a 200.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()
    }

    /// The body of a 201.
    #[track_caller]
    pub(crate) fn created(self) -> Value {
        assert_eq!(self.status, 201, "{self:?}");
        self.json()
    }

    /// The body of an answer that refuses for this reason.
    #[track_caller]
    pub(crate) fn refused(self, reason: &str) -> Value {
        assert!(self.status >= 400, "{self:?}");
        assert_eq!(self.reason(), reason, "{self:?}");
        self.json()
    }

    /// A 400 that names the field at fault.
    #[track_caller]
    pub(crate) fn invalid(self, field: &str) {
        let shown = format!("{self:?}");
        let body = self.refused("invalid_request");
        assert_eq!(body["field"], field, "{shown}");
    }
}
