//! The names that a call knows: the parameters of its query, and the members that its body may hold.
//!
//! They are those of its description, so that the API document and the check cannot drift apart. A name that
//! nobody knows is refused: a filter that is misspelt would otherwise find everything, and a member be lost.

use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::schema::ArrayItems;
use utoipa::openapi::{RefOr, Response, Schema};

use crate::error::{ApiError, Reason};
use crate::http::query::Query;
use crate::http::route::{Kind, Route};

/// How alike two names must be for one to be taken for the other, misspelt; 1 is equal.
const ALIKE: f64 = 0.8;

/// What a call may be sent.
#[derive(Debug, Default)]
pub struct Known {
    /// The parameters of its query; `None` where the query is left alone.
    pub parameters: Option<Vec<String>>,
    /// Whether other parameters are borne: the address of a page may carry what others have added to it.
    pub bears_others: bool,
    /// The members that its resource shows. A body may hold them, so that a client can send back what it read.
    pub shown: Vec<String>,
}

impl Known {
    /// The names of a call. `shown` are those of [`shown`] for every call at its path.
    pub fn new(route: &Route, shown: Vec<String>) -> Known {
        let parameters = (!route.is_of_stripe()).then(|| parameters(&route.operation));
        Known {
            parameters,
            bears_others: route.kind == Kind::Page,
            shown,
        }
    }

    /// Reads the query of a request.
    ///
    /// # Errors
    /// As [`Query::parse`], and 400 `unknown_parameter` for a name that the call does not know.
    pub fn query(&self, raw: Option<&str>) -> Result<Query, ApiError> {
        let Some(known) = &self.parameters else {
            return Ok(Query::default());
        };
        let query = Query::parse(raw)?;
        let is_known = |name: &str| known.iter().any(|known| known == name);
        let is_fine = |name: &str| self.bears_others || is_known(name);
        if let Some(name) = query.names().find(|name| !is_fine(name)) {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(unknown(Reason::UnknownParameter, name, &known, &[]));
        }
        Ok(query)
    }
}

/// The refusal of a name that is neither among those of which a call makes something nor among those it bears.
pub fn unknown(reason: Reason, name: &str, known: &[&str], borne: &[String]) -> ApiError {
    let error = ApiError::new(reason).field_as_sent(name);
    let all = known
        .iter()
        .copied()
        .chain(borne.iter().map(String::as_str));
    let meant = error.field.as_deref();
    let rest = match meant.and_then(|name| nearest(name, all)) {
        Some(nearest) => format!(" Is `{nearest}` meant?"),
        None if known.is_empty() => " It knows none.".to_owned(),
        None => format!(" It knows `{}`.", known.join("`, `")),
    };
    error.message(format!("{}{rest}", reason.sentence()))
}

/// The known name that is most like a name, if one is. Case and what joins words do not matter.
pub fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let name = bare(name);
    let likeness = |known: &str| strsim::jaro_winkler(&name, &bare(known));
    let alike = known.map(|known| (likeness(known), known));
    let best = alike.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (best.0 >= ALIKE).then_some(best.1)
}

fn bare(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_ascii_alphanumeric());
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

fn parameters(operation: &Operation) -> Vec<String> {
    let described = operation.parameters.iter().flatten();
    let queried = described.filter_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => Some(parameter),
        _ => None,
    });
    queried.map(|parameter| parameter.name.clone()).collect()
}

/// The members of the resource that a call answers with, or else of the answer itself.
pub fn shown(route: &Route) -> Vec<String> {
    let responses = route.operation.responses.responses.iter();
    let answers = responses.filter(|(status, _)| status.starts_with('2'));
    let schemas = answers.flat_map(|(_, response)| schemas_of(response));
    let mut shown = Vec::new();
    for schema in schemas {
        let answer = properties(route, schema);
        let resources = answer.iter().flat_map(|(_, part)| properties(route, part));
        let of_resources: Vec<String> = resources.map(|(name, _)| name.clone()).collect();
        match of_resources.is_empty() {
            true => shown.extend(answer.iter().map(|(name, _)| (*name).clone())),
            false => shown.extend(of_resources),
        }
    }
    shown
}

fn schemas_of(response: &RefOr<Response>) -> impl Iterator<Item = &RefOr<Schema>> {
    let contents = match response {
        RefOr::T(response) => Some(response.content.values()),
        RefOr::Ref(_) => None,
    };
    contents
        .into_iter()
        .flatten()
        .filter_map(|content| match content {
            RefOr::T(content) => content.schema.as_ref(),
            RefOr::Ref(_) => None,
        })
}

/// The members of an object, of the parts that make one, or of the objects in a list.
fn properties<'r>(
    route: &'r Route,
    schema: &'r RefOr<Schema>,
) -> Vec<(&'r String, &'r RefOr<Schema>)> {
    match schema {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next();
            let named = route.schemas.iter();
            let mut named = named.filter(|(known, _)| Some(known.as_str()) == name);
            let found = named.next().map(|(_, schema)| properties(route, schema));
            found.unwrap_or_default()
        }
        RefOr::T(Schema::Array(list)) => match &list.items {
            ArrayItems::RefOrSchema(items) => properties(route, items),
            ArrayItems::False => Vec::new(),
        },
        RefOr::T(Schema::Object(object)) => object.properties.iter().collect(),
        RefOr::T(Schema::AllOf(whole)) => {
            let parts = whole.items.iter();
            parts.flat_map(|part| properties(route, part)).collect()
        }
        RefOr::T(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_what_was_meant() {
        let known = ["limit", "offset", "cursor", "status", "customerId"];
        for (name, meant) in [
            ("customer_id", Some("customerId")),
            ("CUSTOMERID", Some("customerId")),
            ("custmerId", Some("customerId")),
            ("customer", Some("customerId")),
            ("state", Some("status")),
            ("limits", Some("limit")),
            ("unheardOf", None),
            ("q", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known.into_iter()), meant, "{name}");
        }
    }

    #[test]
    fn a_refusal_tells_what_is_known() {
        let refused = |name: &str, known: &[&str]| {
            let borne = ["createdAt".to_owned()];
            let error = unknown(Reason::UnknownMember, name, known, &borne);
            let told = error.message.strip_prefix(Reason::UnknownMember.sentence());
            (told.unwrap().to_owned(), error.field)
        };
        let (told, field) = refused("e_mail", &["email", "name"]);
        assert_eq!(
            (told.as_str(), field.as_deref()),
            (" Is `email` meant?", Some("e_mail"))
        );
        assert_eq!(
            refused("created_at", &["email"]).0,
            " Is `createdAt` meant?"
        );
        assert_eq!(
            refused("plan", &["email", "name"]).0,
            " It knows `email`, `name`."
        );
        assert_eq!(refused("plan", &[]).0, " It knows none.");
        let (told, field) = refused("<email>", &["email"]);
        assert_eq!((told.as_str(), field), (" It knows `email`.", None));
    }
}
