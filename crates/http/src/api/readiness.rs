//! Whether the server is ready, checked at most once a second.

use std::time::Duration;

use tokio::sync::Mutex;
use vestibule::{Accounts, Health, Timestamp};

use crate::problem::Problem;

/// How long an answer is used again.
const READY_FOR: Duration = Duration::from_secs(1);

/// The last answer to a readiness check. Of concurrent requests one runs the check, at most once a second; the others
/// wait for its answer.
#[derive(Default)]
pub(crate) struct Readiness(Mutex<Option<(Timestamp, Result<Health, Problem>)>>);

impl Readiness {
    pub(crate) async fn of(&self, accounts: &Accounts) -> Result<Health, Problem> {
        let mut last = self.0.lock().await;
        let now = accounts.now();
        // A clock that was set back must not prolong an answer.
        let is_fresh = |(at, _): &&(Timestamp, _)| (*at..*at + READY_FOR).contains(&now);
        if let Some((_, answer)) = last.as_ref().filter(is_fresh) {
            return answer.clone();
        }
        let answer = accounts.health().await.map_err(Problem::from);
        *last = Some((now, answer.clone()));
        answer
    }
}
