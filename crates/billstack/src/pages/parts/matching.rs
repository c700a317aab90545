//! How many rows match the filters of a list.

use billstack_core::money::Currency;
use billstack_core::period::Days;
use billstack_core::time::Micros;
use billstack_store::list::{Page, Part};
use maud::{Markup, html};

use super::money::amount;
use super::numbers::count;

/// So many are counted, where no counter knows how many there are.
const MOST: Page = Page::first(1_000);

/// How many there are, and what they come to.
#[derive(Clone, Debug, Default)]
pub(in crate::pages) struct Matching {
    number: i64,
    /// Whether there are more than these.
    is_more: bool,
    /// Sums by currency, where the rows are money.
    sums: Vec<(Currency, i64)>,
}

impl Matching {
    /// As counters tell it.
    pub(in crate::pages) fn counted(
        number: i64,
        sums: impl IntoIterator<Item = (Currency, i64)>,
    ) -> Matching {
        Matching {
            number,
            is_more: false,
            sums: sums.into_iter().collect(),
        }
    }

    /// As the list itself tells: `part` is a page of it, the first or any other, and `list` reads others.
    pub(in crate::pages) fn listed<T, E>(
        part: &Part<T>,
        is_first: bool,
        list: impl FnOnce(&Page) -> Result<Part<T>, E>,
        sums: impl Fn(&[T]) -> Vec<(Currency, i64)>,
    ) -> Result<Matching, E> {
        let whole = (!is_first || part.next.is_some()).then(|| list(&MOST));
        let whole = whole.transpose()?;
        let whole = whole.as_ref().unwrap_or(part);
        Ok(Matching {
            number: i64::try_from(whole.rows.len()).unwrap_or(i64::MAX),
            is_more: whole.next.is_some(),
            sums: match whole.next {
                // A part of a sum is none.
                Some(_) => Vec::new(),
                None => sums(&whole.rows),
            },
        })
    }

    /// The sentence; nothing where nothing matches, which the list says itself.
    pub(in crate::pages) fn told(&self, one: &str, many: &str) -> Markup {
        let plus = if self.is_more { "+" } else { "" };
        html! {
            @if self.number > 0 {
                p {
                    strong { (count(self.number)) (plus) } " " (if self.number == 1 { one } else { many })
                    @for (index, (currency, units)) in self.sums.iter().enumerate() {
                        @if index > 0 { " and " } @else { ", granted as " }
                        strong { (amount(*units, *currency)) }
                    }
                    "."
                }
            }
        }
    }
}

/// The days of a range of times that is whole days; open where it has no end.
pub(in crate::pages) fn days_of((from, to): (Option<Micros>, Option<Micros>)) -> Option<Days> {
    let days = Days::holding(from.unwrap_or(Micros(0)), to.unwrap_or(Micros(i64::MAX)));
    let (first, last) = days.times();
    let is_whole = from.is_none_or(|from| from == first) && to.is_none_or(|to| to == last);
    is_whole.then_some(days)
}

#[cfg(test)]
mod tests {
    use billstack_core::time::DAY;
    use billstack_store::list::Cursor;

    use super::*;

    fn told(rows: i64, has_next: bool, is_first: bool) -> String {
        let part = |rows: i64, has_next: bool| Part {
            rows: (0..rows).collect(),
            next: has_next.then(|| Cursor {
                at: 1,
                key: "x".to_owned(),
            }),
        };
        let usd = |rows: &[i64]| vec![(Currency::USD, rows.len() as i64 * 100)];
        let page = part(rows.min(2), has_next || !is_first);
        let list = |_: &Page| Ok::<_, ()>(part(rows, has_next));
        let found = Matching::listed(&page, is_first, list, usd).expect("no fault");
        found.told("row", "rows").into_string()
    }

    #[test]
    fn a_list_says_how_many_it_has() {
        assert_eq!(told(0, false, true), "");
        assert!(told(1, false, true).contains("1</strong> row, granted as"));
        assert!(told(2, false, true).contains(">2.00 USD<"));
        // A later page is no whole list.
        assert!(told(7, false, false).contains("7</strong> rows, granted as"));
        let many = told(1_000, true, true);
        assert_eq!(many, "<p><strong>1,000+</strong> rows.</p>");
    }

    #[test]
    fn counters_know_whole_days() {
        let day = |number: i64| Some(Micros(number * DAY));
        let days = days_of((day(5), day(7))).expect("days");
        assert_eq!((days.first, days.last), (5, 6));
        assert!(days_of((None, None)).is_some_and(|days| days.first == 0));
        assert_eq!(days_of((Some(Micros(5 * DAY + 1)), day(7))), None);
        assert_eq!(days_of((day(5), Some(Micros(7 * DAY + 1)))), None);
    }
}
