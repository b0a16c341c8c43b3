//! Traces for a collector (OTLP over HTTP): the span of each request, as a part of the trace that its caller names.

use std::future::{Future, poll_fn};
use std::pin::pin;

use axum::http::{HeaderMap, HeaderName};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Layer, Registry};

use crate::failure::Failure;

const NAME: &str = "vestibule";

/// What takes the spans.
type Spans = Box<dyn Layer<Registry> + Send + Sync>;

/// Sends spans until it is dropped, and then what is left.
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Drop for Traces {
    fn drop(&mut self) {
        // A collector that does not answer loses spans, and nobody waits for it longer than its time-out.
        let _ = self.0.take().map(|provider| provider.shutdown());
    }
}

/// Sends the spans of this program's own parts; nothing without an endpoint.
pub(super) fn start(endpoint: Option<&str>) -> Result<(Traces, Option<Spans>), Failure> {
    let Some(endpoint) = endpoint else { return Ok((Traces(None), None)) };
    let exporter =
        SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).with_endpoint(endpoint);
    let exporter = exporter
        .build()
        .map_err(|error| Failure::failed(format!("cannot send traces to {endpoint}: {error}")))?;
    let resource = Resource::builder().with_service_name(NAME).build();
    let provider = SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer(NAME));
    let own = Targets::new().with_target(NAME, Level::INFO);
    Ok((Traces(Some(provider)), Some(layer.with_filter(own).boxed())))
}

/// Who sent a request, as a part of a trace.
pub(crate) struct Caller(Option<Context>);

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    /// Two of one name say nothing, as in the log.
    fn get(&self, key: &str) -> Option<&str> {
        let mut given = self.0.get_all(key).iter();
        given.next().filter(|_| given.next().is_none())?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

impl Caller {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers));
        Self(context.has_active_span().then_some(context))
    }

    /// Spans that begin while this is polled belong to the caller's trace.
    pub(crate) async fn waits_for<T>(self, answer: impl Future<Output = T>) -> T {
        let Some(context) = self.0 else { return answer.await };
        let mut answer = pin!(answer);
        poll_fn(|waker| {
            let _in_trace = context.clone().attach();
            answer.as_mut().poll(waker)
        })
        .await
    }
}
