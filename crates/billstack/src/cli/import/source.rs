//! A file of records: CSV with a head, or JSON as the APIs of others answer it.

mod json;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};

use crate::cli::output::Failure;

/// The largest file, in bytes: all of it is in memory.
const LARGEST: u64 = 512 * 1024 * 1024;

/// The longest cell that is read, in bytes. Whatever we take is shorter.
const LONGEST_CELL: usize = 4096;

/// How files begin that hold others: gzip, and zip, which workbooks are.
const PACKED: [&[u8]; 2] = [b"\x1f\x8b", b"PK\x03\x04"];

/// One record: its cells by the names of their columns, reduced to letters and digits.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Record {
    /// Where it begins, from 1.
    pub(super) line: u64,
    cells: BTreeMap<String, String>,
}

/// A record that cannot be read, and why.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Unread {
    pub(super) line: u64,
    pub(super) why: String,
}

/// A column: its name reduced to letters and digits, and as it is written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Column {
    pub(super) plain: String,
    pub(super) written: String,
}

/// What is in a file.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    pub(super) records: Vec<Result<Record, Unread>>,
}

/// What is wanted of a file.
pub(super) trait Wanted {
    /// Whether anything is read of a column of this reduced name.
    fn reads(&self, plain: &str) -> bool;

    /// Whether records with these columns can tell of somebody, or why not.
    fn fits(&self, columns: &[Column]) -> Result<(), String>;
}

impl Record {
    /// The cells that are filled, by the reduced names of their columns.
    pub(super) fn cells(&self) -> impl Iterator<Item = (&str, &str)> {
        let cells = self.cells.iter();
        cells.map(|(name, cell)| (name.as_str(), cell.as_str()))
    }

    /// The first of these columns that is filled.
    pub(super) fn first(&self, columns: &[&str]) -> Option<&str> {
        let found = columns.iter().find_map(|column| self.cells.get(*column));
        found.map(String::as_str)
    }
}

/// What is in a file, if it has what is wanted.
pub(super) fn read(path: &Path, wanted: &dyn Wanted) -> Result<Table, Failure> {
    let said = |why: &dyn Display| Failure::usage(format_args!("{}: {why}", path.display()));
    let file = File::open(path).map_err(|error| said(&error))?;
    let mut bytes = Vec::new();
    // A pipe has no size, and a file may grow.
    let mut file = BufReader::new(file).take(LARGEST + 1);
    let read = file.read_to_end(&mut bytes).map_err(|error| said(&error))?;
    if read as u64 > LARGEST {
        let most = LARGEST / 1024 / 1024;
        let why = format!("it has more than {most} MiB; cut it into several files");
        return Err(said(&why));
    }
    of_bytes(&bytes, wanted).map_err(|why| said(&why))
}

fn of_bytes(bytes: &[u8], wanted: &dyn Wanted) -> Result<Table, String> {
    if PACKED.iter().any(|begin| bytes.starts_with(begin)) {
        return Err("it is packed, as a workbook is; import the CSV or JSON that is in it".into());
    }
    let text = text_of(bytes);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'{' | b'[') => json::table(&text),
        _ => of_csv(&text, wanted),
    }
}

/// The file without its mark, in UTF-8: spreadsheets write "Unicode text" in UTF-16.
fn text_of(bytes: &[u8]) -> Cow<'_, [u8]> {
    let of_units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        let text: String = char::decode_utf16(units)
            .map(|sign| sign.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        Cow::Owned(text.into_bytes())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => of_units(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => of_units(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(rest),
        _ => Cow::Borrowed(bytes),
    }
}

/// A name with its letters in lower case and its digits, and nothing else: `Affiliate Email`, `affiliate_email` and
/// `affiliate.email` are one.
pub(super) fn plain(name: &str) -> String {
    let kept = name.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|c| c.to_ascii_lowercase()).collect()
}

