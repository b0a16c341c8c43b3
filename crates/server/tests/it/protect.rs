//! The examples of docs/protect.md, taken from its text and run: applications that check tokens with the keys alone.

use std::any::Any;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use vestibule_testing::{Answer, Client, PASSWORD, Server, Site, node, python};

use crate::peers::{Peer, on_connections, read_request};

const PAGE: &str = include_str!("../../../../docs/protect.md");
/// The key pair of RFC 8037, appendix A.1: the private part in PKCS #8, the public one as in a JWK.
const PRIVATE: &[u8] =
    b"302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// The block of the page whose first line contains this title.
fn block(title: &str) -> &'static str {
    let start = format!("\n```{title}\n");
    assert_eq!(PAGE.matches(&start).count(), 1, "{title}");
    let (_, rest) = PAGE.split_once(&start).unwrap();
    &rest[..=rest.find("\n```\n").unwrap()]
}

/// Vestibule, and an address that serves its keys and one more, whose private part the test has.
struct Issuer {
    site: Site,
    server: Server,
    settings: [(&'static str, String); 3],
}

impl Issuer {
    fn open() -> Self {
        let site = Site::sqlite();
        let server = site.serve_at_its_url(&[]);
        let mut keys = server.get("/.well-known/jwks.json").json(200);
        let other = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "test", "x": PUBLIC });
        keys["keys"].as_array_mut().unwrap().push(other);
        let keys = keys.to_string();
        let address = on_connections(move |stream| {
            read_request(&stream);
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n";
            let _ = write!(&stream, "{head}content-length: {}\r\n\r\n{keys}", keys.len());
        });
        let issuer = format!("http://localhost:{}", server.address.rsplit_once(':').unwrap().1);
        let settings = [
            ("AUTH_ISSUER", issuer.clone()),
            ("AUTH_AUDIENCE", issuer),
            ("AUTH_JWKS_URL", format!("http://{address}/keys")),
        ];
        Self { site, server, settings }
    }

    /// Signs in a new user; returns the answer.
    fn signed_in(&self, email: &str, more: &[&str]) -> Value {
        self.site.has_user(email, more);
        self.server.http().post("/v1/login", None, &json!({ "email": email, "password": PASSWORD })).json(200)
    }
}

/// A token like `token` except for this change, signed with the test's key.
fn forged(token: &str, change: impl FnOnce(&mut Header, &mut Value)) -> String {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some("test".to_owned());
    let mut claims = payload(token);
    change(&mut header, &mut claims);
    let key = match header.alg {
        Algorithm::EdDSA => EncodingKey::from_ed_der(&HEXLOWER.decode(PRIVATE).unwrap()),
        _ => EncodingKey::from_secret(&BASE64URL_NOPAD.decode(PUBLIC.as_bytes()).unwrap()),
    };
    encode(&header, &claims, &key).unwrap()
}

fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

/// The token with other claims or another header, under its old signature.
fn tampered(token: &str, part: usize, change: impl FnOnce(&mut Value)) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let mut value = serde_json::from_slice(&BASE64URL_NOPAD.decode(parts[part].as_bytes()).unwrap()).unwrap();
    change(&mut value);
    parts[part] = BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    parts.join(".")
}

