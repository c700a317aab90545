//! Makes the calls of the demo over HTTP and shows each: as a sentence, or how to repeat it and what came back too.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;

use super::stripe;
use crate::cli::init::Founded;
use crate::cli::output::{Failure, say};

/// The most lines of an answer that are shown.
const MOST_LINES: usize = 80;

/// Whatever fits into so many columns stays on one line.
const WIDTH: usize = 120;

/// No call of the demo should take a fraction of this.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How much is shown.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Shows {
    /// A line for each step, once it went as it should.
    Ticks,
    /// Each call and its answer.
    Calls,
}

/// A customer of the story's project, with the means to call its API.
pub(super) struct Player {
    client: Client,
    project_url: String,
    api_key: String,
    webhook_url: String,
    webhook_secret: String,
    shows: Shows,
    step: u32,
    /// The step whose answer is still being looked at.
    begun: Option<String>,
}

impl Player {
    /// Calls the server at `url` with the key that it was founded with.
    pub(super) fn new(
        url: &str,
        founded: &Founded,
        secret: &str,
        shows: Shows,
    ) -> Result<Player, Failure> {
        // An error only says that somebody was first; the demo speaks plain HTTP anyway.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(TIMEOUT).no_proxy().build();
        let (team_id, project_id) = (&founded.team_id, &founded.project_id);
        Ok(Player {
            client: client.map_err(Failure::refused)?,
            project_url: format!("{url}/api/billstack/teams/{team_id}/projects/{project_id}"),
            api_key: founded.api_key.clone(),
            webhook_url: founded.webhook_url.clone(),
            webhook_secret: secret.to_owned(),
            shows,
            step: 0,
            begun: None,
        })
    }

    /// Reads something of the project.
    pub(super) async fn get(&mut self, what: &str, path: &str) -> Result<Value, Failure> {
        self.call(what, Method::GET, path, None, 200).await
    }

    /// Calls the API of the project and expects this status.
    pub(super) async fn call(
        &mut self,
        what: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
        expected: u16,
    ) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.project_url);
        let mut curl = match method {
            Method::GET => format!("curl '{url}'"),
            _ => format!("curl -X {method} '{url}'"),
        };
        curl.push_str(&format!(
            " \\\n  -H 'Authorization: Bearer {}'",
            self.api_key
        ));
        let mut request = self.client.request(method, url).bearer_auth(&self.api_key);
        if let Some(body) = body {
            curl.push_str(&format!(
                " \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'"
            ));
            request = request.json(&body);
        }
        self.begin(what, &curl)?;
        answer(request, expected, self.shows).await
    }

    /// Sends an event as Stripe would and expects this status.
    pub(super) async fn event(
        &mut self,
        what: &str,
        event: &Value,
        signature: &str,
        expected: u16,
    ) -> Result<Value, Failure> {
        let body = event.to_string();
        let curl = format!(
            "curl -X POST '{}' \\\n  -H 'Content-Type: application/json' \\\n  \
             -H 'Stripe-Signature: {signature}' \\\n  -d '{body}'",
            self.webhook_url
        );
        self.begin(what, &curl)?;
        let request = self
            .client
            .post(&self.webhook_url)
            .header("Content-Type", "application/json")
            .header("Stripe-Signature", signature)
            .body(body);
        answer(request, expected, self.shows).await
    }

    /// The signature that Stripe would send with an event at that time, in seconds.
    pub(super) fn sign(&self, event: &Value, at: i64) -> String {
        stripe::sign(event.to_string().as_bytes(), &self.webhook_secret, at)
    }

    fn begin(&mut self, what: &str, curl: &str) -> Result<(), Failure> {
        self.tick()?;
        self.step += 1;
        if self.shows == Shows::Ticks {
            self.begun = Some(what.to_owned());
            return Ok(());
        }
        let curl = curl.replace('\n', "\n    ");
        say(format_args!("\n{:2}. {what}\n\n    {curl}\n", self.step))
    }

    /// Says that a step went as it should, when the next begins or none is left.
    pub(super) fn tick(&mut self) -> Result<(), Failure> {
        match self.begun.take() {
            Some(what) => say(format_args!("\u{2713} {:2}. {what}", self.step)),
            None => Ok(()),
        }
    }
}

async fn answer(request: RequestBuilder, expected: u16, shows: Shows) -> Result<Value, Failure> {
    let response = request.send().await.map_err(Failure::refused)?;
    let status = response.status();
    let body = body(response).await?;
    if shows == Shows::Calls {
        say(shown(status.as_u16(), &body))?;
    }
    if status.as_u16() == expected {
        return Ok(body);
    }
    Err(Failure::refused(format_args!(
        "the demo expected {expected} here and was answered {status}: {body}"
    )))
}

async fn body(response: Response) -> Result<Value, Failure> {
    let text = response.text().await.map_err(Failure::refused)?;
    Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The status and the first lines of the answer.
fn shown(status: u16, body: &Value) -> String {
    let text = laid_out(body, 0);
    let mut lines = text.lines();
    let first: Vec<_> = lines.by_ref().take(MOST_LINES).collect();
    let mut shown = format!("    {status} {}", first.join("\n    "));
    let left = lines.count();
    if left > 0 {
        shown.push_str(&format!("\n    … and {left} lines more"));
    }
    shown
}

/// JSON for people: on one line what fits there, and a member a line what does not.
fn laid_out(value: &Value, indent: usize) -> String {
    let short = value.to_string();
    if indent + short.chars().count() <= WIDTH {
        return short;
    }
    let inner = indent + 2;
    let (open, members, close) = match value {
        Value::Array(items) => {
            let items = items.iter().map(|item| laid_out(item, inner));
            ('[', items.collect::<Vec<_>>(), ']')
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("\"{name}\": {}", laid_out(value, inner))
            };
            ('{', members.iter().map(member).collect(), '}')
        }
        _ => return short,
    };
    let (outer, inner) = (" ".repeat(indent), " ".repeat(inner));
    let members = members.join(&format!(",\n{inner}"));
    format!("{open}\n{inner}{members}\n{outer}{close}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_stays_on_one_line() {
        assert_eq!(shown(200, &json!({"a": [1, 2]})), r#"    200 {"a":[1,2]}"#);
        let long = "x".repeat(WIDTH);
        let text = laid_out(&json!({"a": [long], "b": {"c": 1}}), 0);
        let wanted = format!("{{\n  \"a\": [\n    \"{long}\"\n  ],\n  \"b\": {{\"c\":1}}\n}}");
        assert_eq!(text, wanted);
        let read: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read["b"]["c"], 1);
    }

    #[test]
    fn a_long_answer_is_cut() {
        let long: Vec<_> = (0..MOST_LINES).map(|n| n + 1_000).collect();
        let text = shown(200, &json!(long));
        assert_eq!(text.lines().count(), MOST_LINES + 1);
        assert!(text.ends_with("… and 2 lines more"), "{text}");
    }
}
