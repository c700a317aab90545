//! Against receivers that do what they should not.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::HeaderValue;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::*;

const NOW: Micros = Micros::from_secs(784_111_777);
const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

/// Answers what a test told it to, look-up after look-up; the last answer stays.
#[derive(Default)]
struct Scripted {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Scripted {
    fn new(answers: &[&[&str]]) -> Arc<Scripted> {
        let read = |texts: &&[&str]| {
            let addresses = texts.iter().map(|text| text.parse().expect("an address"));
            addresses.collect()
        };
        Arc::new(Scripted {
            answers: Mutex::new(answers.iter().rev().map(read).collect()),
            asked: AtomicUsize::new(0),
        })
    }
}

impl Resolve for Scripted {
    fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().expect("no panic");
        let answer = match answers.len() {
            0 => Err(io::ErrorKind::NotFound.into()),
            1 => Ok(answers[0].clone()),
            _ => Ok(answers.pop().expect("there are some")),
        };
        async { answer }.boxed()
    }
}

/// A resolver that never answers.
struct Silent;

impl Resolve for Silent {
    fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        std::future::pending().boxed()
    }
}

/// A receiver on loopback: how often it was connected to, and what it was sent.
struct Receiver {
    port: u16,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    /// One that answers each request with `answer`; several answers go out over several requests, the last for
    /// ever. An empty answer closes.
    async fn start(answer: &'static [u8]) -> Receiver {
        Receiver::with(move |stream, requests| speak(stream, answer, requests).boxed()).await
    }

    async fn with(
        serve: impl Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> BoxFuture<'static, ()> + Send + 'static,
    ) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::default());
        let (count, seen) = (Arc::clone(&connections), Arc::clone(&requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, Arc::clone(&seen)));
            }
        });
        Receiver {
            port,
            connections,
            requests,
        }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook?x=1", self.port)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Answers requests with an empty body or one that came with the head.
