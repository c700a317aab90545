//! Which files of a crate a file names, and whether it may.

use std::collections::{BTreeMap, BTreeSet};

use super::{code, lines_before_tests};

/// The floors of the store, the lowest first, and whom each may use besides itself.
const FLOORS: [(&str, &[&str]); 4] = [
    ("seam", &[]),
    ("tables", &["seam"]),
    ("operations", &["seam", "tables"]),
    ("engines", &["seam"]),
];

/// A file of a crate: its path below `src`, and what is in it.
pub(super) type File<'a> = (&'a str, &'a str);

/// The paths that a file names, from the root of its crate, each with its line.
pub(super) fn imports((path, text): File<'_>) -> Vec<(usize, String)> {
    let here = module(path);
    let product = text.lines().take(lines_before_tests(text)).map(code);
    let product = product.collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (at, _) in product.match_indices(start) {
            // The end of a longer word, or of a chain that began further left.
            let before = product[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let (mut base, mut rest) = (String::new(), &product[at..]);
            if let Some(below) = rest.strip_prefix("crate::") {
                rest = below;
            } else {
                base = here.clone();
                while let Some(above) = rest.strip_prefix("super::") {
                    base.truncate(base.rfind('/').unwrap_or(0));
                    rest = above;
                }
            }
            let mut paths = Vec::new();
            expand(rest, &base, &mut paths);
            let line = product[..at].matches('\n').count() + 1;
            found.extend(paths.into_iter().map(|path| (line, path)));
        }
    }
    found
}

