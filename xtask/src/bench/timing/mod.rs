//! Whether the time of an answer reveals what is behind an address. Each arm is a state of an address; arms are queried
//! in turn, in changing order, and compared with each other.

mod auc;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Instant;

use clap::Args;
use data_encoding::BASE64;
use vestibule_testing::{Letter, PASSWORD, Site};

use self::auc::{Auc, median};
use super::program::{Build, Running};
use crate::http::Connection;
use crate::shell::{Result, program};

/// What is measured.
#[derive(Args)]
pub(crate) struct Options {
    /// Samples of each arm
    #[arg(long, default_value_t = 2000)]
    samples: usize,
    /// Only this request
    #[arg(long, value_enum)]
    only: Option<Request>,
    #[command(flatten)]
    build: Build,
}

/// A pair of arms can be distinguished if the lower end of its interval exceeds this.
const TOLD_APART: f64 = 0.55;
/// What a user brings who was imported: a comparison with it takes longer than with a hash of ours.
const FOREIGN: &str = "$2b$10$y8hCF7L9LE6guBMhwAORRer1efL1hrg1U1/Z6cve/tJ9OlnNmGVDW";
/// A password that no account has.
const WRONG: &str = "copper-lamp-river-77";

/// What is behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing.
    Free,
    /// An open sign-up.
    Pending,
    /// An account.
    Taken,
    /// An account that is disabled.
    Disabled,
    /// An account, and a later sign-up by someone else.
    Decoy,
    /// An account, and an earlier sign-up by someone else.
    Meanwhile,
    /// An account whose password was hashed at a lower cost.
    Old,
    /// An account that was imported with a hash of bcrypt.
    Imported,
}

impl State {
    /// Those without an import: as long as a foreign hash is stored, every failed sign-in takes as long as its comparison,
    /// and little else would show.
    const OWN: [Self; 7] =
        [Self::Free, Self::Pending, Self::Taken, Self::Disabled, Self::Decoy, Self::Meanwhile, Self::Old];
    const AFTER_IMPORT: [Self; 3] = [Self::Free, Self::Taken, Self::Imported];

    fn email(self) -> String {
        format!("{self:?}@example.org").to_lowercase()
    }
}

/// The request that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Request {
    SignUp,
    SignIn,
    SignInAfterImport,
    Code,
    Resend,
    Forgot,
}

impl Request {
    const ALL: [Self; 6] =
        [Self::SignUp, Self::SignIn, Self::SignInAfterImport, Self::Code, Self::Resend, Self::Forgot];

