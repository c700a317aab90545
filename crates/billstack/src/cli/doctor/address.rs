//! The address by which browsers and Stripe reach the server, and the clock.

use std::net::IpAddr;
use std::time::Duration;

use billstack_core::time::{MINUTE, Micros, SECOND, span};
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;

use super::Finding;
use crate::clock::Clock;
use crate::settings::Settings;
use crate::stripe;

const PATIENCE: Duration = Duration::from_secs(5);

/// Stripe's signatures are good for five minutes. Half of it is no time to wait for.
const WRONG_CLOCK: i64 = 150 * SECOND;

/// Clocks that are kept right differ by less, and dates in headers are whole seconds.
const DOUBTFUL_CLOCK: i64 = 10 * SECOND;

/// Looks from here, which is not quite from outside: a firewall may let us through and Stripe not.
pub(super) async fn look(settings: &Settings) -> Vec<Finding> {
    let client = match stripe::client(PATIENCE) {
        Ok(client) => client,
        Err(error) => {
            let cure = "Nothing was called; install ca-certificates";
            return vec![Finding::wrong("address", because(&error), cure)];
        }
    };
    let mut found = Vec::new();
    match &settings.base_url {
        None => {
            found.push(Finding::look(
                "address",
                "BILLSTACK_BASE_URL is not set, so links and the addresses for Stripe name this machine",
                "Set it to the https origin by which browsers and Stripe reach the server",
            ));
            if let Some(own) = own_address(&settings.listen) {
                found.push(answers(&client, &own).await);
            }
        }
        Some(base) => found.extend(reached(&client, base, settings).await),
    }
    found.push(clock(&client, &settings.stripe_api_base).await);
    found
}

async fn reached(client: &Client, base: &str, settings: &Settings) -> Vec<Finding> {
    let mut found = vec![answers(client, base).await];
    let Ok(url) = Url::parse(base) else {
        return found;
    };
    if is_local(&url) {
        return found;
    }
    if url.scheme() != "https" {
        found.push(Finding::wrong(
            "address",
            format!("{base} is not https: passwords and keys cross the network readably"),
            "Put a proxy with TLS in front, and set BILLSTACK_BASE_URL to its https origin",
        ));
        return found;
    }
    found.extend(open_door(client, &url).await);
    if !settings.trust_forwarded_for {
        found.push(Finding::look(
            "address",
            "all visitors count as the one address of the proxy",
            "Set BILLSTACK_TRUST_FORWARDED_FOR=true, if the proxy sets X-Forwarded-For and nothing passes it by",
        ));
    }
    found
}

/// Where this machine reaches the server itself: one that listens everywhere is reached on the own machine too. Nobody
/// knows the port of one that takes any.
fn own_address(listen: &str) -> Option<String> {
    let (host, port) = listen.rsplit_once(':').filter(|(_, port)| *port != "0")?;
    let host = match host {
        "0.0.0.0" | "" => "127.0.0.1",
        "[::]" => "[::1]",
        host => host,
    };
    Some(format!("http://{host}:{port}"))
}

/// Whether the server answers there.
async fn answers(client: &Client, base: &str) -> Finding {
    #[derive(Deserialize)]
    struct Said {
        status: Option<String>,
        reason: Option<String>,
    }
    let answer = match client.get(format!("{base}/readyz")).send().await {
        Ok(answer) => answer,
        Err(error) => {
            let why = because(&error);
            return Finding::wrong(
                "address",
                format!("{base} does not answer: {why}"),
                "Start the server, and see to DNS, certificate, proxy and firewall",
            );
        }
    };
    let status = answer.status();
    let said = answer.json::<Said>().await.ok();
    match said {
        Some(said) if status == StatusCode::OK && said.status.as_deref() == Some("ok") => {
            Finding::ok("address", format!("{base} answers, and is ready"))
        }
        // Whoever is not ready says so by this status, and by nothing else.
        Some(Said {
            reason: Some(reason),
            ..
        }) if status == StatusCode::SERVICE_UNAVAILABLE => Finding::wrong(
            "address",
            format!("{base} answers that it is not ready: {reason}"),
            "See to the database; the log says more",
        ),
        _ => Finding::wrong(
            "address",
            format!("what answers at {base} is no BillStack: {status}"),
            "See to BILLSTACK_BASE_URL, to BILLSTACK_LISTEN, and to where the proxy leads",
        ),
    }
}

