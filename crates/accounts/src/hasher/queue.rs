//! The queue of passwords to hash, and the threads that do it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::argon::{Arena, Recipe};
use super::compare::{Stages, Verified, compare};
use crate::domain::password::{Judge, Password, PasswordError, Strength};
use crate::env::{CpuStopwatch, Stopwatch};
use crate::fault::Fault;

/// A thread that has been idle this long frees its memory.
const IDLE: Duration = Duration::from_secs(5);
/// The assumed time of a hash until the first was measured.
const FIRST_GUESS: Duration = Duration::from_millis(25);
/// When the next hash of a queue has waited this long, no more are admitted: something else takes the processor.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// So many hashes may wait for each thread in any case: no thread is without work.
const LEAST: usize = 2;
/// Sign-ins (verify) go first, but one turn in four belongs to sign-ups (create).
const TURNS: u64 = 4;
/// Judgements that may wait, per thread. One takes a few milliseconds at most, so a full queue is done in less than
/// half a second.
const JUDGEMENTS: usize = 32;

/// One job.
pub(super) enum Work {
    Verify {
        password: Password,
        stages: Stages,
        answer: oneshot::Sender<Verified>,
    },
    Create {
        password: Password,
        judge: Judge,
        salt: [u8; 16],
        answer: oneshot::Sender<Result<String, PasswordError>>,
    },
    Rehash {
        password: Password,
        salt: [u8; 16],
        then: Box<dyn FnOnce(String) + Send>,
    },
    Judge {
        password: Password,
        judge: Judge,
        answer: oneshot::Sender<Strength>,
    },
}

impl Work {
    /// The hashes to compute if none matches.
    fn cost(&self) -> usize {
        match self {
            Self::Verify { stages, .. } => stages.len(),
            Self::Create { .. } | Self::Rehash { .. } => 1,
            Self::Judge { .. } => 0,
        }
    }

    /// Nobody is waiting for it any longer.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Verify { answer, .. } => answer.is_closed(),
            Self::Create { answer, .. } => answer.is_closed(),
            Self::Judge { answer, .. } => answer.is_closed(),
            Self::Rehash { .. } => false,
        }
    }
}

pub(super) struct Queue {
    lines: Mutex<Lines>,
    ready: Condvar,
    threads: usize,
    /// Hashes that may wait; 0: as many as take a second.
    fixed_capacity: usize,
    /// Microseconds of a processor per hash, a moving average: what this machine can do when nothing else runs on it.
    cpu_micros: AtomicU64,
    /// Microseconds per hash by the clock, likewise.
    pace_micros: AtomicU64,
    /// The work computed since the start, in KiB and passes.
    spent: AtomicU64,
}

#[derive(Default)]
struct Lines {
    verify: VecDeque<Waiting>,
    create: VecDeque<Waiting>,
    /// Without a hash: they are short, and take turns with the rest.
    judge: VecDeque<Work>,
    /// Hashes waiting in the first two.
    waiting: usize,
    turn: u64,
    judged_last: bool,
    closed: bool,
}

/// A hash in its queue.
struct Waiting {
    work: Work,
    since: Stopwatch,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("threads", &self.threads).finish_non_exhaustive()
    }
}

impl Queue {
    pub(super) fn new(threads: usize, fixed_capacity: usize) -> Self {
        let guess = u64::try_from(FIRST_GUESS.as_micros()).unwrap_or(u64::MAX);
        Self {
            lines: Mutex::default(),
            ready: Condvar::new(),
            threads,
            fixed_capacity,
            cpu_micros: AtomicU64::new(guess),
            pace_micros: AtomicU64::new(guess),
            spent: AtomicU64::new(0),
        }
    }

    /// A panic elsewhere leaves the queues intact: they are changed in single steps.
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The work computed since the start.
    pub(super) fn spent(&self) -> u64 {
        self.spent.load(Ordering::Relaxed)
    }

    pub(super) fn pace(&self) -> Duration {
        Duration::from_micros(self.pace_micros.load(Ordering::Relaxed))
    }

    /// Hashes that may wait: about one second of work. Its measure is processor time, so that a busy neighbour does not make
    /// the queue shorter than it need be.
    fn capacity(&self) -> usize {
        if self.fixed_capacity > 0 {
            return self.fixed_capacity;
        }
        let per_second = 1_000_000 / self.cpu_micros.load(Ordering::Relaxed).max(1);
        (self.threads * usize::try_from(per_second).unwrap_or(usize::MAX)).max(LEAST * self.threads)
    }

