//! What waits to be hashed, and the threads that do it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::argon::{Arena, Recipe, matches};
use crate::env::Stopwatch;
use crate::{Fault, Password};

/// After this long without work a thread gives its memory back.
const IDLE: Duration = Duration::from_secs(5);
/// What a hash takes until the first was measured.
const FIRST_GUESS: Duration = Duration::from_millis(25);
/// Sign-ins (verify) go first, but of four turns one belongs to sign-ups (create).
const TURNS: u64 = 4;

/// One thing to do.
pub(super) enum Work {
    Verify { password: Password, hashes: Vec<String>, answer: oneshot::Sender<Vec<bool>> },
    Create { password: Password, salt: [u8; 16], answer: oneshot::Sender<String> },
    Rehash { password: Password, salt: [u8; 16], then: Box<dyn FnOnce(String) + Send> },
}

impl Work {
    /// Hashes to compute.
    fn cost(&self) -> usize {
        match self {
            Self::Verify { hashes, .. } => hashes.len().max(1),
            Self::Create { .. } | Self::Rehash { .. } => 1,
        }
    }

    /// Nobody waits for it any more.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Verify { answer, .. } => answer.is_closed(),
            Self::Create { answer, .. } => answer.is_closed(),
            Self::Rehash { .. } => false,
        }
    }
}

pub(super) struct Queue {
    lines: Mutex<Lines>,
    ready: Condvar,
    threads: usize,
    /// Hashes that may wait; 0: what can be done in a second.
    fixed_capacity: usize,
    /// Microseconds per hash, a moving average.
    pace_micros: AtomicU64,
}

#[derive(Default)]
struct Lines {
    verify: VecDeque<Work>,
    create: VecDeque<Work>,
    /// Hashes that wait in both.
    waiting: usize,
    turn: u64,
    closed: bool,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("threads", &self.threads).finish_non_exhaustive()
    }
}

impl Queue {
    pub(super) fn new(threads: usize, fixed_capacity: usize) -> Self {
        Self {
            lines: Mutex::default(),
            ready: Condvar::new(),
            threads,
            fixed_capacity,
            pace_micros: AtomicU64::new(u64::try_from(FIRST_GUESS.as_micros()).unwrap_or(u64::MAX)),
        }
    }

    /// A panic elsewhere leaves the lines whole: they are changed by single steps.
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pace(&self) -> Duration {
        Duration::from_micros(self.pace_micros.load(Ordering::Relaxed))
    }

    /// Hashes that may wait: about one second of work, so nobody waits longer (never fewer than two for each thread).
    fn capacity(&self) -> usize {
        if self.fixed_capacity > 0 {
            return self.fixed_capacity;
        }
        let per_second = 1_000_000 / self.pace_micros.load(Ordering::Relaxed).max(1);
        (self.threads * usize::try_from(per_second).unwrap_or(usize::MAX)).max(2 * self.threads)
    }

    /// Puts `work` into its line.
    ///
    /// # Errors
    /// [`Fault::Overloaded`] with the time until the line will be short, spread so that not all come back at once.
    pub(super) fn push(&self, work: Work) -> Result<(), Fault> {
        let mut lines = self.lines();
        if lines.waiting + work.cost() > self.capacity().max(work.cost()) {
            let threads = u32::try_from(self.threads).unwrap_or(u32::MAX).max(1);
            let waiting = u32::try_from(lines.waiting).unwrap_or(u32::MAX);
            lines.turn += 1;
            let spread = Duration::from_secs(1 + lines.turn % 3);
            return Err(Fault::Overloaded { retry_after: self.pace() * waiting / threads + spread });
        }
        lines.push(work);
        drop(lines);
        self.ready.notify_one();
        Ok(())
    }

    /// Puts `work` at the end of the line of creations, unless more than half of the queue is taken.
    pub(super) fn push_if_calm(&self, work: Work) {
        let mut lines = self.lines();
        if lines.waiting * 2 <= self.capacity() {
            lines.push(work);
            self.ready.notify_one();
        }
    }

    pub(super) fn close(&self) {
        self.lines().closed = true;
        self.ready.notify_all();
    }

    /// What a thread does until the queue is closed.
    pub(super) fn work(&self, recipe: Recipe) {
        let mut arena = Arena::default();
        while let Some(work) = self.next(&mut arena) {
            if !work.is_abandoned() {
                self.carry_out(work, recipe, &mut arena);
            }
        }
        arena.release();
    }

