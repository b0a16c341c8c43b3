//! What is changed in a ceremony on which two verifiers differ, each with the reason.

use super::draft::{Ceremony, Draft};
use super::mutations::{After, Around, BOTH, Before, CREATE, Change, GET, Kind, Outcome, edit, object};
use super::*;

const fn stricter(
    reason: &'static str,
    name: &'static str,
    ceremonies: &'static [Ceremony],
    change: Change,
) -> Kind {
    Kind::new(Outcome::Stricter(reason), name, ceremonies, change)
}

const fn laxer(
    reason: &'static str,
    name: &'static str,
    ceremonies: &'static [Ceremony],
    change: Change,
) -> Kind {
    Kind::new(Outcome::Laxer(reason), name, ceremonies, change)
}

const FRAMES: &str = "ceremonies in frames of other sites are not offered";
const ONCE: &str = "two readers of the same octets may not see two members";
const TYPES: &str = "crossOrigin is a boolean and topOrigin a text (WebAuthn L3 §5.8.1)";
const SPELLING: &str = "base64url has one spelling here (RFC 4648 §3.5)";
const CANONICAL: &str = "authenticators write canonical CBOR (CTAP 2.1 §8)";
const WHOLE: &str = "a byte string has the length that it claims (RFC 8949 §3)";
const EARLY: &str = "a key that could never be used is refused when it is registered";
const KINDS: &str = "an algorithm has one type of key (WebAuthn L3 §5.8.5)";
const BOUNDS: &str = "everything has a bound";
const DER: &str = "a signature is one DER sequence and nothing else (RFC 3279 §2.2.3)";
const SAME: &str = "the id that is stored is the one that the authenticator made";

/// Ends the client data with a space that is alone in its group of three octets: `IA` in base64url.
fn uneven(draft: &mut Draft<'_>) {
    let missing = 3 - (draft.client_data.len() + 2) % 3;
    draft.client_data.extend(vec![b' '; missing]);
}

/// Ends the client data, in base64url, with something else than that `IA`.
fn respell(credential: &mut Value, end: &str) {
    let text = credential["response"]["clientDataJSON"].as_str().unwrap().to_owned();
    let rest = text.strip_suffix("IA").unwrap();
    credential["response"]["clientDataJSON"] = json!(format!("{rest}{end}"));
}

