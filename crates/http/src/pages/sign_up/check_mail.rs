//! `/check-mail`: where the browser that signed up waits. A decoy looks the same (S3): the operations ensure that, and
//! nothing here asks anything else.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use minijinja::{Value, context};
use serde_json::json;
use vestibule::{BrowserSession, Email, Fault, Secret, Timestamp, Waiting};

use super::{spelling, webmail};
use crate::app::App;
use crate::catalogue::Code;
use crate::extract::cookies::Cookie;
use crate::extract::fields;
use crate::pages::frame::page_form::PageForm;
use crate::pages::frame::query::query;
use crate::pages::frame::visit::{Visit, see_other, with_cookie};
use crate::problem::Problem;

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/check-mail", get(show).post(send_code))
        .route("/check-mail/resend", post(resend))
        .route("/check-mail/continue", post(go_on))
        .route("/check-mail/state", get(state))
}

/// Makes this browser wait for the sign-up of this proof, with a message on the page.
pub(crate) fn waits(visit: &Visit, proof: &Secret, expires_at: Timestamp, page: &str) -> Response {
    let lasts = expires_at.since(visit.accounts.now());
    let cookie = visit.site.cookies.set(Cookie::SignUp, proof.expose(), Some(lasts));
    let response = with_cookie(see_other(page), cookie);
    // A return to the same sign-up still leads to where that sign-up led.
    let went_on = visit.return_to.is_none() && visit.cookie(Cookie::SignUp) == Some(proof.expose());
    if went_on { response } else { with_cookie(response, visit.keep_return(lasts)) }
}

/// The page for this browser after another mail was requested, if it waits for a mail to this address.
pub(crate) async fn of_mail_to(visit: &Visit, email: &Email) -> Result<Option<&'static str>, Fault> {
    let Some(proof) = visit.cookie(Cookie::SignUp) else { return Ok(None) };
    Ok(match visit.accounts.waiting(proof).await? {
        Some(Waiting::Open { email: own, resend_after, .. }) if own == *email => {
            Some(asked_again(visit, resend_after))
        }
        _ => None,
    })
}

fn asked_again(visit: &Visit, resend_after: Timestamp) -> &'static str {
    let too_soon = resend_after > visit.accounts.now();
    if too_soon { "/check-mail?said=soon" } else { "/check-mail?said=sent" }
}

/// The browser that signed up, or has sent the password since, with its proof. Others are sent to sign up.
struct SignedUp {
    visit: Visit,
    proof: String,
    /// The message in the address about what has just happened.
    said: Option<String>,
}

impl FromRequestParts<App> for SignedUp {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let visit = Visit::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let said = query(&parts.uri).take("said");
        match visit.cookie(Cookie::SignUp).map(str::to_owned) {
            Some(proof) => Ok(Self { visit: visit.returning_as_kept(), proof, said }),
            None => Err(see_other("/signup")),
        }
    }
}

impl SignedUp {
    async fn state(&self) -> Result<Waiting, Fault> {
        Ok(self.visit.accounts.waiting(&self.proof).await?.unwrap_or(Waiting::Ended))
    }

    /// What the page shows about a state.
    fn values(&self, state: &Waiting) -> Value {
        let (language, policy) = (self.visit.language(), &self.visit.accounts.policy().confirm);
        let own = context! {
            said => self.said.as_deref(), code => policy.code, link => policy.link, digits => policy.code_digits,
            code_time => language.duration(policy.code_lifetime.as_secs()),
        };
        match state {
            Waiting::Open { email, mailed_at, resend_after, .. } => {
                let seconds = self.seconds_until(*resend_after);
                let lifetime = policy.code_lifetime;
                context! {
                    view => "open", email => email.as_str(), seconds, time => language.duration(seconds),
                    code_left => self.seconds_until(*mailed_at + lifetime), code_seconds => lifetime.as_secs(),
                    webmail => webmail::of(email).map(|(name, url)| context! { name, url }),
                    suggestion => spelling::suggestion(email),
                    delayed => self.visit.accounts.is_mail_down(), ..own
                }
            }
            Waiting::Confirmed { email } => context! { view => "confirmed", email => email.as_str(), ..own },
            Waiting::Ended => context! { view => "ended", ..own },
        }
    }

