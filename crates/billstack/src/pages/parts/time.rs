//! Times: UTC as they are sent, and the zone of the browser where there are scripts.

use billstack_core::explanation::{Part, Sentence};
use billstack_core::time::Micros;
use maud::{Markup, html};

use crate::clock::rfc3339;

/// A moment.
pub(in crate::pages) fn moment(at: Micros) -> Markup {
    let exact = rfc3339(at.0);
    html! { time datetime=(exact) data-moment { (shown(&exact)) } }
}

/// A sentence that tells times.
pub(in crate::pages) fn sentence(told: &Sentence) -> Markup {
    html! {
        @for part in told.parts() {
            @match part {
                Part::Words(words) => { (words) }
                Part::At(at) => { (moment(*at)) }
            }
        }
    }
}

/// The day of a moment, for tables that have no room for its time; that shows with the focus.
pub(in crate::pages) fn on(at: Micros) -> Markup {
    let exact = rfc3339(at.0);
    html! { time datetime=(exact) data-moment="day" { (date(&exact)) } }
}

/// A moment in UTC, whatever the zone of the browser: on sheets that others read elsewhere.
pub(in crate::pages) fn moment_utc(at: Micros) -> Markup {
    let exact = rfc3339(at.0);
    html! { time datetime=(exact) { (shown(&exact)) } }
}

/// A day of UTC.
pub(in crate::pages) fn day(at: Micros) -> Markup {
    let exact = rfc3339(at.0);
    html! { time datetime=(&exact[..10]) { (date(&exact)) } }
}

/// A day of UTC without its year: `30 Mar`.
pub(in crate::pages) fn short_day(at: Micros) -> String {
    let day = date(&rfc3339(at.0));
    day.rsplit_once(' ')
        .map_or(day.clone(), |(day, _)| day.to_owned())
}

/// A month of UTC: `March 2026`.
pub(in crate::pages) fn month_name(at: Micros) -> String {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let day = at.day_text();
    let month = day[5..7].parse::<usize>().unwrap_or(1);
    format!("{} {}", NAMES[(month - 1) % 12], &day[..4])
}

/// `30 Mar 2026, 12:00 UTC`
fn shown(exact: &str) -> String {
    format!("{}, {} UTC", date(exact), &exact[11..16])
}

fn date(exact: &str) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = exact[5..7].parse::<usize>().unwrap_or(1);
    let day = exact[8..10].trim_start_matches('0');
    format!("{day} {} {}", MONTHS[(month - 1) % 12], &exact[..4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_a_name() {
        let of = |text: &str| month_name(Micros::from_rfc3339(text).expect("a time"));
        assert_eq!(of("2026-10-01T00:00:00Z"), "October 2026");
        assert_eq!(of("2027-01-31T00:00:00Z"), "January 2027");
    }

    #[test]
    fn a_moment_says_its_zone() {
        let at = Micros::from_rfc3339("2026-03-05T09:07:00Z").unwrap();
        assert_eq!(
            moment(at).into_string(),
            "<time datetime=\"2026-03-05T09:07:00.000Z\" data-moment>5 Mar 2026, 09:07 UTC</time>"
        );
        assert_eq!(
            on(at).into_string(),
            "<time datetime=\"2026-03-05T09:07:00.000Z\" data-moment=\"day\">5 Mar 2026</time>"
        );
        assert_eq!(short_day(at), "5 Mar");
        assert_eq!(month_name(at), "March 2026");
        let utc = moment_utc(at).into_string();
        assert!(utc.contains(">5 Mar 2026, 09:07 UTC<") && !utc.contains("data-moment"));
        assert!(day(at).into_string().contains(">5 Mar 2026<"));
    }
}
