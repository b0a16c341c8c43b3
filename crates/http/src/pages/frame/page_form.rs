//! The forms of our own pages, sent from our own pages (B2).

use axum::extract::{FromRef as _, FromRequest, Request};
use axum::http::{HeaderMap, header};
use vestibule::Accounts;

use super::i18n::Language;
use super::look::theme::Theme;
use crate::app::{App, Site};
use crate::base::origin_of;
use crate::catalogue::Code;
use crate::extract::cookies::Cookie;
use crate::extract::{Form, Pairs};
use crate::problem::Problem;

/// A form of a page, sent by this browser.
pub(crate) struct PageForm(Sent);

/// A form of a signed-in user's page, sent in this session.
pub(crate) struct MemberForm(Sent);

/// A form as sent, with the reasons not to act on it.
struct Sent {
    typed: Pairs,
    stale: bool,
}

impl Sent {
    fn accepted(self) -> Result<Pairs, Problem> {
        if self.stale { Err(Problem::new(Code::FormExpired)) } else { Ok(self.typed) }
    }
}

/// Both kinds of form: what was typed may always be shown again; acting on it needs a check first.
macro_rules! form_of {
    ($form:ident, $holder:expr) => {
        impl $form {
            /// The text typed into a field, to show it again.
            pub(crate) fn typed(&self, name: &str) -> Option<&str> {
                self.0.typed.value(name)
            }

            /// The fields, to act on them.
            ///
            /// # Errors
            /// 403 `form_expired` if the form was not shown here, or not recently, or if only another language or theme
            /// of its page is requested: then do nothing but show the form again with what was typed.
            pub(crate) fn accepted(self) -> Result<Pairs, Problem> {
                self.0.accepted()
            }
        }

        impl FromRequest<App> for $form {
            type Rejection = Problem;

            async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
                read(request, app, $holder).await.map(Self)
            }
        }
    };
}

form_of!(PageForm, Cookie::Form);
form_of!(MemberForm, Cookie::Session);

/// Two checks: what the browser says about the sender, and a token that only a page shown to this browser contains.
async fn read(request: Request, app: &App, holder: Cookie) -> Result<Sent, Problem> {
    let accounts = Accounts::from_ref(app);
    let site = std::sync::Arc::<Site>::from_ref(app);
    let sender = Sender::of(request.headers(), accounts.public_url());
    if sender == Sender::Foreign {
        let detail = "The form was sent from another site. Open the page here and press its button.";
        return Err(Problem::new(Code::Forbidden).detail(detail));
    }
    let holder = site.cookies.get(request.headers(), holder).map(str::to_owned);
    let only_look = Language::asked(request.uri()).is_some() || Theme::asked(request.uri()).is_some();
    let Form(mut typed) = Form::from_request(request, app).await?;
    let token = typed.take("form_token").unwrap_or_default();
    let shown_here = holder.is_some_and(|holder| accounts.is_form_token(&holder, &token));
    // Another site, of which the browser says nothing, must not fill in our forms.
    let typed = if shown_here || sender == Sender::Own { typed.tidied() } else { Pairs::default() };
    Ok(Sent { typed, stale: only_look || !shown_here })
}

/// The page that sent a form, as far as the browser says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    Own,
    Foreign,
    Unknown,
}

impl Sender {
    /// `Sec-Fetch-Site` decides if a browser sends it, which it does over TLS and to the local machine. Otherwise
    /// `Origin` decides; `null` says nothing there, because our pages send it as well: they forbid referrers (Fetch,
    /// "`Origin` header").
    fn of(headers: &HeaderMap, public_url: &str) -> Self {
        let mut sites = headers.get_all("sec-fetch-site").iter().peekable();
        if sites.peek().is_some() {
            let own = sites.all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
            return if own { Self::Own } else { Self::Foreign };
        }
        let one = |origin: &[u8]| match origin {
            b"null" => Self::Unknown,
            _ if origin.eq_ignore_ascii_case(origin_of(public_url).as_bytes()) => Self::Own,
            _ => Self::Foreign,
        };
        let all = headers.get_all(header::ORIGIN).iter().map(|origin| one(origin.as_bytes()));
        all.reduce(|a, b| if a == b { a } else { Self::Foreign }).unwrap_or(Self::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn sender(sent: &[(&'static str, &'static str)]) -> Sender {
        let pairs =
            sent.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Sender::of(&pairs.collect(), "https://accounts.example.org/base")
    }

    // B2
    #[test]
    fn a_form_of_another_site_is_known_by_its_headers() {
        for sent in [
            &[("sec-fetch-site", "same-origin"), ("origin", "null")][..],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://accounts.example.org")],
        ] {
            assert_eq!(sender(sent), Sender::Own, "{sent:?}");
        }
        for sent in [&[][..], &[("origin", "null")]] {
            assert_eq!(sender(sent), Sender::Unknown, "{sent:?}");
        }
        for sent in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site"), ("origin", "https://accounts.example.org")],
            &[("sec-fetch-site", "cross-site"), ("origin", "null")],
            &[("sec-fetch-site", "")],
            &[("origin", "https://evil.example")],
            &[("origin", "http://accounts.example.org")],
            &[("origin", "https://accounts.example.org:8443")],
            &[("origin", "https://accounts.example.org.evil.example")],
            &[("origin", "")],
        ] {
            assert_eq!(sender(sent), Sender::Foreign, "{sent:?}");
        }
    }
}
