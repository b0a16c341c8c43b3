//! The pieces that passwords are cut into.

/// The kind of a piece of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A word or a name.
    Word,
    /// A common password.
    Password,
    /// The person's own names, or the service's.
    Own,
    /// Adjacent keys.
    Keys,
    /// `abcd`, `8642`.
    Sequence,
    /// The same part repeated.
    Repeat,
    /// A day or a year.
    Date,
    /// None of these.
    Random,
}

impl Kind {
    /// Advice to show when the longest piece of a weak password is of this kind.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Word => "it is little more than a common word or name",
            Self::Password => "it is like a password that many people have",
            Self::Own => "it is made of your own names or of this service's",
            Self::Keys => "its keys lie beside each other on a keyboard",
            Self::Sequence => "it goes on like `abc` or `6543`",
            Self::Repeat => "it repeats itself",
            Self::Date => "dates and years are tried early",
            Self::Random => "use several unrelated words",
        }
    }
}

/// A part of the password, and how many guesses it costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) start: usize,
    /// The index after the last character.
    pub(super) end: usize,
    pub(super) guesses: f64,
    pub(super) kind: Kind,
}

/// The number of ways to choose `some` of these, at least one and no more than half.
pub(super) fn variations(some: usize, others: usize) -> f64 {
    let mut ways = 1.0;
    let mut sum = 0.0;
    for chosen in 1..=some.min(others) {
        ways *= as_f64(some + others + 1 - chosen) / as_f64(chosen);
        sum += ways;
    }
    sum
}

pub(super) fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