/// Whether the same is served without TLS.
async fn open_door(client: &Client, https: &Url) -> Option<Finding> {
    let mut plain = https.join("/readyz").ok()?;
    plain.set_scheme("http").ok()?;
    // Where https has a port of its own, nobody knows that of http.
    https.port().is_none().then_some(())?;
    let answer = client.get(plain).send().await.ok()?;
    answer.status().is_success().then(|| {
        Finding::wrong(
            "address",
            "the server is also reached without TLS",
            "Let the proxy send http on to https, or close port 80",
        )
    })
}

/// Whether whoever calls this address stays on their own machine.
pub(in crate::cli) fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// How far the clock is from Stripe's, which decides whether signatures are in time.
async fn clock(client: &Client, stripe: &str) -> Finding {
    let before = Clock::System.now_micros();
    // Without a key it is refused, and tells the time all the same.
    let answer = client.get(format!("{stripe}/v1/account")).send().await;
    let after = Clock::System.now_micros();
    let date = match &answer {
        Ok(answer) => answer.headers().get("date"),
        Err(error) => {
            return Finding::wrong(
                "clock",
                format!("Stripe cannot be asked for the time: {}", because(error)),
                "Let this machine call out by https, and install ca-certificates",
            );
        }
    };
    let date = date.and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok());
    let date = date.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok());
    let Some(theirs) = date.and_then(|date| i64::try_from(date.as_micros()).ok()) else {
        return Finding::look("clock", "Stripe's answer has no date", "Look again later");
    };
    // It was made at some time in between, and holds no parts of a second.
    let ours = before.midpoint(after) - SECOND / 2;
    judged(Micros(ours).since(Micros(theirs)))
}

/// What it means to be ahead by so much, or behind if it is negative.
fn judged(ahead: i64) -> Finding {
    let by = ahead.abs();
    let way = if ahead > 0 { "ahead of" } else { "behind" };
    let said = match by < 2 * MINUTE {
        true => format!("{} seconds {way} Stripe's", by / SECOND),
        false => format!("{} {way} Stripe's", span(by)),
    };
    let cure = "Let the machine keep its clock right (`timedatectl set-ntp true`)";
    match by {
        _ if by > WRONG_CLOCK => Finding::wrong("clock", said, cure),
        _ if by > DOUBTFUL_CLOCK => Finding::look("clock", said, cure),
        _ => Finding::ok("clock", "as Stripe's"),
    }
}

/// The innermost reason: what is around it only says that there was one.
fn because(error: &reqwest::Error) -> String {
    let mut why: &dyn std::error::Error = error;
    while let Some(inner) = why.source() {
        why = inner;
    }
    why.to_string()
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_clock_is_judged_by_what_signatures_bear() {
        for (ahead, verdict) in [
            (0, Verdict::Ok),
            (-DOUBTFUL_CLOCK, Verdict::Ok),
            (DOUBTFUL_CLOCK + 1, Verdict::Look),
            (-WRONG_CLOCK, Verdict::Look),
            (WRONG_CLOCK + 1, Verdict::Wrong),
            (-10 * MINUTE, Verdict::Wrong),
        ] {
            assert_eq!(judged(ahead).verdict, verdict, "{ahead}");
        }
        assert_eq!(judged(-10 * MINUTE).finding, "10 minutes behind Stripe's");
    }

    #[test]
    fn whoever_listens_everywhere_is_reached_here() {
        for (listen, address) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
            ("localhost:9", "http://localhost:9"),
        ] {
            assert_eq!(own_address(listen).as_deref(), Some(address));
        }
        assert_eq!(own_address("127.0.0.1:0"), None);
    }

    #[test]
    fn the_own_machine_needs_no_tls() {
        for (url, local) in [
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost", true),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(is_local(&Url::parse(url).expect("a URL")), local, "{url}");
        }
    }
}
