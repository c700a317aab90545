//! Numbers as people read them, and how they compare.

use maud::{Markup, html};

/// A count: `1,234`.
pub(in crate::pages) fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match number < 0 {
        true => format!("-{grouped}"),
        false => grouped,
    }
}

/// So many of so many: `12.5 %`; nothing where there are none.
pub(in crate::pages) fn rate(part: i64, of: i64) -> String {
    match of > 0 {
        true => format!("{} %", short(part as f64 * 100.0 / of as f64)),
        false => "–".to_owned(),
    }
}

/// With one decimal while it is small.
fn short(number: f64) -> String {
    let tenths = (number.abs() * 10.0).round() as i64;
    match tenths < 1000 && tenths % 10 != 0 {
        true => format!("{}.{}", tenths / 10, tenths % 10),
        false => count((tenths + 5) / 10),
    }
}

/// How a figure stands beside the one before: a sign, words for those who do not see it, by how much, and on what.
pub(in crate::pages) fn change(now: f64, before: f64, as_before: &str) -> Markup {
    let percent = (now - before) / before * 100.0;
    html! {
        @if before == 0.0 && now == 0.0 { "As before" }
        @else if before == 0.0 { "None before" }
        @else if percent.abs() < 0.05 { "As before" }
        @else { (sign(percent > 0.0)) (short(percent)) " % on " (as_before) }
    }
}

/// The same for a figure that is itself in hundredths.
pub(in crate::pages) fn points(now: Option<f64>, before: Option<f64>, as_before: &str) -> Markup {
    let by = now.zip(before).map(|(now, before)| now - before);
    html! {
        @match by {
            None => "Nothing before",
            Some(by) if by.abs() < 0.05 => "As before",
            Some(by) => { (sign(by > 0.0)) (short(by)) " points on " (as_before) }
        }
    }
}

fn sign(is_more: bool) -> Markup {
    let (sign, word) = match is_more {
        true => ("▲", "more by"),
        false => ("▼", "less by"),
    };
    html! { span aria-hidden="true" { (sign) " " } span.hidden { (word) " " } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
            (-1_000, "-1,000"),
        ] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn a_rate_of_nothing_is_none() {
        for (part, of, text) in [
            (0, 0, "–"),
            (3, 0, "–"),
            (1, 4, "25 %"),
            (1, 8, "12.5 %"),
            (3, 2, "150 %"),
            (9999, 10_000, "100 %"),
            (2, 3, "66.7 %"),
        ] {
            assert_eq!(rate(part, of), text, "{part} of {of}");
        }
    }

    #[test]
    fn a_change_says_which_way_and_by_how_much() {
        let text = |now, before| {
            let html = change(now, before, &count(before as i64)).into_string();
            html.replace("<span aria-hidden=\"true\">▲ </span>", "+")
                .replace("<span aria-hidden=\"true\">▼ </span>", "-")
                .replace("<span class=\"hidden\">more by </span>", "")
                .replace("<span class=\"hidden\">less by </span>", "")
        };
        for (now, before, expected) in [
            (0.0, 0.0, "As before"),
            (5.0, 0.0, "None before"),
            (5.0, 5.0, "As before"),
            (0.0, 5.0, "-100 % on 5"),
            (12.0, 10.0, "+20 % on 10"),
            (10.0, 12.0, "-16.7 % on 12"),
            (13_953.0, 1_746.0, "+699 % on 1,746"),
        ] {
            assert_eq!(text(now, before), expected, "{now} after {before}");
        }
        assert_eq!(
            points(None, Some(1.0), "1 %").into_string(),
            "Nothing before"
        );
        let points = points(Some(20.0), Some(25.5), "25.5 %").into_string();
        assert!(points.ends_with("5.5 points on 25.5 %"), "{points}");
    }
}
