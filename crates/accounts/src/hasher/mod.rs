//! Password hashing on its own threads: reused memory, a bounded queue, and a refusal with a realistic wait when it is
//! full.
//!
//! A storm of sign-ins must not starve anything else, so hashes never run on the caller's threads, and what would have
//! to wait longer than about a second is refused immediately (P6).

mod argon;
mod compare;
#[cfg(feature = "import")]
pub(crate) mod foreign;
mod foreign_time;
mod load;
mod queue;
mod trial;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

pub(crate) use argon::Recipe;
pub(crate) use compare::Stages;
use compare::Verified;
pub(crate) use load::Load;
use queue::{Queue, Work};

#[cfg(feature = "import")]
use self::foreign::hash::ForeignHash;
#[cfg(feature = "import")]
use self::foreign::imported::{ImportedHash, Kept};
use self::foreign_time::ForeignTimes;
use crate::domain::password::{Judge, Password, PasswordError, Strength};
use crate::env::{Env, Stopwatch};
use crate::fault::Fault;
use crate::policy::HashPolicy;

/// The hashing threads. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Hasher {
    queue: Arc<Queue>,
    recipe: Recipe,
    env: Env,
    load: Load,
    foreign_times: ForeignTimes,
}

/// A hash as it is stored.
#[cfg(feature = "import")]
#[derive(Clone, Debug)]
pub(crate) struct StoredHash {
    pub(crate) text: String,
    /// What hashes have in common that take longer than ours, and equally long.
    pub(crate) class: Option<String>,
}

/// How long one hash of this policy takes on this machine, and on how many threads. `None`: it cannot be computed.
pub(crate) fn time_of_hash(policy: &HashPolicy) -> Option<(Duration, usize)> {
    trial::measured(Recipe::new(policy.memory_kib, policy.passes)).map(|time| (time, threads(policy)))
}

fn threads(policy: &HashPolicy) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    if policy.threads == 0 { cores() } else { policy.threads }
}

