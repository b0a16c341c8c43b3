//! The operator's terms, which whoever gets an account may have to accept.

use crate::domain::time::Timestamp;

/// Whether people who get an account, by a sign-up or an invitation, are asked to accept the operator's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermsConsent {
    /// They are not.
    Off,
    /// A line above the button says that using it accepts them.
    Line,
    /// A checkbox asks them, and nobody gets an account who does not tick it.
    Checkbox,
}

impl TermsConsent {
    /// Whether somebody who says this to the terms may get an account.
    ///
    /// # Errors
    /// [`TermsNotAccepted`], where nobody gets one without accepting them.
    pub fn check(self, terms: Terms) -> Result<(), TermsNotAccepted> {
        match (self, terms) {
            (Self::Checkbox, Terms::Unanswered) => Err(TermsNotAccepted),
            _ => Ok(()),
        }
    }

    /// When the terms count as accepted by somebody who gets an account now.
    pub(crate) fn accepted_at(
        self,
        terms: Terms,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, TermsNotAccepted> {
        self.check(terms)?;
        Ok((terms == Terms::Accepted).then_some(now))
    }
}

/// What somebody who gets an account says to the operator's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// They accept them.
    Accepted,
    /// Nothing: they were not asked, or did not answer.
    Unanswered,
}

impl From<bool> for Terms {
    fn from(accepted: bool) -> Self {
        if accepted { Self::Accepted } else { Self::Unanswered }
    }
}

/// The operator's terms must be accepted ([`TermsConsent::Checkbox`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the terms must be accepted")]
pub struct TermsNotAccepted;
