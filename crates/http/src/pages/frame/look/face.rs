//! What stands for somebody or something that has no picture.

/// Two letters for a name; for an email address, the first ones of its parts before the `@`.
pub(crate) fn initials(name: &str) -> String {
    let own = name.split('@').next().unwrap_or(name);
    let own = if own.is_empty() { name } else { own };
    own.split(|c: char| c.is_whitespace() || matches!(c, '.' | '_' | '-' | '+'))
        .filter_map(|word| word.chars().next())
        .take(2)
        .flat_map(char::to_uppercase)
        .collect()
}

/// Whether a `User-Agent` is that of something held in a hand.
pub(crate) fn is_handheld(user_agent: Option<&str>) -> bool {
    let words = ["iPhone", "iPad", "Android", "Mobile"];
    user_agent.is_some_and(|sent| words.iter().any(|word| sent.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_at_most_two_letters() {
        for (name, letters) in [
            ("Field Notes", "FN"),
            ("notes", "N"),
            ("éclair of the day", "ÉO"),
            ("مفكرة الحقل", "ما"),
            ("tom.becker@example.com", "TB"),
            ("ada@example.org", "A"),
            ("@", ""),
        ] {
            assert_eq!(initials(name).trim_matches('@'), letters, "{name}");
        }
    }

    #[test]
    fn a_phone_is_known_by_what_it_sends() {
        assert!(is_handheld(Some("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)")));
        assert!(!is_handheld(Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")) && !is_handheld(None));
    }
}
