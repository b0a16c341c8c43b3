//! The socket: TCP, or a Unix socket for a proxy on the same machine.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};

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
            Self::Unix(..) => None,
        }
    }

    /// The address it listens on, as written in the settings.
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Tcp(_, address) => address.to_string(),
            Self::Unix(_, path) => format!("unix:{}", path.display()),
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
            Self::Unix(listener, _) => Ok(Stream::Unix(listener.accept().await?.0)),
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
