//! Days of UTC in the filters of pages, where calls know times.

use billstack_core::time::{DAY, Micros};

use crate::clock::rfc3339;
use crate::http::query::Query;

/// What a call understands: a form knows days, and the last one is meant whole.
pub(in crate::pages) fn in_times(mut query: Query) -> Query {
    let day = |text: &str| Micros::from_rfc3339(&format!("{text}T00:00:00Z"));
    query.replace("from", |text| Some(rfc3339(day(text)?.0)));
    query.replace("to", |text| Some(rfc3339(day(text)?.plus(DAY).0)));
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_meant_whole() {
        let query = Query::parse(Some("from=2026-11-01&to=2026-11-30&code=x")).expect("a query");
        let times = in_times(query);
        let value = |name| times.optional_str(name, 64).expect("a value");
        assert_eq!(value("from"), Some("2026-11-01T00:00:00.000Z"));
        assert_eq!(value("to"), Some("2026-12-01T00:00:00.000Z"));
        assert_eq!(value("code"), Some("x"));
        let exact = Query::parse(Some("from=2026-11-01T10:00:00Z&to=never")).expect("a query");
        assert_eq!(in_times(exact.clone()), exact);
    }
}
