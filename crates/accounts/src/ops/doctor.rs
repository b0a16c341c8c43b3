//! What an operator's command asks a server through the public URL, to find out whether it is one of its own. Both have
//! the secret key; nobody else can ask, or answer.

use crate::accounts::Accounts;
use crate::domain::secret::Secret;
use crate::token::doctor::{answer, is_answer, question};

impl Accounts {
    /// A question that a server with the same secret key answers once, within a minute.
    pub fn doctor_question(&self) -> Secret {
        question(&self.0.root, self.0.settings.env.random(), self.0.now())
    }

    /// The answer to a [`doctor_question`](Self::doctor_question); `None` if it is none, too old, or answered before.
    pub fn answer_doctor(&self, question: &str) -> Option<Secret> {
        answer(&self.0.root, question, &self.0.doctor_answered, self.0.now())
    }

    /// Whether this is the answer to the question.
    pub fn is_doctor_answer(&self, question: &Secret, answer: &str) -> bool {
        is_answer(&self.0.root, question, answer)
    }
}
