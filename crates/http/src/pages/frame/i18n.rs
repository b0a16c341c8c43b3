//! The languages of the pages: one catalogue each, and the choice among them.

pub(crate) mod choice;
mod quantities;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::{HeaderMap, Uri};
use minijinja::value::Kwargs;
use minijinja::{HtmlEscape, Value};

use super::query::query;

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    En,
    De,
    Fr,
    Es,
    Ar,
}

/// Keys and their texts, with `{placeholders}`.
type Catalogue = BTreeMap<String, String>;

static CATALOGUES: LazyLock<[Catalogue; 5]> = LazyLock::new(|| {
    Language::ALL.map(|language| {
        serde_json::from_str(language.source()).expect("the catalogues in this crate are well-formed")
    })
});

impl Language {
    pub(crate) const ALL: [Self; 5] = [Self::En, Self::De, Self::Fr, Self::Es, Self::Ar];

    /// Its tag (BCP 47).
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
            Self::Ar => "ar",
        }
    }

    /// Its own name for itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "Deutsch",
            Self::Fr => "Français",
            Self::Es => "Español",
            Self::Ar => "العربية",
        }
    }

    /// The `dir` attribute of a page in it.
    pub(crate) fn direction(self) -> &'static str {
        if self == Self::Ar { "rtl" } else { "ltr" }
    }

    fn source(self) -> &'static str {
        match self {
            Self::En => include_str!("../../../locales/en.json"),
            Self::De => include_str!("../../../locales/de.json"),
            Self::Fr => include_str!("../../../locales/fr.json"),
            Self::Es => include_str!("../../../locales/es.json"),
            Self::Ar => include_str!("../../../locales/ar.json"),
        }
    }

    /// The language of a tag, whatever its region: `de-AT` is German.
    pub(crate) fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.tag()))
    }

    /// The language requested in the address.
    pub(crate) fn asked(uri: &Uri) -> Option<Self> {
        query(uri).take("lang").and_then(|tag| Self::of_tag(&tag))
    }

    /// The supported language that `Accept-Language` ranks highest (RFC 9110 §12.5.4).
    pub(crate) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        let lines = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|line| line.to_str().ok());
        for range in lines.flat_map(|line| line.split(',')) {
            let (tag, quality) = range.split_once(';').unwrap_or((range, "q=1"));
            let Some(language) = Self::of_tag(tag) else { continue };
            let quality = permille(quality);
            if quality > 0 && best.is_none_or(|(other, _)| quality > other) {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }

    /// The text of a key, as written in the catalogue.
    pub(crate) fn text(self, key: &str) -> &'static str {
        let missing = || {
            tracing::error!(key, "a text is missing");
            ""
        };
        self.known(key).unwrap_or_else(missing)
    }

    /// The text of a key, if there is one.
    pub(crate) fn known(self, key: &str) -> Option<&'static str> {
        CATALOGUES[self as usize].get(key).map(String::as_str)
    }

    /// The text for an error code.
    pub(crate) fn error(self, code: &str) -> &'static str {
        self.known(&format!("error.{code}")).unwrap_or_else(|| self.text("error.other"))
    }

    /// The label of a field.
    pub(crate) fn label(self, field: &str) -> &'static str {
        self.text(&format!("field.{field}"))
    }

    /// The text of a key with plain values filled in.
    pub(crate) fn fill(self, key: &str, values: &[(&str, &str)]) -> String {
        filled(self.text(key), values)
    }

    /// A text for a template: the text and its values are escaped, unless a value is markup already.
    pub(crate) fn html(self, key: &str, values: &Kwargs) -> Result<Value, minijinja::Error> {
        let mut html = HtmlEscape(self.text(key)).to_string();
        for name in values.args() {
            let value: Value = values.get(name)?;
            let shown =
                if value.is_safe() { value.to_string() } else { HtmlEscape(&value.to_string()).to_string() };
            html = html.replace(&format!("{{{name}}}"), &shown);
        }
        Ok(Value::from_safe_string(html))
    }
}

/// A text with values for its `{placeholders}`.
pub(crate) fn filled(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// `q=0.8` → 800.
fn permille(text: &str) -> u16 {
    let quality = text.trim().strip_prefix("q=").and_then(|number| number.parse::<f32>().ok()).unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    let permille = (quality.clamp(0.0, 1.0) * 1000.0) as u16;
    permille
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::http::HeaderValue;

    use super::*;
    use crate::catalogue::catalogue;

    fn accepted(value: &str) -> Option<Language> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_str(value).expect("a header"));
        Language::accepted(&headers)
    }

    #[test]
    fn the_best_language_that_is_spoken_is_chosen() {
        assert_eq!(accepted("de-AT,de;q=0.9,en;q=0.8"), Some(Language::De));
        assert_eq!(accepted("pt-BR, es;q=0.5, fr;q=0.7"), Some(Language::Fr));
        assert_eq!(accepted("AR"), Some(Language::Ar));
        for nothing in ["", "pt", "*", "de;q=0", "de;q=x", ";;;,"] {
            assert_eq!(accepted(nothing), None, "{nothing}");
        }
    }

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_language_has_every_text() {
        let english = &CATALOGUES[0];
        for (language, catalogue) in Language::ALL.iter().zip(CATALOGUES.iter()) {
            let keys: Vec<_> = catalogue.keys().collect();
            assert_eq!(keys, english.keys().collect::<Vec<_>>(), "{language:?}");
            for (key, text) in catalogue {
                assert!(!text.trim().is_empty(), "{language:?} {key}");
                assert_eq!(placeholders(text), placeholders(&english[key]), "{language:?} {key}");
            }
        }
    }

    /// Every file of this crate's sources, without its tests.
    fn sources() -> Vec<String> {
        let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
        let mut sources = Vec::new();
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).expect("the sources").flatten().map(|entry| entry.path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    // A picture names no text.
                    let source = String::from_utf8_lossy(&std::fs::read(path).expect("a file")).into_owned();
                    sources.push(source.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
                }
            }
        }
        sources
    }

    // A key that is missing or unused fails here.
    #[test]
    fn the_pages_and_the_catalogues_name_the_same_keys() {
        let sources = sources();
        let known = &CATALOGUES[0];
        for source in &sources {
            for call in ["t(\"", ".text(\"", ".fill(\""] {
                for rest in source.split(call).skip(1) {
                    let key = rest.split('"').next().unwrap_or_default();
                    let is_key = key.contains('.') && !key.ends_with('.') && !key.contains(' ');
                    assert!(!is_key || known.contains_key(key), "missing: {key}");
                }
            }
        }
        let quoted: BTreeSet<&str> = sources.iter().flat_map(|source| source.split('"')).collect();
        let asked = |key: &str| {
            let (group, _) = key.split_once('.').expect("a key has a group");
            group == "error" || quoted.contains(key) || quoted.contains(format!("{group}.").as_str())
        };
        let unused: Vec<_> = known.keys().filter(|key| !asked(key)).collect();
        assert!(unused.is_empty(), "nobody asks for {unused:?}");
    }

    #[test]
    fn every_told_error_is_one_of_the_catalogue() {
        let codes: BTreeSet<&str> = catalogue().iter().map(|entry| entry.code.as_str()).collect();
        for code in CATALOGUES[0].keys().filter_map(|key| key.strip_prefix("error.")) {
            assert!(codes.contains(code) || code == "other", "{code}");
        }
    }
}
