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
    let (mut columns, mut records) = (BTreeMap::new(), Vec::new());
    for (number, value) in listed.iter().enumerate() {
        records.push(of_value(number as u64 + 1, value, &mut columns));
    }
    let columns = columns.into_iter();
    let columns = columns.map(|(plain, written)| Column { plain, written });
    Ok(Table {
        columns: columns.collect(),
        records,
    })
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
        let two = format!("{object}\n{object}\n7\n");
        let records = table(two.as_bytes()).expect("records").records;
        assert_eq!(records.len(), 3);
        assert!(records[2].is_err());
        assert!(table(b"[{").is_err());
    }
}
