//! A connection with TLS, and until when its certificates are valid.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, Error};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use vestibule::Timestamp;

/// Certificates are renewed a month or a week before they end, whatever renews them.
const SOON_DAYS: i64 = 7;
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// No certificate is valid then.
const FAR_FUTURE: Duration = Duration::from_hours(24 * 365 * 1000);

/// How long a certificate still lasts.
pub(super) struct Judgement {
    pub(super) until: Timestamp,
    pub(super) days: i64,
    pub(super) is_good: bool,
}

impl Judgement {
    pub(super) fn of(until: Timestamp, now: Timestamp) -> Self {
        let days = until.as_millis().saturating_sub(now.as_millis()) / DAY_MILLIS;
        Self { until, days, is_good: days >= SOON_DAYS }
    }
}

/// Connects with TLS as a browser would, and finds out until when that works.
///
/// # Errors
/// Why the server is not trusted, in words.
pub(super) async fn shake_hands(
    stream: TcpStream,
    host: &str,
) -> Result<(TlsStream<TcpStream>, Option<Timestamp>), String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let provider = CryptoProvider::get_default().cloned().ok_or("there is no cryptography")?;
    let verifier = Arc::new(Verifier::new(Arc::clone(&provider)).map_err(|error| words(&error))?);
    let name = ServerName::try_from(host.to_owned()).map_err(|error| words(&error))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| words(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name.clone(), stream).await.map_err(|error| words(&error))?;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let expires = chain.split_first().and_then(|(own, others)| {
        let then = UnixTime::since_unix_epoch(FAR_FUTURE);
        match verifier.verify_server_cert(own, others, &name, &[], then) {
            Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
                i64::try_from(not_after.as_secs()).ok()
            }
            _ => None,
        }
    });
    Ok((stream, expires.map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1000)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_lasts_another_week() {
        let good = |millis| Judgement::of(Timestamp::from_millis(millis), Timestamp::from_millis(0)).is_good;
        assert!(good(SOON_DAYS * DAY_MILLIS));
        assert!(!good(SOON_DAYS * DAY_MILLIS - 1));
        assert!(!good(-1));
    }
}
