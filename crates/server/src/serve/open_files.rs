//! How many files and sockets the system lets this process open. Services begin with 1024 on most systems and may ask for
//! more: without that, two clients could use up all of them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is no client's connection: the database, mail, webhooks, the log, files that are read at the start.
const OWN: u64 = 256;

/// How many connections there can be of the `wanted` ones. Raises the limit as far as it may and as it takes.
pub(super) fn for_connections(wanted: usize) -> usize {
    let needed = u64::try_from(wanted).unwrap_or(u64::MAX).saturating_add(OWN);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        let raised = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
        // What the system says afterwards counts.
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

/// The connections that so many open files leave room for: half of them where there are few.
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
