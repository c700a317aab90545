//! Endpoints that are called over TLS, by an authority that the server trusts.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};

use billstack::webhooks::out::address::AllowedNetworks;
use billstack::webhooks::out::client::{Resolve, WebhookClient};
use billstack_core::webhook::attempt::AttemptError;
use billstack_core::webhook::endpoint::DeliveryState;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use serde_json::json;

use super::allow_loopback;
use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller as _;
use crate::support::receiver::{Behaviour, Receiver};

/// The one authority whose certificates are good.
static AUTHORITY: LazyLock<CertifiedIssuer<'static, KeyPair>> = LazyLock::new(authority);

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
}

/// What a receiver shows whose certificate an authority has made out to this name.
fn certified(name: &str, by: &CertifiedIssuer<'static, KeyPair>) -> ServerConfig {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new([name.to_owned()]).expect("a name");
    let own = params.signed_by(&key, by).expect("a certificate");
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![own.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .expect("they fit")
}

/// Every name is that of this machine.
struct Here;

impl Resolve for Here {
    fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        async { Ok(vec![Ipv4Addr::LOCALHOST.into()]) }.boxed()
    }
}

fn client(allowed: &str) -> WebhookClient {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut roots = RootCertStore::empty();
    roots
        .add(AUTHORITY.der().clone())
        .expect("an authority can be trusted");
    let tls = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let allowed = AllowedNetworks::parse(allowed).expect("networks");
    WebhookClient::with(allowed, Arc::new(Here), tls)
}

fn trusting() -> Setup {
    Setup {
        settings: allow_loopback,
        webhooks: Some(|| client("127.0.0.0/8")),
        ..Setup::default()
    }
}

fn trusting_and_strict() -> Setup {
    Setup {
        webhooks: Some(|| client("")),
        ..trusting()
    }
}

async fn an_endpoint_is_called_over_tls(bench: &Bench) {
    let receiver = Receiver::over_tls(
        certified("hooks.test", &AUTHORITY),
        Behaviour::Answer(204, ""),
    );
    let receiver = receiver.await;
    let url = format!("https://hooks.test:{}/in", receiver.port);
    let made = bench
        .key
        .post("webhook-endpoints", json!({"url": url}))
        .await
        .created();
    let secret = made["secret"].as_str().expect("a secret");
    for number in 0..3 {
        bench.customer(&format!("ada{number}")).await;
    }
    for received in receiver.wait_for(3).await {
        assert!(received.is_signed_with(secret));
        assert_eq!(received.kind(), "customer.created");
        let host = format!("hooks.test:{}", receiver.port);
        assert_eq!(received.headers["host"], host);
    }
}

async fn a_certificate_that_is_not_good_fails_the_attempt(bench: &Bench) {
    for (name, by) in [("other.test", &*AUTHORITY), ("hooks.test", &authority())] {
        let receiver = Receiver::over_tls(certified(name, by), Behaviour::Answer(204, ""));
        let receiver = receiver.await;
        let url = format!("https://hooks.test:{}/in", receiver.port);
        let endpoint = bench.endpoint(&url).await;
        bench.customer(&format!("of-{name}")).await;
        let shown = bench.tried(&endpoint, 1).await;
        let attempt = &shown.attempts[0];
        assert_eq!(
            (attempt.status, attempt.error),
            (None, Some(AttemptError::Tls)),
            "{name}"
        );
        assert_eq!(shown.delivery.state, DeliveryState::Waiting);
        assert!(receiver.connections() > 0);
        assert_eq!(receiver.seen().len(), 0, "{name}: nothing was told");
    }
}

async fn a_good_certificate_opens_no_inner_network(bench: &Bench) {
    let receiver = Receiver::over_tls(
        certified("hooks.test", &AUTHORITY),
        Behaviour::Answer(204, ""),
    );
    let receiver = receiver.await;
    let url = format!("https://hooks.test:{}/in", receiver.port);
    bench
        .key
        .post("webhook-endpoints", json!({"url": url.clone()}))
        .await
        .refused("webhook_address_not_allowed");
    let endpoint = bench.endpoint(&url).await;
    bench.customer("ada").await;
    let shown = bench.tried(&endpoint, 1).await;
    let error = shown.attempts[0].error;
    assert_eq!(error, Some(AttemptError::AddressNotAllowed));
    assert_eq!(receiver.connections(), 0);
}

on_both_engines! {
    an_endpoint_is_called_over_tls with trusting,
    a_certificate_that_is_not_good_fails_the_attempt with trusting,
    a_good_certificate_opens_no_inner_network with trusting_and_strict,
}
