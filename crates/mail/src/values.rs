//! The values that templates can use, per kind of mail.

use std::collections::BTreeMap;
use std::time::Duration;

use minijinja::Value;
use vestibule::{Mail, MailContent, MailId, Place, Secret, SecurityEvent, Timestamp, browser_in_words};

/// The names that a template knows, with their values.
pub(crate) type Values = BTreeMap<&'static str, Value>;

/// The values for this content.
pub(crate) fn of(content: &MailContent) -> Values {
    let text = |secret: &Option<Secret>| Value::from(secret.as_ref().map(Secret::expose));
    let values = match content {
        MailContent::Confirm { link, code, code_lifetime, link_expires_at } => vec![
            ("link", text(link)),
            ("code", text(code)),
            // Rounded down: a text may promise less than the truth, not more.
            ("code_seconds", Value::from(code_lifetime.as_secs().max(1))),
            ("link_until", Value::from(minute(*link_expires_at))),
        ],
        MailContent::AlreadyRegistered { sign_in } | MailContent::Welcome { sign_in } => {
            vec![("sign_in", Value::from(sign_in.as_str()))]
        }
        MailContent::PasswordReset { link, link_expires_at, .. }
        | MailContent::EmailUndo { link, link_expires_at, .. }
        | MailContent::EmailChange { link, link_expires_at }
        | MailContent::Invitation { link, link_expires_at }
        | MailContent::ChoosePassword { link, link_expires_at }
        | MailContent::MoveIn { link, link_expires_at }
        | MailContent::Enrolment { link, link_expires_at } => {
            vec![("link", Value::from(link.expose())), ("link_until", Value::from(minute(*link_expires_at)))]
        }
        MailContent::PasswordChanged { forgot, .. }
        | MailContent::FailedSignIns { forgot, .. }
        | MailContent::RefreshReused { forgot, .. } => vec![("forgot", Value::from(forgot.as_str()))],
        MailContent::SecurityNotice { event, account, forgot, .. } => {
            vec![
                ("event", Value::from(event.name())),
                ("passkey", Value::from(passkey_of(event))),
                ("codes_left", Value::from(codes_left(event))),
                ("application", Value::from(application_of(event).map(|(name, _)| name))),
                ("scopes", Value::from(application_of(event).map(|(_, scopes)| scopes.to_vec()))),
                ("account", Value::from(account.as_str())),
                ("forgot", Value::from(forgot.as_str())),
            ]
        }
        MailContent::SecondFactorDue { due_at, account } => {
            vec![("due_at", Value::from(minute(*due_at))), ("account", Value::from(account.as_str()))]
        }
        MailContent::Test => Vec::new(),
    };
    values.into_iter().chain(place_of(content)).collect()
}

/// What a mail says of the place that its cause came from: the words of its device, and its address.
fn place_of(content: &MailContent) -> Vec<(&'static str, Value)> {
    let place = match content {
        // An administrator's device is not the owner's concern.
        MailContent::SecurityNotice { event: SecurityEvent::FactorsReset, .. } => &Place::default(),
        MailContent::SecurityNotice { place, .. }
        | MailContent::PasswordReset { place, .. }
        | MailContent::PasswordChanged { place, .. }
        | MailContent::EmailUndo { place, .. }
        | MailContent::FailedSignIns { place, .. }
        | MailContent::RefreshReused { place, .. } => place,
        MailContent::Confirm { .. }
        | MailContent::AlreadyRegistered { .. }
        | MailContent::Welcome { .. }
        | MailContent::EmailChange { .. }
        | MailContent::Invitation { .. }
        | MailContent::ChoosePassword { .. }
        | MailContent::MoveIn { .. }
        | MailContent::Enrolment { .. }
        | MailContent::SecondFactorDue { .. }
        | MailContent::Test => return Vec::new(),
    };
    let device = place.device.as_deref().and_then(device_of);
    vec![("device", Value::from(device)), ("ip", Value::from(place.ip.as_deref()))]
}

fn passkey_of(event: &SecurityEvent) -> Option<&str> {
    match event {
        SecurityEvent::PasskeyAdded(name)
        | SecurityEvent::PasskeyRemoved(name)
        | SecurityEvent::PasskeyCounterWentBack(name) => Some(name),
        SecurityEvent::AuthenticatorAdded
        | SecurityEvent::AuthenticatorRemoved
        | SecurityEvent::RecoveryCodesMade
        | SecurityEvent::RecoveryCodeUsed(_)
        | SecurityEvent::PasswordRemoved
        | SecurityEvent::FactorsReset
        | SecurityEvent::SecondFactorFailed
        | SecurityEvent::ApplicationAllowed { .. } => None,
    }
}

