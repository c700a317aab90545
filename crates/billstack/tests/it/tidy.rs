//! House rules over the repository's own files, as far as no lint knows them.
//!
//! Each rule is one test, whose failure lists every offending `file:line`.

mod imports;

use std::fmt::Display;
use std::fs;
use std::path::{Component, Path, PathBuf};

const FILE_LINES: usize = 400;
const TEST_FILE_LINES: usize = 600;

#[test]
fn files_are_short() {
    let mut faults = Faults::default();
    for file in own_files(&["rs"]) {
        let (lines, limit) = if file.is_test() {
            (file.text.lines().count(), TEST_FILE_LINES)
        } else {
            (lines_before_tests(&file.text), FILE_LINES)
        };
        if lines > limit {
            faults.add(&file, lines, format!("{lines} lines, the limit is {limit}"));
        }
    }
    faults.report("split these files by subject");
}

#[test]
fn nothing_is_left_undone() {
    // Put together here, so that this file does not break its own rule.
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("#[", "ignore"),
    ];
    let mut faults = Faults::default();
    for file in own_files(&["rs", "sql", "toml", "py", "sh", "html", "css"]) {
        for word in words {
            faults.add_all(&file, file.text.lines(), word);
        }
    }
    faults.report("finish it or leave it out");
}

#[test]
fn core_and_store_have_no_clock_and_no_tasks() {
    let mut faults = Faults::default();
    for file in own_files(&["rs"]) {
        if ["core", "store"].iter().any(|name| {
            file.path
                .starts_with(format!("crates/billstack-{name}/src"))
        }) {
            for needle in ["Instant::now", "SystemTime", "tokio::spawn"] {
                faults.add_all(&file, file.text.lines().map(code), needle);
            }
        }
    }
    faults.report("time is an argument here, and whoever calls knows of tasks");
}

/// What a crate does not depend on, it cannot use.
#[test]
fn no_crate_knows_more_than_its_part() {
    let http = ["axum", "hyper", "hyper-util", "reqwest", "tower"];
    let chance = ["getrandom", "rand", "jiff"];
    let drivers = ["postgres", "rusqlite", "tokio-postgres"];
    let core = [&http[..], &chance, &drivers, &["tokio", "billstack-store"]].concat();
    let store = [&http[..], &chance].concat();
    let mut faults = Faults::default();
    for (name, foreign) in [
        ("billstack-core", core),
        ("billstack-store", store),
        ("billstack", drivers.to_vec()),
    ] {
        let path = Path::new("crates").join(name).join("Cargo.toml");
        let manifests = own_files(&["toml"]);
        let manifest = manifests.iter().find(|file| file.path == path);
        let manifest = manifest.expect("a manifest");
        let from = "[dependencies]";
        let lines = manifest.text.lines().enumerate();
        let lines = lines.skip_while(|(_, line)| *line != from).skip(1);
        for (index, line) in lines.take_while(|(_, line)| !line.starts_with('[')) {
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if foreign.contains(&dependency) {
                faults.add(manifest, index + 1, dependency);
            }
        }
    }
    faults.report("see the table at the top of ARCHITECTURE.md for whose part this is");
}

#[test]
fn imports_in_the_store_go_down() {
    let files = own_files(&["rs"]);
    let files = below(&files, "crates/billstack-store/src");
    let faults = imports::floor_faults(&files);
    let advice = "seam < tables < operations, engines beside them";
    assert!(faults.is_empty(), "{advice}:\n{}", faults.join("\n"));
}

#[test]
fn each_table_is_written_in_its_own_file() {
    let files = own_files(&["rs"]);
    let mut faults = Vec::new();
    for (path, text) in below(&files, "crates/billstack-store/src") {
        let sources = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default();
        for (line, table) in imports::written_tables(sources) {
            // An entry and its lines are written together; SQLite's own tables are its engine's.
            let owner = match table {
                "entry_lines" => "entries",
                other => other,
            };
            if !table.starts_with("sqlite_")
                && path != format!("tables/{owner}.rs")
                && path != "migrate.rs"
            {
                faults.push(format!("{path}:{line}: writes `{table}`"));
            }
        }
    }
    let advice = "only tables/NAME.rs writes to the table NAME";
    assert!(faults.is_empty(), "{advice}:\n{}", faults.join("\n"));
}

