//! How far long work has come: a bar on a terminal, a line now and then elsewhere.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use vestibule::{CopyProgress, CopyWatch};

/// Where there is no terminal, a line says how far it is, this often.
const PERIOD: Duration = Duration::from_secs(5);

/// Shown on standard error until it is dropped.
pub(crate) struct Progress {
    bar: ProgressBar,
    rows: u64,
    next_line: Duration,
}

impl Progress {
    /// `length` of the work in the unit that is advanced by, where it is known.
    pub(crate) fn new(length: Option<u64>) -> Self {
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
        let template = match length {
            Some(_) => "{bar:30} {percent}%  {msg}  {eta} left",
            None => "{spinner} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, rows: 0, next_line: PERIOD }
    }

    /// Some more rows are done, and with them so much of the length. `doing` is said before their number.
    pub(crate) fn advance(&mut self, doing: &str, rows: u64, length: u64) {
        self.rows += rows;
        self.bar.inc(length);
        self.say(doing);
    }

    /// Shows how far a copy of all accounts is.
    pub(crate) fn watch() -> CopyWatch {
        let progress = Mutex::new(Self::new(Some(0)));
        CopyWatch::new(move |step| progress.lock().unwrap_or_else(PoisonError::into_inner).follow(step))
    }

    /// A copy of all accounts is here.
    pub(crate) fn follow(&mut self, step: CopyProgress) {
        let CopyProgress { table, is_check, rows, of } = step;
        if rows < self.rows {
            // Another part of the work begins.
            self.bar.reset_eta();
        }
        self.rows = rows;
        self.bar.set_length(of);
        self.bar.set_position(rows);
        let doing = if is_check { "comparing" } else { "copying" };
        self.say(&format!("{doing} {table}:"));
    }

    fn say(&mut self, doing: &str) {
        let elapsed = self.bar.elapsed();
        let is_shown = !self.bar.is_hidden();
        if !is_shown && elapsed < self.next_line {
            return;
        }
        let words = words(doing, self.rows, elapsed);
        if is_shown {
            self.bar.set_message(words);
        } else {
            self.next_line = elapsed + PERIOD;
            let of = self.bar.length().map_or_else(String::new, |_| {
                let percent = self.bar.position() * 100 / self.bar.length().unwrap_or_default().max(1);
                let left = self.bar.eta().as_secs();
                format!(", {percent}%, {left} s left")
            });
            eprintln!("{words}{of}");
        }
    }

    /// Prints a line of another kind, above the bar.
    pub(crate) fn line(&self, words: &str) {
        self.bar.suspend(|| eprintln!("{words}"));
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

fn words(doing: &str, rows: u64, elapsed: Duration) -> String {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let pace = rows.saturating_mul(1000) / millis;
    let space = if doing.is_empty() { "" } else { " " };
    format!("{doing}{space}{rows} rows, {pace} rows/s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_rows_per_second() {
        assert_eq!(words("", 500, Duration::from_millis(250)), "500 rows, 2000 rows/s");
        assert_eq!(words("copying users:", 3, Duration::ZERO), "copying users: 3 rows, 3000 rows/s");
    }

    #[test]
    fn without_a_terminal_a_line_comes_once_in_five_seconds() {
        let bar = ProgressBar::with_draw_target(Some(10), ProgressDrawTarget::hidden());
        let mut progress = Progress { bar, rows: 0, next_line: PERIOD };
        progress.advance("", 2, 5);
        assert_eq!((progress.rows, progress.bar.position(), progress.next_line), (2, 5, PERIOD));
        progress.bar = progress.bar.clone().with_elapsed(PERIOD);
        progress.advance("", 1, 1);
        assert!(progress.next_line >= PERIOD * 2 && progress.bar.position() == 6);
        progress.follow(CopyProgress { table: "users", is_check: false, rows: 9, of: 20 });
        assert_eq!((progress.rows, progress.bar.position(), progress.bar.length()), (9, 9, Some(20)));
    }
}
