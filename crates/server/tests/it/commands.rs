//! The small commands.

use vestibule_testing::Site;

#[test]
fn version_and_help_are_data() {
    let site = Site::sqlite();
    assert_eq!(site.run(&["version"]).ok().stdout, format!("vestibule {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(site.run(&["version", "--json"]).ok().json()[0]["version"], env!("CARGO_PKG_VERSION"));
    assert!(site.run(&["--help"]).ok().stdout.contains("75 try again"));
    site.run(&["user", "lst"]).refused(2, "list");
    assert_eq!(site.run(&[]).code, Some(2));
}

#[test]
fn errors_are_explained() {
    let site = Site::sqlite();
    let listed = site.run(&["errors", "list", "--json"]).ok().json();
    assert!(listed.iter().any(|it| it["code"] == "code_expired" && it["status"] == 410), "{listed:?}");
    let shown = site.run(&["errors", "show", "code_expired"]).ok().stdout;
    assert!(shown.contains("cause: ") && shown.contains("fix: "), "{shown}");
    site.run(&["errors", "show", "code_expred"]).refused(5, "errors list");
}

#[test]
fn the_description_of_the_api_is_printed_as_it_is_served() {
    let site = Site::sqlite();
    let server = site.serve();
    let printed: serde_json::Value = serde_json::from_str(&site.run(&["openapi"]).ok().stdout).unwrap();
    assert!(printed["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(printed == server.get("/openapi.json").json(200), "they differ");
}

#[test]
fn healthcheck_says_whether_a_sign_up_would_work() {
    let site = Site::sqlite();
    let server = site.serve();
    let url = format!("http://{}/readyz", server.address);
    assert_eq!(site.run(&["healthcheck", "--url", &url]).ok().stdout, "ready\n");
    let health = |address: &str| {
        site.command(&["healthcheck", "--json"]).env("VESTIBULE_LISTEN", address).output().unwrap()
    };
    assert_eq!(health(&server.address).status.code(), Some(0));
    let gone = format!("http://{}/nothing-here", server.address);
    site.run(&["healthcheck", "--url", &gone]).refused(1, "answers 404");
    let address = server.address.clone();
    drop(server);
    assert_eq!(health(&address).status.code(), Some(1));
    site.run(&["healthcheck", "--url", "https://example.org"]).refused(2, "not an http:// address");
}
