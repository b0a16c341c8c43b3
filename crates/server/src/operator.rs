//! Which operator runs a command: the account of the operating system, as far as that can be told.

use std::fs;

use vestibule::{Operator, OperatorName};

use crate::config::environment::Environment;

const ROOT: u32 = 0;
/// What the kernel says of a process that no sign-in led to.
const NOBODY: u32 = u32::MAX;

/// The operator of this process.
///
/// Variables name nobody: whoever runs a command could set them. The one exception is root, who could be anybody anyway:
/// then it is whoever signed in to the machine, as the kernel knows it, or who used `sudo`.
pub(crate) fn operator(environment: &Environment) -> Option<Operator> {
    let user = rustix::process::getuid().as_raw();
    let signed_in = fs::read_to_string("/proc/self/loginuid").ok().and_then(|id| id.trim().parse().ok());
    let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = name(user, signed_in, environment.get("SUDO_USER"), &accounts);
    Some(Operator { name: OperatorName::new(&name)?, reason: None })
}

fn name(user: u32, signed_in: Option<u32>, sudo_user: Option<&str>, accounts: &str) -> String {
    match (user, signed_in, sudo_user) {
        (ROOT, Some(id), _) if id != ROOT && id != NOBODY => account(id, accounts),
        (ROOT, _, Some(name)) => name.to_owned(),
        _ => account(user, accounts),
    }
}

/// The first account with this number, or the number.
fn account(id: u32, accounts: &str) -> String {
    let found = accounts.lines().find_map(|line| {
        let mut parts = line.split(':');
        let (name, _password, number) = (parts.next()?, parts.next()?, parts.next()?);
        (number.parse() == Ok(id) && !name.is_empty()).then(|| name.to_owned())
    });
    found.unwrap_or_else(|| format!("uid-{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNTS: &str =
        "# a comment\nroot:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/:\nbroken\nbob:x:1001:1001::/:\n";

    #[test]
    fn an_operator_is_who_the_system_says() {
        let name = |user, signed_in, sudo_user| super::name(user, signed_in, sudo_user, ACCOUNTS);
        assert_eq!(name(1000, None, None), "alice");
        // Nobody else becomes another one by a variable.
        assert_eq!(name(1000, Some(1001), Some("bob")), "alice");
        assert_eq!(name(0, None, None), "root");
        assert_eq!(name(0, Some(NOBODY), Some("bob")), "bob");
        assert_eq!(name(0, Some(1000), Some("bob")), "alice");
        assert_eq!(name(0, Some(0), None), "root");
        // An account of a container, or of a directory service.
        assert_eq!(name(65532, None, None), "uid-65532");
    }
}
