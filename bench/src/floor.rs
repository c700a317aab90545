//! The floor: a bare axum server on the same stack, after the same bearer check, answering a body
//! of a given size from memory. No database can be faster than none.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

/// Answers of up to this size are made beforehand.
const LARGEST: usize = 64 * 1024;

struct Floor {
    keys: HashMap<String, u32>,
    filler: Bytes,
}

/// Serves every path below `/{size}` with a body of that many bytes, for ever.
pub(crate) async fn serve(listener: TcpListener, key: String) {
    let keys = HashMap::from([(hash(&key), 1)]);
    let filler = Bytes::from(vec![b' '; LARGEST]);
    let state = Arc::new(Floor { keys, filler });
    let app = Router::new()
        .route("/{size}/{*path}", get(answer).post(answer))
        .with_state(state);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(app.clone());
        tokio::spawn(async move {
            let mut builder = hyper::server::conn::http1::Builder::new();
            builder.timer(TokioTimer::new());
            let _ = builder
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn hash(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

/// What carries no key is let in, as a webhook is signed instead.
fn check(floor: &Floor, headers: &HeaderMap) -> bool {
    let header = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    let key = header.and_then(|header| header.strip_prefix("Bearer "));
    key.is_none_or(|key| floor.keys.contains_key(&hash(key)))
}

#[derive(Deserialize)]
struct Wanted {
    size: usize,
}

/// The body is taken in, as a server that stores it would have to.
async fn answer(
    State(floor): State<Arc<Floor>>,
    Path(wanted): Path<Wanted>,
    headers: HeaderMap,
    _body: Bytes,
) -> Response {
    if !check(&floor, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let json = [("content-type", "application/json")];
    (json, floor.filler.slice(..wanted.size.min(LARGEST))).into_response()
}
