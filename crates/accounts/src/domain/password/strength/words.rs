//! Words, names and common passwords in a text: as they are, with signs for letters, and reversed.

use super::piece::{Kind, Piece, as_f64, variations};

/// Characters of the longest word: `LONGEST` in data/words.py.
const WORD_MAX: usize = 24;
/// Shorter words are found just as fast by trying all characters.
const WORD_MIN: usize = 3;
/// Longer names are not searched for inside a password: the whole address is compared elsewhere.
const NAME_MAX: usize = 64;
/// Marks a rank as that of a password.
const PASSWORD: u16 = 1 << 15;

/// No word is further than this from its place in an evenly spread list.
const NEAR: usize = 256;

/// 93,831 words with their ranks, sorted by 40 bits of their hash and searched in place: nothing is unpacked. One in
/// twelve million other texts is mistaken for a word. Sources and notices: `data/README.md`.
static WORDS: &[[u8; 7]] = include_bytes!("../../../../data/words.bin").as_chunks().0;

/// The letters each sign may stand for: the first reading, and the second if there is one.
const SIGNS: [(char, char, char); 20] = [
    ('4', 'a', 'a'),
    ('@', 'a', 'a'),
    ('8', 'b', 'b'),
    ('(', 'c', 'c'),
    ('{', 'c', 'c'),
    ('[', 'c', 'c'),
    ('<', 'c', 'c'),
    ('3', 'e', 'e'),
    ('6', 'g', 'g'),
    ('9', 'g', 'g'),
    ('!', 'i', 'i'),
    ('1', 'i', 'l'),
    ('|', 'i', 'l'),
    ('7', 't', 'l'),
    ('0', 'o', 'o'),
    ('$', 's', 's'),
    ('5', 's', 's'),
    ('+', 't', 't'),
    ('%', 'x', 'x'),
    ('2', 'z', 'z'),
];

/// The possible readings of a text: `1` as `i` or `l`, `7` as `t` or `l`.
const READINGS: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];

/// The word list, and the names of one person.
pub(super) struct Words {
    /// Hashes of the names, sorted.
    names: Vec<u64>,
    longest: usize,
}

impl Words {
    pub(super) fn new(names: &[String]) -> Self {
        let lengths = names.iter().map(|name| (name, name.chars().count()));
        let names: Vec<_> = lengths.filter(|(_, length)| (WORD_MIN..=NAME_MAX).contains(length)).collect();
        let longest = names.iter().map(|(_, length)| *length).max().unwrap_or(0).max(WORD_MAX);
        let hash = |name: &String| name.chars().map(lower).fold(FNV_START, hash_on);
        let mut names: Vec<u64> = names.into_iter().map(|(name, _)| hash(name)).collect();
        names.sort_unstable();
        Self { names, longest }
    }

    /// Finds every word in `text`, in each of its readings.
    pub(super) fn find(&self, text: &[char], pieces: &mut Vec<Piece>, steps: &mut usize) {
        let plain: Vec<char> = text.iter().copied().map(lower).collect();
        self.look_up(&plain, steps, |start, end, (rank, kind)| {
            let guesses = rank * capitals(text, start, end);
            pieces.push(Piece { start, end, guesses, kind });
        });
        for meant in readings(&plain) {
            self.look_up(&meant, steps, |start, end, (rank, kind)| {
                let signs = signs(&plain, &meant, start, end);
                if signs > 1.0 {
                    let guesses = rank * capitals(text, start, end) * signs;
                    pieces.push(Piece { start, end, guesses, kind });
                }
            });
        }
        let backwards: Vec<char> = plain.iter().rev().copied().collect();
        self.look_up(&backwards, steps, |start, end, (rank, kind)| {
            let (start, end) = (text.len() - end, text.len() - start);
            let guesses = 2.0 * rank * capitals(text, start, end);
            pieces.push(Piece { start, end, guesses, kind });
        });
    }

    /// Looks up each part of the text no longer than the longest word.
    fn look_up(&self, letters: &[char], steps: &mut usize, mut found: impl FnMut(usize, usize, (f64, Kind))) {
        for start in 0..letters.len() {
            let mut hash = FNV_START;
            for (index, letter) in letters.iter().enumerate().skip(start).take(self.longest) {
                *steps += 1;
                hash = hash_on(hash, *letter);
                let length = index + 1 - start;
                if length >= WORD_MIN
                    && let Some(word) = self.rank(hash, length)
                {
                    found(start, index + 1, word);
                }
            }
        }
    }

    fn rank(&self, hash: u64, length: usize) -> Option<(f64, Kind)> {
        if self.names.binary_search(&hash).is_ok() {
            return Some((1.0, Kind::Own));
        }
        if length > WORD_MAX {
            return None;
        }
        let key = spread(hash);
        let near = near(key);
        let place = near.binary_search_by_key(&key, |entry| key_of(*entry)).ok()?;
        let [.., high, low] = *near.get(place)?;
        let rank = u16::from_be_bytes([high, low]);
        let kind = if rank & PASSWORD == 0 { Kind::Word } else { Kind::Password };
        Some((f64::from(rank & !PASSWORD), kind))
    }
}

/// 64-bit FNV-1a: computed letter by letter, so that each part of a text costs one step.
const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

fn hash_on(hash: u64, letter: char) -> u64 {
    let mut octets = [0; 4];
    let octets = letter.encode_utf8(&mut octets).bytes();
    octets.fold(hash, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3))
}

/// 40 bits, each of which depends on the whole hash.
fn spread(hash: u64) -> u64 {
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24
}

fn key_of(entry: [u8; 7]) -> u64 {
    entry.into_iter().take(5).fold(0, |key, octet| (key << 8) | u64::from(octet))
}

