//! A way to a server that can fall silent, as a host does whose server hangs, or break connections as they commit.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::Error;

/// Takes connections on a port of its own and passes them on to a server, until it falls silent: then
/// connections stay open, new ones are still taken, and nothing goes through in either direction.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    way: Arc<Way>,
}

/// What is known to all connections.
#[derive(Debug, Default)]
struct Way {
    silent: AtomicBool,
    /// Every so-manieth commit is cut off; none at 0.
    cut_every: AtomicU64,
    commits: AtomicU64,
}

/// Where a connection breaks.
#[derive(Clone, Copy)]
enum Cut {
    /// The server never hears of the commit.
    Before,
    /// The client never hears that it is done.
    After,
    /// The server is told, and it is a race whether it hears that before the end of the connection.
    Meanwhile,
}

/// A commit, as the end of a message.
const COMMIT: &[u8] = b"COMMIT\0";

impl Proxy {
    /// A proxy for what listens on this port of the machine. It lives as long as the process.
    ///
    /// # Errors
    ///
    /// When there is no port to listen on.
    pub fn to(server: u16) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::new(format!("cannot make a proxy: {error}"));
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let way = Arc::new(Way::default());
        let shared = Arc::clone(&way);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let way = Arc::clone(&shared);
                thread::spawn(move || pass_on(&client, server, &way));
            }
        });
        Ok(Self { port, way })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets nothing through any more.
    pub fn fall_silent(&self) {
        self.way.silent.store(true, Ordering::SeqCst);
    }

    /// Breaks a connection at every so-manieth commit from now on: in turn before the server hears of it, after it is
    /// done and before the client hears that, and in between. 0 breaks none.
    pub fn cut_commits(&self, every: u64) {
        self.way.cut_every.store(every, Ordering::SeqCst);
    }
}

impl Way {
    /// What becomes of a commit.
    fn cut(&self) -> Option<Cut> {
        let every = self.cut_every.load(Ordering::SeqCst);
        let number = 1 + self.commits.fetch_add(1, Ordering::SeqCst);
        if every == 0 || !number.is_multiple_of(every) {
            return None;
        }
        match number / every % 3 {
            0 => Some(Cut::Before),
            1 => Some(Cut::After),
            _ => Some(Cut::Meanwhile),
        }
    }

    fn hold(&self) {
        while self.silent.load(Ordering::SeqCst) {
            thread::park();
        }
    }
}

fn pass_on(client: &TcpStream, server: u16, way: &Way) {
    way.hold();
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
        return;
    };
    // Small messages must not wait for each other.
    let (_, _) = (client.set_nodelay(true), server.set_nodelay(true));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            copy(client, &server, way, |bytes| {
                ask(bytes, &server, way, &is_over)
            })
        });
        copy(&server, client, way, |bytes| {
            !is_over.load(Ordering::SeqCst) && { client }.write_all(bytes).is_ok()
        });
    });
}

/// Passes a question on; `false` where the connection breaks.
fn ask(bytes: &[u8], mut server: &TcpStream, way: &Way, is_over: &AtomicBool) -> bool {
    let is_commit = bytes.windows(COMMIT.len()).any(|part| part == COMMIT);
    let cut = is_commit.then(|| way.cut()).flatten();
    if cut.is_some() {
        is_over.store(true, Ordering::SeqCst);
    }
    match cut {
        Some(Cut::Before) => false,
        Some(Cut::Meanwhile) => {
            // Whether it arrives is the question.
            let _ = server.write_all(bytes);
            false
        }
        Some(Cut::After) | None => server.write_all(bytes).is_ok(),
    }
}

/// Hands on what comes from one side, until there is no more or it is not taken: then neither side hears anything.
fn copy(mut from: &TcpStream, to: &TcpStream, way: &Way, mut take: impl FnMut(&[u8]) -> bool) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        way.hold();
        if !take(&bytes[..count]) {
            // Either side may be gone already, which is what it is to be told.
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
    way.hold();
    let _ = to.shutdown(Shutdown::Write);
}