#[test]
fn http_knows_no_call_of_the_api() {
    let files = own_files(&["rs"]);
    let mut faults = Vec::new();
    for file in below(&files, "crates/billstack/src") {
        if file.0 != "http.rs" && !file.0.starts_with("http/") {
            continue;
        }
        for (line, path) in imports::imports(file) {
            let first = path.split('/').next().unwrap_or_default();
            if ["api", "webhooks", "routes"].contains(&first) {
                faults.push(format!("{}:{line}: `{path}`", file.0));
            }
        }
    }
    let advice = "routes.rs is where calls and the layers around them meet";
    assert!(faults.is_empty(), "{advice}:\n{}", faults.join("\n"));
}

#[test]
fn every_source_file_is_a_module_of_something() {
    let files = own_files(&["rs"]);
    let text_of = |path: &Path| files.iter().find(|file| file.path == path);
    let mut faults = Faults::default();
    for file in &files {
        let directory = file.path.parent().expect("a file is in a directory");
        let name = file.name();
        // Cargo finds these by itself.
        let is_program = |directory: &Path| {
            let own = ["tests", "benches", "examples"];
            own.iter().any(|own| directory.ends_with(own)) && !file.has("src")
        };
        let is_root = (directory.ends_with("src") && ["lib", "main"].contains(&name))
            || is_program(directory)
            || (name == "main" && directory.parent().is_some_and(is_program));
        let mut parents = [
            directory.join("lib.rs"),
            directory.join("main.rs"),
            directory.with_extension("rs"),
        ]
        .into_iter();
        let is_named = |parent: PathBuf| {
            let line = format!("mod {name};");
            text_of(&parent).is_some_and(|parent| parent.text.contains(&line))
        };
        if !is_root && !parents.any(is_named) {
            faults.add(file, 1, "no `mod` line leads here, so it is never compiled");
        }
    }
    faults.report("declare the file in its parent or delete it");
}

#[test]
fn the_changelog_opens_with_what_comes_next_or_what_came_last() {
    let mut faults = Faults::default();
    let files = own_files(&["md"]);
    let file = files
        .iter()
        .find(|file| file.path == Path::new("CHANGELOG.md"));
    let file = file.expect("CHANGELOG.md is at the root");
    let mut titles = file.text.lines().enumerate();
    let top = titles.find(|(_, line)| line.starts_with("## "));
    let (line, title) = top.map_or((1, ""), |(index, title)| (index + 1, title));
    if !is_release_title(title) {
        let want = "want `## [Unreleased]` or `## [1.2.3] - 2026-01-31`";
        faults.add(file, line, format!("`{title}`: {want}"));
    }
    faults.report("https://keepachangelog.com shows the form");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut faults = Faults::default();
    for file in own_files(&["md"]) {
        let here = root().join(&file.path);
        let here = here.parent().expect("a file is in a directory");
        for (line, target) in links(&file.text) {
            let elsewhere = target.contains("://") || target.starts_with("mailto:");
            let path = target.split('#').next().unwrap_or_default();
            if !elsewhere && !path.is_empty() && !here.join(path).exists() {
                faults.add(&file, line, format!("`{target}` does not exist"));
            }
        }
    }
    faults.report("correct these links");
}

// The scanner's own tests, as a rule that cannot fail is no rule.

#[test]
fn code_and_trailing_tests_are_told_apart() {
    assert_eq!(code("a // hide"), "a ");
    assert_eq!(code("/// hide"), "");
    let text = "a\n\n#[cfg(test)]\nmod tests {\n    b\n}\n";
    assert_eq!(lines_before_tests(text), 2);
    assert_eq!(lines_before_tests("a\nb\n"), 2);
}

#[test]
fn links_and_titles_are_read() {
    let text = "[a](b.md) ![c](d.png \"e\")\n```\n[x](y)\n```\n`[x](y)` [f](<g h.md>)\n[i]: j.md\n";
    let found = links(text);
    let expected = [(1, "b.md"), (1, "d.png"), (5, "g h.md"), (6, "j.md")];
    assert_eq!(found, expected.map(|(line, to)| (line, to.to_owned())));
    assert!(is_release_title("## [Unreleased]"));
    assert!(is_release_title("## [0.10.2] - 2026-01-31"));
    assert!(!is_release_title("## Unreleased"));
    assert!(!is_release_title("## [next]"));
}

