use std::collections::BTreeSet;
use std::time::Duration;

use vestibule::{MailContent, Secret, SecurityEvent, Timestamp};
use vestibule_mail::Letter;

use crate::support::{
    ACCOUNT, APPLICATION, CODE, DEVICE, ESCAPED_APPLICATION, ESCAPED_LINK, ESCAPED_PASSKEY, FORGOT, IP, LINK,
    LOCALES, OWN_SCOPE, PASSKEY, SIGN_IN, contents, mail, notice, render,
};

const TO: &str = "ada@example.org";

fn confirm(link: Option<&str>, code: Option<&str>, seconds: u64) -> MailContent {
    MailContent::Confirm {
        link: link.map(Secret::from),
        code: code.map(Secret::from),
        code_lifetime: Duration::from_secs(seconds),
        link_expires_at: Timestamp::from_millis(1_700_086_400_000),
    }
}

/// One mail of each kind; confirmations with code and link, and with one of them.
fn all() -> impl Iterator<Item = MailContent> {
    let ways =
        [confirm(Some(LINK), Some(CODE), 45), confirm(Some(LINK), None, 45), confirm(None, Some(CODE), 45)];
    ways.into_iter().chain(contents().into_iter().skip(1))
}

fn letter(locale: &str, content: &MailContent) -> Letter {
    render(&mail(TO, Some(locale), content.clone()))
}

/// The values a mail can contain besides words, as written in text and in HTML.
const VALUES: [(&str, &str); 17] = [
    (LINK, ESCAPED_LINK),
    (SIGN_IN, SIGN_IN),
    (FORGOT, FORGOT),
    (ACCOUNT, ACCOUNT),
    (PASSKEY, ESCAPED_PASSKEY),
    (APPLICATION, ESCAPED_APPLICATION),
    (OWN_SCOPE, "orders:&lt;read&gt;"),
    (DEVICE, DEVICE),
    (IP, IP),
    ("@example.net #4711", "@example.net #4711"),
    (CODE, CODE),
    ("45 ", "45 "),
    (TO, TO),
    ("2023-11-14 22:13 UTC", "2023-11-14 22:13 UTC"),
    ("2023-11-15 22:13 UTC", "2023-11-15 22:13 UTC"),
    ("https://example.net", "https://example.net"),
    ("Fish & Chips", "Fish &amp; Chips"),
];

/// How often each value occurs in text and HTML.
fn values(letter: &Letter) -> Vec<(&'static str, usize, usize)> {
    let count =
        |(text, html)| (text, letter.text().matches(text).count(), letter.html().matches(html).count());
    VALUES.into_iter().map(count).collect()
}

#[test]
fn every_language_tells_what_english_tells() {
    for content in all() {
        let english = values(&letter("en", &content));
        assert!(english.iter().filter(|(_, text, html)| *text > 0 && *html > 0).count() >= 4, "{english:?}");
        for locale in LOCALES {
            assert_eq!(values(&letter(locale, &content)), english, "{locale}/{}", content.kind());
        }
    }
}

/// Every three consecutive words, and what stands alone in the HTML, such as the words on a button; without the values.
fn phrases(letter: &Letter) -> BTreeSet<String> {
    let mut html = letter.html().split_once("<body").unwrap().1.split_once('>').unwrap().1.to_owned();
    while let Some((before, after)) = html.split_once('<') {
        html = format!("{before}\n{}", after.split_once('>').unwrap().1);
    }
    let mut all = format!("{}\n{}\n{html}", letter.subject(), letter.text());
    for value in VALUES.iter().flat_map(|(text, html)| [text, html]) {
        all = all.replace(value, " 0 ");
        html = html.replace(value, "");
    }
    let all = all.to_lowercase();
    let words: Vec<&str> = all.split_whitespace().map(|word| word.trim_matches(is_mark)).collect();
    let spoken = |words: &&[&str]| words.iter().all(|word| word.contains(char::is_alphabetic));
    let alone = html
        .lines()
        .filter(|line| line.contains(char::is_alphabetic) && line.chars().count() > 1)
        .map(str::to_owned);
    words.windows(3).filter(spoken).map(|words| words.join(" ")).chain(alone).collect()
}

fn is_mark(c: char) -> bool {
    !c.is_alphanumeric()
}

