//! A way to a server that can fall silent, as a host does whose server hangs.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::Error;

/// Takes connections on a port of its own and passes them on to a server, until it falls silent: then
/// connections stay open, new ones are still taken, and nothing goes through in either direction.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    silent: Arc<AtomicBool>,
}

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
        let silent = Arc::new(AtomicBool::new(false));
        let held = Arc::clone(&silent);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let held = Arc::clone(&held);
                thread::spawn(move || pass_on(client, server, &held));
            }
        });
        Ok(Self { port, silent })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Lets nothing through any more.
    pub fn fall_silent(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }
}

fn pass_on(client: TcpStream, server: u16, silent: &AtomicBool) {
    hold(silent);
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
        return;
    };
    let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    thread::scope(|scope| {
        scope.spawn(|| copy(from, to, silent));
        copy(server, client, silent);
    });
}

fn copy(mut from: TcpStream, mut to: TcpStream, silent: &AtomicBool) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        hold(silent);
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    hold(silent);
    // The other side may be gone already, which is what it is to be told.
    let _ = to.shutdown(Shutdown::Write);
}

fn hold(silent: &AtomicBool) {
    while silent.load(Ordering::SeqCst) {
        thread::park();
    }
}
