//! When the program was changed, and what about it.

use std::collections::BTreeMap;

use billstack_core::period::Days;
use billstack_core::time::{DAY, Micros};
use billstack_store::activity::{self, ActivityFilter};
use billstack_store::list::Page;
use billstack_store::{Fault, Place, Tx};
use maud::{Markup, html};

use crate::pages::parts::time::short_day;
use crate::pages::teams::project::program::changed;

/// So many changes are looked at, the last ones.
const MOST: i64 = 20;

/// So many days are named one by one.
const DAYS: usize = 6;

/// So many settings are named of a day.
const NAMED: usize = 4;

/// A change of the program.
pub(super) struct Change {
    at: Micros,
    event_id: String,
    /// What the settings are called that it concerns.
    settings: Vec<&'static str>,
}

/// Those of some days, the last one first.
pub(super) fn read(tx: &mut dyn Tx, place: &Place, days: Days) -> Result<Vec<Change>, Fault> {
    let (from, to) = days.times();
    let filter = ActivityFilter {
        kind: Some("program.updated".to_owned()),
        subject: Some(place.project_id.to_string()),
        from: Some(from),
        to: Some(to),
        ..ActivityFilter::default()
    };
    let found = activity::list(tx, &place.team_id, &filter, &Page::first(MOST))?;
    let change = |told: activity::Told| Change {
        settings: changed(&told),
        at: told.deed.at,
        event_id: told.deed.id,
    };
    Ok(found.rows.into_iter().map(change).collect())
}

/// What was changed in each of some stretches of time.
pub(super) struct Marks(BTreeMap<i64, Vec<&'static str>>);

impl Marks {
    /// By what begins on the day that `start` tells of each day.
    pub(super) fn of(changes: &[Change], start: impl Fn(i64) -> i64) -> Marks {
        let mut marks: BTreeMap<i64, Vec<&'static str>> = BTreeMap::new();
        for change in changes.iter().rev() {
            let day = change.at.0.div_euclid(DAY);
            let settings = marks.entry(start(day)).or_default();
            for setting in &change.settings {
                if !settings.contains(setting) {
                    settings.push(setting);
                }
            }
        }
        Marks(marks)
    }

    /// What is said of the stretch that begins on this day; none where nothing was changed.
    pub(super) fn get(&self, start: i64) -> Option<String> {
        Some(format!("Changed: {}", list(self.0.get(&start)?)))
    }
}

/// Settings by their names; the last ones by their number where there are many.
fn list(settings: &[&str]) -> String {
    match settings {
        [] => "nothing that is shown here".to_owned(),
        many if many.len() > NAMED => {
            let (named, more) = many.split_at(NAMED - 1);
            format!("{} and {} more", named.join(", "), more.len())
        }
        _ => settings.join(", "),
    }
}

/// Each day once, the last one first, and what was changed on it.
pub(super) fn legend(path: &str, changes: &[Change]) -> Markup {
    let marks = Marks::of(changes, |day| day);
    let days: Vec<_> = marks.0.iter().rev().collect();
    // The last change of a day is the first that is told of it.
    let last = |day: i64| changes.iter().find(|one| one.at.0.div_euclid(DAY) == day);
    html! {
        @if !days.is_empty() {
            span.key.mark { "The program changed on " }
            ul {
                @for (day, settings) in days.iter().take(DAYS) {
                    @if let Some(change) = last(**day) {
                        li { a href={ (path) "/program#" (change.event_id) } { (short_day(change.at)) } ": " (list(settings)) }
                    }
                }
                @if days.len() > DAYS { li { a href={ (path) "/program#changes" } { "and before" } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_settings_are_a_few_and_a_number() {
        for (settings, said) in [
            (&["Budget"][..], "Budget"),
            (&["a", "b", "c", "d"], "a, b, c, d"),
            (&["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
            (&[], "nothing that is shown here"),
        ] {
            assert_eq!(list(settings), said);
        }
    }

    #[test]
    fn a_stretch_tells_each_setting_once() {
        let change = |day: i64, settings: &[&'static str]| Change {
            at: Micros(day * DAY),
            event_id: format!("evt_{day}"),
            settings: settings.to_vec(),
        };
        let changes = [change(9, &["b"]), change(8, &["a", "b"]), change(1, &["c"])];
        let marks = Marks::of(&changes, |day| day - day % 7);
        assert_eq!(marks.get(7).as_deref(), Some("Changed: a, b"));
        assert_eq!(marks.get(0).as_deref(), Some("Changed: c"));
        assert_eq!(marks.get(14), None);
    }
}
