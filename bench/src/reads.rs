//! Every GET with every filter: which of them takes long on large data.
//!
//! The list comes from the server's own API document, so none can be forgotten. A parameter of which nobody has said
//! what to put in is an error.

pub(crate) mod samples;

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::report::Report;
use crate::setup::PASSWORD;
use crate::{Bench, Measured};

use self::samples::{sample, samples, values};

/// What an answer may take in the median.
const GOAL: Duration = Duration::from_millis(20);

/// How often each is asked.
const TIMES: usize = 15;

/// How long the server may take to add up the log of what was loaded.
const PATIENCE: Duration = Duration::from_secs(900);

/// How often that is looked at, which takes the server's time too.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The largest number of heavy readers at once.
const HEAVY_READERS: usize = 4;

/// A GET: its path, and what can be put in each parameter of its query.
struct Get {
    path: String,
    filters: Vec<(String, Vec<String>)>,
    has_pages: bool,
}

/// Asks every server for everything.
pub(crate) async fn measure(bench: &Bench, report: &mut Report) -> Result<(), String> {
    for server in &bench.servers {
        let ask = Asker::new(server)?;
        ask.wait_for_statistics(report).await?;
        let gets = gets(&ask).await?;
        let mut all = Vec::new();
        for get in &gets {
            for query in queries(get) {
                let target = format!("{}{query}", get.path);
                let (p50, max) = ask.times(&target, TIMES).await?;
                let name = format!("{} {}", server.name, ask.short(&target));
                report.figure(name, p50.as_secs_f64() * 1e3, "ms");
                all.push((p50, max, target));
            }
        }
        all.sort();
        let slow = all.iter().filter(|(p50, ..)| *p50 > GOAL).count();
        report.figure(format!("{}: GETs", server.name), all.len() as f64, "");
        report.figure(
            format!("{}: with a median above 20 ms", server.name),
            slow as f64,
            "",
        );
        let heavy = all.iter().rev().take(HEAVY_READERS);
        let heavy = heavy.map(|(_, _, target)| target.clone()).collect();
        ask.beside_heavy_readers(heavy, report).await?;
    }
    Ok(())
}

/// Somebody who is signed in at a server.
pub(crate) struct Asker<'a> {
    pub(crate) server: &'a Measured,
    head: String,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(server: &'a Measured) -> Result<Asker<'a>, String> {
        let session = sign_in(server.process.address)?;
        let head = format!("host: bench\r\ncookie: {session}\r\n\r\n");
        Ok(Asker { server, head })
    }

    pub(crate) fn request(&self, target: &str) -> Vec<u8> {
        format!("GET {target} HTTP/1.1\r\n{}", self.head).into_bytes()
    }

    pub(crate) async fn client(&self) -> Result<Client, String> {
        let client = Client::connect(self.server.process.address).await;
        client.map_err(|error| error.to_string())
    }

    async fn json(&self, target: &str) -> Result<Value, String> {
        let mut client = self.client().await?;
        let answer = client.send(&self.request(target)).await;
        let answer = answer.map_err(|error| format!("{target}: {error}"))?;
        if answer.status != 200 {
            return Err(format!("{target}: {}", answer.status));
        }
        serde_json::from_slice(client.body()).map_err(|error| format!("{target}: {error}"))
    }

    /// The median and the longest time of some answers.
    async fn times(&self, target: &str, number: usize) -> Result<(Duration, Duration), String> {
        let (mut client, request) = (self.client().await?, self.request(target));
        let mut times = Vec::new();
        for _ in 0..=number {
            let began = Instant::now();
            let answer = client.send(&request).await;
            let answer = answer.map_err(|error| format!("{target}: {error}"))?;
            if answer.status != 200 {
                return Err(format!("{target}: {}", answer.status));
            }
            times.push(began.elapsed());
        }
        // The first finds caches cold and statements not prepared.
        times.remove(0);
        times.sort();
        Ok((times[times.len() / 2], times[times.len() - 1]))
    }

    pub(crate) fn project(&self, rest: &str) -> String {
        let place = &self.server.target.place;
        let (team, project) = (&place.team_id, &place.project_id);
        format!("/api/billstack/teams/{team}/projects/{project}/{rest}")
    }

    /// A target without the ids that are the same in all.
    pub(crate) fn short(&self, target: &str) -> String {
        let place = &self.server.target.place;
        let target = target.replace(place.team_id.as_str(), "…");
        target.replace(place.project_id.as_str(), "…")
    }

    /// The log that was loaded is added up by the server, like any other.
    pub(crate) async fn wait_for_statistics(&self, report: &mut Report) -> Result<(), String> {
        let (began, target) = (Instant::now(), self.project("referrals/stats"));
        while began.elapsed() < PATIENCE {
            // Until then the rest of the log is read for each answer, which may take longer than one may.
            let answer = self.times(&target, 1).await;
            if answer.is_ok_and(|(p50, _)| p50 < GOAL) {
                let name = format!("{}: the log was added up in", self.server.name);
                report.figure(name, began.elapsed().as_secs_f64(), "s");
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err("the log was not added up in time".to_owned())
    }

    /// A short page, while others ask for the dearest there is.
    async fn beside_heavy_readers(
        &self,
        heavy: Vec<String>,
        report: &mut Report,
    ) -> Result<(), String> {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut loops = Vec::new();
        for target in heavy {
            let (mut client, request) = (self.client().await?, self.request(&target));
            let is_over = Arc::clone(&is_over);
            loops.push(tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) && client.send(&request).await.is_ok() {}
            }));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let page = self.project("referrals?limit=10");
        let times = self.times(&page, 200).await;
        is_over.store(true, Ordering::Relaxed);
        for one in loops {
            let _ = one.await;
        }
        let (p50, max) = times?;
        for (what, time) in [("median", p50), ("longest", max)] {
            let name = format!(
                "{}: ten referrals beside four heavy readers, {what}",
                self.server.name
            );
            report.figure(name, time.as_secs_f64() * 1e3, "ms");
        }
        Ok(())
    }
}

