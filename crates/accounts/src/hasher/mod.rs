//! Password hashing on its own threads: memory that is allocated once, a bounded queue, an honest answer when it is full.
//!
//! A storm of sign-ins must not starve anything else, so hashes never run on the caller's threads, and what would have
//! to wait for longer than about a second is refused at once (P6).

mod argon;
mod queue;
mod trial;

use std::sync::Arc;

use tokio::sync::oneshot;

pub(crate) use argon::Recipe;
pub(crate) use queue::Stages;
use queue::{Queue, Work};

use crate::domain::password::{Judge, Password, PasswordError, Strength};
use crate::env::Env;
use crate::fault::Fault;
use crate::policy::HashPolicy;

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
                .spawn(move || {
                    if number == 0 {
                        trial::warn_if_not_optimised(recipe);
                    }
                    queue.work(recipe);
                })
                .map_err(|e| Fault::Unavailable(format!("no thread for hashing: {e}")))?;
        }
        Ok(Self { queue, recipe, env: env.clone() })
    }

    /// The PHC string of a password that somebody chooses, if the judge admits it. There is no other way to one.
    ///
    /// # Errors
    /// Outside, [`Fault::Overloaded`] when too many wait; inside, why it may not be chosen.
    pub(crate) async fn choose(
        &self,
        password: &Password,
        judge: Judge,
    ) -> Result<Result<String, PasswordError>, Fault> {
        self.choose_with(self.env.random(), password, judge).await
    }

    /// The same with a salt that others may share.
    ///
    /// # Errors
    /// As above.
    pub(crate) async fn choose_with(
        &self,
        salt: [u8; 16],
        password: &Password,
        judge: Judge,
    ) -> Result<Result<String, PasswordError>, Fault> {
        let (answer, answered) = oneshot::channel();
        self.queue.push(Work::Create { password: password.clone(), judge, salt, answer })?;
        answered.await.map_err(|_| stopped())
    }

    /// How good a password is: some milliseconds at most, which no caller's thread has to spare.
    ///
    /// # Errors
    /// [`Fault::Overloaded`] when too many wait.
    pub(crate) async fn judge(&self, password: &Password, judge: Judge) -> Result<Strength, Fault> {
        let (answer, answered) = oneshot::channel();
        self.queue.push(Work::Judge { password: password.clone(), judge, answer })?;
        answered.await.map_err(|_| stopped())
    }

    /// Which of these PHC strings are of this password. A stage without one costs a hash all the same, so that the time
    /// does not tell whether an account exists (L1).
    ///
    /// # Errors
    /// [`Fault::Overloaded`] when too many wait.
    pub(crate) async fn verify(&self, password: &Password, stages: Stages) -> Result<Vec<Vec<bool>>, Fault> {
        let (answer, answered) = oneshot::channel();
        self.queue.push(Work::Verify { password: password.clone(), stages, answer })?;
        answered.await.map_err(|_| stopped())
    }

    /// Computes a new hash when nothing more urgent waits, and hands it to `then`; drops it when the queue is half full.
    pub(crate) fn rehash(&self, password: &Password, then: impl FnOnce(String) + Send + 'static) {
        let work = Work::Rehash { password: password.clone(), salt: self.env.random(), then: Box::new(then) };
        self.queue.push_if_calm(work);
    }

    /// What hashing has cost since the start, in KiB and passes over them.
    pub(crate) fn spent(&self) -> u64 {
        self.queue.spent()
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