    /// Waits for work; gives the memory back when there is none for a while.
    fn next(&self, arena: &mut Arena) -> Option<Work> {
        let mut lines = self.lines();
        loop {
            if lines.closed {
                return None;
            }
            if let Some(work) = lines.pop() {
                return Some(work);
            }
            let (woken, waited) =
                self.ready.wait_timeout(lines, IDLE).unwrap_or_else(PoisonError::into_inner);
            lines = woken;
            if waited.timed_out() {
                arena.release();
            }
        }
    }

    fn carry_out(&self, work: Work, recipe: Recipe, arena: &mut Arena) {
        let (cost, watch) = (work.cost(), Stopwatch::start());
        match work {
            Work::Verify { password, hashes, answer } => {
                if hashes.is_empty() {
                    recipe.waste(arena, &password);
                }
                let _ = answer.send(hashes.iter().map(|hash| matches(arena, &password, hash)).collect());
            }
            Work::Create { password, salt, answer } => {
                if let Some(hash) = recipe.hash(arena, &password, &salt) {
                    let _ = answer.send(hash);
                }
            }
            Work::Rehash { password, salt, then } => {
                if let Some(hash) = recipe.hash(arena, &password, &salt) {
                    then(hash);
                }
            }
        }
        let micros = u64::try_from(watch.elapsed().as_micros()).unwrap_or(u64::MAX) / cost.max(1) as u64;
        let before = self.pace_micros.load(Ordering::Relaxed);
        self.pace_micros.store((before * 7 + micros) / 8, Ordering::Relaxed);
    }
}

impl Lines {
    fn push(&mut self, work: Work) {
        self.waiting += work.cost();
        match work {
            Work::Verify { .. } => self.verify.push_back(work),
            Work::Create { .. } | Work::Rehash { .. } => self.create.push_back(work),
        }
    }

    fn pop(&mut self) -> Option<Work> {
        self.turn += 1;
        let (first, second) = if self.turn.is_multiple_of(TURNS) {
            (&mut self.create, &mut self.verify)
        } else {
            (&mut self.verify, &mut self.create)
        };
        let work = first.pop_front().or_else(|| second.pop_front())?;
        self.waiting -= work.cost();
        Some(work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify() -> (Work, oneshot::Receiver<Vec<bool>>) {
        let (answer, answered) = oneshot::channel();
        let password = Password::new("violet-otter-maps").unwrap();
        (Work::Verify { password, hashes: vec![], answer }, answered)
    }

    fn create() -> (Work, oneshot::Receiver<String>) {
        let (answer, answered) = oneshot::channel();
        let password = Password::new("violet-otter-maps").unwrap();
        (Work::Create { password, salt: [1; 16], answer }, answered)
    }

    // P6: the line is bounded, and who is refused is told when to come back.
    #[test]
    fn a_full_line_refuses_with_an_honest_wait() {
        let queue = Queue::new(2, 3);
        let kept: Vec<_> =
            (0..3).map(|_| verify()).map(|(work, rx)| (queue.push(work).unwrap(), rx)).collect();
        let Err(Fault::Overloaded { retry_after }) = queue.push(verify().0) else {
            panic!("the fourth must be refused");
        };
        let wait = FIRST_GUESS * 3 / 2;
        assert!((wait + Duration::from_secs(1)..=wait + Duration::from_secs(3)).contains(&retry_after));
        assert_eq!(kept.len(), 3);
    }

    #[test]
    fn the_line_holds_about_a_second_of_work() {
        assert_eq!(Queue::new(2, 0).capacity(), 80);
    }

    #[test]
    fn sign_ups_get_one_turn_in_four() {
        let queue = Queue::new(1, 100);
        let _kept: Vec<_> =
            (0..8).map(|_| verify()).map(|(work, rx)| (queue.push(work).unwrap(), rx)).collect();
        let _also: Vec<_> =
            (0..8).map(|_| create()).map(|(work, rx)| (queue.push(work).unwrap(), rx)).collect();
        let mut arena = Arena::default();
        let order: String = (0..8)
            .map(|_| match queue.next(&mut arena) {
                Some(Work::Verify { .. }) => 'v',
                _ => 'c',
            })
            .collect();
        assert_eq!(order, "vvvcvvvc");
    }

    #[test]
    fn work_that_nobody_waits_for_is_not_done() {
        let (work, answered) = verify();
        assert!(!work.is_abandoned());
        drop(answered);
        assert!(work.is_abandoned());
    }
}
