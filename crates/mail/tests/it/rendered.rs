use std::collections::BTreeSet;
use std::time::Duration;

use vestibule::{
    MailContent, MailTransport as _, Place, Secret, SecurityEvent, SendAttempt, SendError, Timestamp,
};
use vestibule_mail::{Letter, LetterError, Look, Mailer, MailerConfig, MailerError};

use crate::support::{
    ACCOUNT, APPLICATION, CODE, DEVICE, ESCAPED_LINK, FORGOT, IP, LINK, LOCALES, OWN_SCOPE, PASSKEY, alarms,
    allowed, config, confirm, contents, events, factor_due, links, mail, mailer, notice, place, render,
};

#[test]
fn every_mail_in_every_language_is_complete() {
    let kinds: BTreeSet<_> = contents().iter().map(MailContent::kind).collect();
    assert_eq!(kinds, BTreeSet::from(MailContent::KINDS));
    for locale in LOCALES {
        for content in contents() {
            let name = format!("{locale}/{}", content.kind());
            let letter = render(&mail("o'hara@example.org", Some(locale), content));
            assert!(letter.subject().contains("Fish & Chips"), "{name}");
            assert!(
                ["Fish & Chips, https://example.net\n", "Fish & Chips، https://example.net\n"]
                    .iter()
                    .any(|line| letter.text().contains(line)),
                "{name}:\n{}",
                letter.text()
            );
            assert!(letter.text().contains("o'hara@example.org"), "{name}");
            assert!(letter.text().contains("2023-11-14 22:13 UTC"), "{name}");
            assert!(letter.text().contains(['?', '؟']), "{name} does not say what to do if it was not you");
            assert!(
                letter.html().contains("Fish &amp; Chips") && !letter.html().contains("Fish & Chips"),
                "{name}"
            );
            assert!(letter.html().contains("o&#39;hara@example.org"), "{name}");
            assert!(
                letter.html().starts_with(&format!("<!doctype html>\n<html lang=\"{locale}\" dir=")),
                "{name}"
            );
            assert!(letter.html().contains("color-scheme"), "{name}");
            for remote in ["<img", "src=", "url(", "@import", "<link", "<script"] {
                assert!(!letter.html().contains(remote), "{name} loads something: {remote}");
            }
            assert!(letter.source().len() <= 20 * 1024, "{name}: {} bytes", letter.source().len());
            for body in [letter.text(), letter.html()] {
                assert!(
                    !body.contains("{{") && !body.contains("{%") && !body.contains(">none"),
                    "{name}:\n{body}"
                );
                assert!(!body.contains("\n\n\n"), "{name} has gaps:\n{body}");
            }
        }
    }
}

// M5: notifications show subjects on locked screens.
#[test]
fn the_code_is_at_the_top_of_the_body_and_not_in_the_subject() {
    for locale in LOCALES {
        let letter = render(&mail("ada@example.org", Some(locale), confirm()));
        assert!(!letter.subject().contains(CODE));
        // In Arabic it is on a line of its own.
        let top = if locale == "ar" { 3 } else { 1 };
        assert!(letter.text().lines().take(top).any(|line| line.ends_with(CODE)), "{}", letter.text());
        assert!(letter.html().contains(&format!("<bdi dir=\"ltr\">{CODE}</bdi></td>")), "{}", letter.html());
        // The line that lets a device fill in the code.
        assert_eq!(letter.text().trim_end().lines().last(), Some("@example.net #4711"));
    }
}

#[test]
fn the_link_is_a_button_and_a_text() {
    let linked = || [confirm()].into_iter().chain(links(LINK));
    for (locale, content) in LOCALES.into_iter().flat_map(|locale| linked().map(move |c| (locale, c))) {
        let letter = render(&mail("ada@example.org", Some(locale), content));
        assert_eq!(letter.link().map(Secret::expose), Some(LINK));
        assert!(letter.text().lines().any(|line| line == LINK), "{}", letter.text());
        assert!(
            letter.html().contains(&format!("<a class=\"button\" href=\"{ESCAPED_LINK}\" style=")),
            "{}",
            letter.html()
        );
        assert!(letter.html().contains(&format!(">{ESCAPED_LINK}</a>")), "{}", letter.html());
        assert!(!letter.html().contains(LINK));
        // For how long it works, which is the same in every zone.
        assert!(letter.text().contains("24 ") && letter.html().contains("24 "), "{}", letter.text());
        assert!(!letter.text().contains("2023-11-15"), "{}", letter.text());
    }
}

