//! Every accepted address can be written in a letter and passed to a relay.

use proptest::prelude::*;
use vestibule::{Email, MailTransport as _, SendAttempt, SendError};
use vestibule_testing::{ACCEPTED_ADDRESSES, REFUSED_ADDRESSES};

use crate::support::{Relay, confirm, mail, mailer, render};

/// The header of a letter to this address.
fn header(to: &str) -> String {
    let letter = render(&mail(to, None, confirm()));
    let source = String::from_utf8(letter.source().to_vec()).unwrap();
    source.lines().find_map(|line| line.strip_prefix("To: ")).unwrap().to_owned()
}

#[tokio::test]
async fn what_is_accepted_is_sent() {
    let ehlo = "250-relay.example.org\r\n250-8BITMIME\r\n250 SMTPUTF8";
    for to in ACCEPTED_ADDRESSES {
        let in_mail = to.parse::<Email>().unwrap().in_mail();
        assert_eq!(header(to), in_mail);
        let relay = Relay::start(&[("EHLO", ehlo)]).await;
        mailer(&relay.url()).send(&mail(to, None, confirm()), &SendAttempt::untracked()).await.unwrap();
        assert!(relay.seen().contains(&format!("RCPT TO:<{in_mail}>")), "{to}: {:?}", relay.seen());
        let local_is_ascii = in_mail.is_ascii();
        assert_eq!(relay.seen().iter().any(|line| line.contains("SMTPUTF8")), !local_is_ascii, "{to}");
    }
}

// An old relay accepts everything but letters beyond ASCII, and refuses those permanently: other mails get through.
#[tokio::test]
async fn letters_beyond_ascii_need_a_relay_that_takes_them() {
    for to in ACCEPTED_ADDRESSES {
        let relay = Relay::start(&[]).await;
        let outcome = mailer(&relay.url()).send(&mail(to, None, confirm()), &SendAttempt::untracked()).await;
        if to.parse::<Email>().unwrap().in_mail().is_ascii() {
            assert_eq!(outcome, Ok(()), "{to}");
        } else {
            let Err(SendError::Permanent(cause)) = outcome else { panic!("{to}: {outcome:?}") };
            assert!(cause.contains("does not offer SMTPUTF8"), "{to}: {cause}");
        }
    }
}

#[test]
fn what_is_refused_is_no_recipient() {
    for to in REFUSED_ADDRESSES {
        assert!(to.parse::<Email>().is_err(), "{to:?}");
    }
}

proptest! {
    #[test]
    fn every_address_can_be_written(text in "\\PC{1,20}@[a-z]{1,8}\\.[a-z]{2,4}") {
        if let Ok(email) = text.parse::<Email>() {
            prop_assert_eq!(header(&text), email.in_mail());
        }
    }

    #[test]
    fn every_script_can_be_written(local in "[\\p{L}\\p{M}\\p{N}\\p{So}.]{1,12}", domain in "[\\p{L}]{1,8}\\.org") {
        let text = format!("{local}@{domain}");
        if let Ok(email) = text.parse::<Email>() {
            prop_assert_eq!(header(&text), email.in_mail());
        }
    }
}
