//! A receiver of webhooks on a thread of its own: it answers 204 at once, or never.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// How often one that hangs looks whether it still does.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A running receiver; it ends with the program.
pub(super) struct Receiver {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    taken: AtomicU64,
    hangs: AtomicBool,
}

impl Receiver {
    pub(super) fn start() -> std::io::Result<Receiver> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::<Shared>::default();
        let of_thread = Arc::clone(&shared);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::spawn(move || runtime.block_on(accept(listener, of_thread)));
        Ok(Receiver { address, shared })
    }

    /// How many webhooks it has taken.
    pub(super) fn taken(&self) -> u64 {
        self.shared.taken.load(Ordering::Relaxed)
    }

    /// From now on it says nothing.
    pub(super) fn hang(&self) {
        self.shared.hangs.store(true, Ordering::Relaxed);
    }

    /// From now on it answers, also what has come in before.
    pub(super) fn answer(&self) {
        self.shared.hangs.store(false, Ordering::Relaxed);
    }
}

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(|request| take(&shared, request));
            let builder = hyper::server::conn::http1::Builder::new();
            let _ = builder
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn take(
    shared: &Shared,
    request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let _ = request.into_body().collect().await;
    while shared.hangs.load(Ordering::Relaxed) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    shared.taken.fetch_add(1, Ordering::Relaxed);
    let mut response = Response::new(Empty::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(response)
}