// Finds sentences that were left untranslated.
#[test]
fn no_phrase_is_in_two_languages() {
    let of = |locale| -> BTreeSet<String> {
        let of_one = |content: MailContent| {
            let phrases = phrases(&letter(locale, &content));
            assert!(phrases.len() >= 20, "{locale}/{}: {phrases:?}", content.kind());
            phrases
        };
        all().flat_map(of_one).collect()
    };
    let said = LOCALES.map(|locale| (locale, of(locale)));
    for (index, (first, phrases)) in said.iter().enumerate() {
        for (second, others) in &said[..index] {
            let both: Vec<_> = phrases.intersection(others).collect();
            assert!(both.is_empty(), "in {first} and in {second}: {both:?}");
        }
    }
    for content in all() {
        let subjects: BTreeSet<_> =
            LOCALES.map(|locale| letter(locale, &content).subject().to_owned()).into();
        assert_eq!(subjects.len(), LOCALES.len(), "{subjects:?}");
    }
}

#[test]
fn arabic_is_read_from_the_right() {
    for (locale, content) in
        LOCALES.into_iter().flat_map(|locale| all().map(move |content| (locale, content)))
    {
        let direction = if locale == "ar" { "rtl" } else { "ltr" };
        let letter = letter(locale, &content);
        // Some webmail services drop the first of the two.
        for element in ["<html", "<div role=\"article\" aria-labelledby=\"heading\""] {
            let element = format!("{element} lang=\"{locale}\" dir=\"{direction}\">");
            assert!(letter.html().contains(&element), "{element} is not in\n{}", letter.html());
        }
    }
}

// Latin letters and dates keep their order inside a line that is read from right to left.
#[test]
fn what_is_not_arabic_stands_apart() {
    for content in all() {
        let letter = letter("ar", &content);
        let (text, html) = (letter.text(), letter.html());
        for value in [TO, "2023-11-14 22:13 UTC", "2023-11-15 22:13 UTC"] {
            assert_only_as(&format!("\u{2068}{value}\u{2069}"), value, text);
            assert_only_as(&format!("<bdi dir=\"ltr\">{value}</bdi>"), value, html);
        }
        for value in [PASSKEY, APPLICATION, OWN_SCOPE, DEVICE, IP] {
            assert_only_as(&format!("\u{2068}{value}\u{2069}"), value, text);
        }
        assert_only_as("<bdi>Fish &amp; Chips</bdi>", "Fish", html.split_once("</title>").unwrap().1);
        assert_only_as(" dir=\"ltr\">https://example.net</a>", ">https://example.net<", html);
        let links = html.matches("<a class=\"link\" dir=\"ltr\"").count();
        assert_eq!(links, html.matches("class=\"button\"").count(), "{html}");

        let body = text.split_once("-- \n").unwrap().0;
        assert_only_as("\u{2068}Fish & Chips\u{2069}", "Fish", body);
        for value in [LINK, SIGN_IN, FORGOT, ACCOUNT, CODE] {
            assert!(body.lines().all(|line| !line.contains(value) || line == value), "{body}");
        }
        // Programs that show plain text take the direction from the first letter of a line that is not isolated.
        for line in body.lines().filter(|line| line.contains(is_arabic)) {
            assert!(line.starts_with(is_arabic) || line.starts_with('\u{2068}'), "{line}");
        }
    }
}

fn assert_only_as(apart: &str, value: &str, body: &str) {
    assert_eq!(body.matches(value).count(), body.matches(apart).count(), "{value} in\n{body}");
}

fn is_arabic(c: char) -> bool {
    ('\u{600}'..='\u{6ff}').contains(&c)
}

/// Checks the sentence with the lifetime of a code, in text and HTML.
fn assert_lasts(seconds: u64, locale: &str, words: &str) {
    let letter = letter(locale, &confirm(None, Some(CODE), seconds));
    for body in [letter.text(), letter.html()] {
        let body = body.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(body.contains(words), "{locale}, {seconds} s: {words} is not in\n{body}");
    }
    assert!(!letter.text().contains("/confirm"), "a code alone needs no link");
}

#[test]
fn how_long_the_code_works_is_said_in_words() {
    for (seconds, en, de, es, fr) in [
        (1, "one second", "eine Sekunde", "un segundo", "une seconde"),
        (2, "2 seconds", "2 Sekunden", "2 segundos", "2 secondes"),
        (45, "45 seconds", "45 Sekunden", "45 segundos", "45 secondes"),
        (60, "one minute", "eine Minute", "un minuto", "une minute"),
        (90, "90 seconds", "90 Sekunden", "90 segundos", "90 secondes"),
        (600, "10 minutes", "10 Minuten", "10 minutos", "10 minutes"),
        (3_600, "one hour", "eine Stunde", "una hora", "une heure"),
        (86_400, "24 hours", "24 Stunden", "24 horas", "24 heures"),
    ] {
        assert_lasts(seconds, "en", &format!("works for {en}."));
        assert_lasts(seconds, "de", &format!("gilt {de} lang"));
        assert_lasts(seconds, "es", &format!("Es válido durante {es} a partir"));
        assert_lasts(seconds, "fr", &format!("valable pendant {fr} à compter"));
    }
}

