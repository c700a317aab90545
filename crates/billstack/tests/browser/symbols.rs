//! The symbols of share links, as a camera reads them.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::chromium::Options;
use crate::pages::{at, with_browser};
use crate::support::bench::Setup;

const ADVICE: &str = "This test needs the Debian package zbar-tools; as root: \
    apt-get install --no-install-recommends zbar-tools";

#[test]
fn a_symbol_says_the_link_and_that_it_was_scanned() {
    with_browser(Setup::default(), Options::default(), async |t, browser| {
        let code = t.code(&t.customer("ada").await).await;
        let (link, place) = (
            at(t, &format!("/r/{code}")),
            TempDir::new().expect("a place"),
        );
        for size in [128, 512, 1024] {
            browser.tall().await;
            browser.goto(&format!("{link}/qr.svg?size={size}")).await;
            let drawn = place.path().join(format!("{size}.svg.png"));
            let picture = browser.driver.picture().await.expect("a picture");
            std::fs::write(&drawn, picture).expect("a file");
            let sent = place.path().join(format!("{size}.png"));
            let png = reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client");
            let png = png.get(format!("{link}/qr.png?size={size}")).send().await;
            let png = png.expect("an answer").bytes().await.expect("a picture");
            std::fs::write(&sent, png).expect("a file");
            for file in [drawn, sent] {
                assert_eq!(read(&file), format!("{link}?s=qr"), "{}", file.display());
            }
        }
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    });
}

/// What a symbol in a picture says.
fn read(file: &Path) -> String {
    let mut zbar = Command::new("zbarimg");
    let output = zbar.args(["--quiet", "--raw"]).arg(file).output();
    let output = output.unwrap_or_else(|error| panic!("zbarimg: {error}. {ADVICE}"));
    let text = String::from_utf8(output.stdout).expect("a text");
    text.trim_end().to_owned()
}