/// Invalid tokens, with what is wrong with them.
fn bad_tokens(session: &Value) -> Vec<(&'static str, String)> {
    let good = session["access_token"].as_str().unwrap();
    let with = |name: &str, value: Value| forged(good, |_, claims| claims[name] = value);
    let without = |name: &str| forged(good, |_, claims| drop(claims.as_object_mut().unwrap().remove(name)));
    let (claims, signature) = good.rsplit_once('.').unwrap();
    let other = Issuer::open();
    let elsewhere = other.signed_in("ada@example.org", &[])["access_token"].as_str().unwrap().to_owned();
    vec![
        ("nothing", String::new()),
        ("no token", "x".to_owned()),
        ("three parts", "a.b.c".to_owned()),
        ("other letters", "\u{e4}.\u{f6}.\u{fc}".to_owned()),
        ("a refresh token", session["refresh_token"].as_str().unwrap().to_owned()),
        ("other claims", tampered(good, 1, |claims| claims["roles"] = json!(["admin"]))),
        ("another header", tampered(good, 0, |header| header["typ"] = json!("AT+JWT"))),
        ("half a signature", format!("{claims}.{}", &signature[..signature.len() / 2])),
        ("no signature", format!("{claims}.")),
        (
            "alg none",
            format!(
                "{}.",
                tampered(good, 0, |header| header["alg"] = json!("none")).rsplit_once('.').unwrap().0
            ),
        ),
        ("the public key as a shared secret", forged(good, |header, _| header.alg = Algorithm::HS256)),
        ("another's key", forged(good, |header, _| header.kid = kid_of(good))),
        ("an unknown key", forged(good, |header, _| header.kid = Some("other".to_owned()))),
        ("no key", forged(good, |header, _| header.kid = None)),
        ("of another Vestibule", elsewhere),
        ("not an access token", forged(good, |header, _| header.typ = Some("JWT".to_owned()))),
        ("of no type", forged(good, |header, _| header.typ = None)),
        ("expired", with("exp", json!(payload(good)["iat"].as_i64().unwrap() - 60))),
        ("of another issuer", with("iss", json!("http://localhost:1"))),
        ("for another audience", with("aud", json!("http://localhost:1"))),
        ("no issuer", without("iss")),
        ("no audience", without("aud")),
        ("no end", without("exp")),
        ("no beginning", without("iat")),
        ("of nobody", without("sub")),
        ("of no session", without("sid")),
        ("of no roles", without("roles")),
    ]
}

fn kid_of(token: &str) -> Option<String> {
    jsonwebtoken::decode_header(token).unwrap().kid
}

/// A running example; it ends when it is dropped.
struct Example {
    client: Client,
    _running: Box<dyn Any>,
}

impl Example {
    fn of(peer: Peer) -> Self {
        Self { client: Client::new(&peer.address), _running: Box::new(peer) }
    }

    fn get(&self, path: &str, token: &str) -> Answer {
        self.client.get(path, Some(&format!("Bearer {token}")))
    }
}

/// What every example must do.
fn judge(start: impl Fn(&[(&str, String)]) -> Example) {
    let issuer = Issuer::open();
    let session = issuer.signed_in("ada@example.org", &[]);
    let (ada, id) = (session["access_token"].as_str().unwrap(), session["user"]["id"].as_str().unwrap());
    let root =
        issuer.signed_in("root@example.org", &["--admin"])["access_token"].as_str().unwrap().to_owned();
    let example = start(&issuer.settings);

    // Each bad token below differs from this one in one respect.
    for good in [ada.to_owned(), forged(ada, |_, _| ())] {
        let answer = example.get("/orders", &good);
        assert!(answer.status == 200 && answer.body.contains(id), "{answer:?}");
        let lacking = example.get("/reports", &good);
        assert_eq!(
            (lacking.status, lacking.header("www-authenticate")),
            (403, "Bearer error=\"insufficient_scope\"")
        );
    }
    assert_eq!(example.get("/reports", &root).status, 200);
    assert_eq!(example.client.get("/orders", Some(&format!("bearer {ada}"))).status, 200);

    for path in ["/orders", "/reports"] {
        for authorization in [None, Some("Basic YWRhOng="), Some(ada)] {
            let answer = example.client.get(path, authorization);
            assert_eq!(
                (answer.status, answer.header("www-authenticate")),
                (401, "Bearer"),
                "{authorization:?}"
            );
        }
    }
    for (name, token) in bad_tokens(&session) {
        let answer = example.get("/orders", &token);
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{name}: {answer:?}");
    }

    // As the page says: the keys alone do not reveal a sign-out. Vestibule does.
    let bearer = format!("Bearer {ada}");
    assert_eq!(
        issuer.server.http().request("POST", "/v1/logout", &[("authorization", &bearer)], "").status,
        204
    );
    assert_eq!(example.get("/orders", ada).status, 200);
    assert_eq!(issuer.server.http().get("/v1/auth/verify", Some(&bearer)).status, 401);

    // Without keys no token can be checked, and nobody gets in.
    let mut settings = issuer.settings.clone();
    "http://127.0.0.1:1/keys".clone_into(&mut settings[2].1);
    assert_eq!(start(&settings).get("/orders", ada).status, 503);
}

/// A command that runs this file of the page, with other files beside it.
fn prepare(
    folder: &Path,
    files: &[(&str, &str)],
    mut command: Command,
    settings: &[(&str, String)],
) -> Command {
    for (language, name) in files {
        std::fs::write(folder.join(name), block(&format!("{language} {name}"))).unwrap();
    }
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    command
}

