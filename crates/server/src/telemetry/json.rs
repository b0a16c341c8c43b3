//! Log lines as JSON: the event's fields beside time, level and target, and the fields of its span, which is the request.
//!
//! The formatter of `tracing-subscriber` parses the span again for every event, which costs more than all the rest.

use std::fmt;

use serde::Serializer as _;
use serde::ser::SerializeMap as _;
use tracing::{Event, Subscriber};
use tracing_serde::SerdeMapVisitor;
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// What most lines are shorter than, in bytes.
const USUAL_LENGTH: usize = 384;

/// One object for each event, on a line of its own.
pub(super) struct JsonLines;

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = object_of(event).map_err(|_| fmt::Error)?;
        if let Some(span) = context.parent_span()
            && let Some(fields) = span.extensions().get::<FormattedFields<JsonFields>>()
            && let Some(members) = fields.strip_prefix('{').and_then(|fields| fields.strip_suffix('}'))
        {
            // The end of the event's object.
            line.pop();
            line.push_str(",\"span\":{");
            line.push_str(members);
            if !members.is_empty() {
                line.push(',');
            }
            line.push_str("\"name\":\"");
            line.push_str(span.name());
            line.push_str("\"}}");
        }
        line.push('\n');
        writer.write_str(&line)
    }
}

fn object_of(event: &Event<'_>) -> Result<String, serde_json::Error> {
    let mut time = String::with_capacity(32);
    SystemTime.format_time(&mut Writer::new(&mut time)).map_err(serde::ser::Error::custom)?;
    let mut line = Vec::with_capacity(USUAL_LENGTH);
    let mut serializer = serde_json::Serializer::new(&mut line);
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("timestamp", &time)?;
    map.serialize_entry("level", event.metadata().level().as_str())?;
    let mut visitor = SerdeMapVisitor::new(map);
    event.record(&mut visitor);
    let mut map = visitor.take_serializer()?;
    map.serialize_entry("target", event.metadata().target())?;
    map.end()?;
    String::from_utf8(line).map_err(serde::ser::Error::custom)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing_subscriber::fmt;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    // O2
    #[test]
    fn a_line_is_an_object_with_the_request_that_it_belongs_to() {
        let lines = Lines::default();
        let to = lines.clone();
        let format = fmt::layer().fmt_fields(JsonFields::new()).event_format(JsonLines);
        let layer = format.with_writer(move || to.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::warn!(number = 7, quoted = "\"\n", "alone");
            let trace_id = None::<&str>;
            tracing::info_span!("request", request_id = "a\"b", trace_id)
                .in_scope(|| tracing::info!("inside"));
            tracing::info_span!("empty").in_scope(|| tracing::info!("inside"));
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let mut found: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for line in &mut found {
            let time = line.as_object_mut().unwrap().remove("timestamp").unwrap();
            time.as_str().unwrap().parse::<vestibule::Timestamp>().unwrap();
        }
        let target = module_path!();
        assert_eq!(
            found,
            [
                json!({"level": "WARN", "message": "alone", "number": 7, "quoted": "\"\n", "target": target}),
                json!({"level": "INFO", "message": "inside", "target": target,
                    "span": {"request_id": "a\"b", "name": "request"}}),
                json!({"level": "INFO", "message": "inside", "target": target, "span": {"name": "empty"}}),
            ]
        );
    }
}
