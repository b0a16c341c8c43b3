//! Log lines on their way to standard error, which may be a pipe without a reader. Logging never blocks: a thread
//! writes, the queue is bounded, and lines that do not fit are counted and reported.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

use crate::printable;

/// Lines in the queue at most.
const LINES_MAX: usize = 1024;
/// Octets of one line at most: longer ones are cut.
const LINE_MAX: usize = 16 * 1024;
/// Octets of one write, a line more or less.
const WRITE_MAX: usize = 64 * 1024;
/// How long a line may wait for others.
const GATHERING: Duration = Duration::from_millis(5);
/// How long to wait for the reader at the end.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The queue of lines.
#[derive(Clone)]
pub(super) struct Queue {
    lines: SyncSender<Vec<u8>>,
    dropped: Arc<AtomicU64>,
}

/// Writes the queued lines when it is dropped, unless nobody reads.
#[must_use = "lines that wait when it is dropped are written then"]
pub(crate) struct Written {
    end: SyncSender<Vec<u8>>,
    ended: Receiver<()>,
}

/// Starts the thread that writes to `out`.
pub(super) fn start(out: impl Write + Send + 'static) -> io::Result<(Queue, Written)> {
    let (lines, waiting) = mpsc::sync_channel(LINES_MAX);
    let (ending, ended) = mpsc::sync_channel(1);
    let dropped = Arc::<AtomicU64>::default();
    let queue = Queue { lines: lines.clone(), dropped: Arc::clone(&dropped) };
    std::thread::Builder::new().name("log".into()).spawn(move || {
        write(out, &waiting, &dropped);
        let _ = ending.send(());
    })?;
    Ok((queue, Written { end: lines, ended }))
}

/// Writes until an empty line comes. If the reader leaves, only lines are lost.
fn write(mut out: impl Write, waiting: &Receiver<Vec<u8>>, dropped: &AtomicU64) {
    let mut goes_on = true;
    while goes_on && let Ok(first) = waiting.recv() {
        goes_on = !first.is_empty();
        let mut text = first;
        if goes_on {
            gather();
            for line in waiting.try_iter() {
                goes_on = !line.is_empty();
                text.extend_from_slice(&line);
                if !goes_on || text.len() > WRITE_MAX {
                    break;
                }
            }
        }
        let _ = out.write_all(&text);
        let number = dropped.swap(0, Ordering::Relaxed);
        if number > 0 {
            tracing::warn!(number, "lines of the log were dropped: nobody read them in time");
        }
    }
    let _ = out.flush();
}

/// Lets lines gather, so that a busy server wakes this thread and writes once for many of them.
#[expect(
    clippy::disallowed_methods,
    reason = "no line is waited for: those that come meanwhile are written together"
)]
fn gather() {
    std::thread::sleep(GATHERING);
}

impl Drop for Written {
    fn drop(&mut self) {
        // A full queue means that nobody reads; a reader that is too slow is not waited for either.
        if self.end.try_send(Vec::new()).is_ok() {
            let _ = self.ended.recv_timeout(TIMEOUT);
        }
    }
}

impl<'a> MakeWriter<'a> for Queue {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { queue: self, text: Vec::new() }
    }
}

/// A line being written, which is queued when it is complete.
pub(super) struct Line<'a> {
    queue: &'a Queue,
    text: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let line = bounded(std::mem::take(&mut self.text));
        if !line.is_empty() && self.queue.lines.try_send(line).is_err() {
            self.queue.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The line with terminal control characters escaped, cut if it is too long. Cut JSON is invalid, but no line is that
/// long except by mistake.
fn bounded(mut line: Vec<u8>) -> Vec<u8> {
    if !line.is_ascii()
        && let Ok(text) = std::str::from_utf8(&line)
    {
        line = printable::logged(text).into_owned().into_bytes();
    }
    if line.len() > LINE_MAX {
        line.truncate(LINE_MAX);
        line.extend_from_slice("…\n".as_bytes());
    }
    line
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};

    use super::*;

    /// A pipe that is read only while its gate is open.
    #[derive(Clone, Default)]
    struct Pipe(Arc<(Mutex<State>, Condvar)>);

    #[derive(Default)]
    struct State {
        open: bool,
        somebody_writes: bool,
        read: Vec<u8>,
    }

    impl Pipe {
        fn open(&self) {
            self.0.0.lock().unwrap().open = true;
            self.0.1.notify_all();
        }

        fn wait_for_a_writer(&self) {
            drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |state| !state.somebody_writes).unwrap());
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.0.lock().unwrap().read.clone()).unwrap()
        }
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.0.lock().unwrap().somebody_writes = true;
            self.0.1.notify_all();
            let mut state = self.0.1.wait_while(self.0.0.lock().unwrap(), |state| !state.open).unwrap();
            state.read.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    // O2
    #[test]
    fn whoever_logs_never_waits_for_a_reader() {
        let pipe = Pipe::default();
        let (queue, written) = start(pipe.clone()).unwrap();
        writeln!(queue.make_writer(), "line 0").unwrap();
        pipe.wait_for_a_writer();
        for number in 1..=LINES_MAX + 100 {
            writeln!(queue.make_writer(), "line {number}").unwrap();
        }
        assert_eq!(queue.dropped.load(Ordering::Relaxed), 100);
        pipe.open();
        while !pipe.text().contains(&format!("line {LINES_MAX}\n")) {
            std::thread::yield_now();
        }
        writeln!(queue.make_writer(), "the last").unwrap();
        drop(written);
        let text = pipe.text();
        assert!(text.starts_with("line 0\nline 1\n") && text.ends_with("the last\n"), "{text}");
        assert_eq!(queue.dropped.load(Ordering::Relaxed), 0, "told of");
    }

    #[test]
    fn the_end_does_not_wait_for_ever() {
        let (queue, written) = start(Pipe::default()).unwrap();
        writeln!(queue.make_writer(), "nobody reads this").unwrap();
        drop(written);
    }

    #[test]
    fn a_line_is_bounded_and_not_obeyed() {
        assert_eq!(bounded(b"plain\n".to_vec()), b"plain\n");
        assert_eq!(bounded("a\u{9b}2J\n".into()), b"a\\u009b2J\n");
        assert_eq!(bounded(vec![b'x'; 1 << 20]).len(), LINE_MAX + "…\n".len());
    }
}