fn of_csv(text: &[u8], wanted: &dyn Wanted) -> Result<Table, String> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text))
        .from_reader(text);
    let mut record = ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(said)? {
        return Err("it is empty".to_owned());
    }
    let columns = head(&record, wanted)?;
    wanted.fits(&columns)?;
    let mut records = Vec::new();
    let mut lines = Lines {
        text,
        at: 0,
        line: 1,
    };
    while reader.read_byte_record(&mut record).map_err(said)? {
        let line = lines.of(record.position().map_or(0, csv::Position::byte));
        if record.iter().all(<[u8]>::is_empty) {
            continue;
        }
        records.push(of_cells(line, &columns, &record));
    }
    Ok(Table { columns, records })
}

/// The columns that a head names. Of two that are called alike and that nobody reads, the second has no name.
fn head(record: &ByteRecord, wanted: &dyn Wanted) -> Result<Vec<Column>, String> {
    let mut columns = Vec::<Column>::new();
    for name in record {
        let written = String::from_utf8_lossy(name).trim().to_owned();
        let mut plain = plain(&written);
        if columns.iter().any(|before| before.plain == plain) && !plain.is_empty() {
            if wanted.reads(&plain) {
                return Err(format!("two columns are called `{written:.40}`"));
            }
            plain.clear();
        }
        columns.push(Column { plain, written });
    }
    Ok(columns)
}

/// Counts the lines of a text. The reader of records takes the end of a line for the beginning of the next one.
struct Lines<'t> {
    text: &'t [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the first record from this byte on, which is not before that of the last call.
    fn of(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte)
            .unwrap_or(usize::MAX)
            .min(self.text.len());
        let ends = self.text[byte..]
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let begin = byte + ends.count();
        // A line ends with a line feed, or with a carriage return that none follows.
        let ends = (self.at..begin).filter(|at| match self.text[*at] {
            b'\n' => true,
            b'\r' => self.text.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        self.line += ends.count() as u64;
        self.at = begin;
        self.line
    }
}

fn said(error: csv::Error) -> String {
    error.to_string()
}

/// What parts the cells: of comma, semicolon and tab the one that is in the head most often.
fn delimiter(text: &[u8]) -> u8 {
    let mut lines = text.split(|byte| matches!(byte, b'\n' | b'\r'));
    let head = lines.next().unwrap_or_default();
    let count = |wanted: u8| head.iter().filter(|byte| **byte == wanted).count();
    let most = *[b'\t', b';', b',']
        .iter()
        .max_by_key(|byte| count(**byte))
        .unwrap_or(&b',');
    match count(most) {
        0 => b',',
        _ => most,
    }
}

fn of_cells(line: u64, head: &[Column], record: &ByteRecord) -> Result<Record, Unread> {
    let unread = |why: String| Unread { line, why };
    if record.len() != head.len() {
        let (has, named) = (record.len(), head.len());
        let ends = record.as_slice().iter().filter(|byte| **byte == b'\n');
        // Whatever follows a quote that is not closed is one record.
        let over = match ends.count() {
            0 => String::new(),
            more => format!("; it goes on for {more} lines, so a quote may not be closed"),
        };
        return Err(unread(format!(
            "it has {has} cells, and the head names {named}{over}"
        )));
    }
    let mut cells = BTreeMap::new();
    for (column, cell) in head.iter().zip(record) {
        let cell = std::str::from_utf8(cell);
        let cell = cell.map_err(|_| unread(format!("`{:.40}` is not UTF-8", column.written)))?;
        keep(&mut cells, column, cell).map_err(unread)?;
    }
    Ok(Record { line, cells })
}

