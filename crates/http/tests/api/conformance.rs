//! The table in `docs/conformance.md`: what the standards demand of this server, each with its test. Here are those tests that
//! belong nowhere else, and the check that the others exist.

use std::collections::BTreeSet;
use std::path::Path;

use crate::browser::Browser;
use crate::oauth_pages::{CALLBACK, answers, asked, goes, is_asked, parameters, with_applications};
use crate::on_both_stores;
use crate::world::{ADA, PASSWORD, World};

/// The sections that demand something of a server like this one.
const SECTIONS: [&str; 26] = [
    "RFC 9700 §2.1",
    "RFC 9700 §2.1.1",
    "RFC 9700 §2.2.2",
    "RFC 9700 §2.4",
    "RFC 9700 §2.6",
    "RFC 9700 §4.1.3",
    "RFC 9700 §4.2.4",
    "RFC 9700 §4.8.2",
    "RFC 9700 §4.11.2",
    "RFC 9700 §4.12",
    "RFC 9700 §4.14.2",
    "RFC 9700 §4.16",
    "RFC 7636 §4.4",
    "RFC 7636 §4.4.1",
    "RFC 7636 §4.6",
    "RFC 9207 §2",
    "RFC 9207 §3",
    "RFC 8707 §2",
    "RFC 8707 §2.2",
    "OIDC §3.1.2.1",
    "OIDC §3.1.2.2",
    "OIDC §3.1.2.3",
    "OIDC §3.1.2.4",
    "OIDC §3.1.2.6",
    "OIDC §3.1.3.2",
    "OIDC §3.1.3.6",
];

/// The folders of tests, by the beginning of their names.
const TESTS: [(&str, &str); 3] =
    [("api", "http/tests/api"), ("stories", "accounts/tests/stories"), ("it", "server/tests/it")];

/// Whether there is a test of this name, e.g. `api::oauth::code::a_code_buys_tokens_once`.
fn exists(crates: &Path, name: &str) -> bool {
    let Some((module, test)) = name.rsplit_once("::") else { return false };
    let Some((start, rest)) = module.split_once("::") else { return false };
    let Some((_, folder)) = TESTS.iter().find(|(name, _)| *name == start) else { return false };
    let file = crates.join(folder).join(format!("{}.rs", rest.replace("::", "/")));
    std::fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("fn {test}(")))
}

/// The names in backquotes of a row's last column.
fn named(row: &str) -> Vec<&str> {
    let tests = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
    tests.split('`').skip(1).step_by(2).collect()
}

/// What is wrong with the rows of a table: one without a test, and tests that do not exist.
fn wrong(crates: &Path, rows: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows {
        let tests = named(row);
        if tests.is_empty() {
            wrong.push(format!("no test: {row}"));
        }
        wrong.extend(
            tests.iter().filter(|name| !exists(crates, name)).map(|name| format!("no such test: {name}")),
        );
    }
    wrong
}

#[test]
fn each_demand_names_a_test_that_exists() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let document = std::fs::read_to_string(crates.join("../docs/conformance.md")).unwrap();
    let is_row = |line: &&str| SECTIONS.iter().any(|section| line.starts_with(&format!("| {section} |")));
    let (rows, others): (Vec<&str>, Vec<&str>) =
        document.lines().filter(|line| line.starts_with("| ")).partition(is_row);
    assert_eq!(wrong(crates, &rows), Vec::<String>::new());
    assert_eq!(others, ["| standard | demand | test |"], "these are not of a section that is listed");
    let covered: BTreeSet<&str> =
        rows.iter().map(|row| row.split(" | ").next().unwrap().trim_start_matches("| ")).collect();
    assert_eq!(covered, BTreeSet::from(SECTIONS), "each section has a row");

    let planted = "| RFC 9700 §2.1 | x | `api::oauth::code::a_code_buys_everything` |";
    let nothing = "| RFC 9700 §2.1 | x | |";
    assert_eq!(wrong(crates, &[planted, nothing]).len(), 2, "a wrong name is noticed");
}

