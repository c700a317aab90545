//! A proxy that loses a third of the answers, after the work was done.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What a server says that does not know what came of a call.
const UNKNOWN: &str = r#"{"error":"The outcome is not known.","reason":"outcome_unknown"}"#;

/// The proxy, until it is dropped.
pub(super) struct Losing {
    pub(super) address: String,
    shared: Arc<Shared>,
}

struct Shared {
    /// Where the answers come from.
    server: String,
    answers: AtomicUsize,
    lost: AtomicUsize,
    ends: AtomicBool,
}

impl Losing {
    pub(super) fn in_front_of(server: &str) -> Losing {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let shared = Arc::new(Shared {
            server: server.to_owned(),
            answers: AtomicUsize::new(0),
            lost: AtomicUsize::new(0),
            ends: AtomicBool::new(false),
        });
        let of_all = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if of_all.ends.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&of_all);
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Losing { address, shared }
    }

    /// How many answers were lost, and how many passed on.
    pub(super) fn counts(&self) -> (usize, usize) {
        let lost = self.shared.lost.load(Ordering::SeqCst);
        (lost, self.shared.answers.load(Ordering::SeqCst) - lost)
    }
}

impl Drop for Losing {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        // Whoever waits for a connection gets a last one.
        let _ = TcpStream::connect(&self.address);
    }
}

impl Shared {
    /// Passes on what comes over a connection until one of both sides, or the loss of an answer, ends it.
    fn serve(&self, client: TcpStream) -> Option<()> {
        let server = TcpStream::connect(&self.server).ok()?;
        let mut from_client = BufReader::new(client.try_clone().ok()?);
        let mut from_server = BufReader::new(server.try_clone().ok()?);
        let (mut client, mut server) = (client, server);
        loop {
            let request = message(&mut from_client)?;
            server.write_all(&request).ok()?;
            let answer = message(&mut from_server)?;
            let number = self.answers.fetch_add(1, Ordering::SeqCst);
            let chance = scattered(number);
            if !chance.is_multiple_of(3) {
                client.write_all(&answer).ok()?;
                continue;
            }
            self.lost.fetch_add(1, Ordering::SeqCst);
            match chance / 3 % 3 {
                0 => return None,
                1 => {
                    client.write_all(&answer[..answer.len() / 2]).ok()?;
                    return None;
                }
                _ => {
                    let length = UNKNOWN.len();
                    let head = format!(
                        "HTTP/1.1 503 x\r\ncontent-type: application/json\r\nretry-after: 0\r\ncontent-length: {length}\r\n\r\n"
                    );
                    client
                        .write_all(format!("{head}{UNKNOWN}").as_bytes())
                        .ok()?;
                }
            }
        }
    }
}

/// The bytes of the next message of HTTP. Its body, if it has one, tells its length.
fn message(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_until(b'\n', &mut head).ok()? == 0 {
            return None;
        }
    }
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    assert!(!text.contains("transfer-encoding"), "{text}");
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a length"))];
    stream.read_exact(&mut body).ok()?;
    head.extend(body);
    Some(head)
}

/// A number that looks drawn, and is the same on each run.
fn scattered(number: usize) -> u64 {
    let mut bits = (number as u64)
        .wrapping_add(1)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
