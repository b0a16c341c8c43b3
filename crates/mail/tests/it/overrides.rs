use std::fs;
use std::path::Path;

use vestibule::MailContent;
use vestibule_mail::{Console, Mailer, MailerError, TemplateError, Transport};

use crate::support::{config, confirm, mail};

fn build(folder: &Path) -> Result<Mailer, MailerError> {
    let mut config = config();
    config.templates = Some(folder.to_owned());
    Mailer::new(config, Transport::Console(Console))
}

fn with(files: &[(&str, &str)]) -> Result<Mailer, MailerError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, source) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, source).unwrap();
    }
    build(folder.path())
}

#[test]
fn one_file_replaces_one_file() {
    let mailer =
        with(&[("confirm/en/subject.txt", "Hello from {{ site_name }}\n"), (".DS_Store", "x")]).unwrap();
    let letter = |locale| mailer.render(&mail("ada@example.org", Some(locale), confirm())).unwrap();
    assert_eq!(letter("en").subject(), "Hello from Fish & Chips");
    assert!(letter("en").text().contains("4711"));
    assert!(letter("de").subject().starts_with("Bitte"));
}

#[test]
fn the_layout_can_be_replaced() {
    let mailer = with(&[("shared/layout.html", "<b>{% block content %}{% endblock %}</b>")]).unwrap();
    let letter = mailer.render(&mail("ada@example.org", None, confirm())).unwrap();
    assert!(letter.html().starts_with("<b>") && letter.html().contains("4711"));
}

#[test]
fn a_language_can_be_added_when_it_is_complete() {
    let mut files = Vec::new();
    for kind in MailContent::KINDS {
        for part in ["subject.txt", "body.txt", "body.html"] {
            files.push((format!("{kind}/fr-CA/{part}"), "Bonjour"));
        }
    }
    let files: Vec<_> = files.iter().map(|(name, source)| (name.as_str(), *source)).collect();
    let mailer = with(&files).unwrap();
    let subject = |locale| {
        mailer.render(&mail("ada@example.org", Some(locale), confirm())).unwrap().subject().to_owned()
    };
    assert_eq!(subject("fr-ca"), "Bonjour");
    assert_ne!(subject("fr"), "Bonjour");
    let error = with(&files[1..]).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("fr-CA"), "{error}");
}

#[test]
fn a_broken_file_is_found_when_the_mailer_is_built() {
    for (name, source) in [
        ("confirm/en/body.txt", "{{ code "),
        ("confirm/en/body.txt", "{{ coed }}"),
        ("confirm/en/body.txt", "{% if code %}{{ code }}{% else %}{{ nothing }}{% endif %}"),
        ("welcome/de/body.html", "{% extends 'shared/nothing.html' %}"),
        ("welcome/de/subject.txt", ""),
        ("welcome/de/subject.txt", "two\nlines"),
        ("shared/layout.html", "{{ nothing }}"),
    ] {
        let error = with(&[(name, source)]).map(|_| ()).unwrap_err();
        assert!(
            matches!(error, MailerError::Templates(TemplateError::Broken { .. })),
            "{name} {source}: {error}"
        );
    }
}

// M4, M5: even an operator cannot put the code or typed text into the subject.
#[test]
fn a_subject_knows_neither_the_code_nor_the_address() {
    let subjects = |names: &[&str]| {
        let known = names.iter().map(|name| format!("{name} is defined")).collect::<Vec<_>>().join(" or ");
        let files = MailContent::KINDS.map(|kind| {
            let source = format!("{{% if {known} %}}known{{% else %}}unknown{{% endif %}}");
            (format!("{kind}/en/subject.txt"), source)
        });
        let mailer = with(&files.each_ref().map(|(name, source)| (name.as_str(), source.as_str()))).unwrap();
        let subject = |kind| mailer.preview(kind, "en").unwrap().unwrap().subject().to_owned();
        MailContent::KINDS.map(subject)
    };
    let secrets = ["code", "link", "to", "passkey", "device", "ip", "account"];
    assert!(subjects(&secrets).iter().all(|subject| subject == "unknown"));
    assert!(subjects(&["site_name"]).iter().all(|subject| subject == "known"));
}

#[test]
fn a_misspelled_name_is_found() {
    for name in [
        "confrim/en/subject.txt",
        "confirm/en/subject.text",
        "confirm/subject.txt",
        "readme.md",
        "a/b/c/d.txt",
    ] {
        let error = with(&[(name, "x")]).map(|_| ()).unwrap_err();
        assert!(matches!(error, MailerError::Templates(TemplateError::UnknownFile(_))), "{name}: {error}");
    }
}

#[test]
fn a_missing_folder_is_found() {
    let error = build(Path::new("/nowhere/at/all")).map(|_| ()).unwrap_err();
    assert!(matches!(error, MailerError::Templates(TemplateError::Unreadable { .. })), "{error}");
}
