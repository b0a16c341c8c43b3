//! A thousand mutated ceremonies: what is decided here is what `@simplewebauthn/server` decides, but for a list.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::differences::DIFFERENCES;
use super::draft::{Ceremony, Dice, Draft};
use super::harmful::HARMFUL;
use super::mutations::{Change, HARMLESS, Kind, Outcome};
use super::*;

/// How many, unless `cargo xtask interop` asks for more.
const CASES: usize = 1000;

/// One mutated ceremony and what was decided here.
struct Case {
    kind: &'static Kind,
    /// What the second opinion is given.
    given: Value,
    ours: Result<(), PasskeyError>,
}

/// What the second opinion says.
#[derive(Deserialize)]
struct Opinion {
    accepted: bool,
    reason: Option<String>,
}

#[test]
fn a_second_opinion_agrees_on_a_thousand_mutations() {
    let number = given("VESTIBULE_SECOND_OPINIONS").map_or(CASES, |number| usize::try_from(number).unwrap());
    let cases = cases(number, given("VESTIBULE_SECOND_OPINIONS_SEED").unwrap_or(1));
    let opinions = opinions(&cases);
    assert_eq!(opinions.len(), number);
    // One of each kind is enough to read.
    let disputed: BTreeMap<&str, String> =
        cases.iter().zip(&opinions).filter_map(|(case, theirs)| case.dispute(theirs)).collect();
    assert!(disputed.is_empty(), "{disputed:#?}");
    let accepted = cases.iter().filter(|case| case.ours.is_ok()).count();
    assert!((number / 4..number / 2).contains(&accepted), "{accepted} of {number} are accepted");
}

#[expect(clippy::disallowed_methods, reason = "no setting of the program: how long a comparison is")]
fn given(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

impl Case {
    /// What is not as the kind of mutation has it.
    fn dispute(&self, theirs: &Opinion) -> Option<(&'static str, String)> {
        let ours = self.ours.is_ok();
        let as_told = match self.kind.outcome {
            Outcome::Accepted => ours && theirs.accepted,
            Outcome::Refused => !ours && !theirs.accepted,
            Outcome::Alike => ours == theirs.accepted,
            Outcome::Stricter(_) => !ours && theirs.accepted,
            Outcome::Laxer(_) => ours && !theirs.accepted,
        };
        (!as_told).then(|| {
            let reason = theirs.reason.as_deref().unwrap_or("accepted");
            let told = format!("{:?}; ours: {:?}; theirs: {reason}", self.kind.outcome, self.ours);
            (self.kind.name, format!("{told}; {}", self.given))
        })
    }
}

/// A third harmless, the rest the others in turn.
fn cases(number: usize, seed: u64) -> Vec<Case> {
    let authenticators = Algorithm::ALL.map(|algorithm| (algorithm, Authenticator::new(algorithm)));
    let of = |kinds: &'static [Kind]| {
        kinds.iter().flat_map(|kind| kind.ceremonies.iter().map(move |ceremony| (kind, *ceremony)))
    };
    let mut harmless = of(HARMLESS).cycle();
    let mut others = of(HARMFUL).chain(of(DIFFERENCES)).cycle();
    let mut dice = Dice(seed);
    let mut next = |index: usize| {
        let (kind, ceremony) = if index.is_multiple_of(3) { harmless.next() } else { others.next() }.unwrap();
        let algorithm = kind.keys[dice.below(kind.keys.len())];
        let (_, authenticator) = authenticators.iter().find(|(of, _)| *of == algorithm).unwrap();
        case(kind, Draft::new(ceremony, authenticator), &mut dice)
    };
    (0..number).map(&mut next).collect()
}

fn case(kind: &'static Kind, mut draft: Draft<'_>, dice: &mut Dice) -> Case {
    if let Change::Before(change) | Change::Around(change, _) = kind.change {
        change(&mut draft, dice);
    }
    let mut credential = draft.credential();
    if let Change::After(change) | Change::Around(_, change) = kind.change {
        change(&mut credential, dice);
    }
    let ours = draft.verdict(&credential);
    let given = json!({
        "creates": draft.ceremony == Ceremony::Create,
        "rpId": EXPECTED.rp_id,
        "origin": EXPECTED.origin,
        "challenge": encode(EXPECTED.challenge),
        "publicKey": encode(&map(&draft.key)),
        "signCount": draft.stored_count,
        "credential": credential,
    });
    Case { kind, given, ours }
}

fn opinions(cases: &[Case]) -> Vec<Opinion> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let given: Vec<&Value> = cases.iter().map(|case| &case.given).collect();
    serde_json::to_writer(&file, &given).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/second_opinion/second_opinion.mjs");
    let output = vestibule_testing::node().arg(script).arg(file.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
