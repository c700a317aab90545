//! A Chromium of the test's own, and what it has to say about the pages it shows.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

use crate::webdriver::{Driver, Element};

const ADVICE: &str = "The browser tests need the Debian packages chromium and chromium-driver; as root: \
    apt-get install --no-install-recommends chromium chromium-driver";

const ARGUMENTS: [&str; 8] = [
    "--headless=new",
    // Tests run as root in containers, where its own walls do not stand.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-component-update",
    "--disable-background-networking",
    "--lang=en-US",
];

/// The height of the window.
const HEIGHT: u32 = 800;

/// The most of a page that a picture shows.
const LONGEST: u64 = 8_000;

/// How long what must come is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// How a browser differs from the usual one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) scripts: bool,
    /// Whether frames of other sites may have cookies.
    pub(crate) foreign_cookies: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            scripts: true,
            foreign_cookies: true,
        }
    }
}

/// A running browser; gone when dropped.
pub(crate) struct Chromium {
    pub(crate) driver: Driver,
    process: Child,
}

impl Chromium {
    /// Starts one with an empty profile.
    pub(crate) async fn start(options: Options) -> Chromium {
        let (process, address) = tokio::task::spawn_blocking(driver).await.expect("no panic");
        let mut preferences = json!({});
        if !options.scripts {
            preferences["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        if !options.foreign_cookies {
            preferences["profile.block_third_party_cookies"] = json!(true);
            preferences["profile.cookie_controls_mode"] = json!(1);
        }
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"args": ARGUMENTS, "prefs": preferences},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let driver = Driver::open(&address, capabilities).await;
        let driver = driver.unwrap_or_else(|error| panic!("{error}. {ADVICE}"));
        Chromium { driver, process }
    }

