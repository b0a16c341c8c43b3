//! What travels to a database thread: a closure, its result, and the way back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::Tx;
use crate::Fault;

/// A closure whose result is given only after the transaction has ended.
pub(super) trait Job: Send {
    /// Runs from the beginning. `true`: commit what was changed.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;

    /// Gives the result of the last run, or the fault that ended the transaction.
    fn finish(self: Box<Self>, transaction: Result<(), Fault>);
}

/// The one kind of [`Job`].
pub(super) struct Task<F, T, E> {
    work: F,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Task<F, T, E> {
    pub(super) fn new(work: F, answer: oneshot::Sender<Result<T, E>>) -> Self {
        Self { work, result: None, answer }
    }
}

impl<F, T, E> Job for Task<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Fault> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        // A panic must not take the database thread, and everybody who waits for it, with it (ASVS 16.5.4).
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)))
            .unwrap_or_else(|_| Err(Fault::Unavailable("an operation panicked".into()).into()));
        let commit = result.is_ok();
        self.result = Some(result);
        commit
    }

    fn finish(self: Box<Self>, transaction: Result<(), Fault>) {
        let result = match transaction {
            Ok(()) => {
                self.result.unwrap_or_else(|| Err(Fault::Unavailable("the job never ran".into()).into()))
            }
            Err(fault) => Err(fault.into()),
        };
        // Whoever asked may have gone away; the change stands all the same.
        let _ = self.answer.send(result);
    }
}