/// One of the repository's files; the path is relative to its root.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn name(&self) -> &str {
        let name = self.path.file_stem().and_then(|name| name.to_str());
        name.unwrap_or_default()
    }

    fn has(&self, directory: &str) -> bool {
        let mut parts = self.path.components();
        parts.any(|part| part == Component::Normal(directory.as_ref()))
    }

    fn is_test(&self) -> bool {
        self.has("tests") || self.name() == "tests"
    }
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, file: &Source, line: usize, what: impl Display) {
        self.0
            .push(format!("{}:{line}: {what}", file.path.display()));
    }

    /// Adds each of the lines that holds `needle`.
    fn add_all<'l>(&mut self, file: &Source, lines: impl Iterator<Item = &'l str>, needle: &str) {
        for (index, _) in lines.enumerate().filter(|(_, line)| line.contains(needle)) {
            self.add(file, index + 1, format!("`{needle}`"));
        }
    }

    fn report(self, advice: &str) {
        assert!(self.0.is_empty(), "{advice}:\n{}", self.0.join("\n"));
    }
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize()
        .expect("the repository is two levels up")
}

/// Every file with one of these extensions that is ours, not built, fetched or hidden.
fn own_files(extensions: &[&str]) -> Vec<Source> {
    let root = root();
    let mut files = Vec::new();
    let mut pending = vec![root.clone()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory)
            .expect("a readable directory")
            .flatten()
        {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let skipped = ["target", "node_modules", "__pycache__"].contains(&&*name);
            let kind = entry.file_type().expect("a kind of file");
            let path = entry.path();
            if kind.is_dir() && !skipped && !name.starts_with('.') {
                pending.push(path);
            } else if kind.is_file()
                && extensions
                    .iter()
                    .any(|e| path.extension() == Some(e.as_ref()))
            {
                let text = fs::read_to_string(&path).expect("a text file");
                let path = path
                    .strip_prefix(&root)
                    .expect("below the root")
                    .to_path_buf();
                files.push(Source { path, text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(
        !files.is_empty(),
        "no file to look at below {}",
        root.display()
    );
    files
}

/// The files below a directory as the import rules take them.
fn below<'f>(files: &'f [Source], directory: &str) -> Vec<imports::File<'f>> {
    let inside = files.iter().filter_map(|file| {
        let path = file.path.strip_prefix(directory).ok()?.to_str()?;
        Some((path, file.text.as_str()))
    });
    inside.collect()
}

fn is_release_title(title: &str) -> bool {
    let name = title
        .strip_prefix("## [")
        .and_then(|rest| rest.split_once(']'));
    name.is_some_and(|(name, _)| {
        let parts: Vec<_> = name.split('.').collect();
        let number = |part: &&str| part.parse::<u32>().is_ok();
        name == "Unreleased" || (parts.len() == 3 && parts.iter().all(number))
    })
}

/// The targets of inline links and of link definitions, outside code, with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            let prose: Vec<&str> = line.split('`').step_by(2).collect();
            let prose = prose.join("code");
            let definition = prose
                .starts_with('[')
                .then(|| prose.split_once("]: "))
                .flatten();
            let inline = prose.split("](").skip(1);
            for rest in inline.chain(definition.map(|(_, target)| target)) {
                let target = match rest.strip_prefix('<') {
                    Some(quoted) => quoted.split('>').next(),
                    None => rest.split([')', ' ']).next(),
                };
                found.push((index + 1, target.unwrap_or_default().to_owned()));
            }
        }
    }
    found
}

/// The lines of a file up to a `#[cfg(test)] mod tests` that stands at its end.
fn lines_before_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let is_tests = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests");
    lines.windows(2).position(is_tests).unwrap_or(lines.len())
}

/// What of a line is no comment. A string that holds slashes ends the line too early, which hides
/// nothing that a rule here looks for.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}
