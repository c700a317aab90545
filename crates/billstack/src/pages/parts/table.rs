//! Tables, of which each row becomes a block with labels on narrow screens.

use maud::{Markup, html};

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
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return html! { p.empty { (empty) } };
    }
    html! {
        table {
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
