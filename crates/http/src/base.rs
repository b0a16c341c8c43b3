//! The place of the router on its host: the path of the public URL, e.g. `/accounts`.
//!
//! Handlers, pages and scripts write their paths as if the whole host were theirs. Before an answer leaves the router,
//! the links of its page and its `Location` get the path here. Mails, tokens and problems begin with the public URL
//! anyway.

use axum::http::HeaderValue;

/// The beginnings of attributes that contain a path.
const ATTRIBUTES: [&str; 4] = [" href=\"", " action=\"", " src=\"", " formaction=\""];
/// A slash as templates write it, and as they escape it.
const SLASHES: [&str; 2] = ["/", "&#x2f;"];

/// The path of a public URL without a trailing slash: empty if the whole host is ours.
#[derive(Clone, Debug, Default)]
pub(crate) struct Base {
    origin: String,
    path: String,
}

impl Base {
    pub(crate) fn of(public_url: &str) -> Self {
        let origin = origin_of(public_url);
        let path = public_url.get(origin.len()..).unwrap_or_default().trim_end_matches('/');
        Self { origin: origin.to_owned(), path: path.to_owned() }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// One of our paths, as seen on the host.
    pub(crate) fn on_host(&self, own: &str) -> String {
        format!("{}{own}", self.path)
    }

    /// Where an answer leads on the host: one of our own paths, or an absolute URL beside us.
    pub(crate) fn leading_to(&self, place: &str) -> String {
        if self.path.is_empty() || !place.starts_with('/') {
            return place.to_owned();
        }
        match place.strip_prefix(&self.path) {
            Some("") => "/".to_owned(),
            Some(own) if own.starts_with('/') => own.to_owned(),
            Some(own) if own.starts_with(['?', '#']) => format!("/{own}"),
            _ => format!("{}{place}", self.origin),
        }
    }

    /// The target of an answer's `Location`.
    pub(crate) fn in_location(&self, location: &HeaderValue) -> Option<HeaderValue> {
        let own = location.to_str().ok().filter(|to| !self.path.is_empty() && to.starts_with('/'))?;
        HeaderValue::try_from(self.on_host(own)).ok()
    }

    /// The links, forms and files of a page. Foreign text in it is escaped, so it contains no quotes.
    pub(crate) fn in_html(&self, html: String) -> String {
        if self.path.is_empty() {
            return html;
        }
        ATTRIBUTES.into_iter().fold(html, |html, attribute| {
            let mut parts = html.split(attribute);
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |html, value| {
                let own = SLASHES.iter().find_map(|slash| value.strip_prefix(slash));
                let beside = own.is_some_and(|rest| SLASHES.iter().any(|slash| rest.starts_with(slash)));
                let base = if own.is_some() && !beside { &self.path } else { "" };
                html + attribute + base + value
            })
        })
    }
}

/// Scheme, host and port of a URL.
pub(crate) fn origin_of(url: &str) -> &str {
    let host_at = url.find("://").map_or(0, |at| at + 3);
    url[host_at..].find('/').map_or(url, |end| &url[..host_at + end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Base {
        Base::of("https://app.example.org/accounts")
    }

    #[test]
    fn the_whole_host_needs_nothing() {
        for url in ["https://app.example.org", "https://app.example.org/", "http://localhost:8080"] {
            let base = Base::of(url);
            assert_eq!((base.path(), base.leading_to("/hello").as_str()), ("", "/hello"));
            assert_eq!(base.in_location(&HeaderValue::from_static("/login")), None);
            assert_eq!(base.in_html("<a href=\"/login\">".to_owned()), "<a href=\"/login\">");
        }
    }

    #[test]
    fn a_page_s_places_are_under_the_base() {
        for (made, sent) in [
            ("<a href=\"/login\">", "<a href=\"/accounts/login\">"),
            (
                "<a class=\"x\" href=\"&#x2f;admin?q=&#x2f;\">",
                "<a class=\"x\" href=\"/accounts&#x2f;admin?q=&#x2f;\">",
            ),
            ("<form method=\"post\" action=\"/login\">", "<form method=\"post\" action=\"/accounts/login\">"),
            ("<script src=\"/assets/a.js\" defer>", "<script src=\"/accounts/assets/a.js\" defer>"),
            ("<a href=\"https://a.example/\">", "<a href=\"https://a.example/\">"),
            ("<a href=\"//a.example\">", "<a href=\"//a.example\">"),
            ("<a href=\"#problem\">", "<a href=\"#problem\">"),
            ("<p>href=&quot;/login&quot;</p>", "<p>href=&quot;/login&quot;</p>"),
            ("<input name=\"return_to\" value=\"/hello\">", "<input name=\"return_to\" value=\"/hello\">"),
        ] {
            assert_eq!(base().in_html(made.to_owned()), sent);
        }
    }

    #[test]
    fn a_place_of_the_host_is_ours_or_beside_us() {
        for (place, leads_to) in [
            ("/accounts", "/"),
            ("/accounts/account#email", "/account#email"),
            ("/accounts?lang=de", "/?lang=de"),
            ("/hello?x=1", "https://app.example.org/hello?x=1"),
            ("/accountsx", "https://app.example.org/accountsx"),
            ("/", "https://app.example.org/"),
            ("https://other.example.org/in", "https://other.example.org/in"),
        ] {
            assert_eq!(base().leading_to(place), leads_to);
        }
        let location = base().in_location(&HeaderValue::from_static("/account"));
        assert_eq!(location, Some(HeaderValue::from_static("/accounts/account")));
        assert_eq!(base().in_location(&HeaderValue::from_static("https://app.example.org/hello")), None);
    }
}
