//! Records of JSON: their columns are the ways to their members.

use std::collections::BTreeMap;

use serde_json::{Deserializer, Value};

use super::{Column, Record, Table, Unread, keep, plain};

/// What the answers of others call the list that they hold.
const LISTS: [&str; 9] = [
    "data",
    "affiliates",
    "referrals",
    "promoters",
    "leads",
    "participants",
    "customers",
    "partners",
    "items",
];

/// Of how many columns of a JSON file it is told whether they were read.
const MOST_COLUMNS: usize = 1_000;

/// One array, an object that holds one, or one object a line.
pub(super) fn table(text: &[u8]) -> Result<Table, String> {
    let values = by_line(text).map_or_else(|| listed(text), Ok)?;
    let (mut columns, mut records) = (BTreeMap::new(), Vec::new());
    for (line, value) in values {
        records.push(value.and_then(|value| of_value(line, &value, &mut columns)));
    }
    let columns = columns.into_iter();
    let columns = columns.map(|(plain, written)| Column { plain, written });
    Ok(Table {
        columns: columns.collect(),
        records,
    })
}

/// What may be a record, and where it is.
type Listed = Vec<(u64, Result<Value, Unread>)>;

/// The values of lines, where the first of several is an object: one that is broken does not keep the others back.
fn by_line(text: &[u8]) -> Option<Listed> {
    let lines = (1..).zip(text.split(|byte| *byte == b'\n'));
    let lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    let mut lines = lines.map(|(number, line)| (number, serde_json::from_slice::<Value>(line)));
    let (first, second) = (lines.next()?, lines.next()?);
    if !first.1.as_ref().is_ok_and(Value::is_object) {
        return None;
    }
    let all = [first, second].into_iter().chain(lines);
    let all = all.map(|(line, value)| {
        let unread = |error| {
            let why = format!("it is no JSON object: {error}");
            Unread { line, why }
        };
        (line, value.map_err(unread))
    });
    Some(all.collect())
}

fn listed(text: &[u8]) -> Result<Listed, String> {
    let mut values = Vec::new();
    for value in Deserializer::from_slice(text).into_iter::<Value>() {
        values.push(value.map_err(|error| error.to_string())?);
    }
    let listed = match &values[..] {
        [Value::Array(items)] => items.clone(),
        [Value::Object(members)] => {
            let mut lists = LISTS
                .iter()
                .filter_map(|name| members.get(*name)?.as_array());
            lists.next().map_or_else(|| values.clone(), Clone::clone)
        }
        _ => values.clone(),
    };
    Ok((1..).zip(listed.into_iter().map(Ok)).collect())
}

/// Every column that was met, as it was first written.
type Met = BTreeMap<String, String>;

fn of_value(line: u64, value: &Value, met: &mut Met) -> Result<Record, Unread> {
    let unread = |why: String| Unread { line, why };
    if !value.is_object() {
        return Err(unread("it is no JSON object".to_owned()));
    }
    let mut cells = BTreeMap::new();
    flatten(&mut cells, &Column::default(), value, met).map_err(unread)?;
    Ok(Record { line, cells })
}

fn flatten(
    cells: &mut BTreeMap<String, String>,
    column: &Column,
    value: &Value,
    met: &mut Met,
) -> Result<(), String> {
    match value {
        Value::Object(members) => members
            .iter()
            .try_for_each(|(member, value)| flatten(cells, &column.of(member), value, met)),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(number, value)| {
            flatten(cells, &column.of(&number.to_string()), value, met)
        }),
        Value::Null => Ok(()),
        Value::String(text) => column.met(met).keep(cells, text),
        Value::Bool(_) | Value::Number(_) => column.met(met).keep(cells, &value.to_string()),
    }
}

impl Column {
    /// A member of it.
    fn of(&self, member: &str) -> Column {
        let dot = if self.written.is_empty() { "" } else { "." };
        Column {
            plain: format!("{}{}", self.plain, plain(member)),
            written: format!("{}{dot}{member}", self.written),
        }
    }

    fn met(&self, met: &mut Met) -> &Column {
        if met.len() < MOST_COLUMNS && !met.contains_key(&self.plain) {
            met.insert(self.plain.clone(), self.written.clone());
        }
        self
    }

    fn keep(&self, cells: &mut BTreeMap<String, String>, cell: &str) -> Result<(), String> {
        keep(cells, self, cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_read_in_each_of_its_forms() {
        let object = r#"{"email":"a@example.com","link":{"token":"adam"},"links":[{"token":"x"}],"n":3,"no":null}"#;
        for text in [
            format!("[{object}]"),
            format!("{{\"data\":[{object}],\"pagination\":{{}}}}"),
            object.to_owned(),
            format!("{object}\n"),
        ] {
            let records = table(text.as_bytes()).expect("records").records;
            let [Ok(record)] = &records[..] else {
                panic!("{records:?}")
            };
            assert_eq!(record.first(&["linktoken"]), Some("adam"));
            assert_eq!(record.first(&["links0token"]), Some("x"));
            assert_eq!(record.first(&["n"]), Some("3"));
            assert_eq!(record.first(&["no"]), None);
        }
        let two = format!("{object}\n\n{{\"email\":\n{object}\n7\n");
        let records = table(two.as_bytes()).expect("records").records;
        let lines = records.iter().map(|record| match record {
            Ok(record) => (record.line, true),
            Err(unread) => (unread.line, false),
        });
        let wanted = [(1, true), (3, false), (4, true), (5, false)];
        assert_eq!(lines.collect::<Vec<_>>(), wanted);
        assert!(table(b"[{").is_err());
    }
}
