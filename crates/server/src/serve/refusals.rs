//! Logs events that strangers can cause at will once a minute, with a count.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The time between two lines about the same event.
const MINUTE: Duration = Duration::from_mins(1);

/// A counted event and its log line: the number since the last line, and the latest occurrence.
pub(super) struct Refusals {
    counted: Arc<Mutex<Counted>>,
    log: fn(u64, &str),
}

#[derive(Default)]
struct Counted {
    /// The number since the last line.
    number: u64,
    newest: String,
    /// Whether a minute is running; at its end the rest is logged.
    is_counting: bool,
}

impl Refusals {
    pub(super) fn new(log: fn(u64, &str)) -> Self {
        Self { counted: Arc::default(), log }
    }

    /// The first is logged immediately; what follows within a minute is logged at its end.
    pub(super) fn note(&self, what: &str) {
        let mut counted = lock(&self.counted);
        counted.number += 1;
        what.clone_into(&mut counted.newest);
        if !counted.is_counting {
            counted.is_counting = true;
            counted.say(self.log);
            drop(tokio::spawn(count(Arc::clone(&self.counted), self.log)));
        }
    }
}

/// Logs the events of each minute, until a minute has none.
#[expect(clippy::disallowed_methods, reason = "the pause between two lines of the log")]
async fn count(counted: Arc<Mutex<Counted>>, log: fn(u64, &str)) {
    loop {
        tokio::time::sleep(MINUTE).await;
        let mut counted = lock(&counted);
        if counted.number == 0 {
            counted.is_counting = false;
            return;
        }
        counted.say(log);
    }
}

impl Counted {
    fn say(&mut self, log: fn(u64, &str)) {
        log(std::mem::take(&mut self.number), &self.newest);
    }
}

fn lock(counted: &Mutex<Counted>) -> std::sync::MutexGuard<'_, Counted> {
    counted.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    static LINES: Mutex<Vec<(u64, String)>> = Mutex::new(Vec::new());

    fn lines() -> Vec<(u64, String)> {
        std::mem::take(&mut *LINES.lock().unwrap())
    }

    /// Lets the counting task run after this long.
    async fn after(length: Duration) {
        tokio::time::advance(length).await;
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_one_line_a_minute_with_its_number() {
        let refusals =
            Refusals::new(|number, newest| LINES.lock().unwrap().push((number, newest.to_owned())));
        let note = |names: std::ops::Range<u32>| names.for_each(|name| refusals.note(&name.to_string()));
        note(0..1000);
        assert_eq!(lines(), [(1, "0".to_owned())]);
        tokio::task::yield_now().await;
        after(MINUTE).await;
        assert_eq!(lines(), [(999, "999".to_owned())]);
        note(0..7);
        after(MINUTE).await;
        assert_eq!(lines(), [(7, "6".to_owned())]);
        after(MINUTE).await;
        after(MINUTE).await;
        assert_eq!(lines(), []);
        note(5..6);
        assert_eq!(lines(), [(1, "5".to_owned())]);
    }
}
