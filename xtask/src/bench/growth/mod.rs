//! What a thousand times as many users do to the cost of everything, as a factor for each factor of ten.

mod ask;
mod fill;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use clap::Args;
use vestibule_testing::{Cluster, Site};

use self::ask::{Costs, measure};
use self::fill::{ADMIN, Database, script};
use super::program::{Build, Running};
use super::size::FIRST;
use super::table::figures::{Budget, Figures, Number};
use super::table::write_growth;
use super::yardstick::{Yardstick, as_f64};
use crate::shell::{Result, target_dir};

/// Databases are filled again after this time: what is in them would expire.
const KEPT_FOR: Duration = Duration::from_hours(72);
const POSTGRES_USERS: u32 = 1_000_000;
/// Steps of the table: up to a factor of a thousand on SQLite.
const SMALLEST: u32 = 1000;
const FACTOR: Budget = Budget::AtMost(1.2);
/// What is drawn.
const DRAWN: [&str; 5] = [
    "sign-in beside its hash",
    "`GET /v1/me`",
    "refresh",
    "`GET /v1/admin/users`",
    "`GET /v1/admin/users?q=ada.77`",
];
/// The name of the plot.
pub(super) const PLOT: &str = "growth";

#[derive(Args)]
pub(crate) struct Options {
    /// How many users at most on SQLite
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(10_000..))]
    users: u32,
    /// How many users at most on `PostgreSQL`; 0 leaves it out
    #[arg(long, default_value_t = POSTGRES_USERS)]
    postgres_users: u32,
    #[command(flatten)]
    build: Build,
}

pub(super) fn run(options: &Options) -> Result {
    let program = options.build.program()?;
    let yardstick = Yardstick::new(&options.build)?;
    let mut figures = Figures::default();
    let middle = f64::from(SMALLEST) * (f64::from(options.users) / f64::from(SMALLEST)).sqrt();
    let middle = if options.users == 1_000_000 { 100_000 } else { rounded(middle) };
    let sizes = [SMALLEST, middle, options.users];
    let costs: Vec<Costs> =
        sizes.iter().map(|users| on_sqlite(&program, &yardstick, *users)).collect::<Result<_>>()?;
    report("SQLite", &sizes, &costs, &mut figures);
    draw(&sizes, &costs, &mut figures);
    if options.postgres_users > 0 {
        let sizes = [options.postgres_users / 100, options.postgres_users];
        let costs: Vec<Costs> =
            sizes.iter().map(|users| on_postgres(&program, &yardstick, *users)).collect::<Result<_>>()?;
        report("PostgreSQL", &sizes, &costs, &mut figures);
    }
    write_growth(&options.build, figures)
}

/// To a whole thousand.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is positive, and below the largest"
)]
fn rounded(value: f64) -> u32 {
    (value / 1000.0).round() as u32 * 1000
}

fn on_sqlite(program: &Path, yardstick: &Yardstick, users: u32) -> Result<Costs> {
    let site = Site::new(program.to_owned(), None);
    let folder = filled(&site, yardstick, users)?;
    println!("measuring {users} users on SQLite");
    measure(yardstick, &site, &[("VESTIBULE_DATA_DIR", &folder.display().to_string())], users)
}

