//! A cluster with TLS, and certificates of its own.

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use super::cluster::Cluster;
use super::database::TestDatabase;

/// The address of a cluster with TLS, and the certificates to trust.
pub struct TlsListener {
    /// An address of this machine that no other test uses.
    pub address: Ipv4Addr,
    /// The certificate of the authority that signed the server's.
    pub authority: PathBuf,
    /// A certificate that the server has signed itself; not used until [`Cluster::show_self_signed`].
    pub self_signed: PathBuf,
}

impl TlsListener {
    /// A URL of the database, with this name for its host.
    pub fn url(&self, database: &TestDatabase, name: &str, parameters: &str) -> String {
        format!("postgres://vestibule@{name}/{}?hostaddr={}{parameters}", database.name(), self.address)
    }
}

impl Cluster {
    /// Restarts the server so that it also listens on the network, with a certificate for `name`. There it asks for a
    /// password only from a role called `asked`.
    ///
    /// # Panics
    /// If `openssl` is missing, or the server does not start.
    pub fn listen_with_tls(&mut self, name: &str) -> TlsListener {
        let folder = self.folder().to_owned();
        let path = |file: &str| folder.join(file);
        let extension = path("extension");
        write(&extension, &format!("subjectAltName=DNS:{name}\n"));
        self.program().hand_over(&extension);
        let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        let place = folder.display();
        for arguments in [
            format!(
                "req -x509 {new} -subj /CN=authority -keyout {place}/authority.key -out {place}/authority.pem"
            ),
            format!("req {new} -subj /CN=server -keyout {place}/server.key -out {place}/server.csr"),
            format!(
                "x509 -req -in {place}/server.csr -CA {place}/authority.pem -CAkey {place}/authority.key -CAcreateserial \
                 -days 2 -extfile {place}/extension -out {place}/server.pem"
            ),
            format!(
                "req -x509 {new} -subj /CN=self -addext subjectAltName=DNS:{name} -keyout {place}/self.key -out {place}/self.pem"
            ),
        ] {
            let mut openssl = self.program().as_server(Path::new("openssl"));
            let output = openssl.args(arguments.split(' ')).output().expect("openssl can be run");
            assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
        }
        let random = RandomState::new().hash_one(0).to_be_bytes();
        let address = Ipv4Addr::new(127, random[0].clamp(1, 254), random[1], random[2].clamp(1, 254));
        write(
            &path("data/pg_hba.conf"),
            "local all all trust\nhostssl all asked 127.0.0.0/8 scram-sha-256\nhostssl all all 127.0.0.0/8 trust\n",
        );
        append(&path("data/postgresql.conf"), &format!("listen_addresses = '{address}'\nssl = on\n"));
        self.show("server");
        self.restart();
        TlsListener { address, authority: path("authority.pem"), self_signed: path("self.pem") }
    }

    /// Restarts the server with its self-signed certificate.
    ///
    /// # Panics
    /// If the server does not start.
    pub fn show_self_signed(&mut self) {
        self.show("self");
        self.restart();
    }

    fn show(&self, name: &str) {
        let place = self.folder().display();
        let settings = format!("ssl_cert_file = '{place}/{name}.pem'\nssl_key_file = '{place}/{name}.key'\n");
        append(&self.folder().join("data/postgresql.conf"), &settings);
    }
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).open(path).expect("a file of the cluster can be written");
    file.write_all(text.as_bytes()).expect("a file of the cluster can be written");
}

fn write(path: &Path, text: &str) {
    let mut file = File::create(path).expect("a file of the cluster can be made");
    file.write_all(text.as_bytes()).expect("a file of the cluster can be written");
}
