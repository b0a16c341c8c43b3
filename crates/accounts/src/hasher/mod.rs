//! Password hashing on its own threads: memory that is allocated once, a bounded queue, an honest answer when it is full.
//!
//! A storm of sign-ins must not starve anything else, so hashes never run on the caller's threads, and what would have
//! to wait for longer than about a second is refused at once (P6).

mod argon;
mod queue;

use std::sync::Arc;

use tokio::sync::oneshot;

pub(crate) use argon::Recipe;
use queue::{Queue, Work};

use crate::policy::HashPolicy;
use crate::{Env, Fault, Password};

/// The hashing threads. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Hasher {
    queue: Arc<Queue>,
    recipe: Recipe,
    env: Env,
}

impl Hasher {
    /// Starts the threads. They take their memory when they have something to do.
    pub(crate) fn start(policy: &HashPolicy, env: &Env) -> Result<Self, Fault> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if policy.threads == 0 { cores } else { policy.threads };
        let queue = Arc::new(Queue::new(threads, policy.queue));
        let recipe = Recipe::new(policy.memory_kib, policy.passes);
        for number in 0..threads {
            let queue = queue.clone();
            std::thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || queue.work(recipe))
                .map_err(|e| Fault::Unavailable(format!("no thread for hashing: {e}")))?;
        }
        Ok(Self { queue, recipe, env: env.clone() })
    }

    /// The PHC string of a new password.
    ///
    /// # Errors
    /// [`Fault::Overloaded`] when too many wait.
    pub(crate) async fn hash(&self, password: &Password) -> Result<String, Fault> {
        let (answer, answered) = oneshot::channel();
        self.queue.push(Work::Create { password: password.clone(), salt: self.env.random(), answer })?;
        answered.await.map_err(|_| stopped())
    }

    /// Which of these PHC strings are of this password. Where there is none, one hash is computed all the same, so that
    /// the time does not tell whether an account exists (L1).
    ///
    /// # Errors
    /// [`Fault::Overloaded`] when too many wait.
    pub(crate) async fn verify(&self, password: &Password, hashes: Vec<String>) -> Result<Vec<bool>, Fault> {
        let (answer, answered) = oneshot::channel();
        self.queue.push(Work::Verify { password: password.clone(), hashes, answer })?;
        answered.await.map_err(|_| stopped())
    }

    /// Computes a new hash when nothing more urgent waits, and hands it to `then`; drops it when the queue is half full.
    pub(crate) fn rehash(&self, password: &Password, then: impl FnOnce(String) + Send + 'static) {
        let work = Work::Rehash { password: password.clone(), salt: self.env.random(), then: Box::new(then) };
        self.queue.push_if_calm(work);
    }

    /// Whether a hash was made with less than what the policy asks for now.
    pub(crate) fn is_outdated(&self, hash: &str) -> bool {
        self.recipe.is_stronger_than(hash)
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn stopped() -> Fault {
    Fault::Unavailable("the hashing threads have ended".into())
}
