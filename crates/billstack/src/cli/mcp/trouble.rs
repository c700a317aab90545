//! Why a tool has no answer, as its caller reads it.

use serde_json::{Value, json};

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// An argument is not as it should be.
    Argument { field: String, message: String },
    /// The API has refused.
    Refused(Refused),
    /// The API has not answered; whether it has done something is not known.
    Silent(String),
    /// Something has answered that is not the API.
    Strange(String),
    /// The program itself has failed.
    Panicked,
    /// A change of which it is not known whether it was made.
    Open { why: Box<Trouble>, key: String },
}

/// A refusal of the API.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) field: Option<String>,
    pub(super) request_id: Option<String>,
}

impl Trouble {
    pub(super) fn argument(field: &str, message: impl Into<String>) -> Trouble {
        Trouble::Argument {
            field: field.to_owned(),
            message: message.into(),
        }
    }

    /// Whether what was asked for may have been done.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Trouble::Silent(_) | Trouble::Strange(_) | Trouble::Panicked => true,
            Trouble::Refused(refused) => refused.status >= 500,
            Trouble::Argument { .. } | Trouble::Open { .. } => false,
        }
    }

    /// The trouble of a change that may have been made under this key.
    pub(super) fn maybe_done(self, key: &str) -> Trouble {
        Trouble::Open {
            why: Box::new(self),
            key: key.to_owned(),
        }
    }

    /// The same, with the scopes that the tool needs where one is missing.
    pub(super) fn naming(mut self, scopes: &[&str]) -> Trouble {
        if let Trouble::Refused(refused) = &mut self
            && refused.reason == "insufficient_scope"
        {
            let needed = scopes.join("` and `");
            refused.message = format!("{} This tool needs `{needed}`.", refused.message);
        }
        self
    }

    /// One object for programs.
    pub(super) fn told(&self) -> Value {
        let error = match self {
            Trouble::Argument { field, message } => {
                json!({"reason": "invalid_argument", "message": message, "field": field})
            }
            Trouble::Refused(refused) => json!({
                "reason": refused.reason,
                "message": refused.message,
                "field": refused.field,
                "status": refused.status,
                "requestId": refused.request_id,
            }),
            Trouble::Silent(why) => json!({"reason": "unreachable", "message": why}),
            Trouble::Strange(why) => json!({"reason": "unreadable", "message": why}),
            Trouble::Panicked => {
                json!({"reason": "internal", "message": "The tool has failed; its log says why."})
            }
            Trouble::Open { why, key } => {
                let mut error = why.told()["error"].take();
                let why = error["message"].as_str().unwrap_or_default();
                let advice = "It is not known whether it was done; call again with the same `idempotencyKey`.";
                error["message"] = format!("{why} {advice}").into();
                error["idempotencyKey"] = json!(key);
                error
            }
        };
        json!({"error": error})
    }
}
