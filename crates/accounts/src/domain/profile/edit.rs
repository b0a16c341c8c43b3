//! What becomes of a property that need not be there.

/// A change to an optional property.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is removed.
    Remove,
    /// It becomes this.
    Set(T),
}

impl<T> Edit<T> {
    /// What to store; `None`: what is stored stays.
    #[expect(clippy::option_option, reason = "kept, removed and set are three things")]
    pub(crate) fn to_store(&self) -> Option<Option<&T>> {
        match self {
            Self::Keep => None,
            Self::Remove => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}
