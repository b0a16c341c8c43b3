//! The reader's language and theme, and the links to the others. A choice belongs to the browser: it takes precedence over the
//! account's language, and that over what the browser prefers.

use axum::http::header::{CONTENT_LANGUAGE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::response::Response;
use minijinja::{Value, context};

use super::Language;
use crate::extract::cookies::{Cookie, Cookies, REMEMBERED};
use crate::pages::frame::look::theme::ThemeChoice;
use crate::pages::frame::query::query;

/// The longest query that links to other languages repeat.
const QUERY_MAX: usize = 2048;

/// The language of one request.
#[derive(Clone)]
pub(crate) struct LanguageChoice {
    language: Language,
    /// Requested in the address of this request.
    asked: Option<Language>,
    /// Whether the browser has chosen a language, now or before.
    chosen: bool,
    theme: ThemeChoice,
    /// The query to repeat in links to other languages; `None` unless the page is shown by GET.
    here: Option<Vec<(String, String)>>,
}

impl LanguageChoice {
    pub(crate) fn of(method: &Method, uri: &Uri, headers: &HeaderMap, cookies: Cookies) -> Self {
        let asked = Language::asked(uri);
        let chosen = asked.or_else(|| Language::of_tag(cookies.get(headers, Cookie::Language)?));
        let shown = matches!(*method, Method::GET | Method::HEAD);
        let short = uri.query().is_none_or(|query| query.len() <= QUERY_MAX);
        Self {
            language: chosen.or_else(|| Language::accepted(headers)).unwrap_or(Language::En),
            asked,
            chosen: chosen.is_some(),
            theme: ThemeChoice::of(uri, headers, cookies),
            here: (shown && short).then(|| query(uri).0),
        }
    }

    pub(crate) fn language(&self) -> Language {
        self.language
    }

    /// Whether this request asks for a language or a theme.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.is_some() || self.theme.is_asked()
    }

    /// Makes the browser use the first of these languages that is spoken here until it is closed, unless it has chosen
    /// one.
    pub(crate) fn suggested(&self, tags: &str, cookies: Cookies) -> Option<HeaderValue> {
        let language = tags.split(' ').find_map(Language::of_tag).filter(|_| !self.chosen)?;
        Some(cookies.set(Cookie::Language, language.tag(), None))
    }

    /// Uses the account's language if the browser has not chosen one.
    pub(crate) fn of_account(&mut self, locale: Option<&str>) {
        if let (false, Some(own)) = (self.chosen, locale.and_then(Language::of_tag)) {
            self.language = own;
        }
    }

    /// Leaves a parameter out of the links to other languages.
    pub(crate) fn forget(&mut self, name: &str) {
        if let Some(query) = &mut self.here {
            query.retain(|(one, _)| one != name);
        }
    }

    /// Each language, with the link to this page in it if there is one. Pages with a form have buttons instead, which
    /// keep what was typed.
    fn offered(&self) -> Vec<Value> {
        let one = |language: Language| {
            let href = self.here.as_ref().map(|query| link(query, ("lang", language.tag())));
            context! {
                tag => language.tag(), name => language.name(), dir => language.direction(), href,
                current => language == self.language,
            }
        };
        Language::ALL.map(one).into()
    }

    /// For the templates: the languages and themes to choose from, and what is chosen.
    pub(crate) fn values(&self) -> Value {
        let link = |theme: &str| self.here.as_ref().map(|query| link(query, ("theme", theme)));
        context! { languages => self.offered(), theme => self.theme.name(), themes => self.theme.offered(link) }
    }

    /// Declares the language, and makes the browser remember what was requested.
    pub(crate) fn note(&self, response: &mut Response, cookies: Cookies) {
        let headers = response.headers_mut();
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(self.language.tag()));
        if let Some(language) = self.asked {
            headers.append(SET_COOKIE, remembered(cookies, language));
        }
        self.theme.note(response, cookies);
    }
}

/// Makes the browser remember a language.
pub(crate) fn remembered(cookies: Cookies, language: Language) -> HeaderValue {
    cookies.set(Cookie::Language, language.tag(), Some(REMEMBERED))
}

/// The address of the current page with one thing changed. Only its query: a path may look like a host.
fn link(query: &[(String, String)], changed: (&str, &str)) -> String {
    let others = query.iter().filter(|(name, _)| !matches!(name.as_str(), "lang" | "theme"));
    let others = others.map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<(&str, &str)> = others.chain([changed]).collect();
    format!("?{}", serde_urlencoded::to_string(all).unwrap_or_default())
}
