//! Texts that are the same for everybody, compressed once.
//!
//! Only these are compressed: a page with a form contains the secret of its form and often what was typed, and the length of such a
//! text, compressed, would tell a stranger who can make the browser ask for it how much of the secret they have guessed (BREACH).

use std::io::Write as _;
use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Octets below which compression saves no packet.
const WORTH_IT: usize = 1024;

/// A text that is public and does not depend on its request.
pub(crate) struct PublicText {
    plain: Bytes,
    /// Made for the first browser that takes it; none if it would be no shorter.
    gzip: OnceLock<Option<Bytes>>,
}

impl PublicText {
    pub(crate) fn new(plain: impl Into<Bytes>) -> Self {
        Self { plain: plain.into(), gzip: OnceLock::new() }
    }

    /// The text, in the coding that the client takes (RFC 9110 §12.5.3).
    pub(crate) fn answer(&self, asked: &HeaderMap) -> Response {
        let gzip = self.gzip.get_or_init(|| compressed(&self.plain));
        let mut response = match gzip.as_ref().filter(|_| takes_gzip(asked)) {
            Some(bytes) => {
                ([(CONTENT_ENCODING, HeaderValue::from_static("gzip"))], bytes.clone()).into_response()
            }
            None => self.plain.clone().into_response(),
        };
        if gzip.is_some() {
            response.headers_mut().insert(VARY, HeaderValue::from(ACCEPT_ENCODING));
        }
        response
    }
}

fn compressed(plain: &Bytes) -> Option<Bytes> {
    if plain.len() < WORTH_IT {
        return None;
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 2), Compression::best());
    encoder.write_all(plain).ok()?;
    let bytes = encoder.finish().ok()?;
    (bytes.len() < plain.len()).then(|| bytes.into())
}

/// Whether `Accept-Encoding` names gzip, and not to refuse it.
fn takes_gzip(asked: &HeaderMap) -> bool {
    let lines = asked.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let mut codings = lines.flat_map(|line| line.split(',')).map(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let quality = quality.trim().strip_prefix("q=").and_then(|number| number.parse::<f32>().ok());
        (name.trim(), quality.is_some_and(|quality| quality > 0.0))
    });
    codings.any(|(name, wanted)| wanted && name.eq_ignore_ascii_case("gzip"))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn asks(encoding: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        headers
    }

    #[tokio::test]
    async fn a_browser_that_takes_gzip_gets_it() {
        let text = "the same for everybody, ".repeat(100);
        let public = PublicText::new(text.clone());
        for (encoding, is_gzip) in [
            ("gzip, deflate, br", true),
            ("br;q=1, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("br", false),
            ("", false),
        ] {
            let answer = public.answer(&asks(encoding));
            assert_eq!(answer.headers().contains_key(CONTENT_ENCODING), is_gzip, "{encoding}");
            assert_eq!(answer.headers().get(VARY).map(HeaderValue::as_bytes), Some(&b"accept-encoding"[..]));
            let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
            let mut read = String::new();
            if is_gzip {
                flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut read).expect("gzip");
                assert!(body.len() < text.len() / 10);
            } else {
                read = String::from_utf8(body.to_vec()).expect("text");
            }
            assert_eq!(read, text);
        }
    }

    #[test]
    fn what_is_short_stays_as_it_is() {
        let answer = PublicText::new("short").answer(&asks("gzip"));
        assert!(!answer.headers().contains_key(CONTENT_ENCODING) && !answer.headers().contains_key(VARY));
    }
}