// Webmail drops style sheets: what is left looks the same on a light background.
#[test]
fn every_style_is_written_where_it_counts() {
    for (locale, content) in
        LOCALES.into_iter().flat_map(|locale| contents().into_iter().map(move |c| (locale, c)))
    {
        let letter = render(&mail("ada@example.org", Some(locale), content));
        let (head, rest) = letter.html().split_once("<style>").expect("what inline styles cannot say");
        let (_, body) = rest.split_once("</style>").expect("its end");
        assert!(
            !head.contains("<link") && body.contains("width=\"600\"") && body.contains("max-width:600px")
        );
        for tag in ["<p", "<h1", "<a"] {
            let bare = body.split(tag).skip(1).filter(|rest| rest.starts_with([' ', '>']));
            let bare: Vec<_> = bare
                .filter_map(|rest| rest.split('>').next())
                .filter(|tag| !tag.contains("style="))
                .collect();
            assert!(bare.is_empty(), "{locale} {tag}: {bare:?}\n{body}");
        }
        assert!(body.contains("<h1 class=\"text\" id=\"heading\" style="), "{body}");
        // A cell with a colour is a button everywhere.
        assert_eq!(
            body.matches("<a class=\"button\"").count(),
            body.matches("align=\"center\" bgcolor=\"#2456c8\" style=\"background").count()
        );
    }
}

#[test]
fn a_mail_has_the_colours_and_links_of_its_owner() {
    let look = Look {
        accent: "#ffd400".to_owned(),
        on_accent: "#000000".to_owned(),
        support: Some("mailto:help@example.net".to_owned()),
        privacy_url: Some("https://example.net/privacy".to_owned()),
        ..Look::default()
    };
    let transport = vestibule_mail::Transport::Console(vestibule_mail::Console);
    let mailer = Mailer::new(MailerConfig { look, ..config() }, transport).unwrap();
    for (locale, help) in [("en", "Help"), ("de", "Hilfe"), ("ar", "المساعدة")] {
        let letter = mailer.render(&mail("ada@example.org", Some(locale), confirm())).unwrap();
        assert!(letter.html().contains("bgcolor=\"#ffd400\"") && letter.html().contains("color:#000000"));
        let link = format!("href=\"mailto:help@example.net\" style=\"color:#555c69\">{help}</a>");
        assert!(
            letter.html().contains(&link) && letter.html().contains("https://example.net/privacy"),
            "{}",
            letter.html()
        );
    }
}

// The URL of a page without a token is not a secret, so it is not a `link`.
#[test]
fn a_changed_password_shows_where_to_set_another() {
    for locale in LOCALES {
        let content = MailContent::PasswordChanged { place: place(), forgot: FORGOT.to_owned() };
        let letter = render(&mail("ada@example.org", Some(locale), content));
        assert!(letter.text().lines().any(|line| line == FORGOT), "{}", letter.text());
        assert!(
            letter.html().contains(&format!("<a class=\"button\" href=\"{FORGOT}\" style=")),
            "{}",
            letter.html()
        );
        assert!(letter.link().is_none() && letter.code().is_none());
    }
}

// The page is where its owner signs in, so its address is no secret.
#[test]
fn a_due_factor_is_told_with_its_time_and_where_to_set_one_up() {
    for locale in LOCALES {
        let letter = render(&mail("ada@example.org", Some(locale), factor_due()));
        assert!(letter.text().lines().any(|line| line == ACCOUNT), "{}", letter.text());
        assert!(
            letter.html().contains(&format!("<a class=\"button\" href=\"{ACCOUNT}\" style=")),
            "{}",
            letter.html()
        );
        for body in [letter.text(), letter.html()] {
            assert!(body.contains("2023-11-15 22:13 UTC"), "{body}");
        }
        assert!(letter.link().is_none() && letter.code().is_none());
    }
}

