//! The server under a service manager: what it is told, and the socket that it passes.

use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use vestibule_testing::{Client, Finished, PATIENCE, Site, eventually};

/// What a service manager listens on.
struct Manager(UnixDatagram);

impl Manager {
    fn new(site: &Site) -> Self {
        let socket = UnixDatagram::bind(site.path("notify.sock")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// Waits for a message with this line.
    fn hears(&self, line: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            let length =
                self.0.recv(&mut buffer).unwrap_or_else(|error| panic!("{line} was not said: {error}"));
            let text = std::str::from_utf8(&buffer[..length]).unwrap();
            if text.lines().any(|it| it == line) {
                return text.to_owned();
            }
        }
    }
}

#[test]
fn the_service_manager_is_told_everything() {
    let site = Site::sqlite();
    let manager = Manager::new(&site);
    let mut command = site.serving(&[("WATCHDOG_USEC", "200000")]);
    command.env("NOTIFY_SOCKET", site.path("notify.sock"));
    let mut server = site.start(command);
    assert!(manager.hears("STATUS=opening the database").contains("EXTEND_TIMEOUT_USEC=90000000"));
    let ready = manager.hears("READY=1");
    assert!(ready.contains(&format!("STATUS=listening on {}", server.address)), "{ready}");
    manager.hears("WATCHDOG=1");
    manager.hears("WATCHDOG=1");
    server.signal("-HUP");
    assert!(manager.hears("RELOADING=1").contains("MONOTONIC_USEC="));
    manager.hears("READY=1");
    server.signal("-TERM");
    manager.hears("STOPPING=1");
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn a_manager_that_does_not_listen_stops_nothing() {
    let site = Site::sqlite();
    let server = site.serve_with(&[("NOTIFY_SOCKET", "/nowhere/notify.sock")]);
    assert_eq!(server.get("/readyz").status, 200);
}

/// The command of a server that gets the socket as systemd passes it: as file descriptor 3, to this process only.
fn passing(site: &Site, socket: OwnedFd) -> Command {
    let serving = site.serving(&[]);
    let mut command = Command::new("sh");
    let script = "exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\"";
    command.args(["-c", script]).arg(serving.get_program()).args(serving.get_args()).stdin(socket);
    command.env_clear().current_dir(site.path("."));
    command.envs(serving.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

#[test]
fn a_restart_with_a_passed_socket_loses_no_request() {
    let site = Site::sqlite();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let start = || site.start(passing(&site, socket.try_clone().unwrap().into()));
    let mut server = start();
    assert_eq!(server.address, address, "not the one of the settings");
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let answer = Client::new(&address).get("/v1/signup/policy", None);
                    assert!(answer.status < 500, "{answer:?}");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for _ in 0..3 {
            let before = answered.load(Ordering::Relaxed);
            eventually("there is load", || (answered.load(Ordering::Relaxed) > before + 20).then_some(()));
            server.signal("-TERM");
            assert_eq!(server.ended().code(), Some(0));
            server = start();
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_passed_unix_socket_is_used_and_left_where_it_is() {
    let site = Site::sqlite();
    let path = site.path("passed.sock");
    let socket = UnixListener::bind(&path).unwrap();
    let mut server = site.start(passing(&site, socket.into()));
    assert_eq!(server.address, format!("unix:{}", path.display()));
    server.signal("-TERM");
    assert_eq!(server.ended().code(), Some(0));
    assert!(path.exists(), "it is the manager's");
}

#[test]
fn what_cannot_be_listened_on_is_refused() {
    let site = Site::sqlite();
    let datagrams = UnixDatagram::bind(site.path("datagrams.sock")).unwrap();
    Finished::of(&mut passing(&site, datagrams.into())).refused(2, "the socket that was passed (LISTEN_FDS)");
    let many = [("LISTEN_FDS", "2")];
    Finished::of(&mut site.serving(&many)).refused(2, "2 sockets were passed");
    // Another process was meant.
    let server = site.serve_with(&[("LISTEN_FDS", "1"), ("LISTEN_PID", "1")]);
    assert_eq!(server.get("/livez").status, 200);
}

// Where systemd is installed: containers often have none.
#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let site = Site::sqlite();
    let program = site.command(&[]).get_program().to_str().unwrap().to_owned();
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let units =
        ["vestibule.service", "vestibule.socket", "vestibule-backup.service", "vestibule-backup.timer"];
    for unit in units {
        let text = fs::read_to_string(deploy.join(unit)).unwrap();
        fs::write(site.path(unit), text.replace("/usr/local/bin/vestibule", &program)).unwrap();
    }
    let analyze = |arguments: &[&str]| {
        Command::new("systemd-analyze")
            .args(arguments)
            .current_dir(site.path("."))
            .output()
            .map(Finished::from)
    };
    let Ok(verified) = analyze(&[&["verify"], &units[..]].concat()) else { return };
    assert_eq!(verified.ok().stderr, "");
    for service in [units[0], units[2]] {
        analyze(&["security", "--offline=true", "--threshold=20", service]).unwrap().ok();
    }
}
