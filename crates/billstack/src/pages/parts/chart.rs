//! A chart of one figure over time, drawn by the server: it takes the width that there is, and needs no script.
//!
//! Places along the time are per cent of the width, so that texts keep their size when the chart becomes narrow. Only the
//! line itself is stretched, in a picture of its own.

use std::fmt::Write as _;

use maud::{Markup, html};

/// Up to so many points each has a dot.
const DOTS: usize = 31;

/// How many names of times stand below the chart at most.
const NAMES: usize = 6;

/// Where the line runs, from the top of the chart.
const TOP: f64 = 14.0;
const BOTTOM: f64 = 200.0;

/// The width of the stretched picture, in units of its own.
const WIDTH: f64 = 1000.0;

/// One step of time.
#[derive(Clone, Debug, Default)]
pub(in crate::pages) struct Point {
    /// When, for a place below the chart: `3 Nov`.
    pub(in crate::pages) name: String,
    /// The figure; none where there is nothing to tell.
    pub(in crate::pages) value: Option<f64>,
    /// That of the period before.
    pub(in crate::pages) before: Option<f64>,
    /// What is said of the step.
    pub(in crate::pages) says: String,
    /// Whether something happened that explains a change.
    pub(in crate::pages) is_marked: bool,
    /// Whether it is not over yet, so that its figure may still grow.
    pub(in crate::pages) is_running: bool,
}

/// The chart. `label` says what it shows to those who do not see it; `axis` writes a value beside a line of the grid.
/// `least` is the smallest step between two of these.
pub(in crate::pages) fn chart(
    label: &str,
    points: &[Point],
    least: f64,
    axis: impl Fn(f64) -> String,
) -> Markup {
    let values = points.iter().flat_map(|point| [point.value, point.before]);
    let most = values.flatten().fold(0.0, f64::max);
    let grid = grid(most, least);
    let top = grid.last().copied().unwrap_or(1.0);
    let y = |value: f64| BOTTOM - value / top * (BOTTOM - TOP);
    let place = |index: usize| percent(at(index, points.len()));
    let line = |figure: fn(&Point) -> Option<f64>| {
        let figures = points.iter().map(figure);
        path(figures.map(|value| value.map(y)))
    };
    let over = line(|point| point.value.filter(|_| !point.is_running));
    let before = line(|point| point.before);
    let running = running(points, y);
    html! {
        svg.chart role="img" aria-label=(label) height="228" width="100%" {
            @for value in &grid {
                line.grid x1="0" x2="100%" y1=(short(y(*value))) y2=(short(y(*value))) {}
            }
            svg width="100%" height=(BOTTOM) viewBox={ "0 0 " (WIDTH) " " (BOTTOM) } preserveAspectRatio="none" {
                path.area d=(over.area) {}
                path.before d=(before.line) vector-effect="non-scaling-stroke" {}
                path.line d=(over.line) vector-effect="non-scaling-stroke" {}
                @if let Some(running) = running { path.line.running d=(running) vector-effect="non-scaling-stroke" {} }
            }
            @for value in &grid[1..] {
                text x="0" y=(short(y(*value) - 4.0)) { (axis(*value)) }
            }
            @for (index, point) in points.iter().enumerate() {
                @if let Some(value) = point.value.filter(|_| points.len() <= DOTS) {
                    circle cx=(place(index)) cy=(short(y(value))) r="3" {}
                }
                @if point.is_marked {
                    line.mark x1=(place(index)) x2=(place(index)) y1="8" y2=(BOTTOM) {}
                    svg.mark x=(place(index)) { path d="M0 0l5 5-5 5-5-5z" {} }
                }
            }
            (names(points))
            (says(points))
        }
    }
}

/// Names of some steps, the same number of steps apart, the last one at the end. Every second one has no room where it is
/// narrow.
fn names(points: &[Point]) -> Markup {
    let every = points.len().div_ceil(NAMES).max(1);
    let last = points.len().saturating_sub(1);
    let named = (0..points.len()).rev().step_by(every);
    html! {
        @for (nth, index) in named.enumerate() {
            @let (place, end) = (at(index, points.len()), "228");
            @let anchor = match place {
                place if points.len() > 1 && index == last && place > 0.99 => "end",
                place if points.len() > 1 && place < 0.04 => "start",
                _ => "middle",
            };
            text.minor[nth % 2 == 1] x=(percent(place)) y=(end) dy="-8" text-anchor=(anchor) { (points[index].name) }
        }
    }
}

/// The way to a step that is not over, from the one before it.
fn running(points: &[Point], y: impl Fn(f64) -> f64) -> Option<String> {
    let [.., before, last] = points else {
        return None;
    };
    let (from, to) = before.value.zip(last.value.filter(|_| last.is_running))?;
    let x = |index| short(at(index, points.len()) * WIDTH);
    let of = points.len();
    Some(format!(
        "M{} {}L{} {}",
        x(of - 2),
        short(y(from)),
        x(of - 1),
        short(y(to))
    ))
}

/// What is told of a step while a pointer is above it. It stands at one place, which has room on every screen.
fn says(points: &[Point]) -> Markup {
    let width = 1.0 / points.len().max(1) as f64;
    html! {
        g.says {
            @for (index, point) in points.iter().enumerate() {
                @let middle = at(index, points.len());
                @let (from, to) = ((middle - width / 2.0).max(0.0), (middle + width / 2.0).min(1.0));
                rect x=(percent(from)) width=(percent(to - from)) y="0" height=(BOTTOM) {}
                text x="100%" y="10" text-anchor="end" { (point.says) }
            }
        }
    }
}

