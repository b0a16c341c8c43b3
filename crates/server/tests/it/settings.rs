//! How the program treats settings: refusals before anything starts.

use std::fs;

use vestibule_testing::{Finished, SECRET_KEY, Site};

fn serve(site: &Site, arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
    let mut command = site.command_without_settings(&[&["serve"], arguments].concat());
    Finished::from(command.envs(environment.iter().copied()).output().unwrap())
}

#[test]
fn what_is_not_safe_is_refused_with_its_fix() {
    let site = Site::sqlite();
    let refused =
        serve(&site, &[], &[("VESTIBULE_LISTEN", "0.0.0.0:0"), ("VESTIBULE_LIMITS_ENABLED", "false")]);
    let refused = refused.refused(2, "fix: set VESTIBULE_MAIL_URL");
    for words in ["set VESTIBULE_PUBLIC_URL to the address that people type", "the limits per client are off"]
    {
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    serve(&site, &["--dev", "--listen", "0.0.0.0:0"], &[])
        .refused(2, "`listen` (--listen): --dev listens on 0.0.0.0:0");
    let public = [("VESTIBULE_PUBLIC_URL", "https://example.org")];
    serve(&site, &["--dev"], &public).refused(2, "--dev is for this machine only");
    assert!(!site.path("vestibule-data").exists(), "nothing was touched");
}

#[test]
fn slips_are_named() {
    let site = Site::sqlite();
    serve(&site, &[], &[("VESTIBULE_MAIL_FORM", "x")]).refused(2, "did you mean VESTIBULE_MAIL_FROM?");
    fs::write(site.path("vestibule.toml"), "[mail]\nform = 'a@example.org'\n").unwrap();
    serve(&site, &[], &[])
        .refused(2, "./vestibule.toml: unknown key `mail.form`\n  fix: did you mean `mail.from`?");
    serve(&site, &["--config", "gone.toml"], &[]).refused(2, "cannot read gone.toml");
}

#[test]
fn an_address_in_use_is_said_before_anything_changes() {
    let site = Site::sqlite();
    let server = site.serve();
    let other = Site::sqlite();
    Finished::of(&mut other.serving(&[("VESTIBULE_LISTEN", &server.address)]))
        .refused(1, "cannot listen on 127.0.0.1:");
    assert!(!other.path("vestibule-data").exists());
}

#[test]
fn check_config_judges_and_shows_sources_but_no_secret() {
    let site = Site::sqlite();
    let environment = [
        ("VESTIBULE_MAIL_URL", "smtps://user:hunter2@mail.example.org"),
        ("VESTIBULE_DATABASE_URL", "postgres://user:hunter2@db/vestibule"),
        ("VESTIBULE_PUBLIC_URL", "https://accounts.example.org"),
    ];
    let check = |arguments: &[&str], more: &[(&str, &str)]| {
        let mut command = site.command_without_settings(&[&["check-config"], arguments].concat());
        Finished::from(command.envs(environment).envs(more.iter().copied()).output().unwrap())
    };
    check(&[], &[]).refused(3, "`secret_key` is not set");
    let told = check(&["--json"], &[]).refused(3, "`secret_key` is not set").json();
    assert_eq!(
        (&told[0]["good"], told[0]["problems"].as_array().map(Vec::len)),
        (&false.into(), Some(1)),
        "{told:?}"
    );
    let cause = told[0]["problems"][0]["cause"].as_str().unwrap();
    assert!(cause.contains("`secret_key` is not set"), "{told:?}");
    let told = check(&["--json"], &[("VESTIBULE_HASH_PASSES", "many")]).refused(3, "hash.passes").json();
    assert!(told[0]["problems"][0]["fix"].is_string(), "{told:?}");
    let clients = format!("shop:{SECRET_KEY}");
    let key = [("VESTIBULE_SECRET_KEY", SECRET_KEY), ("VESTIBULE_INTROSPECTION_CLIENTS", &clients)];
    let printed = check(&["--print-sources", "--json"], &key).ok();
    assert!(
        !printed.stdout.contains("hunter2") && !printed.stdout.contains("8f0b2c1d"),
        "{}",
        printed.stdout
    );
    let settings = printed.json();
    let find = |key: &str| settings.iter().find(|it| it["key"] == key).unwrap();
    assert_eq!(find("mail.url")["source"], "VESTIBULE_MAIL_URL");
    assert_eq!(find("mail.url")["value"], "smtps:[secret]");
    assert_eq!(find("introspection.clients")["value"], serde_json::json!(["shop:[secret]"]));
    assert_eq!(find("confirm.code_lifetime")["source"], "default");
    let text = check(&["--print-sources"], &key).ok().stdout;
    assert!(
        text.contains("public_url = \"https://accounts.example.org\"  # VESTIBULE_PUBLIC_URL; where"),
        "{text}"
    );
    check(&[], &[key[0], ("VESTIBULE_MAIL_URL", "pigeon:hunter2")]).refused(3, "not a mail transport");
}

#[test]
fn a_configured_secret_key_does_not_keep_the_first_start_from_making_its_folder() {
    let site = Site::sqlite();
    drop(site.serve_with(&[("VESTIBULE_SECRET_KEY", SECRET_KEY)]));
    assert!(site.path("vestibule-data/vestibule.db").exists());
    assert!(!site.path("vestibule-data/secret.key").exists());
}

#[test]
fn the_pages_show_their_owner() {
    let site = Site::sqlite();
    let logo = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'><circle r='1'/></svg>";
    fs::write(site.path("logo.svg"), logo).unwrap();
    let server = site.serve_with(&[
        ("VESTIBULE_SERVICE_NAME", "Tea & Co"),
        ("VESTIBULE_PAGES_LOGO", "logo.svg"),
        ("VESTIBULE_PAGES_ACCENT", "#aa3366"),
        ("VESTIBULE_PAGES_SUPPORT", "help@example.org"),
        ("VESTIBULE_PAGES_TERMS_URL", "https://example.org/terms"),
        ("VESTIBULE_PAGES_PRIVACY_URL", "https://example.org/privacy"),
    ]);
    let page = server.http().request("GET", "/login", &[("accept", "text/html")], "").body;
    let page = page.replace("&#x2f;", "/");
    for shown in [
        "<bdi>Tea &amp; Co</bdi>",
        "· Tea &amp; Co</title>",
        "href=\"mailto:help@example.org\"",
        "href=\"https://example.org/terms\"",
        "href=\"https://example.org/privacy\"",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let asset = |stem: &str| {
        let start = page.find(&format!("/assets/{stem}-")).unwrap_or_else(|| panic!("{stem}: {page}"));
        server.get(page[start..].split('"').next().unwrap())
    };
    assert!(asset("site").body.contains("--accent:#aa3366"));
    let shown = asset("logo");
    assert_eq!((shown.header("content-type"), shown.body.as_str()), ("image/svg+xml", logo));
}
