//! All pages, and what people do with them.

mod filters;
mod first_run;
mod habits;
mod keyboard;
mod start;
mod walk;

use crate::chromium::{Chromium, Options};
use crate::support::bench::{Bench, Setup, run};
use crate::support::database::Engine;
use crate::support::fixture::Tenant;

/// Runs a test with a server and a browser.
pub(crate) fn with_browser(
    setup: Setup,
    options: Options,
    test: impl AsyncFnOnce(&Bench, &Chromium),
) {
    run(Engine::Sqlite, setup, async |t: &Bench| {
        let browser = Chromium::start(options).await;
        test(t, &browser).await;
        browser.quit().await;
    });
}

/// The address of a page.
pub(crate) fn at(t: &Bench, path: &str) -> String {
    format!("{}{path}", t.nodes[0].origin)
}

/// Signs the owner of a team in, without the form.
pub(crate) async fn sign_in(t: &Bench, browser: &Chromium, tenant: &Tenant) {
    // A page has an icon of its own; for anything else a browser asks for one that is not there.
    browser.goto(&at(t, "/sign-in")).await;
    browser.keep(&tenant.owner.cookie).await;
}
