//! Light or dark: as the reader's system has it, or as the reader has chosen here. The choice is a link or a button like
//! that of a language, and the browser's cookie keeps it.

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use minijinja::{Value, context};

use crate::extract::cookies::{Cookie, Cookies, REMEMBERED};
use crate::pages::frame::query::query;

/// A look of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the system has it.
    System,
    Light,
    Dark,
}

impl Theme {
    const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }

    /// The theme requested in the address.
    pub(crate) fn asked(uri: &Uri) -> Option<Self> {
        query(uri).take("theme").and_then(|name| Self::of_name(&name))
    }
}

/// The theme of one request.
#[derive(Clone, Copy)]
pub(crate) struct ThemeChoice {
    theme: Theme,
    asked: Option<Theme>,
}

impl ThemeChoice {
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap, cookies: Cookies) -> Self {
        let asked = Theme::asked(uri);
        let kept = || cookies.get(headers, Cookie::Theme).and_then(Theme::of_name);
        Self { theme: asked.or_else(kept).unwrap_or(Theme::System), asked }
    }

    /// Whether this request asks for a theme.
    pub(crate) fn is_asked(self) -> bool {
        self.asked.is_some()
    }

    /// The chosen theme; none if the system decides.
    pub(crate) fn name(self) -> Option<&'static str> {
        (self.theme != Theme::System).then(|| self.theme.name())
    }

    /// Each theme, with its link.
    pub(crate) fn offered(self, link: impl Fn(&str) -> Option<String>) -> Vec<Value> {
        let one = |theme: Theme| {
            let current = theme == self.theme;
            context! { name => theme.name(), current, href => link(theme.name()) }
        };
        Theme::ALL.map(one).into()
    }

    /// Makes the browser remember a requested theme.
    pub(crate) fn note(self, response: &mut Response, cookies: Cookies) {
        let line = match self.asked {
            Some(Theme::System) => cookies.clear(Cookie::Theme),
            Some(theme) => cookies.set(Cookie::Theme, theme.name(), Some(REMEMBERED)),
            None => return,
        };
        response.headers_mut().append(SET_COOKIE, line);
    }
}
