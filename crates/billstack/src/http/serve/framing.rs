//! Follows the bytes of a connection just far enough to know where one is.
//!
//! Hyper follows RFC 9112 in dropping `Content-Length` when `Transfer-Encoding` is there too, and
//! so hides the one request that front ends and servers most often disagree about. This scanner
//! sees it, and also tells the guarded socket whether a head or a body is under way. It decides
//! nothing about where a message ends: if it loses its way it says so, and hyper's reading stands.

use bstr::ByteSlice;

/// Long enough for either header name with a number; the rest of a line does not matter.
const KEPT: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between the lines of a head, or before one.
    Head,
    /// In a body of known length, with this much to come.
    Body(u64),
    /// At the line that tells the size of a chunk.
    ChunkSize,
    /// In a chunk, with this much to come.
    Chunk(u64),
    /// At the empty line behind a chunk.
    ChunkEnd,
    /// In the lines behind the last chunk.
    Trailers,
    /// Something did not fit; nothing more is claimed.
    Lost,
}

/// The scanner of one connection.
#[derive(Debug)]
pub(super) struct Framing {
    state: State,
    line: Vec<u8>,
    /// Lines of the current head so far, and bytes of the current line.
    lines: u32,
    line_bytes: usize,
    length: Option<u64>,
    has_length: bool,
    has_encoding: bool,
    heads: u64,
    ambiguous: Option<u64>,
}

impl Framing {
    pub(super) fn new() -> Self {
        Self {
            state: State::Head,
            line: Vec::with_capacity(KEPT),
            lines: 0,
            line_bytes: 0,
            length: None,
            has_length: false,
            has_encoding: false,
            heads: 0,
            ambiguous: None,
        }
    }

    /// How many heads have been seen whole.
    pub(super) fn heads(&self) -> u64 {
        self.heads
    }

    /// Whether a head has begun and not ended.
    pub(super) fn in_head(&self) -> bool {
        self.state == State::Head && (self.lines > 0 || self.line_bytes > 0)
    }

    /// Whether the client may still be sending a body.
    pub(super) fn in_body(&self) -> bool {
        self.state != State::Head
    }

    /// The number, from one, of the head that had both ways of telling the length.
    pub(super) fn ambiguous(&self) -> Option<u64> {
        self.ambiguous
    }

    /// Takes the next bytes of the connection.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let used = match self.state {
                State::Lost => return,
                State::Body(left) => {
                    let (used, left) = skip(bytes, left);
                    self.state = if left == 0 {
                        State::Head
                    } else {
                        State::Body(left)
                    };
                    used
                }
                State::Chunk(left) => {
                    let (used, left) = skip(bytes, left);
                    self.state = match left {
                        0 => State::ChunkEnd,
                        _ => State::Chunk(left),
                    };
                    used
                }
                _ => self.take_line(bytes),
            };
            bytes = &bytes[used..];
        }
    }

    fn take_line(&mut self, bytes: &[u8]) -> usize {
        let end = bytes.find_byte(b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        let room = KEPT - self.line.len();
        self.line.extend_from_slice(&part[..part.len().min(room)]);
        self.line_bytes += part.len();
        let Some(end) = end else {
            return bytes.len();
        };
        let mut line = std::mem::take(&mut self.line);
        if line.len() == self.line_bytes && line.last() == Some(&b'\r') {
            line.pop();
        }
        self.line_bytes = 0;
        self.end_line(&line);
        line.clear();
        self.line = line;
        end + 1
    }

    fn end_line(&mut self, line: &[u8]) {
        match self.state {
            State::Head if line.is_empty() => {
                // Empty lines before a request are skipped, as hyper does.
                if self.lines > 0 {
                    self.end_head();
                }
            }
            State::Head => {
                self.lines += 1;
                if self.lines > 1 {
                    self.header(line);
                }
            }
            State::ChunkSize => {
                self.state = match chunk_size(line) {
                    Some(0) => State::Trailers,
                    Some(size) => State::Chunk(size),
                    None => State::Lost,
                };
            }
            State::ChunkEnd if line.is_empty() => self.state = State::ChunkSize,
            State::Trailers if line.is_empty() => self.state = State::Head,
            State::Trailers => {}
            _ => self.state = State::Lost,
        }
    }

    fn header(&mut self, line: &[u8]) {
        let Some(colon) = line.find_byte(b':') else {
            return;
        };
        let name = &line[..colon];
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.has_encoding = true;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            self.has_length = true;
            let value = line[colon + 1..].trim_ascii();
            self.length = std::str::from_utf8(value).ok().and_then(|t| t.parse().ok());
        }
    }

    fn end_head(&mut self) {
        self.heads += 1;
        if self.has_encoding && self.has_length {
            self.ambiguous.get_or_insert(self.heads);
        }
        self.state = match (self.has_encoding, self.has_length, self.length) {
            (true, _, _) => State::ChunkSize,
            (false, false, _) | (false, true, Some(0)) => State::Head,
            (false, true, Some(length)) => State::Body(length),
            (false, true, None) => State::Lost,
        };
        self.lines = 0;
        self.length = None;
        self.has_length = false;
        self.has_encoding = false;
    }
}