fn fastapi(folder: &Path, address: &str, settings: &[(&str, String)]) -> Command {
    let mut command = python();
    command.args(["-m", "uvicorn", "fastapi_app:app", "--port", port(address)]);
    prepare(folder, &[("python", "tokens.py"), ("python", "fastapi_app.py")], command, settings)
}

fn flask(folder: &Path, address: &str, settings: &[(&str, String)]) -> Command {
    let mut command = python();
    command.args(["-m", "flask", "--app", "flask_app", "run", "--port", port(address)]);
    prepare(folder, &[("python", "tokens.py"), ("python", "flask_app.py")], command, settings)
}

fn express(folder: &Path, address: &str, settings: &[(&str, String)]) -> Command {
    let mut command = node();
    let packages =
        command.get_envs().find_map(|(name, value)| value.filter(|_| name == "NODE_PACKAGES")).unwrap();
    // `import` looks beside the script.
    symlink(Path::new(packages).parent().unwrap(), folder.join("node_modules")).unwrap();
    command.arg("express_app.mjs").env("PORT", port(address));
    prepare(folder, &[("js", "express_app.mjs")], command, settings)
}

fn port(address: &str) -> &str {
    address.rsplit_once(':').unwrap().1
}

#[test]
fn fastapi_checks_tokens_with_the_keys() {
    judge(|settings| Example::of(Peer::start(|folder, address| fastapi(folder, address, settings))));
}

#[test]
fn flask_checks_tokens_with_the_keys() {
    judge(|settings| Example::of(Peer::start(|folder, address| flask(folder, address, settings))));
}

#[test]
fn express_checks_tokens_with_the_keys() {
    judge(|settings| Example::of(Peer::start(|folder, address| express(folder, address, settings))));
}

#[test]
fn axum_checks_tokens_with_the_keys() {
    assert_eq!(
        block("rust axum_app.rs"),
        include_str!("../../examples/axum_service/axum_app.rs"),
        "the page shows what is run here"
    );
    judge(|settings| {
        let [(_, issuer), (_, audience), (_, url)] = settings else { panic!("three settings") };
        let app = crate::axum_app::app(issuer, audience, url).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let client = Client::new(&listener.local_addr().unwrap().to_string());
        runtime.spawn(async move { axum::serve(listener, app).await });
        Example { client, _running: Box::new(runtime) }
    });
}

/// A checker without an issuer would accept the tokens of any.
#[test]
fn no_example_starts_without_its_settings() {
    let settings = ["AUTH_ISSUER", "AUTH_AUDIENCE", "AUTH_JWKS_URL"]
        .map(|name| (name, "http://127.0.0.1:1/".to_owned()));
    for missing in 0..settings.len() {
        let given: Vec<_> = settings.iter().enumerate().filter(|(index, _)| *index != missing).collect();
        let given: Vec<_> = given.into_iter().map(|(_, setting)| setting.clone()).collect();
        for (name, command) in [
            ("fastapi", fastapi as fn(&Path, &str, &[(&str, String)]) -> Command),
            ("flask", flask),
            ("express", express),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let mut command = command(folder.path(), "127.0.0.1:0", &given);
            let output = command.current_dir(folder.path()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success() && said.contains(settings[missing].0), "{name}: {said}");
        }
    }
}

#[test]
fn one_line_asks_vestibule() {
    let issuer = Issuer::open();
    let session = issuer.signed_in("ada@example.org", &[]);
    let bearer = format!("Bearer {}", session["access_token"].as_str().unwrap());
    let url = &issuer.settings[0].1;
    let ask = |authorization: &str| {
        let script = format!(
            "import requests\nISSUER, authorization = {url:?}, {authorization:?}\n{}print(ok)",
            block("python verify.py")
        );
        let mut in_python = python();
        in_python.args(["-c", &script]);
        let script = format!(
            "const issuer = {url:?}, authorization = {authorization:?};\n{}console.log(ok)",
            block("js verify.mjs")
        );
        let mut in_node = node();
        in_node.args(["--input-type=module", "-e", &script]);
        [in_python, in_node].map(|mut command| {
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().to_lowercase()
        })
    };
    assert_eq!(ask(&bearer), ["true", "true"]);
    assert_eq!(ask("Bearer x"), ["false", "false"]);
    issuer.server.http().request("POST", "/v1/logout", &[("authorization", &bearer)], "");
    assert_eq!(ask(&bearer), ["false", "false"]);
}
