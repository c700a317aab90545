//! A plain HTTP client for the fake.

use std::time::Duration;

use fake_stripe::FakeStripe;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// Calls a fake with an API key.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base_url: String,
    key: &'static str,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) json: Value,
}

impl Client {
    pub(crate) fn new(fake: &FakeStripe) -> Self {
        // Calls are plain HTTP, but the client insists on a cryptography provider. A second
        // installation in the same process is refused and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(10));
        let http = builder.build().expect("a client");
        Self {
            http,
            base_url: fake.base_url(),
            key: "sk_test_a",
        }
    }

    pub(crate) fn with_key(&self, key: &'static str) -> Self {
        Self {
            key,
            ..self.clone()
        }
    }

    /// A request without an API key.
    pub(crate) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base_url))
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).bearer_auth(self.key)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path))
            .await
            .expect("an answer")
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        send(self.request(Method::POST, path).form(form))
            .await
            .expect("an answer")
    }

    pub(crate) async fn post_once(&self, path: &str, form: &[(&str, &str)], key: &str) -> Answer {
        self.try_once(path, form, key).await.expect("an answer")
    }

    pub(crate) async fn try_once(
        &self,
        path: &str,
        form: &[(&str, &str)],
        key: &str,
    ) -> reqwest::Result<Answer> {
        send(
            self.request(Method::POST, path)
                .form(form)
                .header("Idempotency-Key", key),
        )
        .await
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn error(&self, member: &str) -> &str {
        self.json["error"][member].as_str().unwrap_or_default()
    }

    pub(crate) fn id(&self) -> &str {
        self.json["id"].as_str().expect("an id")
    }
}

pub(crate) async fn send(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer {
        status,
        headers,
        json: response.json().await?,
    })
}
