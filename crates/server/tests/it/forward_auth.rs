//! An application without accounts of its own, behind nginx and behind Caddy as `deploy/` configures them.

use vestibule_testing::{Answer, Client, PASSWORD, Server, Site};

use crate::peers::{Application, Peer, Tap};
use crate::proxies::Kind;

const APPLICATION: &str = "app.example.org";
const ACCOUNTS: &str = "accounts.example.org";
const ADA: &str = "ada@example.org";

struct Town {
    kind: Kind,
    site: Site,
    server: Server,
    application: Application,
    proxy: Peer,
}

impl Town {
    fn new(kind: Kind) -> Self {
        let site = Site::sqlite();
        let server = site.serve_with(&[("VESTIBULE_TRUSTED_PROXIES", "127.0.0.1")]);
        let application = Application::start();
        let proxy = kind.start(&server.address, &application.address);
        Self { kind, site, server, application, proxy }
    }

    /// Creates a user; returns the `Authorization` header of a new session.
    fn signed_in(&self, email: &str, more: &[&str]) -> (String, String) {
        let id = self.site.has_user(email, more);
        (id, format!("Bearer {}", self.server.http().sign_in(email, PASSWORD)))
    }

    fn asks(&self, method: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        Client::new(&self.proxy.address).called(APPLICATION).request(method, "/orders?id=1", headers, body)
    }

    /// Sends a request that is refused before it reaches the application.
    #[track_caller]
    fn is_refused(&self, method: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let answer = self.asks(method, headers, body);
        assert_eq!(self.application.reached(), Vec::<String>::new(), "{method} {headers:?}");
        answer
    }
}

/// Values of a header in a request, with `_` treated as `-`, as in WSGI and CGI.
fn values<'a>(request: &'a str, name: &str) -> Vec<&'a str> {
    let is_it = |own: &str| own.trim().replace('_', "-").eq_ignore_ascii_case(name);
    let fields = request.lines().filter_map(|line| line.split_once(':'));
    fields.filter(|(own, _)| is_it(own)).map(|(_, value)| value.trim()).collect()
}

/// Each story runs behind both.
macro_rules! behind_both_proxies {
    ($($(#[$attribute:meta])* fn $name:ident($town:ident: Town) $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[$attribute])*
            fn story($town: Town) $body

            #[test]
            fn nginx() {
                story(Town::new(Kind::Nginx));
            }

            #[test]
            fn caddy() {
                story(Town::new(Kind::Caddy));
            }
        }
    )*};
}

