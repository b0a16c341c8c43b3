//! Kinds of mutations of a ceremony, and those that do no harm.

use super::draft::{Ceremony, Dice, Draft};
use super::*;

/// A kind of mutation, for some ceremonies and some keys.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) ceremonies: &'static [Ceremony],
    pub(super) keys: &'static [Algorithm],
    pub(super) change: Change,
    pub(super) outcome: Outcome,
}

/// What is changed.
pub(super) enum Change {
    /// A piece, before the whole is put together and signed.
    Before(fn(&mut Draft<'_>, &mut Dice)),
    /// The JSON that was made.
    After(fn(&mut Value, &mut Dice)),
    /// One after the other.
    Around(fn(&mut Draft<'_>, &mut Dice), fn(&mut Value, &mut Dice)),
}

/// What is to come of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    /// Both accept.
    Accepted,
    /// Both refuse.
    Refused,
    /// Both accept or both refuse, as chance has it.
    Alike,
    /// We refuse what the second opinion accepts, because of this.
    Stricter(&'static str),
    /// We accept what the second opinion refuses, because of this.
    Laxer(&'static str),
}

pub(super) use Change::{After, Around, Before};

pub(super) const BOTH: &[Ceremony] = &[Ceremony::Create, Ceremony::Get];
pub(super) const CREATE: &[Ceremony] = &[Ceremony::Create];
pub(super) const GET: &[Ceremony] = &[Ceremony::Get];

impl Kind {
    pub(super) const fn new(
        outcome: Outcome,
        name: &'static str,
        ceremonies: &'static [Ceremony],
        change: Change,
    ) -> Self {
        Self { name, ceremonies, keys: &Algorithm::ALL, change, outcome }
    }

    pub(super) const fn only(self, keys: &'static [Algorithm]) -> Self {
        Self { keys, ..self }
    }
}

const fn fine(name: &'static str, ceremonies: &'static [Ceremony], change: Change) -> Kind {
    Kind::new(Outcome::Accepted, name, ceremonies, change)
}

/// Changes the octets of a part of the response.
pub(super) fn edit(credential: &mut Value, part: &str, change: impl FnOnce(&mut Vec<u8>)) {
    let text = credential["response"][part].as_str().unwrap();
    let mut octets = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
    change(&mut octets);
    credential["response"][part] = json!(encode(&octets));
}

pub(super) fn extensions() -> Vec<u8> {
    map(&[(text("credProtect"), integer(2)), (text("example.org"), map(&[(text("a"), vec![0xf5])]))])
}

/// An attestation object with another format and statement.
pub(super) fn object(format: &str, statement: &[u8], data: &[u8]) -> Vec<u8> {
    map(&[
        (text("fmt"), text(format)),
        (text("attStmt"), statement.to_vec()),
        (text("authData"), bytes(data)),
    ])
}

/// What may differ from one authenticator and browser to the next.
pub(super) const HARMLESS: &[Kind] = &[
    fine("nothing", BOTH, Before(|_, _| ())),
    fine("client data: unknown member", BOTH, Before(|it, _| it.insert(r#""a":{"type":[null,1e3]}"#))),
    fine("client data: crossOrigin missing", BOTH, Before(|it, _| it.replace(r#","crossOrigin":false"#, ""))),
    fine("client data: white space", BOTH, Before(|it, _| it.replace(",", " ,\r\n\t"))),
    fine("client data: escaped solidus", BOTH, Before(|it, _| it.replace("https://", r"https:\/\/"))),
    fine("client data: escaped name", BOTH, Before(|it, _| it.replace(r#""type""#, r#""\u0074ype""#))),
    fine(
        "client data: token binding",
        BOTH,
        Before(|it, _| it.insert(r#""tokenBinding":{"status":"supported"}"#)),
    ),
    fine(
        "client data: byte order mark",
        BOTH,
        Before(|it, _| it.client_data.splice(..0, *b"\xef\xbb\xbf").for_each(drop)),
    ),
    fine(
        "client data: other order",
        BOTH,
        Before(|it, _| {
            it.replace(r#","crossOrigin":false"#, "");
            it.insert(r#""crossOrigin":false"#);
        }),
    ),
    fine(
        "sign count",
        BOTH,
        Before(|it, dice| it.sign_count = u32::from_be_bytes(dice.octets(4).try_into().unwrap())),
    ),
    fine(
        "not backed up",
        BOTH,
        Before(|it, _| (it.flags, it.stored_eligible) = (it.flags & !BS, Some(true))),
    ),
    fine(
        "bound to the device",
        BOTH,
        Before(|it, _| (it.flags, it.stored_eligible) = (it.flags & !(BE | BS), Some(false))),
    ),
    fine("reserved flags", BOTH, Before(|it, dice| it.flags |= [0x02, 0x20, 0x22][dice.below(3)])),
    fine("extensions", BOTH, Before(|it, _| (it.flags, it.tail) = (it.flags | ED, extensions()))),
    fine("no extension in extensions", BOTH, Before(|it, _| (it.flags, it.tail) = (it.flags | ED, map(&[])))),
    fine(
        "credential id of another length",
        BOTH,
        Before(|it, dice| {
            let length = 1 + dice.below(1023);
            let id = dice.octets(length);
            it.ids = [id.clone(), id];
        }),
    ),
    fine("aaguid", CREATE, Before(|it, dice| it.aaguid = dice.octets(16).try_into().unwrap())),
    fine(
        "transports",
        CREATE,
        After(|it, _| it["response"]["transports"] = json!(["cable", "nfc", "\u{1f511}"])),
    ),
    fine(
        "easy access to the key",
        CREATE,
        After(|it, _| {
            it["response"]["publicKey"] = json!("AA");
            it["response"]["publicKeyAlgorithm"] = json!(-7);
            it["response"]["authenticatorData"] = json!("AA");
        }),
    ),
    fine("user handle", GET, Before(|it, dice| it.user_handle = Some(dice.octets(64)))),
    fine(
        "credential in an assertion",
        GET,
        Before(|it, _| (it.with_credential, it.flags) = (true, it.flags | AT)),
    ),
    fine(
        "outputs of client extensions",
        BOTH,
        After(|it, _| it["clientExtensionResults"] = json!({"credProps": {"rk": true}})),
    ),
    fine(
        "no authenticatorAttachment",
        BOTH,
        After(|it, _| drop(it.as_object_mut().unwrap().remove("authenticatorAttachment"))),
    ),
];
