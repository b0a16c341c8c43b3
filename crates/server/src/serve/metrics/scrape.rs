//! Writes all numbers as text.

use std::fmt::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeMetric as _, prometheus_text, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokio::time::{Instant, timeout};
use vestibule::{Accounts, Backlog};

use super::process::resident_octets;
use crate::mailer::EchoingMailer;
use crate::serve::answers::Answers;
use crate::serve::connections::Usage;

/// How long what was counted in the database is good enough, however many scrape.
const BACKLOG_GOOD_FOR: Duration = Duration::from_mins(1);
/// A scrape does not wait for a database that does not answer.
const DATABASE_MAX: Duration = Duration::from_secs(2);

/// The formats of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    OpenMetrics,
    /// The one before, which `promtool` and old scrapers read.
    Prometheus,
}

impl Format {
    /// The format for a scraper with this `Accept`.
    pub(super) fn of(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") { Self::OpenMetrics } else { Self::Prometheus }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// What a scrape reads.
pub(super) struct Scrape {
    registry: Registry,
    accounts: Accounts,
    backlog: Arc<Mutex<Option<Backlog>>>,
    counted_at: tokio::sync::Mutex<Option<Instant>>,
}

impl Scrape {
    pub(super) fn new(answers: &Answers, usage: Usage) -> Self {
        let mut all = Registry::default();
        let registry = all.sub_registry_with_prefix("vestibule");
        if let Some(counts) = &answers.counts {
            counts.register(registry);
        }
        registry.register(
            "build",
            "The version of the program",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        let backlog = Arc::<Mutex<Option<Backlog>>>::default();
        registry.register_collector(Box::new(Looked {
            accounts: answers.accounts.clone(),
            mailer: Arc::clone(&answers.mailer),
            usage,
            backlog: Arc::clone(&backlog),
        }));
        all.register_collector(Box::new(Process));
        Self {
            registry: all,
            accounts: answers.accounts.clone(),
            backlog,
            counted_at: tokio::sync::Mutex::default(),
        }
    }

    pub(super) async fn text(&self, format: Format) -> Result<String, Error> {
        self.count_again_if_due().await;
        let mut written = String::new();
        match format {
            Format::OpenMetrics => text::encode(&mut written, &self.registry)?,
            Format::Prometheus => prometheus_text::encode(&mut written, &self.registry)?,
        }
        Ok(written)
    }

    /// Where the database does not answer, its numbers are left out: old ones would look like news.
    async fn count_again_if_due(&self) {
        let mut counted_at = self.counted_at.lock().await;
        if counted_at.is_some_and(|at| at.elapsed() < BACKLOG_GOOD_FOR) {
            return;
        }
        let counted = timeout(DATABASE_MAX, self.accounts.backlog()).await.ok().and_then(Result::ok);
        *counted_at = counted.is_some().then(Instant::now);
        *self.backlog.lock().unwrap_or_else(PoisonError::into_inner) = counted;
    }
}

/// Numbers that are looked at when somebody asks.
struct Looked {
    accounts: Accounts,
    mailer: Arc<EchoingMailer>,
    usage: Usage,
    backlog: Arc<Mutex<Option<Backlog>>>,
}

impl std::fmt::Debug for Looked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Looked").finish_non_exhaustive()
    }
}

impl Collector for Looked {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut out = Out(encoder);
        self.events(&mut out)?;
        self.hashes(&mut out)?;
        self.database(&mut out)?;
        out.counters(
            "mail_attempts",
            "Attempts to send a mail, by outcome",
            "outcome",
            self.mailer.outcomes().read(),
        )?;
        out.gauge("connections", "Open connections", to_f64(self.usage.open() as u64))?;
        out.gauge("connections_max", "Open connections at most", to_f64(self.usage.most() as u64))?;
        let refused = "Connections refused because their client had too many";
        out.counter("connections_refused", refused, self.usage.refused())?;
        self.backlog(&mut out)
    }
}

