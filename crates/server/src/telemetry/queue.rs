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
    while let Ok(line) = waiting.recv()
        && !line.is_empty()
    {
        let _ = out.write_all(&line);
        let number = dropped.swap(0, Ordering::Relaxed);
        if number > 0 {
            tracing::warn!(number, "lines of the log were dropped: nobody read them in time");
        }
    }
    let _ = out.flush();
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
    struct Pipe(Arc<(Mutex<Gate>, Condvar)>);

    /// Whether it is open, and what was read.
    type Gate = (bool, Vec<u8>);

    impl Pipe {
        fn open(&self) {
            self.0.0.lock().unwrap().0 = true;
            self.0.1.notify_all();
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.0.lock().unwrap().1.clone()).unwrap()
        }
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut state = self.0.1.wait_while(self.0.0.lock().unwrap(), |state| !state.0).unwrap();
            state.1.extend_from_slice(bytes);
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
        for number in 0..5000 {
            writeln!(queue.make_writer(), "line {number}").unwrap();
        }
        let lost = queue.dropped.load(Ordering::Relaxed);
        assert!((5000 - 1 - LINES_MAX as u64..=5000 - LINES_MAX as u64).contains(&lost), "{lost}");
        pipe.open();
        while !pipe.text().contains("line 1000") {
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
