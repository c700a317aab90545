//! The pages in a real browser: Chromium, driven over WebDriver, against a real server.
//!
//! It needs the Debian packages `chromium` and `chromium-driver`; `./test` installs them.

#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "the other suite uses the rest of what both stand on"
)]
#[path = "../it"]
mod it {
    #[macro_use]
    pub(crate) mod support;
}

mod axe;
mod chromium;
mod demo;
mod embed;
mod pages;
mod pictures;
mod portal;
mod preview;
mod symbols;
mod webdriver;
mod webhooks;

use it::support;
