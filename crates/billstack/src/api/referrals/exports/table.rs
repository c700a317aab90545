//! Rows of an export, in the form that was asked for.

use axum::body::Bytes;
use serde_json::{Map, Value};

use super::Format;

/// What a text must not begin with: programs that open the file would take it for a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// How the names of columns end whose texts are numbers, with the decimals of a currency.
const NUMBERS: &str = "Decimal";

/// What tells programs that open a file that its text is UTF-8.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// A part of a file.
#[derive(Debug)]
pub(crate) struct Table {
    format: Format,
    columns: &'static [&'static str],
    bytes: Vec<u8>,
}

impl Table {
    /// An empty part; the first of a file begins with the names of the columns.
    pub(crate) fn new(format: Format, columns: &'static [&'static str], is_first: bool) -> Table {
        let mut table = Table {
            format,
            columns,
            bytes: Vec::new(),
        };
        if is_first && format == Format::Spreadsheet {
            table.bytes.extend(BOM);
        }
        if is_first && format != Format::Ndjson {
            table.record(columns);
        }
        table
    }

    /// Adds a row: a value for each column. Texts, numbers and nothing are what may be in a cell.
    pub(crate) fn row(&mut self, cells: Vec<Value>) {
        match self.format {
            Format::Csv | Format::Spreadsheet => {
                let cells = self.columns.iter().zip(&cells);
                let texts: Vec<String> = cells.map(|(name, value)| cell(name, value)).collect();
                self.record(&texts);
            }
            Format::Ndjson => {
                let names = self.columns.iter().map(|name| (*name).to_owned());
                let object: Map<String, Value> = names.zip(cells).collect();
                self.bytes.extend(Value::Object(object).to_string().bytes());
                self.bytes.push(b'\n');
            }
        }
    }

    fn record(&mut self, cells: &[impl AsRef<[u8]>]) {
        let mut writer = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(&mut self.bytes);
        // Memory takes everything.
        let _ = writer.write_record(cells);
        let _ = writer.flush();
    }

    pub(in crate::api) fn into_bytes(self) -> Bytes {
        self.bytes.into()
    }
}

fn cell(column: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(number) if column.ends_with(NUMBERS) => number.clone(),
        Value::String(text) if text.starts_with(FORMULA) => format!("'{text}"),
        Value::String(text) => text.clone(),
        number => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(format: Format, rows: &[Vec<Value>]) -> String {
        let mut table = Table::new(format, &["name", "amount"], true);
        rows.iter().for_each(|row| table.row(row.clone()));
        String::from_utf8(table.into_bytes().to_vec()).unwrap()
    }

    #[test]
    fn no_cell_is_a_formula() {
        let rows = [
            vec![json!("=1+1"), json!(-5)],
            vec![json!("@sum"), json!(5)],
            vec![json!("\tx"), json!(-1)],
            vec![json!("a \"b\", c\nd"), json!(null)],
        ];
        let csv = "name,amount\r\n'=1+1,-5\r\n'@sum,5\r\n'\tx,-1\r\n\"a \"\"b\"\", c\nd\",\r\n";
        assert_eq!(text(Format::Csv, &rows), csv);
        let lines = "{\"amount\":-5,\"name\":\"=1+1\"}\n";
        assert_eq!(text(Format::Ndjson, &rows[..1]), lines);
    }

    #[test]
    fn a_negative_number_is_no_formula() {
        let mut table = Table::new(Format::Csv, &["note", "amountDecimal"], false);
        table.row(vec![json!("-1.50"), json!("-1.50")]);
        assert_eq!(table.bytes, b"'-1.50,-1.50\r\n");
    }

    #[test]
    fn a_file_for_people_says_that_it_is_unicode() {
        let bytes = |format, is_first| Table::new(format, &["name"], is_first).bytes;
        let marked = "\u{feff}name\r\n".as_bytes();
        assert_eq!(bytes(Format::Spreadsheet, true), marked);
        assert_eq!(bytes(Format::Spreadsheet, false), b"");
        assert_eq!(bytes(Format::Csv, true), b"name\r\n");
        assert_eq!(bytes(Format::Ndjson, true), b"");
    }
}
