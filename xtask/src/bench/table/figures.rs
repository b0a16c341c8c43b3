//! Figures, and what they are held against.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Budget {
    AtMost(f64),
    AtLeast(f64),
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// What it is called by the text that uses it.
    pub(super) key: String,
    /// The part of the table it belongs to.
    pub(super) part: String,
    pub(super) what: String,
    pub(super) value: f64,
    pub(super) unit: String,
    pub(super) budget: Option<Budget>,
}

/// Points of a plot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Curve {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// Everything that one run measured.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(super) lines: Vec<Figure>,
    /// By the name of their plot.
    pub(super) plots: BTreeMap<String, Vec<Curve>>,
    /// What could not be measured here, and why.
    pub(super) left_out: Vec<String>,
    #[serde(skip)]
    part: String,
}

impl Figures {
    /// The figures that follow belong to this part.
    pub(crate) fn part(&mut self, name: &str) {
        println!("\n{name}");
        name.clone_into(&mut self.part);
    }

    /// Adds a figure and prints it.
    pub(crate) fn add(&mut self, key: &str, what: &str, value: f64, unit: &str, budget: Option<Budget>) {
        let [key, what, unit] = [key, what, unit].map(str::to_owned);
        let figure = Figure { key, part: self.part.clone(), what, value, unit, budget };
        let verdict = figure.verdict().map(|verdict| format!(" ({}: {verdict})", figure.budget_text()));
        println!("  {:<72} {}{}", figure.what, figure.value_text(), verdict.unwrap_or_default());
        self.lines.push(figure);
    }

    /// Says what is missing from the table.
    pub(crate) fn leave_out(&mut self, what: String) {
        println!("  left out: {what}");
        self.left_out.push(what);
    }

    /// Says that the present part failed.
    pub(super) fn leave_out_part(&mut self) {
        self.leave_out(format!("the rest of “{}”, which failed in this run", self.part));
    }

    pub(crate) fn plot(&mut self, plot: &str, name: &str, points: Vec<(f64, f64)>) {
        self.plots.entry(plot.to_owned()).or_default().push(Curve { name: name.to_owned(), points });
    }

    pub(crate) fn value(&self, key: &str) -> Option<f64> {
        self.lines.iter().find(|figure| figure.key == key).map(|figure| figure.value)
    }
}

impl Figure {
    /// Whether the budget is kept; `None` without one.
    pub(super) fn is_kept(&self) -> Option<bool> {
        self.budget.map(|budget| match budget {
            Budget::AtMost(limit) => self.value <= limit,
            Budget::AtLeast(limit) => self.value >= limit,
        })
    }

    pub(super) fn verdict(&self) -> Option<&'static str> {
        self.is_kept().map(|kept| if kept { "kept" } else { "**missed**" })
    }

    pub(super) fn value_text(&self) -> String {
        with_unit(self.value, &self.unit)
    }

    pub(super) fn budget_text(&self) -> String {
        match self.budget {
            Some(Budget::AtMost(limit)) => format!("≤ {}", with_unit(limit, &self.unit)),
            Some(Budget::AtLeast(limit)) => format!("≥ {}", with_unit(limit, &self.unit)),
            None => String::new(),
        }
    }
}

fn with_unit(value: f64, unit: &str) -> String {
    match unit {
        "" => Number(value).to_string(),
        "/s" | "%" => format!("{}{unit}", Number(value)),
        _ => format!("{} {unit}", Number(value)),
    }
}

/// A number with three significant digits, and with commas where it is long.
pub(crate) struct Number(pub(crate) f64);

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let size = self.0.abs();
        let digits = match size {
            _ if !(0.000_05..99.95).contains(&size) => 0,
            _ if size >= 9.995 => 1,
            _ if size >= 0.995 => 2,
            _ if size >= 0.0995 => 3,
            _ => 4,
        };
        let text = format!("{:.digits$}", self.0);
        let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
        let rest = rest.trim_end_matches('0');
        let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
        f.write_str(sign)?;
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        if rest.is_empty() { Ok(()) } else { write!(f, ".{rest}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_they_are_exact() {
        let texts = [0.0, 0.012_34, 0.5, 1.0, 1.5, 18.04, 99.99, 234.4, 24_500.4, 1_000_000.0, -1234.0];
        let expected =
            ["0", "0.0123", "0.5", "1", "1.5", "18", "100", "234", "24,500", "1,000,000", "-1,234"];
        assert_eq!(texts.map(|value| Number(value).to_string()), expected);
    }

    #[test]
    fn a_missed_budget_is_called_missed() {
        let mut figures = Figures::default();
        figures.part("memory");
        figures.add("idle", "idle", 18.0, "MiB", Some(Budget::AtMost(18.0)));
        figures.add("rate", "rate", 9_999.0, "/s", Some(Budget::AtLeast(10_000.0)));
        figures.add("plain", "plain", 1.0, "×", None);
        let verdicts: Vec<_> = figures.lines.iter().map(Figure::verdict).collect();
        assert_eq!(verdicts, [Some("kept"), Some("**missed**"), None]);
        assert_eq!(figures.lines[1].budget_text(), "≥ 10,000/s");
        assert_eq!(figures.value("idle"), Some(18.0));
    }
}
