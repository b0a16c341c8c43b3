//! What was measured, as it is kept beside the page, and the page itself.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::super::program::Build;
use super::figures::{Curve, Figure, Figures, Number};
use super::machine::{Machine, today};
use super::paper::paper;
use super::plot::{Plot, draw};
use super::{reads, storm};
use crate::shell::{Result, root};

const GROWTH: &str = "growth";
/// What rates and latencies are worth then.
const BUSY: &str = " **Others used the machine meanwhile: rates, latencies and their budgets say little, CPU times and counts more.**";
const GROWTH_TEXT: &str = "\
Each is the best median of three, on one connection; users, sessions, refresh tokens and five audit events for each user grow together. A
list with a filter or a search looks at 10,000 users at most for a page, so it grows until there are that many to look at, and no further.

";
const INTRODUCTION: &str = include_str!("introduction.md");
/// Between these two lines the README says what was measured.
const FACTS: [&str; 2] =
    ["<!-- Written by `cargo xtask bench`: begin -->", "<!-- Written by `cargo xtask bench`: end -->"];

/// One run.
#[derive(Serialize, Deserialize)]
pub(super) struct Measured {
    date: String,
    machine: Machine,
    /// Which build of the program.
    build: String,
    pub(super) figures: Figures,
}

/// What the page is written from.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Book {
    pub(super) before: Option<Measured>,
    pub(super) now: Option<Measured>,
    pub(super) growth: Option<Measured>,
}

impl Measured {
    pub(super) fn new(machine: Machine, build: &Build, figures: Figures) -> Self {
        Self { date: today(), machine, build: build.kind().to_owned(), figures }
    }

    fn describe(&self) -> String {
        let Self { date, build, machine, .. } = self;
        let busy = if machine.is_busy() { BUSY } else { "" };
        format!("Measured on {date}, {build}, on {}.{busy}", machine.describe())
    }
}

fn folder() -> PathBuf {
    root().join("docs/performance")
}

impl Book {
    /// As the last run left it.
    pub(super) fn open() -> Result<Self> {
        match fs::read_to_string(folder().join("figures.json")) {
            Ok(text) => {
                serde_json::from_str(&text).map_err(|e| format!("docs/performance/figures.json: {e}"))
            }
            Err(_) => Ok(Self::default()),
        }
    }

    /// Writes the figures, the page, its plots, and the facts of the README.
    pub(super) fn write(&self) -> Result {
        let folder = folder();
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let text = serde_json::to_string_pretty(self).map_err(|e| e.to_string())?;
        let plots = self.draw()?;
        let page = self.page(&plots);
        let readme = root().join("README.md");
        let text_of_readme = fs::read_to_string(&readme).map_err(|e| format!("README.md: {e}"))?;
        let readme_text = self.with_facts(&text_of_readme)?;
        for (path, text) in [
            (folder.join("figures.json"), text + "\n"),
            (root().join("docs/performance.md"), page),
            (readme, readme_text),
        ] {
            fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
            println!("written: {}", path.strip_prefix(root()).unwrap_or(&path).display());
        }
        Ok(())
    }

    /// The names of the plots that there are.
    fn draw(&self) -> Result<Vec<&'static str>> {
        let plots = [
            (
                reads::THROUGHPUT,
                &self.now,
                Plot {
                    title: "Token checks against connections",
                    x: "connections",
                    y: "answers per second",
                    by_factors: true,
                },
            ),
            (
                storm::LATENCY,
                &self.now,
                Plot {
                    title: "A token check while others sign in",
                    x: "clients that sign in",
                    y: "milliseconds",
                    by_factors: false,
                },
            ),
            (
                GROWTH,
                &self.growth,
                Plot {
                    title: "Cost against the number of users",
                    x: "users",
                    y: "milliseconds",
                    by_factors: true,
                },
            ),
        ];
        let mut drawn = Vec::new();
        for (name, measured, plot) in plots {
            let curves: Option<&Vec<Curve>> = measured.as_ref().and_then(|it| it.figures.plots.get(name));
            if let Some(curves) = curves {
                draw(&folder().join(format!("{name}.svg")), &plot, curves)?;
                drawn.push(name);
            }
        }
        Ok(drawn)
    }

    fn page(&self, plots: &[&str]) -> String {
        let mut page = INTRODUCTION.trim_end().to_owned() + "\n\n## Figures\n\n";
        if let Some(now) = &self.now {
            page += &now.describe();
            page += "\n\n";
            page += &summary(&now.figures);
            page += &table(&now.figures, self.before.as_ref().map(|before| &before.figures));
        }
        if let Some(before) = &self.before {
            let _ = writeln!(page, "\nBefore: {}", before.describe());
        }
        for name in plots.iter().filter(|name| **name != GROWTH) {
            let _ = write!(page, "\n![{name}](performance/{name}.svg)\n");
        }
        page += "\n## Growth\n\n";
        if let Some(growth) = &self.growth {
            page += &growth.describe();
            page += "\n\n";
            page += GROWTH_TEXT;
            page += &summary(&growth.figures);
            page += &table(&growth.figures, None);
            if plots.contains(&GROWTH) {
                let _ = write!(page, "\n![{GROWTH}](performance/{GROWTH}.svg)\n");
            }
        } else {
            page += "`cargo xtask bench growth` writes this part.\n";
        }
        if let Some(now) = &self.now {
            page += "\n";
            page += &paper(&now.figures);
        }
        page
    }

    /// The README with the facts of the last run.
    fn with_facts(&self, readme: &str) -> Result<String> {
        let [begin, end] = FACTS;
        let parts = readme.split_once(begin).zip(readme.split_once(end));
        let ((before, _), (_, after)) =
            parts.ok_or_else(|| format!("README.md has no place for facts: {begin}"))?;
        // Neither the build for development nor a busy machine says anything about what people run.
        let is_fact = |now: &&Measured| now.build != Build::DEVELOPMENT && !now.machine.is_busy();
        let Some(now) = self.now.as_ref().filter(is_fact) else { return Ok(readme.to_owned()) };
        let value = |key: &str| now.figures.value(key).unwrap_or_default();
        let facts = format!(
            "- **Speed is measured, and held against what is possible.** On {} cores: {} sign-ins a second, {} % of what the hash alone\n  \
             allows; {} token checks a second; the slowest in a hundred takes {} ms while 32 clients sign in; {} MiB of memory when idle.\n  \
             [All figures](docs/performance.md), also those that miss their budget.",
            now.machine.cores(),
            Number(value("sign_ins")),
            Number(value("sign_in_share")),
            Number(value("me_rate_64")),
            Number(value("storm_p99")),
            Number(value("idle_memory")),
        );
        Ok(format!("{before}{begin}\n{facts}\n{end}{after}"))
    }
}

