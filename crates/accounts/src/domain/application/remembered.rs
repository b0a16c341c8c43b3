//! What is remembered of all applications for a few seconds: it is asked for often, and by everybody.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use crate::domain::application::redirect_uri::RedirectUri;
use crate::domain::application::registered::Application;
use crate::domain::time::Timestamp;

/// How old what is known of them may be: browsers ask often, and registrations rarely change.
const AGE_MAX: Duration = Duration::from_secs(5);

/// The applications as they were read last.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    origins: HashSet<String>,
    /// The names of their claims.
    pub(crate) claims: BTreeSet<String>,
    /// When they were read, or were to be read; `None`: not yet.
    read_at: Option<Timestamp>,
}

impl Remembered {
    /// Whether they are to be read again; the next caller is told that somebody does.
    pub(crate) fn are_due(&mut self, now: Timestamp) -> bool {
        let due = self.read_at.is_none_or(|at| now < at || now.since(at) >= AGE_MAX);
        if due {
            self.read_at = Some(now);
        }
        due
    }

    /// They were read.
    pub(crate) fn become_known(&mut self, all: &[Application]) {
        let origins = all.iter().flat_map(|application| &application.redirect_uris);
        self.origins = origins.filter_map(RedirectUri::origin).collect();
        let claims = all.iter().flat_map(|application| application.claims.all());
        self.claims = claims.map(|claim| claim.name().to_owned()).collect();
    }

    /// Whether this is the origin of one of them.
    pub(crate) fn has_origin(&self, origin: &str) -> bool {
        self.origins.contains(origin)
    }
}
