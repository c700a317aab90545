//! One attempt: what is sent, and what came of it.

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use billstack_core::ids::TeamId;
use billstack_core::webhook::attempt::{AttemptError, Meaning, meaning};
use billstack_store::webhooks::{Attempt, Told};
use tokio::time::Instant;

use super::client::Answer;
use super::secret;
use super::signature::sign;
use crate::app::App;
use crate::secrets::unique_bytes;
use crate::settings::SecretText;
use crate::telemetry;

const AGENT: &str = concat!("billstack-referrals/", env!("CARGO_PKG_VERSION"));

/// What is sent to an endpoint, signed: good for a few minutes.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Where it goes.
    pub url: String,
    /// Its headers, but for those of every request.
    pub headers: HeaderMap,
    /// Its body, JSON.
    pub body: Bytes,
}

/// What makes a letter.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// The team of the endpoint.
    pub team_id: &'a TeamId,
    /// The endpoint.
    pub endpoint_id: &'a str,
    /// Where it is.
    pub url: &'a str,
    /// Its secrets, sealed, the present one first.
    pub secrets: &'a [String],
    /// The event that the letter tells of; the same on every attempt.
    pub event_id: &'a str,
    /// The number of this attempt.
    pub attempt: i64,
}

impl App {
    /// Signs what is to be sent now.
    pub fn webhook_letter(
        &self,
        contents: Contents<'_>,
        body: Bytes,
    ) -> Result<Letter, AttemptError> {
        let secrets: Result<Vec<SecretText>, AttemptError> = contents
            .secrets
            .iter()
            .map(|sealed| self.open_webhook_secret(contents, sealed))
            .collect();
        let (secrets, seconds) = (secrets?, self.now().as_secs());
        let signature = sign(contents.event_id, seconds, &body, &secrets);
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (CONTENT_TYPE, "application/json"),
            (USER_AGENT, AGENT),
            (HeaderName::from_static("webhook-id"), contents.event_id),
            (
                HeaderName::from_static("webhook-timestamp"),
                &seconds.to_string(),
            ),
            (
                HeaderName::from_static("webhook-signature"),
                &signature.ok_or(AttemptError::Secret)?,
            ),
            (
                HeaderName::from_static("billstack-attempt"),
                &contents.attempt.to_string(),
            ),
        ] {
            let value = HeaderValue::from_str(value).map_err(|_| AttemptError::Event)?;
            headers.insert(name, value);
        }
        Ok(Letter {
            url: contents.url.to_owned(),
            headers,
            body,
        })
    }

    fn open_webhook_secret(
        &self,
        contents: Contents<'_>,
        sealed: &str,
    ) -> Result<SecretText, AttemptError> {
        let (team_id, endpoint_id) = (contents.team_id, contents.endpoint_id);
        let opened = secret::open(&self.cipher, team_id, endpoint_id, sealed);
        opened.map_err(|error| {
            tracing::error!(%error, endpoint_id, "the secret of a webhook endpoint cannot be read");
            AttemptError::Secret
        })
    }

    /// Sends a letter, once, and tells what came of it; so does one that could not be written.
    pub async fn send_letter(&self, letter: Result<&Letter, AttemptError>) -> Told {
        let (at, began) = (self.now(), Instant::now());
        let answer = match letter {
            Ok(Letter { url, headers, body }) => {
                self.webhooks_out.post(url, headers, body, at).await
            }
            Err(error) => Err(error),
        };
        let duration_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let error = error_of(&answer);
        telemetry::webhook_sent(error);
        let answer = answer.ok();
        let status = answer.as_ref().map(|answer| answer.status);
        Told {
            meaning: status.map_or(Meaning::Again, meaning),
            retry_after: answer.as_ref().and_then(|answer| answer.retry_after),
            chance: u64::from_ne_bytes(unique_bytes()),
            attempt: Attempt {
                at,
                duration_ms,
                status: status.map(i64::from),
                error,
                answer: answer.and_then(|answer| answer.body),
            },
        }
    }
}

fn error_of(answer: &Result<Answer, AttemptError>) -> Option<AttemptError> {
    match answer {
        Ok(answer) if meaning(answer.status) == Meaning::Delivered => None,
        Ok(_) => Some(AttemptError::Status),
        Err(error) => Some(*error),
    }
}

impl Letter {
    /// The command line that sends the same, for whoever looks at their receiver.
    pub fn curl(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let mut line = format!("curl -sS -X POST {}", quoted(&self.url));
        for (name, value) in &self.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            line += &format!(" -H {}", quoted(&format!("{name}: {value}")));
        }
        let body = String::from_utf8_lossy(&self.body);
        line + &format!(" --data-raw {}", quoted(&body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_read_back_by_a_shell() {
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", HeaderValue::from_static("evt_1"));
        let letter = Letter {
            url: "https://a.test/?a=1&b=$HOME".to_owned(),
            headers,
            body: Bytes::from_static(br#"{"a":"it's `x` \"$y\""}"#),
        };
        let line = letter.curl().replacen("curl", "printf '%s\\n'", 1);
        let shell = std::process::Command::new("sh")
            .args(["-c", &line])
            .output();
        let shown = String::from_utf8(shell.expect("a shell").stdout).expect("text");
        let expected = [
            "-sS",
            "-X",
            "POST",
            "https://a.test/?a=1&b=$HOME",
            "-H",
            "webhook-id: evt_1",
            "--data-raw",
            r#"{"a":"it's `x` \"$y\""}"#,
        ];
        assert_eq!(shown.lines().collect::<Vec<_>>(), expected);
    }
}
