//! What the part "Sign-in and security" of the account page shows.

use minijinja::{Value, context};
use serde_json::json;
use vestibule::{Passkey, WaysIn};

use crate::catalogue::Code;
use crate::pages::frame::visit::{Member, Visit};
use crate::problem::Problem;

/// What a member signs in with, as far as it counts here.
pub(crate) struct Ways {
    pub(crate) ways: WaysIn,
    with_passkeys: bool,
}

impl Ways {
    /// Of the user who is signed in.
    pub(crate) async fn of(member: &Member) -> Result<Self, Problem> {
        let Member { visit, who } = member;
        let ways = visit.accounts.ways_in(who).await?.ok_or(Problem::new(Code::InvalidToken))?;
        Ok(Self { ways, with_passkeys: visit.accounts.relying_party().is_some() })
    }

    /// Passkeys that can be used.
    pub(crate) fn has_passkey(&self) -> bool {
        self.with_passkeys && !self.ways.passkeys.is_empty()
    }

    pub(crate) fn has_authenticator(&self) -> bool {
        self.ways.authenticator_confirmed_at.is_some()
    }

    pub(crate) fn has_factor(&self) -> bool {
        self.has_authenticator() || self.has_passkey()
    }
}

impl Member {
    /// The values of the part, and whether the other parts must wait for a second factor.
    pub(super) async fn security(&self) -> Result<Value, Problem> {
        let Self { visit, who } = self;
        let of = Ways::of(self).await?;
        let step_up = Some(visit.accounts.policy().tokens.step_up);
        let has_factor = of.has_factor();
        let is_proven = visit.accounts.require_proof(who, step_up, has_factor).is_ok();
        let has_passkey = of.has_passkey();
        Ok(context! {
            has_factor, has_passkey,
            password => of.ways.password,
            passkeys => of.ways.passkeys.iter().map(shown).collect::<Vec<_>>(),
            authenticator => of.ways.authenticator_confirmed_at.map(|at| at.to_string()),
            codes_left => of.ways.recovery_codes_left,
            required_by => of.ways.second_factor_required_by.map(|at| at.to_string()),
            is_locked => has_factor && !is_proven,
            // Right after a sign-in with the password a passkey can be added without another proof.
            is_offered => of.with_passkeys && of.ways.passkeys.is_empty() && is_proven && who.proven.password_at.is_some(),
            accepted => accepted(self).await?,
            ..verify_links(visit)
        })
    }
}

/// The pages that lead back to parts of the account, after a proof.
fn verify_links(visit: &Visit) -> Value {
    let back = |part: &str| visit.site.base.on_host(&format!("/account#{part}"));
    context! { back => context! { email => back("email"), password => back("password"), delete => back("delete") } }
}

fn shown(passkey: &Passkey) -> Value {
    context! {
        id => passkey.id.to_string(),
        name => passkey.name.as_str(),
        created_at => passkey.created_at.to_string(),
        last_used_at => passkey.last_used_at.map(|at| at.to_string()),
        backed_up => passkey.backed_up,
    }
}

/// For `PublicKeyCredential.signalAllAcceptedCredentials`, so that browsers stop offering what was removed.
async fn accepted(member: &Member) -> Result<Option<String>, Problem> {
    let Member { visit, who } = member;
    let Some(party) = visit.accounts.relying_party() else { return Ok(None) };
    let found = visit.accounts.accepted_credentials(who).await?;
    Ok(found.map(|(user, ids)| {
        json!({ "rpId": party.id, "userId": user, "allAcceptedCredentialIds": ids }).to_string()
    }))
}
