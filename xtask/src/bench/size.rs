//! How many rows and bytes a user takes, and a sign-in, on both databases.

use std::collections::BTreeMap;
use std::fs;

use clap::Args;
use serde_json::{Value, json};
use vestibule_testing::{PASSWORD, Site, database};

use super::program::{Build, Running};
use crate::http::Connection;
use crate::shell::Result;

pub(super) const FIRST: &str = "first@example.org";

#[derive(Args)]
pub(crate) struct Options {
    /// How many users
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..))]
    users: u32,
    /// How many sign-ins
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    sign_ins: u32,
    #[command(flatten)]
    build: Build,
}

/// What a database holds at one time.
struct Size {
    bytes: u64,
    /// Rows of each table that has any.
    rows: BTreeMap<String, u64>,
}

pub(super) fn run(options: &Options) -> Result {
    let program = options.build.program()?;
    for postgres in [false, true] {
        let site = Site::new(program.clone(), postgres.then(database));
        println!("{}:", if postgres { "PostgreSQL" } else { "SQLite" });
        measure(&site, postgres, options)?;
    }
    Ok(())
}

fn measure(site: &Site, postgres: bool, options: &Options) -> Result {
    let mut server = Running::start(site)?;
    server.first_200("/readyz")?;
    server.stop();
    site.has_user(FIRST, &[]);
    let users = users(site, options.users)?;
    let before = Size::of(site, postgres)?;
    let imported = site.run_with_input(&["user", "import", "-", "--from", "jsonl"], &users);
    if imported.code != Some(0) {
        return Err(format!("the import failed: {}", imported.stderr));
    }
    let with_users = Size::of(site, postgres)?;
    with_users.print("a user", &before, options.users);

    let mut server = Running::start(site)?;
    server.first_200("/readyz")?;
    let mut connection = Connection::open(server.address).map_err(|e| format!("cannot connect: {e}"))?;
    for number in 0..options.sign_ins {
        let email = email(number % options.users);
        let login = json!({"email": email, "password": PASSWORD}).to_string();
        let (status, answer) =
            connection.send("POST", "/v1/login", None, &login).map_err(|e| format!("cannot sign in: {e}"))?;
        if status != 200 {
            return Err(format!("{email} was answered {status}: {answer}"));
        }
    }
    server.stop();
    Size::of(site, postgres)?.print("a sign-in", &with_users, options.sign_ins);
    Ok(())
}

pub(super) fn email(number: u32) -> String {
    format!("somebody.{number}@mail.example.org")
}

/// Lines to import: users with the hash of the first, so that they need not be hashed.
pub(super) fn users(site: &Site, number: u32) -> Result<String> {
    let export = site.run(&["user", "export", "--with-hashes"]).stdout;
    let first: Value = serde_json::from_str(export.trim()).map_err(|e| format!("the export: {e}"))?;
    let hash = &first["password_hash"];
    let line =
        |number| json!({"email": email(number), "password_hash": hash, "locale": "en"}).to_string() + "\n";
    Ok((0..number).map(line).collect())
}

impl Size {
    fn of(site: &Site, postgres: bool) -> Result<Self> {
        let file = site.path("counted.backup");
        let path = file.display().to_string();
        let made = site.run(&["backup", "create", &path, "--json"]);
        let manifest: Value =
            serde_json::from_str(made.stdout.trim()).map_err(|e| format!("{}: {e}", made.stderr))?;
        let packed = fs::metadata(&file).map(|data| data.len());
        fs::remove_file(&file).map_err(|e| format!("cannot delete {path}: {e}"))?;
        let tables = manifest["manifest"]["tables"].as_array().ok_or("no tables in the manifest")?;
        let rows = tables.iter().filter_map(|table| {
            let (name, rows) = (table["name"].as_str()?, table["rows"].as_u64()?);
            Some((name.to_owned(), rows))
        });
        let bytes = if postgres {
            let sql = "SELECT sum(pg_total_relation_size(c.oid))::text FROM pg_class c \
                       JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = 'public'";
            let found = site.database().rows(sql).into_iter().flatten().flatten().next();
            found
                .and_then(|text| text.parse().ok())
                .ok_or("PostgreSQL does not say how large its tables are")?
        } else {
            // A backup of SQLite has the same pages, without the free ones.
            packed.map_err(|e| format!("cannot look at {path}: {e}"))?
        };
        Ok(Self { bytes, rows: rows.collect() })
    }

    /// What has come since `before`, for one of so many.
    fn print(&self, what: &str, before: &Self, number: u32) {
        println!("  {what}: {} bytes", self.bytes.saturating_sub(before.bytes) / u64::from(number));
        for (table, rows) in &self.rows {
            let more = rows - before.rows.get(table).copied().unwrap_or_default().min(*rows);
            if more > 0 {
                let each = f64::from(u32::try_from(more).unwrap_or(u32::MAX)) / f64::from(number);
                println!("    {table}: {each:.2} rows");
            }
        }
    }
}
