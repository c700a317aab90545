//! A Chromium of the test's own, and what it has to say about the pages it shows.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, ChromiumLikeCapabilities, LoggingPrefsLogLevel};

const ADVICE: &str = "The browser tests need the Debian packages chromium and chromium-driver; as root: \
    apt-get install --no-install-recommends chromium chromium-driver";

/// How a browser differs from the usual one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) scripts: bool,
    /// Whether cookies and storage of others than the address in the bar are kept from pages.
    pub(crate) third_parties: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            scripts: true,
            third_parties: true,
        }
    }
}

/// A running browser; gone when dropped.
pub(crate) struct Chromium {
    pub(crate) driver: WebDriver,
    process: Child,
}

impl Chromium {
    /// Starts one with an empty profile.
    pub(crate) async fn start(options: Options) -> Chromium {
        let (process, address) = tokio::task::spawn_blocking(driver).await.expect("no panic");
        let mut capabilities = ChromeCapabilities::new();
        for argument in [
            "--headless=new",
            // Tests run as root in containers, where its own walls do not stand.
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--no-first-run",
            "--disable-component-update",
            "--disable-background-networking",
            "--lang=en-US",
        ] {
            capabilities.add_arg(argument).expect("an argument");
        }
        let mut preferences = json!({});
        if !options.scripts {
            preferences["profile.managed_default_content_settings.javascript"] = json!(2);
        }
        if !options.third_parties {
            preferences["profile.cookie_controls_mode"] = json!(1);
            preferences["profile.block_third_party_cookies"] = json!(true);
        }
        capabilities
            .add_experimental_option("prefs", preferences)
            .expect("preferences");
        capabilities
            .set_browser_log_level(LoggingPrefsLogLevel::All)
            .expect("the log");
        let driver = WebDriver::new(&address, capabilities).await;
        let driver = driver.unwrap_or_else(|error| panic!("{error}. {ADVICE}"));
        Chromium { driver, process }
    }

    pub(crate) async fn goto(&self, url: &str) {
        self.driver.goto(url).await.expect("a page");
    }

    /// Gives the browser a cookie of a site that it is at.
    pub(crate) async fn keep(&self, pair: &str) {
        let (name, value) = pair.split_once('=').expect("a name and a value");
        let cookie = Cookie::new(name, value);
        self.driver.add_cookie(cookie).await.expect("a cookie");
    }

    /// The width of the window, in points of CSS.
    pub(crate) async fn wide(&self, width: u32) {
        let metrics = json!({
            "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false,
        });
        self.tell("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// A command of the protocol of its tools.
    pub(crate) async fn tell(&self, method: &str, params: Value) -> Value {
        let told = self.driver.cdp().send_raw(method, params).await;
        told.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        let ran = self.driver.execute(script, Vec::<Value>::new()).await;
        let ran = ran.unwrap_or_else(|error| panic!("{script:.200}: {error}"));
        ran.json().clone()
    }

    pub(crate) async fn run_async(&self, script: &str) -> Value {
        let ran = self.driver.execute_async(script, Vec::<Value>::new()).await;
        let ran = ran.unwrap_or_else(|error| panic!("{script:.200}: {error}"));
        ran.json().clone()
    }

    /// The first element that a selector finds, as soon as there is one.
    pub(crate) async fn find(&self, selector: &str) -> WebElement {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            match self.driver.find(By::Css(selector)).await {
                Ok(found) => return found,
                Err(error) if Instant::now() > until => {
                    panic!("{selector}: {error}\n{}", self.source().await)
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    pub(crate) async fn click(&self, selector: &str) {
        self.find(selector).await.click().await.expect("a click");
    }

    /// Types into a field, in place of what is there.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        let field = self.find(selector).await;
        field.clear().await.expect("an empty field");
        field.send_keys(text).await.expect("a text");
    }

    pub(crate) async fn text_of(&self, selector: &str) -> String {
        self.find(selector).await.text().await.expect("a text")
    }

    pub(crate) async fn source(&self) -> String {
        self.driver.source().await.unwrap_or_default()
    }

    /// The path of the page at hand, with its query.
    pub(crate) async fn path(&self) -> String {
        let url = self.driver.current_url().await.expect("an address");
        let query = url.query().map(|query| format!("?{query}"));
        format!("{}{}", url.path(), query.unwrap_or_default())
    }

    /// Waits until the page at hand has this path.
    pub(crate) async fn arrive(&self, path: &str) {
        let until = Instant::now() + Duration::from_secs(10);
        while self.path().await != path {
            assert!(Instant::now() < until, "{path}: {}", self.source().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What was written to the console since the last question, violations of policies among it.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.driver.browser_log().await.expect("a log");
        let bad = log.into_iter().filter(|entry| entry.level == "SEVERE");
        bad.map(|entry| entry.message).collect()
    }

    /// Keeps a picture of the page where BILLSTACK_SCREENSHOTS names a directory.
    pub(crate) async fn picture(&self, name: &str) {
        let Some(directory) = std::env::var_os("BILLSTACK_SCREENSHOTS") else {
            return;
        };
        std::fs::create_dir_all(&directory).expect("a directory");
        let file = Path::new(&directory).join(format!("{name}.png"));
        self.driver.screenshot(&file).await.expect("a picture");
    }

    pub(crate) async fn quit(self) {
        let _ = self.driver.clone().quit().await;
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

/// Starts the driver on a port that is free, and says where it listens.
fn driver() -> (Child, String) {
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
    let port =
        port.unwrap_or_else(|| panic!("chromedriver did not say where it listens. {ADVICE}"));
    // Whatever else it says has somewhere to go.
    std::thread::spawn(move || lines.for_each(drop));
    (process, format!("http://127.0.0.1:{port}"))
}
