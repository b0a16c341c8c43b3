//! The operator: whoever runs the program's commands on the server.

use crate::domain::reason::Reason;

/// The maximum length of a name.
const CHARS_MAX: usize = 64;

/// Which operator it is, and why they act: for the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Their account on the machine.
    pub name: OperatorName,
    /// Added to every entry of what they do.
    pub reason: Option<Reason>,
}

/// The name of an account of the operating system, as the audit trail keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorName(String);

impl OperatorName {
    /// `None` for an empty name. A character that names of accounts do not have, such as a blank or a control character,
    /// becomes `?`; only the first 64 are kept.
    pub fn new(name: &str) -> Option<Self> {
        let known = |c: char| if c.is_alphanumeric() || "._-+@$\\".contains(c) { c } else { '?' };
        let name: String = name.chars().take(CHARS_MAX).map(known).collect();
        (!name.is_empty()).then_some(Self(name))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_on_one_line() {
        let kept = |name: &str| OperatorName::new(name).map(|name| name.0);
        for name in ["alice", "svc-backup_2", "CORP\\alice", "alice@corp.example", "zoë"] {
            assert_eq!(kept(name).as_deref(), Some(name));
        }
        assert_eq!(kept("a\nb\u{1b}[2J\u{202e}: c").as_deref(), Some("a?b??2J???c"));
        assert_eq!(kept(&"x".repeat(70)), Some("x".repeat(64)));
        assert_eq!(kept(""), None);
    }
}
