//! What the checks found: one line for each, printed as soon as it is known.

use serde_json::json;

use crate::cli::terminal::output;
use crate::config::problem::Problem;
use crate::failure::Failure;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// It works, but not well, or not for long.
    Warn,
    /// It does not work, or exposes people.
    Fail,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    check: &'static str,
    pub(super) state: State,
    pub(super) found: String,
    cause: Option<String>,
    fix: Option<String>,
}

impl Finding {
    fn new(check: &'static str, state: State, found: impl Into<String>) -> Self {
        Self { check, state, found: found.into(), cause: None, fix: None }
    }

    pub(super) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, State::Ok, found)
    }

    pub(super) fn warn(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, State::Warn, found)
    }

    pub(super) fn fail(check: &'static str, found: impl Into<String>) -> Self {
        Self::new(check, State::Fail, found)
    }

    /// Adds why it is so, or why it matters.
    pub(super) fn cause(self, cause: impl Into<String>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }

    /// Adds the command or the setting that changes it.
    pub(super) fn fix(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }

    /// A refusal of the settings.
    pub(super) fn of_problem(check: &'static str, problem: &Problem) -> Self {
        Self::fail(check, problem.cause.clone()).fix(problem.fix.clone())
    }

    /// What any other command would fail with.
    pub(super) fn of_failure(check: &'static str, failure: &Failure) -> Self {
        Self {
            cause: failure.place().map(|place| format!("looked at: {place}")),
            fix: failure.remedy().map(str::to_owned),
            ..Self::fail(check, failure.what())
        }
    }
}

/// All findings so far.
pub(super) struct Report {
    json: bool,
    counts: [usize; 3],
}

impl Report {
    pub(super) const fn new(json: bool) -> Self {
        Self { json, counts: [0; 3] }
    }

    /// Prints a finding.
    pub(super) fn add(&mut self, finding: &Finding) -> Result<(), Failure> {
        self.counts[finding.state as usize] += 1;
        let Finding { check, state, found, cause, fix } = finding;
        if self.json {
            let told = json!({
                "check": check, "state": state.name(), "found": found, "cause": cause, "fix": fix,
            });
            return output::object(told);
        }
        let more = [("cause", cause), ("fix", fix)];
        let more =
            more.iter().filter_map(|(what, words)| Some(format!("\n      {what}: {}", words.as_ref()?)));
        output::line(&format!("{:<4}  {check:<13}  {found}{}", state.name(), more.collect::<String>()))
    }

    /// Prints several findings.
    pub(super) fn add_all(&mut self, findings: &[Finding]) -> Result<(), Failure> {
        findings.iter().try_for_each(|finding| self.add(finding))
    }

    /// Exit code 3 where something failed.
    pub(super) fn end(self) -> Result<(), Failure> {
        let [ok, warn, fail] = self.counts;
        let counts = format!("{ok} ok, {warn} to look at, {fail} failed");
        if fail > 0 {
            return Err(Failure::found(counts).fix("each line above names what mends it"));
        }
        eprintln!("{counts}");
        Ok(())
    }
}
