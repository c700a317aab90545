//! The way through a list: by cursor, never by number.

use billstack_store::list::Cursor;
use maud::{Markup, html};
use url::form_urlencoded::Serializer;

use crate::error::{ApiError, Reason};
use crate::http::known;
use crate::http::query::Query;

/// The parameter with the cursors of the pages before, but the first, which has none.
const BEFORE: &str = "before";

/// What else the address of a list may have: which page, and what a form has done.
const BESIDES: [&str; 5] = ["limit", "offset", "cursor", BEFORE, "done"];

/// What parts them. No id has it.
const BLANK: char = ' ';

/// So many pages can be gone back one by one.
const MOST: usize = 20;

/// What stands for pages that are further back.
const FURTHER: &str = "-";

/// What the ways to other pages are called.
#[derive(Clone, Copy, Debug)]
pub(in crate::pages) struct Words {
    first: &'static str,
    back: &'static str,
    on: &'static str,
}

/// Of a list that begins with the newest.
pub(in crate::pages) const NEWEST_FIRST: Words = Words {
    first: "Newest",
    back: "Newer",
    on: "Older",
};

/// Of a list that begins with the oldest.
pub(in crate::pages) const OLDEST_FIRST: Words = Words {
    first: "From the beginning",
    back: "Earlier",
    on: "Later",
};

/// Where in a list somebody is, and by which pages they came there.
///
/// The way back is in the address, so it needs no query that runs backwards, and every list has it, whatever its order
/// and however a page of it is found. It shows the pages that were shown before.
#[derive(Clone, Debug, Default)]
pub(in crate::pages) struct Trail {
    /// None on the first page.
    here: Option<String>,
    before: Vec<String>,
}

impl Trail {
    /// Reads it from the address of a page.
    pub(in crate::pages) fn of(query: &Query) -> Trail {
        let value = |wanted: &str| query.pairs().find(|(name, _)| *name == wanted);
        let here = value("cursor").map(|(_, cursor)| cursor.to_owned());
        let before = value(BEFORE).map(|(_, before)| before.split(BLANK));
        let before = before.into_iter().flatten().map(str::to_owned);
        Trail {
            before: before.collect(),
            here,
        }
    }

    /// What leads back by a page: nothing where that is the first one.
    fn back(&self) -> Option<Vec<(&'static str, String)>> {
        self.here.as_ref()?;
        let Some((cursor, before)) = self.before.split_last() else {
            return Some(Vec::new());
        };
        (cursor != FURTHER).then(|| with(cursor.clone(), before))
    }

    /// What leads on to a page.
    fn on(&self, cursor: String) -> Vec<(&'static str, String)> {
        let mut before = self.before.clone();
        before.extend(self.here.clone());
        if before.len() > MOST {
            before.drain(..before.len() - MOST);
            before.insert(0, FURTHER.to_owned());
        }
        with(cursor, &before)
    }
}

fn with(cursor: String, before: &[String]) -> Vec<(&'static str, String)> {
    let mut pairs = vec![("cursor", cursor)];
    if !before.is_empty() {
        pairs.push((BEFORE, before.join(&BLANK.to_string())));
    }
    pairs
}

/// Refuses a filter that the list does not have: it would find everything.
///
/// # Errors
/// 400 for any other name than those of these filters, and those that say which page.
pub(in crate::pages) fn only_known(query: &Query, filters: &[&str]) -> Result<(), ApiError> {
    let mut names = query.names();
    let unknown = names.find(|name| !filters.contains(name) && !BESIDES.contains(name));
    let Some(name) = unknown else {
        return Ok(());
    };
    let meant = known::nearest(name, filters.iter().copied());
    let meant = meant.map(|meant| format!(" Is `{meant}` meant?"));
    let message = format!("There is no such filter.{}", meant.unwrap_or_default());
    let error = ApiError::new(Reason::UnknownParameter).field_as_sent(name);
    Err(error.message(message))
}

/// Links to newer rows and to older ones; nothing where one page holds all. `kept` are the filters, which each of the
/// links keeps.
pub(in crate::pages) fn pager(
    path: &str,
    kept: &[(&str, &str)],
    trail: &Trail,
    next: Option<&Cursor>,
) -> Markup {
    let next = next.map(Cursor::encode);
    ways(path, kept, trail, next, NEWEST_FIRST)
}

/// The same for a list whose cursors are texts, or whose order is another.
pub(in crate::pages) fn ways(
    path: &str,
    kept: &[(&str, &str)],
    trail: &Trail,
    next: Option<String>,
    words: Words,
) -> Markup {
    let address = |more: &[(&str, String)]| {
        let more = more.iter().map(|(name, value)| (*name, value.as_str()));
        let all: Vec<_> = kept.iter().copied().chain(more).collect();
        with_query(path, &all)
    };
    let newer = trail.back().map(|more| address(&more));
    let older = next.map(|cursor| address(&trail.on(cursor)));
    html! {
        @if trail.here.is_some() || older.is_some() {
            nav.pager aria-label="Pages" {
                @if trail.here.is_some() { a href=(with_query(path, kept)) { (words.first) } }
                @if let Some(newer) = newer { a href=(newer) rel="prev" { (words.back) } }
                @if let Some(older) = older { a href=(older) rel="next" { (words.on) } }
            }
        }
    }
}

/// An address with parameters.
pub(in crate::pages) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    if pairs.is_empty() {
        return path.to_owned();
    }
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(pairs: &[(&'static str, String)]) -> Trail {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        let address = with_query("", &pairs);
        let query = address.strip_prefix('?');
        Trail::of(&Query::parse(query).expect("a query"))
    }

    #[test]
    fn the_way_back_is_the_way_that_was_taken() {
        let first = Trail::default();
        assert_eq!(first.back(), None);
        let second = at(&first.on("2.ref_b".to_owned()));
        assert_eq!(second.back(), Some(Vec::new()));
        let third = at(&second.on("3.ref_c".to_owned()));
        assert_eq!(third.back(), Some(first.on("2.ref_b".to_owned())));
        let fourth = at(&third.on("4.ref_d".to_owned()));
        assert_eq!(fourth.back(), Some(second.on("3.ref_c".to_owned())));
    }

    #[test]
    fn so_far_back_and_no_further() {
        let mut trail = Trail::default();
        for page in 2..40 {
            trail = at(&trail.on(format!("{page}.x")));
        }
        for page in (39 - MOST..39).rev() {
            let back = trail.back().expect("a page");
            assert_eq!(back[0].1, format!("{page}.x"));
            trail = at(&back);
        }
        assert_eq!(trail.back(), None);
    }
}