// One and two have words of their own; 3 to 10 take the plural, also after hundreds; all others take the singular.
#[test]
fn arabic_counts_in_four_ways() {
    for (seconds, words) in [
        (1, "ثانية واحدة"),
        (2, "ثانيتين"),
        (3, "3 ثوانٍ"),
        (10, "10 ثوانٍ"),
        (11, "11 ثانية"),
        (59, "59 ثانية"),
        (101, "101 ثانية"),
        (103, "103 ثوانٍ"),
        (111, "111 ثانية"),
        (60, "دقيقة واحدة"),
        (2 * 60, "دقيقتين"),
        (3 * 60, "3 دقائق"),
        (10 * 60, "10 دقائق"),
        (11 * 60, "11 دقيقة"),
        (59 * 60, "59 دقيقة"),
        (60 * 60, "ساعة واحدة"),
        (2 * 3_600, "ساعتين"),
        (3 * 3_600, "3 ساعات"),
        (24 * 3_600, "24 ساعة"),
    ] {
        assert_lasts(seconds, "ar", &format!("صالح لمدة {words} من لحظة"));
    }
}

// In every language, because its name may be in any script.
#[test]
fn what_is_from_outside_stands_apart_in_html() {
    for locale in LOCALES {
        let html = letter(locale, &notice(SecurityEvent::PasskeyAdded(PASSKEY.to_owned()))).html().to_owned();
        assert_only_as(&format!("<bdi>{ESCAPED_PASSKEY}</bdi>"), ESCAPED_PASSKEY, &html);
        for value in [DEVICE, IP] {
            assert_only_as(&format!("<bdi dir=\"ltr\">{value}</bdi>"), value, &html);
            assert_eq!(html.matches(value).count(), 1, "{html}");
        }
    }
}

#[test]
fn how_many_recovery_codes_are_left_is_said_in_words() {
    for (left, en, de, es, fr, ar) in [
        (0, "the last one", "der letzte.", "Era el último.", "C'était le dernier.", "وكان آخر رمز لديك."),
        (1, "One is left.", "Einer ist noch übrig.", "Queda uno.", "Il en reste un.", "لديك رمز واحد."),
        (2, "2 are left.", "2 sind noch übrig.", "Quedan 2.", "Il en reste 2.", "لديك رمزان."),
        (9, "9 are left.", "9 sind noch übrig.", "Quedan 9.", "Il en reste 9.", "لديك 9 رموز."),
    ] {
        for (locale, words) in [("en", en), ("de", de), ("es", es), ("fr", fr), ("ar", ar)] {
            let letter = letter(locale, &notice(SecurityEvent::RecoveryCodeUsed(left)));
            assert!(letter.text().contains(words), "{locale}, {left}: {words} is not in\n{}", letter.text());
            assert!(
                letter.html().replace('’', "'").contains(words),
                "{locale}, {left}: {words} is not in\n{}",
                letter.html()
            );
        }
    }
}

#[test]
fn the_language_is_the_nearest_there_is() {
    let subject = |locale| render(&mail(TO, locale, confirm(None, Some(CODE), 60))).subject().to_owned();
    for (start, locales) in [
        ("Bitte bestätigen", ["de", "DE", "de-AT", "de-Latn-DE-1996"]),
        ("Confirmez", ["fr", "FR", "fr-CA", "fr_CH"]),
        ("Confirma tu", ["es", "es-ES", "es-419", "ES-mx"]),
        ("تأكيد", ["ar", "ar-EG", "AR-sa", "ar-Arab-MA"]),
        ("Confirm your", ["en", "en-GB", "pt-BR", "deu"]),
        ("Confirm your", ["", "../de", "\r\n", "arb"]),
    ] {
        for locale in locales {
            assert!(subject(Some(locale)).starts_with(start), "{locale:?}: {}", subject(Some(locale)));
        }
    }
    assert!(subject(None).starts_with("Confirm your"));
}
