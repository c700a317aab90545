//! Figures beside those before, and the chart of the one that was chosen.

use std::collections::BTreeMap;

use billstack_core::period::{Days, Step};
use billstack_core::time::{DAY, Micros};
use billstack_store::Place;
use billstack_store::overview::{Change, Totals};
use maud::{Markup, html};

use super::Told;
use super::asked::{Asked, QUICK, USUAL};
use super::metric::Metric;
use crate::api::referrals::overview::steps;
use crate::http::query::Query;
use crate::pages::parts::chart::{Point, chart};
use crate::pages::parts::form::{apply, choice, line};
use crate::pages::parts::pager::with_query;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::{day, short_day};
use crate::pages::teams::project::address;

/// So many changes of the program are named one by one.
const NAMED: usize = 6;

/// The filters, by the names of the API; the last one is the page's own.
const FILTERS: [&str; 4] = ["from", "to", "by", "metric"];

/// The figures and the chart, or what stands in its place.
pub(super) fn show(place: &Place, query: &Query, told: &Told, instead: Option<Markup>) -> Markup {
    let kept = query.only(&FILTERS);
    let path = address(&place.team_id, &place.project_id);
    let to = To {
        path: &path,
        kept: &kept,
    };
    html! {
        div.head { (days_form(&to, &told.asked)) (quick(&to, &told.asked)) }
        @if told.asked.is_ahead() { p.empty { "These days have not begun." } }
        @else {
            section.board {
                (figures(&to, told))
                @match instead { Some(instead) => (instead), None => (trend(&path, told)) }
            }
        }
    }
}

/// An address of this page with the filters that are kept.
struct To<'t> {
    path: &'t str,
    kept: &'t [(&'t str, &'t str)],
}

impl To<'_> {
    fn with(&self, changed: &[(&str, Option<&str>)]) -> String {
        let is_kept = |(name, _): &&(&str, &str)| changed.iter().all(|(other, _)| other != name);
        let kept = self.kept.iter().filter(is_kept).copied();
        let changed = changed
            .iter()
            .filter_map(|(name, value)| Some((*name, (*value)?)));
        let all: Vec<_> = kept.chain(changed).collect();
        with_query(self.path, &all)
    }
}

fn start_of(day: i64) -> Micros {
    Micros(day.saturating_mul(DAY))
}

/// The usual stretches of days, which end today.
fn quick(to: &To<'_>, asked: &Asked) -> Markup {
    html! {
        nav.segments aria-label="Days" {
            @for (count, name) in QUICK {
                @let from = start_of(asked.today - count + 1).day_text();
                @let from = (count != USUAL).then_some(from.as_str());
                @let is_here = asked.quick() == Some(count);
                a href=(to.with(&[("from", from), ("to", None), ("by", None)])) aria-current=[is_here.then_some("true")] { (name) }
            }
        }
    }
}

fn days_form(to: &To<'_>, asked: &Asked) -> Markup {
    let Days { first, last } = asked.days;
    let usual = asked
        .quick()
        .is_some_and(|days| QUICK.iter().any(|(count, _)| *count == days));
    let is_kept = |name: &str| to.kept.iter().any(|(other, _)| *other == name);
    let steps = [("day", "day"), ("week", "week"), ("month", "month")];
    html! {
        details open[!usual || is_kept("by")] {
            summary { (day(start_of(first))) " to " (day(start_of(last))) ", UTC" }
            form.row.filters method="get" autocomplete="off" action=(to.path) {
                (line("From (UTC)", "from", "date", &start_of(first).day_text()))
                (line("To (UTC)", "to", "date", &start_of(last).day_text()))
                (choice("By", "by", steps, asked.step.as_str()))
                input type="hidden" name="metric" value=(asked.metric.name());
                (apply(to.path, !to.kept.is_empty()))
            }
        }
    }
}

/// A figure each, which chooses what the chart shows, and the way to its rows.
fn figures(to: &To<'_>, told: &Told) -> Markup {
    let (now, before) = (&told.overview.totals, &told.overview.before);
    let mut currencies: Vec<_> = now
        .credited
        .keys()
        .chain(before.credited.keys())
        .copied()
        .collect();
    if let Metric::Credited(currency) = &told.asked.metric {
        currencies.push(*currency);
    }
    currencies.sort_unstable();
    currencies.dedup();
    html! {
        ul.tiles {
            @for metric in Metric::all(currencies) {
                @let (name, is_shown) = (metric.name(), metric == told.asked.metric);
                li {
                    a.tile href=(to.with(&[("metric", Some(name.as_str()))])) aria-current=[is_shown.then_some("true")] {
                        span { (metric.title()) }
                        strong { (metric.text(now)) }
                        span.quiet { (metric.change(now, before)) }
                    }
                    (rows_of(&metric, to.path, told))
                }
            }
        }
    }
}