fn summary(figures: &Figures) -> String {
    let judged: Vec<bool> = figures.lines.iter().filter_map(Figure::is_kept).collect();
    let kept = judged.iter().filter(|kept| **kept).count();
    let mut text = format!("{kept} of {} budgets are kept.\n", judged.len());
    for what in &figures.left_out {
        let _ = writeln!(text, "Left out: {what}.");
    }
    text
}

/// A table for each part.
fn table(figures: &Figures, before: Option<&Figures>) -> String {
    let mut text = String::new();
    let mut part = "";
    for figure in &figures.lines {
        if figure.part != part {
            part = &figure.part;
            let (name, line) = if before.is_some() { (" before |", "---|") } else { ("", "") };
            let _ = write!(text, "\n| {part} |{name} measured | budget | |\n|---|{line}---|---|---|\n");
        }
        let earlier = |before: &Figures| {
            let same =
                before.lines.iter().find(|earlier| earlier.key == figure.key && earlier.part == figure.part);
            format!(" {} |", same.map(Figure::value_text).unwrap_or_default())
        };
        let _ = writeln!(
            text,
            "| {} |{} {} | {} | {} |",
            figure.what,
            before.map(earlier).unwrap_or_default(),
            figure.value_text(),
            figure.budget_text(),
            figure.verdict().unwrap_or_default()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::figures::Budget;
    use super::*;

    fn measured(rate: f64) -> Measured {
        let machine =
            r#"{"cores": 2, "processor": "X", "memory_gib": 4, "kernel": "Linux 6.1", "taken_percent": 1.0}"#;
        let machine = serde_json::from_str(machine).unwrap();
        let mut figures = Figures::default();
        figures.part("Token checks");
        figures.add("me_rate_64", "requests", rate, "/s", Some(Budget::AtLeast(10_000.0)));
        Measured::new(machine, &Build::default(), figures)
    }

    #[test]
    fn the_page_says_what_is_missed_and_what_was_before() {
        let book = Book { before: Some(measured(5000.0)), now: Some(measured(9000.0)), growth: None };
        let page = book.page(&[]);
        assert!(page.contains("| Token checks | before | measured | budget | |"), "{page}");
        assert!(page.contains("| requests | 5,000/s | 9,000/s | ≥ 10,000/s | **missed** |"), "{page}");
        assert!(page.contains("0 of 1 budgets are kept."), "{page}");
        assert!(page.contains("`cargo xtask bench growth` writes this part."), "{page}");
    }

    #[test]
    fn facts_take_the_place_of_those_before() {
        let book = Book { now: Some(measured(9000.0)), ..Book::default() };
        let [begin, end] = FACTS;
        let once = book.with_facts(&format!("# X\n{begin}\nold\n{end}\nrest\n")).unwrap();
        assert!(
            once.contains("9,000 token checks") && !once.contains("old") && once.ends_with("rest\n"),
            "{once}"
        );
        assert_eq!(book.with_facts(&once).unwrap(), once);
        let mut busy = measured(5000.0);
        busy.machine = serde_json::from_str(
            r#"{"cores": 2, "processor": "X", "memory_gib": 4, "kernel": "Linux 6.1", "taken_percent": 90.0}"#,
        )
        .unwrap();
        assert!(busy.describe().contains("Others used the machine"), "{}", busy.describe());
        let book_of_busy = Book { now: Some(busy), ..Book::default() };
        assert_eq!(book_of_busy.with_facts(&once).unwrap(), once, "not a fact");
        assert!(book.with_facts("# X\n").unwrap_err().contains("no place"));
    }
}