on_both_stores! {
    // RFC 9700 §4.12: with 307 a browser would send the password on to the application.
    async fn a_form_is_never_repeated_at_another_address(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let mut browser = Browser::default();
        let end = goes(&world, &mut browser, &asked(&[])).await;
        let to = serde_urlencoded::to_string([("return_to", end.parameter("return_to").unwrap())]).unwrap();
        let signed_in = browser.submit(&world, "/login", &format!("login={ADA}&password={PASSWORD}&{to}")).await;
        assert_eq!(signed_in.status, 303);
        let to = signed_in.leads_to().to_owned();
        let page = goes(&world, &mut browser, &to).await;
        let answer = browser.submit(&world, "/oauth/consent", &format!("request={}&answer=allow", page.request())).await;
        assert_eq!(answer.status, 303);
        assert!(answer.leads_to().starts_with(CALLBACK), "{}", answer.leads_to());
        let posted = browser.post(&world, "/oauth/authorize", &parameters(&[]), &[]).await;
        assert_eq!(posted.status, 303);
    }

    // RFC 9700 §4.2.4: neither a referrer nor a resource of others learns what is in an address.
    async fn the_pages_on_the_way_tell_others_nothing(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let waiting = goes(&world, &mut Browser::default(), &asked(&[])).await;
        let (_, question) = is_asked(&world, &[]).await;
        let wrong = goes(&world, &mut Browser::default(), &asked(&[("client_id", "nobody")])).await;
        let gone = goes(&world, &mut Browser::default(), "/oauth/authorize?request=x").await;
        let left = goes(&world, &mut Browser::default(), "/oauth/logout").await;
        for end in [&waiting, &question, &wrong, &gone, &left] {
            assert_eq!(end.page.header("referrer-policy"), "no-referrer", "{}", end.at);
            assert!(end.page.header("content-security-policy").starts_with("default-src 'none'"), "{}", end.at);
            for loads in ["src=\"http", "src=\"//", "rel=\"stylesheet\" href=\"http", "url(http"] {
                assert!(!end.page.text.contains(loads), "{}: {loads}", end.at);
            }
        }
        // What goes to the application does not tell either which page led there.
        let (mut browser, question) = is_asked(&world, &[]).await;
        let answer = browser.submit(&world, "/oauth/consent", &format!("request={}&answer=allow", question.request())).await;
        assert_eq!((answer.header("referrer-policy"), answer.header("cache-control")), ("no-referrer", "no-store"));
    }

    // RFC 9207 §2: the same text as in the metadata, beside a code and beside an error.
    async fn an_answer_names_the_issuer_of_the_metadata(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let metadata = world.get("/.well-known/oauth-authorization-server").await.json();
        assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
        for (answer, holds) in [("allow", "code"), ("deny", "error")] {
            let (mut browser, page) = is_asked(&world, &[("prompt", "consent")]).await;
            let end = answers(&world, &mut browser, &page, answer).await;
            assert!(end.parameter(holds).is_some(), "{}", end.at);
            assert_eq!(end.parameter("iss").as_deref(), metadata["issuer"].as_str());
            assert_eq!(end.at.matches("iss=").count(), 1);
        }
    }

    // RFC 7636 §4.4: whoever sees the code does not see what it is compared with.
    async fn a_code_does_not_tell_its_challenge(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        world.has_account(ADA).await;
        let challenge = parameters(&[]).split("code_challenge=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        let (mut browser, page) = is_asked(&world, &[]).await;
        assert!(!page.page.text.contains(&challenge) && !page.at.contains(&challenge));
        let end = answers(&world, &mut browser, &page, "allow").await;
        assert!(!end.at.contains(&challenge), "{}", end.at);
        // Random, and no longer than that: 32 octets in base64url.
        assert_eq!(end.code().len(), "vac_".len() + 43);
    }

    // OpenID Connect Core §3.1.2.1, §15.1: what is not used must not cause an error.
    async fn parameters_that_are_not_used_do_no_harm(world: World) {
        let mut world = world;
        with_applications(&mut world).await;
        for (name, value) in [
            ("display", "popup"), ("display", "x"), ("claims_locales", "fr"), ("ui_locales", "tlh"), ("acr_values", "urn:other"),
            ("login_hint", "+49 30 1234"), ("claims", "{\"id_token\":{\"email\":null}}"), ("dpop_jkt", "x"), ("anything", ""),
        ] {
            let end = goes(&world, &mut Browser::default(), &asked(&[(name, value)])).await;
            assert!(end.at.starts_with("/login?return_to="), "{name}={value}: {}", end.at);
        }
    }
}
