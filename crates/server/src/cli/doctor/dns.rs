//! Questions to DNS, each with an answer or a reason within seconds.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::time::timeout;

use crate::printable;

/// A person waits: one lost packet is made up for, a silent server is not waited for.
const ANSWER_MAX: Duration = Duration::from_secs(4);
const ATTEMPT_MAX: Duration = Duration::from_millis(1500);

/// What DNS says to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told<T> {
    /// At least one record.
    Records(Vec<T>),
    /// The name exists, without such a record.
    Nothing,
    /// The name does not exist.
    NoSuchName,
    /// Nobody answered, or not usefully.
    NoAnswer(String),
}

impl<T> Told<T> {
    /// The records, where somebody answered.
    ///
    /// # Errors
    /// Why nobody did.
    pub(super) fn answered(self) -> Result<Vec<T>, String> {
        match self {
            Self::Records(records) => Ok(records),
            Self::Nothing | Self::NoSuchName => Ok(Vec::new()),
            Self::NoAnswer(cause) => Err(cause),
        }
    }
}

/// Asks name servers: those of this machine, or the one that was named.
pub(super) struct Dns(Result<TokioResolver, String>);

impl Dns {
    pub(super) fn of(server: Option<SocketAddr>) -> Self {
        let builder = match server {
            Some(server) => {
                let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                    connection.port = server.port();
                    connection
                });
                let server = NameServerConfig::new(server.ip(), true, connections.into());
                let config = ResolverConfig::from_name_servers(vec![server]);
                Ok(TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()))
            }
            None => TokioResolver::builder_tokio(),
        };
        let resolver = builder.and_then(|mut builder| {
            let options = builder.options_mut();
            (options.timeout, options.attempts) = (ATTEMPT_MAX, 1);
            options.use_hosts_file = ResolveHosts::Never;
            builder.build()
        });
        Self(resolver.map_err(|error| error.to_string()))
    }

    /// The mail exchangers of a domain; the empty text stands for the root, which is no host.
    pub(super) async fn exchangers(&self, domain: &str) -> Told<String> {
        let host = |data: &RData| match data {
            RData::MX(mx) => Some(mx.exchange.to_ascii().trim_end_matches('.').to_owned()),
            _ => None,
        };
        self.ask(domain, RecordType::MX, host).await
    }

    /// Whether the domain has an address, where mail goes without an exchanger (RFC 5321 §5.1).
    pub(super) async fn has_address(&self, domain: &str) -> bool {
        let address = |data: &RData| matches!(data, RData::A(_) | RData::AAAA(_)).then_some(());
        let (v4, v6) = tokio::join!(
            self.ask(domain, RecordType::A, address),
            self.ask(domain, RecordType::AAAA, address)
        );
        [v4, v6].iter().any(|told| matches!(told, Told::Records(_)))
    }

    /// The texts at a name, each in one piece.
    pub(super) async fn texts(&self, name: &str) -> Told<String> {
        let text = |data: &RData| match data {
            RData::TXT(txt) => {
                Some(printable::text(&String::from_utf8_lossy(&txt.txt_data.concat())).into_owned())
            }
            _ => None,
        };
        self.ask(name, RecordType::TXT, text).await
    }

    async fn ask<T>(&self, name: &str, kind: RecordType, read: impl Fn(&RData) -> Option<T>) -> Told<T> {
        let resolver = match &self.0 {
            Ok(resolver) => resolver,
            Err(cause) => return Told::NoAnswer(cause.clone()),
        };
        // With the last dot: the search domains of this machine are none of the sender's.
        let name = match Name::from_ascii(format!("{name}.")) {
            Ok(name) => name,
            Err(error) => return Told::NoAnswer(error.to_string()),
        };
        match timeout(ANSWER_MAX, resolver.lookup(name, kind)).await {
            Ok(Ok(found)) => {
                let records: Vec<T> =
                    found.answers().iter().filter_map(|record| read(&record.data)).collect();
                if records.is_empty() { Told::Nothing } else { Told::Records(records) }
            }
            Ok(Err(error)) => refused(&error),
            Err(_) => Told::NoAnswer(format!("nothing within {} s", ANSWER_MAX.as_secs())),
        }
    }
}

fn refused<T>(error: &NetError) -> Told<T> {
    match error {
        _ if error.is_nx_domain() => Told::NoSuchName,
        _ if error.is_no_records_found() => Told::Nothing,
        _ => Told::NoAnswer(error.to_string()),
    }
}
