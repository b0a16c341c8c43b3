//! The socket: TCP, or a Unix socket for a proxy on the same machine.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};

use super::activation::Inherited;
use crate::config::values::Listen;
use crate::failure::Failure;

/// Octets that the system buffers for a client before it has read them; Linux doubles the number.
const SEND_OCTETS: u32 = 64 * 1024;
/// Connections that may wait to be accepted, as in the standard library.
const BACKLOG: u32 = 1024;

/// A bound socket.
pub(crate) enum Listener {
    Tcp(TcpListener, SocketAddr),
    Unix(UnixListener, PathBuf),
    /// A Unix socket that was passed; whoever made it removes it.
    UnixInherited(UnixListener, PathBuf),
}

/// An accepted connection.
pub(crate) enum Stream {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

impl Listener {
    /// Binds and listens.
    pub(crate) async fn bind(listen: &Listen) -> Result<Self, Failure> {
        let bound = match listen {
            Listen::Tcp(address) => Self::bind_tcp(*address),
            Listen::Unix(path) => Self::bind_unix(path).await,
        };
        bound.map_err(|error| {
            let failure = match error.kind() {
                io::ErrorKind::PermissionDenied => Failure::permission(format!("cannot listen on {listen}: {error}")),
                _ => Failure::failed(format!("cannot listen on {listen}: {error}")),
            };
            failure.fix("choose another place with --listen or VESTIBULE_LISTEN, e.g. 127.0.0.1:8081, or end what listens there")
        })
    }

    /// Takes a socket that is bound and listens already. In development mode only this machine may reach it.
    pub(crate) fn adopt(socket: Inherited, dev: bool) -> Result<Self, Failure> {
        let adopted = match socket {
            Inherited::Tcp(socket) => Self::adopt_tcp(socket),
            Inherited::Unix(socket) => Self::adopt_unix(socket),
        };
        let adopted = adopted.map_err(|error| {
            Failure::failed(format!("the socket that was passed (LISTEN_FDS) cannot be used: {error}"))
        })?;
        match &adopted {
            Self::Tcp(_, address) if dev && !address.ip().to_canonical().is_loopback() => {
                let cause = format!(
                    "--dev would listen on {address} (LISTEN_FDS), where others can read the mailbox"
                );
                Err(Failure::usage(cause)
                    .fix("let the socket unit listen on 127.0.0.1, or serve without --dev"))
            }
            _ => Ok(adopted),
        }
    }

    fn adopt_tcp(socket: std::net::TcpListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        rustix::net::sockopt::set_socket_send_buffer_size(&socket, SEND_OCTETS as usize)?;
        let listener = TcpListener::from_std(socket)?;
        let bound = listener.local_addr()?;
        Ok(Self::Tcp(listener, bound))
    }

    fn adopt_unix(socket: std::os::unix::net::UnixListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let listener = UnixListener::from_std(socket)?;
        let path = listener.local_addr()?.as_pathname().map(Path::to_owned).unwrap_or_default();
        Ok(Self::UnixInherited(listener, path))
    }

    fn bind_tcp(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // As in the standard library: the port of a process that has just ended can be reused.
        socket.set_reuseaddr(true)?;
        // Inherited by accepted connections. Otherwise the system buffers megabytes for each client that does not read.
        socket.set_send_buffer_size(SEND_OCTETS)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let bound = listener.local_addr()?;
        Ok(Self::Tcp(listener, bound))
    }

    /// Replaces a socket that a killed process left behind, but not one that answers.
    async fn bind_unix(path: &Path) -> io::Result<Self> {
        if fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket()) {
            if UnixStream::connect(path).await.is_ok() {
                return Err(io::Error::from(io::ErrorKind::AddrInUse));
            }
            fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        // The proxy runs as another user in the same group.
        fs::set_permissions(path, fs::Permissions::from_mode(0o660))?;
        Ok(Self::Unix(listener, path.to_owned()))
    }

    /// The port, if there is one.
    pub(crate) fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(_, address) => Some(address.port()),
            Self::Unix(..) | Self::UnixInherited(..) => None,
        }
    }

    /// The address it listens on, as written in the settings.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Tcp(_, address) => address.to_string(),
            Self::Unix(_, path) | Self::UnixInherited(_, path) => format!("unix:{}", path.display()),
        }
    }

    /// The next connection.
    pub(crate) async fn accept(&self) -> io::Result<Stream> {
        match self {
            Self::Tcp(listener, _) => {
                let (stream, peer) = listener.accept().await?;
                // An answer is one write: waiting for more data would only delay it.
                stream.set_nodelay(true)?;
                Ok(Stream::Tcp(stream, peer))
            }
            Self::Unix(listener, _) | Self::UnixInherited(listener, _) => {
                Ok(Stream::Unix(listener.accept().await?.0))
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            let _ = fs::remove_file(path);
        }
    }
}
