//! The pages in a real browser: Chromium, driven by the scripts in `tests/browser`.
//!
//! `cargo xtask look <folder>` runs those that look at pages, and keeps a picture of every page in every state.

use std::path::Path;

use vestibule_testing::{Server, Site};

/// Runs one part of a script against a separate server.
fn runs(site: &Site, script: &str, part: &str) {
    drives(&site.serve_for_development(&[]), script, &[part]);
}

/// The same with `root@example.org` as administrator.
fn as_administrator(site: &Site, script: &str, part: &str) {
    let server = site.serve_for_development(&[]);
    site.has_user("root@example.org", &["--admin"]);
    drives(&server, script, &[part]);
}

/// Runs a script with the name of its part, and the arguments that part needs.
fn drives(server: &Server, script: &str, part: &[&str]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(script);
    let url = format!("http://localhost:{}", server.address.rsplit_once(':').unwrap().1);
    let output = vestibule_testing::node().arg(path).arg(url).args(part).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} {part:?}: {said}");
}

/// The same with two applications on another host, one of them also on this machine.
fn with_applications(site: &Site, script: &str, part: &str) {
    let server = site.serve_for_development(&[]);
    for (id, name) in
        [("notes", "Field Notes"), ("shop", "A shop with a rather long name, of all things & more")]
    {
        let places = [
            "--redirect-uri",
            "https://notes.example/callback",
            "--redirect-uri",
            "http://127.0.0.1/callback",
        ];
        let back = ["--post-logout-redirect-uri", "https://notes.example/bye", "--scope", "notes:write"];
        let add = ["client", "add", id, "--public", "--name", name];
        site.run(&[&add[..], &places, &back].concat()).ok();
    }
    drives(&server, script, &[part]);
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
        a_code_that_is_over_makes_way_for_another = "codeIsOver";
        a_misspelled_domain_is_noticed = "misspelled";
        a_theme_is_remembered = "theme";
        a_theme_is_remembered_without_scripts = "themeWithoutScripts";
        a_row_opens_where_it_is_needed = "rows";
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
        the_reference_signs_in_with_code_and_pkce = "docsSignIn";
        the_mailbox_shows_mails_and_fails_when_told = "mailbox";
    }
    "journeys.mjs" {
        a_late_form_is_not_lost = "lateForms";
        a_code_under_way_is_not_overtaken = "codeUnderWay";
        a_password_of_a_sign_up_leads_to_its_code = "unconfirmed";
        another_language_keeps_what_was_typed = "languages";
        another_language_keeps_what_was_typed_without_scripts = "languagesWithoutScripts";
        a_chosen_language_counts_before_that_of_the_account = "languageOfTheAccount";
        other_keyboards_and_clipboards_are_understood = "otherKeyboards";
    }
    "factors.mjs" {
        a_passkey_is_added_used_renamed_and_removed = "passkey";
        a_passkey_is_offered_in_the_field_of_the_name = "autofill";
        a_passkey_without_verification_is_refused = "unverified";
        a_passkey_is_a_second_factor = "secondFactor";
        a_passkey_steps_a_session_up_and_what_waited_is_done = "stepUp";
        a_passkey_proof_leads_back_and_counts = "proof";
        an_app_and_a_recovery_code_work_without_scripts = "withoutScripts";
        recovery_codes_are_kept_and_the_offer_comes_once = "keeping";
        looks_of_the_factors = "looks";
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

// The browser forgets it.
#[test]
fn a_passkey_that_nobody_knows_is_forgotten() {
    as_administrator(&Site::sqlite(), "factors.mjs", "unknown");
}

// B13: whatever lies between, Chromium lets each form lead to the application in the end.
#[test]
fn a_sign_up_leads_back_to_the_application_that_asked() {
    with_applications(&Site::sqlite(), "oauth.mjs", "signUp");
}

#[test]
fn an_answer_reaches_a_program_on_this_machine() {
    with_applications(&Site::sqlite(), "oauth.mjs", "toProgram");
}

#[test]
fn looks_of_the_way_to_an_application() {
    with_applications(&Site::sqlite(), "oauth.mjs", "looks");
}

#[test]
fn looks_of_a_reset_of_factors() {
    as_administrator(&Site::sqlite(), "factors.mjs", "looksOfReset");
}

#[test]
fn looks_of_the_lists() {
    as_administrator(&Site::sqlite(), "looks.mjs", "lists");
}

#[test]
fn looks_of_the_applications() {
    as_administrator(&Site::sqlite(), "looks.mjs", "applications");
}

/// The picture in README.md: `VESTIBULE_SCREENSHOTS=docs/images cargo xtask test browser::looks_of_the_readme` takes it
/// again, with the full path of the folder.
#[test]
fn looks_of_the_readme() {
    as_administrator(&Site::sqlite(), "readme.mjs", "both");
}

#[test]
fn looks_of_the_mails() {
    let site = Site::sqlite();
    let folder = tempfile::tempdir().unwrap();
    for kind in vestibule::MailContent::KINDS {
        for locale in ["en", "de", "ar"] {
            let mail = site.run(&["mail", "preview", kind, "--locale", locale, "--html"]).ok();
            std::fs::write(folder.path().join(format!("{kind}-{locale}.html")), mail.stdout).unwrap();
        }
    }
    let server = site.serve_for_development(&[]);
    drives(&server, "mails.mjs", &[folder.path().to_str().unwrap()]);
}

#[test]
fn a_sign_up_ends_in_the_account_on_postgres() {
    runs(&Site::postgres(), "flows.mjs", "signUp");
}

#[test]
fn looks_of_an_outage() {
    let mut cluster = vestibule_testing::Cluster::start_private();
    let site = Site::on(cluster.database());
    let server = site.serve_for_development(&[]);
    cluster.stop();
    drives(&server, "looks.mjs", &["outage"]);
    drop(server);
    cluster.start();
}

// B3
#[test]
fn whoever_comes_from_an_application_is_back_there_in_the_end() {
    let site = Site::sqlite();
    let server =
        site.serve_for_development(&[("VESTIBULE_PAGES_RETURN_URLS", "https://app.test/in?from=accounts")]);
    drives(&server, "journeys.mjs", &["backToTheApplication"]);
}

#[test]
fn looks_of_closed_sign_ups() {
    for mode in ["invitation", "closed"] {
        let site = Site::sqlite();
        let server = site.serve_for_development(&[("VESTIBULE_SIGNUP_MODE", mode)]);
        drives(&server, "looks.mjs", &["closed", mode]);
    }
}

#[test]
fn a_sign_up_asks_for_the_terms() {
    for consent in ["line", "checkbox"] {
        let site = Site::sqlite();
        let server = site.serve_for_development(&[
            ("VESTIBULE_SIGNUP_CONSENT", consent),
            ("VESTIBULE_PAGES_TERMS_URL", "https://example.org/terms"),
            ("VESTIBULE_PAGES_PRIVACY_URL", "https://example.org/privacy"),
        ]);
        drives(&server, "looks.mjs", &["terms", consent]);
    }
}

/// The schema of the documentation.
#[test]
fn a_sign_up_asks_for_what_the_operator_wants() {
    let site = Site::sqlite();
    let documented = include_str!("../../../../docs/user-data.md");
    let mut blocks = documented.split("```json\n").map(|block| block.split("```").next().unwrap());
    let schema = blocks.find(|block| block.contains("x-signup")).unwrap();
    let path = site.path("schema.json");
    std::fs::write(&path, schema).unwrap();
    let server = site.serve_for_development(&[("VESTIBULE_USER_DATA_SCHEMA", path.to_str().unwrap())]);
    drives(&server, "looks.mjs", &["asked"]);
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

// S8
#[test]
fn every_mailed_link_says_whom_it_is_about_and_when_it_is_over() {
    as_administrator(&Site::sqlite(), "journeys.mjs", "mailedLinks");
}

#[test]
fn looks_of_the_users() {
    as_administrator(&Site::sqlite(), "looks.mjs", "users");
}

// O3
#[test]
fn the_first_administrator_is_made_by_the_link_of_the_banner_and_invites() {
    let site = Site::sqlite();
    let server = site.serve_for_development(&[]);
    let said = server.says("Admin ");
    let link = said.split_whitespace().find(|word| word.contains("/setup#k=")).unwrap();
    drives(&server, "looks.mjs", &["joining", link]);
}