/// Every choice of at most two filters with each of their values, and deep and large pages.
fn queries(get: &Get) -> Vec<String> {
    let mut chosen: Vec<Vec<String>> = vec![Vec::new()];
    let pairs = |(name, values): &(String, Vec<String>)| -> Vec<String> {
        values
            .iter()
            .map(|value| format!("{name}={value}"))
            .collect()
    };
    for (place, one) in get.filters.iter().enumerate() {
        for first in pairs(one) {
            chosen.push(vec![first.clone()]);
            for other in get.filters.iter().skip(place + 1) {
                chosen.extend(
                    pairs(other)
                        .into_iter()
                        .map(|second| vec![first.clone(), second]),
                );
            }
        }
    }
    if get.has_pages {
        chosen.push(vec!["limit=1000".to_owned()]);
        chosen.push(vec!["offset=10000".to_owned()]);
    }
    // An order by a figure has no range of time.
    let begins = |query: &[String], with: &[&str]| {
        query
            .iter()
            .any(|part| with.iter().any(|w| part.starts_with(w)))
    };
    let is_of_codes = get.path.ends_with("/codes");
    chosen.retain(|q| match is_of_codes {
        true => !(begins(q, &["sort=a", "sort=c"]) && begins(q, &["from=", "to="])),
        // Conversions are narrowed by their time alone.
        false => !begins(q, &["sort=converted"]) || q.len() == 1 || begins(q, &["from=", "to="]),
    });
    let text = |query: Vec<String>| match query.is_empty() {
        true => String::new(),
        false => format!("?{}", query.join("&")),
    };
    chosen.into_iter().map(text).collect()
}

/// Every GET of the API document, with samples of what there is.
async fn gets(ask: &Asker<'_>) -> Result<Vec<Get>, String> {
    let samples = samples(ask).await?;
    let document = ask.json("/openapi.json").await?;
    let paths = document["paths"].as_object().ok_or("no paths")?;
    let mut gets = Vec::new();
    for (template, operations) in paths {
        let Some(get) = operations.get("get") else {
            continue;
        };
        // A file is read whole, and of a run there is none without Stripe; a live project has no clock to move.
        // Of webhooks there are none here, and who finds must say what.
        if [
            "/exports/",
            "/reconcile/",
            "/test-clock",
            "/webhook-endpoints/",
        ]
        .iter()
        .any(|part| template.contains(part))
            || template.ends_with("/find")
        {
            continue;
        }
        let mut path = template.clone();
        let (mut filters, mut has_pages) = (Vec::new(), false);
        let of_all = operations["parameters"].as_array().into_iter().flatten();
        let own = get["parameters"].as_array().into_iter().flatten();
        for parameter in of_all.chain(own) {
            let shared = parameter["$ref"].as_str().unwrap_or_default();
            let shared = document.pointer(shared.trim_start_matches('#'));
            let parameter = shared
                .filter(|found| found["in"].is_string())
                .unwrap_or(parameter);
            let name = parameter["name"].as_str().unwrap_or_default();
            match (parameter["in"].as_str(), name) {
                (Some("path"), _) => {
                    let sample = sample(&samples, template, name)?;
                    path = path.replace(&format!("{{{name}}}"), &sample);
                }
                (Some("query"), "limit" | "cursor" | "after") => {}
                (Some("query"), "offset") => has_pages = true,
                (Some("query"), _) => {
                    filters.push((name.to_owned(), values(&samples, template, parameter)?));
                }
                _ => {}
            }
        }
        gets.push(Get {
            path,
            filters,
            has_pages,
        });
    }
    Ok(gets)
}

/// Signs in as the one who made everything, and returns the cookie.
pub(crate) fn sign_in(address: SocketAddr) -> Result<String, String> {
    let body = format!(r#"{{"email":"bench@example.com","password":"{PASSWORD}"}}"#);
    let request = format!(
        "POST /api/auth/sign-in/email HTTP/1.1\r\nhost: {address}\r\norigin: http://{address}\r\n\
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
    let header = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("set-cookie").then_some(value)
    });
    let cookie = header.and_then(|value| value.trim().split(';').next());
    cookie.map(str::to_owned).ok_or(answer)
}