/// Where we refuse what the second opinion accepts, and the other way round. The whole list: on any other, they agree.
pub(super) const DIFFERENCES: &[Kind] = &[
    stricter(FRAMES, "client data: crossOrigin", BOTH, Before(|it, _| it.replace("false", "true"))),
    stricter(
        FRAMES,
        "client data: top origin of a new credential",
        CREATE,
        Before(|it, _| it.insert(r#""topOrigin":"https://example.com""#)),
    ),
    stricter(
        ONCE,
        "client data: member twice",
        BOTH,
        Before(|it, dice| {
            it.insert(
                [r#""type":"webauthn.x""#, r#""origin":"https://example.com""#, r#""crossOrigin":true"#]
                    [dice.below(3)],
            );
        }),
    ),
    stricter(
        TYPES,
        "client data: other types",
        BOTH,
        Before(|it, dice| it.replace("false", ["0", "null", r#"false,"topOrigin":null"#][dice.below(3)])),
    ),
    stricter(
        "JSON is UTF-8 (RFC 8259 §8.1); the second opinion repairs it",
        "client data: not UTF-8",
        BOTH,
        Before(|it, _| {
            it.insert(r#""a":"?""#);
            let index = it.client_data.iter().position(|octet| *octet == b'?').unwrap();
            it.client_data[index] = 0xff;
        }),
    ),
    stricter(
        BOUNDS,
        "client data: longer than 4 KiB",
        BOTH,
        Before(|it, _| it.insert(&format!(r#""a":"{}""#, "a".repeat(4096)))),
    ),
    stricter(
        BOUNDS,
        "credential id: longer than 1,023 octets",
        BOTH,
        Before(|it, dice| {
            let length = 1024 + dice.below(1000);
            it.ids = [dice.octets(length), Vec::new()];
            it.ids[1] = it.ids[0].clone();
        }),
    ),
    stricter(
        BOUNDS,
        "user handle: longer than 64 octets",
        GET,
        Before(|it, _| it.user_handle = Some(vec![0; 65])),
    ),
    stricter(
        SAME,
        "credential id: another one outside",
        CREATE,
        Before(|it, dice| dice.flip(&mut it.ids[1])),
    ),
    stricter(
        SPELLING,
        "credential id: padded",
        GET,
        After(|it, _| (it["id"], it["rawId"]) = (json!("AAA="), json!("AAA="))),
    ),
    stricter(SPELLING, "client data: padded", BOTH, Around(|it, _| uneven(it), |it, _| respell(it, "IA=="))),
    stricter(
        SPELLING,
        "client data: spare bits",
        BOTH,
        Around(|it, _| uneven(it), |it, dice| respell(it, ["IB", "IH", "IP"][dice.below(3)])),
    ),
    stricter(
        DER,
        "signature: another tag or length",
        GET,
        After(|it, dice| {
            let (index, octet) = [(0, 0xb0), (0, 0xa0), (1, 0x44 - 4)][dice.below(3)];
            edit(it, "signature", |octets| octets[index] = octet);
        }),
    )
    .only(&[Algorithm::Es256]),
    stricter(
        DER,
        "signature: longer than its DER",
        GET,
        After(|it, dice| edit(it, "signature", |octets| octets.push(dice.octet()))),
    )
    .only(&[Algorithm::Es256]),
    stricter(
        CANONICAL,
        "object: keys in another order",
        CREATE,
        Before(|it, _| {
            it.object = |data| {
                map(&[
                    (text("authData"), bytes(data)),
                    (text("fmt"), text("none")),
                    (text("attStmt"), map(&[])),
                ])
            }
        }),
    ),
    stricter(
        CANONICAL,
        "object: length in too many octets",
        CREATE,
        Before(|it, _| {
            it.object = |data| {
                let length = u32::try_from(data.len()).unwrap().to_be_bytes();
                let around = attestation_object(&[]);
                [&around[..around.len() - 1], &[0x5a], &length, data].concat()
            }
        }),
    ),
    stricter(
        CANONICAL,
        "object: statement that is no map",
        CREATE,
        Before(|it, dice| {
            it.object = [
                |data: &[u8]| object("none", &[0x80], data),
                |data: &[u8]| object("none", &bytes(&[]), data),
                |data: &[u8]| object("none", &integer(0), data),
            ][dice.below(3)];
        }),
    ),
    stricter(CANONICAL, "key: parameters in another order", BOTH, Before(|it, _| it.key.reverse())),
    stricter(
        "a COSE_Key has no optional parameters but alg (WebAuthn L3 §6.5.1)",
        "key: another parameter",
        BOTH,
        Before(|it, _| it.key.insert(1, (integer(2), bytes(b"kid")))),
    ),
    stricter(
        "extension outputs are a map (WebAuthn L3 §6.1)",
        "extensions: no map",
        BOTH,
        Before(|it, _| (it.flags, it.tail) = (it.flags | ED, vec![0x80])),
    ),
    stricter(
        CANONICAL,
        "extensions: nested deeper than four levels",
        BOTH,
        Before(|it, _| {
            let nested = [0x81, 0x81, 0x81, 0x81, 0x00];
            (it.flags, it.tail) = (it.flags | ED, map(&[(text("a"), nested.to_vec())]));
        }),
    ),
    stricter(
        CANONICAL,
        "extensions: a tag or a fraction",
        BOTH,
        Before(|it, dice| {
            let value = [&[0xc1, 0x00][..], &[0xfa, 0x3f, 0x80, 0, 1], &[0xf7]][dice.below(3)];
            (it.flags, it.tail) = (it.flags | ED, map(&[(text("a"), value.to_vec())]));
        }),
    ),
    stricter(
        WHOLE,
        "object: the last octet missing",
        CREATE,
        After(|it, _| edit(it, "attestationObject", |octets| octets.truncate(octets.len() - 1))),
    ),
    stricter(
        CANONICAL,
        "object: something after it",
        CREATE,
        After(|it, dice| edit(it, "attestationObject", |octets| octets.push(dice.octet()))),
    ),
    stricter(EARLY, "key: not on its curve", CREATE, Before(|it, _| it.key[3].1 = bytes(&[1; 32])))
        .only(&[Algorithm::Es256]),
    stricter(
        EARLY,
        "key: coordinate of another length",
        CREATE,
        Before(|it, dice| it.key[3].1 = bytes(&vec![1; [16, 31, 33][dice.below(3)]])),
    )
    .only(&[Algorithm::Es256, Algorithm::Ed25519]),
    stricter(
        EARLY,
        "key: too weak or too long",
        CREATE,
        Before(|it, dice| it.key[2].1 = bytes(&vec![0xff; [128, 255, 513][dice.below(3)]])),
    )
    .only(&[Algorithm::Rs256]),
    stricter(
        EARLY,
        "key: small exponent",
        CREATE,
        Before(|it, dice| it.key[3].1 = bytes([&[3][..], &[1, 0, 0], &[1]][dice.below(3)])),
    )
    .only(&[Algorithm::Rs256]),
    stricter(
        KINDS,
        "key: algorithm of another type",
        CREATE,
        Before(|it, _| {
            let other = if it.key[1].1 == integer(-7) { -8 } else { -7 };
            it.key[1].1 = integer(other);
        }),
    ),
    stricter(
        KINDS,
        "key: algorithm of another type, stored",
        GET,
        Before(|it, dice| it.key[1].1 = integer([-7, -36, -257][dice.below(3)])),
    )
    .only(&[Algorithm::Ed25519]),
    stricter(
        "BE is fixed at creation (WebAuthn L3 §7.2)",
        "eligibility for backup changed",
        GET,
        Before(|it, _| it.stored_eligible = Some(it.flags & BE == 0)),
    ),
    laxer(
        "a counter that goes back is told, not refused: copies of passkeys keep none",
        "sign count: gone back",
        GET,
        Before(|it, _| (it.sign_count, it.stored_count) = (3, 5)),
    ),
    laxer(
        "token binding is gone from WebAuthn L3",
        "client data: unknown token binding",
        BOTH,
        Before(|it, _| it.insert(r#""tokenBinding":{"status":"?"}"#)),
    ),
];
