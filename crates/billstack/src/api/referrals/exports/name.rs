//! What a file is called, and until when it tells.

use billstack_core::time::Micros;
use billstack_store::{Refusal, Thing, projects, test_clock};

use crate::app::App;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::time;
use crate::http::query::Query;

/// The longest name of a project in the name of a file, in characters.
const LONGEST: usize = 40;

/// A file that is about to be read.
#[derive(Debug)]
pub(in crate::api) struct File {
    /// Without its ending: the list, the project, and the days that were asked for.
    pub(in crate::api) name: String,
    /// What the clock of the project shows.
    pub(in crate::api) now: Micros,
}

/// The file of a list.
pub(in crate::api) async fn file(
    app: &App,
    access: &ProjectRead,
    list: &str,
    query: &Query,
) -> Result<File, ApiError> {
    let (from, to) = (time(query, "from")?, time(query, "to")?);
    let now = app.now();
    let read = access.point(app, move |tx, place| {
        let project = projects::get(tx, place)?.ok_or(Refusal::NotFound(Thing::Project))?;
        Ok((project, test_clock::shown(tx, place, now)?))
    });
    let (project, now) = read.await?;
    Ok(File {
        name: named(list, &project.name, (from, to)),
        now,
    })
}

/// What a file is called: the list, whose it is, and the days that were asked for.
pub(in crate::api) fn named(
    list: &str,
    whose: &str,
    (from, to): (Option<Micros>, Option<Micros>),
) -> String {
    format!("{list}-{}-{}-utc", plain(whose), days(from, to))
}

/// Letters and digits are in every file system; anything else becomes a hyphen.
fn plain(name: &str) -> String {
    let letter = |c: char| match c.is_ascii_alphanumeric() || c == '.' || c == '_' {
        true => c,
        false => '-',
    };
    let name: String = name.chars().take(LONGEST).map(letter).collect();
    let name = name.trim_matches(|c| c == '-' || c == '.');
    match name.is_empty() {
        true => "project".to_owned(),
        false => name.to_owned(),
    }
}

/// The days of a range, the last one included.
fn days(from: Option<Micros>, to: Option<Micros>) -> String {
    let last = to.map(|to| to.plus(-1).day_text());
    match (from.map(Micros::day_text), last) {
        (Some(from), Some(last)) => format!("{from}_{last}"),
        (Some(from), None) => format!("from-{from}"),
        (None, Some(last)) => format!("to-{last}"),
        (None, None) => "all".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_nothing_that_a_file_must_not() {
        for (name, expected) in [
            ("App", "App"),
            ("My shop", "My-shop"),
            ("../../etc/passwd", "etc-passwd"),
            ("\"a\"; x\r\n", "a---x"),
            ("Ünïcode", "n-code"),
            ("…", "project"),
        ] {
            assert_eq!(plain(name), expected, "{name:?}");
        }
        assert_eq!(plain(&"a".repeat(300)).len(), LONGEST);
    }

    #[test]
    fn the_days_of_a_range_are_named() {
        let at = |text: &str| Micros::from_rfc3339(text);
        let (first, next) = (at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
        assert_eq!(days(first, next), "2026-11-01_2026-11-30");
        assert_eq!(days(first, None), "from-2026-11-01");
        assert_eq!(days(None, next), "to-2026-11-30");
        assert_eq!(days(None, None), "all");
    }
}
