//! Waiting for other processes.

use std::io::{BufRead as _, BufReader, Read};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take; generous, because tests share their machine with compilers.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A stream's lines, read on a separate thread, so that the process never waits for its reader.
pub fn lines(stream: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    receiver
}

/// Asks repeatedly until there is an answer: other processes change in their own time.
///
/// # Panics
/// If there is none for a long time.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(answer) = ask() {
            return answer;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("not within {} s: {what}", PATIENCE.as_secs());
}
