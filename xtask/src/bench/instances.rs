//! Several instances on one PostgreSQL, with one account.

use serde_json::{Value, json};
use vestibule_testing::{PASSWORD, Site};

use super::program::{Build, Running};
use crate::http::Connection;
use crate::shell::Result;

pub(super) const EMAIL: &str = "ada@example.org";

/// Running instances. They stop when the value is dropped, then the database is dropped.
pub(super) struct Instances {
    pub(super) running: Vec<Running>,
    site: Site,
}

impl Instances {
    /// Starts this many; prints which build it is.
    pub(super) fn start(number: usize, build: &Build) -> Result<Self> {
        let site = Site::new(build.program()?, Some(vestibule_testing::database()));
        let mut instances = Self { running: Vec::new(), site };
        for _ in 0..number {
            // One after the other: the first creates the schema.
            let mut one = Running::start(&instances.site)?;
            one.first_200("/readyz")?;
            instances.running.push(one);
        }
        println!("{number} instances on one PostgreSQL, {build}");
        Ok(instances)
    }

    /// Creates the account used for measuring.
    pub(super) fn make_account(&self) {
        self.site.has_user(EMAIL, &[]);
    }

    /// A connection to one of them.
    pub(super) fn connect(&self, index: usize) -> Result<Connection> {
        let one = &self.running[index % self.running.len()];
        Connection::open(one.address).map_err(|e| format!("cannot connect: {e}"))
    }
}

/// Signs in; returns the access token.
pub(super) fn sign_in(connection: &mut Connection) -> Result<String> {
    let body = json!({"email": EMAIL, "password": PASSWORD}).to_string();
    let (status, answer) =
        connection.send("POST", "/v1/login", None, &body).map_err(|e| format!("a sign-in failed: {e}"))?;
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    let token = answer["access_token"].as_str().filter(|_| status == 200);
    token.map(str::to_owned).ok_or_else(|| format!("a sign-in was answered {status}: {answer}"))
}
