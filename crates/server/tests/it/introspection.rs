//! Services that introspect tokens, named in the settings of the program (RFC 7662).

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use vestibule_testing::{Answer, Finished, PASSWORD, Site, basic, on_both_databases};

const SECRET: &str = "k3Y/+of%the:shop-0123456789abcdef";

fn refusal(answer: &Answer) -> (u16, Value) {
    (answer.status, serde_json::from_str::<Value>(&answer.body).unwrap()["error"].clone())
}

#[test]
fn a_service_of_the_settings_learns_whose_a_token_is_until_it_ends() {
    on_both_databases(|site| {
        fs::write(site.path("clients"), format!("blog:{}\nshop:{SECRET}\n", "b".repeat(32))).unwrap();
        fs::set_permissions(site.path("clients"), fs::Permissions::from_mode(0o600)).unwrap();
        let server = site.serve_with(&[("VESTIBULE_INTROSPECTION_CLIENTS_FILE", "clients")]);
        let id = site.has_user("ada@example.org", &[]);
        let http = server.http();
        let token = http.sign_in("ada@example.org", PASSWORD);
        let ask = |authorization: &str| http.form("/v1/introspect", authorization, &format!("token={token}"));
        // As most programs write the secret, and as RFC 6749 §2.3.1 requires it.
        for secret in [SECRET, "k3Y%2F%2Bof%25the%3Ashop-0123456789abcdef"] {
            let known = ask(&basic("shop", secret)).json(200);
            assert_eq!((&known["active"], &known["sub"]), (&json!(true), &json!(id)), "{known}");
        }
        let bearer = format!("Bearer {token}");
        for wrong in
            [basic("shop", &"b".repeat(32)), basic("other", SECRET), basic("shop", ""), bearer.clone()]
        {
            let answer = ask(&wrong);
            assert_eq!(refusal(&answer), (401, json!("invalid_client")), "{wrong}");
            assert_eq!(answer.header("www-authenticate"), "Basic realm=\"vestibule\", charset=\"UTF-8\"");
        }
        assert_eq!(http.request("POST", "/v1/logout", &[("authorization", &bearer)], "").status, 204);
        assert_eq!(ask(&basic("shop", SECRET)).json(200), json!({ "active": false }));
        assert!(server.whole_log().iter().all(|line| !line.contains("k3Y") && !line.contains(&token)));
    });
}

#[test]
fn without_services_in_the_settings_nobody_is_answered() {
    let site = Site::sqlite();
    let server = site.serve();
    let answer = server.http().form("/v1/introspect", &basic("shop", SECRET), "token=x");
    assert_eq!(refusal(&answer), (401, json!("invalid_client")));
}

#[test]
fn a_short_secret_is_refused_and_not_repeated() {
    let site = Site::sqlite();
    let mut command = site.serving(&[("VESTIBULE_INTROSPECTION_CLIENTS", "shop:hunter2")]);
    let refused = Finished::of(&mut command).refused(2, "fewer than 32 characters");
    assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
}
