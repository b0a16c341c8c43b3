//! `/oauth/logout`: applications send people here to sign out (OpenID Connect RP-Initiated Logout).

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use minijinja::context;
use vestibule::{SignOutParameters, SignOutWish, SignedIn};

use super::parameters::{QUERY_MAX, Sent};
use crate::app::App;
use crate::extract::FormText;
use crate::extract::cookies::Cookie;
use crate::pages::frame::content_policy::leading_to;
use crate::pages::frame::page_form::MemberForm;
use crate::pages::frame::visit::{Visit, see_other, with_cookie};
use crate::problem::Problem;

const PATH: &str = "/oauth/logout";

pub(super) fn routes() -> axum::Router<App> {
    axum::Router::new().route(PATH, get(show).post(receive)).route("/oauth/logout/confirm", post(confirm))
}

/// Signs out at once if the application has an ID token of this very sign-in; asks otherwise, as anybody can send people here.
async fn show(visit: Visit, uri: Uri) -> Result<Response, Problem> {
    let query = uri.query().unwrap_or_default();
    let sent = Sent::read(query.as_bytes()).or_else(|_| Sent::read(b""))?;
    let parameters = sent.sign_out();
    let asked = Asked::of(&parameters);
    let who = visit.who().await?;
    let wish = visit.accounts.check_sign_out(parameters, who.as_ref()).await?;
    match who {
        None => Ok(signed_out(&visit, &wish)),
        Some(who) if wish.is_own => ended(&visit, &who, &wish).await,
        Some(who) => Ok(ask(visit, who, &wish, &asked)),
    }
}

/// Brings a wish that came as a form into the address. Browsers send our cookies with that, and not with a form of another site
/// (`SameSite=Lax`).
async fn receive(FormText(body): FormText) -> Result<Response, Problem> {
    let sent = Sent::read(&body)?;
    let whole = sent.query();
    // The token only saves a question.
    let query = if whole.len() <= QUERY_MAX { whole } else { Asked::of(&sent.sign_out()).query() };
    Ok(see_other(&format!("{PATH}?{query}")))
}

/// Signs out, after the button.
async fn confirm(visit: Visit, form: MemberForm) -> Result<Response, Problem> {
    let asked = Asked::read(|name| form.typed(name).map(str::to_owned));
    let Some(who) = visit.who().await? else { return Ok(see_other(&asked.place())) };
    if form.accepted().is_err() {
        return Ok(see_other(&asked.place()));
    }
    let wish = visit.accounts.check_sign_out(asked.parameters(), None).await?;
    ended(&visit, &who, &wish).await
}

/// What of the wish is needed after the button: where to go.
struct Asked {
    client_id: Option<String>,
    post_logout_redirect_uri: Option<String>,
    state: Option<String>,
}

impl Asked {
    fn of(parameters: &SignOutParameters) -> Self {
        let SignOutParameters { client_id, post_logout_redirect_uri, state, .. } = parameters.clone();
        Self { client_id, post_logout_redirect_uri, state }
    }

    fn read(value: impl Fn(&str) -> Option<String>) -> Self {
        let filled = |name| value(name).filter(|value| !value.is_empty());
        Self {
            client_id: filled("client_id"),
            post_logout_redirect_uri: filled("post_logout_redirect_uri"),
            state: filled("state"),
        }
    }

    fn parameters(&self) -> SignOutParameters {
        SignOutParameters {
            id_token_hint: None,
            client_id: self.client_id.clone(),
            post_logout_redirect_uri: self.post_logout_redirect_uri.clone(),
            state: self.state.clone(),
        }
    }

    fn fields(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("client_id", &self.client_id),
            ("post_logout_redirect_uri", &self.post_logout_redirect_uri),
            ("state", &self.state),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))).collect()
    }

    fn query(&self) -> String {
        serde_urlencoded::to_string(self.fields()).unwrap_or_default()
    }

    fn place(&self) -> String {
        format!("{PATH}?{}", self.query())
    }
}

/// The page with the button.
fn ask(visit: Visit, who: SignedIn, wish: &SignOutWish, asked: &Asked) -> Response {
    let member = visit.of(who);
    let known = wish.application.as_ref();
    let client_id = known.map(|application| application.id.to_string());
    let asked = Asked { client_id, ..Asked::of(&asked.parameters()) };
    let fields = asked.fields().into_iter().map(|(name, value)| context! { name, value });
    let values = context! {
        application => known.map(|application| application.name.as_str()),
        email => member.who.account.email.as_str(),
        fields => fields.collect::<Vec<_>>(),
    };
    let policy = leading_to(wish.redirect.as_deref());
    member.visit.page_under(policy, StatusCode::OK, "oauth/sign_out.html", values)
}

/// Ends the session, and leads to where nobody is signed in.
async fn ended(visit: &Visit, who: &SignedIn, wish: &SignOutWish) -> Result<Response, Problem> {
    visit.accounts.sign_out(who, false, &visit.client).await?;
    let to = wish.redirect.as_deref().unwrap_or(PATH);
    Ok(with_cookie(see_other(to), visit.site.cookies.clear(Cookie::Session)))
}

/// Nobody is signed in: back to the application, or the page that says so.
fn signed_out(visit: &Visit, wish: &SignOutWish) -> Response {
    match &wish.redirect {
        Some(to) => see_other(to),
        None => visit.page(StatusCode::OK, "oauth/signed_out.html", context! {}),
    }
}