/// The rows that a figure counts.
fn rows_of(metric: &Metric, path: &str, told: &Told) -> Markup {
    let days = told.asked.days;
    let range = format!(
        "from={}&to={}",
        start_of(days.first).day_text(),
        start_of(days.last).day_text()
    );
    let (place, name) = match metric {
        Metric::Clicks => (format!("{path}/clicks?{range}"), "Clicks"),
        Metric::Applied => (format!("{path}/referrals?{range}"), "Referrals"),
        Metric::Converted | Metric::Rate => (
            format!("{path}/referrals?{range}&sort=converted"),
            "Conversions",
        ),
        Metric::Credited(currency) => (
            format!("{path}/credits?{range}&currency={currency}"),
            "Credits",
        ),
    };
    html! { a.rows href=(place) { (name) } }
}

/// Whether nothing has ever happened here.
pub(super) fn is_empty(told: &Told) -> bool {
    let (now, ever) = (&told.overview.totals, &told.ever);
    let is_none = |totals: &Totals| *totals == Totals::default();
    ever.pending + ever.converted + ever.expired == 0
        && is_none(now)
        && is_none(&told.overview.before)
}

fn trend(path: &str, told: &Told) -> Markup {
    let Told {
        asked, overview, ..
    } = told;
    let metric = &asked.metric;
    let now = steps(&overview.days, asked.days, asked.step);
    let before = steps(&overview.earlier, asked.days.before(), asked.step);
    let points = points(asked, &now, &before, &overview.changes);
    let label = format!(
        "{} by {} from {} to {}. The table below tells each.",
        metric.title(),
        asked.step,
        start_of(asked.days.first).day_text(),
        start_of(asked.days.last).day_text()
    );
    html! {
        figure {
            (chart(&label, &points, metric.least(), |value| metric.axis(value)))
            figcaption {
                span.key.now { (metric.title()) }
                span.key.then { "The " (asked.days.count()) " days before" }
                @if asked.is_running() { span.key.running { (not_over(asked.step)) } }
                @if asked.is_coarser() { span { "By " (asked.step) ", as these are too many days for a chart." } }
                (changes(path, &overview.changes))
            }
        }
        details {
            summary { "As a table" }
            (as_table(metric, &now, &before, asked.step))
        }
    }
}

fn points(
    asked: &Asked,
    now: &[(i64, Totals)],
    before: &[(i64, Totals)],
    changes: &[Change],
) -> Vec<Point> {
    let mut marks: BTreeMap<i64, usize> = BTreeMap::new();
    for change in changes {
        let day = change.at.0.div_euclid(DAY);
        *marks.entry(asked.step.start(day)).or_default() += 1;
    }
    let metric = &asked.metric;
    let point = |(index, (start, totals)): (usize, &(i64, Totals))| {
        let earlier = before.get(index).map(|(_, totals)| totals);
        let mut says = format!("{}: {}", named(*start, asked.step), metric.text(totals));
        if let Some(earlier) = earlier {
            says.push_str(&format!(" (before: {})", metric.text(earlier)));
        }
        if marks.contains_key(start) {
            says.push_str(". The program was changed.");
        }
        Point {
            name: match asked.step {
                Step::Month => month(*start),
                _ => short_day(start_of(*start)),
            },
            value: metric.of(totals),
            before: earlier.and_then(|earlier| metric.of(earlier)),
            says,
            is_marked: marks.contains_key(start),
            is_running: asked.is_running() && index + 1 == now.len(),
        }
    };
    now.iter().enumerate().map(point).collect()
}

fn not_over(step: Step) -> &'static str {
    match step {
        Step::Week => "This week is not over",
        Step::Month => "This month is not over",
        _ => "Today is not over",
    }
}

fn month(start: i64) -> String {
    let day = short_day(start_of(start));
    let year = start_of(start).day_text();
    format!(
        "{} {}",
        day.rsplit(' ').next().unwrap_or_default(),
        &year[..4]
    )
}

fn named(start: i64, step: Step) -> String {
    match step {
        Step::Month => month(start),
        Step::Week => format!("Week of {}", short_day(start_of(start))),
        _ => short_day(start_of(start)),
    }
}

/// When the program changed, the last change first.
fn changes(path: &str, changes: &[Change]) -> Markup {
    html! {
        @if !changes.is_empty() {
            span.key.mark {
                "The program changed on "
                @for (index, change) in changes.iter().take(NAMED).enumerate() {
                    @if index > 0 { ", " }
                    a href={ (path) "/program" } { (short_day(change.at)) }
                }
                @if changes.len() > NAMED { " and before" }
            }
        }
    }
}

fn as_table(
    metric: &Metric,
    now: &[(i64, Totals)],
    before: &[(i64, Totals)],
    step: Step,
) -> Markup {
    let columns = [
        Column::short("Time"),
        Column::number("Figure"),
        Column::number("Before"),
    ];
    let rows = now.iter().enumerate().map(|(index, (start, totals))| {
        let earlier = before.get(index).map(|(_, totals)| metric.text(totals));
        [
            html! { (named(*start, step)) },
            html! { (metric.text(totals)) },
            html! { (earlier.unwrap_or_default()) },
        ]
    });
    let caption = format!("{} by {step}", metric.title());
    table(&caption, columns, rows, "")
}