/// The name and the scopes of the application that a notice is about.
fn application_of(event: &SecurityEvent) -> Option<(&str, &[String])> {
    if let SecurityEvent::ApplicationAllowed { name, scopes } = event { Some((name, scopes)) } else { None }
}

fn codes_left(event: &SecurityEvent) -> Option<u32> {
    if let SecurityEvent::RecoveryCodeUsed(left) = event { Some(*left) } else { None }
}

/// `Firefox · Linux`: the same in every language. Only names that we know, because a stranger may have caused the mail: a
/// word of their choice would be an address to click or a number to call.
fn device_of(user_agent: &str) -> Option<String> {
    browser_in_words(user_agent).map(|words| words.replace(" on ", " · "))
}

/// The link and the code of this content.
pub(crate) fn secrets(content: &MailContent) -> (Option<&Secret>, Option<&Secret>) {
    match content {
        MailContent::Confirm { link, code, .. } => (link.as_ref(), code.as_ref()),
        MailContent::PasswordReset { link, .. }
        | MailContent::EmailChange { link, .. }
        | MailContent::EmailUndo { link, .. }
        | MailContent::Invitation { link, .. }
        | MailContent::ChoosePassword { link, .. }
        | MailContent::MoveIn { link, .. }
        | MailContent::Enrolment { link, .. } => (Some(link), None),
        MailContent::AlreadyRegistered { .. }
        | MailContent::Welcome { .. }
        | MailContent::PasswordChanged { .. }
        | MailContent::FailedSignIns { .. }
        | MailContent::RefreshReused { .. }
        | MailContent::SecurityNotice { .. }
        | MailContent::SecondFactorDue { .. }
        | MailContent::Test => (None, None),
    }
}

/// For how long the link of a mail works, counted from the request: whole days, hours or minutes, rounded down, because a
/// text may promise less than the truth, not more.
pub(crate) fn link_lasts(mail: &Mail) -> Option<(&'static str, Value)> {
    let expires_at = match &mail.content {
        MailContent::Confirm { link_expires_at, .. }
        | MailContent::PasswordReset { link_expires_at, .. }
        | MailContent::EmailChange { link_expires_at, .. }
        | MailContent::EmailUndo { link_expires_at, .. }
        | MailContent::Invitation { link_expires_at, .. }
        | MailContent::ChoosePassword { link_expires_at, .. }
        | MailContent::MoveIn { link_expires_at, .. }
        | MailContent::Enrolment { link_expires_at, .. } => *link_expires_at,
        MailContent::AlreadyRegistered { .. }
        | MailContent::Welcome { .. }
        | MailContent::PasswordChanged { .. }
        | MailContent::FailedSignIns { .. }
        | MailContent::RefreshReused { .. }
        | MailContent::SecurityNotice { .. }
        | MailContent::SecondFactorDue { .. }
        | MailContent::Test => return None,
    };
    let (minute, hour, day) = (60, 3_600, 86_400);
    // A part of a second is no reason to say an hour less.
    let seconds = u64::try_from(expires_at.since(mail.created_at).as_millis().div_ceil(1000)).unwrap_or(0);
    let unit = if seconds >= 2 * day {
        day
    } else if seconds >= hour {
        hour
    } else {
        minute
    };
    Some(("link_seconds", Value::from((seconds / unit * unit).max(minute))))
}

/// `2023-11-14 22:13`, in UTC: read the same way in every language.
pub(crate) fn minute(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_millis())
        .map_or_else(|_| at.to_string(), |time| time.strftime("%Y-%m-%d %H:%M").to_string())
}

