//! Faults of the real world: killed processes, programs that open the database, servers and relays that misbehave.
//!
//! Each run is a seeded random sequence against the program with production settings. Everything the server
//! acknowledges is recorded, and must still be there whatever happens; a run that lost something fails and prints its
//! seed.

mod client;
mod disturbances;
mod ledger;
mod load;
mod rounds;
mod verify;

use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};
use vestibule_testing::{Cluster, Proxy, Site, back_up_during_sign_ups, database};

use crate::bench::program;
use crate::shell::Result;
use disturbances::{CONNECTIONS, Postgres};
use rounds::{Rounds, Tally};

/// How many people sign up during backups.
const SIGN_UPS: usize = 2000;

/// What a fault run does.
#[derive(Args)]
pub(crate) struct Options {
    /// How often the server is disturbed and ended, on each database
    #[arg(long, default_value_t = 40)]
    rounds: u32,
    /// Where the dice begin; the run prints it
    #[arg(long)]
    seed: Option<u64>,
    /// Only this database
    #[arg(long, value_enum)]
    only: Option<Database>,
    /// Only make backups, one after another, while 2,000 people sign up
    #[arg(long)]
    backups: bool,
    /// Try the release build instead of that of development
    #[arg(long)]
    release: bool,
}

/// The database of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// The step of the checks: few rounds with a fixed seed, so that a failed run can be repeated.
pub(crate) fn short() -> Result {
    let options = |only, rounds| Options {
        rounds,
        seed: Some(20_261_129),
        only: Some(only),
        backups: false,
        release: false,
    };
    run(&options(Database::Sqlite, 8))?;
    run(&options(Database::Postgres, 3))
}

pub(crate) fn run(options: &Options) -> Result {
    let built = if options.release { program::release()? } else { program::debug()? };
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
    for database in Database::ALL.into_iter().filter(|it| options.only.is_none_or(|only| only == *it)) {
        let begun = Instant::now();
        if options.backups {
            let made = back_up(database, built.clone());
            let seconds = begun.elapsed().as_secs_f64();
            eprintln!(
                "{}: {made} backups during {SIGN_UPS} sign-ups, nothing missing; {seconds:.0} s",
                database.name()
            );
            continue;
        }
        let tally = on(database, built.clone(), options.rounds, seed)
            .map_err(|lost| format!("{lost}\n{}: lost something with --seed {seed}", database.name()))?;
        let seconds = begun.elapsed().as_secs_f64();
        eprintln!("{}: {tally}; lost 0; seed {seed}; {seconds:.0} s", database.name());
    }
    Ok(())
}

/// Panics if a backup lacks anything.
fn back_up(kind: Database, built: PathBuf) -> usize {
    let postgres = (kind == Database::Postgres).then(database);
    back_up_during_sign_ups(&Site::new(built, postgres), SIGN_UPS)
}

fn on(database: Database, built: PathBuf, rounds: u32, seed: u64) -> Result<Tally> {
    match database {
        Database::Sqlite => Rounds::new(Site::new(built, None), None, seed)?.run(rounds),
        Database::Postgres => {
            let cluster = Cluster::start_private();
            let site = Site::new(built, Some(cluster.database()));
            let url = site.database().url_with_few_connections(CONNECTIONS);
            let role = format!("{}@", url.split_once('@').map_or("", |(role, _)| role));
            let ways = [Proxy::before(site.database()), Proxy::before(site.database())];
            Rounds::new(site, Some(Postgres { cluster, ways, role }), seed)?.run(rounds)
        }
    }
}
