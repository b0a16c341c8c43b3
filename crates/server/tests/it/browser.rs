//! The pages in a real browser: Chromium, driven by the scripts in `tests/browser`.
//!
//! `VESTIBULE_SCREENSHOTS=<folder> cargo xtask test browser::looks` also writes a picture of every page in every state,
//! at 320 and 1440 pixels, light and dark.

use std::path::Path;

use crate::program::{Server, Site};

/// Runs one part of a script against a server of its own.
fn runs(site: &Site, script: &str, part: &str) {
    drives(&site.serve(), script, &[part]);
}

/// The same where `root@example.org` administrates.
fn as_administrator(site: &Site, script: &str, part: &str) {
    let server = site.serve();
    site.has_user("root@example.org", &["--admin"]);
    drives(&server, script, &[part]);
}

/// Runs a script with the name of its part, and whatever that part needs to know.
fn drives(server: &Server, script: &str, part: &[&str]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(script);
    let url = format!("http://localhost:{}", server.address.rsplit_once(':').unwrap().1);
    let output = vestibule_testing::node().arg(path).arg(url).args(part).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} {part:?}: {said}");
}

macro_rules! in_a_browser {
    ($($script:literal { $($(#[$meta:meta])* $name:ident = $part:literal;)* })*) => {$($(
        $(#[$meta])*
        #[test]
        fn $name() {
            runs(&Site::sqlite(), $script, $part);
        }
    )*)*};
}

in_a_browser! {
    "flows.mjs" {
        a_sign_up_ends_in_the_account = "signUp";
        a_code_ends_in_the_account = "signUpByCode";
        every_page_works_without_scripts = "withoutScripts";
        the_waiting_browser_goes_on_by_itself = "anotherDevice";
        // S8
        a_scanner_confirms_nothing = "scanner";
        a_forgotten_password_is_replaced = "forgotten";
        // B2
        a_forged_form_does_nothing = "forged";
        // B3
        a_sign_in_leads_nowhere_else = "returnTo";
        // M12
        the_description_needs_no_network = "docs";
        the_mailbox_shows_mails_and_fails_when_told = "mailbox";
    }
    "looks.mjs" {
        looks_of_signing_up = "signUp";
        looks_of_the_account = "account";
        looks_in_every_language = "languages";
        looks_of_the_mailbox = "mailbox";
    }
}

// O4: without scripts.
#[test]
fn administrators_help_sign_ups_and_mail() {
    as_administrator(&Site::sqlite(), "flows.mjs", "lists");
}

#[test]
fn looks_of_the_lists() {
    as_administrator(&Site::sqlite(), "looks.mjs", "lists");
}

#[test]
fn a_sign_up_ends_in_the_account_on_postgres() {
    runs(&Site::postgres(), "flows.mjs", "signUp");
}

#[test]
fn looks_of_an_outage() {
    let mut cluster = vestibule_testing::Cluster::start_private();
    let site = Site::on(cluster.database());
    let server = site.serve();
    cluster.stop();
    drives(&server, "looks.mjs", &["outage"]);
    drop(server);
    cluster.start();
}

#[test]
fn looks_of_closed_sign_ups() {
    for mode in ["invitation", "closed"] {
        let site = Site::sqlite();
        let mut command = site.command(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
        command.env("VESTIBULE_SIGNUP_MODE", mode);
        drives(&Server::start(command), "looks.mjs", &["closed", mode]);
    }
}

#[test]
fn an_administrator_disables_and_enables_a_user() {
    as_administrator(&Site::sqlite(), "flows.mjs", "disables");
}

#[test]
fn an_administrator_disables_and_enables_a_user_without_scripts() {
    as_administrator(&Site::sqlite(), "flows.mjs", "disablesWithoutScripts");
}

// O4
#[test]
fn an_administrator_gives_and_takes_roles() {
    as_administrator(&Site::sqlite(), "flows.mjs", "roles");
}

#[test]
fn looks_of_the_users() {
    as_administrator(&Site::sqlite(), "looks.mjs", "users");
}

// O3
#[test]
fn the_first_administrator_is_made_by_the_link_of_the_banner_and_invites() {
    let site = Site::sqlite();
    let server = site.serve();
    let said = server.says("Admin ");
    let link = said.split_whitespace().find(|word| word.contains("/setup#k=")).unwrap();
    drives(&server, "looks.mjs", &["joining", link]);
}
