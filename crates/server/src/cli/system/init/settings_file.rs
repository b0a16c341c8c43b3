//! `vestibule.toml` with every setting: those in force as they are, the others as comments with their defaults.

use std::fmt::Write as _;

use toml::Value;

use crate::config::reference::{Entry, Form, entries};

/// Characters of a comment's line at most.
const WIDTH: usize = 100;

/// The text of the file, in which these keys have values.
pub(super) fn text(head: &str, values: &[(&str, Value)]) -> String {
    let mut text = head.to_owned();
    let mut before = "";
    // A table that is a setting itself must not swallow the keys of the top level.
    let (tables, plain): (Vec<Entry>, Vec<Entry>) =
        entries().into_iter().partition(|entry| matches!(entry.form, Form::Pairs | Form::Tables));
    for entry in &plain {
        let (section, name) = entry.key.path.split_once('.').unwrap_or(("", entry.key.path));
        if section != before {
            let _ = write!(text, "\n[{section}]\n");
            before = section;
        }
        comment(&mut text, entry);
        let value = values.iter().find(|(path, _)| *path == entry.key.path).map(|(_, value)| value);
        let _ = match value {
            Some(value) => writeln!(text, "{name} = {value}"),
            None => writeln!(text, "#{name} = {}", entry.default),
        };
    }
    for entry in &tables {
        text.push('\n');
        comment(&mut text, entry);
        let path = entry.key.path;
        let _ = match entry.form {
            Form::Tables => writeln!(text, "#[[{path}]]"),
            _ => writeln!(text, "#[{path}]"),
        };
    }
    text
}

fn comment(text: &mut String, entry: &Entry) {
    let key = entry.key;
    let mut said = key.what.to_owned();
    if let Form::Word(_) | Form::List(_) = entry.form {
        let _ = write!(said, " ({})", entry.form);
    }
    if key.secret {
        let _ = write!(said, ". A secret: better in a file, named by {}_FILE", key.variable());
    }
    let mut line = String::from("#");
    for word in said.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use toml::Table;

    use super::*;
    use crate::config::layers::Layers;

    #[test]
    fn every_setting_is_there_with_its_default() {
        let text = text("# Head.\n", &[("mail.from", "a@example.org".into())]);
        let set: Table = text.parse().unwrap();
        assert_eq!(set["mail"]["from"].as_str(), Some("a@example.org"));
        let is_setting = |line: &str| line.strip_prefix('#').is_some_and(|rest| !rest.starts_with(' '));
        let lines = text.lines().map(|line| if is_setting(line) { &line[1..] } else { line });
        let all: Table = lines.collect::<Vec<_>>().join("\n").parse().unwrap();
        let mut defaults = Layers::defaults().merged();
        defaults["mail"]["from"] = "a@example.org".into();
        defaults.insert("clients".to_owned(), Value::Array(vec![Table::new().into()]));
        assert_eq!(all, defaults);
    }
}
