//! How the program answers invalid tokens.

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use vestibule_testing::{Client, Server, Site, on_both_databases};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "plover-tundra-saffron-61";

/// A server with an account, at an address that other servers could also have.
fn serve(site: &Site) -> Server {
    let server = site.serve();
    server.has_confirmed(EMAIL, PASSWORD);
    server
}

#[track_caller]
fn is_refused(http: &Client, token: &str) {
    for scheme in ["Bearer", "JWT"] {
        let answer = http.get("/v1/me", Some(&format!("{scheme} {token}")));
        assert_eq!(answer.json(401)["code"], "invalid_token", "{token}");
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge, "Bearer realm=\"vestibule\", error=\"invalid_token\"", "{token}");
    }
}

// J1, J7
#[test]
fn only_its_own_whole_tokens_open_anything() {
    // With the same issuer and audience, but another key.
    let stranger = Site::sqlite();
    let elsewhere = serve(&stranger);
    let foreign = elsewhere.http().sign_in(EMAIL, PASSWORD);
    on_both_databases(|site| {
        let server = serve(site);
        let http = server.http();
        let session = http.try_password(EMAIL, PASSWORD).json(200);
        let token = session["access_token"].as_str().unwrap();
        assert_eq!(http.me(token)["email"], EMAIL);
        let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
        let unsigned = BASE64URL_NOPAD.encode(br#"{"typ":"at+jwt","alg":"none"}"#);
        let (_, other_signature) = foreign.rsplit_once('.').unwrap();
        for wrong in [
            "",
            "x",
            "a.b.c",
            &foreign,
            &format!("{header}.{claims}.{other_signature}"),
            &format!("{unsigned}.{claims}."),
            &format!("{unsigned}.{claims}.{signature}"),
            &format!("{header}.{claims}."),
            &format!("{token}x"),
            session["refresh_token"].as_str().unwrap(),
            &"a".repeat(8 * 1024 + 1),
        ] {
            is_refused(&http, wrong);
        }
        assert_eq!(http.me(token)["email"], EMAIL);
        assert_eq!(http.post("/v1/logout", Some(&format!("Bearer {token}")), &json!({})).status, 204);
        is_refused(&http, token);
        let none = http.get("/v1/me", None);
        assert_eq!(none.json(401)["code"], "authentication_required");
        assert_eq!(none.header("www-authenticate"), "Bearer realm=\"vestibule\"");
    });
}
