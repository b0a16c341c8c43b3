//! What each request costs on a database of one size.

use std::fs;
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};
use vestibule_testing::{PASSWORD, Site, free_address};

use super::super::program::Running;
use super::super::yardstick::{Load, Yardstick, as_f64};
use super::fill::{ADMIN, email};
use crate::http::Connection;
use crate::shell::Result;

/// Milliseconds by name, in the order of the table.
pub(super) type Costs = Vec<(String, f64)>;

/// Each is measured so often, and the best is taken: what disturbs a machine only makes it slower.
const TIMES: usize = 3;
const SECONDS: f64 = 0.4;
const SIGN_INS_SECONDS: f64 = 2.0;
const STARTS: usize = 5;
/// People whose tokens are checked, from all over the table.
const PEOPLE: u32 = 8;
/// As seldom as this nobody waits for anybody else.
const EVERY_MICROS: u64 = 8000;
/// After the start the sweeper looks for what has expired.
const SWEPT: Duration = Duration::from_secs(3);

/// What administrators ask for. `{user}` is somebody's id, `{year}` a time in the middle of what there is.
const ADMINISTRATION: [&str; 21] = [
    "/v1/admin/users",
    "/v1/admin/users?cursor={cursor}",
    "/v1/admin/users?limit=200",
    "/v1/admin/users?q=ada.77",
    "/v1/admin/users?q=example",
    "/v1/admin/users?q=ad",
    "/v1/admin/users?q=nobody-at-all",
    "/v1/admin/users?status=disabled",
    "/v1/admin/users?role=editor",
    "/v1/admin/users?second_factor=any",
    "/v1/admin/users?created_before={year}",
    "/v1/admin/users?last_sign_in=never",
    "/v1/admin/users?sort=email",
    "/v1/admin/users?sort=-last_sign_in",
    "/v1/admin/users/{user}",
    "/v1/admin/audit",
    "/v1/admin/audit?user_id={user}",
    "/v1/admin/audit?kind=sign_in_failed",
    "/v1/admin/audit?email=ada.0@mail.example.org",
    "/v1/admin/stats",
    "/v1/admin/registrations",
];

pub(super) fn measure(
    yardstick: &Yardstick,
    site: &Site,
    settings: &[(&str, &str)],
    users: u32,
) -> Result<Costs> {
    let mut costs = Costs::new();
    let metrics = free_address();
    let listen = metrics.to_string();
    let settings = [settings, &[("VESTIBULE_METRICS_LISTEN", listen.as_str())]].concat();
    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let mut server = Running::start_with(site, &settings)?;
        starts.push(server.first_200("/readyz")?);
    }
    let best = starts.iter().min().map(Duration::as_secs_f64).unwrap_or_default();
    costs.push(("start to the first 200 of `/readyz`".to_owned(), best * 1000.0));
    let mut server = Running::start_with(site, &settings)?;
    server.first_200("/readyz")?;
    sleep(SWEPT);
    costs.push(("start and first sweep, CPU time".to_owned(), cpu_millis(server.id())?));
    let asked = Asked { yardstick, server: &server };
    costs.push(("`GET /readyz`".to_owned(), asked.get("/readyz", None)?));
    let beside_hash = best_of(|| asked.sign_in_beside_hash(metrics, users))?;
    costs.push(("sign-in beside its hash".to_owned(), beside_hash));

    let people = (0..PEOPLE).map(|turn| asked.sign_in(&email(users / PEOPLE * turn)));
    let people: Vec<Value> = people.collect::<Result<_>>()?;
    let tokens = people.iter().filter_map(|person| person["access_token"].as_str());
    let load = Load::get_as(server.address, "/v1/me", tokens).over(people.len(), SECONDS);
    costs.push((
        "`GET /v1/me`".to_owned(),
        asked.best_median(&Load { every_micros: Some(EVERY_MICROS), ..load })?,
    ));
    costs.push(("refresh".to_owned(), best_of(|| asked.refresh(&email(1)))?));
    let own = people[0]["access_token"].as_str();
    costs.push(("`GET /v1/me/sessions`".to_owned(), asked.get("/v1/me/sessions", own)?));

    let admin = asked.sign_in(ADMIN)?;
    let token = admin["access_token"].as_str();
    let user = people[2]["user"]["id"].as_str().unwrap_or_default();
    let page = asked.json("/v1/admin/users", token)?;
    let cursor = page["next_cursor"].as_str().ok_or_else(|| format!("no next page: {page}"))?;
    let middle = people[PEOPLE as usize / 2]["user"]["created_at"].as_str().unwrap_or_default();
    for path in ADMINISTRATION {
        let asked_for = path.replace("{user}", user).replace("{cursor}", cursor).replace("{year}", middle);
        costs.push((format!("`GET {path}`"), asked.get(&asked_for, token)?));
    }
    Ok(costs)
}

