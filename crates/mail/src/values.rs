//! The values that templates can use, per kind of mail.

use std::collections::BTreeMap;
use std::time::Duration;

use minijinja::Value;
use vestibule::{Mail, MailContent, MailId, Secret, Timestamp};

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
        MailContent::PasswordReset { link, link_expires_at }
        | MailContent::EmailChange { link, link_expires_at }
        | MailContent::EmailUndo { link, link_expires_at }
        | MailContent::Invitation { link, link_expires_at }
        | MailContent::ChoosePassword { link, link_expires_at } => {
            vec![("link", Value::from(link.expose())), ("link_until", Value::from(minute(*link_expires_at)))]
        }
        MailContent::PasswordChanged { forgot }
        | MailContent::FailedSignIns { forgot }
        | MailContent::RefreshReused { forgot } => vec![("forgot", Value::from(forgot.as_str()))],
        MailContent::Test => Vec::new(),
    };
    values.into_iter().collect()
}

/// The link and the code of this content.
pub(crate) fn secrets(content: &MailContent) -> (Option<&Secret>, Option<&Secret>) {
    match content {
        MailContent::Confirm { link, code, .. } => (link.as_ref(), code.as_ref()),
        MailContent::PasswordReset { link, .. }
        | MailContent::EmailChange { link, .. }
        | MailContent::EmailUndo { link, .. }
        | MailContent::Invitation { link, .. }
        | MailContent::ChoosePassword { link, .. } => (Some(link), None),
        MailContent::AlreadyRegistered { .. }
        | MailContent::Welcome { .. }
        | MailContent::PasswordChanged { .. }
        | MailContent::FailedSignIns { .. }
        | MailContent::RefreshReused { .. }
        | MailContent::Test => (None, None),
    }
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
        MailContent::PasswordReset { link: link(), link_expires_at: at },
        MailContent::PasswordChanged { forgot: forgot() },
        MailContent::FailedSignIns { forgot: forgot() },
        MailContent::RefreshReused { forgot: forgot() },
        MailContent::EmailChange { link: link(), link_expires_at: at },
        MailContent::EmailUndo { link: link(), link_expires_at: at },
        MailContent::Test,
        MailContent::Invitation { link: link(), link_expires_at: at },
        MailContent::ChoosePassword { link: link(), link_expires_at: at },
    ];
    let mail = |content| Mail {
        id,
        to: "sample@example.org".parse().expect("the sample address is one"),
        locale: None,
        created_at: at,
        content,
    };
    contents.into_iter().map(mail).collect()
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

    #[test]
    fn a_minute_is_written_in_utc() {
        assert_eq!(minute(Timestamp::from_millis(1_700_000_000_123)), "2023-11-14 22:13");
    }
}
