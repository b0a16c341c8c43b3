use super::error::ImportedHashError;
use super::firebase::FirebaseScrypt;
use super::hash::ForeignHash;
use super::imported::{ImportedHash, Kept};
use crate::domain::password::Password;

const BY_PYTHON: &str = include_str!("../../../tests/foreign_hashes/made_by_python.json");
const BY_NODE: &str = include_str!("../../../tests/foreign_hashes/made_by_node.json");

/// From <https://github.com/firebase/scrypt>.
const FIREBASE_KEY: &str =
    "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
const FIREBASE_HASH: &str =
    "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==";

#[derive(serde::Deserialize)]
struct Vector {
    by: String,
    name: String,
    password: String,
    hash: Option<String>,
    credential_data: Option<String>,
    secret_data: Option<String>,
}

fn vectors() -> Vec<Vector> {
    [BY_PYTHON, BY_NODE].iter().flat_map(|text| serde_json::from_str::<Vec<Vector>>(text).unwrap()).collect()
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

fn imported(vector: &Vector) -> ImportedHash {
    match (&vector.hash, &vector.credential_data, &vector.secret_data) {
        (Some(hash), ..) => ImportedHash::parse(hash),
        (None, Some(data), Some(secret)) => ImportedHash::of_keycloak(data, secret),
        _ => panic!("{} {}: no hash", vector.by, vector.name),
    }
    .unwrap_or_else(|error| panic!("{} {}: {error}", vector.by, vector.name))
}

fn firebase() -> FirebaseScrypt {
    FirebaseScrypt {
        signer_key: FIREBASE_KEY.to_owned(),
        salt_separator: "Bw==".to_owned(),
        rounds: 8,
        mem_cost: 14,
    }
}

fn refusal(text: &str) -> ImportedHashError {
    ForeignHash::parse(text).expect_err(text)
}

// P4: hashes of the original libraries match their password, and no other.
#[test]
fn hashes_of_other_programs_match_their_password_only() {
    let mut seen = 0;
    for vector in vectors().iter().filter(|vector| vector.by != "weak") {
        let Kept::AsItIs(text, hash) = imported(vector).into_kept() else {
            panic!("{} is weak", vector.name)
        };
        assert_eq!(ForeignHash::parse(&text).as_ref(), Ok(&*hash), "what is stored is read again");
        assert!(hash.matches(&password(&vector.password)), "{} {}", vector.by, vector.name);
        let other = password(&format!("{}!", vector.password));
        assert!(!hash.matches(&other), "{} {}", vector.by, vector.name);
        seen += 1;
    }
    assert_eq!(seen, 30);
}

#[test]
fn firebase_publishes_a_hash() {
    let hash = ImportedHash::of_firebase(&firebase(), "42xEC+ixf3L2lw==", FIREBASE_HASH).unwrap();
    let Kept::AsItIs(text, hash) = hash.into_kept() else { panic!("it is not weak") };
    assert!(text.starts_with("$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8"), "{text}");
    assert!(hash.matches(&password("user1password")) && !hash.matches(&password("user2password")));
}

#[test]
fn salted_sha_is_kept_wrapped_only() {
    let weak: Vec<_> = vectors().into_iter().filter(|vector| vector.by == "weak").collect();
    assert_eq!(weak.len(), 6);
    for vector in weak {
        let hash = imported(&vector);
        assert!(hash.is_weak(), "{}", vector.name);
        let Kept::Weak(hash) = hash.into_kept() else { panic!("{} is weak", vector.name) };
        let mut tag = [0; 32];
        let argon = ::argon2::Argon2::new(
            ::argon2::Algorithm::Argon2id,
            ::argon2::Version::V0x13,
            ::argon2::Params::new(64, 1, 1, Some(32)).unwrap(),
        );
        argon.hash_password_into(hash.inner().as_bytes(), b"sixteen octets!!", &mut tag).unwrap();
        let tag = data_encoding::BASE64_NOPAD.encode(&tag);
        let phc = format!("$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbiBvY3RldHMhIQ${tag}");
        let stored = hash.wrapped_in(&phc);
        let wrapped = ForeignHash::parse(&stored).unwrap();
        assert_eq!(wrapped.class(), "wrapped m=64,t=1,p=1");
        assert!(wrapped.matches(&password(&vector.password)), "{stored}");
        assert!(!wrapped.matches(&password("another-password")), "{stored}");
    }
    for text in ["sha1$$df49b371383f237cd913f542da4b4a8605aaf5e4", "sha1$salt$df49", "{SSHA}AAAA", "sha256$x"]
    {
        assert_eq!(ImportedHash::parse(text), Err(ImportedHashError::Damaged("salted SHA")), "{text}");
    }
}

// P5: nothing beyond 72 octets is cut off.
#[test]
fn bcrypt_refuses_passwords_that_it_would_cut() {
    // Of 72 times `a`, by the Python library.
    let longest = "$2b$04$abcdefghijklmnopqrstuuQbEGL3YKZLNHYSGwUxLSY4ZFuWMwzXK";
    let Ok(ForeignHash::Bcrypt(_)) = ForeignHash::parse(longest) else { panic!("a bcrypt hash") };
    let hash = ForeignHash::parse(&bcrypt_of(&"a".repeat(72))).unwrap();
    assert!(hash.matches(&password(&"a".repeat(72))));
    assert!(!hash.matches(&password(&"a".repeat(73))), "bcrypt alone would not see the difference");
    assert!(!hash.matches(&password(&"a".repeat(71))));
}

/// With a fixed salt and the lowest cost.
fn bcrypt_of(text: &str) -> String {
    ::bcrypt::hash_with_salt(text, 4, [7; 16]).unwrap().format_for_version(::bcrypt::Version::TwoB)
}

// "Hash bombs": what would cost too much is refused before anything is computed.
#[test]
fn what_costs_too_much_is_refused_at_parsing() {
    let tag = "A".repeat(43);
    let bombs = [
        "$2b$15$abcdefghijklmnopqrstuuQbEGL3YKZLNHYSGwUxLSY4ZFuWMwzXK".to_owned(),
        "$2b$31$abcdefghijklmnopqrstuuQbEGL3YKZLNHYSGwUxLSY4ZFuWMwzXK".to_owned(),
        format!("$argon2id$v=19$m=262145,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA${tag}"),
        format!("$argon2id$v=19$m=262144,t=5,p=1$AAAAAAAAAAAAAAAAAAAAAA${tag}"),
        format!("$argon2id$v=19$m=1024,t=4294967295,p=1$AAAAAAAAAAAAAAAAAAAAAA${tag}"),
        format!("$argon2id$v=19$m=1024,t=1,p=17$AAAAAAAAAAAAAAAAAAAAAA${tag}"),
        format!("$scrypt$ln=18,r=8,p=1$AAAA${tag}"),
        format!("$scrypt$ln=63,r=8,p=1$AAAA${tag}"),
        format!("$scrypt$ln=4294967295,r=8,p=1$AAAA${tag}"),
        format!("scrypt$1024$salt$4294967295$4294967295${tag}="),
        format!("pbkdf2_sha256$2000001$salt${tag}="),
        format!("pbkdf2:sha1:1000001$salt${}", "a".repeat(64)),
        format!("$fbscrypt$v=1,n=20,r=8,p=1,ss=Bw==,sk={FIREBASE_KEY}$AAAA${FIREBASE_HASH}"),
    ];
    for bomb in bombs {
        let refused = refusal(&bomb);
        assert!(matches!(refused, ImportedHashError::TooCostly(..)), "{bomb}: {refused}");
    }
}

#[test]
fn damaged_hashes_are_refused() {
    let huge = format!("$2b$10${}", "a".repeat(2000));
    let unknown = [
        "",
        "$",
        "violet-otter",
        "plain:text",
        "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99",
        "$1$salt$hash",
        "$2x$10$a",
        "!unusable",
        "$argon2x$",
        "\u{0}",
        "$2b$10$ä",
        &huge,
    ];
    for text in unknown {
        assert_eq!(refusal(text), ImportedHashError::Unknown, "{text}");
    }
    for vector in vectors().iter().filter(|vector| vector.by != "weak") {
        let Some(whole) = &vector.hash else { continue };
        for end in (whole.find(['$', ':']).unwrap()..whole.len()).step_by(7) {
            // Cut somewhere, it may still be a whole one with a shorter tag, which no password meets.
            if let Ok(hash) = ForeignHash::parse(&whole[..end]) {
                assert_eq!(ForeignHash::parse(whole).unwrap().class(), hash.class(), "{}", &whole[..end]);
            }
        }
    }
    for text in [
        "$2b$03$abcdefghijklmnopqrstuuQbEGL3YKZLNHYSGwUxLSY4ZFuWMwzXK",
        "$2b$4$abcdefghijklmnopqrstuuQbEGL3YKZLNHYSGwUxLSY4ZFuWMwzXK",
        "$2b$+4$abcdefghijklmnopqrstuuQbEGL3YKZLNHYSGwUxLSY4ZFuWMwzXK",
        "$2b$10$abcdefghijklmnopqrstuuQbEGL3YKZLNHYSGwUxLSY4ZFuWMwzX",
        "pbkdf2_sha256$0$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "pbkdf2_sha256$-1$salt$AAAA",
        "pbkdf2:md5:1$salt$00",
        "scrypt:3:8:1$salt$00",
        "scrypt:0:8:1$salt$00",
        "$scrypt$ln=0,r=8,p=1$AAAA$AAAA",
        "$scrypt$ln=4,r=0,p=1$AAAA$AAAA",
        "$argon2id$v=18$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
        "$fbscrypt$v=2,n=1$a$b",
        "$wrapped$sha1-salt-middle$AAAA$argon2id$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA",
    ] {
        let known = if text.starts_with("pbkdf2_md5") { ImportedHashError::Unknown } else { refusal(text) };
        assert_eq!(refusal(text), known);
        assert!(matches!(refusal(text), ImportedHashError::Damaged(_)), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}", scheme in proptest::sample::select(vec![
        "$2b$04$", "$argon2id$v=19$", "pbkdf2_sha256$", "pbkdf2:sha256:1$", "scrypt$2$", "scrypt:2:1:1$", "$scrypt$ln=1,",
        "$fbscrypt$v=1,", "$wrapped$", "{SSHA}", "sha1$", "",
    ])) {
        let text = format!("{scheme}{text}");
        if let Ok(hash) = ForeignHash::parse(&text) {
            let _ = hash.class();
        }
        let _ = ImportedHash::parse(&text).map(|hash| hash.kind());
        let _ = ImportedHash::of_keycloak(&text, &text);
    }
}