    /// Adds `work` to its queue.
    ///
    /// # Errors
    /// [`Fault::Overloaded`] with the time until the queue will be short, spread so that not all return together.
    pub(super) fn push(&self, work: Work) -> Result<(), Fault> {
        let mut lines = self.lines();
        let full = if let Work::Judge { .. } = work {
            lines.judge.len() >= JUDGEMENTS * self.threads
        } else {
            let is_late = lines.waiting >= LEAST * self.threads && lines.wait_of_next(&work) > LONGEST_WAIT;
            lines.waiting + work.cost() > self.capacity().max(work.cost()) || is_late
        };
        if full {
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

    /// Adds `work` to the queue of creations, unless more than half of the capacity is taken.
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

    /// Runs a thread until the queue is closed.
    pub(super) fn work(&self, recipe: Recipe) {
        let mut arena = Arena::default();
        while let Some(work) = self.next(&mut arena) {
            if !work.is_abandoned() {
                self.carry_out(work, recipe, &mut arena);
            }
        }
        arena.release();
    }

    /// Waits for work; frees the memory when there is none for a while.
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
        let (watch, cpu) = (Stopwatch::start(), CpuStopwatch::start());
        let computed = match work {
            Work::Verify { password, stages, answer } => {
                let (verified, computed) = compare(recipe, arena, &password, &stages);
                self.spent.fetch_add(arena.take_spent(), Ordering::Relaxed);
                let _ = answer.send(verified);
                computed
            }
            Work::Create { password, judge, salt, answer } => {
                if let Err(refused) = judge.admit(&password) {
                    // No hash was computed, so there is no pace to learn.
                    let _ = answer.send(Err(refused));
                    return;
                }
                let hash = recipe.hash(arena, &password, &salt);
                self.spent.fetch_add(arena.take_spent(), Ordering::Relaxed);
                if let Some(hash) = hash {
                    let _ = answer.send(Ok(hash));
                }
                1
            }
            Work::Rehash { password, salt, then } => {
                if let Some(hash) = recipe.hash(arena, &password, &salt) {
                    then(hash);
                }
                1
            }
            Work::Judge { password, judge, answer } => {
                let _ = answer.send(judge.strength(&password));
                return;
            }
        };
        learn(&self.pace_micros, watch.elapsed(), computed);
        learn(&self.cpu_micros, cpu.elapsed(), computed);
    }
}

/// Adds a measurement of this many hashes to a moving average.
fn learn(average: &AtomicU64, took: Duration, hashes: usize) {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX) / hashes.max(1) as u64;
    let before = average.load(Ordering::Relaxed);
    average.store((before * 7 + micros) / 8, Ordering::Relaxed);
}

impl Lines {
    fn push(&mut self, work: Work) {
        self.waiting += work.cost();
        match self.line_of(&work) {
            Some(line) => line.push_back(Waiting { work, since: Stopwatch::start() }),
            None => self.judge.push_back(work),
        }
    }

    /// Where it waits, unless it is a judgement.
    fn line_of(&mut self, work: &Work) -> Option<&mut VecDeque<Waiting>> {
        match work {
            Work::Verify { .. } => Some(&mut self.verify),
            Work::Create { .. } | Work::Rehash { .. } => Some(&mut self.create),
            Work::Judge { .. } => None,
        }
    }

    /// How long the next of those has waited that this one would wait behind.
    fn wait_of_next(&mut self, work: &Work) -> Duration {
        let next = self.line_of(work).and_then(|line| line.front());
        next.map_or(Duration::ZERO, |next| next.since.elapsed())
    }

    fn pop(&mut self) -> Option<Work> {
        // Judgements and hashes take turns: neither starves the other.
        let judgement = if self.judged_last { None } else { self.judge.pop_front() };
        let work = judgement.or_else(|| self.next_hash()).or_else(|| self.judge.pop_front())?;
        self.judged_last = matches!(work, Work::Judge { .. });
        self.waiting -= work.cost();
        Some(work)
    }

    fn next_hash(&mut self) -> Option<Work> {
        self.turn += 1;
        let (first, second) = if self.turn.is_multiple_of(TURNS) {
            (&mut self.create, &mut self.verify)
        } else {
            (&mut self.verify, &mut self.create)
        };
        first.pop_front().or_else(|| second.pop_front()).map(|waiting| waiting.work)
    }
}

#[cfg(test)]
mod tests;