// M5: notifications show subjects on locked screens.
#[test]
fn a_notice_names_its_event_and_nothing_else_in_the_subject() {
    for locale in LOCALES {
        let letters = events().map(|event| render(&mail("ada@example.org", Some(locale), notice(event))));
        let subjects: BTreeSet<_> = letters.iter().map(Letter::subject).collect();
        // The number of codes left makes no difference.
        assert_eq!(subjects.len(), letters.len() - 1, "{subjects:?}");
        for letter in &letters {
            assert!(letter.link().is_none() && letter.code().is_none());
            for value in [PASSKEY, APPLICATION, OWN_SCOPE, DEVICE, IP, ACCOUNT, FORGOT] {
                assert!(!letter.subject().contains(value), "{}", letter.subject());
            }
        }
    }
}

#[test]
fn a_notice_leads_to_a_new_password_and_to_the_account() {
    for (locale, event) in LOCALES.into_iter().flat_map(|locale| events().map(move |event| (locale, event))) {
        let letter = render(&mail("ada@example.org", Some(locale), notice(event.clone())));
        let at = |page: &str| letter.text().lines().position(|line| line == page);
        let (Some(forgot), Some(account)) = (at(FORGOT), at(ACCOUNT)) else { panic!("{}", letter.text()) };
        for page in [FORGOT, ACCOUNT] {
            let button = format!("<a class=\"button\" href=\"{page}\" style=");
            assert_eq!(letter.html().matches(&button).count(), 1, "{locale} {event:?}:\n{}", letter.html());
        }
        // What is urgent comes first.
        let account_first =
            matches!(event, SecurityEvent::PasskeyCounterWentBack(_) | SecurityEvent::RecoveryCodeUsed(..=3));
        assert_eq!(account < forgot, account_first, "{locale} {event:?}:\n{}", letter.text());
    }
}

// Passkeys have names of their users' choice; a place may be unknown, and is not the owner's where somebody else acted.
#[test]
fn a_notice_tells_what_is_known() {
    let has = |letter: &Letter, value: &str| letter.text().contains(value);
    for (locale, event) in LOCALES.into_iter().flat_map(|locale| events().map(move |event| (locale, event))) {
        let letter = render(&mail("ada@example.org", Some(locale), notice(event.clone())));
        let is_own = event != SecurityEvent::FactorsReset;
        let is_of_passkey = event.name().starts_with("passkey_");
        assert_eq!((has(&letter, DEVICE), has(&letter, IP)), (is_own, is_own), "{}", letter.text());
        assert_eq!(has(&letter, PASSKEY), is_of_passkey, "{}", letter.text());
        let MailContent::SecurityNotice { account, forgot, .. } = notice(event.clone()) else {
            unreachable!()
        };
        let nowhere = MailContent::SecurityNotice { event, place: Place::default(), account, forgot };
        let letter = render(&mail("ada@example.org", Some(locale), nowhere));
        assert!(!has(&letter, DEVICE) && !has(&letter, IP) && !has(&letter, "\n\n\n"), "{}", letter.text());
        assert_eq!(has(&letter, PASSKEY), is_of_passkey, "{}", letter.text());
    }
}

// Whoever is told that something happened to the account is told from where.
#[test]
fn an_alarm_tells_the_place() {
    let link_expires_at = Timestamp::from_millis(1_700_086_400_000);
    let placed = |place: &Place| {
        let link = || Secret::from(LINK);
        let undo = MailContent::EmailUndo { link: link(), link_expires_at, place: place.clone() };
        let reset = MailContent::PasswordReset { link: link(), link_expires_at, place: place.clone() };
        alarms(place).into_iter().chain([undo, reset])
    };
    for locale in LOCALES {
        for content in placed(&place()) {
            let letter = render(&mail("ada@example.org", Some(locale), content));
            for (body, device) in [(letter.text(), DEVICE), (letter.html(), DEVICE)] {
                assert!(body.contains(device) && body.contains(IP), "{locale}:\n{body}");
            }
            // Below the text, as a time of its own.
            assert_eq!(letter.text().matches("2023-11-14 22:13 UTC").count(), 2, "{}", letter.text());
        }
        for content in placed(&Place::default()) {
            let letter = render(&mail("ada@example.org", Some(locale), content));
            let bare = !letter.text().contains(DEVICE) && !letter.text().contains(IP);
            assert!(bare && !letter.text().contains("\n\n\n"), "{}", letter.text());
        }
    }
}

