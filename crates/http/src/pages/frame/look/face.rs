//! What stands for somebody or something that has no picture.

/// Two letters for a name or an address: of its first two words, or the first two of its only one.
pub(crate) fn initials(name: &str) -> String {
    let name = name.split('@').next().unwrap_or_default();
    let mut words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let (first, second) = (words.next().unwrap_or_default(), words.next());
    let letters: String = match second {
        Some(second) => first.chars().take(1).chain(second.chars().take(1)).collect(),
        None => first.chars().take(2).collect(),
    };
    letters.to_uppercase()
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
            ("notes", "NO"),
            ("éclair of the day", "ÉO"),
            ("مفكرة الحقل", "ما"),
            ("tom.becker@example.com", "TB"),
            ("ada@example.org", "AD"),
            ("bot-77@example.net", "B7"),
            ("a@b.example", "A"),
            ("@", ""),
        ] {
            assert_eq!(initials(name), letters, "{name}");
        }
    }

    #[test]
    fn a_phone_is_known_by_what_it_sends() {
        assert!(is_handheld(Some("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)")));
        assert!(!is_handheld(Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")) && !is_handheld(None));
    }
}