/// The range of the list that would contain a key: keys are spread evenly, so none is far from its expected place.
fn near(key: u64) -> &'static [[u8; 7]] {
    let share = usize::try_from((key * WORDS.len() as u64) >> 40).unwrap_or(0);
    WORDS.get(share.saturating_sub(NEAR)..WORDS.len().min(share + NEAR)).unwrap_or_default()
}

/// Lower-cases one letter to one letter: those with a longer lower-case form are unchanged.
fn lower(letter: char) -> char {
    let mut small = letter.to_lowercase();
    if small.len() == 1 { small.next().unwrap_or(letter) } else { letter }
}

/// The possible readings of a text with signs that stand for letters: at most four, without duplicates.
fn readings(plain: &[char]) -> Vec<Vec<char>> {
    let mut texts: Vec<Vec<char>> = vec![plain.to_vec()];
    for (ones, sevens) in READINGS {
        let meant = |letter: &char| match SIGNS.iter().find(|(sign, ..)| sign == letter) {
            Some((sign, first, second)) => {
                let other = if *sign == '7' { sevens } else { ones };
                if other { *second } else { *first }
            }
            None => *letter,
        };
        let text: Vec<char> = plain.iter().map(meant).collect();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts.split_off(1)
}

/// The factor by which the capitals of a word raise the guesses.
fn capitals(text: &[char], start: usize, end: usize) -> f64 {
    let word = text.get(start..end).unwrap_or_default();
    let upper = word.iter().filter(|letter| letter.is_uppercase()).count();
    let small = word.iter().filter(|letter| letter.is_lowercase()).count();
    let at_an_end = [word.first(), word.last()].into_iter().flatten().any(|letter| letter.is_uppercase());
    match upper {
        0 => 1.0,
        1 if at_an_end => 2.0,
        _ if small == 0 => 2.0,
        _ => variations(upper, small),
    }
}

/// The factor by which the signs of a word raise the guesses; 1 if it has none.
fn signs(plain: &[char], meant: &[char], start: usize, end: usize) -> f64 {
    let pairs = || plain.iter().zip(meant).take(end).skip(start);
    let mut seen = Vec::new();
    let mut times = 1.0;
    for (sign, letter) in pairs().filter(|(sign, letter)| sign != letter) {
        if seen.contains(&sign) {
            continue;
        }
        seen.push(sign);
        let signs = pairs().filter(|(other, _)| *other == sign).count();
        let letters = pairs().filter(|(other, _)| *other == letter).count();
        times *= if letters == 0 { 2.0 } else { variations(signs, letters).max(as_f64(2)) };
    }
    times
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "whole numbers are exact")]

    use super::*;

    fn found(text: &str, names: &[&str]) -> Vec<(String, f64, Kind)> {
        let characters: Vec<char> = text.chars().collect();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut pieces = Vec::new();
        Words::new(&names).find(&characters, &mut pieces, &mut 0);
        let piece =
            |piece: &Piece| (characters[piece.start..piece.end].iter().collect(), piece.guesses, piece.kind);
        pieces.iter().map(piece).collect()
    }

    fn cost(text: &str) -> f64 {
        let whole = found(text, &[]).into_iter().filter(|(word, ..)| word == text);
        whole.map(|(_, guesses, _)| guesses).fold(f64::INFINITY, f64::min)
    }

    // The binary search relies on the order.
    #[test]
    fn the_list_is_whole_and_sorted() {
        assert_eq!(WORDS.len(), 93_831);
        assert_eq!(WORDS.as_flattened(), include_bytes!("../../../../data/words.bin"));
        assert!(WORDS.is_sorted_by(|a, b| a[..5] < b[..5]));
        assert!(WORDS.iter().all(|entry| near(key_of(*entry)).contains(entry)));
    }

    // The ranks in the lists that data/README.md names.
    #[test]
    fn words_are_found_with_their_rank() {
        assert_eq!([cost("password"), cost("123456"), cost("the")], [2.0, 1.0, 1.0]);
        assert_eq!([cost("motherboard"), cost("xkqjvzw")], [15_650.0, f64::INFINITY]);
        let words: Vec<String> = found("motherboard", &[]).into_iter().map(|(word, ..)| word).collect();
        for word in ["mother", "motherboard", "board"] {
            assert!(words.contains(&word.to_owned()), "{words:?}");
        }
    }

    #[test]
    fn capitals_and_signs_cost_a_little() {
        assert_eq!([cost("Password"), cost("PASSWORD"), cost("passworD")], [4.0, 4.0, 4.0]);
        assert_eq!(cost("PaSsword"), 2.0 * variations(2, 6));
        assert_eq!([cost("p4ssword"), cost("p@ssw0rd"), cost("drowssap")], [4.0, 8.0, 4.0]);
        assert_eq!(cost("pas5word"), 2.0 * variations(1, 1).max(2.0));
        // `1` is i in one reading and l in the other; so is `7` with t and l.
        assert!(
            [cost("v1olet"), cost("he1lo"), cost("7iger"), cost("he77o")].iter().all(|cost| cost.is_finite())
        );
    }

    #[test]
    fn the_names_of_a_person_are_found_everywhere() {
        let own =
            |text: &str| found(text, &["ada.lovelace", "grüße"]).iter().any(|piece| piece.2 == Kind::Own);
        assert!(
            own("xxAda.Lovelace7") && own("4d4.l0vel4ce") && own("ecalevol.ada") && own("GRÜSSE") == own("x")
        );
        assert!(own("--Grüße--") && !own("ada.lovelac"));
    }
}
