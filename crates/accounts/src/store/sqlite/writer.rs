//! The only thread that writes: jobs that wait together are committed together.

use std::sync::atomic::Ordering;

use crossbeam_channel::Receiver;
use rusqlite::Connection;

use super::mark::Generation;
use super::tx::Tx;
use super::watch::Watch;
use crate::fault::Fault;
use crate::store::job::Job;
use crate::store::sql;
use crate::store::times::Groups;

/// Jobs that share one commit at most. The writer does not wait for more: it takes what is queued when it is free.
const GROUP_MAX: usize = 64;

/// A request to the writer.
pub(super) enum Order {
    Run(Box<dyn Job>),
    Close,
}

/// The writer: takes the queued jobs, commits them together and answers them, until it is told to close.
pub(super) fn serve(
    connection: &Connection,
    watch: Option<&Watch>,
    queue: &Receiver<Order>,
    groups: &Groups,
) {
    let mut open = true;
    while open && let Ok(first) = queue.recv() {
        let waiting = std::iter::once(first).chain(queue.try_iter());
        let mut group = Vec::new();
        for order in waiting {
            match order {
                Order::Run(job) => group.push(job),
                Order::Close => open = false,
            }
            if !open || group.len() == GROUP_MAX {
                break;
            }
        }
        if !group.is_empty() {
            groups.commits.fetch_add(1, Ordering::Relaxed);
            groups.jobs.fetch_add(group.len() as u64, Ordering::Relaxed);
            commit_group(connection, watch, group);
        }
    }
}

/// Runs each job in a savepoint of one transaction; their answers are sent after its commit.
fn commit_group(connection: &Connection, watch: Option<&Watch>, mut group: Vec<Box<dyn Job>>) {
    let outcomes = run_group(connection, watch, &mut group);
    // Whatever went wrong above, the next group starts with a clean connection.
    if !connection.is_autocommit()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "a failed transaction was not rolled back");
    }
    match outcomes {
        Ok(()) => {
            for job in group {
                job.finish(Ok(()));
            }
        }
        Err(fault) => {
            let cause = fault.to_string();
            tracing::error!(cause, "a transaction failed");
            for job in group {
                job.finish(Err(Fault::Unavailable(cause.clone())));
            }
        }
    }
}

fn run_group(
    connection: &Connection,
    watch: Option<&Watch>,
    group: &mut [Box<dyn Job>],
) -> Result<(), Fault> {
    if let Some(watch) = watch {
        watch.is_in_place()?;
    }
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    run_jobs(connection, group)?;
    let Some(watch) = watch else {
        connection.prepare_cached("COMMIT")?.execute([])?;
        return Ok(());
    };
    let generation = Generation::advance(connection)?;
    connection.prepare_cached("COMMIT")?.execute([])?;
    watch.note(generation);
    Ok(())
}

/// A job that fails takes back what it did. A job alone needs no savepoint for that.
fn run_jobs(connection: &Connection, group: &mut [Box<dyn Job>]) -> Result<(), Fault> {
    let run = |job: &mut Box<dyn Job>| job.run(&mut sql::Tx::Sqlite(Tx(connection)));
    if let [job] = group {
        if !run(job) {
            connection.prepare_cached("ROLLBACK")?.execute([])?;
            connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        }
        return Ok(());
    }
    for job in group {
        connection.prepare_cached("SAVEPOINT job")?.execute([])?;
        if !run(job) {
            // Fails if SQLite has already rolled back the whole transaction (full disk): then no job is acknowledged.
            connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
        }
        connection.prepare_cached("RELEASE job")?.execute([])?;
    }
    Ok(())
}
