//! The trace that a request belongs to (W3C Trace Context).

use axum::http::{HeaderMap, HeaderName};

/// Who asks, in the terms of distributed tracing: all that happens for one cause, and the caller's part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trace<'a> {
    pub(super) id: &'a str,
    pub(super) parent: &'a str,
}

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// `00-<32 digits>-<16 digits>-<2 digits>`
const LENGTH: usize = 55;

impl<'a> Trace<'a> {
    /// What the one `traceparent` says; `None` unless it is valid to the last character (§3.2.2). Later versions may say
    /// more after what is known of them (§3.2.4).
    pub(super) fn of(headers: &'a HeaderMap) -> Option<Self> {
        let mut given = headers.get_all(TRACEPARENT).iter();
        let (Some(text), None) = (given.next(), given.next()) else { return None };
        let (known, more) = text.to_str().ok()?.split_at_checked(LENGTH)?;
        let mut parts = known.split('-');
        let mut digits = |length| parts.next().filter(|part| part.len() == length && is_hex(part));
        let (version, id, parent, _flags) = (digits(2)?, digits(32)?, digits(16)?, digits(2)?);
        let ends = if version == "00" { more.is_empty() } else { more.is_empty() || more.starts_with('-') };
        let named = [id, parent].iter().all(|it| it.contains(|digit| digit != '0'));
        (ends && named && version != "ff").then_some(Self { id, parent })
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    /// What these headers say.
    fn trace(lines: &[&str]) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(TRACEPARENT, HeaderValue::from_str(line).expect("a header"));
        }
        Trace::of(&headers).map(|trace| (trace.id.to_owned(), trace.parent.to_owned()))
    }

    #[test]
    fn a_trace_is_read_from_its_standard_form() {
        let expected = Some((ID.to_owned(), PARENT.to_owned()));
        for good in [
            "00-ID-PARENT-01",
            "00-ID-PARENT-00",
            "cc-ID-PARENT-01",
            "cc-ID-PARENT-01-more",
            "fe-ID-PARENT-ff-",
        ] {
            let good = good.replace("ID", ID).replace("PARENT", PARENT);
            assert_eq!(trace(&[&good]), expected, "{good}");
        }
    }

    #[test]
    fn what_is_not_quite_a_trace_is_none() {
        let upper = ID.to_uppercase();
        for bad in [
            "",
            "00",
            "00-ID-PARENT",
            "00-ID-PARENT-1",
            "00-ID-PARENT-01-",
            "00-ID-PARENT-01-more",
            "00-ID-PARENT-0x",
            "00-ID-PARENT-01 ",
            "cc-ID-PARENT-01.more",
            "ff-ID-PARENT-01",
            "0-ID-PARENT-01",
            "00_ID_PARENT_01",
            "00-UPPER-PARENT-01",
            "00-00000000000000000000000000000000-PARENT-01",
            "00-ID-0000000000000000-01",
            "00-PARENT-ID-01",
            "00-ID-PARENT-01,00-ID-PARENT-01",
            "00-\u{e9}ID-PARENT-01",
        ] {
            let bad = bad.replace("UPPER", &upper).replace("ID", ID).replace("PARENT", PARENT);
            assert_eq!(trace(&[&bad]), None, "{bad}");
        }
        let good = format!("00-{ID}-{PARENT}-01");
        assert_eq!(trace(&[&good, &good]), None, "two of them");
        assert_eq!(trace(&[]), None);
    }
}
