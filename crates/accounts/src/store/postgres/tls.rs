//! How a connection to PostgreSQL is encrypted, and which certificates it trusts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::error::DatabaseError;

/// Where the certificates of trusted authorities come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// The trust store of this machine.
    System,
    /// A PEM file: only the certificates in it.
    File(PathBuf),
}

/// How to connect to one host.
#[derive(Clone)]
pub(super) enum Tls {
    /// Unencrypted: a Unix socket, or a network that the operator trusts.
    None,
    /// Encrypted if the host offers it, without checking its certificate: this machine.
    Offered(MakeRustlsConnect),
    /// Always encrypted.
    Required(MakeRustlsConnect),
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Offered(_) => "Offered",
            Self::Required(_) => "Required",
        })
    }
}

impl Tls {
    pub(super) const fn mode(&self) -> SslMode {
        match self {
            Self::None => SslMode::Disable,
            Self::Offered(_) => SslMode::Prefer,
            Self::Required(_) => SslMode::Require,
        }
    }

    /// There is nobody between this machine and itself, and certificates there are often made by its installer.
    pub(super) fn unchecked() -> Result<Self, DatabaseError> {
        connector(|_| Ok(Arc::new(Anybody(provider())))).map(Self::Offered)
    }

    /// `verify-full`: a trusted authority certifies that it is this host.
    pub(super) fn of_host(roots: &Roots) -> Result<Self, DatabaseError> {
        let verifier = |provider: Arc<CryptoProvider>| -> Result<Arc<dyn ServerCertVerifier>, DatabaseError> {
            Ok(match roots {
                Roots::System => {
                    Arc::new(rustls_platform_verifier::Verifier::new(provider).map_err(|e| not_set_up(&e))?)
                }
                Roots::File(path) => Arc::new(Authority::read(path, provider)?),
            })
        };
        connector(verifier).map(Self::Required)
    }

    /// `verify-ca`: a trusted authority certifies the host, under any name.
    pub(super) fn of_authority(roots: &Roots) -> Result<Self, DatabaseError> {
        let Roots::File(path) = roots else { return Self::of_host(roots) };
        let verifier = |provider: Arc<CryptoProvider>| -> Result<Arc<dyn ServerCertVerifier>, DatabaseError> {
            Ok(Arc::new(Authority { any_name: true, ..Authority::read(path, provider)? }))
        };
        connector(verifier).map(Self::Required)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn connector(
    verifier: impl FnOnce(Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, DatabaseError>,
) -> Result<MakeRustlsConnect, DatabaseError> {
    let provider = provider();
    let verifier = verifier(Arc::clone(&provider))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| not_set_up(&e))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn not_set_up(error: &rustls::Error) -> DatabaseError {
    DatabaseError::url(
        format!("TLS to the database cannot be set up: {error}"),
        "name the authority's certificate with sslrootcert=/path/to/ca.pem in the database URL",
    )
}

/// The authorities in a file.
#[derive(Debug)]
struct Authority {
    core: Arc<WebPkiServerVerifier>,
    /// The certificates themselves: a server with one of these self-signed certificates is trusted.
    certificates: Vec<CertificateDer<'static>>,
    any_name: bool,
}

impl Authority {
    fn read(path: &Path, provider: Arc<CryptoProvider>) -> Result<Self, DatabaseError> {
        let place = path.display();
        let bad = |cause: String| {
            DatabaseError::url(
                format!("`sslrootcert` in the database URL: {place}: {cause}"),
                "name a file with the certificate of the authority that signed the database server's, in PEM",
            )
        };
        let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let certificates = read.map_err(|error| bad(error.to_string()))?;
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots.add(certificate.clone()).map_err(|error| bad(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(bad("no certificate is in it".to_owned()));
        }
        let core = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        Ok(Self { core: core.map_err(|error| bad(error.to_string()))?, certificates, any_name: false })
    }
}

impl ServerCertVerifier for Authority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use rustls::Error::InvalidCertificate;
        // The name is checked last, so a certificate with the wrong name has passed every other check.
        match self.core.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.any_name => Ok(ServerCertVerified::assertion()),
            // libpq also accepts a server's own certificate as its authority; webpki does not.
            Err(InvalidCertificate(CertificateError::Other(_))) if self.certificates.contains(end_entity) => {
                if self.any_name {
                    return Ok(ServerCertVerified::assertion());
                }
                let certificate = rustls::server::ParsedCertificate::try_from(end_entity)?;
                rustls::client::verify_server_name(&certificate, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.core.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.core.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.core.supported_verify_schemes()
    }
}

/// Accepts every certificate: encrypts without authenticating the server.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
