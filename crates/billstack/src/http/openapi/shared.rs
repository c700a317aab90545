//! What several calls say in the same words is said once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::operations_mut;

/// Puts the parameters that calls share into the components. Of several with the same name those are shared that
/// most calls have; a name of a path's parameter stays that one's.
pub(super) fn apply(document: &mut Value) {
    let taken = document["components"]["parameters"].as_object().cloned();
    let taken = taken.unwrap_or_default();
    let mut counts: BTreeMap<String, (usize, Value)> = BTreeMap::new();
    for parameter in operations_mut(document).flat_map(|(_, operation)| own_parameters(operation)) {
        let count = counts.entry(parameter.to_string());
        count.or_insert((0, parameter.clone())).0 += 1;
    }
    let mut counts: Vec<_> = counts
        .into_values()
        .filter(|(count, _)| *count > 1)
        .collect();
    counts.sort_by_key(|(count, _)| *count);
    let mut shared: BTreeMap<String, Value> = BTreeMap::new();
    for (_, parameter) in counts {
        let name = parameter["name"].as_str().unwrap_or_default();
        if !taken.contains_key(name) {
            shared.insert(name.to_owned(), parameter);
        }
    }
    for parameter in operations_mut(document).flat_map(|(_, operation)| own_parameters(operation)) {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        if shared.get(&name) == Some(parameter) {
            *parameter = json!({"$ref": format!("#/components/parameters/{name}")});
        }
    }
    let components = &mut document["components"]["parameters"];
    for (name, parameter) in shared {
        components[name] = parameter;
    }
}

/// The parameters of the query that an operation describes itself.
fn own_parameters(operation: &mut Value) -> impl Iterator<Item = &mut Value> {
    let parameters = operation["parameters"].as_array_mut().into_iter().flatten();
    parameters.filter(|parameter| parameter["in"] == "query")
}
