//! A receiver of webhooks that answers as it is told to, or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rustls::ServerConfig;
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// For how long a test waits for what should happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a receiver does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// It answers this status, with these lines in the head.
    Answer(u16, &'static str),
    /// It says nothing, for ever.
    Hang,
    /// It closes the connection without an answer.
    Close,
    /// It answers byte by byte.
    Trickle,
    /// It answers a hundred megabytes.
    Flood,
}

/// A request that came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) at: Instant,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) text: String,
}

impl Received {
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub(crate) fn attempt(&self) -> &str {
        &self.headers["billstack-attempt"]
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    pub(crate) fn kind(&self) -> String {
        self.json()["type"].as_str().expect("a type").to_owned()
    }

    /// Whether one of its signatures is made with this secret.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = secret.strip_prefix("whsec_").expect("a secret");
        let key = STANDARD.decode(key).expect("base64");
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        let timestamp = &self.headers["webhook-timestamp"];
        mac.update(format!("{}.{timestamp}.{}", self.id(), self.text).as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        let signatures = &self.headers["webhook-signature"];
        signatures.split(' ').any(|signature| signature == expected)
    }
}

/// A receiver, until it is dropped.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    seen: Mutex<Vec<Received>>,
    /// The ids of what is being answered, and how often one was there already.
    under_way: Mutex<BTreeSet<String>>,
    doubled: AtomicUsize,
    connections: AtomicUsize,
    written: AtomicUsize,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Receiver {
    /// One that answers 204.
    pub(crate) async fn start() -> Receiver {
        Receiver::with(Behaviour::Answer(204, "")).await
    }

    pub(crate) async fn with(behaviour: Behaviour) -> Receiver {
        Receiver::at(0, behaviour).await
    }

    /// One at a port; 0 for any that is free.
    pub(crate) async fn at(port: u16, behaviour: Behaviour) -> Receiver {
        Receiver::listen(port, behaviour, None).await
    }

    /// One that speaks TLS, as this says.
    pub(crate) async fn over_tls(tls: ServerConfig, behaviour: Behaviour) -> Receiver {
        Receiver::listen(0, behaviour, Some(TlsAcceptor::from(Arc::new(tls)))).await
    }

    async fn listen(port: u16, behaviour: Behaviour, tls: Option<TlsAcceptor>) -> Receiver {
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let listener = listener.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(behaviour),
            seen: Mutex::default(),
            under_way: Mutex::default(),
            doubled: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            written: AtomicUsize::new(0),
        });
        let of_all = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            let mut serving = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                of_all.connections.fetch_add(1, Ordering::SeqCst);
                let (shared, tls) = (Arc::clone(&of_all), tls.clone());
                serving.spawn(async move {
                    match tls {
                        None => shared.serve(stream).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                shared.serve(stream).await;
                            }
                        }
                    }
                });
            }
        });
        Receiver {
            port,
            shared,
            accepting,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// From now on it does this.
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().expect("no panic") = behaviour;
    }

    /// What came in so far.
    pub(crate) fn seen(&self) -> Vec<Received> {
        self.shared.seen.lock().expect("no panic").clone()
    }

    /// The types of what came in, in alphabetical order.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let mut kinds: Vec<_> = self.seen().iter().map(Received::kind).collect();
        kinds.sort_unstable();
        kinds
    }

    /// How often it was connected to.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many bytes of answers were taken from it.
    pub(crate) fn written(&self) -> usize {
        self.shared.written.load(Ordering::SeqCst)
    }

    /// How often a webhook came while the same was being answered.
    pub(crate) fn doubled(&self) -> usize {
        self.shared.doubled.load(Ordering::SeqCst)
    }

    /// Waits until so many have come, and answers them.
    pub(crate) async fn wait_for(&self, number: usize) -> Vec<Received> {
        let began = Instant::now();
        loop {
            let seen = self.seen();
            if seen.len() >= number {
                return seen;
            }
            let far = seen.len();
            assert!(
                began.elapsed() < PATIENCE,
                "waited in vain: {far} of {number}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Waits until `look` finds what it looks for.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    look: impl Fn() -> F,
) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Shared {
    async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        while let Some(received) = read(&mut stream).await {
            let id = received.id().to_owned();
            if !self.under_way().insert(id.clone()) {
                self.doubled.fetch_add(1, Ordering::SeqCst);
            }
            self.seen.lock().expect("no panic").push(received);
            let answered = self.answer(&mut stream).await;
            self.under_way().remove(&id);
            if answered.is_none() {
                return;
            }
        }
    }

    fn under_way(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.under_way.lock().expect("no panic")
    }

    /// Does with a request what it is told to; `None` where the connection is over.
    async fn answer(&self, stream: &mut (impl AsyncWrite + Unpin)) -> Option<()> {
        let behaviour = self.behaviour.lock().expect("no panic").clone();
        match behaviour {
            Behaviour::Close => None,
            Behaviour::Hang => std::future::pending().await,
            Behaviour::Answer(status, head) => {
                let answer = format!("HTTP/1.1 {status} x\r\n{head}content-length: 4\r\n\r\nbody");
                self.write(stream, answer.as_bytes()).await
            }
            Behaviour::Trickle => {
                let head = b"HTTP/1.1 200 OK\r\nx: ".iter();
                for byte in head.chain(std::iter::repeat(&b'x')) {
                    self.write(stream, &[*byte]).await?;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                None
            }
            Behaviour::Flood => {
                let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n";
                self.write(stream, head).await?;
                while self.write(stream, &[b'x'; 8_192]).await.is_some() {}
                None
            }
        }
    }

    async fn write(&self, stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Option<()> {
        stream.write_all(bytes).await.ok()?;
        self.written.fetch_add(bytes.len(), Ordering::SeqCst);
        Some(())
    }
}

/// Reads a request with a body of `content-length`.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let headers: BTreeMap<_, _> = lines
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received {
        at: Instant::now(),
        headers,
        text: String::from_utf8(body).ok()?,
    })
}
