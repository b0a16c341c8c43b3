//! The look of the pages, and where a sign-in may lead.

use vestibule_http::{Brand, Logo};

use super::checker::Checker;
use super::raw;

/// The settings of the pages.
#[derive(Clone, Debug)]
pub(crate) struct Pages {
    pub(crate) brand: Brand,
    pub(crate) return_urls: Vec<String>,
}

pub(super) fn pages(raw: &raw::Pages, consent: raw::TermsConsent, checker: &mut Checker) -> Pages {
    let accent = checker.parse("pages.accent", &raw.accent, "write a colour such as \"#2456c8\"");
    let support = &raw.support;
    let is_address = support.is_empty() || support.parse::<vestibule::Email>().is_ok() || is_web(support);
    if !is_address {
        let fix = "write an email address, or the address of a page that begins with https://";
        checker.problem("pages.support", "neither an email address nor a web address", fix);
    }
    let urls = [("pages.terms_url", &raw.terms_url), ("pages.privacy_url", &raw.privacy_url)];
    let urls = urls.into_iter().filter(|(_, url)| !url.is_empty());
    for (path, url) in urls.chain(raw.return_urls.iter().map(|url| ("pages.return_urls", url))) {
        if !is_web(url) {
            let fix = "write a whole address that begins with https:// (http:// on this machine)";
            checker.problem(path, format!("`{url}` is not a web address"), fix);
        }
    }
    if consent != raw::TermsConsent::Off && raw.terms_url.is_empty() && raw.privacy_url.is_empty() {
        let fix = "set `pages.terms_url`, `pages.privacy_url` or both, or write \"off\"";
        checker.problem("signup.consent", "there are no terms to accept", fix);
    }
    let set = |text: &String| (!text.is_empty()).then(|| text.clone());
    let brand = Brand {
        accent: accent.unwrap_or(Brand::default().accent),
        logo: logo(&raw.logo, checker),
        logo_alone: raw.logo_alone,
        css: css(&raw.css, checker),
        support: set(support),
        terms_url: set(&raw.terms_url),
        privacy_url: set(&raw.privacy_url),
    };
    Pages { brand, return_urls: raw.return_urls.clone() }
}

fn logo(path: &str, checker: &mut Checker) -> Option<Logo> {
    if path.is_empty() {
        return None;
    }
    let read = std::fs::read(path).map_err(|error| error.to_string());
    match read.and_then(|bytes| Logo::new(bytes).map_err(|error| error.to_string())) {
        Ok(logo) => Some(logo),
        Err(cause) => {
            checker.problem("pages.logo", format!("{path}: {cause}"), "name a picture that browsers show");
            None
        }
    }
}

/// Octets of a style sheet: it is part of every first visit.
const CSS_MAX: usize = 64 * 1024;

fn css(path: &str, checker: &mut Checker) -> Option<String> {
    if path.is_empty() {
        return None;
    }
    match std::fs::read_to_string(path) {
        Ok(text) if text.len() <= CSS_MAX => Some(text),
        Ok(_) => {
            checker.problem("pages.css", format!("{path}: more than 64 KiB"), "name a smaller style sheet");
            None
        }
        Err(cause) => {
            checker.problem("pages.css", format!("{path}: {cause}"), "name a style sheet in UTF-8");
            None
        }
    }
}

/// Whether the URL is visible ASCII, and HTTPS unless it is on this machine.
fn is_web(url: &str) -> bool {
    let local = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    let rest = |start: &str| url.strip_prefix(start).map(|rest| rest.split('/').next().unwrap_or_default());
    let https = rest("https://").is_some_and(|host| !host.is_empty() && !host.contains('@'));
    let here =
        local.iter().filter_map(|start| rest(start)).any(|rest| rest.is_empty() || rest.starts_with(':'));
    (https || here)
        && url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b';' | b','))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Flags;
    use crate::config::environment::Environment;
    use crate::config::problem::Problem;
    use crate::config::settings::Config;

    fn load(pairs: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Config::load(&Flags::default(), &Environment(pairs.iter().map(owned).collect()))
    }

    #[test]
    fn a_web_address_begins_with_https_or_is_local() {
        for good in [
            "https://example.org",
            "https://example.org/terms?x=1",
            "http://localhost:3000/in",
            "http://127.0.0.1",
        ] {
            assert!(is_web(good), "{good}");
        }
        for bad in [
            "",
            "example.org",
            "http://example.org",
            "http://localhost.evil.example",
            "https://",
            "javascript:alert(1)",
            "https://user@evil.example",
            "https://example.org/a b",
            "https://example.org; script-src *",
            "//example.org",
        ] {
            assert!(!is_web(bad), "{bad}");
        }
    }

    #[test]
    fn the_pages_take_the_owner_s_colour_logo_and_links() {
        let folder = tempfile::tempdir().unwrap();
        let logo = folder.path().join("logo.svg").display().to_string();
        std::fs::write(&logo, "<svg xmlns='http://www.w3.org/2000/svg'/>").unwrap();
        let css = folder.path().join("own.css").display().to_string();
        std::fs::write(&css, "h1{color:red}").unwrap();
        let config = load(&[
            ("VESTIBULE_PAGES_ACCENT", "#aa3366"),
            ("VESTIBULE_PAGES_LOGO", &logo),
            ("VESTIBULE_PAGES_LOGO_ALONE", "true"),
            ("VESTIBULE_PAGES_CSS", &css),
            ("VESTIBULE_PAGES_SUPPORT", "help@example.org"),
            ("VESTIBULE_PAGES_RETURN_URLS", "https://app.example.org/in, http://localhost:3000/in"),
        ])
        .unwrap();
        assert_eq!(config.pages.brand.accent.to_string(), "#aa3366");
        assert!(config.pages.brand.logo.is_some() && config.pages.brand.logo_alone);
        assert_eq!(config.pages.brand.css.as_deref(), Some("h1{color:red}"));
        assert_eq!(config.pages.return_urls, ["https://app.example.org/in", "http://localhost:3000/in"]);
        for (name, value, words) in [
            ("VESTIBULE_PAGES_ACCENT", "blue", "not a colour"),
            ("VESTIBULE_PAGES_LOGO", "/nowhere.svg", "/nowhere.svg"),
            ("VESTIBULE_PAGES_CSS", "/nowhere.css", "/nowhere.css"),
            ("VESTIBULE_PAGES_SUPPORT", "javascript:alert(1)", "neither an email address nor a web address"),
            ("VESTIBULE_PAGES_TERMS_URL", "http://example.org/terms", "not a web address"),
            ("VESTIBULE_SIGNUP_CONSENT", "line", "there are no terms to accept"),
            ("VESTIBULE_SIGNUP_CONSENT", "yes", "`checkbox`"),
            // B3: plain HTTP elsewhere would expose the signed-in person to eavesdroppers.
            ("VESTIBULE_PAGES_RETURN_URLS", "http://app.example.org/in", "not a web address"),
        ] {
            let problems = load(&[(name, value)]).map(drop).unwrap_err();
            let refused = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            assert!(refused.contains(words) && refused.contains(name), "{refused}");
        }
    }
}
