//! Many connections that send requests one after the other, in one thread, so that the server keeps the rest of the
//! machine.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Result;

/// What an impatient client waits when the server says that it has too much to do.
const AFTER_A_REFUSAL: Duration = Duration::from_millis(250);

/// What to send.
#[derive(Deserialize)]
struct Spec {
    address: SocketAddr,
    connections: usize,
    seconds: f64,
    /// Request line and headers, each with its end of line; the length of the body is added. One for each connection, in
    /// turn.
    heads: Vec<String>,
    /// Taken in turn. A request without a body has one empty body.
    bodies: Vec<String>,
    /// Whether each body is sent once. The load ends when none is left.
    #[serde(default)]
    once: bool,
    /// A member of the answer whose value takes the place of the value in the connection's own next body.
    chain: Option<String>,
    /// Each connection sends a request at these intervals, and its time counts from when it was due. Without: at once
    /// after the answer.
    every_micros: Option<u64>,
}

/// What came of it.
#[derive(Serialize)]
struct Outcome {
    statuses: BTreeMap<u16, u64>,
    /// Connections that broke.
    errors: u64,
    seconds: f64,
    p50_micros: u64,
    p99_micros: u64,
    max_micros: u64,
}

/// One connection's answers.
#[derive(Default)]
struct Part {
    statuses: BTreeMap<u16, u64>,
    micros: Vec<u64>,
    error: Option<String>,
}

/// Sends it all; the outcome as JSON.
pub(crate) fn run(spec: &str) -> Result<String> {
    let spec: Spec = serde_json::from_str(spec).map_err(|e| format!("what to send: {e}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| format!("no runtime: {e}"))?;
    let spec: &'static Spec = Box::leak(Box::new(spec));
    let outcome = runtime.block_on(all(spec));
    serde_json::to_string(&outcome).map_err(|e| format!("the outcome: {e}"))
}

async fn all(spec: &'static Spec) -> Outcome {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let start = Instant::now();
    let tasks: Vec<_> =
        (0..spec.connections).map(|index| tokio::spawn(connection(spec, index, &NEXT, start))).collect();
    let mut sum = Part::default();
    let mut errors = 0;
    for task in tasks {
        let part = task.await.unwrap_or_default();
        sum.micros.extend(part.micros);
        part.statuses
            .into_iter()
            .for_each(|(status, number)| *sum.statuses.entry(status).or_default() += number);
        if let Some(error) = part.error {
            errors += 1;
            eprintln!("a connection broke: {error}");
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    sum.micros.sort_unstable();
    let [p50_micros, p99_micros, max_micros] = [50, 99, 100].map(|percent| percentile(&sum.micros, percent));
    Outcome { statuses: sum.statuses, errors, seconds, p50_micros, p99_micros, max_micros }
}

/// The value that `percent` of the sorted values do not exceed.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

async fn connection(spec: &Spec, index: usize, next: &AtomicUsize, start: Instant) -> Part {
    let mut part = Part::default();
    if let Err(error) = exchange(spec, index, next, start, &mut part).await {
        part.error = Some(error.to_string());
    }
    part
}

async fn exchange(
    spec: &Spec,
    index: usize,
    next: &AtomicUsize,
    start: Instant,
    part: &mut Part,
) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(spec.address).await?;
    stream.set_nodelay(true)?;
    let length = Duration::from_secs_f64(spec.seconds);
    let mut own = spec.bodies[index % spec.bodies.len()].clone();
    let (mut request, mut answer) = (String::new(), Vec::new());
    // Spread over the interval, so that they do not all come at once.
    let interval = spec.every_micros.map(Duration::from_micros);
    let mut due =
        start + interval.map_or(Duration::ZERO, |every| every.mul_f64(share(index, spec.connections)));
    // Once at least: on a busy machine it may have taken all the time to connect.
    let mut is_first = true;
    while std::mem::take(&mut is_first) || start.elapsed() < length {
        if spec.chain.is_none() {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            if spec.once && turn >= spec.bodies.len() {
                break;
            }
            own.clone_from(&spec.bodies[turn % spec.bodies.len()]);
        }
        let begun = match interval {
            None => Instant::now(),
            Some(every) => {
                let late = Instant::now() >= due;
                tokio::time::sleep_until(due.into()).await;
                // Timers are exact to a millisecond or two, which no server has to answer for.
                let begun = if late { due } else { Instant::now() };
                due += every;
                begun
            }
        };
        write(&mut request, &spec.heads[index % spec.heads.len()], &own);
        stream.write_all(request.as_bytes()).await?;
        let (status, body) = read(&mut stream, &mut answer).await?;
        part.micros.push(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX));
        *part.statuses.entry(status).or_default() += 1;
        if status == 503 {
            tokio::time::sleep(AFTER_A_REFUSAL).await;
        }
        if let Some(member) = &spec.chain {
            let found = member_of(&answer[body..], member).zip(member_of(own.as_bytes(), member));
            // A refusal has none: the next request repeats this one.
            if let Some((new, old)) = found {
                own = own.replace(&old, &new);
            }
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "there are few connections")]
fn share(index: usize, all: usize) -> f64 {
    index as f64 / all as f64
}

fn write(request: &mut String, head: &str, body: &str) {
    request.clear();
    request.push_str(head);
    if !body.is_empty() {
        request.push_str("content-length: ");
        request.push_str(&body.len().to_string());
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request.push_str(body);
}

/// The status of the answer, and where its body begins in `answer`.
async fn read(stream: &mut TcpStream, answer: &mut Vec<u8>) -> std::io::Result<(u16, usize)> {
    answer.clear();
    loop {
        if stream.read_buf(answer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&answer[..end]);
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.ok_or_else(|| std::io::Error::other("not an HTTP answer"))?;
        let length = head.lines().filter_map(|line| line.split_once(':'));
        let mut length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length: usize = length.find_map(|(_, value)| value.trim().parse().ok()).unwrap_or_default();
        let body = end + 4;
        while answer.len() < body + length {
            if stream.read_buf(answer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        return Ok((status, body));
    }
}

/// The text value of a member, as JSON or in a form; it has no escapes.
fn member_of(body: &[u8], member: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let quoted = format!("\"{member}\":\"");
    let form = format!("{member}=");
    let value = text
        .split_once(&quoted)
        .map(|(_, rest)| rest)
        .or_else(|| text.split_once(&form).map(|(_, rest)| rest));
    value.and_then(|rest| rest.split(['"', '&']).next()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_in_json_and_in_a_form() {
        assert_eq!(member_of(br#"{"a":"1","token":"x_y"}"#, "token").as_deref(), Some("x_y"));
        assert_eq!(member_of(b"grant_type=refresh&token=x_y&b=2", "token").as_deref(), Some("x_y"));
        assert_eq!(member_of(b"{}", "token"), None);
    }

    #[test]
    fn a_request_says_how_long_its_body_is() {
        let mut request = "what was before".to_owned();
        write(&mut request, "POST / HTTP/1.1\r\n", "abc");
        assert_eq!(request, "POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc");
        write(&mut request, "GET / HTTP/1.1\r\n", "");
        assert_eq!(request, "GET / HTTP/1.1\r\n\r\n");
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sorted: Vec<u64> = (1..=200).collect();
        assert_eq!([50, 99, 100].map(|percent| percentile(&sorted, percent)), [100, 198, 200]);
        assert_eq!(percentile(&[], 99), 0);
    }
}
