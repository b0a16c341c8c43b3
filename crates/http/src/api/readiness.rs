//! Whether the server is ready, found out once a second at most.

use std::time::Duration;

use tokio::sync::Mutex;
use vestibule::{Accounts, Health, Timestamp};

use crate::problem::Problem;

/// An answer is as good as a new one for so long.
const READY_FOR: Duration = Duration::from_secs(1);

/// The last answer to a ready check. However many ask, one of them finds it out, once a second at most; the others wait
/// for that one.
#[derive(Default)]
pub(crate) struct Readiness(Mutex<Option<(Timestamp, Result<Health, Problem>)>>);

impl Readiness {
    pub(crate) async fn of(&self, accounts: &Accounts) -> Result<Health, Problem> {
        let mut last = self.0.lock().await;
        let now = accounts.now();
        // A clock that was set back must not keep an answer.
        let is_fresh = |(at, _): &&(Timestamp, _)| (*at..*at + READY_FOR).contains(&now);
        if let Some((_, answer)) = last.as_ref().filter(is_fresh) {
            return answer.clone();
        }
        let answer = accounts.health().await.map_err(Problem::from);
        *last = Some((now, answer.clone()));
        answer
    }
}
