//! A form as a browser sends it.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::answer::json;
use crate::http::input::{is_declared_as, read};
use crate::http::json::read_json;
use crate::http::known::Known;

/// The field that makes a form one of its kind; see [`submit`](super::submit).
pub(super) const ONCE: &str = "once";

/// The fields of a form, as they were typed.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// What was typed into a field; nothing where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        let mut fields = self.0.iter();
        let found = fields.find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value)
    }

    /// Reads fields as the call of the API reads the members of its body, with the same refusals. A field that was left
    /// empty is a member that is not there.
    pub(super) fn read<T: DeserializeOwned>(&self, names: &[&str]) -> Result<T, ApiError> {
        let filled = names.iter().map(|name| (*name, self.text(name)));
        let members: BTreeMap<&str, &str> = filled.filter(|(_, value)| !value.is_empty()).collect();
        read_json(json(&members).as_bytes(), &Known::default()).map_err(ApiError::from)
    }
}

impl FromRequest<Shared> for Form {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, ApiError> {
        let (parts, body) = request.into_parts();
        if !is_declared_as(&parts.headers, "application/x-www-form-urlencoded") {
            return Err(ApiError::new(Reason::UnsupportedMediaType));
        }
        let bytes = read(&parts, body, app).await?;
        let pairs = form_urlencoded::parse(&bytes);
        let fields = pairs.map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n")));
        Ok(Form(fields.collect()))
    }
}
