//! What an operator's command asks a server through the public URL: a nonce with the time and a keyed hash, which is
//! answered once.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;

use super::root::{Purpose, RootKeys};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// How long a question may take to arrive, and how much the clocks may differ.
const LIFETIME: Duration = Duration::from_mins(1);
/// Questions that are remembered, so that each is answered once. Only whoever has the secret key makes any.
const REMEMBERED_MAX: usize = 64;
/// 16 random octets, 8 of the time, 16 of the keyed hash.
const OCTETS: usize = 40;

type Nonce = [u8; 16];

/// The questions that were answered and could be asked again. Memory is allocated with the first.
#[derive(Debug, Default)]
pub(crate) struct Answered(Mutex<Vec<(Nonce, Timestamp)>>);

impl Answered {
    /// Whether it is the first time, and it can be remembered.
    fn is_first(&self, nonce: Nonce, now: Timestamp) -> bool {
        let mut answered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of a clock that was ahead, too.
        answered.retain(|(_, at)| now.since(*at) <= 2 * LIFETIME);
        let is_first = answered.len() < REMEMBERED_MAX && answered.iter().all(|(known, _)| *known != nonce);
        if is_first {
            answered.push((nonce, now));
        }
        is_first
    }
}

/// A new question.
pub(crate) fn question(root: &RootKeys, nonce: Nonce, now: Timestamp) -> Secret {
    let now = now.as_millis().to_be_bytes();
    let seal = root.short_mac(Purpose::DoctorQuestion, &[&nonce, &now]);
    Secret::from(BASE64URL_NOPAD.encode(&[nonce.as_slice(), &now, &seal].concat()))
}

/// The answer to a question of ours that is not too old and was not answered before.
pub(crate) fn answer(root: &RootKeys, question: &str, answered: &Answered, now: Timestamp) -> Option<Secret> {
    let octets = BASE64URL_NOPAD.decode(question.as_bytes()).ok().filter(|it| it.len() == OCTETS)?;
    let (nonce, rest) = octets.split_first_chunk::<16>()?;
    let (asked_at, seal) = rest.split_first_chunk::<8>()?;
    if !root.is_short_mac(Purpose::DoctorQuestion, &[nonce, asked_at], seal) {
        return None;
    }
    let asked_at = Timestamp::from_millis(i64::from_be_bytes(*asked_at));
    let is_fresh = now.since(asked_at) <= LIFETIME && asked_at.since(now) <= LIFETIME;
    (is_fresh && answered.is_first(*nonce, now))
        .then(|| Secret::from(BASE64URL_NOPAD.encode(&root.short_mac(Purpose::DoctorAnswer, &[nonce]))))
}

/// Whether this is the answer to the question.
pub(crate) fn is_answer(root: &RootKeys, question: &Secret, answer: &str) -> bool {
    let decoded = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
    let (Some(question), Some(answer)) = (decoded(question.expose()), decoded(answer)) else { return false };
    let Some(nonce) = question.first_chunk::<16>() else { return false };
    root.is_short_mac(Purpose::DoctorAnswer, &[nonce], &answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_answered_once_and_their_number_is_bounded() {
        let (answered, now) = (Answered::default(), Timestamp::from_millis(1_000_000));
        assert!(answered.is_first([0; 16], now));
        assert!(!answered.is_first([0; 16], now + LIFETIME));
        for number in 1..64 {
            assert!(answered.is_first([number; 16], now));
        }
        assert!(!answered.is_first([64; 16], now), "too many");
        assert!(answered.is_first([64; 16], now + 3 * LIFETIME));
    }
}
