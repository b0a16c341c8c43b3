//! Finding the installed PostgreSQL and running its programs as a user it accepts.

use std::env;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The oldest release the store supports.
const OLDEST: u32 = 14;

/// Where distributions install the programs of a release; `*` is the version.
const FOLDERS: [&str; 5] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
];

/// Whether tests can start a cluster here.
pub fn installed() -> bool {
    newest().is_some()
}

/// An installed release, and the account its server runs under.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) bin: PathBuf,
    version: u32,
    /// The server refuses to run as root: if we do, it runs as the account created by its package.
    run_as: Option<(u32, u32)>,
}

impl Program {
    pub(crate) fn find() -> Self {
        let (version, bin) = newest().unwrap_or_else(|| {
            panic!(
                "the tests need PostgreSQL {OLDEST} or newer and found none. Install it (Debian, Ubuntu: \
                 `apt-get install postgresql`; macOS: `brew install postgresql`), or set PG_BINDIR to its programs, \
                 or VESTIBULE_TEST_POSTGRES_URL to a running server"
            )
        });
        Self { bin, version, run_as: server_account() }
    }

    /// Whether the release has the extension that counts statements, beside its programs.
    pub(crate) fn counts_statements(&self) -> bool {
        self.bin.parent().is_some_and(|folder| folder.join("lib/pg_stat_statements.so").is_file())
    }

    /// A command of this release: without input, under the server's account, in a folder that account can enter.
    pub(crate) fn command(&self, name: &str) -> Command {
        self.as_server(&self.bin.join(name))
    }

    /// Any command under the server's account, in a separate process group, so that an interrupt on the terminal or a
    /// runner that ends a test does not reach a server others use.
    pub(crate) fn as_server(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).current_dir("/").process_group(0);
        if let Some((user, group)) = self.run_as {
            command.uid(user).gid(group);
        }
        command
    }

    /// Creates an empty cluster in `folder/data`, reached through a socket in `folder`.
    pub(crate) fn init(&self, folder: &Path) {
        self.hand_over(folder);
        let data = folder.join("data");
        let mut command = self.command("initdb");
        command.args(["--no-sync", "--auth=trust", "--username=vestibule", "--encoding=UTF8", "--locale=C"]);
        if self.version >= 15 {
            // Text sorts as on most production servers, so that tests find code relying on byte order.
            command.args(["--locale-provider=icu", "--icu-locale=en-US"]);
        }
        let output = command.arg("--pgdata").arg(&data).output().expect("initdb can be run");
        assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        let settings = data.join("postgresql.conf");
        let mut text = fs::read_to_string(&settings).expect("initdb wrote postgresql.conf");
        text.push_str(&configuration(folder));
        fs::write(&settings, text).expect("postgresql.conf can be written");
    }

    /// Makes the server's account the owner of a path.
    pub(crate) fn hand_over(&self, path: &Path) {
        if let Some((user, group)) = self.run_as {
            chown(path, Some(user), Some(group))
                .unwrap_or_else(|e| panic!("cannot chown {}: {e}", path.display()));
        }
    }

    /// The owner of everything the server writes.
    pub(crate) fn owner(&self) -> u32 {
        self.run_as.map_or_else(own_user, |(user, _)| user)
    }
}

/// Nothing is synced: a test cluster is discarded after a crash of the machine. A commit is still written to the
/// operating system (`synchronous_commit` stays on), so it survives a crash of the server alone.
fn configuration(folder: &Path) -> String {
    format!(
        "listen_addresses = ''\nunix_socket_directories = '{}'\nmax_connections = 300\nshared_buffers = 32MB\n\
         fsync = off\nfull_page_writes = off\nwal_level = minimal\nmax_wal_senders = 0\n\
         jit = off\ntimezone = 'UTC'\nlog_timezone = 'UTC'\n",
        folder.display()
    )
}

/// The newest supported release; `PG_BINDIR` takes precedence, then `PATH`, then the usual folders.
fn newest() -> Option<(u32, PathBuf)> {
    if let Some(folder) = env::var_os("PG_BINDIR") {
        return usable(PathBuf::from(folder));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).find_map(usable);
    on_path.or_else(|| FOLDERS.iter().flat_map(|pattern| expand(pattern)).filter_map(usable).max())
}

fn usable(bin: PathBuf) -> Option<(u32, PathBuf)> {
    let complete = ["initdb", "postgres", "pg_ctl", "psql"].iter().all(|name| bin.join(name).is_file());
    if !complete {
        return None;
    }
    let output = Command::new(bin.join("initdb")).arg("--version").output().ok()?;
    let version = major(&String::from_utf8_lossy(&output.stdout))?;
    (version >= OLDEST).then_some((version, bin))
}

/// `initdb (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)` → 15
fn major(banner: &str) -> Option<u32> {
    let number = banner.split_whitespace().nth(2)?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The existing folders that match a pattern with at most one `*`.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else { return vec![PathBuf::from(pattern)] };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let named = entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    named.map(|entry| entry.path().join(after.trim_start_matches('/'))).collect()
}

fn server_account() -> Option<(u32, u32)> {
    if own_user() != 0 {
        return None;
    }
    let ids = |name| Some((id("-u", name)?, id("-g", name)?));
    Some(ids("postgres").or_else(|| ids("nobody")).expect("an account `postgres` or `nobody` exists"))
}

pub(crate) fn own_user() -> u32 {
    // The owner of a process's folder in /proc is its effective user: avoids running `id` in every test where /proc
    // exists.
    let proc = fs::metadata("/proc/self").ok().map(|own| own.uid());
    proc.or_else(|| id("-u", "")).expect("`id -u` works")
}

fn id(flag: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").arg(flag).args((!name.is_empty()).then_some(name)).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_first_number() {
        assert_eq!(major("initdb (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n"), Some(15));
        assert_eq!(major("initdb (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("bash: initdb: command not found"), None);
    }

    #[test]
    fn a_pattern_names_existing_folders_only() {
        let folder = tempfile::tempdir().unwrap();
        for version in ["pgsql-14", "pgsql-16", "other"] {
            fs::create_dir(folder.path().join(version)).unwrap();
        }
        let mut found = expand(&format!("{}/pgsql-*/bin", folder.path().display()));
        found.sort();
        let expected = ["pgsql-14/bin", "pgsql-16/bin"].map(|name| folder.path().join(name));
        assert_eq!(found, expected);
    }
}
