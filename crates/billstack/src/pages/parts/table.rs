//! Tables, of which each row becomes a block with labels on narrow screens.

use maud::{Markup, html};

use super::lock::Lock;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(in crate::pages) struct Column {
    name: &'static str,
    class: Option<&'static str>,
}

impl Column {
    /// A column of texts.
    pub(in crate::pages) const fn text(name: &'static str) -> Column {
        Column { name, class: None }
    }

    /// A column of our own words, which break between each other alone.
    pub(in crate::pages) const fn words(name: &'static str) -> Column {
        Column {
            name,
            class: Some("words"),
        }
    }

    /// A column of words, codes or times that are short enough to stand in one line.
    pub(in crate::pages) const fn short(name: &'static str) -> Column {
        Column {
            name,
            class: Some("keep"),
        }
    }

    /// A column of amounts, which stand one below the other at the right.
    pub(in crate::pages) const fn number(name: &'static str) -> Column {
        Column {
            name,
            class: Some("number"),
        }
    }
}

/// A table, or a sentence in its place while there are no rows.
pub(in crate::pages) fn table<const N: usize>(
    caption: &str,
    columns: [Column; N],
    rows: impl IntoIterator<Item = [Markup; N]>,
    empty: &str,
) -> Markup {
    let rows = rows.into_iter().map(Vec::from).collect();
    drawn(caption, &columns, rows, empty)
}

/// The same with a box in front of each row for those who may pick; for others without the column.
pub(in crate::pages) fn table_to_pick<const N: usize>(
    caption: &str,
    columns: [Column; N],
    rows: impl IntoIterator<Item = (Markup, [Markup; N])>,
    lock: &Lock,
) -> Markup {
    let of = |(pick, cells): (Markup, [Markup; N])| {
        let pick = lock.is_open().then_some(pick);
        pick.into_iter().chain(cells).collect()
    };
    let rows = rows.into_iter().map(of).collect();
    let pick = lock.is_open().then_some(Column::short("Pick"));
    let columns: Vec<_> = pick.into_iter().chain(columns).collect();
    drawn(caption, &columns, rows, "")
}

fn drawn(caption: &str, columns: &[Column], rows: Vec<Vec<Markup>>, empty: &str) -> Markup {
    if rows.is_empty() {
        return html! { p.empty { (empty) } };
    }
    html! {
        table.blocks {
            caption.hidden { (caption) }
            thead { tr { @for column in columns { th scope="col" class=[column.class] { (column.name) } } } }
            tbody {
                @for row in rows {
                    tr { @for (column, cell) in columns.iter().zip(&row) {
                        td data-label=(column.name) class=[column.class] { (cell) }
                    } }
                }
            }
        }
    }
}