struct Asked<'a> {
    yardstick: &'a Yardstick,
    server: &'a Running,
}

impl Asked<'_> {
    /// The median time to the answer, in milliseconds.
    fn median(&self, load: &Load) -> Result<f64> {
        let what = load.heads.first().and_then(|head| head.split('\r').next()).unwrap_or_default();
        let outcome = self.yardstick.load(load)?.all_good(what)?;
        Ok(as_f64(outcome.p50_micros) / 1000.0)
    }

    fn best_median(&self, load: &Load) -> Result<f64> {
        best_of(|| self.median(load))
    }

    fn get(&self, path: &str, token: Option<&str>) -> Result<f64> {
        let load = match token {
            Some(token) => Load::get_as(self.server.address, path, [token].into_iter()),
            None => Load::get(self.server.address, path),
        };
        self.best_median(&load.over(1, SECONDS))
    }

    fn refresh(&self, email: &str) -> Result<f64> {
        let person = self.sign_in(email)?;
        let token = person["refresh_token"].as_str().ok_or("no refresh token")?;
        let body = format!("grant_type=refresh_token&refresh_token={token}");
        let form = "application/x-www-form-urlencoded";
        let load = Load::post_as(self.server.address, "/v1/token", form, vec![body]).over(1, SECONDS);
        self.median(&Load { chain: Some("refresh_token"), ..load })
    }

    /// The time of a sign-in without the time that the server says the hash took, with its queue.
    fn sign_in_beside_hash(&self, metrics: SocketAddr, users: u32) -> Result<f64> {
        let bodies = (0..500).map(|turn| credentials(&email((turn * 7919) % users)));
        let load = Load::post(self.server.address, "/v1/login", bodies.collect());
        let before = Hashed::at(metrics)?;
        // The disabled are refused, like everybody else after a hash.
        let outcome = self.yardstick.load(&load.over(1, SIGN_INS_SECONDS))?;
        let after = Hashed::at(metrics)?;
        let hash = (after.seconds - before.seconds) / (after.number - before.number).max(1.0);
        Ok((outcome.seconds_of_one() - hash) * 1000.0)
    }

    fn sign_in(&self, email: &str) -> Result<Value> {
        let mut connection = self.connect()?;
        let answer = connection.send("POST", "/v1/login", None, &credentials(email));
        match answer.map_err(|e| format!("cannot sign in: {e}"))? {
            (200, text) => serde_json::from_str(&text).map_err(|e| e.to_string()),
            (status, text) => Err(format!("{email} was answered {status}: {text}")),
        }
    }

    fn json(&self, path: &str, token: Option<&str>) -> Result<Value> {
        let answer = self.connect()?.send("GET", path, token, "").map_err(|e| format!("{path}: {e}"))?;
        serde_json::from_str(&answer.1).map_err(|e| format!("{path}: {e}"))
    }

    fn connect(&self) -> Result<Connection> {
        Connection::open(self.server.address).map_err(|e| format!("cannot connect: {e}"))
    }
}

/// The least of several measurements.
fn best_of(measure: impl Fn() -> Result<f64>) -> Result<f64> {
    let all: Vec<f64> = (0..TIMES).map(|_| measure()).collect::<Result<_>>()?;
    Ok(all.into_iter().fold(f64::INFINITY, f64::min).max(0.0))
}

fn credentials(email: &str) -> String {
    json!({"email": email, "password": PASSWORD}).to_string()
}

/// The hashes of a server so far, as its metrics say.
struct Hashed {
    number: f64,
    seconds: f64,
}

impl Hashed {
    fn at(metrics: SocketAddr) -> Result<Self> {
        let mut connection = Connection::open(metrics).map_err(|e| format!("cannot connect: {e}"))?;
        let (_, text) = connection.send("GET", "/metrics", None, "").map_err(|e| format!("/metrics: {e}"))?;
        let value = |name: &str| metric(&text, name).ok_or_else(|| format!("no {name} in the metrics"));
        Ok(Self {
            number: value("vestibule_password_hashes_total")?,
            seconds: value("vestibule_password_hash_wait_seconds_total")?,
        })
    }
}

fn metric(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// The CPU time of all threads there are, to the microsecond: that of a process is counted in ticks of 10 ms.
fn cpu_millis(process: u32) -> Result<f64> {
    let folder = format!("/proc/{process}/task");
    let tasks = fs::read_dir(&folder).map_err(|e| format!("{folder}: {e}"))?;
    let times = tasks.flatten().filter_map(|task| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Ok(as_f64(times.sum::<u64>()) / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_read_by_its_name() {
        let text = "# TYPE vestibule_password_hashes counter\nvestibule_password_hashes_total 12\n";
        assert_eq!(metric(text, "vestibule_password_hashes_total"), Some(12.0));
        assert_eq!(metric(text, "vestibule_password"), None);
    }
}
