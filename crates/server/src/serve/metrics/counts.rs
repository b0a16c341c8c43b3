//! Counts the answers. Labels are templates, statuses and codes of this program: nothing that a request could choose.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use vestibule_http::{Answered, Observer};

/// From an answer out of memory to one that waits for hash threads.
const SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRequest {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRefusal {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfLimit {
    limit: &'static str,
}

/// The answers given so far.
#[derive(Debug)]
pub(crate) struct Counts {
    requests: Family<OfRequest, Counter>,
    seconds: Histogram,
    refusals: Family<OfRefusal, Counter>,
    limits: Family<OfLimit, Counter>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            seconds: Histogram::new(SECONDS),
            refusals: Family::default(),
            limits: Family::default(),
        }
    }
}

impl Counts {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "http_requests",
            "Requests answered, by template of the route; `none` where there is no route",
            self.requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time from the head of a request to the head of its answer",
            self.seconds.clone(),
        );
        registry.register(
            "http_refusals",
            "Requests refused, by the code of the answer (`vestibule errors list`)",
            self.refusals.clone(),
        );
        registry.register(
            "limits_reached",
            "Requests refused because a client or an account had done it too often",
            self.limits.clone(),
        );
    }
}

impl Observer for Counts {
    fn answered(&self, answer: &Answered<'_>) {
        let route = answer.route.unwrap_or("none").to_owned();
        let labels = OfRequest { route, method: answer.method, status: answer.status };
        self.requests.get_or_create_owned(&labels).inc();
        self.seconds.observe(answer.took.as_secs_f64());
        if let Some(code) = answer.code {
            self.refusals.get_or_create_owned(&OfRefusal { code: code.as_str() }).inc();
        }
        if let Some(limit) = answer.limit {
            self.limits.get_or_create_owned(&OfLimit { limit }).inc();
        }
    }
}