    /// The states that are compared.
    const fn arms(self) -> &'static [State] {
        match self {
            Self::SignInAfterImport => &State::AFTER_IMPORT,
            Self::SignUp | Self::SignIn | Self::Code | Self::Resend | Self::Forgot => &State::OWN,
        }
    }

    /// The microseconds until the answer, which is the same for every state.
    fn ask(self, connection: &mut Connection, state: State) -> Result<u64> {
        let email = state.email();
        let with_password = format!(r#"{{"email":"{email}","password":"{WRONG}"}}"#);
        let address = format!(r#"{{"email":"{email}"}}"#);
        let basic = format!("Basic {}", BASE64.encode(format!("{email}:{WRONG}").as_bytes()));
        let json = ("content-type", "application/json");
        let (path, body, expected) = match self {
            Self::SignUp => ("/v1/signup", with_password, 202),
            Self::SignIn | Self::SignInAfterImport => ("/v1/login", with_password, 401),
            Self::Code => ("/v1/confirm/code", r#"{"code":"0000"}"#.to_owned(), 401),
            Self::Resend => ("/v1/confirm/resend", address, 202),
            Self::Forgot => ("/v1/password/forgot", address, 202),
        };
        let headers: &[_] =
            if self == Self::Code { &[json, ("authorization", basic.as_str())] } else { &[json] };
        let begun = Instant::now();
        let answer = connection.request("POST", path, headers, &body).map_err(|e| format!("{path}: {e}"))?;
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        if answer.0 == expected { Ok(micros) } else { Err(format!("{path} for {email}: {answer:?}")) }
    }
}

pub(super) fn run(options: &Options) -> Result {
    let requests = Request::ALL.into_iter().filter(|it| options.only.is_none_or(|only| only == *it));
    let mut apart = Vec::new();
    for request in requests {
        let site = Site::new(options.build.program()?, None);
        let (_server, address) = prepare(&site, request.arms())?;
        let mut connection = Connection::open(address).map_err(|e| format!("cannot connect: {e}"))?;
        let mut database = Database::open(&site)?;
        let samples = measure(request, options.samples, &mut connection, &mut database)?;
        apart.extend(report(request, &samples));
    }
    if apart.is_empty() { Ok(()) } else { Err(format!("told apart by their time: {}", apart.join(", "))) }
}

/// Queries each state equally often, in changing order, from the same starting point.
fn measure(
    request: Request,
    samples: usize,
    connection: &mut Connection,
    database: &mut Database,
) -> Result<Vec<Vec<u64>>> {
    let mut dice = fastrand::Rng::with_seed(1);
    let arms = request.arms();
    let mut measured = vec![Vec::with_capacity(samples); arms.len()];
    // The first answers fill caches.
    for number in 0..samples + 20 {
        let mut order: Vec<usize> = (0..arms.len()).collect();
        dice.shuffle(&mut order);
        database.reset()?;
        for arm in order {
            let micros = request.ask(connection, arms[arm])?;
            if number >= 20 {
                measured[arm].push(micros);
            }
        }
    }
    Ok(measured)
}

/// Prints medians, and the AUC of each pair with its 99.9 % interval; returns the pairs that can be distinguished.
fn report(request: Request, samples: &[Vec<u64>]) -> Vec<String> {
    println!("\n{request:?}");
    let arms = request.arms();
    for (state, of_one) in arms.iter().zip(samples) {
        println!("  {state:?}: median {:.2} ms of {}", median(of_one) / 1000.0, of_one.len());
    }
    let mut apart = Vec::new();
    for (first, one) in arms.iter().zip(samples) {
        for (second, other) in arms.iter().zip(samples).skip_while(|(it, _)| *it != first).skip(1) {
            let auc = Auc::of(one, other);
            let told = auc.low > TOLD_APART;
            println!("  {first:?} and {second:?}: {auc}{}", if told { "  TOLD APART" } else { "" });
            if told {
                apart.push(format!("{request:?}, {first:?} and {second:?}"));
            }
        }
    }
    apart
}

/// A server with an address in each of its own states, and in these.
fn prepare(site: &Site, arms: &[State]) -> Result<(Running, SocketAddr)> {
    let mut old = Running::start(site)?;
    old.first_200("/readyz")?;
    confirmed(site, old.address, State::Old)?;
    old.stop();
    if arms.contains(&State::Imported) {
        let row = format!(r#"{{"email":"{}","password_hash":"{FOREIGN}"}}"#, State::Imported.email());
        let imported = site.run_with_input(&["user", "import", "-", "--from", "jsonl"], &row);
        if imported.code != Some(0) {
            return Err(format!("no imported user: {}", imported.stderr));
        }
    }
    let mut server = Running::start_with(site, &[("VESTIBULE_HASH_MEMORY_KIB", "32768")])?;
    server.first_200("/readyz")?;
    let address = server.address;
    for state in [State::Taken, State::Disabled, State::Decoy] {
        confirmed(site, address, state)?;
    }
    for state in [State::Pending, State::Decoy, State::Meanwhile] {
        signed_up(site, address, state, "a-strangers-password-1")?;
    }
    confirmed(site, address, State::Meanwhile)?;
    let disabled = site.run(&["user", "disable", &State::Disabled.email()]);
    if disabled.code != Some(0) {
        return Err(format!("no disabled user: {}", disabled.stderr));
    }
    Ok((server, address))
}

/// Signs up, and waits for the mail.
fn signed_up(site: &Site, address: SocketAddr, state: State, password: &str) -> Result<Letter> {
    let before = site.relay().letters_to(&state.email()).len();
    let body = format!(r#"{{"email":"{}","password":"{password}"}}"#, state.email());
    post(address, "/v1/signup", &body, 202)?;
    Ok(vestibule_testing::eventually("the mail arrives", || {
        let mut letters = site.relay().letters_to(&state.email());
        (letters.len() > before).then(|| letters.pop()).flatten()
    }))
}

/// Signs up and opens the link.
fn confirmed(site: &Site, address: SocketAddr, state: State) -> Result {
    let letter = signed_up(site, address, state, PASSWORD)?;
    let body = format!(r#"{{"token":"{}","password":"{PASSWORD}"}}"#, letter.token());
    post(address, "/v1/confirm", &body, 200)
}

fn post(address: SocketAddr, path: &str, body: &str, expected: u16) -> Result {
    let mut connection = Connection::open(address).map_err(|e| format!("cannot connect: {e}"))?;
    let answer = connection.send("POST", path, None, body).map_err(|e| format!("{path}: {e}"))?;
    if answer.0 == expected { Ok(()) } else { Err(format!("{path}: {answer:?}")) }
}

/// A separate process that removes what the samples left, so that each round begins alike and no limit is reached.
struct Database {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

const RESET: &str = "import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)
last = db.execute('SELECT max(id) FROM registrations').fetchone()[0]
for line in sys.stdin:
    db.execute('BEGIN IMMEDIATE')
    db.execute('DELETE FROM registrations WHERE id > ?', (last,))
    for table in ('limit_subjects', 'limit_events', 'outbox', 'challenges', 'audit_events'):
        db.execute(f'DELETE FROM {table}')
    db.execute('COMMIT')
    print('done', flush=True)
";

impl Database {
    fn open(site: &Site) -> Result<Self> {
        let mut python = program("python3");
        python.args(["-c", RESET]).arg(site.path("vestibule-data/vestibule.db"));
        let piped = python.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().map_err(|e| format!("cannot start Python: {e}"))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (input, output) = input.zip(output).ok_or("Python has no pipes")?;
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    fn reset(&mut self) -> Result {
        let asked = self.input.write_all(b"reset\n").and_then(|()| self.input.flush());
        let mut line = String::new();
        let answered = asked.and_then(|()| self.output.read_line(&mut line));
        if answered.is_ok() && line == "done\n" {
            Ok(())
        } else {
            Err("the database was not reset".to_owned())
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