/// The data folder with so many users, of an earlier run where there is one.
fn filled(site: &Site, yardstick: &Yardstick, users: u32) -> Result<PathBuf> {
    let all = target_dir()?.join("bench/growth");
    let (folder, making) = (all.join(format!("sqlite-{users}")), all.join("making"));
    let cannot = |e: std::io::Error| format!("{}: {e}", folder.display());
    let data = [("VESTIBULE_DATA_DIR", folder.display().to_string())];
    let age = fs::metadata(folder.join(fill::MARK)).and_then(|mark| mark.modified()).map(|at| at.elapsed());
    if age.is_ok_and(|age| age.is_ok_and(|age| age < KEPT_FOR)) {
        // The program may have got a newer schema since.
        succeeded(site.command(&["migrate", "up"]).envs(data))?;
        return Ok(folder);
    }
    println!("filling a database with {users} users");
    for old in [&folder, &making] {
        if old.exists() {
            fs::remove_dir_all(old).map_err(cannot)?;
        }
    }
    fs::create_dir_all(&all).map_err(cannot)?;
    let place = making.display().to_string();
    let data = [("VESTIBULE_DATA_DIR", place.as_str())];
    let mut first = Running::start_with(site, &data)?;
    first.first_200("/readyz")?;
    first.stop();
    for (email, more) in [(FIRST, &[][..]), (ADMIN, &["--admin"])] {
        let create = ["user", "create", "--password-stdin", "--email", email];
        let mut command = site.command(&[&create[..], more].concat());
        succeeded(command.envs(data).stdin(password(site)?))?;
    }
    let statements = script(Database::Sqlite, users, now_millis());
    yardstick.sql(&making.join("vestibule.db"), &statements)?;
    fs::write(making.join(fill::MARK), "").map_err(cannot)?;
    fs::rename(&making, &folder).map_err(cannot)?;
    Ok(folder)
}

/// A file with the password of everybody, as standard input.
fn password(site: &Site) -> Result<Stdio> {
    let file = site.path("password");
    let text = format!("{}\n", vestibule_testing::PASSWORD);
    let opened = fs::write(&file, text).and_then(|()| fs::File::open(&file));
    opened.map(Stdio::from).map_err(|e| format!("{}: {e}", file.display()))
}

fn succeeded(command: &mut Command) -> Result {
    let done = command.output().map_err(|e| format!("cannot run the program: {e}"))?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
}

fn on_postgres(program: &Path, yardstick: &Yardstick, users: u32) -> Result<Costs> {
    let cluster = Cluster::start_durable();
    let site = Site::new(program.to_owned(), Some(cluster.database()));
    let mut first = Running::start(&site)?;
    first.first_200("/readyz")?;
    first.stop();
    site.has_user(FIRST, &[]);
    site.has_user(ADMIN, &["--admin"]);
    println!("filling a database with {users} users on PostgreSQL");
    site.database().execute(&script(Database::Postgres, users, now_millis()));
    site.database().execute("VACUUM ANALYZE");
    println!("measuring {users} users on PostgreSQL");
    measure(yardstick, &site, &[], users)
}

fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

/// For each request what it cost at each size, and by which factor it grew for ten times as many users.
fn report(database: &str, sizes: &[u32], costs: &[Costs], figures: &mut Figures) {
    let names: Vec<String> = sizes.iter().map(|users| Number(f64::from(*users)).to_string()).collect();
    figures.part(&format!(
        "{database}: milliseconds with {} users; growth for each factor of ten",
        names.join(", ")
    ));
    let (Some(first), Some(last)) = (costs.first(), costs.last()) else { return };
    let decades = (f64::from(sizes[sizes.len() - 1]) / f64::from(sizes[0])).log10();
    for (name, small) in first {
        let at = |costs: &Costs| costs.iter().find(|(other, _)| other == name).map(|(_, cost)| *cost);
        let Some(large) = at(last) else { continue };
        let all: Vec<String> = costs.iter().filter_map(at).map(|cost| Number(cost).to_string()).collect();
        let what = format!("{name}: {}", all.join(", "));
        // Below a hundredth of a millisecond nothing can be told apart.
        let factor = (large.max(0.01) / small.max(0.01)).powf(1.0 / decades);
        figures.add(&format!("{database} {name}"), &what, factor, "×", Some(FACTOR));
        if name == "`GET /v1/admin/users`" {
            let what = "a page of the list of users, with the most users";
            figures.add(&format!("{database} page"), what, large, "ms", Some(Budget::AtMost(5.0)));
        }
    }
}

fn draw(sizes: &[u32], costs: &[Costs], figures: &mut Figures) {
    for name in DRAWN {
        let points = sizes.iter().zip(costs).filter_map(|(users, costs)| {
            let cost = costs.iter().find(|(other, _)| other == name)?;
            Some((as_f64(u64::from(*users)), cost.1))
        });
        figures.plot(PLOT, &name.replace('`', ""), points.collect());
    }
}
