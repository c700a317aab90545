//! The HTTP API as a tool calls it.

use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde_json::{Value, json};

use super::trouble::{Refused, Trouble};
use crate::settings::SecretText;
use crate::stripe;

/// The largest answer that is read, in bytes; pages of lists are far smaller.
const LARGEST: usize = 8 * 1024 * 1024;

/// What stands in a part of a path as it is.
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// A server whose API is called.
pub(super) struct Api {
    http: reqwest::Client,
    /// Without a slash at the end.
    base: String,
    /// How long a call may take, and a tool all in all.
    pub(super) patience: Duration,
}

/// What is sent to change something.
pub(super) struct Change {
    pub(super) body: Option<Value>,
    pub(super) idempotency_key: String,
}

impl Api {
    pub(super) fn new(base: &Url, patience: Duration) -> Result<Api, reqwest::Error> {
        Ok(Api {
            http: stripe::client(patience)?,
            base: base.as_str().trim_end_matches('/').to_owned(),
            patience,
        })
    }

    /// Reads, with what of the query is given.
    pub(super) async fn get(
        &self,
        key: &SecretText,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Value, Trouble> {
        let call = self.http.request(Method::GET, self.url(path)).query(query);
        self.send(key, call).await
    }

    /// Changes something.
    pub(super) async fn post(
        &self,
        key: &SecretText,
        path: &str,
        change: &Change,
    ) -> Result<Value, Trouble> {
        let call = self.http.request(Method::POST, self.url(path));
        let call = call.header("idempotency-key", &change.idempotency_key);
        let call = match &change.body {
            Some(body) => call.json(body),
            None => call,
        };
        self.send(key, call).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    async fn send(&self, key: &SecretText, call: RequestBuilder) -> Result<Value, Trouble> {
        let answer = call.bearer_auth(key.expose()).send().await;
        let answer = answer.map_err(|error| self.silent(&error))?;
        let status = answer.status();
        let request_id = answer.headers().get("x-request-id");
        let request_id = request_id
            .and_then(|id| id.to_str().ok())
            .map(str::to_owned);
        let body = self.body(answer).await?;
        let parsed: Option<Value> = serde_json::from_slice(&body).ok();
        match parsed {
            Some(value) if status.is_success() => Ok(value),
            Some(value) if value["reason"].is_string() => Err(refused(status, &value, request_id)),
            _ => Err(Trouble::Strange(format!(
                "{} answered {status} with something that is not of the API. See to --url.",
                self.base
            ))),
        }
    }

    async fn body(&self, mut answer: Response) -> Result<Vec<u8>, Trouble> {
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|error| self.silent(&error))? {
            body.extend_from_slice(&part);
            if body.len() > LARGEST {
                let why = "The answer is too large; ask for less, by `limit` or a shorter time.";
                return Err(Trouble::Strange(why.to_owned()));
            }
        }
        Ok(body)
    }

    /// The address is known to the caller, and nothing else of the error is theirs to know.
    fn silent(&self, error: &reqwest::Error) -> Trouble {
        let why = match error {
            error if error.is_timeout() => self.too_slow(),
            error if error.is_connect() => format!("{} cannot be reached.", self.base),
            _ => format!("The connection to {} was lost.", self.base),
        };
        Trouble::Silent(why)
    }

    pub(super) fn too_slow(&self) -> String {
        let seconds = self.patience.as_secs();
        format!("{} has not answered within {seconds} s.", self.base)
    }
}

fn refused(status: StatusCode, body: &Value, request_id: Option<String>) -> Trouble {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    Trouble::Refused(Refused {
        status: status.as_u16(),
        reason: text("reason").unwrap_or_default(),
        message: text("error").unwrap_or_default(),
        field: text("field"),
        request_id,
    })
}

/// A text as one part of a path. What would lead elsewhere is refused: whoever names a thing must not choose the call.
pub(super) fn part(field: &str, text: &str) -> Result<String, Trouble> {
    if text.bytes().all(|byte| byte == b'.') {
        let message = format!("`{field}` must be an id or a code.");
        return Err(Trouble::argument(field, message));
    }
    Ok(utf8_percent_encode(text, &PLAIN).to_string())
}

/// The members of an object that are there, for the body of a call.
pub(super) fn body(members: &[(&str, Option<&Value>)]) -> Value {
    let mut body = json!({});
    for (name, value) in members {
        if let Some(value) = value {
            body[*name] = (*value).clone();
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_path_stays_one() {
        for (text, written) in [
            ("ref_01kgv5", "ref_01kgv5"),
            ("budget_low.usd", "budget_low.usd"),
            ("../config", "..%2Fconfig"),
            ("a?b#c%2F", "a%3Fb%23c%252F"),
            ("ö", "%C3%B6"),
        ] {
            assert_eq!(part("id", text).expect("a part"), written);
        }
        for text in ["", ".", ".."] {
            assert!(part("id", text).is_err(), "{text:?}");
        }
    }
}
