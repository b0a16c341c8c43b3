//! A `User-Agent` in words that its user recognises.

/// Which text stands for which browser. Most browsers also claim to be others, so the order decides.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// Which text stands for which system. Android also claims to be Linux, and iPhones to be like Mac OS X.
const SYSTEMS: &[(&str, &str)] = &[
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// `Firefox on Linux`, `curl`; `None` for a device that is not known. Whatever a program calls itself, only a short word
/// of it gets into pages.
pub fn device_in_words(user_agent: &str) -> Option<String> {
    browser_in_words(user_agent).or_else(|| program(user_agent).map(str::to_owned))
}

/// `Firefox on Linux`: names from a fixed list, and nothing that a stranger could have written. `None` for a program or a
/// browser that is not known.
pub fn browser_in_words(user_agent: &str) -> Option<String> {
    let find = |list: &[(&str, &'static str)]| {
        list.iter().find(|(token, _)| user_agent.contains(token)).map(|(_, name)| *name)
    };
    let browser = find(BROWSERS)?;
    Some(find(SYSTEMS).map_or_else(|| browser.to_owned(), |system| format!("{browser} on {system}")))
}

/// The name of a program: the first product (RFC 9110 §10.1.5), unless it is meaningless or not a plain word.
fn program(user_agent: &str) -> Option<&str> {
    let name = user_agent.split(['/', ' ']).next()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let told = (1..=40).contains(&name.len()) && name.bytes().all(plain) && name != "Mozilla";
    told.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::{browser_in_words, device_in_words};

    #[test]
    fn a_device_is_named_as_its_owner_would() {
        for (user_agent, words) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                Some("Firefox on Linux"),
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 \
                 Safari/537.36 Edg/139.0.0.0",
                Some("Edge on Windows"),
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Mobile \
                 Safari/537.36",
                Some("Chrome on Android"),
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.5 Mobile/15E148 Safari/604.1",
                Some("Safari on iPhone"),
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.5 Safari/605.1.15",
                Some("Safari on macOS"),
            ),
            ("curl/8.14.1", Some("curl")),
            ("python-requests/2.32.4", Some("python-requests")),
            ("Firefox/140.0", Some("Firefox")),
            ("Mozilla/5.0 (compatible)", None),
            ("", None),
            ("<script>alert(1)</script>", None),
            (&"x".repeat(256), None),
        ] {
            assert_eq!(device_in_words(user_agent).as_deref(), words, "{user_agent}");
        }
    }
    #[test]
    fn a_browser_is_named_from_the_list_only() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        assert_eq!(browser_in_words(firefox).as_deref(), Some("Firefox on Linux"));
        assert_eq!(browser_in_words("evil.example Firefox/140.0").as_deref(), Some("Firefox"));
        assert_eq!(browser_in_words("call-0199-now/1.0"), None);
        assert_eq!(browser_in_words("evil.example (Linux)"), None);
    }
}
