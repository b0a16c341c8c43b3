use std::collections::BTreeSet;

use vestibule::MailContent;

use crate::support::{LOCALES, mailer};

#[test]
fn every_kind_can_be_looked_at_in_every_language() {
    let mailer = mailer("memory:");
    let locales: BTreeSet<&str> = mailer.locales().collect();
    assert_eq!(locales, BTreeSet::from(LOCALES));
    for kind in MailContent::KINDS {
        let [german, english, other] =
            ["de-AT", "en", "pt"].map(|locale| mailer.preview(kind, locale).unwrap().unwrap());
        assert!(german.html().contains("lang=\"de\"") && english.html().contains("lang=\"en\""), "{kind}");
        assert_eq!((other.subject(), other.text()), (english.subject(), english.text()), "{kind}");
        assert_ne!(german.text(), english.text(), "{kind}");
    }
    assert!(mailer.preview("nothing", "en").is_none());
}
