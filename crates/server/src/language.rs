//! The form of a language tag.

/// As the API accepts it (RFC 5646 §2.1).
pub(crate) fn language(text: &str) -> Result<String, &'static str> {
    let subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let first = text.split('-').next().unwrap_or_default();
    let is_tag = text.len() <= 35
        && first.len() >= 2
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && text.split('-').all(subtag);
    if is_tag { Ok(text.to_owned()) } else { Err("not a language tag such as `en` or `pt-BR`") }
}
