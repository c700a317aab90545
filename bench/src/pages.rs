//! The pages of a project, as a browser of somebody who is signed in asks for them.
//!
//! What is measured is the document alone: what it loads is kept by browsers for ever.

use std::time::Instant;

use crate::Bench;
use crate::reads::Asker;
use crate::reads::samples::samples;
use crate::report::Report;

/// How often each is asked.
const TIMES: usize = 200;

/// What a page may take in the median and in one of a hundred, in milliseconds.
const GOALS: [f64; 2] = [20.0, 100.0];

/// Pages of the project, below its address. What stands in braces is something of that kind.
const OF_PROJECT: [&str; 33] = [
    "",
    "?metric=clicks",
    "?metric=credited_usd&from=2025-01-01&to=2025-12-31",
    "?by=month&from=2024-01-01&to=2026-11-30",
    "/attention",
    "/start",
    "/referrals",
    "/referrals?status=converted",
    "/referrals?source=code",
    "/referrals?from=2025-06-01&to=2025-06-30",
    "/referrals?sort=converted",
    "/referrals?code={code}",
    "/referrals?customerId={customers}",
    "/referrals/{referrals}",
    "/codes",
    "/codes?sort=converted",
    "/codes?customerId={customers}",
    "/codes/{code}",
    "/customers",
    "/customers?q={email}",
    "/customers/{customers}",
    "/credits",
    "/credits?status=granted",
    "/credits?side=referrer",
    "/credits?customerId={customers}",
    "/credits?from=2025-06-01&to=2025-06-30",
    "/credits/{credits}",
    "/reports",
    "/reports/{month}",
    "/program",
    "/links",
    "/portal",
    "/webhooks",
];

/// Pages of the team, below its address.
const OF_TEAM: [&str; 9] = [
    "",
    "/members",
    "/keys",
    "/stripe",
    "/stripe/events",
    "/stripe/events/{events}",
    "/activity",
    "/activity?actor=system",
    "/status",
];

/// Pages that look through everything.
const OF_USER: [&str; 2] = ["/find?q={email}", "/find?q={code}"];

/// Every page with its address, in which the samples are to be put.
fn pages() -> impl Iterator<Item = String> {
    let project = OF_PROJECT.map(|page| format!("/t/{{teamId}}/p/{{projectId}}{page}"));
    let team = OF_TEAM.map(|page| format!("/t/{{teamId}}{page}"));
    let user = OF_USER.map(str::to_owned);
    project.into_iter().chain(team).chain(user)
}

/// Asks every server for every page.
pub(crate) async fn measure(bench: &Bench, report: &mut Report) -> Result<(), String> {
    for server in &bench.servers {
        let ask = Asker::new(server)?;
        ask.wait_for_statistics(report).await?;
        let samples = samples(&ask).await?;
        let mut above = 0;
        for page in pages() {
            let mut target = page.clone();
            for (name, sample) in &samples {
                target = target.replace(&format!("{{{name}}}"), sample);
            }
            let [p50, p99, bytes] = times(&ask, &target).await?;
            let mut figure = |what: &str, value: f64, unit: &'static str| {
                report.figure(format!("{} {page}: {what}", server.name), value, unit);
            };
            figure("median", p50, "ms");
            figure("one of a hundred", p99, "ms");
            figure("size", bytes / 1e3, "kB");
            above += u32::from(p50 > GOALS[0] || p99 > GOALS[1]);
        }
        let name = format!("{}: pages above 20 ms, or 100 ms", server.name);
        report.figure(name, f64::from(above), "");
    }
    Ok(())
}

/// The median, the time that one of a hundred takes longer than, and how large the document is.
async fn times(ask: &Asker<'_>, target: &str) -> Result<[f64; 3], String> {
    let (mut client, request) = (ask.client().await?, ask.request(target));
    let (mut times, mut bytes) = (Vec::new(), 0);
    for _ in 0..=TIMES {
        let began = Instant::now();
        let answer = client.send(&request).await;
        let answer = answer.map_err(|error| format!("{target}: {error}"))?;
        // One thing alone is shown itself: that is a redirect.
        if !matches!(answer.status, 200 | 303) {
            return Err(format!("{target}: {}", answer.status));
        }
        times.push(began.elapsed().as_secs_f64() * 1e3);
        bytes = client.body().len();
    }
    // The first finds caches cold and statements not prepared.
    times.remove(0);
    times.sort_by(f64::total_cmp);
    Ok([
        times[TIMES / 2],
        times[TIMES - TIMES / 100 - 1],
        bytes as f64,
    ])
}
