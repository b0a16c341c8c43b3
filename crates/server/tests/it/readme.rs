//! The walk through the README, as a reader does it: paste a command, compare the answer, continue with its values.

use std::process::Command;

use serde_json::{Map, Value};
use vestibule_testing::{Site, on_both_databases};

const README: &str = include_str!("../../../../README.md");

/// Members that differ from run to run. All others are exactly as printed.
const VARYING: [&str; 11] = [
    "access_token",
    "code",
    "created_at",
    "email_confirmed_at",
    "expires_at",
    "id",
    "link",
    "refresh_token",
    "request_id",
    "resend_after",
    "text",
];

struct Block<'a> {
    language: &'a str,
    text: &'a str,
}

/// The fenced blocks of a section.
fn blocks(section: &str) -> Vec<Block<'static>> {
    let (_, rest) = README.split_once(&format!("\n## {section}\n")).unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let fenced = section.split("```").skip(1).step_by(2);
    fenced
        .map(|block| block.split_once('\n').unwrap())
        .map(|(language, text)| Block { language, text })
        .collect()
}

/// Printed values, and those of this run.
#[derive(Default)]
struct Reader {
    seen: Vec<(String, String)>,
}

impl Reader {
    /// The text with the values of this run.
    fn adapt(&self, printed: &str) -> String {
        self.seen.iter().fold(printed.to_owned(), |text, (old, new)| text.replace(old, new))
    }

    /// Compares an answer with the printed one and remembers the values that differ.
    #[track_caller]
    fn compare(&mut self, name: &str, printed: &Value, actual: &Value) {
        match (printed, actual) {
            (Value::Object(printed), Value::Object(actual)) => {
                let names = |object: &Map<String, Value>| object.keys().cloned().collect::<Vec<_>>();
                assert_eq!(names(printed), names(actual), "{name}");
                printed.iter().for_each(|(name, value)| self.compare(name, value, &actual[name]));
            }
            (Value::String(printed), Value::String(actual)) if printed != actual => {
                assert!(VARYING.contains(&name), "{name}: {printed} is {actual}");
                assert!(alike(printed, actual), "{name}: {printed} is {actual}");
                self.seen.push((printed.clone(), actual.clone()));
            }
            _ => assert_eq!(printed, actual, "{name}"),
        }
    }
}

/// Whether two texts have the same form: the same length and the same signs between letters and digits. Of a text that
/// ends with `…` only the part before its last word counts.
fn alike(printed: &str, actual: &str) -> bool {
    match printed.strip_suffix('…') {
        Some(start) => actual.starts_with(start.trim_end_matches(|c: char| c.is_ascii_alphanumeric())),
        None => form(printed) == form(actual),
    }
}

fn form(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { 'x' } else { c }).collect()
}

/// The output of a command, and the status, which curl is configured to add.
fn run(site: &Site, command: &str) -> (String, u16) {
    std::fs::write(site.path(".curlrc"), "write-out = \"\\n%{http_code}\"\n").unwrap();
    let output = Command::new("sh").args(["-c", command]).env("CURL_HOME", site.path("")).output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}; without curl run `cargo xtask setup`");
    let text = String::from_utf8(output.stdout).unwrap();
    let (text, status) = text.rsplit_once('\n').unwrap();
    (text.to_owned(), status.parse().unwrap())
}

/// Every line of a printed head occurs in the answer's, and the body follows it.
#[track_caller]
fn compare_whole(reader: &mut Reader, printed: &str, actual: &str) {
    let (head, body) = printed.split_once("\n\n").unwrap();
    let (actual_head, actual_body) = actual.split_once("\r\n\r\n").unwrap();
    for line in head.lines() {
        assert!(actual_head.lines().any(|actual| actual.trim_end() == line), "{line}: {actual_head}");
    }
    reader.compare("", &serde_json::from_str(body).unwrap(), &serde_json::from_str(actual_body).unwrap());
}

#[test]
fn the_walk_through_the_readme_goes_as_printed() {
    on_both_databases(|site| {
        let server = site.serve_for_development(&[]);
        let port = server.address.rsplit_once(':').unwrap().1;
        let mut reader = Reader::default();
        reader.seen.push(("localhost:8080".to_owned(), format!("localhost:{port}")));
        let blocks = blocks("The whole flow");
        assert_eq!(blocks.len(), 12, "six commands with their answers");
        for pair in blocks.chunks(2) {
            let [command, answer] = pair else { panic!("a command without an answer") };
            assert_eq!(command.language, "sh");
            let (actual, status) = run(site, &reader.adapt(command.text));
            let printed = reader.adapt(answer.text);
            if answer.language == "http" {
                assert!(printed.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {printed}");
                compare_whole(&mut reader, &printed, &actual);
            } else {
                assert!((200..300).contains(&status), "{status}: {}{actual}", command.text);
                let json = |text: &str| serde_json::from_str(text).unwrap();
                reader.compare("", &json(&printed), &json(&actual));
            }
        }
    });
}

#[test]
fn forms_are_compared_as_they_are_meant() {
    assert!(alike("2026-11-22T06:22:59.469Z", "2027-01-01T00:00:00.000Z"));
    assert!(!alike("2026-11-22T06:22:59.469Z", "2027-01-01T00:00:00Z"));
    assert!(alike("http://localhost/confirm?token=AaH8xb…", "http://localhost/confirm?token=zz-z"));
    assert!(!alike("http://localhost/confirm?token=AaH8xb…", "http://localhost/reset?token=zz-z"));
    assert!(alike("9280", "0042") && !alike("9280", "92801"));
}
