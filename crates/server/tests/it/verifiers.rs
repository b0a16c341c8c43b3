//! Access tokens as third parties verify them: `PyJWT` and jose, offline, from the published keys.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use vestibule_testing::{PUBLIC_URL, Server, Site};

const ADA: &str = "ada@example.org";
const PASSWORD: &str = "velvet-comet-lichen-27";
/// Longer than the lifetime of a token.
const LATER: u32 = 601;

/// A third-party program that verifies tokens, and its names for errors.
struct Verifier {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    words: Words,
}

#[derive(Clone, Copy)]
struct Words {
    signature: &'static str,
    algorithm: &'static str,
    expired: &'static str,
    issuer: &'static str,
    audience: &'static str,
    unknown_key: &'static str,
}

const PYJWT: Words = Words {
    signature: "InvalidSignatureError",
    algorithm: "InvalidAlgorithmError",
    expired: "ExpiredSignatureError",
    issuer: "InvalidIssuerError",
    audience: "InvalidAudienceError",
    unknown_key: "PyJWKClientError",
};

const JOSE: Words = Words {
    signature: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
    algorithm: "ERR_JOSE_ALG_NOT_ALLOWED",
    expired: "ERR_JWT_EXPIRED",
    issuer: "ERR_JWT_CLAIM_VALIDATION_FAILED",
    audience: "ERR_JWT_CLAIM_VALIDATION_FAILED",
    unknown_key: "ERR_JWKS_NO_MATCHING_KEY",
};

impl Verifier {
    fn start(mut program: Command, script: &str, server: &Server, words: Words) -> Self {
        let script = format!("{}/tests/peers/{script}", env!("CARGO_MANIFEST_DIR"));
        program.arg(script).arg(format!("http://{}/.well-known/jwks.json", server.address));
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let requests = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, requests, answers, words }
    }

    fn both(server: &Server) -> [Self; 2] {
        [
            Self::start(vestibule_testing::python(), "verify.py", server, PYJWT),
            Self::start(vestibule_testing::node(), "verify.mjs", server, JOSE),
        ]
    }

    /// Its answer about a token, with the correct arguments except for `change`.
    #[track_caller]
    fn asked(&mut self, token: &str, algorithm: &str, change: &Value) -> Value {
        let mut request = json!({ "token": token, "algorithm": algorithm, "issuer": PUBLIC_URL, "audience": PUBLIC_URL, "later": 0 });
        request.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        writeln!(self.requests, "{request}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("the verifier said {answer:?}"))
    }

    #[track_caller]
    fn accepts(&mut self, token: &Token) {
        let answer = self.asked(&token.text, token.algorithm, &json!({}));
        assert_eq!(answer, json!({ "sub": token.sub, "kid": token.kid }));
    }

    /// Every claim of a token is checked, and each is refused when it is wrong.
    fn refuses_what_is_wrong_with(&mut self, token: &Token) {
        let (words, own) = (self.words, token.algorithm);
        let other = if own == "EdDSA" { "ES256" } else { "EdDSA" };
        let mut says = |text: &str, algorithm: &str, change: &Value| {
            self.asked(text, algorithm, change)["error"].clone()
        };
        assert_eq!(says(&token.text, own, &json!({ "later": LATER })), words.expired);
        assert_eq!(says(&token.text, own, &json!({ "issuer": "https://other.example.org" })), words.issuer);
        assert_eq!(
            says(&token.text, own, &json!({ "audience": "https://other.example.org" })),
            words.audience
        );
        assert_eq!(says(&token.text, other, &json!({})), words.algorithm);
        assert_eq!(says(&token.with_roles(), own, &json!({})), words.signature);
        assert_eq!(says(&token.with_key("0123456789abcdef"), own, &json!({})), words.unknown_key);
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An access token and its expected contents.
struct Token {
    text: String,
    algorithm: &'static str,
    kid: String,
    sub: Value,
}

impl Token {
    fn sign_in(server: &Server, algorithm: &'static str) -> Self {
        let text = server.http().sign_in(ADA, PASSWORD);
        let header = decoded(text.split('.').next().unwrap());
        assert_eq!((&header["alg"], &header["typ"]), (&json!(algorithm), &json!("at+jwt")));
        let kid = header["kid"].as_str().unwrap().to_owned();
        Self { sub: server.http().me(&text)["id"].clone(), text, algorithm, kid }
    }

    fn with(&self, part: usize, change: impl FnOnce(&mut Value)) -> String {
        let mut parts: Vec<String> = self.text.split('.').map(str::to_owned).collect();
        let mut value = decoded(&parts[part]);
        change(&mut value);
        parts[part] = BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        parts.join(".")
    }

    fn with_roles(&self) -> String {
        self.with(1, |claims| claims["roles"] = json!(["admin"]))
    }

    fn with_key(&self, kid: &str) -> String {
        self.with(0, |header| header["kid"] = json!(kid))
    }
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

fn published(server: &Server) -> Vec<Value> {
    let set = server.get("/.well-known/jwks.json").json(200);
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect()
}

/// Verifiers with the previous keys keep working through a rotation: with tokens signed before it and after.
fn others_verify(before: &'static str, after: &'static str) {
    let site = Site::sqlite();
    let server = site.serve_with(&[("VESTIBULE_TOKENS_ALGORITHM", before)]);
    site.run_with_input(&["user", "create", "--email", ADA, "--password-stdin"], PASSWORD).ok();
    let mut verifiers = Verifier::both(&server);
    let old = Token::sign_in(&server, before);
    for verifier in &mut verifiers {
        verifier.accepts(&old);
        verifier.refuses_what_is_wrong_with(&old);
    }
    // Planned: published, while the old key signs. The server has read it when it signs in.
    let planned = site.run(&["keys", "rotate", "--algorithm", after, "--json"]).ok().json();
    let next = planned[0]["new"]["id"].as_str().unwrap();
    let meanwhile = Token::sign_in(&server, before);
    assert_eq!(meanwhile.kid, old.kid);
    assert_eq!(published(&server), [next, &old.kid]);
    site.run(&["keys", "retire", next, "--yes"]).ok();
    // Immediately: the test does not wait for the time of a plan.
    site.run(&["keys", "rotate", "--algorithm", after, "--now", "--yes"]).ok();
    let new = Token::sign_in(&server, after);
    assert_eq!(published(&server), [&*new.kid, &old.kid]);
    for verifier in verifiers.iter_mut().chain(&mut Verifier::both(&server)) {
        for token in [&old, &meanwhile, &new] {
            verifier.accepts(token);
        }
        verifier.refuses_what_is_wrong_with(&new);
        // One key's token under the id of the other.
        let confused = verifier.asked(&new.with_key(&old.kid), after, &json!({}));
        assert!(confused["error"].is_string(), "{confused}");
    }
    // Signed out: refused here, but valid elsewhere until it expires.
    let bearer = format!("Bearer {}", new.text);
    assert_eq!(server.http().post("/v1/logout", Some(&bearer), &json!({})).status, 204);
    assert_eq!(server.http().get("/v1/me", Some(&bearer)).status, 401);
    for verifier in &mut verifiers {
        verifier.accepts(&new);
    }
}

#[test]
fn others_verify_eddsa_through_a_rotation() {
    others_verify("EdDSA", "EdDSA");
}

#[test]
fn others_verify_es256_through_a_rotation() {
    others_verify("ES256", "ES256");
}

#[test]
fn others_verify_while_the_algorithm_changes() {
    others_verify("EdDSA", "ES256");
}
