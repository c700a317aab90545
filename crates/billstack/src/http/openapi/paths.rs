//! The parameters of paths, and the header that calls of a project share.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Components, Ref, RefOr, Required};

use crate::http::route::Route;

/// The parameters that the path and the right bring along.
pub(super) fn parameters(
    route: &Route,
    all: &[&str],
    components: &mut Components,
) -> Vec<RefOr<Parameter>> {
    let names = route.path.split('/').filter_map(name_of);
    let mut parameters: Vec<_> = names
        .map(|name| (path_parameter(name), words_before(route.path, name, all)))
        .collect();
    if route.keeps_answers() {
        parameters.push((idempotency_key(), Vec::new()));
    }
    let parameters = parameters.into_iter().map(|(mut parameter, words)| {
        if !words.is_empty() {
            let but = format!("^(?!(?:{})$)", words.join("|"));
            let schema = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
            parameter.schema = Some(schema.pattern(Some(but)).build().into());
            return RefOr::T(parameter);
        }
        let reference = Ref::new(format!("#/components/parameters/{}", parameter.name));
        let parameters = &mut components.parameters;
        parameters.insert(parameter.name.clone(), parameter.into());
        RefOr::Ref(reference)
    });
    parameters.collect()
}

fn name_of(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

/// The words that cannot stand for this name of a path, because an address with one of them may be of another
/// path, and the first word decides.
fn words_before<'p>(path: &str, name: &str, all: &[&'p str]) -> Vec<&'p str> {
    let mut words: Vec<_> = all
        .iter()
        .filter_map(|other| word_before(path, name, other))
        .collect();
    words.dedup();
    words
}

fn word_before<'p>(path: &str, name: &str, other: &'p str) -> Option<&'p str> {
    let both = || path.split('/').zip(other.split('/'));
    let same_length = path.split('/').count() == other.split('/').count();
    let may_be_both =
        |(one, two): (&str, &str)| one == two || name_of(one).is_some() || name_of(two).is_some();
    // Where the other has names in the same places and more words, it is a case of this one; that is clear.
    let is_a_case = both().all(|(one, two)| name_of(two).is_none() || name_of(one).is_some());
    if !same_length || is_a_case || !both().all(may_be_both) {
        return None;
    }
    let (one, word) = both().find(|(one, two)| name_of(one).is_some() != name_of(two).is_some())?;
    (name_of(one) == Some(name)).then_some(word)
}

fn path_parameter(name: &str) -> Parameter {
    let description = match name {
        "teamId" => "The team.",
        "projectId" => "The project.",
        "code" => "The code; case, and what is no letter or digit, do not matter.",
        _ => "The id.",
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(string_schema()))
        .build()
}

fn idempotency_key() -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[!-~]([ -~]*[!-~])?$"))
        .build();
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Repeating a request under the same key replays its first answer.",
        ))
        .schema(Some(schema))
        .build()
}

fn string_schema() -> Schema {
    Schema::Object(
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .build(),
    )
}
