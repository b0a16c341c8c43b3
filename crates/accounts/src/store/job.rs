//! The jobs of a database thread: a closure, its result, and the channel to answer on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::Tx;
use super::pulse::{Pulse, Statements, take_statements};
use crate::fault::Fault;

/// A closure whose result is sent only after the transaction has ended.
pub(super) trait Job: Send {
    /// Runs the closure from its beginning. `true`: commit the changes.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;

    /// Sends the result of the last run, or the fault that ended the transaction.
    fn finish(self: Box<Self>, transaction: Result<(), Fault>);
}

/// The only kind of [`Job`].
pub(super) struct Task<F, T, E> {
    work: F,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
    /// Records whether writes work, for jobs that write.
    pulse: Option<Arc<Pulse>>,
    statements: Statements,
    /// The caller's span, so that what the job logs names the request.
    span: tracing::Span,
}

impl<F, T, E> Task<F, T, E> {
    pub(super) fn new(work: F, answer: oneshot::Sender<Result<T, E>>) -> Self {
        Self {
            work,
            result: None,
            answer,
            pulse: None,
            statements: Statements::default(),
            span: tracing::Span::current(),
        }
    }

    pub(super) fn felt_by(self, pulse: &Arc<Pulse>) -> Self {
        Self { pulse: Some(Arc::clone(pulse)), ..self }
    }
}

impl<F, T, E> Job for Task<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Fault> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let _asked = self.span.clone().entered();
        take_statements();
        // A panic must not end the database thread, and with it everyone waiting for it (ASVS 16.5.4).
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)))
            .unwrap_or_else(|_| Err(Fault::Unavailable("an operation panicked".into()).into()));
        let commit = result.is_ok();
        self.statements = take_statements();
        // What is rolled back has changed nothing.
        self.statements.changed &= commit;
        self.result = Some(result);
        commit
    }

    fn finish(self: Box<Self>, transaction: Result<(), Fault>) {
        if let Some(pulse) = &self.pulse {
            pulse.beat(self.statements, transaction.is_ok());
        }
        let result = match transaction {
            Ok(()) => {
                self.result.unwrap_or_else(|| Err(Fault::Unavailable("the job never ran".into()).into()))
            }
            Err(fault) => Err(fault.into()),
        };
        // The caller may have gone away; the change stands all the same.
        let _ = self.answer.send(result);
    }
}

/// How many operations may wait for the database; further ones are refused as `Unavailable`.
pub(crate) const QUEUE_MAX: usize = 4096;