    /// Rounded up.
    fn seconds_until(&self, at: Timestamp) -> u64 {
        let wait = at.since(self.visit.accounts.now()).as_millis().div_ceil(1000);
        u64::try_from(wait).unwrap_or(0)
    }

    /// Signs in, or redirects to the sign-in if this browser can no longer be signed in.
    fn confirmed(&self, session: Option<&BrowserSession>) -> Response {
        let visit = &self.visit;
        match session {
            Some(session) => visit.sign_in(session, "/account"),
            None => with_cookie(visit.to_sign_in("active"), visit.site.cookies.clear(Cookie::SignUp)),
        }
    }
}

async fn show(signed_up: SignedUp) -> Result<Response, Problem> {
    let state = signed_up.state().await?;
    Ok(signed_up.visit.page(StatusCode::OK, "sign_up/check_mail.html", signed_up.values(&state)))
}

/// Confirms with the code of the mail. The password came with the sign-up.
async fn send_code(signed_up: SignedUp, form: PageForm) -> Result<Response, Problem> {
    let ask_user_name = form.typed("user_name").is_some();
    // A code that was checked is no longer useful.
    let typed = context! { typed_code => form.typed("code"), typed_name => form.typed("user_name") };
    match confirm(&signed_up, form).await {
        Ok(session) => Ok(signed_up.confirmed(session.as_ref())),
        Err(problem) => {
            let ask_user_name = ask_user_name || problem.code() == Code::UserNameTaken;
            let state = signed_up.state().await?;
            let typed = if problem.code() == Code::FormExpired {
                typed
            } else {
                context! {}
            };
            let values = context! { ..context! { ask_user_name, ..typed }, ..signed_up.values(&state) };
            signed_up.visit.refused(problem, "sign_up/check_mail.html", values)
        }
    }
}

async fn confirm(signed_up: &SignedUp, form: PageForm) -> Result<Option<BrowserSession>, Problem> {
    let mut form = form.accepted()?;
    let SignedUp { visit, proof, .. } = signed_up;
    let code = fields::code(&form.take("code").unwrap_or_default())?;
    let user_name = form.filled("user_name").map(|text| fields::user_name(&text)).transpose()?;
    let (held, client) = (visit.held(), &visit.client);
    Ok(visit.accounts.confirm_by_code_in_browser(proof, &code, user_name, held, client).await?)
}

async fn resend(signed_up: SignedUp, form: PageForm) -> Result<Response, Problem> {
    let state = signed_up.state().await?;
    if let Err(problem) = form.accepted() {
        return signed_up.visit.refused(problem, "sign_up/check_mail.html", signed_up.values(&state));
    }
    let Waiting::Open { email, resend_after, .. } = &state else { return Ok(see_other("/check-mail")) };
    let visit = &signed_up.visit;
    if let Err(error) = visit.accounts.resend(email, &visit.client).await {
        return visit.refused(error.into(), "sign_up/check_mail.html", signed_up.values(&state));
    }
    Ok(see_other(asked_again(visit, *resend_after)))
}

/// Continues after the confirmation on another device.
async fn go_on(signed_up: SignedUp, form: PageForm) -> Result<Response, Problem> {
    let (SignedUp { visit, proof, .. }, state) = (&signed_up, signed_up.state().await?);
    if let Err(problem) = form.accepted() {
        return visit.refused(problem, "sign_up/check_mail.html", signed_up.values(&state));
    }
    if !matches!(state, Waiting::Confirmed { .. }) {
        return Ok(see_other("/check-mail?said=waiting"));
    }
    let session = visit.accounts.continue_in_browser(proof, visit.held(), &visit.client).await?;
    Ok(signed_up.confirmed(session.as_ref()))
}

/// Polled by the script.
async fn state(signed_up: SignedUp) -> Result<Response, Problem> {
    let state = match signed_up.state().await? {
        Waiting::Open { .. } => "open",
        Waiting::Confirmed { .. } => "confirmed",
        Waiting::Ended => "ended",
    };
    let delayed = signed_up.visit.accounts.is_mail_down();
    Ok(Json(json!({ "state": state, "delayed": delayed })).into_response())
}
