//! Requests that may get no answer: the server is killed while it works on them.

use std::net::SocketAddr;

use serde_json::{Value, json};
use vestibule_testing::{PASSWORD, Server};

use crate::http::Connection;
use crate::shell::Result;

/// The administrator whose token is used to query the server.
pub(super) const ADMIN: &str = "root@example.org";

/// The tokens of a sign-in.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    pub(super) access: String,
    pub(super) refresh: String,
}

/// The outcome of a request.
#[derive(Debug)]
pub(super) enum Outcome<T> {
    /// The server has confirmed it, and must remember it.
    Acknowledged(T),
    /// The server has answered that nothing was done.
    Refused(u16),
    /// No answer: it may or may not have been done.
    Unknown,
}

/// A client of one server.
#[derive(Clone, Copy)]
pub(super) struct Client(SocketAddr);

impl Client {
    pub(super) fn of(server: &Server) -> Result<Self> {
        server.address.parse().map(Self).map_err(|_| format!("{} is no address", server.address))
    }

    /// Signs up.
    pub(super) fn sign_up(self, email: &str) -> Outcome<()> {
        self.post("/v1/signup", &json!({ "email": email, "password": PASSWORD }), &[202]).map(drop)
    }

    /// Opens the mailed link.
    pub(super) fn confirm(self, token: &str) -> Outcome<()> {
        self.post("/v1/confirm", &json!({ "token": token, "password": PASSWORD }), &[200]).map(drop)
    }

    /// Signs in.
    pub(super) fn sign_in(self, email: &str) -> Outcome<Tokens> {
        let body = json!({ "email": email, "password": PASSWORD });
        self.post("/v1/login", &body, &[200]).map(|answer| tokens(&answer))
    }

    /// Exchanges a refresh token for the next tokens.
    pub(super) fn refresh(self, token: &str) -> Outcome<Tokens> {
        let form = format!("grant_type=refresh_token&refresh_token={token}");
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", "/v1/token", &headers, &form, &[200]).map(|answer| tokens(&answer))
    }

    /// Sends a GET request with this token.
    pub(super) fn get(self, path: &str, access: &str) -> Outcome<Value> {
        let authorization = format!("Bearer {access}");
        self.send("GET", path, &[("authorization", authorization.as_str())], "", &[200])
    }

    /// Sends a POST request with this token.
    pub(super) fn post_as(self, path: &str, access: &str) -> Outcome<Value> {
        let authorization = format!("Bearer {access}");
        self.send("POST", path, &[("authorization", authorization.as_str())], "", &[200, 202, 204])
    }

    /// Whether a sign-up would work.
    pub(super) fn is_ready(self) -> bool {
        Connection::open(self.0).and_then(|mut it| it.get("/readyz")).is_ok_and(|status| status == 200)
    }

    fn post(self, path: &str, body: &Value, good: &[u16]) -> Outcome<Value> {
        self.send("POST", path, &[("content-type", "application/json")], &body.to_string(), good)
    }

    fn send(
        self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
        good: &[u16],
    ) -> Outcome<Value> {
        let answer = Connection::open(self.0).and_then(|mut it| it.request(method, path, headers, body));
        match answer {
            Ok((status, text)) if good.contains(&status) => {
                Outcome::Acknowledged(serde_json::from_str(&text).unwrap_or_default())
            }
            // After a fault of the server the outcome of the request is unknown.
            Ok((500.., _)) | Err(_) => Outcome::Unknown,
            Ok((status, _)) => Outcome::Refused(status),
        }
    }
}

impl<T> Outcome<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Acknowledged(value) => Outcome::Acknowledged(change(value)),
            Self::Refused(status) => Outcome::Refused(status),
            Self::Unknown => Outcome::Unknown,
        }
    }

    /// The result, if it was acknowledged.
    pub(super) fn acknowledged(self) -> Option<T> {
        match self {
            Self::Acknowledged(value) => Some(value),
            Self::Refused(_) | Self::Unknown => None,
        }
    }
}

fn tokens(answer: &Value) -> Tokens {
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    Tokens { access: text("access_token"), refresh: text("refresh_token") }
}
