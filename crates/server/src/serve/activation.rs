//! A socket that was opened before the server starts, by systemd or another supervisor (`LISTEN_FDS`): connections that come while
//! no server runs wait in it, so that a restart loses none.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use listenfd::ListenFd;

use crate::failure::Failure;

/// The socket that was passed.
pub(crate) enum Inherited {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Inherited {
    /// Takes the socket that was passed to this process, if one was. To be called before the first thread starts: it takes the
    /// variables that say so out of the environment.
    ///
    /// # Errors
    /// If more than one was passed, or one that is no stream socket.
    pub(crate) fn take() -> Result<Option<Self>, Failure> {
        let mut passed = ListenFd::from_env();
        if passed.len() > 1 {
            let cause =
                format!("{} sockets were passed (LISTEN_FDS): the server listens on one", passed.len());
            return Err(Failure::usage(cause).fix("leave one ListenStream= in the socket unit"));
        }
        let unusable = |error| {
            let cause = format!("the socket that was passed (LISTEN_FDS) cannot be used: {error}");
            Failure::usage(cause).fix("write ListenStream= with ADDRESS:PORT or a path into the socket unit")
        };
        // Each refuses the other's and leaves it where it is.
        if let Ok(tcp) = passed.take_tcp_listener(0) {
            return Ok(tcp.map(Self::Tcp));
        }
        passed.take_unix_listener(0).map(|unix| unix.map(Self::Unix)).map_err(unusable)
    }
}
