use std::io::BufReader;

use proptest::prelude::*;
use serde_json::{Value, json};
use vestibule::ImportedUser;

use super::elements::{Element, Elements};
use super::fields::RoleMap;
use super::formats::Format;
use super::lines::{Line, Lines};
use super::record::{OCTETS_MAX, Record, Refusal};
use super::rows::{Form, Rows};

const HASH: &str = "$2y$04$1gnL6ziaUMmsCxaZNHuH/.Y8JnheI9HwVy8n0GoNmf.ufn4pEmjjW";

fn records(text: &[u8], is_object: bool) -> (Form, Vec<Record>) {
    // A small buffer, so that everything is cut somewhere.
    let (form, mut rows) = Rows::open(BufReader::with_capacity(7, text), is_object).unwrap();
    let mut records = Vec::new();
    while let Some(record) = rows.next().unwrap() {
        records.push(record);
    }
    (form, records)
}

fn user(format: Format, record: Value) -> Result<ImportedUser, Refusal> {
    let Value::Object(record) = record else { panic!("no object") };
    let roles = RoleMap::from([("author".to_owned(), "editor".to_owned())]);
    format.fields(record, None)?.expect("a user").user(&roles).map(|(user, _)| user)
}

fn refused(format: Format, record: Value) -> (&'static str, String) {
    let refusal = user(format, record).unwrap_err();
    (refusal.field, refusal.reason)
}

#[test]
fn lines_are_bounded_and_counted() {
    let long = "x".repeat(OCTETS_MAX + 1);
    let text = format!("a\r\n\n{long}\nb\n{}", "y".repeat(3 * OCTETS_MAX));
    let mut lines = Lines::new(BufReader::new(text.as_bytes()));
    let mut next = || lines.next().unwrap();
    assert_eq!(next(), Some(Line::Whole(b"a".to_vec())));
    assert_eq!(next(), Some(Line::Whole(Vec::new())));
    assert_eq!(next(), Some(Line::TooLong));
    assert_eq!(next(), Some(Line::Whole(b"b".to_vec())));
    assert_eq!(next(), Some(Line::TooLong));
    assert_eq!(next(), None);
    assert_eq!(lines.number, 5);
}

