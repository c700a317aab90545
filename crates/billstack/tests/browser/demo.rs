//! The demo in a browser: its link signs in, and there is something to look at on every page.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use billstack::routes::for_people;
use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::chromium::{Chromium, Options};

/// A running demo; gone when dropped.
struct Demo {
    process: Child,
    /// Signs in once.
    link: String,
    _directory: TempDir,
}

impl Demo {
    fn start() -> Demo {
        let directory = tempfile::tempdir().expect("a directory");
        let mut command = Command::new(env!("CARGO_BIN_EXE_billstack"));
        command.args(["demo", "--listen", "127.0.0.1:0"]);
        command.env("TMPDIR", directory.path());
        let mut process = command.stdout(Stdio::piped()).spawn().expect("a process");
        let said = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut link = String::new();
        for line in said.lines() {
            let line = line.expect("UTF-8");
            if let Some(at) = line.find("http").filter(|_| line.contains("/sign-in/")) {
                line[at..].clone_into(&mut link);
            }
            if line.contains("Ctrl-C") {
                break;
            }
        }
        assert!(!link.is_empty(), "the demo has ended");
        Demo {
            process,
            link,
            _directory: directory,
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let pid = Pid::from_raw(self.process.id().cast_signed()).expect("a process");
        // It removes its data.
        let _ = kill_process(pid, Signal::INT);
        let _ = self.process.wait();
    }
}

/// The pages of which the documentation has pictures, and what these are called.
const PICTURES: [(&str, &str); 2] = [("", "overview"), ("/attention", "attention")];

/// The pages of its project that need no id, by what comes after the project's own.
fn pages() -> Vec<&'static str> {
    let all = for_people().into_iter();
    let shown = all.filter(|route| route.method == Method::GET);
    let ends = shown.filter_map(|route| route.path.strip_prefix("/t/{teamId}/p/{projectId}"));
    ends.filter(|end| !end.contains('{')).collect()
}

/// Where the first link of the page leads whose address has this in it.
async fn first(browser: &Chromium, part: &str) -> String {
    let script = format!(
        "return document.querySelector('main a[href*=\"{part}\"]')?.getAttribute('href') ?? ''"
    );
    let found = browser.run(&script).await;
    found.as_str().unwrap_or_default().to_owned()
}

#[test]
fn the_demo_has_something_to_look_at() {
    let demo = Demo::start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let browser = Chromium::start(Options::default()).await;
        browser.wide(1280).await;
        browser.goto(&demo.link).await;
        let project = browser.path().await;
        assert!(project.starts_with("/t/team_"), "{project}");
        let origin = &demo.link[..demo.link.find("/sign-in").expect("a path")];
        let mut paths: Vec<_> = pages()
            .into_iter()
            .map(|end| format!("{project}{end}"))
            .collect();
        browser.goto(&format!("{origin}{project}/referrals")).await;
        for part in ["/referrals/ref_", "/customers/pc_"] {
            paths.push(first(&browser, part).await);
        }
        for theme in ["light", "dark"] {
            browser.keep(&format!("billstack_theme={theme}")).await;
            for path in &paths {
                browser.goto(&format!("{origin}{path}")).await;
                let status = browser
                    .run("return performance.getEntriesByType('navigation')[0].responseStatus");
                assert_eq!(status.await, Value::from(200), "{path}");
                let complaints = browser.complaints().await;
                assert!(complaints.is_empty(), "{path}: {complaints:?}");
                if let Some((_, name)) = PICTURES
                    .iter()
                    .find(|(end, _)| path[project.len()..] == **end)
                    && theme == "light"
                {
                    browser.picture(name).await;
                }
            }
        }
        browser.quit().await;
    });
}
