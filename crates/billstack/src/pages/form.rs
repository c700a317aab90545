//! A form as a browser sends it.

mod filled;

use std::collections::BTreeMap;

use axum::extract::{FromRequest, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::form_urlencoded;

use super::kept::{self, KEPT};
use super::sign_in;
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::answer::json;
use crate::http::input::{is_declared_as, read};
use crate::http::json::read_json;
use crate::http::known::Known;
use crate::http::query::Query;

pub(super) use filled::filled_with;

/// The field that makes a form one of its kind; see [`submit`](super::submit).
pub(super) const ONCE: &str = "once";

/// What is said of a form that came back.
const BACK: &str = "You are signed in again. Nothing was sent yet: look at the form, and send it.";

/// The fields of a form, as they were typed.
#[derive(Clone, Debug, Default)]
pub struct Form {
    fields: Vec<(String, String)>,
    /// Whether it came back after somebody had signed in again, and is to be shown, not sent.
    is_kept: bool,
}

impl Form {
    /// What was typed into a field; nothing where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        let mut fields = self.fields.iter();
        let found = fields.find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value)
    }

    /// Whether it has a field.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| field == name)
    }

    /// What was chosen, where a field may stand more than once.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let fields = self.fields().filter(move |(field, _)| *field == name);
        fields.map(|(_, value)| value)
    }

    /// The lines of a field that are not empty.
    pub(super) fn lines(&self, name: &str) -> Vec<&str> {
        let lines = self.text(name).lines().map(str::trim);
        lines.filter(|line| !line.is_empty()).collect()
    }

    /// Adds a field.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.fields.iter();
        fields.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether it came back to be looked at, and was not sent.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// Refuses a form that came back to be looked at.
    pub(super) fn is_meant(&self) -> Result<(), ApiError> {
        match self.is_kept {
            true => Err(ApiError::invalid(KEPT, BACK)),
            false => Ok(()),
        }
    }

    /// A form with one field.
    pub(super) fn with(name: &str, value: &str) -> Form {
        Form {
            fields: vec![(name.to_owned(), value.to_owned())],
            is_kept: false,
        }
    }

    /// A form with those of these fields that a query has.
    pub(super) fn of_query(query: &Query, names: &[&str]) -> Form {
        let pairs = query.pairs().filter(|(name, _)| names.contains(name));
        let fields = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Form {
            fields: fields.collect(),
            is_kept: false,
        }
    }

    /// A form with these fields.
    pub(super) fn of(fields: impl IntoIterator<Item = (&'static str, String)>) -> Form {
        let fields = fields.into_iter();
        Form {
            fields: fields
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            is_kept: false,
        }
    }

    /// The fields of a body.
    pub(super) fn parse(body: &[u8]) -> Form {
        let pairs = form_urlencoded::parse(body);
        let fields = pairs.map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n")));
        Form {
            fields: fields.collect(),
            is_kept: false,
        }
    }

    /// A field as the member of a call that an empty one takes away.
    pub(super) fn member(&self, name: &str) -> Value {
        match self.text(name).trim() {
            "" => Value::Null,
            text => Value::from(text),
        }
    }

    /// Reads fields as the call of the API reads the members of its body, with the same refusals. A field that was left
    /// empty is a member that is not there.
    pub(super) fn read<T: DeserializeOwned>(&self, names: &[&str]) -> Result<T, ApiError> {
        let filled = names.iter().map(|name| (*name, self.text(name)));
        let members: BTreeMap<&str, &str> = filled.filter(|(_, value)| !value.is_empty()).collect();
        self.read_members(&members)
    }

    /// Reads members that were made of the fields, as the call of the API reads them.
    pub(super) fn read_members<T: DeserializeOwned>(
        &self,
        members: &impl Serialize,
    ) -> Result<T, ApiError> {
        self.is_meant()?;
        read_json(json(members).as_bytes(), &Known::default())
    }
}

impl FromRequest<Shared> for Form {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        if !is_declared_as(&parts.headers, "application/x-www-form-urlencoded") {
            return Err(ApiError::new(Reason::UnsupportedMediaType));
        }
        let form = Form::parse(&read(&parts, body, app).await?);
        match form.text(KEPT) {
            // Whoever signs in carries it along.
            _ if parts.uri.path() == sign_in::PATH => Ok(form),
            "" => Ok(form),
            sealed => Ok(Form {
                fields: kept::open(app, parts.uri.path(), sealed).unwrap_or_default(),
                is_kept: true,
            }),
        }
    }
}
