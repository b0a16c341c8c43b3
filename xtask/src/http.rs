//! A small client for measuring our own server: requests on one connection that stays open.

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
        Ok(self.send("GET", path, None, "")?.0)
    }

    /// Status and body of the answer to a request with a token and a JSON body, if given.
    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &str,
    ) -> Result<(u16, String)> {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let authorization = authorization.as_deref().map(|value| ("authorization", value));
        let content = (!body.is_empty()).then_some(("content-type", "application/json"));
        let headers: Vec<_> = authorization.into_iter().chain(content).collect();
        self.request(method, path, &headers, body)
    }

    /// Status and body of the answer to a request with these headers.
    pub(crate) fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<(u16, String)> {
        let length = body.len().to_string();
        let length = (!body.is_empty()).then_some(("content-length", length.as_str()));
        let headers = headers.iter().copied().chain(length);
        let lines: Vec<String> = headers.map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{}\r\n{body}", lines.concat());
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
        let mut answer = String::new();
        (&mut self.stream).take(length).read_to_string(&mut answer)?;
        Ok((status, answer))
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
        assert_eq!(connection.send("POST", "/x", Some("token"), "").unwrap(), (200, "ok".to_owned()));
        let statuses = [1, 2].map(|_| connection.get("/livez").unwrap());
        assert_eq!(statuses, [503, 204]);
        assert!(connection.get("/livez").is_err(), "closed");
    }
}
