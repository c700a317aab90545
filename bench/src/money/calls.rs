//! Calls whose answers are read, and requests that are sent all at once.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;

/// Makes one call as somebody who has signed in, and returns its answer.
pub(super) fn call(
    address: SocketAddr,
    cookie: &str,
    path: &str,
    body: &Value,
) -> Result<Value, String> {
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\ncookie: {cookie}\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut answer = String::new();
    let mut exchange = || -> std::io::Result<()> {
        let mut stream = std::net::TcpStream::connect(address)?;
        stream.write_all(request.as_bytes())?;
        stream.read_to_string(&mut answer).map(|_| ())
    };
    exchange().map_err(|error| error.to_string())?;
    let told = || format!("{path}: {answer}");
    if !answer.starts_with("HTTP/1.1 20") {
        return Err(told());
    }
    let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(told)?;
    serde_json::from_str(body).map_err(|_| told())
}

/// What became of requests that were sent all at once.
pub(super) struct Burst {
    /// From the first to the last answer.
    pub(super) took: Duration,
    /// Of the answers, in order of length.
    pub(super) times: Vec<Duration>,
    /// Answers with another status than 200, and broken connections.
    pub(super) errors: usize,
}

impl Burst {
    /// So many answers a second.
    pub(super) fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }

    /// How long the answer took that so many of a hundred were not slower than, in milliseconds.
    pub(super) fn percentile(&self, share: usize) -> f64 {
        let place = self.times.len() * share / 100;
        let time = self
            .times
            .get(place.min(self.times.len().saturating_sub(1)));
        time.map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }
}

/// Sends all requests over so many connections, each as soon as one is free.
pub(super) async fn all(
    address: SocketAddr,
    connections: usize,
    requests: Vec<Vec<u8>>,
) -> Result<Burst, String> {
    let left = Arc::new(Mutex::new(requests));
    let began = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(one(address, Arc::clone(&left))))
        .collect();
    let mut burst = Burst {
        took: Duration::ZERO,
        times: Vec::new(),
        errors: 0,
    };
    for task in tasks {
        let (times, errors) = task.await.map_err(|error| error.to_string())?;
        burst.times.extend(times);
        burst.errors += errors;
    }
    burst.took = began.elapsed();
    burst.times.sort();
    Ok(burst)
}

async fn one(address: SocketAddr, left: Arc<Mutex<Vec<Vec<u8>>>>) -> (Vec<Duration>, usize) {
    let (mut times, mut errors) = (Vec::new(), 0);
    let Ok(mut client) = Client::connect(address).await else {
        return (times, 1);
    };
    loop {
        let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(request) = next else {
            return (times, errors);
        };
        let began = Instant::now();
        match client.send(&request).await {
            Ok(answer) if answer.status == 200 => times.push(began.elapsed()),
            Ok(_) => errors += 1,
            Err(_) => return (times, errors + 1),
        }
    }
}