fn skip(bytes: &[u8], left: u64) -> (usize, u64) {
    let used = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
    (used, left - used as u64)
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let end = line.iter().position(|b| !b.is_ascii_hexdigit());
    let digits = std::str::from_utf8(&line[..end.unwrap_or(line.len())]).ok()?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds the text in pieces of every size; where one is must not depend on the pieces.
    fn fed(text: &str) -> Framing {
        let mut results = (1..=text.len().max(1)).map(|size| {
            let mut framing = Framing::new();
            for piece in text.as_bytes().chunks(size) {
                framing.feed(piece);
            }
            framing
        });
        let first = results.next().unwrap();
        for other in results {
            assert_eq!(other.state, first.state);
            assert_eq!(other.heads, first.heads);
            assert_eq!(other.ambiguous, first.ambiguous);
            assert_eq!(other.in_head(), first.in_head());
        }
        first
    }

    const CHUNKED: &str = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\n1\r\n\r\n\r\n0\r\nA: b\r\n\r\n";

    #[test]
    fn heads_and_bodies_in_a_row() {
        let one = "POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\n\r\n\r\n";
        let framing = fed(&format!(
            "{one}{CHUNKED}\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n"
        ));
        assert_eq!((framing.heads(), framing.state), (3, State::Head));
        assert!(!framing.in_head() && !framing.in_body());
        assert_eq!(framing.ambiguous(), None);
    }

    #[test]
    fn within_a_head_or_body() {
        assert!(!fed("").in_head());
        assert!(!fed("\r\n").in_head());
        assert!(fed("G").in_head());
        assert!(fed("GET / HTTP/1.1\r\n").in_head());
        assert!(fed("POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nabc").in_body());
        assert!(fed(&CHUNKED[..CHUNKED.len() - 1]).in_body());
    }

    #[test]
    fn both_lengths_in_either_order() {
        let length = "Content-Length: 5\r\n";
        let encoding = "transfer-encoding: chunked\r\n";
        for headers in [format!("{length}{encoding}"), format!("{encoding}{length}")] {
            let framing = fed(&format!("{CHUNKED}POST / HTTP/1.1\r\n{headers}\r\n"));
            assert_eq!(framing.ambiguous(), Some(2));
        }
    }

    #[test]
    fn text_in_a_body_is_no_head() {
        let body = "A\nTransfer-Encoding: chunked\nContent-Length: 5\n\n";
        let head = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
        let framing = fed(&format!("{head}{body}"));
        assert_eq!((framing.ambiguous(), framing.heads()), (None, 1));
    }

    #[test]
    fn lost_on_nonsense() {
        let bad = "POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n";
        assert_eq!(fed(bad).state, State::Lost);
        let bad = "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n";
        assert_eq!(fed(bad).state, State::Lost);
    }
}