/// Writes out `a::{b, c::d}` as `a/b` and `a/c/d`; tells how much of the text that was.
fn expand(text: &str, base: &str, paths: &mut Vec<String>) -> usize {
    if text.starts_with('{') {
        let mut at = 1;
        while at < text.len() && !text[at..].starts_with('}') {
            let is_between = text[at..].starts_with([' ', '\n', ',']);
            at += if is_between {
                1
            } else {
                expand(&text[at..], base, paths).max(1)
            };
        }
        return at + 1;
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let length = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let path = format!("{base}/{}", &text[..length]);
    let path = path.trim_matches('/');
    match text[length..].strip_prefix("::") {
        Some(rest) if length > 0 => length + 2 + expand(rest, path, paths),
        _ => {
            paths.push(path.to_owned());
            length
        }
    }
}

fn module(path: &str) -> String {
    let path = path.trim_end_matches(".rs");
    path.trim_end_matches("lib").to_owned()
}

/// Where the store's files break the order of its floors: an import that goes up or beside, or one of a
/// circle of imports.
///
/// While a floor does not exist yet, files beside the floors are let alone.
pub(super) fn floor_faults(files: &[File<'_>]) -> Vec<String> {
    let modules: BTreeSet<String> = files.iter().map(|(path, _)| module(path)).collect();
    let exists = |floor: &str| modules.iter().any(|module| floor_of(module) == Some(floor));
    let is_complete = FLOORS.iter().all(|(floor, _)| exists(floor));
    let (mut faults, mut uses) = (Vec::new(), Uses::new());
    for file in files {
        let here = module(file.0);
        for (line, path) in imports(*file) {
            let mut target = path.as_str();
            while !modules.contains(target) && !target.is_empty() {
                target = &target[..target.rfind('/').unwrap_or(0)];
            }
            // Macros are at the root of a crate, wherever they are written.
            let definition = format!("macro_rules! {path} ");
            if target.is_empty() && files.iter().any(|(_, text)| text.contains(&definition)) {
                continue;
            }
            let (from, to) = (floor_of(&here), floor_of(target));
            let below = FLOORS.iter().find(|(floor, _)| Some(*floor) == from);
            let may = below.is_none_or(|(floor, below)| match to {
                Some(to) => to == *floor || below.contains(&to),
                None => !is_complete,
            });
            if !may {
                faults.push(format!("{}:{line}: `{path}`", file.0));
            }
            let (user, used) = (subject(&here), subject(target));
            let counts = is_complete || (from.is_some() && to.is_some());
            if counts && user != used && !here.is_empty() && !target.is_empty() {
                let used = used.to_owned();
                uses.entry(user.to_owned()).or_default().insert(used);
            }
        }
    }
    faults.extend(circle(uses).map(|circle| format!("a circle: {}", circle.join(" -> "))));
    faults
}

/// The floor that a module stands on.
fn floor_of(module: &str) -> Option<&str> {
    let (first, _) = module.split_once('/').unwrap_or((module, ""));
    FLOORS
        .iter()
        .map(|(floor, _)| *floor)
        .find(|floor| *floor == first)
}

/// A file together with the directory beside it.
fn subject(module: &str) -> &str {
    let depth = if floor_of(module).is_some() { 1 } else { 0 };
    let end = module.match_indices('/').nth(depth);
    end.map_or(module, |(end, _)| &module[..end])
}

type Uses = BTreeMap<String, BTreeSet<String>>;

/// One circle, if there is any.
fn circle(mut uses: Uses) -> Option<Vec<String>> {
    // Whatever uses nothing that is left is in no circle.
    loop {
        let left: BTreeSet<String> = uses.keys().cloned().collect();
        uses.values_mut()
            .for_each(|used| used.retain(|one| left.contains(one)));
        uses.retain(|_, used| !used.is_empty());
        if uses.len() == left.len() {
            break;
        }
    }
    let mut way = vec![uses.keys().next()?.clone()];
    loop {
        let next = uses[way.last()?].first()?.clone();
        let seen = way.iter().position(|one| *one == next);
        way.push(next);
        if let Some(seen) = seen {
            return Some(way.split_off(seen));
        }
    }
}

/// The tables that the SQL in a text writes to, with their lines.
pub(super) fn written_tables(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for verb in ["INSERT INTO ", "UPDATE ", "DELETE FROM "] {
            let names = line.split(verb).skip(1);
            let names = names.map(|rest| {
                let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
                rest.split(|c| !is_name(c)).next().unwrap_or_default()
            });
            let named = names.filter(|name| !name.is_empty());
            found.extend(named.map(|name| (index + 1, name)));
        }
    }
    found
}

#[test]
fn writes_are_found_in_sql() {
    let text =
        "A = \"INSERT INTO codes (a)\"; ON CONFLICT DO UPDATE SET\n\"DELETE FROM work WHERE\"";
    assert_eq!(written_tables(text), [(1, "codes"), (2, "work")]);
}

#[test]
fn imports_are_read_from_groups_and_from_above() {
    let text = "use crate::{params, tx::{self, Tx}};\nuse super::super::act::Act; // crate::not\n\
                fn f(a: crate::list::Page) { xcrate::y(); }\n\n\
                #[cfg(test)]\nmod tests {\n    use crate::testing::Bench;\n}\n";
    let expected = [
        (1, "params"),
        (1, "tx/self"),
        (1, "tx/Tx"),
        (3, "list/Page"),
        (2, "tables/act/Act"),
    ];
    let expected = expected.map(|(line, path)| (line, path.to_owned()));
    assert_eq!(imports(("tables/a/b.rs", text)), expected);
}

#[test]
fn an_import_that_goes_up_is_found() {
    let files = [
        ("lib.rs", "pub mod seam;"),
        ("seam/tx.rs", "macro_rules! params { () => {} }"),
        (
            "seam/act.rs",
            "use crate::params;\nuse crate::tables::codes::Code;",
        ),
        (
            "tables/codes.rs",
            "use crate::seam::tx::Tx;\nuse crate::old::Thing;",
        ),
        (
            "operations/apply.rs",
            "use crate::tables::codes;\nuse crate::engines::sqlite;",
        ),
        ("old.rs", "use crate::operations::apply;"),
    ];
    let up = ["seam/act.rs:2: `tables/codes/Code`"];
    assert_eq!(floor_faults(&files), up);
    // Once all floors are there, nothing on them uses what stands beside them either.
    let engine = (
        "engines/sqlite.rs",
        "use crate::seam::tx::Tx;\nuse super::super::old::Thing;",
    );
    let complete: Vec<_> = files.into_iter().chain([engine]).collect();
    let found = floor_faults(&complete);
    let all = [
        "seam/act.rs:2: `tables/codes/Code`",
        "tables/codes.rs:2: `old/Thing`",
        "operations/apply.rs:2: `engines/sqlite`",
        "engines/sqlite.rs:2: `old/Thing`",
    ];
    assert_eq!(found[..4], all);
}

#[test]
fn a_circle_is_found() {
    let files = [
        ("tables/codes.rs", "use crate::tables::customers::Customer;"),
        (
            "tables/customers/hold.rs",
            "use super::super::terms::Terms;",
        ),
        ("tables/customers.rs", "use crate::tables::customers::hold;"),
        ("tables/terms.rs", "use crate::tables::{codes, events};"),
        ("tables/events.rs", "use super::list;"),
    ];
    let circle = "a circle: tables/codes -> tables/customers -> tables/terms -> tables/codes";
    assert_eq!(floor_faults(&files), [circle]);
    assert!(floor_faults(&files[..3]).is_empty());
}
