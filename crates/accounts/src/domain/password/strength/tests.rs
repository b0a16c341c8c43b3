use proptest::prelude::*;

use super::*;
use crate::domain::password::PASSWORD_CODE_POINTS_MAX;
use crate::domain::password::strength::piece::Kind;

/// The maximum work to judge a password: the arithmetic is in decision 26.
const STEPS_MAX: usize = 350_000;

fn judge(text: &str) -> Estimate {
    estimate(text, &["ada.lovelace".to_owned(), "vestibule".to_owned()])
}

#[test]
fn scores_are_those_of_the_method() {
    for (text, score) in [
        ("", 0),
        ("a", 0),
        ("zzzzzzzzzzzzzzzzzzz", 0),
        ("password", 0),
        ("P4ssw0rd", 0),
        ("abcdefghijklmnop", 0),
        ("qwertyuiop", 0),
        ("ada.lovelace", 0),
        ("ada.lovelace1", 1),
        ("summer2024", 1),
        ("31.12.1999", 1),
        ("sunshine2024sunshine2024", 1),
        ("violet-maps", 2),
        ("vq8-Tj#w", 2),
        ("violet-otter", 3),
        ("violet-otter-maps-42", 4),
        ("correct horse battery staple", 4),
    ] {
        let judged = judge(text);
        assert_eq!(judged.score(), score, "{text}: {judged:?}");
    }
}

#[test]
fn the_longest_piece_says_why() {
    for (text, kind) in [
        ("Sunshine1", Kind::Password),
        ("vestibule7", Kind::Own),
        ("ecalevol.ada", Kind::Own),
        ("qwertyuiop[]", Kind::Keys),
        ("bcdefghij", Kind::Sequence),
        ("bcxbcxbcx", Kind::Repeat),
        ("25.07.1984", Kind::Date),
        ("councillor7", Kind::Word),
        ("x7#k", Kind::Random),
    ] {
        assert_eq!(judge(text).kind, kind, "{text}");
    }
}

// A long password is not weakened by its length or by how it begins.
#[test]
fn more_characters_never_make_a_password_weaker() {
    let tail: String = ('!'..='~').cycle().step_by(37).take(40).collect();
    for beginning in ["", "password", "aaaaaaaaaaaaaaaa", "violet-otter-maps-42", &"abc".repeat(70)] {
        assert_eq!(judge(&format!("{beginning}{tail}")).score(), 4, "{beginning}");
    }
}

/// The most expensive texts we know: every sign, words in words, nested repeats, own names everywhere.
fn hostile() -> Vec<String> {
    let fill = |text: &str| text.chars().cycle().take(PASSWORD_CODE_POINTS_MAX).collect::<String>();
    let mut fibonacci = ("a".to_owned(), "ab".to_owned());
    while fibonacci.1.len() < PASSWORD_CODE_POINTS_MAX {
        fibonacci = (fibonacci.1.clone(), format!("{}{}", fibonacci.1, fibonacci.0));
    }
    let mut texts: Vec<String> = [
        "4@8({[<369&#!1/|0$5+7%2\"*12)",
        "a",
        "ab",
        "117",
        "1/1/11",
        "qwerty",
        "interdenominational",
        "ada.lovelace",
    ]
    .map(fill)
    .to_vec();
    texts.push(fill(&fibonacci.1));
    texts.push(('!'..='~').chain('¡'..='ſ').take(PASSWORD_CODE_POINTS_MAX).collect());
    texts
}

// P6: bounded by construction, counted in steps.
#[test]
fn no_text_costs_more_than_the_bound() {
    let names = [hostile()[0].chars().take(64).collect(), "ada.lovelace".to_owned()];
    for text in hostile() {
        let steps = estimate(&text, &names).steps;
        assert!(steps <= STEPS_MAX, "{steps} steps for {text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_judged_within_the_bound(
        text in "[4@8({<3691!|0$5+7%2a-eA-E]{0,256}|\\PC{0,256}|([0-9]{1,4}[/.-]){0,50}|([ab1]{1,9}){0,28}"
    ) {
        let text: String = text.chars().take(PASSWORD_CODE_POINTS_MAX).collect();
        let judged = judge(&text);
        prop_assert!(judged.steps <= STEPS_MAX && judged.guesses > 0.0);
    }

    // Adding a random character never lowers the estimate.
    #[test]
    fn a_further_character_costs_no_less(text in "[a-f1-3!-]{1,20}", more in "[~^§漢]") {
        let (before, after) = (judge(&text).score(), judge(&(text + &more)).score());
        prop_assert!(after >= before);
    }
}
