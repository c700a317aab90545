//! As much of the WebDriver protocol as the tests speak: <https://www.w3.org/TR/webdriver2/>.
//!
//! The libraries that speak all of it would have serde_json keep the order of members, in the server under test as well:
//! what is tested would not be what is shipped.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// The name under which an element is sent, as the protocol has it.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys that are no letters.
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const CONTROL: &str = "\u{e009}";
pub(crate) const ESCAPE: &str = "\u{e00c}";

/// A session of a driver.
pub(crate) struct Driver {
    http: Client,
    session: String,
}

/// What the driver says when it cannot.
pub(crate) type Answer<T> = Result<T, String>;

impl Driver {
    /// Opens a session of a driver that listens at this address.
    pub(crate) async fn open(address: &str, capabilities: Value) -> Answer<Driver> {
        // An error only says that another test was first; the driver is spoken to without TLS anyway.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(60))
            .build();
        let mut driver = Driver {
            http: http.map_err(|error| error.to_string())?,
            session: format!("{address}/session"),
        };
        let wanted = json!({"capabilities": {"alwaysMatch": capabilities}});
        let opened = driver.call(Method::POST, "", wanted).await?;
        let id = opened["sessionId"].as_str().ok_or("no session")?;
        driver.session = format!("{address}/session/{id}");
        Ok(driver)
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Answer<Value> {
        let request = self
            .http
            .request(method.clone(), format!("{}{path}", self.session));
        let request = match method {
            Method::POST => request.json(&body),
            _ => request,
        };
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let is_fine = answer.status().is_success();
        let mut answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        match is_fine {
            true => Ok(answer["value"].take()),
            false => Err(answer["value"]["message"].to_string()),
        }
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer<Value> {
        self.call(Method::POST, path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer<Value> {
        self.call(Method::GET, path, Value::Null).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer<Value> {
        self.call(Method::DELETE, path, Value::Null).await
    }

    /// What a script returns; `sync` or `async`, which calls its last argument.
    pub(crate) async fn run(&self, kind: &str, script: &str) -> Answer<Value> {
        let script = json!({"script": script, "args": []});
        self.post(&format!("/execute/{kind}"), script).await
    }

    /// The first element that a selector of CSS finds.
    pub(crate) async fn find(&self, selector: &str) -> Answer<Element<'_>> {
        let by = json!({"using": "css selector", "value": selector});
        self.element(self.post("/element", by).await?)
    }

    /// The element that has the focus.
    pub(crate) async fn active(&self) -> Answer<Element<'_>> {
        self.element(self.get("/element/active").await?)
    }

    fn element(&self, found: Value) -> Answer<Element<'_>> {
        let id = found[ELEMENT].as_str().ok_or("no element")?;
        Ok(Element {
            driver: self,
            id: id.to_owned(),
        })
    }

    /// What the window shows, as PNG.
    pub(crate) async fn picture(&self) -> Answer<Vec<u8>> {
        let picture = self.get("/screenshot").await?;
        let text = picture.as_str().unwrap_or_default();
        BASE64_STANDARD
            .decode(text)
            .map_err(|error| error.to_string())
    }
}

/// An element of the page at hand.
pub(crate) struct Element<'d> {
    driver: &'d Driver,
    id: String,
}

impl Element<'_> {
    async fn ask(&self, what: &str) -> String {
        let path = format!("/element/{}/{what}", self.id);
        let answer = self.driver.get(&path).await;
        let answer = answer.unwrap_or_else(|error| panic!("{what}: {error}"));
        answer.as_str().unwrap_or_default().to_owned()
    }

    async fn tell(&self, what: &str, body: Value) {
        let path = format!("/element/{}/{what}", self.id);
        let told = self.driver.post(&path, body).await;
        told.unwrap_or_else(|error| panic!("{what}: {error}"));
    }

    pub(crate) async fn text(&self) -> String {
        self.ask("text").await
    }

    /// What a field holds.
    pub(crate) async fn value(&self) -> String {
        self.ask("property/value").await
    }

    pub(crate) async fn attribute(&self, name: &str) -> String {
        self.ask(&format!("attribute/{name}")).await
    }

    /// A value of a property of CSS, as it is used.
    pub(crate) async fn css(&self, name: &str) -> String {
        self.ask(&format!("css/{name}")).await
    }

    pub(crate) async fn click(&self) {
        self.tell("click", json!({})).await;
    }

    /// Clicks with the middle button.
    pub(crate) async fn click_middle(&self) {
        let there = json!({"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": {ELEMENT: self.id}});
        let (down, up) = (
            json!({"type": "pointerDown", "button": 1}),
            json!({"type": "pointerUp", "button": 1}),
        );
        let mouse = json!({
            "type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [there, down, up],
        });
        let moved = self
            .driver
            .post("/actions", json!({"actions": [mouse]}))
            .await;
        moved.expect("a click");
    }

    /// Clicks twice, so quickly that the page cannot have changed in between.
    pub(crate) async fn click_twice(&self) {
        let (down, up) = (
            json!({"type": "pointerDown", "button": 0}),
            json!({"type": "pointerUp", "button": 0}),
        );
        let there = json!({"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": {ELEMENT: self.id}});
        let mouse = json!({
            "type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
            "actions": [there, down, up, down, up],
        });
        let moved = self
            .driver
            .post("/actions", json!({"actions": [mouse]}))
            .await;
        moved.expect("two clicks");
    }

    pub(crate) async fn clear(&self) {
        self.tell("clear", json!({})).await;
    }

    pub(crate) async fn type_in(&self, text: &str) {
        self.tell("value", json!({"text": text})).await;
    }
}
