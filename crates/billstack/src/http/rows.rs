//! Answers that hold a list, written while its rows are read.
//!
//! No row is kept on the way from the database to the socket, and no text is made for a column.

use axum::http::StatusCode;
use axum::response::Response;
use billstack_store::list::Cursor;
use serde::Serialize;

use crate::http::answer;

/// Room for a short list, so that few answers have to move while they grow.
const USUAL: usize = 2048;

/// The JSON of an answer with one list in it.
#[derive(Debug)]
pub struct Rows {
    json: Vec<u8>,
    is_empty: bool,
}

impl Rows {
    /// An answer that begins with the list.
    pub fn new(list: &str) -> Rows {
        let mut rows = Rows::open();
        rows.begin(list);
        rows
    }

    /// An answer with another member before the list.
    pub fn after(member: &str, value: &impl Serialize, list: &str) -> Rows {
        let mut rows = Rows::open();
        rows.name(member);
        rows.write(value);
        rows.json.push(b',');
        rows.begin(list);
        rows
    }

    fn open() -> Rows {
        let mut json = Vec::with_capacity(USUAL);
        json.push(b'{');
        Rows {
            json,
            is_empty: true,
        }
    }

    /// Adds a row.
    pub fn push(&mut self, row: &impl Serialize) {
        if !self.is_empty {
            self.json.push(b',');
        }
        self.is_empty = false;
        self.write(row);
    }

    /// The answer, with the place of the next page when there is one.
    pub fn finish(mut self, next: Option<&Cursor>) -> Response {
        self.json.push(b']');
        if let Some(next) = next {
            self.json.push(b',');
            self.name("nextCursor");
            self.write(&next.encode());
        }
        self.json.push(b'}');
        answer::trim(&mut self.json);
        answer::send_json(StatusCode::OK, self.json)
    }

    fn begin(&mut self, list: &str) {
        self.name(list);
        self.json.push(b'[');
    }

    fn name(&mut self, name: &str) {
        self.write(name);
        self.json.push(b':');
    }

    fn write<T: Serialize + ?Sized>(&mut self, value: &T) {
        serde_json::to_writer(&mut self.json, value).expect("our own types serialise");
    }
}
