//! Making connections, to addresses that were checked and no others.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use billstack_core::webhook::attempt::AttemptError;
use futures_util::future::select_ok;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::super::url::{Host, Target};

/// How long one address has before the next one is tried beside it.
const STAGGER: Duration = Duration::from_millis(250);

/// How many addresses of a host are tried.
const MOST_TRIED: usize = 8;

/// What the kernel takes in before we read it. An answer is small.
const RECEIVE_BUFFER: u32 = 32 * 1_024;

/// A connection, with TLS or without.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// TLS that trusts what the machine does, as the calls to Stripe do.
pub(super) fn tls() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder
        .with_safe_default_protocol_versions()
        .expect("the provider has ciphers for both versions");
    match Verifier::new(provider) {
        Ok(verifier) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth(),
        Err(error) => {
            tracing::warn!(%error, "no root certificates (package ca-certificates): webhooks cannot be sent over https");
            builder
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth()
        }
    }
}

/// Connects to one of these addresses, and tells which.
pub(super) async fn dial(
    target: &Target,
    addresses: &[SocketAddr],
    tls: &Arc<ClientConfig>,
) -> Result<(Box<dyn Stream>, SocketAddr), AttemptError> {
    let tries = (0..).zip(addresses.iter().take(MOST_TRIED));
    let tries = tries.map(|(number, address)| Box::pin(connect(*address, STAGGER * number)));
    let connected = select_ok(tries).await;
    let ((stream, address), _) = connected.map_err(|_| AttemptError::Connect)?;
    if !target.is_tls() {
        return Ok((Box::new(stream), address));
    }
    let name = server_name(target).ok_or(AttemptError::AddressNotAllowed)?;
    let connector = TlsConnector::from(Arc::clone(tls));
    let stream = connector.connect(name, stream).await;
    let stream = stream.map_err(|_| AttemptError::Tls)?;
    Ok((Box::new(stream), address))
}

async fn connect(address: SocketAddr, after: Duration) -> io::Result<(TcpStream, SocketAddr)> {
    tokio::time::sleep(after).await;
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok((stream, address))
}

fn server_name(target: &Target) -> Option<ServerName<'static>> {
    match target.host() {
        Host::Name(name) => ServerName::try_from(name.clone()).ok(),
        Host::Address(address) => Some(ServerName::from(*address)),
    }
}
