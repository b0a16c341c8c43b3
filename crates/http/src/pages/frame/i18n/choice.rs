//! In which language somebody reads, and how a page offers the others. A choice belongs to the browser: it counts before
//! what the account says, and that before what the browser likes.

use std::time::Duration;

use axum::http::header::{CONTENT_LANGUAGE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::response::Response;
use minijinja::{Value, context};

use super::Language;
use crate::extract::cookies::{Cookie, Cookies};
use crate::pages::frame::query::query;

/// How long a browser remembers a language: what browsers keep at most.
const REMEMBERED: Duration = Duration::from_hours(400 * 24);
/// The longest query that links to other languages repeat.
const QUERY_MAX: usize = 2048;

/// The language of one request.
#[derive(Clone)]
pub(crate) struct LanguageChoice {
    language: Language,
    /// Asked for in the address of this request.
    asked: Option<Language>,
    /// Whether the browser has chosen, now or before.
    chosen: bool,
    /// The query to come back with in another language; only what is shown by GET has one.
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
            here: (shown && short).then(|| query(uri).0),
        }
    }

    pub(crate) fn language(&self) -> Language {
        self.language
    }

    /// Whether this request asks for a language.
    pub(crate) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// The language that the account is kept in, for a browser that has chosen none.
    pub(crate) fn of_account(&mut self, locale: Option<&str>) {
        if let (false, Some(own)) = (self.chosen, locale.and_then(Language::of_tag)) {
            self.language = own;
        }
    }

    /// The links to other languages do not repeat this parameter.
    pub(crate) fn forget(&mut self, name: &str) {
        if let Some(query) = &mut self.here {
            query.retain(|(one, _)| one != name);
        }
    }

    /// Each language, and the link to this page in it where it has one. What was typed is kept by the buttons that a page
    /// with a form has instead.
    pub(crate) fn offered(&self) -> Vec<Value> {
        let one = |language: Language| {
            let href = self.here.as_ref().map(|query| link(query, language));
            context! {
                tag => language.tag(), name => language.name(), dir => language.direction(), href,
                current => language == self.language,
            }
        };
        Language::ALL.map(one).into()
    }

    /// Says the language, and makes the browser remember one that was asked for.
    pub(crate) fn note(&self, response: &mut Response, cookies: Cookies) {
        let headers = response.headers_mut();
        headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(self.language.tag()));
        if let Some(language) = self.asked {
            headers.append(SET_COOKIE, remembered(cookies, language));
        }
    }
}

/// Makes the browser remember a language.
pub(crate) fn remembered(cookies: Cookies, language: Language) -> HeaderValue {
    cookies.set(Cookie::Language, language.tag(), Some(REMEMBERED))
}

/// The address of the page that is shown, in this language. Only its query: a path may look like a host.
fn link(query: &[(String, String)], language: Language) -> String {
    let others = query.iter().filter(|(name, _)| name != "lang");
    let others = others.map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<(&str, &str)> = others.chain([("lang", language.tag())]).collect();
    format!("?{}", serde_urlencoded::to_string(all).unwrap_or_default())
}
