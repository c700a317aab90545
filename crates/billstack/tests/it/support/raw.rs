//! Requests as bytes, for what a well-behaved client would never send.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The status of the answer to these bytes, and all of its text.
pub(crate) async fn exchange(origin: &str, request: &[u8]) -> (u16, String) {
    let address = origin.strip_prefix("http://").expect("plain HTTP");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(request).await.expect("a request");
    let mut answer = Vec::new();
    // A reset after the answer is as good as an end.
    let _ = stream.read_to_end(&mut answer).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
    (
        status.unwrap_or_else(|| panic!("no status: {text:?}")),
        text,
    )
}

/// A GET of exactly this target, with an API key.
pub(crate) async fn get(origin: &str, target: &str, key: &str) -> (u16, String) {
    let request = format!(
        "GET {target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n"
    );
    exchange(origin, request.as_bytes()).await
}
