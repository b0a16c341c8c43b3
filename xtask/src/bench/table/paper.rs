//! What one core, one machine and ten machines carry, computed from what was measured.

use super::figures::{Figures, Number};

/// What people do, as in docs/scaling.md: times per user and second at the peak, which is ten times the average.
const SIGN_INS: f64 = 10.0 * 4.0 / MONTH;
const REFRESHES: f64 = 10.0 * 10.0 / MONTH;
const CHECKS: f64 = 10.0 * 20.0 / DAY;
const DAY: f64 = 86_400.0;
const MONTH: f64 = 30.0 * DAY;
/// How busy a machine may be at the peak.
const BUSY: f64 = 0.5;
/// Cores of a machine of the calculation.
const CORES: f64 = 8.0;

const TEXT: &str = include_str!("paper.md");

/// The part of the page that nobody has run. Empty if something it is computed from is missing.
pub(super) fn paper(figures: &Figures) -> String {
    computed(figures).unwrap_or_default()
}

/// The CPU time in milliseconds that each of the three takes.
#[derive(Clone, Copy)]
struct Costs {
    sign_in: f64,
    refresh: f64,
    check: f64,
}

impl Costs {
    /// Of a user at the peak, as a share of a core.
    fn of_user(self) -> f64 {
        (SIGN_INS * self.sign_in + REFRESHES * self.refresh + CHECKS * self.check) / 1000.0
    }

    fn users(self, cores: f64) -> f64 {
        BUSY * cores / self.of_user()
    }
}

fn computed(figures: &Figures) -> Option<String> {
    let value = |key: &str| figures.value(key).filter(|value| *value > 0.0);
    let hash = value("hash_cpu")?;
    let own =
        Costs { sign_in: value("sign_in_cpu")?, refresh: value("refresh_cpu")?, check: value("me_cpu_64")? };
    // On PostgreSQL: what is left beside the hash is what the statements cost.
    let pg = Costs { refresh: value("pg_refresh_cpu")?, check: value("pg_me_cpu")?, ..own };
    let database = Costs {
        sign_in: value("pg_sign_in_database")?,
        refresh: value("pg_refresh_database")?,
        check: value("pg_me_database")?,
    };
    // Each writes two rows, and SQLite makes commits in one place: more cores do not help there.
    let on_one_disk = value("commits")? / 2.0;
    let row = |name: &str, costs: Costs, cores: f64, refreshes_at_most: f64| {
        let rate = |cost: f64| cores * 1000.0 / cost;
        let each = |cost: f64| Number(round(rate(cost))).to_string();
        let refreshes = Number(round(rate(costs.refresh).min(refreshes_at_most)));
        let users = Number(round(costs.users(cores))).to_string();
        format!(
            "| {name} | {}/s | {refreshes}/s | {}/s | {users} |\n",
            each(costs.sign_in),
            each(costs.check)
        )
    };
    let rows = [
        row("one core, SQLite", own, 1.0, on_one_disk),
        row("one machine of 8 cores, SQLite", own, CORES, on_one_disk),
        row("ten machines of 8 cores, and PostgreSQL on another", pg, 10.0 * CORES, f64::INFINITY),
    ]
    .concat();
    let ten = pg.users(10.0 * CORES);
    let needed = ten * database.of_user() / BUSY;
    let without_checks = Costs { check: 0.0, ..database };
    let offline = ten * without_checks.of_user() / BUSY;
    let text = [
        ("{{rows}}", rows.trim_end().to_owned()),
        ("{{hash}}", Number(hash).to_string()),
        ("{{check_database}}", Number(database.check).to_string()),
        ("{{check_own}}", Number(pg.check).to_string()),
        ("{{sign_in_database}}", Number(database.sign_in).to_string()),
        ("{{refresh_database}}", Number(database.refresh).to_string()),
        ("{{database_cores}}", Number(needed.ceil()).to_string()),
        ("{{offline_cores}}", Number(offline.ceil()).to_string()),
        ("{{log_per_refresh}}", Number(round(value("pg_log")?)).to_string()),
        ("{{log_rate}}", Number(ten * REFRESHES * value("pg_log")? / 1e6).to_string()),
        ("{{users}}", Number(round(ten)).to_string()),
        ("{{most_checks}}", Number(round(32.0 * BUSY * 1000.0 / database.check)).to_string()),
        ("{{most_users}}", Number(round(database.users(32.0))).to_string()),
        ("{{most_users_offline}}", Number(round(without_checks.users(32.0))).to_string()),
    ];
    Some(text.iter().fold(TEXT.to_owned(), |page, (place, value)| page.replace(place, value)))
}

/// To two digits: more would promise what nobody has run.
fn round(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let step = 10_f64.powf(value.log10().floor() - 1.0);
    (value / step).round() * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_text_is_filled() {
        let mut figures = Figures::default();
        for (key, value) in [
            ("hash_cpu", 8.5),
            ("commits", 18_000.0),
            ("sign_in_cpu", 9.0),
            ("refresh_cpu", 0.1),
            ("me_cpu_64", 0.05),
            ("pg_refresh_cpu", 0.2),
            ("pg_me_cpu", 0.06),
            ("pg_sign_in_database", 0.5),
            ("pg_refresh_database", 0.2),
            ("pg_me_database", 0.05),
        ] {
            figures.add(key, key, value, "ms", None);
        }
        assert_eq!(paper(&figures), "", "one is missing");
        figures.add("pg_log", "pg_log", 900.0, "bytes", None);
        let text = paper(&figures);
        assert!(text.contains("| one core, SQLite | 110/s | 9,000/s | 20,000/s |"), "{text}");
        assert!(!text.contains("{{"), "{text}");
    }

    #[test]
    fn two_digits_are_kept() {
        let texts = [0.0, 1234.0, 98_765.0, 0.0567].map(|value| Number(round(value)).to_string());
        assert_eq!(texts, ["0", "1,200", "99,000", "0.057"]);
    }
}
