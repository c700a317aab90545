//! House rules over the repository's own files.
//!
//! Each rule is one test, whose failure lists every offending `file:line`. The scanner at the end
//! knows just enough Rust to tell code from comments and strings.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::path::{Component, Path, PathBuf};

const FILE_LINES: usize = 400;
const TEST_FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
const TEST_FUNCTION_LINES: usize = 100;

#[test]
fn files_are_short() {
    let mut faults = Faults::default();
    for file in rust_files() {
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
fn functions_are_short() {
    let mut faults = Faults::default();
    for file in rust_files() {
        let tests_from = lines_before_tests(&file.text);
        for function in functions(&mask(&file.text)) {
            let in_tests = file.is_test() || function.line > tests_from;
            let limit = if in_tests {
                TEST_FUNCTION_LINES
            } else {
                FUNCTION_LINES
            };
            if function.lines > limit {
                let what = format!("`{}` has {} lines", function.name, function.lines);
                faults.add(
                    &file,
                    function.line,
                    format!("{what}, the limit is {limit}"),
                );
            }
        }
    }
    faults.report("split these functions by step");
}

#[test]
fn modules_are_files_beside_their_directory() {
    let mut faults = Faults::default();
    for file in rust_files() {
        if file.path.file_name().is_some_and(|name| name == "mod.rs") {
            faults.add(
                &file,
                1,
                "rename it to the directory's name, beside the directory",
            );
        }
    }
    faults.report("`foo.rs` beside `foo/`, never `foo/mod.rs`");
}

#[test]
fn nothing_is_left_undone() {
    // Put together here, so that this file does not break its own rule.
    let calls = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[", "ignore"),
    ];
    let words = [concat!("TO", "DO"), concat!("FIX", "ME")];
    let mut faults = Faults::default();
    for file in own_files(&["rs", "sql", "toml", "py", "sh", "html", "css"]) {
        for needle in calls.iter().filter(|_| file.is_rust()) {
            faults.add_all(&file, &file.text, needle, |_| true);
        }
        for needle in words {
            faults.add_all(&file, &file.text, needle, |_| true);
        }
    }
    faults.report("finish it or leave it out");
}

#[test]
fn core_and_store_are_deterministic_and_synchronous() {
    let banned = [
        "SystemTime::now",
        "Instant::now",
        "getrandom",
        "rand::",
        "axum",
        "tokio::spawn",
    ];
    let mut faults = Faults::default();
    for file in rust_files() {
        if file.under("crates/billstack-core/src") || file.under("crates/billstack-store/src") {
            let code = mask(&file.text);
            for needle in banned {
                faults.add_all(&file, &code, needle, |_| true);
            }
        }
    }
    faults.report("time and randomness are arguments here, and nothing knows HTTP or tasks");
}

#[test]
fn the_service_reaches_databases_only_through_the_store() {
    let mut faults = Faults::default();
    for file in rust_files() {
        if file.under("crates/billstack/src") {
            let code = mask(&file.text);
            // A module of another crate may bear the same name.
            let is_the_crate = |before: &str| !before.ends_with("store::");
            for needle in ["rusqlite", "postgres::", "tokio_postgres"] {
                faults.add_all(&file, &code, needle, is_the_crate);
            }
        }
    }
    faults.report("add an operation to billstack-store instead");
}

#[test]
fn every_source_file_is_a_module_of_something() {
    let mut faults = Faults::default();
    let mut reached = BTreeSet::new();
    for manifest in own_files(&["toml"]) {
        if manifest.path.ends_with("Cargo.toml") {
            for root in crate_roots(&manifest) {
                follow_modules(&root, true, &mut reached);
            }
        }
    }
    for file in rust_files() {
        let in_a_crate = ["src", "tests", "benches", "examples"];
        let name = |part: Component<'_>| in_a_crate.iter().any(|dir| part.as_os_str() == *dir);
        let looked_at = file.path.components().any(name);
        if looked_at && !reached.contains(&root().join(&file.path)) {
            faults.add(
                &file,
                1,
                "no `mod` line leads here, so it is never compiled",
            );
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
fn masking_leaves_code_and_line_ends_alone() {
    let hidden = |text: &str| !mask(text).contains("hide");
    assert!(hidden("a // hide\nb"));
    assert!(hidden("a /* /* hide */ hide\n */ b"));
    assert!(hidden(r#"f("hide \" hide", 'x')"#));
    assert!(hidden("f(r#\"hide \" hide\"#, br\"hide\")"));
    assert!(hidden(r#"f('"'); "hide"; '\''; "hide"; b'"'; "hide""#));
    assert_eq!(mask("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
    let text = "let x = \"1\n2\"; // 3\nbar\"4\"\n";
    assert_eq!(mask(text).lines().count(), text.lines().count());
    assert!(mask(text).contains("bar"));
}

#[test]
fn functions_are_measured_from_signature_to_brace() {
    let code = "trait T { fn none(&self, a: [u8; 2]); }\ntype F = fn(u8);\n\
                fn outer(a: [u8; 2]) -> u8 {\n    fn inner() {\n    }\n    1\n}\n";
    let found: Vec<_> = functions(code)
        .into_iter()
        .map(|function| (function.name, function.line, function.lines))
        .collect();
    assert_eq!(
        found,
        [("outer".to_owned(), 3, 5), ("inner".to_owned(), 4, 2)]
    );
}

#[test]
fn trailing_tests_and_whole_words_are_told_apart() {
    let text = "a\n\n#[cfg(test)]\nmod tests {\n    b\n}\n";
    assert_eq!(lines_before_tests(text), 2);
    assert_eq!(lines_before_tests("a\nb\n"), 2);
    let found = |needle| occurrences("operand::x rand::y\nrand::z", needle).len();
    assert_eq!(found("rand::"), 2);
    assert_eq!(found("rand"), 2);
    assert_eq!(found("ran"), 0);
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
    fn is_rust(&self) -> bool {
        self.path
            .extension()
            .is_some_and(|extension| extension == "rs")
    }

    fn is_test(&self) -> bool {
        let tests_directory = self
            .path
            .components()
            .any(|part| part.as_os_str() == "tests");
        tests_directory || self.path.file_name().is_some_and(|name| name == "tests.rs")
    }

    fn under(&self, directory: &str) -> bool {
        self.path.starts_with(directory)
    }
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn add(&mut self, file: &Source, line: usize, what: impl Display) {
        self.0
            .push(format!("{}:{line}: {what}", file.path.display()));
    }

    /// Adds each whole-word occurrence of `needle` whose line up to it passes `counts`.
    fn add_all(&mut self, file: &Source, text: &str, needle: &str, counts: fn(&str) -> bool) {
        for (line, before) in occurrences(text, needle) {
            if counts(before) {
                self.add(file, line, format!("`{needle}`"));
            }
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

fn rust_files() -> Vec<Source> {
    own_files(&["rs"])
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

/// The files that Cargo compiles by itself for the package of this manifest.
fn crate_roots(manifest: &Source) -> Vec<PathBuf> {
    let package = root().join(&manifest.path);
    let package = package.parent().expect("a manifest is in a directory");
    let mut roots = vec![
        package.join("src/lib.rs"),
        package.join("src/main.rs"),
        package.join("build.rs"),
    ];
    for directory in ["src/bin", "tests", "benches", "examples"] {
        for entry in fs::read_dir(package.join(directory))
            .into_iter()
            .flatten()
            .flatten()
        {
            roots.push(entry.path());
            roots.push(entry.path().join("main.rs"));
        }
    }
    for line in manifest.text.lines() {
        let value = line
            .trim()
            .strip_prefix("path = \"")
            .and_then(|rest| rest.split('"').next());
        roots.extend(value.map(|value| package.join(value)));
    }
    roots.retain(|path| path.is_file() && path.extension().is_some_and(|e| e == "rs"));
    roots
}

/// Adds `file` and all files that its `mod` lines lead to.
fn follow_modules(file: &Path, is_root: bool, reached: &mut BTreeSet<PathBuf>) {
    let Ok(text) = fs::read_to_string(file) else {
        return;
    };
    if !reached.insert(file.to_path_buf()) {
        return;
    }
    let parent = file.parent().expect("a file is in a directory");
    let below = if is_root {
        parent.to_path_buf()
    } else {
        file.with_extension("")
    };
    let mut named = None;
    for (line, code) in text.lines().zip(mask(&text).lines()) {
        if let Some((_, path)) = line.split_once("#[path = \"") {
            named = path.split('"').next().map(|path| parent.join(path));
        }
        let words: Vec<&str> = code.split_whitespace().collect();
        if let Some(at) = words.iter().position(|word| *word == "mod") {
            let module = words.get(at + 1).and_then(|word| word.strip_suffix(';'));
            let target = module.map(|module| below.join(module).with_extension("rs"));
            if let Some(target) = named.take().or(target) {
                follow_modules(&target, false, reached);
            }
        }
    }
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

/// Each whole-word occurrence of `needle`: its line, and that line's text before it.
fn occurrences<'a>(text: &'a str, needle: &str) -> Vec<(usize, &'a str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for (at, _) in line.match_indices(needle) {
            let (before, after) = (&line[..at], &line[at + needle.len()..]);
            let joins_before = before.ends_with(is_word) && needle.starts_with(is_word);
            let joins_after = after.starts_with(is_word) && needle.ends_with(is_word);
            if !joins_before && !joins_after {
                found.push((index + 1, before));
            }
        }
    }
    found
}

struct Function {
    name: String,
    line: usize,
    lines: usize,
}

/// The functions with a body in code that is already masked.
fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (line, before) in occurrences(code, "fn") {
        let from = before.len() + "fn".len();
        let rest = code.lines().nth(line - 1).map_or("", |text| &text[from..]);
        let is_name = |c: &char| c.is_alphanumeric() || *c == '_';
        let name: String = rest.trim_start().chars().take_while(is_name).collect();
        if !name.is_empty()
            && let Some(lines) = lines_to_closing_brace(code, line, from)
        {
            found.push(Function { name, line, lines });
        }
    }
    found
}

/// How many lines a function takes whose signature starts here; none when it has no body.
fn lines_to_closing_brace(code: &str, line: usize, from: usize) -> Option<usize> {
    let (mut brackets, mut braces) = (0_usize, 0_usize);
    for (index, text) in code.lines().skip(line - 1).enumerate() {
        let text = if index == 0 { &text[from..] } else { text };
        for c in text.chars() {
            match c {
                '(' | '[' if braces == 0 => brackets += 1,
                ')' | ']' if braces == 0 => brackets = brackets.saturating_sub(1),
                ';' if braces == 0 && brackets == 0 => return None,
                '{' => braces += 1,
                '}' => {
                    braces = braces.checked_sub(1)?;
                    if braces == 0 && brackets == 0 {
                        return Some(index + 1);
                    }
                }
                _ => {}
            }
        }
    }
    None
}

/// Replaces what is inside comments, strings and characters with spaces, keeping line ends.
fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = hidden_until(&chars, at);
        if end == at {
            masked.push(chars[at]);
            at += 1;
        }
        for c in &chars[at..end.max(at)] {
            masked.push(if *c == '\n' { '\n' } else { ' ' });
        }
        at = end.max(at);
    }
    masked
}

/// Where the comment or literal that starts at `at` ends; `at` itself when none does.
fn hidden_until(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied();
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match (chars[at], next) {
        ('/', Some('/')) => find(chars, at, |rest| rest[0] == '\n', 0),
        ('/', Some('*')) => block_comment_end(chars, at),
        ('"', _) => string_end(chars, at),
        ('r', Some('"' | '#')) if !in_word => raw_string_end(chars, at),
        ('b' | 'c', Some('r')) if !in_word => match raw_string_end(chars, at + 1) {
            end if end == at + 1 => at,
            end => end,
        },
        ('\'', Some('\\')) => find(chars, at + 3, |rest| rest[0] == '\'', 1),
        ('\'', Some(_)) if chars.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}

/// The first place from `from` that is `wanted`, and `more` behind it; the end when there is none.
fn find(chars: &[char], from: usize, wanted: impl Fn(&[char]) -> bool, more: usize) -> usize {
    let found = (from..chars.len()).find(|at| wanted(&chars[*at..]));
    found.map_or(chars.len(), |at| at + more)
}

fn block_comment_end(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// `start` is at the `r`; it may be an identifier such as `r#type` after all.
fn raw_string_end(chars: &[char], start: usize) -> usize {
    let hashes = chars[start + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(start + 1 + hashes) != Some(&'"') {
        return start;
    }
    let closes = |rest: &[char]| {
        rest[0] == '"' && rest[1..].iter().take_while(|c| **c == '#').count() >= hashes
    };
    find(chars, start + 2 + hashes, closes, 1 + hashes)
}
