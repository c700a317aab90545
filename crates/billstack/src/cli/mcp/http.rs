//! The same tools over HTTP, for many clients: each request brings its own API key, and nothing is kept between them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any_service;
use billstack_core::access::is_api_key;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::call::Common;
use super::server::Server;
use crate::cli::output::{Failure, say};
use crate::cli::serve::{Stop, address_of, listen};
use crate::error::{ApiError, Reason};
use crate::http::access::bearer;
use crate::http::request_id;
use crate::http::serve::{Limits, harden, serve};

/// Calls that may run at once; each may make several of the API.
const MOST_CALLS: usize = 64;

/// Connections that may be open at once.
const MOST_CONNECTIONS: usize = 256;

/// The largest request, in bytes: a call of a tool is a few hundred.
const LARGEST: usize = 256 * 1024;

/// What a call may take besides the calls of the API that it makes.
const BESIDES: Duration = Duration::from_secs(5);

/// Where and for whom is listened.
pub(super) struct Listening<'a> {
    pub(super) address: &'a str,
    pub(super) hosts: &'a [String],
    pub(super) beyond_loopback: bool,
}

/// Serves until a signal.
pub(super) async fn run(
    common: Arc<Common>,
    wanted: &Listening<'_>,
    stop: &mut Stop,
) -> Result<(), Failure> {
    let listener = listen(wanted.address).await?;
    let address = listener.local_addr().map_err(Failure::refused)?;
    allowed(address, wanted)?;
    say(format_args!("Listening on {}/mcp", address_of(&listener)?))?;
    let limits = Limits {
        max_connections: MOST_CONNECTIONS,
        max_connections_per_address: MOST_CONNECTIONS,
        reserved_connections: 0,
        request_timeout: common.api.patience.saturating_add(BESIDES),
        ..Limits::default()
    };
    serve_on(listener, common, wanted, limits, stop).await;
    Ok(())
}

/// Whoever reaches the address can use any key that they know, and keys cross the network readably.
fn allowed(address: SocketAddr, wanted: &Listening<'_>) -> Result<(), Failure> {
    if address.ip().is_loopback() || wanted.beyond_loopback {
        return Ok(());
    }
    Err(Failure::usage(format_args!(
        "{address} can be reached from other machines, and API keys would cross the network readably: listen on 127.0.0.1 \
         behind a proxy with TLS, or say --beyond-loopback"
    )))
}

async fn serve_on(
    listener: TcpListener,
    common: Arc<Common>,
    wanted: &Listening<'_>,
    limits: Limits,
    stop: &mut Stop,
) {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(LARGEST)
        .with_allowed_hosts(hosts(wanted.hosts))
        .with_allowed_origins(origins(wanted.hosts))
        .enforce_origin_validation();
    let service = StreamableHttpService::new(
        move || Ok(Server::new(Arc::clone(&common), None)),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    let calls = Arc::new(Semaphore::new(MOST_CALLS));
    let routes = Router::new()
        .route("/mcp", any_service(service))
        .layer(from_fn_with_state(calls, admit))
        .layer(from_fn_with_state(
            Arc::new(hosts(wanted.hosts)),
            known_host,
        ));
    let routes = harden(routes, &limits, request_id::fresh, Arc::new(|_| None));
    serve(listener, routes, limits, stop.requested()).await;
}

/// Names of this machine, and those that are given: a page of another site must not reach us by a name of its own.
fn hosts(given: &[String]) -> Vec<String> {
    let own = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    own.into_iter().chain(given.iter().cloned()).collect()
}

/// Pages that may call; whoever is no browser sends no origin.
fn origins(given: &[String]) -> Vec<String> {
    let own = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"].map(str::to_owned);
    let given = given.iter().flat_map(|host| {
        let name = host
            .rsplit_once(':')
            .map_or(host.as_str(), |(name, _)| name);
        [format!("https://{name}:*"), format!("http://{name}:*")]
    });
    own.into_iter().chain(given).collect()
}

/// Says what helps where the name by which we are called is not one of ours; the library would only say no.
async fn known_host(
    State(hosts): State<Arc<Vec<String>>>,
    request: Request,
    next: Next,
) -> Response {
    let called = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    let name = called.map(name_of).unwrap_or_default();
    let is_known = hosts
        .iter()
        .any(|host| name_of(host).eq_ignore_ascii_case(name));
    match is_known || called.is_none() {
        true => next.run(request).await,
        false => {
            let message = "It was called by a name that is not its own: start it with --allow-host and that name.";
            ApiError::new(Reason::Forbidden)
                .message(message)
                .into_response()
        }
    }
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        // What is in no brackets and has more than one colon is an address of version 6.
        Some((name, port)) if is_port(port) && (name.ends_with(']') || !name.contains(':')) => name,
        _ => host,
    };
    name.trim_matches(['[', ']'])
}

/// Lets in whoever brings something that can be an API key, as far as there is room. Whether it is one, and what it may,
/// is decided by the API.
async fn admit(State(calls): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    if let Err(reason) = shown(request.headers()) {
        return ApiError::new(reason).into_response();
    }
    let said_json = is_json(request.headers());
    match calls.try_acquire() {
        // The library answers a body that it cannot read as one of another kind.
        Ok(_room) => match next.run(request).await {
            answer if said_json && answer.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                let message = "The body is no message of MCP: one JSON object of JSON-RPC.";
                ApiError::new(Reason::InvalidRequest)
                    .message(message)
                    .into_response()
            }
            answer => answer,
        },
        Err(_) => ApiError::new(Reason::Overloaded).into_response(),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
}

fn shown(headers: &HeaderMap) -> Result<(), Reason> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let header = all.next().ok_or(Reason::Unauthenticated)?;
    let key = header.to_str().ok().and_then(bearer);
    match (key.is_some_and(is_api_key), all.next()) {
        (true, None) => Ok(()),
        _ => Err(Reason::InvalidApiKey),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_flag_opens_more_than_this_machine() {
        let wanted = |beyond_loopback| Listening {
            address: "",
            hosts: &[],
            beyond_loopback,
        };
        for own in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1"] {
            assert!(allowed(own.parse().expect("an address"), &wanted(false)).is_ok());
        }
        for other in ["0.0.0.0:1", "192.0.2.1:1", "[::]:1"] {
            let other = other.parse().expect("an address");
            assert!(allowed(other, &wanted(false)).is_err());
            assert!(allowed(other, &wanted(true)).is_ok());
        }
    }

    #[test]
    fn a_host_has_a_name_and_perhaps_a_port() {
        for (host, name) in [
            ("mcp.example.com", "mcp.example.com"),
            ("mcp.example.com:8443", "mcp.example.com"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]:80", "::1"),
            ("[::1]", "::1"),
            ("::1", "::1"),
        ] {
            assert_eq!(name_of(host), name, "{host}");
        }
    }

    #[test]
    fn what_is_no_key_is_not_let_in() {
        let with = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().expect("a value"));
            }
            shown(&headers)
        };
        let key = billstack_core::access::format_api_key([7; 20]);
        let good = format!("Bearer {key}");
        assert_eq!(with(&[&good]), Ok(()));
        assert_eq!(with(&[]), Err(Reason::Unauthenticated));
        let basic = format!("Basic {key}");
        for bad in [&["Bearer x"][..], &[&basic], &[&good, &good], &[&key]] {
            assert_eq!(with(bad), Err(Reason::InvalidApiKey), "{bad:?}");
        }
    }
}
