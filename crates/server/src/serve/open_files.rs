//! The number of files and sockets that the system lets this process open. On most systems services start with 1024 and
//! may raise it: otherwise two clients could use up all of them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files that are not connections of clients: the database, mail, webhooks, the log, files read at start.
const OWN: u64 = 256;

/// How many of the `wanted` connections are possible. Raises the limit as far as needed and allowed.
pub(super) fn for_connections(wanted: usize) -> usize {
    let needed = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(OWN);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        let raised = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
        // Whatever the system reports afterwards counts.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum: limit.maximum });
    }
    let most = within(wanted, getrlimit(Resource::Nofile).current);
    if most < wanted {
        tracing::warn!(
            limit = wanted,
            possible = most,
            "the system lets this process open fewer files than limits.connections needs: raise LimitNOFILE of the unit, \
             or ulimit -n"
        );
    }
    most
}

/// The connections possible with this many open files: half of them if there are few.
fn within(wanted: usize, files: Option<u64>) -> usize {
    let room = files.map_or(u64::MAX, |files| files.saturating_sub(OWN).max(files / 2)).max(1);
    wanted.min(usize::try_from(room).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_rest() {
        assert_eq!(within(10_000, None), 10_000);
        assert_eq!(within(10_000, Some(20_000)), 10_000);
        assert_eq!(within(10_000, Some(1024)), 768);
        assert_eq!([within(10_000, Some(256)), within(10_000, Some(64)), within(10, Some(0))], [128, 32, 1]);
    }
}
