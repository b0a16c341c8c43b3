//! The timeouts of a connection: 5 s for the head of a request once it has begun, 60 s between two requests (H6). hyper
//! has one time limit for both, so its timer and its stream are wrapped to distinguish them.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Sleep, Timer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::stall::{Stall, Stopping};

/// For the head of a request, from its first byte; and for the first byte of a connection.
pub(crate) const HEAD: Duration = Duration::from_secs(5);
/// Between two requests.
const IDLE: Duration = Duration::from_mins(1);

/// When the first byte arrived since the wait for a request began.
#[derive(Clone, Debug, Default)]
struct FirstByte(Arc<Mutex<Option<Instant>>>);

impl FirstByte {
    fn set(&self, value: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }

    fn get(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wraps a stream, and creates the timer for the heads of its requests.
pub(crate) fn watched<S>(stream: S, stopping: &Stopping) -> (Watched<S>, HeadTimer) {
    let first_byte = FirstByte::default();
    (
        Watched { stream, first_byte: first_byte.clone(), stall: Stall::new(stopping) },
        HeadTimer { first_byte, had_request: Arc::default() },
    )
}

/// Records when bytes arrive, and when none leave.
pub(crate) struct Watched<S> {
    stream: S,
    first_byte: FirstByte,
    stall: Stall,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before && self.first_byte.get().is_none() {
            self.first_byte.set(Some(Instant::now()));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.stall.bound(context, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.stall.bound(context, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(context);
        self.stall.bound(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.stall.bound(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// The timer of one connection. hyper starts it only when it begins to wait for the head of a request.
#[derive(Clone, Debug)]
pub(crate) struct HeadTimer {
    first_byte: FirstByte,
    had_request: Arc<AtomicBool>,
}

impl Timer for HeadTimer {
    fn sleep(&self, _: Duration) -> Pin<Box<dyn Sleep>> {
        // A client that has sent nothing yet is not between two requests: its first byte is due as soon as a whole
        // head.
        let is_idle = self.had_request.swap(true, Ordering::Relaxed);
        self.first_byte.set(None);
        let deadline = Instant::now() + if is_idle { IDLE } else { HEAD };
        let sleep = Box::pin(tokio::time::sleep_until(deadline));
        Box::pin(HeadSleep { first_byte: self.first_byte.clone(), is_idle, sleep })
    }

    fn sleep_until(&self, _: std::time::Instant) -> Pin<Box<dyn Sleep>> {
        self.sleep(HEAD)
    }
}

/// Completes when the head of a request is late.
struct HeadSleep {
    first_byte: FirstByte,
    is_idle: bool,
    sleep: Pin<Box<tokio::time::Sleep>>,
}

impl Future for HeadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if let Some(began) = self.first_byte.get().filter(|_| self.is_idle) {
            self.is_idle = false;
            self.sleep.as_mut().reset(began + HEAD);
        }
        self.sleep.as_mut().poll(context)
    }
}

impl Sleep for HeadSleep {}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    /// A connection served by hyper, and how long it lasts.
    fn serve() -> (DuplexStream, tokio::task::JoinHandle<Duration>) {
        serve_until(&Stopping::default(), "")
    }

    fn serve_until(
        stopping: &Stopping,
        body: &'static str,
    ) -> (DuplexStream, tokio::task::JoinHandle<Duration>) {
        let (near, far) = duplex(4096);
        let stopping = stopping.clone();
        let task = tokio::spawn(async move {
            let began = Instant::now();
            let (stream, timer) = watched(far, &stopping);
            let answer =
                |_| async { Ok::<_, std::convert::Infallible>(hyper::Response::new(body.to_owned())) };
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(timer)
                .header_read_timeout(HEAD)
                .serve_connection(hyper_util::rt::TokioIo::new(stream), hyper::service::service_fn(answer));
            let _ = connection.await;
            began.elapsed()
        });
        (near, task)
    }

    async fn answered(stream: &mut DuplexStream) {
        let mut bytes = [0; 512];
        let length = stream.read(&mut bytes).await.unwrap();
        assert!(bytes[..length].starts_with(b"HTTP/1.1 200"));
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_or_half_is_cut_off_after_5_s() {
        let (_silent, task) = serve();
        assert_eq!(task.await.unwrap().as_secs(), 5);
        let (mut stream, task) = serve();
        stream.write_all(b"GET / HT").await.unwrap();
        assert_eq!(task.await.unwrap().as_secs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_may_rest_60_s_between_requests() {
        let (mut stream, task) = serve();
        for _ in 0..3 {
            stream.write_all(REQUEST).await.unwrap();
            answered(&mut stream).await;
            tokio::time::advance(Duration::from_secs(50)).await;
        }
        stream.write_all(REQUEST).await.unwrap();
        answered(&mut stream).await;
        assert_eq!(task.await.unwrap().as_secs(), 3 * 50 + 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_head_must_not_trickle_either() {
        let (mut stream, task) = serve();
        stream.write_all(REQUEST).await.unwrap();
        answered(&mut stream).await;
        tokio::time::advance(Duration::from_secs(20)).await;
        for byte in REQUEST {
            if stream.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let lasted = task.await.unwrap().as_secs();
        assert!((25..=27).contains(&lasted), "{lasted} s");
    }

    static LONG: &str = include_str!("timeouts.rs");

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_of_an_answer_is_cut_off_after_30_s() {
        let (mut stream, task) = serve_until(&Stopping::default(), LONG);
        stream.write_all(REQUEST).await.unwrap();
        assert_eq!(task.await.unwrap().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_an_answer_slowly_gets_it() {
        let (mut stream, task) = serve_until(&Stopping::default(), LONG);
        stream.write_all(REQUEST).await.unwrap();
        let (mut taken, mut bytes) = (0, [0; 1024]);
        while taken < LONG.len() {
            tokio::time::advance(Duration::from_secs(20)).await;
            taken += stream.read(&mut bytes).await.unwrap();
        }
        assert!(task.await.unwrap().as_secs() > 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stops_waits_2_s_for_who_takes_nothing() {
        let stopping = Stopping::default();
        stopping.begin();
        let (mut stream, task) = serve_until(&stopping, LONG);
        stream.write_all(REQUEST).await.unwrap();
        assert_eq!(task.await.unwrap().as_secs(), 2);
    }
}
