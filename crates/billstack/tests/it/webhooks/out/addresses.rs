//! Where webhooks are not sent to.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use billstack::webhooks::out::address::AllowedNetworks;
use billstack::webhooks::out::client::{Resolve, WebhookClient};
use billstack_core::webhook::attempt::AttemptError;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rustls::{ClientConfig, RootCertStore};

use super::allow_loopback;
use crate::support::bench::{Bench, Setup};
use crate::support::receiver::Receiver;

/// Public when it is first asked, on this machine from then on.
#[derive(Default)]
struct Flips(AtomicUsize);

impl Resolve for Flips {
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let (public, inner) = (Ipv4Addr::new(8, 8, 8, 8), Ipv4Addr::LOCALHOST);
        let addresses = match (host, self.0.fetch_add(1, Ordering::SeqCst)) {
            ("flips.test", 0) => vec![public.into()],
            ("mixed.test", _) => vec![public.into(), inner.into()],
            _ => vec![inner.into()],
        };
        async { Ok(addresses) }.boxed()
    }
}

fn without_networks() -> Setup {
    Setup {
        settings: |args| {
            allow_loopback(args);
            args.webhook_allowed_networks = None;
        },
        webhooks: Some(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let tls = ClientConfig::builder()
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth();
            WebhookClient::with(AllowedNetworks::default(), Arc::new(Flips::default()), tls)
        }),
        ..Setup::default()
    }
}

async fn nothing_is_sent_into_the_network_of_the_server(bench: &Bench) {
    let receiver = Receiver::start().await;
    let port = receiver.port;
    let flips = format!("https://flips.test:{port}/");
    let admitted = bench.app().webhooks_out.admit(&flips).await;
    admitted.expect("it is public at first");
    for (number, url) in [
        receiver.url(),
        flips,
        format!("https://mixed.test:{port}/"),
        format!("https://[::ffff:7f00:1]:{port}/"),
        format!("https://0x7f.1:{port}/"),
        format!("https://2130706433:{port}/"),
        format!("https://user@localhost:{port}/"),
    ]
    .into_iter()
    .enumerate()
    {
        let endpoint = bench.endpoint(&url).await;
        bench.customer(&format!("ada{number}")).await;
        let shown = bench.tried(&endpoint, 1).await;
        let attempt = &shown.attempts[0];
        assert_eq!(
            attempt.error,
            Some(AttemptError::AddressNotAllowed),
            "{url}"
        );
        assert_eq!((attempt.status, &attempt.answer), (None, &None), "{url}");
    }
    assert_eq!(receiver.connections(), 0);
}

on_both_engines! {
    nothing_is_sent_into_the_network_of_the_server with without_networks,
}
