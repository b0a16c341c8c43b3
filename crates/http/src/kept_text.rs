//! A text that is written again when what it is made of changes.

use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;

/// A text as it was last written, with what it was made of.
pub(crate) struct KeptText<S>(Mutex<Option<(S, Bytes)>>);

impl<S> Default for KeptText<S> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<S: PartialEq> KeptText<S> {
    /// The text that is made of these sources.
    pub(crate) fn of(&self, sources: S, write: impl FnOnce(&S) -> Vec<u8>) -> Bytes {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, text)) = &*kept
            && *of == sources
        {
            return text.clone();
        }
        let text = Bytes::from(write(&sources));
        *kept = Some((sources, text.clone()));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_once_for_its_sources() {
        let kept = KeptText::default();
        let mut written = 0;
        let mut of = |source: &'static str| {
            kept.of(source, |source| {
                written += 1;
                source.to_uppercase().into_bytes()
            })
        };
        assert_eq!([of("a"), of("a"), of("b"), of("a")], ["A", "A", "B", "A"]);
        assert_eq!(written, 3);
    }
}