impl Looked {
    fn events(&self, out: &mut Out<'_>) -> Result<(), Error> {
        let measures = self.accounts.measures();
        let events = measures.events.iter().map(|(kind, number)| (kind.name(), *number));
        let help = "Entries of the audit trail by kind: sign-ups, confirmations, failures, factors";
        out.counters("audit_events", help, "kind", events)?;
        let ways = measures.sign_ins.iter().map(|(way, number)| (way.name(), *number));
        out.counters("sign_ins", "Sessions begun, by what proved who it was", "way", ways)?;
        out.counter("token_refreshes", "Refresh tokens exchanged", measures.refreshes)?;
        let Some(age) = measures.signing_key_age else { return Ok(()) };
        out.gauge("signing_key_age_seconds", "Age of the key that signs now", age.as_secs_f64())
    }

    fn hashes(&self, out: &mut Out<'_>) -> Result<(), Error> {
        let measures = self.accounts.measures();
        let (number, time) = measures.hashes;
        let waiting = "Passwords that wait for a hash thread, or are with one";
        out.gauge("password_hashes_waiting", waiting, to_f64(measures.hashes_waiting))?;
        let refused = "Passwords refused because too many waited";
        out.counter("password_hashes_refused", refused, measures.hashes_refused)?;
        out.counter("password_hashes", "Passwords hashed or compared", number)?;
        let all = "Time that passwords took, with the time in the queue";
        out.counter("password_hash_wait_seconds", all, time.as_secs_f64())?;
        let pace = "Time that one hash takes at present, without the queue";
        out.gauge("password_hash_seconds", pace, measures.hash_time.as_secs_f64())
    }

    fn database(&self, out: &mut Out<'_>) -> Result<(), Error> {
        let measures = self.accounts.measures();
        let numbers = measures.database.iter().map(|(class, number, _)| (class.name(), *number));
        out.counters("database_jobs", "Work of the database, by class", "class", numbers)?;
        let times = measures.database.iter().map(|(class, _, time)| (class.name(), time.as_secs_f64()));
        let help = "Time that work of the database took, with the time in queues";
        out.counters("database_job_seconds", help, "class", times)?;
        let Some((commits, changes)) = measures.commits else { return Ok(()) };
        out.counter("database_commits", "Commits of groups of changes (SQLite)", commits)?;
        out.counter("database_committed_changes", "Changes in those commits", changes)
    }

    fn backlog(&self, out: &mut Out<'_>) -> Result<(), Error> {
        let backlog = self.backlog.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answers = "Whether the database answered when its numbers were due";
        out.gauge("database_up", answers, if backlog.is_some() { 1.0 } else { 0.0 })?;
        let Some(backlog) = backlog else { return Ok(()) };
        let number = |number: i64| to_f64(u64::try_from(number).unwrap_or_default());
        out.gauge("sessions_live", "Active sessions, counted up to 10000", number(backlog.sessions_live))?;
        out.gauge("mails_waiting", "Mails that wait, counted up to 1000", number(backlog.mails_waiting))?;
        out.gauge("mails_failed", "Dead letters, counted up to 1000", number(backlog.mails_failed))?;
        let age = backlog.oldest_mail_at.map_or(Duration::ZERO, |at| self.accounts.now().since(at));
        out.gauge("oldest_mail_age_seconds", "Age of the oldest mail that waits", age.as_secs_f64())
    }
}

/// What every program tells, under the names that all use.
#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let Some(octets) = resident_octets() else { return Ok(()) };
        Out(encoder).gauge("process_resident_memory_bytes", "Resident memory in bytes", to_f64(octets))
    }
}

/// Writes single numbers.
struct Out<'a>(DescriptorEncoder<'a>);

impl Out<'_> {
    fn counter(&mut self, name: &str, help: &str, value: impl EncodeCounterValue) -> Result<(), Error> {
        let encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(value).encode(encoder)
    }

    fn counters<V: EncodeCounterValue>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        values: impl Iterator<Item = (&'static str, V)>,
    ) -> Result<(), Error> {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (name, value) in values {
            let labels = [(label, name)];
            ConstCounter::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue) -> Result<(), Error> {
        let encoder = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        ConstGauge::new(value).encode(encoder)
    }
}

/// Gauges are floating-point numbers in the text anyway.
#[expect(clippy::cast_precision_loss, reason = "no number here comes near 2^53")]
const fn to_f64(number: u64) -> f64 {
    number as f64
}