impl Hasher {
    /// Starts the threads. They allocate their memory when they have work.
    pub(crate) fn start(policy: &HashPolicy, env: &Env) -> Result<Self, Fault> {
        let threads = threads(policy);
        let queue = Arc::new(Queue::new(threads, policy.queue));
        let recipe = Recipe::new(policy.memory_kib, policy.passes);
        for number in 0..threads {
            let queue = queue.clone();
            std::thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || {
                    if number == 0 {
                        trial::warn_if_slow(recipe);
                    }
                    queue.work(recipe);
                })
                .map_err(|e| Fault::Unavailable(format!("no thread for hashing: {e}")))?;
        }
        let (load, foreign_times) = (Load::default(), ForeignTimes::default());
        Ok(Self { queue, recipe, env: env.clone(), load, foreign_times })
    }

    /// The PHC string of a newly chosen password, if the judge admits it. There is no other way to get one.
    ///
    /// # Errors
    /// Outer: [`Fault::Overloaded`] if the queue is full; inner: why the password may not be chosen.
    pub(crate) async fn choose(
        &self,
        password: &Password,
        judge: Judge,
    ) -> Result<Result<String, PasswordError>, Fault> {
        self.choose_with(self.env.random(), password, judge).await
    }

    /// Like [`choose`](Self::choose), with a salt that several hashes may share.
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
        let waiting = self.load.wait();
        self.load.admitted(self.queue.push(Work::Create {
            password: password.clone(),
            judge,
            salt,
            answer,
        }))?;
        answered.await.inspect(|_| waiting.answered()).map_err(|_| stopped())
    }

    /// A PHC string of the present cost that no password matches: whoever has this hash chooses one first.
    #[cfg(feature = "import")]
    pub(crate) fn of_nobody(&self, salt: [u8; 16]) -> Result<String, Fault> {
        let made = self.recipe.phc(&salt, &self.env.random());
        made.ok_or_else(|| Fault::Unavailable("the hash cannot be written".to_owned()))
    }

    /// How strong a password is. Takes up to some milliseconds, too long for the caller's thread.
    ///
    /// # Errors
    /// [`Fault::Overloaded`] if the queue is full.
    pub(crate) async fn judge(&self, password: &Password, judge: Judge) -> Result<Strength, Fault> {
        let (answer, answered) = oneshot::channel();
        self.queue.push(Work::Judge { password: password.clone(), judge, answer })?;
        answered.await.map_err(|_| stopped())
    }

    /// Which of these hashes match this password. A stage without any costs a hash all the same, so that the time does
    /// not reveal whether an account exists; where dearer hashes of other programs are stored, a failure takes as long as
    /// one of them, by the clock (L1).
    ///
    /// # Errors
    /// [`Fault::Overloaded`] if the queue is full.
    pub(crate) async fn verify(&self, password: &Password, stages: Stages) -> Result<Vec<Vec<bool>>, Fault> {
        let (answer, answered) = oneshot::channel();
        let waiting = self.load.wait();
        self.load.admitted(self.queue.push(Work::Verify { password: password.clone(), stages, answer }))?;
        let answered = answered.await.inspect(|_| waiting.answered());
        let Verified { matching, foreign } = answered.map_err(|_| stopped())?;
        self.foreign_times.note(&foreign);
        if !matching.iter().flatten().any(|matches| *matches) {
            let taken = foreign.iter().map(|time| time.length).sum();
            let rest = self.foreign_times.extra().saturating_sub(taken);
            if !rest.is_zero() {
                self.env.no_sooner_than(rest, Stopwatch::start()).await;
            }
        }
        Ok(matching)
    }

    /// What is stored of an imported hash: itself, or its Argon2id where it is weak.
    ///
    /// # Errors
    /// [`Fault::Overloaded`] if the queue is full.
    #[cfg(feature = "import")]
    pub(crate) async fn keep(&self, hash: ImportedHash) -> Result<StoredHash, Fault> {
        match hash.into_kept() {
            Kept::AsItIs(text, hash) => {
                let class = (!self.recipe.covers_hash(&text)).then(|| hash.class());
                Ok(StoredHash { text, class })
            }
            Kept::Weak(weak) => {
                // Hexadecimal digits are always a password.
                let inner = Password::new(&weak.inner()).map_err(|_| stopped())?;
                let (answer, answered) = oneshot::channel();
                let then = move |phc| drop(answer.send(phc));
                let work = Work::Rehash { password: inner, salt: self.env.random(), then: Box::new(then) };
                self.queue.push(work)?;
                let text = weak.wrapped_in(&answered.await.map_err(|_| stopped())?);
                let class = ForeignHash::parse(&text).ok().map(|hash| hash.class());
                Ok(StoredHash { text, class })
            }
        }
    }

    /// Takes the time of the classes of other programs' hashes that are stored, each with one of its hashes, and forgets
    /// the others.
    ///
    /// # Errors
    /// [`Fault::Overloaded`] if the queue is full.
    #[cfg(feature = "import")]
    pub(crate) async fn learn(&self, stored: &[StoredHash]) -> Result<(), Fault> {
        let classes: Vec<String> = stored.iter().filter_map(|hash| hash.class.clone()).collect();
        self.foreign_times.keep_only(&classes);
        let Ok(dummy) = Password::new("a password that nobody has") else { return Ok(()) };
        for StoredHash { text, class } in stored {
            if !class.as_deref().is_some_and(|class| self.foreign_times.knows(class)) {
                self.verify(&dummy, vec![vec![text.clone()]]).await?;
            }
        }
        Ok(())
    }

    /// Computes a new hash when nothing more urgent waits, and passes it to `then`; skipped if the queue is half full.
    pub(crate) fn rehash(&self, password: &Password, then: impl FnOnce(String) + Send + 'static) {
        let work = Work::Rehash { password: password.clone(), salt: self.env.random(), then: Box::new(then) };
        self.queue.push_if_calm(work);
    }

    /// The work of hashing since the start, in KiB and passes over them.
    pub(crate) fn spent(&self) -> u64 {
        self.queue.spent()
    }

    /// What the threads have to do.
    pub(crate) const fn load(&self) -> &Load {
        &self.load
    }

    /// How long a hash takes at present.
    pub(crate) fn pace(&self) -> Duration {
        self.queue.pace()
    }

    /// Whether a hash is weaker than the policy now requires.
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

#[cfg(all(test, feature = "import"))]
mod tests {
    use super::*;

    /// bcrypt with the cost 10, of another password.
    const DEAR: &str = "$2b$10$y8hCF7L9LE6guBMhwAORRer1efL1hrg1U1/Z6cve/tJ9OlnNmGVDW";

    // L1: a failure takes as long as the dearest hash that is stored, for every name; a success does not.
    #[tokio::test]
    async fn a_failure_takes_as_long_as_the_dearest_class() {
        let policy = HashPolicy { memory_kib: 64, passes: 1, threads: 1, queue: 0 };
        let hasher = Hasher::start(&policy, &Env::system()).unwrap();
        let password = Password::new("first-password").unwrap();
        let ours = hasher.recipe.hash(&mut argon::Arena::default(), &password, &[7; 16]).unwrap();
        let stored = StoredHash { text: DEAR.to_owned(), class: Some("bcrypt 10".to_owned()) };
        hasher.learn(std::slice::from_ref(&stored)).await.unwrap();
        let extra = hasher.foreign_times.extra();
        assert!(extra > std::time::Duration::from_millis(10), "{extra:?}");
        for stages in [vec![vec![]], vec![vec![DEAR.to_owned()]], vec![vec!["$2b$10$corrupt".to_owned()]]] {
            let watch = Stopwatch::start();
            let matching = hasher.verify(&password, stages).await.unwrap();
            assert!(!matching.concat().contains(&true) && watch.elapsed() >= extra, "{:?}", watch.elapsed());
        }
        let watch = Stopwatch::start();
        assert_eq!(hasher.verify(&password, vec![vec![ours]]).await.unwrap(), [[true]]);
        assert!(watch.elapsed() < extra, "{:?}", watch.elapsed());
        hasher.learn(&[]).await.unwrap();
        assert!(hasher.foreign_times.extra().is_zero());
    }
}
