//! Kinds of mutations of a ceremony after which it proves nothing.

use super::draft::Ceremony;
use super::mutations::{After, BOTH, Before, CREATE, Change, GET, Kind, Outcome, edit, extensions, object};
use super::*;

const fn bad(name: &'static str, ceremonies: &'static [Ceremony], change: Change) -> Kind {
    Kind::new(Outcome::Refused, name, ceremonies, change)
}

const ORIGINS: [&str; 6] = [
    "https://example.org",
    "http://accounts.example.org",
    "https://accounts.example.org/",
    "https://accounts.example.org:8443",
    "https://ACCOUNTS.example.org",
    "https://accounts.example.org.attacker.example",
];

/// What both refuse, or judge alike.
pub(super) const HARMFUL: &[Kind] = &[
    bad(
        "client data: ceremony",
        BOTH,
        Before(|it, dice| it.replace("webauthn.", ["Webauthn.", "payment.", "webauthn.x"][dice.below(3)])),
    ),
    bad(
        "client data: challenge",
        BOTH,
        Before(|it, dice| {
            let length = 1 + dice.below(40);
            let other = encode(&dice.octets(length));
            it.replace(&encode(EXPECTED.challenge), &other);
        }),
    ),
    bad("client data: padded challenge", BOTH, Before(|it, _| it.replace(r#"","origin"#, r#"=","origin"#))),
    bad("client data: origin", BOTH, Before(|it, dice| it.replace(EXPECTED.origin, ORIGINS[dice.below(6)]))),
    bad(
        "client data: member missing",
        BOTH,
        Before(|it, dice| {
            let name = ["type", "challenge", "origin"][dice.below(3)];
            it.replace(&format!("\"{name}\""), "\"other\"");
        }),
    ),
    bad(
        "client data: truncated",
        BOTH,
        Before(|it, dice| it.client_data.truncate(dice.below(it.client_data.len()))),
    ),
    bad(
        "client data: something after it",
        BOTH,
        Before(|it, dice| it.client_data.push(b"}],0"[dice.below(4)])),
    ),
    bad("client data: top origin", GET, Before(|it, _| it.insert(r#""topOrigin":"https://example.com""#))),
    bad(
        "client data: flipped bit, not signed",
        GET,
        After(|it, dice| edit(it, "clientDataJSON", |octets| dice.flip(octets))),
    ),
    // Only ASCII comes of it: the second opinion repairs what is not UTF-8.
    Kind::new(
        Outcome::Alike,
        "client data: flipped bit",
        BOTH,
        Before(|it, dice| {
            let index = dice.below(it.client_data.len());
            it.client_data[index] ^= 1 << dice.below(7);
        }),
    ),
    bad(
        "relying party",
        BOTH,
        Before(|it, dice| it.rp_id = ["example.com", "accounts.example.org", ""][dice.below(3)].to_owned()),
    ),
    bad("user not present", BOTH, Before(|it, _| it.flags &= !UP)),
    bad("user not verified", BOTH, Before(|it, _| it.flags &= !UV)),
    bad("backed up and not eligible", CREATE, Before(|it, _| it.flags = it.flags & !BE | BS)),
    bad("backed up and not eligible, used", GET, Before(|it, _| it.flags = it.flags & !BE | BS)),
    bad("credential not announced", CREATE, Before(|it, _| it.flags &= !AT)),
    bad("no credential", CREATE, Before(|it, _| (it.with_credential, it.flags) = (false, it.flags & !AT))),
    bad(
        "credential announced and missing",
        BOTH,
        Before(|it, _| (it.with_credential, it.flags) = (false, it.flags | AT)),
    ),
    bad("extensions not announced", BOTH, Before(|it, _| it.tail = extensions())),
    bad("extensions announced and missing", BOTH, Before(|it, _| it.flags |= ED)),
    bad(
        "something after the authenticator data",
        BOTH,
        Before(|it, dice| {
            let length = 1 + dice.below(5);
            it.tail = dice.octets(length);
        }),
    ),
    bad(
        "authenticator data: truncated",
        GET,
        After(|it, dice| edit(it, "authenticatorData", |octets| octets.truncate(dice.below(37)))),
    ),
    bad(
        "authenticator data: flipped bit",
        GET,
        After(|it, dice| edit(it, "authenticatorData", |octets| dice.flip(octets))),
    ),
    // Not in the tag and the length of a DER signature: the second opinion looks over those.
    bad(
        "signature: flipped bit",
        GET,
        After(|it, dice| edit(it, "signature", |octets| dice.flip(&mut octets[2..]))),
    ),
    bad(
        "signature: truncated",
        GET,
        After(|it, dice| edit(it, "signature", |octets| octets.truncate(dice.below(octets.len())))),
    ),
    bad(
        "signature: chance",
        GET,
        After(|it, dice| edit(it, "signature", |octets| *octets = dice.octets(octets.len()))),
    ),
    bad("signature: zeros", GET, After(|it, _| edit(it, "signature", |octets| octets.fill(0)))),
    bad(
        "signature: longer",
        GET,
        After(|it, dice| edit(it, "signature", |octets| octets.push(dice.octet()))),
    )
    .only(&[Algorithm::Ed25519, Algorithm::Rs256]),
    bad(
        "signature: standard alphabet",
        GET,
        After(|it, _| {
            let signature =
                it["response"]["signature"].as_str().unwrap().replacen(char::is_alphanumeric, "+", 1);
            it["response"]["signature"] = json!(signature);
        }),
    ),
    bad(
        "key of another user",
        GET,
        Before(|it, _| it.key = Authenticator::new(Algorithm::Ed25519).public_key_entries()),
    ),
    bad(
        "key: flipped bit",
        GET,
        Before(|it, dice| {
            let value = &mut it.key[3].1;
            let head = value.len() - 2;
            dice.flip(&mut value[head..]);
        }),
    ),
    bad("key: no algorithm", BOTH, Before(|it, _| drop(it.key.remove(1)))),
    bad("key: other algorithm", BOTH, Before(|it, dice| it.key[1].1 = integer([-19, -6, -9][dice.below(3)])))
        .only(&[Algorithm::Ed25519]),
    bad("key: other hash", BOTH, Before(|it, dice| it.key[1].1 = integer([-35, -36, -47][dice.below(3)])))
        .only(&[Algorithm::Es256]),
    bad(
        "key: other hash of RSA",
        BOTH,
        Before(|it, dice| it.key[1].1 = integer([-37, -258, -65535][dice.below(3)])),
    )
    .only(&[Algorithm::Rs256]),
    bad(
        "key: parameter twice",
        BOTH,
        Before(|it, dice| {
            let index = dice.below(it.key.len());
            it.key.insert(index, it.key[index].clone());
        }),
    ),
    bad(
        "key: indefinite length",
        CREATE,
        Before(|it, _| it.key[3].1 = [&[0x5f][..], &it.key[3].1, &[0xff]].concat()),
    ),
    bad(
        "key: length in too many octets",
        CREATE,
        Before(|it, _| it.key[3].1.splice(0..2, [0x59, 0, 32]).for_each(drop)),
    )
    .only(&[Algorithm::Es256, Algorithm::Ed25519]),
    bad(
        "type of the credential",
        BOTH,
        After(|it, dice| {
            it["type"] = [json!("password"), json!("public_key"), Value::Null][dice.below(3)].clone();
        }),
    ),
    bad("two ids outside", BOTH, After(|it, _| it["rawId"] = json!("AAAA"))),
    bad("no id", BOTH, After(|it, _| (it["id"], it["rawId"]) = (json!(""), json!("")))),
    bad(
        "part missing",
        CREATE,
        After(|it, dice| {
            it["response"][["clientDataJSON", "attestationObject"][dice.below(2)]] = Value::Null;
        }),
    ),
    bad(
        "part missing in an assertion",
        GET,
        After(|it, dice| {
            it["response"][["clientDataJSON", "authenticatorData", "signature"][dice.below(3)]] = Value::Null;
        }),
    ),
    bad(
        "object: another format",
        CREATE,
        Before(|it, _| it.object = |data| object("fido-u2f", &map(&[]), data)),
    ),
    bad(
        "object: an unknown format",
        CREATE,
        Before(|it, _| it.object = |data| object("None", &map(&[]), data)),
    ),
    bad(
        "object: packed and self-attested",
        CREATE,
        Before(|it, _| {
            it.object = |data| {
                object("packed", &map(&[(text("alg"), integer(-7)), (text("sig"), bytes(&[0; 70]))]), data)
            }
        }),
    ),
    bad(
        "object: a statement",
        CREATE,
        Before(|it, _| it.object = |data| object("none", &map(&[(text("a"), integer(0))]), data)),
    ),
    bad(
        "object: key twice",
        CREATE,
        Before(|it, _| {
            it.object = |data| {
                map(&[
                    (text("fmt"), text("none")),
                    (text("fmt"), text("none")),
                    (text("attStmt"), map(&[])),
                    (text("authData"), bytes(data)),
                ])
            }
        }),
    ),
    bad("object: nothing in it", CREATE, Before(|it, _| it.object = |_| map(&[]))),
    bad(
        "object: indefinite length",
        CREATE,
        Before(|it, _| it.object = |data| [&[0xbf][..], &attestation_object(data)[1..], &[0xff]].concat()),
    ),
    bad(
        "object: truncated early",
        CREATE,
        After(|it, dice| edit(it, "attestationObject", |octets| octets.truncate(dice.below(90)))),
    ),
];