#[test]
fn the_form_is_seen_at_the_beginning() {
    for (text, form, many) in [
        ("{\"a\":1}\n\n{\"a\":2}", Form::JsonLines, 2),
        ("\u{feff}{\"a\":1}\r\n", Form::JsonLines, 1),
        (" [ {\"a\":\"],[\\\"\"} , {\"b\":[{}]} ]", Form::JsonArray { in_object: false }, 2),
        ("[]", Form::JsonArray { in_object: false }, 0),
        ("email,locale\r\na@b.c,de\r\n\"a\nb\"\"\",\n", Form::Csv, 2),
        ("", Form::JsonLines, 0),
    ] {
        let (found, records) = records(text.as_bytes(), false);
        assert_eq!((found, records.len()), (form, many), "{text}");
        assert!(records.iter().all(|record| record.fields.is_ok()), "{text}: {records:?}");
    }
    let realm = br#"{"id": "x, [1]", "roles": {"users": [1]}, "users" : [{"a": 1}, {"a": 2}], "more": []}"#;
    let (form, found) = records(realm, true);
    assert_eq!((form, found.len()), (Form::JsonArray { in_object: true }, 2));
    assert_eq!(found[1].raw, br#"{"a": 2}"#);
}

// One bad record is told, and the next ones are read.
#[test]
fn a_record_that_cannot_be_read_is_one_record() {
    let reasons = |text: &[u8]| -> Vec<String> {
        let (_, records) = records(text, false);
        records
            .into_iter()
            .map(|record| record.fields.map_or_else(|why| why.reason, |_| "good".to_owned()))
            .collect()
    };
    let found = reasons(b"{\"a\":1}\n{\"a\":\n\xff\n[1]\n{\"a\":\"\0\"}\n{\"a\":2}");
    assert!(found[1].starts_with("this is not JSON: EOF"), "{found:?}");
    assert_eq!(found[2], "this is not UTF-8");
    assert_eq!(found[3], "this is JSON, but no object");
    assert!(found[4].starts_with("this is not JSON: control character"), "{found:?}");
    assert_eq!((found[0].as_str(), found[5].as_str(), found.len()), ("good", "good", 6));
    let found = reasons(b"a,b\n1\n1,2\n\xff,2\n\"1,2");
    assert_eq!(
        found,
        ["1 cells in a file with 2 columns", "good", "this is not UTF-8", "a quote is opened and not closed"]
    );
    let huge = format!("[{{\"a\":\"{}\"}},{{}}]", "x".repeat(OCTETS_MAX));
    let found = reasons(huge.as_bytes());
    assert!(found[0].starts_with("this is longer than 1 MiB") && found[1] == "good", "{found:?}");
}

#[test]
fn a_list_that_is_not_whole_is_an_error() {
    for (text, words) in [
        ("[{\"a\":1}", "ends in the middle"),
        ("[{\"a\":\"]", "ends in the middle"),
        ("{\"a\":[]}", "no list of users"),
        ("{\"users\":{}}", "no list of users"),
        ("{", "no list of users"),
        ("x", "no list of users"),
    ] {
        let mut elements = Elements::new(BufReader::new(text.as_bytes()));
        let error = loop {
            match elements.next() {
                Ok(Some(Element::Whole(_))) => {}
                Ok(other) => panic!("{text}: {other:?}"),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
}

#[test]
fn our_own_fields_are_judged_one_by_one() {
    let whole = json!({
        "email": "ada@example.org", "password_hash": HASH, "external_id": "1", "user_name": "countess",
        "display_name": "Ada", "locale": "de", "roles": ["author", "other"], "created_at": "2020-01-01T00:00:00Z",
        "email_confirmed_at": true, "disabled_at": null, "data": {"a": 1}, "app_data": "{\"b\":2}",
    });
    let ada = user(Format::Jsonl, whole.clone()).unwrap();
    assert_eq!(
        (ada.roles.names(), ada.password_hash.unwrap().kind()),
        (&["editor".to_owned()][..], "bcrypt")
    );
    assert_eq!((ada.email_confirmed_at, ada.disabled_at), (None, None));
    for (field, value, reason) in [
        ("email", json!(null), "there is no address"),
        ("email", json!(1), "this is no text"),
        ("email", json!("ada"), "not an email address"),
        ("email", json!("a\0@example.org"), "not an email address"),
        ("email", json!(format!("{}@example.org", "a".repeat(65))), "longer than"),
        ("password_hash", json!("violet-otter"), "no password hash"),
        ("password_hash", json!(HASH.replace("$04$", "$15$")), "costs too much"),
        ("password_hash", json!("$2y$04$x"), "damaged"),
        ("external_id", json!(7), "this is no text"),
        ("external_id", json!("a b"), "blanks"),
        ("user_name", json!("a@b"), "a user name is made of"),
        ("user_name", json!("admin"), "reserved"),
        ("display_name", json!("\u{202e}"), "cannot be seen"),
        ("locale", json!("?"), "language tag"),
        ("roles", json!([1]), "no list of texts"),
        ("roles", json!(true), "no list of texts"),
        ("created_at", json!("yesterday"), "not a time"),
        ("created_at", json!(1), "this is no text"),
        ("email_confirmed_at", json!(1), "no time"),
        ("disabled_at", json!("2020"), "not a time"),
        ("data", json!([]), "no JSON object"),
        ("app_data", json!("x"), "no JSON object"),
        ("data", json!({"a": "x".repeat(5000)}), "4"),
    ] {
        let mut row = whole.clone();
        row[field] = value;
        let (found, words) = refused(Format::Jsonl, row.clone());
        assert!(found == field && words.contains(reason), "{row}: {found}: {words}");
    }
    assert!(refused(Format::Jsonl, json!({"mail": "x"})).1.contains("\"mail\" is no field"));
}

// docs/import.schema.json says what an import says.
#[test]
fn our_own_format_has_a_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../../docs/import.schema.json")).unwrap();
    let mut named: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut fields = super::fields::FIELDS.to_vec();
    named.sort_unstable();
    fields.sort_unstable();
    assert_eq!(named, fields);
    let schema = jsonschema::validator_for(&schema).unwrap();
    let good = [
        json!({"email": "ada@example.org"}),
        json!({"email": "ada@example.org", "external_id": null, "user_name": null, "display_name": null, "locale": null,
            "roles": null, "created_at": null, "disabled_at": null, "data": null, "app_data": null, "password_hash": null}),
        json!({"email": "ada@example.org", "external_id": "auth0|1", "user_name": "countess", "display_name": "Ada L.",
            "locale": "pt-BR", "roles": ["a", "b"], "created_at": "2020-01-01", "email_confirmed_at": "2020-01-01T09:30:00+01:00",
            "disabled_at": "2021-01-01 10:00:00Z", "data": {"a": 1}, "app_data": "{}", "password_hash": HASH}),
        json!({"email": "ada@example.org", "roles": "a, b", "email_confirmed_at": true}),
        json!({"email": "ada@example.org", "email_confirmed_at": "true"}),
        json!({"email": "ada@example.org", "email_confirmed_at": null}),
        json!({"email": "ada@example.org", "email_confirmed_at": false}),
    ];
    for row in good {
        assert!(
            schema.is_valid(&row),
            "{row}: {:?}",
            schema.iter_errors(&row).map(|it| it.to_string()).collect::<Vec<_>>()
        );
        user(Format::Jsonl, row.clone()).unwrap_or_else(|why| panic!("{row}: {why:?}"));
    }
    for (field, value) in [
        ("email", json!(null)),
        ("email", json!("ada")),
        ("external_id", json!(7)),
        ("external_id", json!("a b")),
        ("user_name", json!("a@b")),
        ("display_name", json!("")),
        ("locale", json!("?")),
        ("roles", json!([1])),
        ("roles", json!(true)),
        ("created_at", json!("yesterday")),
        ("created_at", json!(1)),
        ("email_confirmed_at", json!(1)),
        ("disabled_at", json!(true)),
        ("data", json!([])),
        ("app_data", json!(1)),
        ("password_hash", json!(1)),
        ("shoe", json!(1)),
    ] {
        let mut row = json!({"email": "ada@example.org"});
        row[field] = value;
        assert!(!schema.is_valid(&row), "{row}");
        user(Format::Jsonl, row.clone()).expect_err(&row.to_string());
    }
}

#[test]
fn other_systems_are_understood() {
    let keycloak = json!({
        "algorithm": "pbkdf2-sha256", "hashIterations": 1, "additionalParameters": {}
    });
    let secret = json!({"value": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "salt": "AAAA"});
    let records = [
        (
            Format::Django,
            json!({"model": "auth.user", "pk": 7, "fields": {"email": "a@example.org", "username": "ada.l",
            "password": format!("bcrypt${HASH}"), "date_joined": "2024-05-06T07:08:09.123Z", "is_active": false,
            "first_name": "Ada", "last_name": "L", "is_superuser": true, "groups": [["author"]]}}),
        ),
        (
            Format::FastapiUsers,
            json!({"id": "7", "email": "a@example.org", "hashed_password": HASH, "is_active": "f",
            "is_superuser": "t", "is_verified": "1", "created_at": "2024-05-06 07:08:09.123"}),
        ),
        (
            Format::Supabase,
            json!({"id": "7", "email": "a@example.org", "encrypted_password": HASH,
            "email_confirmed_at": "2024-05-06 07:08:09.123+00", "created_at": "2024-05-06 07:08:09.123+00",
            "banned_until": "2999-01-01 00:00:00+00", "deleted_at": null}),
        ),
        (
            Format::Pocketbase,
            json!({"id": "7", "email": "a@example.org", "password": HASH, "verified": true, "name": "Ada",
            "created": "2024-05-06 07:08:09.123Z"}),
        ),
        (
            Format::BetterAuth,
            json!({"id": "7", "email": "a@example.org", "password": HASH, "emailVerified": 1, "name": "Ada",
            "createdAt": "2024-05-06T07:08:09.123Z", "role": "author", "banned": 1}),
        ),
        (
            Format::Keycloak,
            json!({"id": "7", "email": "a@example.org", "emailVerified": true, "enabled": false,
            "createdTimestamp": 1_714_979_289_123_i64, "firstName": "Ada", "realmRoles": ["author"], "credentials": [
                {"type": "otp"},
                {"type": "password", "credentialData": keycloak.to_string(), "secretData": secret.to_string()}]}),
        ),
        (
            Format::Auth0,
            json!({"_id": {"$oid": "7"}, "email": "a@example.org", "email_verified": true, "blocked": true,
            "created_at": "2024-05-06T07:08:09.123Z", "passwordHash": HASH, "name": "a@example.org"}),
        ),
        (
            Format::Devise,
            json!({"id": "7", "email": "a@example.org", "encrypted_password": HASH,
            "confirmed_at": "2024-05-06 07:08:09.123", "created_at": "2024-05-06 07:08:09.123 UTC"}),
        ),
    ];
    for (format, record) in records {
        let found = user(format, record).unwrap_or_else(|why| panic!("{format:?}: {why:?}"));
        assert_eq!(found.external_id.unwrap().as_str(), "7", "{format:?}");
        assert_eq!(found.created_at.unwrap().to_string(), "2024-05-06T07:08:09.123Z", "{format:?}");
        assert!(found.password_hash.is_some(), "{format:?}");
        let is_disabled = !matches!(format, Format::Pocketbase | Format::Devise);
        assert_eq!(found.disabled_at.is_some(), is_disabled, "{format:?}");
        let has_role = matches!(format, Format::Django | Format::BetterAuth | Format::Keycloak);
        let roles: Vec<&str> = found.roles.names().iter().map(String::as_str).collect();
        assert_eq!(roles, if has_role { vec!["editor"] } else { vec![] }, "{format:?}");
    }
}

// An address counts as confirmed only where the other system says so, or says nothing at all.
#[test]
fn unconfirmed_addresses_are_known() {
    for (format, name, unconfirmed) in [
        (Format::FastapiUsers, "is_verified", json!("f")),
        (Format::FastapiUsers, "is_verified", json!(null)),
        (Format::Supabase, "email_confirmed_at", json!(null)),
        (Format::Pocketbase, "verified", json!(false)),
        (Format::BetterAuth, "emailVerified", json!(0)),
        (Format::Keycloak, "emailVerified", json!(false)),
        (Format::Firebase, "emailVerified", json!(false)),
        (Format::Auth0, "email_verified", json!(false)),
        (Format::Devise, "confirmed_at", json!(null)),
        (Format::Csv, "email_confirmed_at", json!(null)),
        (Format::Jsonl, "email_confirmed_at", json!(false)),
        (Format::Jsonl, "email_confirmed_at", json!("false")),
    ] {
        let mut record = json!({"email": "a@example.org"});
        let is_confirmed = |record: &Value| user(format, record.clone()).map(|user| user.is_confirmed);
        assert_eq!(is_confirmed(&record), Ok(true), "{format:?}");
        record[name] = unconfirmed;
        assert_eq!(is_confirmed(&record), Ok(false), "{format:?}");
    }
}

proptest! {
    #[test]
    fn anything_is_read_or_refused(text in prop::collection::vec(any::<u8>(), 0..200), is_object: bool) {
        if let Ok((_, mut rows)) = Rows::open(BufReader::with_capacity(3, text.as_slice()), is_object) {
            while let Ok(Some(record)) = rows.next() {
                for format in <Format as clap::ValueEnum>::value_variants() {
                    if let Ok(fields) = record.fields.clone() {
                        let _ = format.fields(fields, None).map(|fields| fields.map(|it| it.user(&RoleMap::new())));
                    }
                }
            }
        }
    }
}