/// Where a step stands, from 0 at the left to 1 at the right.
fn at(index: usize, of: usize) -> f64 {
    match of > 1 {
        true => index as f64 / (of - 1) as f64,
        false => 0.5,
    }
}

fn percent(part: f64) -> String {
    format!("{}%", short(part * 100.0))
}

/// A length with two decimals at most.
fn short(length: f64) -> String {
    let text = format!("{length:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A line, and what is below it.
struct Path {
    line: String,
    area: String,
}

/// The way through the points; where there is none the line has a gap.
fn path(heights: impl ExactSizeIterator<Item = Option<f64>>) -> Path {
    let (of, mut began) = (heights.len(), None);
    let (mut line, mut area) = (String::new(), String::new());
    let mut end = (0.0, BOTTOM);
    for (index, height) in heights.enumerate() {
        let Some(height) = height else {
            close(&mut area, began.take(), end.0);
            continue;
        };
        let x = at(index, of) * WIDTH;
        let step = match began {
            Some(_) => 'L',
            None => 'M',
        };
        began.get_or_insert(x);
        // Text takes everything.
        let _ = write!(line, "{step}{} {}", short(x), short(height));
        let _ = write!(area, "{step}{} {}", short(x), short(height));
        end = (x, height);
    }
    close(&mut area, began, end.0);
    Path { line, area }
}

fn close(area: &mut String, began: Option<f64>, end: f64) {
    if let Some(began) = began {
        let _ = write!(area, "L{} {BOTTOM}L{} {BOTTOM}Z", short(end), short(began));
    }
}

/// Round values from 0 to one that is not below the most, two or three steps apart where the least step allows it.
fn grid(most: f64, least: f64) -> Vec<f64> {
    let wanted = (most / 3.0).max(least);
    let power = 10_f64.powf(wanted.log10().floor());
    let sizes = [1.0, 2.0, 2.5, 5.0, 10.0].map(|size| size * power);
    let is_whole = |step: f64| (step / least - (step / least).round()).abs() < 1e-6;
    let fits = |step: &f64| *step >= wanted * (1.0 - 1e-9) && is_whole(*step);
    let step = sizes.into_iter().find(fits).unwrap_or(wanted.ceil());
    let steps = (most / step - 1e-9).ceil().max(1.0) as u32;
    (0..=steps).map(|count| f64::from(count) * step).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_beside_the_grid_are_round() {
        for (most, least, expected) in [
            (0.0, 1.0, vec![0.0, 1.0]),
            (1.0, 1.0, vec![0.0, 1.0]),
            (3.0, 1.0, vec![0.0, 1.0, 2.0, 3.0]),
            (7.0, 1.0, vec![0.0, 5.0, 10.0]),
            (100.0, 1.0, vec![0.0, 50.0, 100.0]),
            (1_234.0, 1.0, vec![0.0, 500.0, 1_000.0, 1_500.0]),
            (0.05, 0.01, vec![0.0, 0.02, 0.04, 0.06]),
        ] {
            let found = grid(most, least);
            let near = |(one, other): (&f64, &f64)| (one - other).abs() < 1e-9;
            assert_eq!(found.len(), expected.len(), "{most}: {found:?}");
            assert!(found.iter().zip(&expected).all(near), "{most}: {found:?}");
        }
    }

    #[test]
    fn a_line_has_a_gap_where_there_is_nothing_to_tell() {
        let told = path([Some(10.0), None, Some(20.0), Some(30.0), None].into_iter());
        assert_eq!(told.line, "M0 10M500 20L750 30");
        assert_eq!(
            told.area,
            "M0 10L0 200L0 200ZM500 20L750 30L750 200L500 200Z"
        );
        let none = path(std::iter::empty());
        assert_eq!((none.line.as_str(), none.area.as_str()), ("", ""));
    }

    #[test]
    fn one_day_alone_stands_in_the_middle() {
        let point = Point {
            name: "3 Nov".to_owned(),
            value: Some(4.0),
            ..Point::default()
        };
        let drawn = chart("Clicks", &[point], 1.0, |value| value.to_string()).into_string();
        assert!(drawn.contains("cx=\"50%\""), "{drawn}");
        assert!(drawn.contains("text-anchor=\"middle\">3 Nov<"), "{drawn}");
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
    }

    #[test]
    fn a_step_that_is_not_over_is_apart() {
        let mut points = [2.0, 4.0, 1.0].map(|value| Point {
            value: Some(value),
            ..Point::default()
        });
        let drawn =
            |points: &[Point]| chart("Clicks", points, 1.0, |v| v.to_string()).into_string();
        assert!(
            drawn(&points).contains("L1000 153.5\" vector"),
            "{}",
            drawn(&points)
        );
        assert!(!drawn(&points).contains("running"));
        points[2].is_running = true;
        let drawn = drawn(&points);
        assert!(
            drawn.contains("class=\"line running\" d=\"M500 14L1000 153.5\""),
            "{drawn}"
        );
        assert_eq!(drawn.matches("L1000 153.5").count(), 1, "{drawn}");
    }

    proptest! {
        #[test]
        fn the_grid_holds_every_value(most in 0.0..1e12_f64, least in proptest::sample::select(vec![1.0, 0.01, 0.001])) {
            let grid = grid(most, least);
            prop_assert!((2..=5).contains(&grid.len()), "{grid:?}");
            prop_assert!(*grid.last().unwrap() >= most * (1.0 - 1e-9));
            prop_assert!(grid.is_sorted_by(|one, other| one < other));
        }
    }
}
