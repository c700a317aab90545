//! axe-core, which knows the rules of accessibility that a program can check.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::chromium::Chromium;
use crate::support::python;

const RUN: &str = "const done = arguments[arguments.length - 1];
    axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'] })
        .then(found => done(found.violations.map(rule =>
            rule.id + ': ' + rule.help + '\\n' + rule.nodes.map(node => node.html + ' ' + node.failureSummary).join('\\n'))),
            error => done([String(error)]))";

/// What the page at hand breaks of WCAG 2.2, levels A and AA.
pub(crate) async fn violations(browser: &Chromium) -> Vec<String> {
    browser.run(source()).await;
    let found = browser.run_async(RUN).await;
    let found = found.as_array().expect("a list").iter();
    found
        .map(|text| {
            text.as_str()
                .map_or_else(|| text.to_string(), str::to_owned)
        })
        .collect()
}

/// The library, out of the package of PyPI that carries it.
fn source() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/axe");
        // Without what it depends on, which is another driver of browsers.
        let python = python::with_options("axe", &here, &["--no-deps"]);
        let file = file(&python);
        std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    })
}

fn file(python: &Path) -> PathBuf {
    let libraries = python
        .ancestors()
        .nth(2)
        .expect("an environment")
        .join("lib");
    let versions = std::fs::read_dir(libraries).expect("its libraries");
    let mut found = versions.flatten().map(|version| {
        let package = version.path().join("site-packages/axe_playwright_python");
        package.join("axe.min.js")
    });
    let is_there = |file: &PathBuf| file.exists();
    found.find(is_there).expect("axe.min.js in the package")
}
