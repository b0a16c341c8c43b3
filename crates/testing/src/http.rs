//! A small HTTP client, with the steps of signing up.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "what a test cannot unwrap has failed: each of these fails the test that is not answered as it says"
)]

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::waiting::PATIENCE;

/// A client of one server; each request uses a new connection.
#[derive(Clone)]
pub struct Client {
    address: String,
    /// The value of `Host`: the address, unless another name was given.
    host: String,
    /// The local address it connects from.
    from: Option<IpAddr>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status; 0 if there was no valid answer.
    pub status: u16,
    head: String,
    /// The body, unparsed.
    pub body: String,
}

impl Answer {
    /// The value of a header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let named =
            |line: &'_ str| line.split_once(':').is_some_and(|(own, _)| own.eq_ignore_ascii_case(name));
        let line = self.head.lines().find(|line| named(line));
        line.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
    }

    /// The value of a cookie in the answer; empty if there is none.
    pub fn cookie(&self, name: &str) -> &str {
        let set = self.head.lines().filter_map(|line| line.split_once(": "));
        let set = set.filter(|(field, _)| field.eq_ignore_ascii_case("set-cookie"));
        let mut values = set.filter_map(|(_, cookie)| cookie.strip_prefix(name)?.strip_prefix('='));
        values.next().and_then(|value| value.split(';').next()).unwrap_or_default()
    }

    /// The body as JSON; checks the status.
    #[track_caller]
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Client {
    /// A client of the server at this address.
    pub fn new(address: &str) -> Self {
        Self { address: address.to_owned(), host: address.to_owned(), from: None }
    }

    /// The same server under this name.
    #[must_use]
    pub fn called(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// Connects from this address, one of 127.0.0.0/8.
    #[must_use]
    pub fn from(mut self, address: &str) -> Self {
        self.from = Some(address.parse().unwrap());
        self
    }

    /// Sends a GET request.
    pub fn get(&self, path: &str, authorization: Option<&str>) -> Answer {
        self.send("GET", path, authorization, None)
    }

    /// Sends JSON.
    pub fn post(&self, path: &str, authorization: Option<&str>, body: &Value) -> Answer {
        self.send("POST", path, authorization, Some(body))
    }

    fn send(&self, method: &str, path: &str, authorization: Option<&str>, body: Option<&Value>) -> Answer {
        let authorization = authorization.map(|value| ("authorization", value));
        let body = body.map_or_else(String::new, Value::to_string);
        let content = (!body.is_empty()).then_some(("content-type", "application/json"));
        let headers: Vec<_> = authorization.into_iter().chain(content).collect();
        self.request(method, path, &headers, &body)
    }

    /// Sends a form, with these credentials.
    pub fn form(&self, path: &str, authorization: &str, form: &str) -> Answer {
        let headers =
            [("authorization", authorization), ("content-type", "application/x-www-form-urlencoded")];
        self.request("POST", path, &headers, form)
    }

    /// Sends a request with these headers.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let length = body.len().to_string();
        let mut all = vec![("host", self.host.as_str()), ("connection", "close")];
        all.extend((!body.is_empty()).then_some(("content-length", length.as_str())));
        all.extend(headers);
        let lines: Vec<_> = all.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        self.raw(format!("{method} {path} HTTP/1.1\r\n{}\r\n{body}", lines.concat()).as_bytes())
    }

    /// Sends these bytes and reads until the server closes.
    pub fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = match self.from {
            Some(ip) => connect_from(ip, &self.address),
            None => TcpStream::connect(&self.address).unwrap(),
        };
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request).unwrap();
        read(&mut stream)
    }

    /// Signs up.
    pub fn sign_up(&self, email: &str, password: &str) {
        let answer = self.post("/v1/signup", None, &json!({ "email": email, "password": password }));
        assert_eq!(answer.json(202)["status"], "confirmation_required");
    }

    /// The newest mail to this address in the mailbox of the development mode; waits for it.
    pub fn mailbox(&self, email: &str) -> Value {
        let path = format!("/dev/mail/latest?to={}&wait=20", email.replace('@', "%40"));
        self.get(&path, None).json(200)
    }

    /// Confirms with the mailed code.
    pub fn confirm(&self, email: &str, password: &str, code: &str) {
        assert_eq!(self.try_code(email, password, code).json(200)["email"], email);
    }

    /// The answer to confirming with a code.
    pub fn try_code(&self, email: &str, password: &str, code: &str) -> Answer {
        self.post("/v1/confirm/code", Some(&basic(email, password)), &json!({ "code": code }))
    }

    /// Signs in; returns the access token.
    pub fn sign_in(&self, email: &str, password: &str) -> String {
        let answer = self.try_password(email, password).json(200);
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// The answer to a sign-in.
    pub fn try_password(&self, email: &str, password: &str) -> Answer {
        self.post("/v1/login", None, &json!({ "email": email, "password": password }))
    }

    /// The account that a token belongs to.
    pub fn me(&self, token: &str) -> Value {
        self.get("/v1/me", Some(&format!("Bearer {token}"))).json(200)
    }
}

/// The value of a Basic header.
pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{name}:{password}").as_bytes()))
}

/// The standard library cannot choose the local address of a connection.
fn connect_from(ip: IpAddr, address: &str) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let connecting = async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(ip, 0))?;
        socket.connect(address.parse().unwrap()).await?.into_std()
    };
    let stream = runtime.block_on(connecting).unwrap();
    stream.set_nonblocking(false).unwrap();
    stream
}

/// Reads one answer to its end.
pub fn read(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}