fn keep(cells: &mut BTreeMap<String, String>, column: &Column, cell: &str) -> Result<(), String> {
    if cell.len() > LONGEST_CELL {
        let name = &column.written;
        return Err(format!("`{name:.40}` is longer than {LONGEST_CELL} bytes"));
    }
    // Spreadsheets arm a cell against formulas with a leading apostrophe, as our own exports do.
    let cell = cell.trim();
    let is_armed = |rest: &&str| rest.starts_with(['=', '+', '-', '@']);
    let cell = cell.strip_prefix('\'').filter(is_armed).unwrap_or(cell);
    if !cell.is_empty() && !column.plain.is_empty() {
        cells.insert(column.plain.clone(), cell.to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wants the columns of these names.
    struct Of(&'static [&'static str]);

    impl Wanted for Of {
        fn reads(&self, plain: &str) -> bool {
            self.0.contains(&plain)
        }

        fn fits(&self, _columns: &[Column]) -> Result<(), String> {
            Ok(())
        }
    }

    const ANY: &Of = &Of(&["a"]);

    fn one(text: &str) -> Record {
        let mut records = of_csv(text.as_bytes(), ANY).expect("records").records;
        assert_eq!(records.len(), 1);
        records.remove(0).expect("a record")
    }

    #[test]
    fn heads_and_delimiters_are_as_spreadsheets_write_them() {
        for text in [
            "E-Mail,First Name\na@example.com,Ada\n",
            "\"e_mail\";firstName\r\na@example.com;Ada\r\n",
            "EMAIL\tfirst.name\n a@example.com \tAda",
        ] {
            let record = one(text);
            assert_eq!(record.first(&["none", "email"]), Some("a@example.com"));
            assert_eq!(record.first(&["firstname"]), Some("Ada"));
            assert_eq!(record.line, 2);
        }
    }

    #[test]
    fn a_line_that_does_not_fit_is_told_and_the_rest_is_read() {
        let text = b"email,name\na,b,c\n\"x\ny\",z\n\n\xff,z\n'=1,'a\n\"a,b\nc,d\n";
        let records = of_csv(text, ANY).expect("records").records;
        let told = records.iter().map(|record| match record {
            Ok(record) => (
                record.line,
                record.first(&["email"]).unwrap_or_default().to_owned(),
            ),
            Err(unread) => (unread.line, unread.why.clone()),
        });
        let told: Vec<_> = told.collect();
        let told: Vec<_> = told
            .iter()
            .map(|(line, text)| (*line, text.as_str()))
            .collect();
        let wanted = [
            (2, "it has 3 cells, and the head names 2"),
            (3, "x\ny"),
            (6, "`email` is not UTF-8"),
            (7, "=1"),
            (
                8,
                "it has 1 cells, and the head names 2; it goes on for 2 lines, so a quote may not be closed",
            ),
        ];
        assert_eq!(told, wanted);
        assert_eq!(
            of_csv(b"a,A\n", ANY).expect_err("one name"),
            "two columns are called `A`"
        );
        let twice = of_csv(b"a,b,B\n1,2,3\n", ANY).expect("nobody reads it");
        let first = twice.records[0].as_ref().expect("a record");
        assert_eq!(first.first(&["b"]), Some("2"));
        let nothing = of_csv(b"", ANY).expect_err("nothing");
        assert_eq!(nothing, "it is empty");
    }

    #[test]
    fn lines_are_counted_however_they_end() {
        for text in [
            "a,b\n1,2\n\n3,4\n",
            "a,b\r1,2\r\r3,4\r",
            "a,b\r\n1,2\r\n\r\n3,4",
        ] {
            let table = of_csv(text.as_bytes(), ANY).expect("records");
            let lines = table
                .records
                .iter()
                .map(|one| one.as_ref().expect("a record").line);
            assert_eq!(lines.collect::<Vec<_>>(), [2, 4], "{text:?}");
        }
    }

    #[test]
    fn files_are_read_as_spreadsheets_write_them() {
        let text = "email\tname\r\nada@example.com\tAda \u{e9}\u{1f680}\r\n";
        let units = || text.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [b"\xff\xfe", &little[..]].concat(),
            [b"\xfe\xff", &big[..]].concat(),
        ] {
            let records = of_bytes(&bytes, ANY).expect("records").records;
            let [Ok(record)] = &records[..] else {
                panic!("{records:?}")
            };
            assert_eq!(record.first(&["email"]), Some("ada@example.com"));
            assert_eq!(record.first(&["name"]), Some("Ada \u{e9}\u{1f680}"));
        }
        let packed = of_bytes(b"\x1f\x8b\x08\0", ANY).expect_err("gzip");
        assert!(packed.contains("packed"), "{packed}");
    }
}
