//! Form encoding with brackets: `metadata[plan]=pro`, `expand[]=customer`, `items[0][price]=price_1`.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Reads a query string or a form body into nested objects and lists; every leaf is a string.
///
/// Returns the offending name when a parameter is used both as a value and as a container, or when
/// a name is not well formed.
pub(crate) fn parse(text: &str) -> Result<Map<String, Value>, String> {
    let mut root = Value::Object(Map::new());
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name).ok_or_else(|| name.to_owned())?;
        let value = decode(value).ok_or_else(|| name.clone())?;
        let path = split_name(&name).ok_or_else(|| name.clone())?;
        insert(&mut root, &path, value).ok_or_else(|| name.clone())?;
    }
    match listed(root) {
        Value::Object(map) => Ok(map),
        // Only a body whose names are 0, 1, 2 … ends here; such parameters are unknown everywhere.
        _ => Err("0".to_owned()),
    }
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    Some(percent_decode_str(&spaced).decode_utf8().ok()?.into_owned())
}

/// `a[b][]` becomes `["a", "b", ""]`.
fn split_name(name: &str) -> Option<Vec<&str>> {
    let (first, rest) = match name.find('[') {
        Some(0) => return None,
        Some(at) => name.split_at(at),
        None => (name, ""),
    };
    let mut path = vec![first];
    let mut rest = rest;
    while !rest.is_empty() {
        let (key, after) = rest.strip_prefix('[')?.split_once(']')?;
        path.push(key);
        rest = after;
    }
    Some(path)
}

fn insert(node: &mut Value, path: &[&str], value: String) -> Option<()> {
    let (key, rest) = path.split_first()?;
    let map = node.as_object_mut()?;
    let key = if key.is_empty() {
        map.len().to_string()
    } else {
        (*key).to_owned()
    };
    if rest.is_empty() {
        map.insert(key, Value::String(value));
        return Some(());
    }
    insert(
        map.entry(key).or_insert_with(|| Value::Object(Map::new())),
        rest,
        value,
    )
}

/// Turns every object whose keys are 0, 1, 2 … into a list.
fn listed(node: Value) -> Value {
    let Value::Object(mut map) = node else {
        return node;
    };
    let is_list =
        !map.is_empty() && (0..map.len()).all(|index| map.contains_key(&index.to_string()));
    if is_list {
        let items = (0..map.len()).filter_map(|index| map.remove(&index.to_string()));
        return Value::Array(items.map(listed).collect());
    }
    Value::Object(
        map.into_iter()
            .map(|(key, value)| (key, listed(value)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::parse;
    use serde_json::{Value, json};

    #[test]
    fn reads_brackets_and_lists() {
        let parsed = parse(
            "email=a%2Bb%40x.test&metadata[plan]=pro+max&expand[]=a&expand[]=b&items[0][price]=p",
        );
        assert_eq!(
            parsed.map(Value::Object),
            Ok(json!({
                "email": "a+b@x.test", "metadata": {"plan": "pro max"}, "expand": ["a", "b"], "items": [{"price": "p"}]
            }))
        );
    }

    #[test]
    fn encoded_brackets_are_brackets() {
        assert_eq!(
            parse("metadata%5Bk%5D=v").map(Value::Object),
            Ok(json!({"metadata": {"k": "v"}}))
        );
    }

    #[test]
    fn refuses_a_name_used_two_ways() {
        assert_eq!(parse("a=1&a[b]=2"), Err("a[b]".to_owned()));
        assert_eq!(parse("[a]=1"), Err("[a]".to_owned()));
        assert_eq!(parse("a[b=1"), Err("a[b".to_owned()));
    }
}
