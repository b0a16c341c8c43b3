//! Long reads: on a thread of their own, so that browsing lists does not delay sign-ins.

use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, TrySendError};

use super::super::job::Job;
use super::super::sql;
use super::place::Place;
use super::tx::Tx;
use super::writer::Order;
use crate::fault::Fault;

/// Long reads that may wait for the thread; further ones are refused as `Unavailable`.
const QUEUE_MAX: usize = 64;

/// The thread, and the channel to it.
#[derive(Debug)]
pub(super) struct Surveyor {
    orders: Sender<Order>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Surveyor {
    pub(super) fn start(place: Place) -> Result<Self, Fault> {
        let (orders, queue) = crossbeam_channel::bounded(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name("sqlite-surveyor".into())
            .spawn(move || serve(&place, &queue))
            .map_err(|e| Fault::Unavailable(format!("no thread for the database: {e}")))?;
        Ok(Self { orders, thread: Mutex::new(Some(thread)) })
    }

    pub(super) fn queue(&self, job: Box<dyn Job>) -> Result<(), Fault> {
        self.orders.try_send(Order::Run(job)).map_err(|refused| match refused {
            TrySendError::Full(_) => Fault::Unavailable("too many lists are looked through".into()),
            TrySendError::Disconnected(_) => Fault::Unavailable("the database is closed".into()),
        })
    }

    /// Runs what is queued and closes the connection.
    pub(super) fn close(&self) {
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let _ = self.orders.send(Order::Close);
        // A job with the last reference drops it on this thread itself, which cannot wait for its own end.
        if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
            tracing::error!("the thread of long reads panicked");
        }
    }
}

/// Runs one job after the other, on a connection that is opened for the first.
fn serve(place: &Place, queue: &Receiver<Order>) {
    let mut connection = None;
    while let Ok(Order::Run(mut job)) = queue.recv() {
        let connected = match connection.take() {
            Some(connection) => Ok(connection),
            None => place.connect("PRAGMA query_only=ON;"),
        };
        match connected {
            Ok(own) => {
                job.run(&mut sql::Tx::Sqlite(Tx(&own)));
                job.finish(Ok(()));
                connection = Some(own);
            }
            Err(error) => job.finish(Err(error.into())),
        }
    }
}