    pub(crate) async fn goto(&self, url: &str) {
        let went = self.driver.post("/url", json!({"url": url})).await;
        went.unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    /// To the page before.
    pub(crate) async fn back(&self) {
        self.driver.post("/back", json!({})).await.expect("a page");
    }

    /// The page at hand once more.
    pub(crate) async fn refresh(&self) {
        self.driver
            .post("/refresh", json!({}))
            .await
            .expect("a page");
    }

    /// Gives the browser a cookie of the site that it is at.
    pub(crate) async fn keep(&self, pair: &str) {
        let (name, value) = pair.split_once('=').expect("a name and a value");
        let cookie = json!({"cookie": {"name": name, "value": value, "path": "/"}});
        self.driver.post("/cookie", cookie).await.expect("a cookie");
    }

    /// Takes all cookies of the site that it is at.
    pub(crate) async fn forget(&self) {
        self.driver.delete("/cookie").await.expect("no cookies");
    }

    /// The width of the window, in points of CSS.
    pub(crate) async fn wide(&self, width: u32) {
        let metrics = json!({
            "width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": false,
        });
        self.tell("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// A window in which the largest symbol has room.
    pub(crate) async fn tall(&self) {
        let metrics = json!({
            "width": 1280, "height": 1280, "deviceScaleFactor": 1, "mobile": false,
        });
        self.tell("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// A command of the protocol of its tools.
    pub(crate) async fn tell(&self, method: &str, params: Value) -> Value {
        let command = json!({"cmd": method, "params": params});
        let told = self.driver.post("/goog/cdp/execute", command).await;
        told.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// What a script returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        let ran = self.driver.run("sync", script).await;
        ran.unwrap_or_else(|error| panic!("{script:.200}: {error}"))
    }

    /// Into the frame that a script returns.
    pub(crate) async fn enter_frame(&self, script: &str) {
        let frame = json!({"id": self.run(script).await});
        let went = self.driver.post("/frame", frame).await;
        went.unwrap_or_else(|error| panic!("{script}: {error}"));
    }

    /// Out of all frames.
    pub(crate) async fn out_of_frames(&self) {
        let went = self.driver.post("/frame", json!({"id": null})).await;
        went.expect("the page itself");
    }

    /// Waits until a script returns this.
    pub(crate) async fn until(&self, script: &str, wanted: Value) {
        let until = Instant::now() + PATIENCE;
        loop {
            let found = self.run(script).await;
            if found == wanted {
                return;
            }
            assert!(Instant::now() < until, "{script}: {found}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What a script gives to its last argument, a function.
    pub(crate) async fn run_async(&self, script: &str) -> Value {
        let ran = self.driver.run("async", script).await;
        ran.unwrap_or_else(|error| panic!("{script:.200}: {error}"))
    }

    /// The first element that a selector finds, as soon as there is one.
    pub(crate) async fn find(&self, selector: &str) -> Element<'_> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.driver.find(selector).await {
                Ok(found) => return found,
                Err(error) if Instant::now() > until => {
                    panic!("{selector}: {error}\n{}", self.source().await)
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    pub(crate) async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        // The bar stays at the top, above whatever was scrolled to just there.
        let centre = format!(
            "document.querySelector({})?.scrollIntoView({{block: 'center', behavior: 'instant'}})",
            serde_json::json!(selector)
        );
        self.run(&centre).await;
        element.click().await;
    }

    /// Types into a field, in place of what is there.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        let field = self.find(selector).await;
        field.clear().await;
        field.type_in(text).await;
    }

    pub(crate) async fn text_of(&self, selector: &str) -> String {
        self.find(selector).await.text().await
    }

    pub(crate) async fn source(&self) -> String {
        let source = self.driver.get("/source").await.unwrap_or_default();
        source.as_str().unwrap_or_default().to_owned()
    }

    /// The path of the page at hand, with its query.
    pub(crate) async fn path(&self) -> String {
        let url = self.driver.get("/url").await.expect("an address");
        let url = reqwest::Url::parse(url.as_str().unwrap_or_default()).expect("an address");
        let query = url.query().map(|query| format!("?{query}"));
        format!("{}{}", url.path(), query.unwrap_or_default())
    }

    /// How many windows there are.
    pub(crate) async fn windows(&self) -> usize {
        let all = self.driver.get("/window/handles").await;
        all.ok()
            .and_then(|all| Some(all.as_array()?.len()))
            .unwrap_or_default()
    }

    /// Waits until the page at hand has this path, and is there to be used.
    pub(crate) async fn arrive(&self, path: &str) {
        let until = Instant::now() + PATIENCE;
        while self.path().await != path {
            assert!(Instant::now() < until, "{path}: {}", self.source().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let state = "return document.readyState";
        self.until(state, json!("complete")).await;
    }

    /// What was written to the console since the last question, violations of policies among it.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        self.console(&["SEVERE"]).await
    }

    /// The same, and what the browser warns of.
    pub(crate) async fn warnings(&self) -> Vec<String> {
        self.console(&["SEVERE", "WARNING"]).await
    }

    async fn console(&self, levels: &[&str]) -> Vec<String> {
        let log = self
            .driver
            .post("/se/log", json!({"type": "browser"}))
            .await;
        let log = log.expect("a log");
        let entries = log.as_array().expect("entries").iter();
        let is_bad = |level: &str| levels.contains(&level);
        let bad = entries.filter(|entry| entry["level"].as_str().is_some_and(is_bad));
        bad.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Waits until something that holds this text is written to the console.
    pub(crate) async fn complain_of(&self, text: &str) {
        let (until, mut seen) = (Instant::now() + PATIENCE, Vec::new());
        while !seen
            .iter()
            .any(|complaint: &String| complaint.contains(text))
        {
            assert!(Instant::now() < until, "{text}: {seen:?}");
            seen.extend(self.complaints().await);
        }
    }

    /// Keeps a picture of the page where BILLSTACK_SCREENSHOTS names a directory.
    pub(crate) async fn picture(&self, name: &str) {
        let Some(directory) = std::env::var_os("BILLSTACK_SCREENSHOTS") else {
            return;
        };
        std::fs::create_dir_all(&directory).expect("a directory");
        let file = Path::new(&directory).join(format!("{name}.png"));
        let picture = self.driver.picture().await.expect("a picture");
        std::fs::write(&file, picture).expect("a file");
    }

    /// The same of the whole page, however long it is, in a window of this width.
    pub(crate) async fn whole_picture(&self, name: &str, width: u32) {
        if std::env::var_os("BILLSTACK_SCREENSHOTS").is_none() {
            return;
        }
        let height = "return document.documentElement.scrollHeight";
        let height = self.run(height).await.as_u64().unwrap_or_default();
        let metrics = json!({
            "width": width, "height": height.clamp(u64::from(HEIGHT), LONGEST), "deviceScaleFactor": 1, "mobile": false,
        });
        self.tell("Emulation.setDeviceMetricsOverride", metrics)
            .await;
        self.picture(name).await;
        self.wide(width).await;
    }

    pub(crate) async fn quit(self) {
        let _ = self.driver.delete("").await;
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.process.id().cast_signed()) {
            // Its browser is of the same group.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.process.wait();
    }
}

/// Starts the driver on a port that is free, and says where it listens. It looks for one itself, and ends when
/// somebody else was faster.
fn driver() -> (Child, String) {
    const TRIES: u32 = 5;
    let found = (0..TRIES).find_map(|_| started_driver());
    found.unwrap_or_else(|| panic!("chromedriver did not say where it listens. {ADVICE}"))
}

fn started_driver() -> Option<(Child, String)> {
    let started = Command::new("chromedriver")
        .args(["--port=0", "--log-level=WARNING"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    let mut process = started.unwrap_or_else(|error| panic!("chromedriver: {error}. {ADVICE}"));
    let output = process.stdout.take().expect("its output");
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    let port = lines.find_map(|line| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse::<u16>().ok()
    });
    let Some(port) = port else {
        let _ = process.kill();
        let _ = process.wait();
        return None;
    };
    // Whatever else it says has somewhere to go.
    std::thread::spawn(move || lines.for_each(drop));
    Some((process, format!("http://127.0.0.1:{port}")))
}