async fn speak<T: AsyncRead + AsyncWrite + Unpin>(
    mut stream: T,
    answer: &'static [u8],
    requests: Arc<Mutex<Vec<String>>>,
) {
    while let Some(request) = request(&mut stream).await {
        requests.lock().expect("no panic").push(request);
        if answer.is_empty() || stream.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// Reads a request with a body of `content-length`.
async fn request<T: AsyncRead + Unpin>(stream: &mut T) -> Option<String> {
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("\r\n\r\n") {
        if stream.read(&mut byte).await.ok()? == 0 {
            return None;
        }
        text.push(byte[0].into());
    }
    let length = text.to_ascii_lowercase();
    let length = length.split_once("content-length: ")?.1;
    let length = length.split("\r\n").next()?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(text + &String::from_utf8(body).ok()?)
}

fn loopback() -> AllowedNetworks {
    AllowedNetworks::parse("127.0.0.0/8").expect("a network")
}

fn client(allowed: AllowedNetworks, resolver: Arc<dyn Resolve>) -> WebhookClient {
    WebhookClient::with(allowed, resolver, dial::tls())
}

async fn post(client: &WebhookClient, url: &str) -> Result<Answer, AttemptError> {
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", HeaderValue::from_static("evt_1"));
    let body = Bytes::from_static(b"{\"a\":1}");
    client.post(url, &headers, &body, NOW).await
}

/// What a client that may call loopback gets from a receiver that answers this.
async fn answered(answer: &'static [u8]) -> Result<Answer, AttemptError> {
    let receiver = Receiver::start(answer).await;
    post(&WebhookClient::new(loopback()), &receiver.url()).await
}

#[tokio::test]
async fn sends_what_it_is_given_and_nothing_of_its_own() {
    let receiver = Receiver::start(OK).await;
    let answer = post(&WebhookClient::new(loopback()), &receiver.url()).await;
    let expected = Answer {
        status: 200,
        retry_after: None,
        body: None,
    };
    assert_eq!(
        answer,
        Ok(expected),
        "and keeps nothing from an inner network"
    );
    let requests = receiver.requests.lock().expect("no panic");
    let expected = format!(
        "POST /hook?x=1 HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nwebhook-id: evt_1\r\ncontent-length: 7\r\n\r\n{{\"a\":1}}",
        receiver.port
    );
    assert_eq!(*requests, [expected]);
}

#[tokio::test]
async fn a_connection_is_used_again_while_the_address_stays() {
    let receiver = Receiver::start(OK).await;
    let flips: &[&[&str]] = &[&["127.0.0.1"], &["127.0.0.1"], &["127.0.0.2"]];
    let resolver = Scripted::new(flips);
    let client = client(loopback(), Arc::clone(&resolver) as Arc<dyn Resolve>);
    let url = format!("http://a.test:{}/", receiver.port);
    for _ in 0..2 {
        post(&client, &url).await.expect("an answer");
    }
    assert_eq!(receiver.connections(), 1);
    let elsewhere = post(&client, &url).await;
    assert_eq!(
        elsewhere,
        Err(AttemptError::Connect),
        "nobody listens there"
    );
    assert_eq!(receiver.connections(), 1);
    assert_eq!(resolver.asked.load(Ordering::SeqCst), 3, "each time once");
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_costs_no_attempt() {
    let serve = |mut stream: TcpStream, _| {
        let serve = async move {
            request(&mut stream).await;
            stream.write_all(OK).await.expect("it waits");
            request(&mut stream).await;
        };
        serve.boxed()
    };
    let receiver = Receiver::with(serve).await;
    let client = WebhookClient::new(loopback());
    for _ in 0..3 {
        post(&client, &receiver.url()).await.expect("an answer");
    }
    assert_eq!(receiver.connections(), 3);
}

#[tokio::test]
async fn nothing_is_connected_to_that_is_not_allowed() {
    let receiver = Receiver::start(OK).await;
    let port = receiver.port;
    let none = AllowedNetworks::default();
    for host in [
        "127.0.0.1",
        "[::ffff:7f00:1]",
        "[::ffff:127.0.0.1]",
        "0x7f.1",
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "[64:ff9b::7f00:1]",
        "[::1]",
        "0.0.0.0",
        "169.254.169.254",
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/");
            let client = WebhookClient::new(none.clone());
            client.admit(&url).await.expect_err(&url);
            let sent = post(&client, &url).await;
            assert_eq!(sent, Err(AttemptError::AddressNotAllowed), "{url}");
        }
    }
    for addresses in [
        &["127.0.0.1"] as &[&str],
        &["8.8.8.8", "127.0.0.1"],
        &["127.0.0.1", "8.8.8.8"],
        &["::ffff:127.0.0.1"],
        &["100.64.0.1"],
        &["fd00::1"],
        &["64:ff9b::a00:1"],
        &["2002:7f00:1::1"],
        &["8.8.8.8", "2001:db8::1"],
    ] {
        let client = client(none.clone(), Scripted::new(&[addresses]));
        let url = format!("https://a.test:{port}/");
        let refused = client.admit(&url).await;
        assert_eq!(refused, Err(NotAllowed::Address), "{addresses:?}");
        let sent = post(&client, &url).await;
        assert_eq!(sent, Err(AttemptError::AddressNotAllowed), "{addresses:?}");
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_host_whose_address_changes_after_the_check_is_not_connected_to() {
    let receiver = Receiver::start(OK).await;
    let resolver = Scripted::new(&[&["8.8.8.8"], &["127.0.0.1"]]);
    let client = client(AllowedNetworks::default(), resolver);
    let url = format!("https://a.test:{}/", receiver.port);
    client.admit(&url).await.expect("it is public");
    let sent = post(&client, &url).await;
    assert_eq!(sent, Err(AttemptError::AddressNotAllowed));
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_called() {
    let receiver = Receiver::start(OK).await;
    // A second look-up would be answered by an address where nobody listens.
    let resolver = Scripted::new(&[&["127.0.0.1"], &["127.0.0.9"]]);
    let client = client(loopback(), resolver);
    let url = format!("http://a.test:{}/", receiver.port);
    assert_eq!(
        post(&client, &url).await.map(|answer| answer.status),
        Ok(200)
    );
}

#[tokio::test]
async fn what_inner_networks_may_have_others_may_not() {
    let public = client(loopback(), Scripted::new(&[&["8.8.8.8"]]));
    for (url, why) in [
        ("http://a.test/", BadUrl::NotHttps),
        ("https://a.test:22/", BadUrl::Port),
        ("https://8.8.8.8/", BadUrl::NoName),
    ] {
        let refused = public.admit(url).await;
        assert_eq!(refused, Err(NotAllowed::Url(why)), "{url}");
        let sent = post(&public, url).await;
        assert_eq!(sent, Err(AttemptError::AddressNotAllowed), "{url}");
    }
    let mixed = client(loopback(), Scripted::new(&[&["127.0.0.1", "8.8.8.8"]]));
    mixed
        .admit("https://a.test/")
        .await
        .expect("both may be called");
    let refused = mixed.admit("http://a.test/").await;
    assert_eq!(refused, Err(NotAllowed::Url(BadUrl::NotHttps)));
    let inner = client(loopback(), Scripted::new(&[&["127.0.0.1"]]));
    for url in [
        "http://a.test:22/",
        "https://a.test:22/",
        "http://127.0.0.1/",
    ] {
        inner.admit(url).await.expect("it is in an inner network");
    }
}

#[tokio::test]
async fn hosts_that_cannot_be_found_are_refused() {
    let none = AllowedNetworks::default();
    for resolver in [Scripted::new(&[]), Scripted::new(&[&[]])] {
        let client = client(none.clone(), resolver);
        let refused = client.admit("https://a.test/").await;
        assert_eq!(refused, Err(NotAllowed::Unknown));
        let sent = post(&client, "https://a.test/").await;
        assert_eq!(sent, Err(AttemptError::Dns));
    }
    let many = vec!["8.8.8.8"; MOST_ADDRESSES + 1];
    let client = client(none, Scripted::new(&[&many]));
    let refused = client.admit("https://a.test/").await;
    assert_eq!(refused, Err(NotAllowed::Address));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_silent_name_server() {
    let client = client(AllowedNetworks::default(), Arc::new(Silent));
    let refused = client.admit("https://a.test/").await;
    assert_eq!(refused, Err(NotAllowed::Unknown));
    let began = Instant::now();
    let sent = post(&client, "https://a.test/").await;
    assert_eq!(sent, Err(AttemptError::Timeout));
    assert_eq!(began.elapsed(), CONNECT_TIMEOUT);
}

#[tokio::test]
async fn an_answer_is_read_to_sixteen_kibibytes() {
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    let serve = move |mut stream: TcpStream, _| {
        let count = Arc::clone(&count);
        let serve = async move {
            request(&mut stream).await;
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n";
            stream.write_all(head).await.expect("it waits");
            let part = [b'x'; 4_096];
            while let Ok(written) = stream.write(&part).await {
                count.fetch_add(written, Ordering::SeqCst);
            }
        };
        serve.boxed()
    };
    let receiver = Receiver::with(serve).await;
    let client = WebhookClient::new(loopback());
    let target = Target::parse(&receiver.url()).expect("a URL");
    let response = answer_of(&client, &target).await.expect("an answer");
    assert_eq!(response.status, 200);
    assert!(!response.is_whole && response.body.len() < metered::MOST);
    assert!(
        response.body.len() > metered::MOST - 100,
        "all but the head"
    );
    // The rest is what the kernel had taken in or was about to send.
    assert!(written.load(Ordering::SeqCst) < 8 * 1_024 * 1_024);
    post(&client, &receiver.url()).await.expect("an answer");
    assert_eq!(
        receiver.connections(),
        2,
        "that connection is not used again"
    );
}

async fn answer_of(client: &WebhookClient, target: &Target) -> Result<Response, AttemptError> {
    let post = Post {
        target,
        headers: &HeaderMap::new(),
        body: &Bytes::new(),
        until: Instant::now() + TIMEOUT,
    };
    client.exchange(&post).await.map(|(response, _)| response)
}

#[tokio::test]
async fn a_head_without_end_is_no_answer() {
    let serve = |mut stream: TcpStream, _| {
        let serve = async move {
            request(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
            while stream.write(&[b'x'; 4_096]).await.is_ok() {}
        };
        serve.boxed()
    };
    let receiver = Receiver::with(serve).await;
    let sent = post(&WebhookClient::new(loopback()), &receiver.url()).await;
    assert_eq!(sent, Err(AttemptError::Unreadable));
}

#[tokio::test]
async fn answers_that_are_none_are_told_from_each_other() {
    assert_eq!(answered(b"").await, Err(AttemptError::Closed));
    assert_eq!(
        answered(b"SSH-2.0-x\r\n\r\n").await,
        Err(AttemptError::Unreadable)
    );
    let many = "x: y\r\n".repeat(200);
    let many = Box::leak(format!("HTTP/1.1 200 OK\r\n{many}\r\n").into_boxed_str());
    assert_eq!(
        answered(many.as_bytes()).await,
        Err(AttemptError::Unreadable)
    );
    // A first answer that announces the next is no answer yet.
    let early = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    assert_eq!(answered(early).await.map(|answer| answer.status), Ok(204));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let inside = Receiver::start(OK).await;
    let location = format!(
        "HTTP/1.1 307 x\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
        inside.url()
    );
    let answer = answered(Box::leak(location.into_boxed_str()).as_bytes()).await;
    assert_eq!(answer.map(|answer| answer.status), Ok(307));
    assert_eq!(inside.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_never_answers_is_given_up_in_time() {
    let serve = |mut stream: TcpStream, _| {
        let serve = async move {
            request(&mut stream).await;
            std::future::pending::<()>().await;
        };
        serve.boxed()
    };
    let receiver = Receiver::with(serve).await;
    let began = Instant::now();
    let sent = post(&WebhookClient::new(loopback()), &receiver.url()).await;
    assert_eq!(sent, Err(AttemptError::Timeout));
    assert!(began.elapsed() <= TIMEOUT + CONNECT_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn who_answers_byte_by_byte_is_given_up_in_time_but_a_status_stands() {
    let trickle = |whole: &'static [u8]| {
        move |mut stream: TcpStream, _| {
            let serve = async move {
                request(&mut stream).await;
                let _ = stream.write_all(whole).await;
                while stream.write_all(b"x").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            };
            serve.boxed()
        }
    };
    let head = Receiver::with(trickle(b"HTTP/1.1 200 OK\r\n")).await;
    let sent = post(&WebhookClient::new(loopback()), &head.url()).await;
    assert_eq!(sent, Err(AttemptError::Timeout));
    let body = Receiver::with(trickle(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n")).await;
    let sent = post(&WebhookClient::new(loopback()), &body.url()).await;
    assert_eq!(sent.map(|answer| answer.status), Ok(200));
}

#[test]
fn the_beginning_of_a_body_fits_and_is_text() {
    assert_eq!(beginning(b"a\0b"), "a\u{fffd}b");
    assert_eq!(beginning(&[b'x'; 5_000]).len(), 1_024);
    let cut = beginning("é".repeat(1_000).as_bytes());
    assert_eq!((cut.len(), cut.chars().all(|c| c == 'é')), (1_024, true));
    assert!(beginning(&[0xff; 5_000]).len() <= 1_024);
    assert_eq!(beginning(b""), "");
}

#[test]
fn a_wait_is_a_number_of_seconds_or_a_time() {
    let asked = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", text.parse().expect("a value"));
        retry_after(&headers, NOW)
    };
    assert_eq!(asked("120"), Some(120 * SECOND));
    assert_eq!(asked(" 0 "), Some(0));
    assert_eq!(asked("99999999999999999999"), Some(i64::MAX));
    assert_eq!(asked("Sun, 06 Nov 1994 08:59:37 GMT"), Some(600 * SECOND));
    assert_eq!(
        asked("Sun, 06 Nov 1994 08:39:37 GMT"),
        Some(0),
        "it is over"
    );
    for wrong in [
        "",
        "-1",
        "+5",
        "1.5",
        "soon",
        "Sun, 99 Nov 1994 08:49:37 GMT",
    ] {
        assert_eq!(asked(wrong), None, "{wrong}");
    }
    assert_eq!(retry_after(&HeaderMap::new(), NOW), None);
}

/// A receiver with a certificate for `name`, and a client that trusts it.
async fn https(name: &str, is_trusted: bool) -> (Receiver, WebhookClient) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let own = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.into())
        .expect("they fit");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let receiver = Receiver::with(move |stream, requests| {
        let acceptor = acceptor.clone();
        let serve = async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                speak(stream, OK, requests).await;
            }
        };
        serve.boxed()
    });
    let receiver = receiver.await;
    let mut roots = RootCertStore::empty();
    if is_trusted {
        roots.add(own.cert.der().clone()).expect("a certificate");
    }
    let tls = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let resolver = Scripted::new(&[&["127.0.0.1"]]);
    (receiver, WebhookClient::with(loopback(), resolver, tls))
}

#[tokio::test]
async fn a_certificate_must_be_trusted_and_for_the_name() {
    for (name, is_trusted, expected) in [
        ("a.test", true, Ok(200)),
        ("a.test", false, Err(AttemptError::Tls)),
        ("b.test", true, Err(AttemptError::Tls)),
    ] {
        let (receiver, client) = https(name, is_trusted).await;
        let url = format!("https://a.test:{}/", receiver.port);
        for _ in 0..2 {
            let sent = post(&client, &url).await;
            assert_eq!(sent.map(|answer| answer.status), expected, "{name}");
        }
        let expected = if expected.is_ok() { 1 } else { 2 };
        assert_eq!(receiver.connections(), expected, "{name}");
    }
    // The roots of the machine do not know it.
    let (receiver, _) = https("a.test", true).await;
    let client = client(loopback(), Scripted::new(&[&["127.0.0.1"]]));
    let sent = post(&client, &format!("https://a.test:{}/", receiver.port)).await;
    assert_eq!(sent, Err(AttemptError::Tls));
    let speaks_first = |mut stream: TcpStream, _| {
        async move { stream.write_all(OK).await.expect("it waits") }.boxed()
    };
    let plain = Receiver::with(speaks_first).await;
    let sent = post(&client, &format!("https://a.test:{}/", plain.port)).await;
    assert_eq!(sent, Err(AttemptError::Tls));
}