/// Mails that together cover every branch of every template: rendered once when a `Mailer` is built.
pub(crate) fn samples() -> Vec<Mail> {
    let at = Timestamp::from_millis(1_700_000_000_000);
    let id: MailId = "msg_00000000000000000000000000".parse().expect("zeros are an id");
    let link = || Secret::from("https://example.org/page#token=sample&x=<y>");
    let code = || Some(Secret::from("0123"));
    let confirm = |link, code, seconds| MailContent::Confirm {
        link,
        code,
        code_lifetime: Duration::from_secs(seconds),
        link_expires_at: at,
    };
    let sign_in = || "https://example.org/sign-in".to_owned();
    let forgot = || "https://example.org/forgot".to_owned();
    let contents = [
        confirm(Some(link()), code(), 60),
        confirm(Some(link()), None, 90),
        confirm(None, code(), 1),
        confirm(None, code(), 600),
        confirm(None, code(), 3_600),
        confirm(None, code(), 7_200),
        MailContent::AlreadyRegistered { sign_in: sign_in() },
        MailContent::Welcome { sign_in: sign_in() },
        MailContent::EmailChange { link: link(), link_expires_at: at },
        MailContent::Test,
        MailContent::Invitation { link: link(), link_expires_at: at },
        MailContent::ChoosePassword { link: link(), link_expires_at: at },
        MailContent::MoveIn { link: link(), link_expires_at: at },
        MailContent::Enrolment { link: link(), link_expires_at: at },
        MailContent::SecondFactorDue { due_at: at, account: "https://example.org/account".to_owned() },
    ];
    let mail = |content| Mail {
        id,
        to: "sample@example.org".parse().expect("the sample address is one"),
        locale: None,
        created_at: at,
        content,
    };
    let placed = places().into_iter().flat_map(|place| {
        [
            MailContent::PasswordReset { link: link(), link_expires_at: at, place: place.clone() },
            MailContent::PasswordChanged { place: place.clone(), forgot: forgot() },
            MailContent::FailedSignIns { place: place.clone(), forgot: forgot() },
            MailContent::RefreshReused { place: place.clone(), forgot: forgot() },
            MailContent::EmailUndo { link: link(), link_expires_at: at, place },
        ]
    });
    contents.into_iter().chain(placed).chain(notices()).map(mail).collect()
}

/// Known, known in part, and not known.
fn places() -> [Place; 4] {
    let device = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    [(Some(device), Some("203.0.113.7")), (Some(device), None), (None, Some("2001:db8::7")), (None, None)]
        .map(|(device, ip)| Place { device: device.map(str::to_owned), ip: ip.map(str::to_owned) })
}

fn allowed(scopes: &[&str]) -> SecurityEvent {
    let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    SecurityEvent::ApplicationAllowed { name: "Field <Notes>".to_owned(), scopes }
}

/// Every event, from a place that is known and from one that is not.
fn notices() -> impl Iterator<Item = MailContent> {
    let passkey = || "Ada’s <phone>".to_owned();
    // So many codes that every language has used all its forms of counting.
    let codes = [0, 1, 2, 3, 4, 11].map(SecurityEvent::RecoveryCodeUsed);
    let events = [
        SecurityEvent::PasskeyAdded(passkey()),
        SecurityEvent::PasskeyRemoved(passkey()),
        SecurityEvent::PasskeyCounterWentBack(passkey()),
        SecurityEvent::AuthenticatorAdded,
        SecurityEvent::AuthenticatorRemoved,
        SecurityEvent::RecoveryCodesMade,
        SecurityEvent::PasswordRemoved,
        SecurityEvent::FactorsReset,
        SecurityEvent::SecondFactorFailed,
        allowed(&[]),
        allowed(&["openid", "profile", "email", "offline_access", "orders:<read>"]),
    ];
    events.into_iter().chain(codes).flat_map(move |event| {
        places().map(|place| MailContent::SecurityNotice {
            event: event.clone(),
            place,
            account: "https://example.org/account".to_owned(),
            forgot: "https://example.org/forgot".to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_sample() {
        for kind in MailContent::KINDS {
            assert!(samples().iter().any(|mail| mail.content.kind() == kind), "{kind}");
        }
    }

    // The words of a stranger have no place in a warning, nor those of an administrator in one to somebody else.
    #[test]
    fn a_device_is_told_in_words_and_only_the_owners() {
        let told = |event, sent: &str| {
            let content = MailContent::SecurityNotice {
                event,
                place: Place { device: Some(sent.to_owned()), ip: Some("203.0.113.7".to_owned()) },
                account: String::new(),
                forgot: String::new(),
            };
            let values = of(&content);
            (values["device"].as_str().map(str::to_owned), values["ip"].as_str().map(str::to_owned))
        };
        let (ip, failed) = (Some("203.0.113.7".to_owned()), SecurityEvent::SecondFactorFailed);
        for (sent, words) in [
            ("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", Some("Firefox · Linux")),
            ("call-0199-now/1.0", None),
            ("Call+1-555-0100 now, your account is blocked", None),
            ("https://example.com/", None),
            ("a\r\nBcc: eve@example.org", None),
        ] {
            assert_eq!(told(failed.clone(), sent), (words.map(str::to_owned), ip.clone()), "{sent:?}");
        }
        assert_eq!(told(SecurityEvent::FactorsReset, "curl/8.14.1"), (None, None));
    }

    #[test]
    fn a_minute_is_written_in_utc() {
        assert_eq!(minute(Timestamp::from_millis(1_700_000_000_123)), "2023-11-14 22:13");
    }
}
