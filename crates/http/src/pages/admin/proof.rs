//! What an administrator proves before a sensitive action: their own password in its form, or where they have a second factor,
//! that factor, on a page of its own.

use minijinja::{Value, context};
use vestibule::SignedIn;

use super::section::Admin;
use crate::catalogue::Code;
use crate::extract::fields;
use crate::pages::account::security::Ways;
use crate::problem::Problem;
use crate::problem::field_error::FieldError;

impl Admin {
    /// The administrator's own password, given in the form of a sensitive action; or a second factor that was given lately.
    pub(super) async fn prove(&self, given: Option<String>) -> Result<SignedIn, Problem> {
        let (at, visit) = ("/own_password", self.visit());
        if Ways::of(&self.0).await?.has_factor() {
            self.require_factor()?;
            return Ok(self.0.who.clone());
        }
        let given = given.filter(|given| !given.is_empty()).ok_or(FieldError::new(at, Code::Required))?;
        let given = fields::given_password(&given)?.possible_at(at)?;
        let proven = visit.accounts.reauthenticate(&self.0.who, &given, &visit.client).await;
        proven.map_err(|error| Problem::of_change(error, at))
    }

    fn require_factor(&self) -> Result<(), vestibule::StepUp> {
        let accounts = &self.visit().accounts;
        accounts.require_proof(&self.0.who, Some(accounts.policy().admin.reauthenticate_after), true)
    }

    /// Which proof the forms of a page ask for, and where it is given.
    pub(super) async fn proof(&self, page: &str) -> Result<Value, Problem> {
        let has_factor = Ways::of(&self.0).await?.has_factor();
        Ok(context! {
            by_password => !has_factor,
            is_missing => has_factor && self.require_factor().is_err(),
            back => self.visit().site.base.on_host(page),
        })
    }
}