// Each scope of everybody has words of its own; those of the application have only their names.
#[test]
fn a_notice_says_which_application_may_do_what() {
    let named = ["openid", "profile", "email:", "offline_access"];
    for locale in LOCALES {
        let letter = render(&mail("ada@example.org", Some(locale), notice(allowed())));
        assert!(
            letter.text().contains(APPLICATION) && letter.text().contains(OWN_SCOPE),
            "{}",
            letter.text()
        );
        assert!(!named.iter().any(|name| letter.text().contains(name)), "{}", letter.text());
        let own = "<code dir=\"ltr\">orders:&lt;read&gt;</code>";
        assert!(letter.html().contains(own) && letter.html().matches("– ").count() == 5, "{}", letter.html());
        let nothing = SecurityEvent::ApplicationAllowed { name: APPLICATION.to_owned(), scopes: Vec::new() };
        let bare = render(&mail("ada@example.org", Some(locale), notice(nothing)));
        assert!(bare.text().contains(APPLICATION), "{}", bare.text());
        let lines = |letter: &Letter| letter.text().lines().collect::<BTreeSet<_>>().len();
        assert_eq!(lines(&letter) - lines(&bare), 6, "{}", letter.text());
    }
}

#[test]
fn a_link_alone_needs_no_code() {
    let content = MailContent::Confirm {
        link: Some(Secret::from(LINK)),
        code: None,
        code_lifetime: Duration::from_mins(1),
        link_expires_at: Timestamp::from_millis(0),
    };
    let letter = render(&mail("ada@example.org", None, content));
    assert!(letter.text().starts_with("Confirm your email with this link."), "{}", letter.text());
    assert!(!letter.text().contains("code") && letter.code().is_none());
}

// M4: a value that would start a header or a line of its own is an error and nothing is sent.
#[tokio::test]
async fn a_line_break_in_a_value_is_refused() {
    for bad in ["https://example.org/\r\nBcc: eve@example.org", "a\nb", "a\0b"] {
        let content = MailContent::Confirm {
            link: Some(Secret::from(bad)),
            code: None,
            code_lifetime: Duration::from_mins(1),
            link_expires_at: Timestamp::from_millis(0),
        };
        let content_mail = mail("ada@example.org", None, content);
        assert!(
            matches!(mailer("memory:").render(&content_mail), Err(LetterError::ControlCharacter(_))),
            "{bad:?}"
        );
        assert!(matches!(
            mailer("memory:").send(&content_mail, &SendAttempt::untracked()).await,
            Err(SendError::Permanent(_))
        ));
        let pages = [
            MailContent::AlreadyRegistered { sign_in: bad.to_owned() },
            MailContent::Welcome { sign_in: bad.to_owned() },
            MailContent::PasswordChanged { place: Place::default(), forgot: bad.to_owned() },
            notice(SecurityEvent::PasskeyAdded(bad.to_owned())),
            notice(SecurityEvent::ApplicationAllowed { name: bad.to_owned(), scopes: Vec::new() }),
        ];
        for content in pages.into_iter().chain(links(bad)) {
            let kind = content.kind();
            let refused = mailer("memory:").render(&mail("ada@example.org", None, content));
            assert!(matches!(refused, Err(LetterError::ControlCharacter(_))), "{kind} {bad:?}");
        }
    }
}

#[test]
fn the_site_is_checked() {
    let build = |name: &str, url: &str| {
        let mut config = config();
        name.clone_into(&mut config.site_name);
        url.clone_into(&mut config.public_url);
        Mailer::new(config, vestibule_mail::Transport::Console(vestibule_mail::Console)).map(|_| ())
    };
    assert_eq!(build("Example", "http://localhost:8080"), Ok(()));
    for name in ["", "  ", "a\r\nBcc: b", &"x".repeat(61)] {
        assert_eq!(build(name, "https://example.org"), Err(MailerError::SiteName), "{name:?}");
    }
    for url in ["", "example.org", "javascript:alert(1)", "https://", "https://example.org/\n"] {
        assert_eq!(build("Example", url), Err(MailerError::PublicUrl), "{url:?}");
    }
}

#[test]
fn debug_shows_no_content() {
    let mailer = mailer("smtps://user:hunter2@mail.example.org");
    let letter = mailer.render(&mail("ada@example.org", None, confirm())).unwrap();
    let shown = format!("{mailer:?} {letter:?}");
    assert!(!shown.contains("hunter2") && !shown.contains(CODE) && !shown.contains("ada@"), "{shown}");
}
