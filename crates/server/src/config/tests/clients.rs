//! `[[clients]]`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;
use vestibule::{ApplicationKind, Consent};

use crate::config::Flags;
use crate::config::environment::Environment;
use crate::config::guards::refusals;
use crate::config::settings::Config;

const SECRET: &str = "5b1c4f6f4a7e4d0f9a0f3f0c6a1d2e3f";

/// A folder with a settings file and secrets beside it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.secret("shop.secret", &format!("{SECRET}\n"), 0o600);
        folder
    }

    fn secret(&self, name: &str, text: &str, mode: u32) {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn load(&self, text: &str) -> Result<Config, String> {
        let path = self.0.path().join("vestibule.toml");
        fs::write(&path, text).unwrap();
        let flags = Flags { config: Some(path), listen: None };
        let loaded = Config::load(&flags, &Environment::default());
        loaded.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    /// What is said about a client with these lines.
    fn refused(&self, lines: &str) -> String {
        self.load(&format!("[[clients]]\n{lines}")).map(drop).unwrap_err()
    }
}

#[test]
fn a_client_is_public_or_has_its_secret_in_a_file_beside_the_settings() {
    let folder = Folder::new();
    let config = folder
        .load(
            "[[clients]]\nid = 'app'\nname = 'The App'\nredirect_uris = ['com.example.app:/done']\n\
             [[clients]]\nid = 'shop'\nname = 'Shop'\nsecret_file = 'shop.secret'\n\
             redirect_uris = ['https://shop.example.org/callback']\npost_logout_redirect_uris = ['https://shop.example.org/']\n\
             logout_uri = 'https://shop.example.org/logout'\nresources = ['https://api.example.org']\n\
             scopes = ['orders:read', 'orders:write']\nmachine_scopes = ['users:app-data']\nconsent = 'never'\n\
             claims = { plan = 'app.plan', 'https://a.example/theme' = 'data.theme' }\n",
        )
        .unwrap();
    let [app, shop] = config.policy.applications.as_slice() else {
        panic!("{:?}", config.policy.applications)
    };
    assert_eq!(
        (app.application.kind, app.application.consent, app.secrets.len()),
        (ApplicationKind::Public, Consent::Ask, 0)
    );
    assert_eq!(shop.application.kind, ApplicationKind::Confidential);
    assert_eq!(shop.secrets.iter().map(vestibule::Secret::expose).collect::<Vec<_>>(), [SECRET]);
    assert_eq!(shop.application.scopes.to_string(), "orders:read orders:write");
    let claims: Vec<_> = shop.application.claims.all().map(vestibule::ClaimPath::name).collect();
    assert_eq!(claims, ["plan", "https://a.example/theme"]);
    assert_eq!((shop.application.consent, shop.application.resources.len()), (Consent::Never, 1));
    assert!(!refusals(&config, true).iter().any(|problem| problem.cause.contains("clients")));
    // Keys beside the settings, instead of a secret: they are public.
    let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    folder.secret("shop.jwks.json", &format!("{{\"keys\":[{key}]}}\n"), 0o644);
    for (more, secrets) in [("", 0), ("secret_file = 'shop.secret'\n", 1)] {
        let shop =
            "[[clients]]\nid = 'shop'\nname = 'Shop'\nmachine_scopes = ['a']\njwks_file = 'shop.jwks.json'\n";
        let config = folder.load(&format!("{shop}{more}")).unwrap();
        let shop = &config.policy.applications[0];
        let found = (shop.application.kind, shop.application.keys.len(), shop.secrets.len());
        assert_eq!(found, (ApplicationKind::Confidential, 1, secrets));
        assert!(!refusals(&config, true).iter().any(|problem| problem.cause.contains("clients")));
        assert!(config.policy.check().is_ok());
    }
    // While a secret is exchanged there are two.
    folder.secret("new.secret", &SECRET.replace('5', "6"), 0o644);
    let config = folder
        .load(
            "[[clients]]\nid = 'shop'\nname = 'Shop'\nsecret_files = ['shop.secret', 'new.secret']\n\
             redirect_uris = ['https://shop.example.org/callback']\n",
        )
        .unwrap();
    assert_eq!(config.policy.applications[0].secrets.len(), 2);
    // O5: as for the secret key, a file that everybody reads is refused.
    let refused = refusals(&config, true).iter().map(ToString::to_string).collect::<String>();
    let path = folder.0.path().join("new.secret");
    assert!(
        refused.contains(&format!("`shop`: every user of this machine can read {}", path.display())),
        "{refused}"
    );
    assert!(refused.contains(&format!("chmod 600 {}", path.display())), "{refused}");
}

#[test]
fn what_is_wrong_is_said_with_client_and_key() {
    let folder = Folder::new();
    folder.secret("short.secret", "too-short", 0o600);
    let private = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"A","d":"hunter2"}]}"#;
    folder.secret("private.json", private, 0o644);
    let shop = |lines: &str| format!("id = 'shop'\nname = 'Shop'\n{lines}");
    let uri = "redirect_uris = ['https://shop.example.org/callback']\n";
    for (lines, words) in [
        ("name = 'Shop'".to_owned(), "entry 1: `id` is missing"),
        ("id = 'The Shop'".to_owned(), "entry 1: `id`: The Shop: a client id is 2 to 64"),
        (shop(""), "`shop`: needs `redirect_uris`, or `machine_scopes`\n  fix: say where its answers go"),
        (
            shop("redirect_uri = 'https://a.example'"),
            "unknown key `redirect_uri`\n  fix: did you mean `redirect_uris`?",
        ),
        (shop("secret = 'hunter2'"), "unknown key `secret`\n  fix: make one with"),
        (shop("public = true"), "a client without a secret_file or jwks_file is public"),
        (shop("redirect_uris = 'https://a.example'"), "`shop`: `redirect_uris`: invalid type"),
        (
            shop("redirect_uris = ['http://shop.example.org/']"),
            "`redirect_uris`: http://shop.example.org/ uses http for another machine",
        ),
        (shop("redirect_uris = ['https://a.example/#x']"), "has a fragment"),
        (shop("redirect_uris = ['myapp:/done']"), "com.example.app"),
        (shop(&format!("{uri}resources = ['api']")), "`resources`: api is not an absolute https address"),
        (shop(&format!("{uri}scopes = ['a b']")), "`scopes`: a b is not the name of a scope"),
        (shop(&format!("{uri}scopes = ['openid']")), "`scopes`: openid belongs to every application"),
        (shop(&format!("{uri}machine_scopes = ['a']")), "`machine_scopes` need a confidential client"),
        (shop(&format!("{uri}claims = {{ sub = 'app.id' }}")), "`claims`: `sub` is a registered claim"),
        (shop(&format!("{uri}claims = {{ groups = 'data.g' }}")), "which users cannot change"),
        (shop(&format!("{uri}claims = {{ plan = 1 }}")), "`claims.plan`: invalid type"),
        (shop(&format!("{uri}consent = 'always'")), "`consent` is neither ask nor never"),
        (shop(&format!("{uri}logout_uri = 'http://a.example'")), "`logout_uri` is not an absolute https"),
        (
            shop("redirect_uris = ['http://localhost/cb']\nconsent = 'never'"),
            "`consent` is always `ask` for a public client",
        ),
        (shop(&format!("{uri}jwks_file = 'gone.json'")), "`jwks_file`: cannot read"),
        (shop(&format!("{uri}jwks_file = 'short.secret'")), "short.secret is not a JWK Set"),
        (shop(&format!("{uri}jwks_file = 'private.json'")), "private.json has private parts in key 1"),
        (shop(&format!("{uri}jwks_file = 1")), "`jwks_file`: invalid type"),
        (shop(&format!("{uri}secret_file = 'gone.secret'")), "cannot read the secret file"),
        (shop(&format!("{uri}secret_file = 'short.secret'")), "is not 32 or more characters"),
        (
            shop(&format!("{uri}secret_file = 'shop.secret'\nsecret_files = ['shop.secret']")),
            "both `secret_file` and `secret_files`",
        ),
        (shop(&format!("{uri}[[clients]]\nid = 'shop'\nname = 'B'\n{uri}")), "two clients with this id"),
    ] {
        let refused = folder.refused(&lines);
        assert!(refused.contains(words) && refused.starts_with("`clients` ("), "{lines}\n{refused}");
        // O1: no message repeats a secret.
        assert!(!refused.contains("hunter2") && !refused.contains("too-short"), "{refused}");
    }
    let pairs = [("VESTIBULE_CLIENTS".to_owned(), "shop".to_owned())];
    let loaded = Config::load(&Flags::default(), &Environment(pairs.into_iter().collect()));
    let refused = loaded.map(drop).unwrap_err();
    assert!(
        refused[0].fix.contains("[[clients]]") && refused[0].cause.contains("VESTIBULE_CLIENTS"),
        "{refused:?}"
    );
}
