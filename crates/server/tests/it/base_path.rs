//! A host shared with an application: everything is under the path of the public URL.

use serde_json::json;
use vestibule_testing::{Finished, PASSWORD, on_both_databases};

const EMAIL: &str = "ada@example.org";

#[test]
fn a_public_url_with_a_path_is_served_under_it() {
    on_both_databases(|site| {
        let settings = [("VESTIBULE_PUBLIC_URL", "https://app.example.org/accounts")];
        let server = site.serve_with(&settings);
        let http = server.http();
        assert_eq!(server.get("/accounts/readyz").status, 200);
        assert_eq!((server.get("/readyz").status, server.get("/").status), (404, 404));
        let wish = json!({ "email": EMAIL, "password": PASSWORD });
        assert_eq!(http.post("/accounts/v1/signup", None, &wish).status, 202);
        let mail = site.relay().take(EMAIL);
        assert!(mail.link().starts_with("https://app.example.org/accounts/confirm?token="), "{mail:?}");
        let confirm = json!({ "token": mail.token(), "password": PASSWORD });
        assert_eq!(http.post("/accounts/v1/confirm", None, &confirm).json(200)["email"], EMAIL);
        let mut health = site.command(&["healthcheck"]);
        health.envs(settings).env("VESTIBULE_LISTEN", &server.address);
        assert_eq!(Finished::of(&mut health).ok().stdout, "ready\n");
    });
}
