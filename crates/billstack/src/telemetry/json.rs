//! The log for machines: one JSON object a line.
//!
//! Lines of libraries come with the path of their source on the machine that built the program; that says nothing to
//! whoever runs it, and is left out.

use std::fmt::{self, Debug};
use std::panic;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::clock::{Clock, rfc3339};

/// How members begin that tell where in its source a library logs.
const OF_THE_SOURCE: &str = "log.";

/// The one such member that is of use: which part of which library it is.
const TARGET: &str = "log.target";

/// Writes lines of JSON.
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut members = Members(Map::new());
        let now = rfc3339(Clock::System.now_micros());
        members.set("timestamp", now.into());
        let metadata = event.metadata();
        members.set("level", metadata.level().as_str().into());
        event.record(&mut members);
        let Members(mut line) = members;
        let of_library = line.remove(TARGET);
        line.retain(|name, _| !name.starts_with(OF_THE_SOURCE));
        let target = of_library.unwrap_or_else(|| metadata.target().into());
        line.insert("target".to_owned(), target);
        if let Some(span) = context.lookup_current() {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>();
            let fields = fields.and_then(|fields| serde_json::from_str(&fields.fields).ok());
            let mut fields: Map<String, Value> = fields.unwrap_or_default();
            fields.insert("name".to_owned(), span.name().into());
            line.insert("span".to_owned(), fields.into());
        }
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// The members of a line.
struct Members(Map<String, Value>);

impl Members {
    fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }
}

impl Visit for Members {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.set(field.name(), format!("{value:?}").into());
    }
}

/// Makes each panic of this process a line like the others. It names the file, not where that lay.
pub fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let location = panic.location();
        let at = location.map(|at| {
            let name = at.file().rsplit('/').next().unwrap_or_default();
            format!("{name}:{}", at.line())
        });
        let text = panic.payload_as_str().unwrap_or("(no text)");
        tracing::error!(panic = text, at, "a thread panicked");
    }));
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::fmt::format::JsonFields;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_says_all_but_where_its_source_lay() {
        let lines = Lines::default();
        let kept = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || kept.clone())
            .fmt_fields(JsonFields::new())
            .event_format(JsonLines)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!("request", request_id = "abc");
            let _inside = span.enter();
            let none: Option<&str> = None;
            tracing::info!(status = 200_u16, latency_ms = 0.5, none, why = ?"x", "answered");
            tracing::warn!(
                log.target = "rustls::conn",
                log.file = ".cargo/registry/src/rustls/conn.rs",
                log.line = 7_u64,
                "odd"
            );
        });
        let text = String::from_utf8(lines.0.lock().expect("no panic").clone()).expect("UTF-8");
        let read: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(read[0]["message"], "answered");
        assert_eq!(
            (&read[0]["status"], &read[0]["latency_ms"]),
            (&200.into(), &0.5.into())
        );
        assert_eq!(read[0]["span"]["request_id"], "abc");
        assert_eq!(read[0]["level"], "INFO");
        assert_eq!(read[0].get("none"), None);
        assert_eq!(read[1]["target"], "rustls::conn");
        assert!(!text.contains(".cargo"), "{text}");
    }
}
