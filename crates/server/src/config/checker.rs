//! Collects what is wrong with settings.

use super::layers::Layers;
use super::problem::Problem;

/// Collects what is wrong, so that one run reports all of it.
pub(super) struct Checker {
    pub(super) layers: Layers,
    pub(super) problems: Vec<Problem>,
}

impl Checker {
    /// Parses a text; an empty one means "not set".
    pub(super) fn parse<T: std::str::FromStr>(&mut self, path: &str, text: &str, fix: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        if text.is_empty() {
            return None;
        }
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(path, error, fix);
                None
            }
        }
    }

    pub(super) fn problem(&mut self, path: &str, cause: impl std::fmt::Display, fix: &str) {
        self.problems.push(Problem::new(format!("{}: {cause}", self.layers.place(path)), fix));
    }
}
