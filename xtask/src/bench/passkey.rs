//! What a sign-in costs the server, with a passkey and with a password, and what a protected request costs.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use vestibule_testing::webauthn::{Asked, Authenticator};
use vestibule_testing::{PASSWORD, PUBLIC_URL, Site};

use super::cost::{Cost, one_by_one, together};
use super::program::{Build, Running};
use crate::http::Connection;
use crate::shell::Result;

const EMAIL: &str = "ada@example.org";
/// CPU time is counted in ticks of 10 ms: fewer requests would drown in them.
const PASSKEYS: usize = 4000;
const PASSWORDS: usize = 200;
const READS: u32 = 5000;
/// People who sign in at the same time: their commits share a write to the disk.
const PASSKEYS_TOGETHER: usize = 64;
/// Fewer than even a busy machine checks in a second: the rest would be refused.
const PASSWORDS_TOGETHER: usize = 2;

/// What each costs.
pub(super) struct Costs {
    pub(super) read: Cost,
    pub(super) passkey: Cost,
    pub(super) password: Cost,
}

impl Costs {
    /// How many sign-ins with a passkey cost as much as one with a password.
    pub(super) fn ratio(&self) -> f64 {
        self.password.cpu.as_secs_f64() / self.passkey.cpu.as_secs_f64()
    }
}

pub(super) fn run(build: &Build) -> Result {
    let costs = measure(&Site::new(build.program()?, None))?;
    println!("GET /v1/me             {}", costs.read);
    println!("sign-in with a passkey {}", costs.passkey);
    println!("sign-in with password  {}", costs.password);
    println!("a passkey costs 1/{:.0} of the CPU time of a password", costs.ratio());
    Ok(())
}

pub(super) fn measure(site: &Site) -> Result<Costs> {
    let mut server = Running::start(site)?;
    server.first_200("/readyz")?;
    site.has_user(EMAIL, &[]);
    let mut connection = Connection::open(server.address).map_err(|e| format!("cannot connect: {e}"))?;
    let credentials = json!({"email": EMAIL, "password": PASSWORD});
    let session = post(&mut connection, "/v1/login", None, &credentials, 200)?;
    let token = session["access_token"].as_str().ok_or("no token")?.to_owned();
    let passkey = add_passkey(&mut connection, &token)?;

    let read = one_by_one(&server, READS, || get(&mut connection, "/v1/me", &token))?;
    // Begun and signed before the measurement: that is the work of browsers.
    let mut answers = Vec::new();
    for _ in 0..PASSKEYS {
        let asked = post(&mut connection, "/v1/login/passkey/options", None, &json!({}), 200)?;
        let credential = passkey.asserts(&Asked::new(&asked["public_key"], PUBLIC_URL));
        answers.push(json!({"ceremony": asked["ceremony"], "credential": credential}));
    }
    let passkey = together(&server, PASSKEYS_TOGETHER, &answers, to("/v1/login/passkey"))?;
    let password = together(&server, PASSWORDS_TOGETHER, &vec![credentials; PASSWORDS], to("/v1/login"))?;
    Ok(Costs { read, passkey, password })
}

/// Posts to this address.
fn to(path: &str) -> impl Fn(&mut Connection, &Value) -> Result {
    move |connection, body| post(connection, path, None, body, 200).map(drop)
}

fn add_passkey(connection: &mut Connection, token: &str) -> Result<Authenticator> {
    let asked = post(connection, "/v1/me/passkeys/options", Some(token), &json!({}), 200)?;
    let mut passkey = Authenticator::new(-7);
    // Whoever signs in without a name is found by it.
    let handle = asked["public_key"]["user"]["id"].as_str().ok_or("no user handle")?;
    passkey.user_handle = Some(BASE64URL_NOPAD.decode(handle.as_bytes()).map_err(|e| e.to_string())?);
    let credential = passkey.registers(&Asked::new(&asked["public_key"], PUBLIC_URL));
    let body = json!({"ceremony": asked["ceremony"], "credential": credential});
    post(connection, "/v1/me/passkeys", Some(token), &body, 201)?;
    Ok(passkey)
}

fn post(
    connection: &mut Connection,
    path: &str,
    token: Option<&str>,
    body: &Value,
    expected: u16,
) -> Result<Value> {
    let answer = connection.send("POST", path, token, &body.to_string());
    let (status, answer) = answer.map_err(|e| format!("{path}: {e}"))?;
    if status != expected {
        return Err(format!("{path} was answered {status}: {answer}"));
    }
    Ok(serde_json::from_str(&answer).unwrap_or_default())
}

fn get(connection: &mut Connection, path: &str, token: &str) -> Result {
    let (status, _) = connection.send("GET", path, Some(token), "").map_err(|e| format!("{path}: {e}"))?;
    if status == 200 { Ok(()) } else { Err(format!("{path} was answered {status}")) }
}
