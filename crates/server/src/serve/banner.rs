//! What `serve --dev` prints when it is ready.

use std::io::{self, Write as _};
use std::path::Path;

use vestibule::SetupLink;

use crate::config::settings::{Config, Database};
use crate::entropy;
use crate::failure::Failure;

/// Prints where everything is, and a command ready to paste.
pub(crate) fn print(
    config: &Config,
    public_url: &str,
    address: &str,
    is_new: bool,
    setup: Option<&SetupLink>,
) -> Result<(), Failure> {
    let text = text(&database(&config.database, is_new), public_url, address, &password(), setup);
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Failure::failed(format!("cannot write to standard output: {error}")))
}

fn text(
    database: &str,
    public_url: &str,
    address: &str,
    password: &str,
    setup: Option<&SetupLink>,
) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let admin = setup.map_or_else(String::new, |setup| {
        let link = setup.link.expose();
        format!("\n  Admin       {link}   one use, 30 min; again: vestibule setup-link")
    });
    format!(
        "  vestibule {version} · dev mode · {database} · listening on {address} only\n\
         \n  Sign up     {public_url}/signup\
         \n  Mailbox     {public_url}/dev/mail   <- every email lands here, nothing is sent\
         \n  API docs    {public_url}/docs       works offline\
         \n  OpenID      {public_url}/.well-known/openid-configuration   client_id `dev`, any address on localhost{admin}\n\
         \n  Try: curl -s {public_url}/v1/signup -H content-type:application/json -d '{{\"email\":\"ada@example.com\",\"password\":\"{password}\"}}'\
         \n  Not for production: `vestibule init` writes the files for that.\n\n"
    )
}

fn database(database: &Database, is_new: bool) -> String {
    match database {
        Database::Sqlite(path) => format!("SQLite {}{}", shown(path), if is_new { " (created)" } else { "" }),
        Database::Postgres(_) => "PostgreSQL".to_owned(),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Three words and two digits, new at each start: a fixed example would end up in production, and on the lists that
/// attackers try first.
fn password() -> String {
    let random = entropy::bytes();
    let word = |i: usize| WORDS[usize::from(random[i]) % WORDS.len()];
    format!("{}-{}-{}-{:02}", word(0), word(1), word(2), random[3] % 100)
}

/// 64 words, so that each of the three is worth 6 bits.
const WORDS: [&str; 64] = [
    "acorn", "amber", "anchor", "apricot", "badger", "basalt", "beacon", "birch", "bramble", "canyon",
    "cedar", "cinder", "clover", "cobalt", "comet", "copper", "coral", "cricket", "dahlia", "delta", "ember",
    "falcon", "fennel", "fjord", "garnet", "ginger", "glacier", "hazel", "heron", "indigo", "ivory",
    "jasper", "juniper", "kestrel", "lagoon", "lantern", "lichen", "linden", "maple", "marble", "meadow",
    "nectar", "nutmeg", "ochre", "orchid", "otter", "pebble", "pepper", "plover", "quartz", "raven",
    "saffron", "sequoia", "sorrel", "sparrow", "thistle", "timber", "topaz", "tundra", "velvet", "violet",
    "walnut", "willow", "zephyr",
];

#[cfg(test)]
mod tests {
    use vestibule::{Password, PasswordContext, Policy};

    use super::*;

    #[test]
    fn the_password_is_fresh_and_good_enough() {
        let email = "ada@example.com".parse().unwrap();
        let context = PasswordContext { email: Some(&email), user_name: None };
        for _ in 0..50 {
            let text = password();
            let judged = Policy::default().passwords.check(&Password::new(&text).unwrap(), context);
            assert!(judged.is_ok(), "{text}: {judged:?}");
        }
        assert_ne!(password(), password());
    }

    #[test]
    fn links_lead_to_the_public_address() {
        let text = text("PostgreSQL", "http://localhost:8081", "127.0.0.1:8081", "a-b-c-42", None);
        assert!(!text.contains("Admin"), "{text}");
        assert!(
            text.contains("http://localhost:8081/dev/mail")
                && text.contains("http://localhost:8081/.well-known/openid-configuration")
                && text.contains("\"password\":\"a-b-c-42\"}'"),
            "{text}"
        );
    }
}
