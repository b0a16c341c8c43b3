//! A server with people who are signed in.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use vestibule_testing::{PASSWORD, Site};

use super::super::program::Running;
use super::super::size;
use super::super::yardstick::{Load, Outcome, Yardstick, as_f64};
use crate::http::Connection;
use crate::shell::Result;

/// As many as there are connections at most: nobody waits for the row of somebody else.
const PEOPLE: u32 = 64;

pub(super) struct Stage<'a> {
    pub(super) yardstick: &'a Yardstick,
    pub(super) server: Running,
    people: Vec<Person>,
}

/// Somebody who is signed in.
struct Person {
    access: String,
    refresh: String,
}

impl<'a> Stage<'a> {
    /// Starts a server on an empty database, and lets everybody sign in.
    pub(super) fn set(yardstick: &'a Yardstick, site: &Site) -> Result<Self> {
        let mut first = Running::start(site)?;
        first.first_200("/readyz")?;
        first.stop();
        site.has_user(size::FIRST, &[]);
        let imported =
            site.run_with_input(&["user", "import", "-", "--from", "jsonl"], &size::users(site, PEOPLE)?);
        if imported.code != Some(0) {
            return Err(format!("the import failed: {}", imported.stderr));
        }
        let mut server = Running::start(site)?;
        server.first_200("/readyz")?;
        let people = signed_in(server.address)?;
        Ok(Self { yardstick, server, people })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// `GET /v1/me`, everybody with an own token.
    pub(super) fn me(&self) -> Load {
        Load::get_as(self.address(), "/v1/me", self.people.iter().map(|person| person.access.as_str()))
    }

    /// Sign-ins of everybody in turn.
    pub(super) fn sign_ins(&self) -> Load {
        Load::post(self.address(), "/v1/login", (0..PEOPLE).map(credentials).collect())
    }

    /// Everybody signs in once more, and exchanges the refresh token that the answer before has brought.
    pub(super) fn refreshes(&self) -> Result<Load> {
        let people = signed_in(self.address())?;
        let body = |person: &Person| format!("grant_type=refresh_token&refresh_token={}", person.refresh);
        let bodies = people.iter().map(body).collect();
        let form = "application/x-www-form-urlencoded";
        Ok(Load { chain: Some("refresh_token"), ..Load::post_as(self.address(), "/v1/token", form, bodies) })
    }

    /// Sends a load, after a short one of the same kind; what came of it, and the server's CPU time for each answer in
    /// milliseconds. Fails if anything was refused.
    pub(super) fn measure(&self, what: &str, load: &Load) -> Result<(Outcome, f64)> {
        let (outcome, cpu) = self.storm(load)?;
        Ok((outcome.all_good(what)?, cpu))
    }

    /// The same, of sign-ins and sign-ups: where hashes wait for longer than a second, some are refused. The CPU time is that
    /// for each that was not.
    pub(super) fn storm(&self, load: &Load) -> Result<(Outcome, f64)> {
        // A chain cannot be begun twice: its tokens are used.
        if load.chain.is_none() && !load.once {
            self.yardstick.load(&Load { seconds: 0.3, ..load.clone() })?;
        }
        let before = self.server.cpu_time()?;
        let outcome = self.yardstick.load(load)?;
        let cpu = self.server.cpu_time()?.saturating_sub(before);
        let each = milliseconds(cpu) / outcome.good_answers().max(1.0);
        Ok((outcome, each))
    }
}

pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

pub(super) fn mebibytes(kib: u64) -> f64 {
    as_f64(kib) / 1024.0
}

fn credentials(number: u32) -> String {
    json!({"email": size::email(number), "password": PASSWORD}).to_string()
}

fn signed_in(address: SocketAddr) -> Result<Vec<Person>> {
    let mut connection = Connection::open(address).map_err(|e| format!("cannot connect: {e}"))?;
    (0..PEOPLE).map(|number| sign_in(&mut connection, number)).collect()
}

fn sign_in(connection: &mut Connection, number: u32) -> Result<Person> {
    let answer = connection.send("POST", "/v1/login", None, &credentials(number));
    let (status, text) = answer.map_err(|e| format!("cannot sign in: {e}"))?;
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    let token = |name: &str| answer[name].as_str().map(str::to_owned);
    match (token("access_token"), token("refresh_token")) {
        (Some(access), Some(refresh)) => Ok(Person { access, refresh }),
        _ => Err(format!("a sign-in was answered {status}: {text}")),
    }
}
