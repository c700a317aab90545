//! Exports of everything that a project has: how soon they begin, how long they take, and what the server holds
//! meanwhile; and what is left of an export whose client stops reading or goes away.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::report::Report;
use crate::{Bench, Measured};

/// Every file, by its path below `exports/`.
const FILES: [&str; 7] = [
    "credits?format=csv",
    "credits?format=ndjson",
    "postings?format=csv",
    "postings?format=ndjson",
    "credits?format=spreadsheet",
    "referrals?format=spreadsheet",
    "codes?format=spreadsheet&activeOnly=false",
];

/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How many clients leave an export in the middle.
const LEAVERS: usize = 20;

/// How long a client that has stopped reading is watched.
const WATCHED: Duration = Duration::from_secs(10);

/// Takes every file of every server.
pub(crate) fn measure(bench: &Bench, report: &mut Report) -> Result<(), String> {
    for server in &bench.servers {
        let name = server.name;
        let mut figure = |what: &str, value: f64, unit: &'static str| {
            report.figure(format!("{name} {what}"), value, unit);
        };
        figure("memory before", server.process.resident_mb(), "MB");
        for file in FILES {
            let (taken, most) = watched(server, || take(server, file))?;
            let taken = taken?;
            figure(&format!("{file}: rows"), taken.rows as f64, "");
            figure(&format!("{file}: bytes"), taken.bytes as f64 / 1e6, "MB");
            figure(
                &format!("{file}: first byte"),
                taken.first.as_secs_f64() * 1e3,
                "ms",
            );
            figure(&format!("{file}: whole"), taken.whole.as_secs_f64(), "s");
            let rate = taken.rows as f64 / taken.whole.as_secs_f64();
            figure(&format!("{file}: rate"), rate, "rows/s");
            figure(&format!("{file}: most memory"), most, "MB");
        }
        let file = FILES[0];
        let (stopped, most) = watched(server, || {
            let stream = open(server, file)?;
            std::thread::sleep(WATCHED);
            Ok::<_, String>(stream)
        })?;
        figure(
            "beside a client that has stopped reading: most memory",
            most,
            "MB",
        );
        figure("beside it: connections", connections(server) as f64, "");
        drop(stopped);
        for _ in 0..LEAVERS {
            let mut stream = open(server, file)?;
            let mut some = [0; 64 * 1024];
            stream
                .read_exact(&mut some)
                .map_err(|error| error.to_string())?;
        }
        let gone = Instant::now();
        while connections(server) > 0 && gone.elapsed() < WATCHED {
            std::thread::sleep(LOOK_EVERY);
        }
        figure(
            "after 20 clients that left: until all is free",
            gone.elapsed().as_secs_f64() * 1e3,
            "ms",
        );
        figure("after them: memory", server.process.resident_mb(), "MB");
        let again = take(server, "roll-forward")?;
        figure(
            "after them: another export",
            again.whole.as_secs_f64() * 1e3,
            "ms",
        );
    }
    Ok(())
}

/// A file that was taken.
struct Taken {
    first: Duration,
    whole: Duration,
    bytes: usize,
    rows: usize,
}

fn open(server: &Measured, file: &str) -> Result<TcpStream, String> {
    let (place, key) = (&server.target.place, &server.target.key);
    let request = format!(
        "GET /api/billstack/teams/{}/projects/{}/referrals/exports/{file} HTTP/1.1\r\nhost: bench\r\n\
         authorization: Bearer {key}\r\nconnection: close\r\n\r\n",
        place.team_id, place.project_id
    );
    let exchange = || -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect(server.process.address)?;
        stream.write_all(request.as_bytes())?;
        Ok(stream)
    };
    exchange().map_err(|error| error.to_string())
}

fn take(server: &Measured, file: &str) -> Result<Taken, String> {
    let began = Instant::now();
    let mut stream = open(server, file)?;
    let (mut piece, mut taken) = (vec![0; 64 * 1024], Vec::new());
    let mut first = None;
    loop {
        let length = stream.read(&mut piece).map_err(|error| error.to_string())?;
        if length == 0 {
            break;
        }
        first.get_or_insert_with(|| began.elapsed());
        taken.extend_from_slice(&piece[..length]);
    }
    let whole = began.elapsed();
    let body = body(&taken).ok_or_else(|| format!("{file}: the answer was cut"))?;
    Ok(Taken {
        first: first.unwrap_or(whole),
        whole,
        bytes: body.len(),
        rows: body.iter().filter(|byte| **byte == b'\n').count(),
    })
}

/// The body of an answer that came in chunks; none when its end is missing.
fn body(answer: &[u8]) -> Option<Vec<u8>> {
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|one| one == what);
    let mut rest = &answer[find(answer, b"\r\n\r\n")? + 4..];
    if !answer.starts_with(b"HTTP/1.1 200") {
        return None;
    }
    let mut body = Vec::with_capacity(rest.len());
    loop {
        let line = find(rest, b"\r\n")?;
        let length = std::str::from_utf8(&rest[..line]).ok()?;
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(line + 2..line + 2 + length)?);
        rest = rest.get(line + 2 + length + 2..)?;
    }
}

/// Does something while the memory of the server is looked at, and tells the most that it was, in megabytes.
fn watched<T>(server: &Measured, work: impl FnOnce() -> T) -> Result<(T, f64), String> {
    let is_over = Arc::new(AtomicBool::new(false));
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut most: f64 = 0.0;
            while !is_over.load(Ordering::Relaxed) {
                most = most.max(server.process.resident_mb());
                std::thread::sleep(LOOK_EVERY);
            }
            most
        });
        let done = work();
        is_over.store(true, Ordering::Relaxed);
        let most = watching.join().map_err(|_| "the watcher failed")?;
        Ok((done, most))
    })
}

/// Connections to the server that are open on its side.
fn connections(server: &Measured) -> usize {
    let port = format!(":{:04X}", server.process.address.port());
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let open = table.lines().filter(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_its_side = fields.get(1).is_some_and(|local| local.ends_with(&port));
        // Established, or the other side has closed.
        is_its_side && matches!(fields.get(3), Some(&"01" | &"08"))
    });
    open.count()
}
