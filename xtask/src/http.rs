//! A client of a few lines for measuring our own server: GET on one connection that stays open.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// The answer's status. Its body is read and dropped.
    pub(crate) fn get(&mut self, path: &str) -> Result<u16> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        self.stream.get_mut().write_all(request.as_bytes())?;
        let status = self.line()?.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| Error::new(ErrorKind::InvalidData, "not an HTTP answer"))?;
        let mut length = 0;
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line.split_once(':') {
                Some(("content-length", value)) => length = value.trim().parse().map_err(Error::other)?,
                Some(("transfer-encoding", _)) => return Err(Error::other("a body without a length")),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = (&mut self.stream).take(length);
        std::io::copy(&mut body, &mut std::io::sink())?;
        Ok(status)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        let read = (&mut self.stream).take(16 * 1024).read_line(&mut line)?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    /// Answers each connection's requests with `answers` in turn, then closes it.
    pub(crate) fn serve(listener: TcpListener, answers: &'static [&'static str]) {
        thread::Builder::new()
            .spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    let mut stream = BufReader::new(stream);
                    for answer in answers {
                        let mut line = String::new();
                        while line != "\r\n" {
                            line.clear();
                            if stream.read_line(&mut line).is_ok_and(|read| read == 0) {
                                break;
                            }
                        }
                        let _ = stream.get_mut().write_all(answer.as_bytes());
                    }
                }
            })
            .unwrap();
    }

    #[test]
    fn answers_follow_each_other_on_one_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        serve(
            listener,
            &[
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n",
                "HTTP/1.1 204 No Content\r\n\r\n",
            ],
        );
        let mut connection = Connection::open(address).unwrap();
        let statuses = [1, 2, 3].map(|_| connection.get("/livez").unwrap());
        assert_eq!(statuses, [200, 503, 204]);
        assert!(connection.get("/livez").is_err(), "closed");
    }
}
