//! What a request costs the server.

use std::fmt::{self, Display, Formatter};
use std::time::{Duration, Instant};

use super::program::Running;
use crate::http::Connection;
use crate::shell::Result;

/// For one request.
pub(super) struct Cost {
    pub(super) cpu: Duration,
    elapsed: Duration,
}

impl Cost {
    pub(super) fn rate(&self) -> f64 {
        1.0 / self.elapsed.as_secs_f64()
    }
}

impl Display for Cost {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8.1?} of CPU time, one in {:>8.1?}, {:>6.0}/s", self.cpu, self.elapsed, self.rate())
    }
}

/// Of requests one after the other.
pub(super) fn one_by_one(server: &Running, times: u32, mut ask: impl FnMut() -> Result) -> Result<Cost> {
    let (before, start) = (server.cpu_time()?, Instant::now());
    for _ in 0..times {
        ask()?;
    }
    let (elapsed, cpu) = (start.elapsed(), server.cpu_time()?.saturating_sub(before));
    Ok(Cost { cpu: cpu / times, elapsed: elapsed / times })
}

/// Sends each request once, over so many connections at once.
pub(super) fn together<R: Sync>(
    server: &Running,
    connections: usize,
    requests: &[R],
    send: impl Fn(&mut Connection, &R) -> Result + Sync,
) -> Result<Cost> {
    let all = |part: &[R]| -> Result {
        let mut connection = Connection::open(server.address).map_err(|e| format!("cannot connect: {e}"))?;
        part.iter().try_for_each(|request| send(&mut connection, request))
    };
    let all = &all;
    let (before, start) = (server.cpu_time()?, Instant::now());
    std::thread::scope(|scope| -> Result {
        let parts = requests.chunks(requests.len().div_ceil(connections));
        let threads: Vec<_> = parts.map(|part| scope.spawn(move || all(part))).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?)
    })?;
    let (elapsed, cpu) = (start.elapsed(), server.cpu_time()?.saturating_sub(before));
    let times = u32::try_from(requests.len()).unwrap_or(u32::MAX);
    Ok(Cost { cpu: cpu / times, elapsed: elapsed / times })
}