behind_both_proxies! {
    // J7, M5
    fn without_a_good_token_nothing_reaches_the_application(town: Town) {
        let forged = [("X-Auth-User-Id", "usr_1"), ("X-Auth-Roles", "admin"), ("Remote-User", "root")];
        let basic = [("Authorization", "Basic YWRhOng=")];
        let wrong = [("Authorization", "Bearer x.y.z")];
        let query = [("X-Original-URI", "/?access_token=x")];
        for (headers, challenge) in [
            (&[][..], "Bearer realm=\"vestibule\""),
            (&forged, "Bearer realm=\"vestibule\""),
            (&basic, "Bearer realm=\"vestibule\""),
            (&query, "Bearer realm=\"vestibule\""),
            (&wrong, "Bearer realm=\"vestibule\", error=\"invalid_token\""),
        ] {
            for (method, body) in [("GET", ""), ("POST", "a=1"), ("DELETE", ""), ("HEAD", ""), ("OPTIONS", "")] {
                let answer = town.is_refused(method, headers, body);
                assert_eq!((answer.status, answer.header("www-authenticate")), (401, challenge), "{method} {headers:?}");
            }
        }
        let (_, bearer) = town.signed_in(ADA, &[]);
        let twice = [("Authorization", bearer.as_str()), ("Authorization", "Bearer x.y.z")];
        assert!(matches!(town.is_refused("GET", &twice, "").status, 400 | 401), "which of the two?");
        // More than Vestibule accepts, but not more than the proxies do: refused, and not admitted because an answer is
        // missing.
        let part = "x".repeat(3 * 1024);
        let large = ["A", "B", "C", "D", "E", "F"].map(|name| (name, part.as_str()));
        let large = [&[("Authorization", bearer.as_str())], &large[..]].concat();
        let expected = if town.kind == Kind::Nginx { 500 } else { 431 };
        assert_eq!(town.is_refused("GET", &large, "").status, expected);
    }

    fn the_application_learns_who_asks_from_nobody_else(town: Town) {
        let root = town.signed_in("root@example.org", &["--admin"]);
        let ada = town.signed_in("ädä@bücher.example", &[]);
        let forged = [
            ("X-Auth-User-Id", "usr_forged"), ("x-auth-email", "forged@example.org"), ("X-AUTH-ROLES", "admin,forged"),
            ("X-Auth-Roles", "forged"), ("X_Auth_Roles", "forged"), ("X-Auth_Roles", "forged"), ("X-Request-Id", "forged"), ("X_Auth-User-Id", "forged"),
        ];
        for ((id, bearer), email, roles) in [
            (&root, "root@example.org", "admin"),
            (&ada, "%C3%A4d%C3%A4@b%C3%BCcher.example", ""),
        ] {
            for headers in [&[][..], &forged] {
                let headers = [&[("Authorization", bearer.as_str())], headers].concat();
                let answer = town.asks("GET", &headers, "");
                assert_eq!(answer.status, 200, "{answer:?}");
                let request = town.application.reached().remove(0);
                assert!(request.starts_with("GET /orders?id=1 HTTP/1."), "{request}");
                assert_eq!(values(&request, "x-auth-user-id"), [id], "{request}");
                assert_eq!(values(&request, "x-auth-email"), [email], "{request}");
                // Without roles the header is empty, or missing.
                assert_eq!(values(&request, "x-auth-roles").concat(), roles, "{request}");
                assert!(!request.contains("forged") && !request.contains("Bearer"), "{request}");
                let named = values(&request, "x-request-id").concat();
                assert!(!named.is_empty());
                // Both logs name the request.
                town.server.logs(&named);
            }
        }
    }

    // J5
    fn a_sign_out_and_a_disabled_user_count_at_once(town: Town) {
        let (_, bearer) = town.signed_in(ADA, &[]);
        let ada = [("Authorization", bearer.as_str())];
        let (_, other) = town.signed_in("bob@example.org", &[]);
        let bob = [("Authorization", other.as_str())];
        for user in [&ada, &bob] {
            assert_eq!(town.asks("GET", user, "").status, 200);
        }
        assert_eq!(town.application.reached().len(), 2);
        assert_eq!(town.server.http().request("POST", "/v1/logout", &ada, "").status, 204);
        assert_eq!(town.is_refused("GET", &ada, "").status, 401);
        town.site.run(&["user", "disable", "bob@example.org"]).ok();
        assert_eq!(town.is_refused("GET", &bob, "").status, 401);
    }

    fn a_body_is_for_the_application_alone(town: Town) {
        let (_, bearer) = town.signed_in(ADA, &[]);
        let tap = Tap::on(&town.server.address);
        let proxy = town.kind.start(&tap.address, &town.application.address);
        let client = Client::new(&proxy.address).called(APPLICATION);
        let small = "the order of a customer\n";
        // Larger than what Vestibule reads, and than what the proxies keep in memory.
        let large = small.repeat(10_000);
        for (token, body, status) in [(bearer.as_str(), large.as_str(), 200), ("Bearer x", small, 401), (&bearer, &large, 200)] {
            let headers = [("Authorization", token), ("Content-Type", "text/plain")];
            let answer = client.request("POST", "/orders", &headers, body);
            assert_eq!(answer.status, status);
            let reached = town.application.reached();
            assert_eq!(reached.len(), usize::from(status == 200));
            assert!(reached.iter().all(|request| request.ends_with(body)));
            let said = tap.said();
            assert!(said.contains("GET /v1/auth/verify HTTP/1.1"), "{said}");
            assert!(!said.contains("customer"), "{said}");
        }
    }

    // G4: a proxy that gets no answer lets nobody in.
    fn without_vestibule_the_door_is_shut(town: Town) {
        let mut town = town;
        let (_, bearer) = town.signed_in(ADA, &[]);
        let ada = [("Authorization", bearer.as_str())];
        assert_eq!(town.asks("GET", &ada, "").status, 200);
        assert_eq!(town.application.reached().len(), 1);
        town.server.signal("-KILL");
        town.server.ended();
        for headers in [&ada[..], &[]] {
            let status = town.is_refused("POST", headers, "a=1").status;
            assert!(matches!(status, 500 | 502 | 503), "{status}");
        }
    }

    // L3, L5: clients behind the proxy are distinguished, and none can choose its address.
    fn limits_count_the_client_behind_the_proxy(town: Town) {
        let accounts = |from: &str| Client::new(&town.proxy.address).called(ACCOUNTS).from(from);
        let guess = |client: &Client, number: usize, claimed: &str| {
            let body = format!(r#"{{"email":"nobody{number}@example.org","password":"velvet-comet-lichen-27"}}"#);
            let headers = [("Content-Type", "application/json"), ("X-Forwarded-For", claimed), ("Forwarded", "for=10.0.0.1"), ("X-Request-Id", "chosen")];
            let answer = client.request("POST", "/v1/login", &headers, &body);
            assert_ne!(answer.header("x-request-id"), "chosen");
            answer.status
        };
        let attacker = accounts("127.0.0.2");
        for number in 0..20 {
            assert_eq!(guess(&attacker, number, &format!("192.0.2.{number}")), 401, "{number}");
        }
        assert_eq!(guess(&attacker, 20, "192.0.2.99"), 429);
        assert_eq!(guess(&attacker, 21, "127.0.0.3"), 429);
        assert_eq!(guess(&accounts("127.0.0.3"), 22, "127.0.0.2"), 401, "another client may still guess");
    }
}
