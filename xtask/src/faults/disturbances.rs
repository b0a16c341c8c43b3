//! Disturbances of a running server.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use vestibule_testing::{Cluster, Proxy, Server, Site, TestDatabase};

use super::client::Client;
use super::ledger::Ledger;
use crate::shell::{self, Result};

/// After any disturbance, sign-ups must work within this time.
const RECOVERY: Duration = Duration::from_secs(10);

/// The connections to PostgreSQL that the server's role may have, unless they are meant to be few.
pub(super) const CONNECTIONS: u32 = 100;

/// A disturbance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Disturbance {
    Nothing,
    /// Another program copies the SQLite file page by page.
    Backup,
    /// Another program writes a copy with `VACUUM INTO`.
    Vacuum,
    /// Another program opens the database, reads and closes it.
    Reader,
    /// An operator creates a user with our own command.
    OwnCommand,
    /// An administrator ends every connection to PostgreSQL.
    EndedConnections,
    /// PostgreSQL is restarted; its clients are notified.
    Restart,
    /// PostgreSQL crashes and comes back.
    Crash,
    /// PostgreSQL allows the server only a few connections.
    FewConnections,
    /// PostgreSQL closes connections that are idle for a moment.
    Idleness,
    /// The host of PostgreSQL falls silent; the URL names another one.
    SilentHost,
    /// The cluster dies, and its standby takes over; the end of a run.
    Failover,
    /// The database accepts no writes for a while: a full disk, a standby.
    ReadOnly,
}

/// What a disturbance acts on.
pub(super) struct World<'a> {
    pub(super) site: &'a Site,
    pub(super) server: &'a Server,
    pub(super) postgres: Option<&'a mut Postgres>,
    pub(super) ledger: &'a Ledger,
    pub(super) round: u32,
}

/// A private PostgreSQL, with two hosts that lead to it.
pub(super) struct Postgres {
    pub(super) cluster: Cluster,
    pub(super) ways: [Proxy; 2],
    /// The server's role, which no exception is made for.
    pub(super) role: String,
}

impl Postgres {
    /// The URL with both hosts.
    pub(super) fn url(&self, database: &TestDatabase) -> String {
        let url = Proxy::url(database, &self.ways.each_ref());
        let place = url.split_once('@').map_or("", |(_, place)| place);
        format!("{}{place}", self.role)
    }
}

impl Disturbance {
    const OF_SQLITE: [Self; 6] =
        [Self::Nothing, Self::Backup, Self::Vacuum, Self::Reader, Self::OwnCommand, Self::ReadOnly];
    const OF_POSTGRES: [Self; 9] = [
        Self::Nothing,
        Self::OwnCommand,
        Self::EndedConnections,
        Self::Restart,
        Self::Crash,
        Self::FewConnections,
        Self::Idleness,
        Self::SilentHost,
        Self::ReadOnly,
    ];

    /// A random disturbance that applies to this database.
    pub(super) fn any(is_postgres: bool, dice: &mut fastrand::Rng) -> Self {
        let all: &[Self] = if is_postgres { &Self::OF_POSTGRES } else { &Self::OF_SQLITE };
        all[dice.usize(..all.len())]
    }

    /// Performs it. Afterwards the server must accept sign-ups again.
    pub(super) fn happen(self, world: World<'_>) -> Result {
        let World { site, server, postgres, ledger, round } = world;
        match (self, postgres) {
            (Self::Nothing, _) => Ok(()),
            (Self::Backup, _) => {
                open(site, "with sqlite3.connect(copy) as other: db.backup(other, pages=64)")
            }
            (Self::Vacuum, _) => open(site, "db.execute('VACUUM INTO ?', (copy,))"),
            (Self::Reader, _) => open(site, "db.execute('SELECT count(*) FROM registrations').fetchall()"),
            (Self::OwnCommand, _) => {
                let email = format!("operator-{round}@example.org");
                site.has_user(&email, &[]);
                let mut entries = ledger.open();
                entries.users.insert(email);
                entries.acknowledged += 1;
                Ok(())
            }
            (Self::ReadOnly, None) => full_disk(server),
            (_, Some(postgres)) => self.happen_to(postgres, site),
            (other, None) => Err(format!("{other:?} without PostgreSQL")),
        }?;
        recovers(server, &format!("{self:?}"))
    }

    fn happen_to(self, postgres: &mut Postgres, site: &Site) -> Result {
        let Postgres { cluster, ways, .. } = postgres;
        let set = |what: &str| {
            let name = site.database().name();
            cluster.execute(&format!("ALTER DATABASE {name} {what}"));
            cluster.end_connections();
        };
        match self {
            Self::EndedConnections => cluster.end_connections(),
            Self::Restart => cluster.restart(),
            Self::Crash => {
                cluster.kill();
                cluster.start();
            }
            Self::FewConnections => {
                let role = site.database().name();
                cluster.execute(&format!("ALTER ROLE {role} CONNECTION LIMIT 3"));
                cluster.end_connections();
                sleep(Duration::from_secs(1));
                cluster.execute(&format!("ALTER ROLE {role} CONNECTION LIMIT {CONNECTIONS}"));
            }
            Self::Idleness => {
                set("SET idle_session_timeout = '50ms'");
                sleep(Duration::from_secs(1));
                set("RESET idle_session_timeout");
            }
            Self::SilentHost => {
                ways.iter().for_each(Proxy::speak_again);
                // Whichever host is in use.
                ways[0].fall_silent();
            }
            Self::ReadOnly => {
                set("SET default_transaction_read_only = on");
                sleep(Duration::from_millis(500));
                set("RESET default_transaction_read_only");
            }
            other => return Err(format!("{other:?} does not happen to PostgreSQL")),
        }
        Ok(())
    }
}

/// Waits until the server works as before.
pub(super) fn recovers(server: &Server, after: &str) -> Result {
    let client = Client::of(server)?;
    let begun = Instant::now();
    while !client.is_ready() {
        if begun.elapsed() > RECOVERY {
            return Err(format!("not ready {RECOVERY:?} after {after}"));
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Keeps all files of the server from growing for a while, as on a full disk.
fn full_disk(server: &Server) -> Result {
    let limit = |most: &str| {
        let pid = server.id().to_string();
        let limited =
            shell::program("prlimit").args(["--pid", &pid, &format!("--fsize={most}:unlimited")]).status();
        match limited {
            Ok(status) if status.success() => Ok(()),
            other => Err(format!("prlimit did not limit the size of files: {other:?}")),
        }
    };
    limit("0")?;
    sleep(Duration::from_millis(300));
    limit("unlimited")
}

/// Another program opens the SQLite file, performs this action, and closes it. It waits only a moment for a lock: a
/// copy page by page starts again with each change, and may never end.
fn open(site: &Site, action: &str) -> Result {
    let script = format!(
        "import os, signal, sqlite3, sys\nsignal.alarm(2)\npath, copy = sys.argv[1:]\n\
         if os.path.exists(copy): os.remove(copy)\ndb = sqlite3.connect(path)\n{action}\ndb.close()"
    );
    let mut program = shell::program("python3");
    program.args(["-c", &script]).arg(site.path("vestibule-data/vestibule.db")).arg(site.path("copy.db"));
    let output = program.stdin(Stdio::null()).output().map_err(|e| format!("cannot start Python: {e}"))?;
    let ended_by_alarm = output.status.code().is_none();
    if output.status.success() || ended_by_alarm {
        return Ok(());
    }
    Err(format!("another program could not open the database: {}", String::from_utf8_lossy(&output.stderr)))
}
