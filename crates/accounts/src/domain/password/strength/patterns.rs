//! Patterns that need no list: sequences, repeats, dates.

use super::piece::{Kind, Piece, as_f64};

/// The maximum distance between neighbouring characters of a sequence.
const STEP_MAX: i64 = 5;
/// Days in a year, and the number of years that are tried first.
const DAYS: f64 = 365.0;
const YEARS: f64 = 50.0;
const FIRST_YEAR: u32 = 1900;
const LAST_YEAR: u32 = 2049;
/// Characters that may separate the parts of a date, and how many of them are usual.
const SEPARATORS: [char; 6] = [' ', '/', '\\', '_', '.', '-'];
const SEPARATORS_USUAL: f64 = 4.0;
/// Where a date with this many digits is cut: after the first and after the second number.
const CUTS: [(usize, &[(usize, usize)]); 5] = [
    (4, &[(1, 2), (2, 3)]),
    (5, &[(1, 3), (2, 3)]),
    (6, &[(1, 2), (2, 4), (4, 5)]),
    (7, &[(1, 3), (2, 3), (4, 5), (4, 6)]),
    (8, &[(2, 4), (4, 6)]),
];

/// Characters at equal distances: `abcd`, `9753`, `αβγ`.
pub(super) fn sequences(text: &[char], pieces: &mut Vec<Piece>, steps: &mut usize) {
    let distance = |(a, b): (&char, &char)| i64::from(u32::from(*b)) - i64::from(u32::from(*a));
    let distances: Vec<i64> = text.iter().zip(text.iter().skip(1)).map(distance).collect();
    let mut start = 0;
    for run in distances.chunk_by(|a, b| a == b) {
        *steps += run.len();
        let (first, length) = (start, run.len() + 1);
        start += run.len();
        let step = run.first().copied().unwrap_or(0);
        let is_one = (length > 2 || step.abs() == 1) && (1..=STEP_MAX).contains(&step.abs());
        if let Some(character) = text.get(first).filter(|_| is_one) {
            let starts = match character {
                'a' | 'A' | 'z' | 'Z' | '0' | '1' | '9' => 4.0,
                digit if digit.is_ascii_digit() => 10.0,
                _ => 26.0,
            };
            let directions = if step < 0 { 2.0 } else { 1.0 };
            let guesses = starts * directions * as_f64(length);
            pieces.push(Piece { start: first, end: first + length, guesses, kind: Kind::Sequence });
        }
    }
}

/// Consecutive repeats: start, length of the repeated part, number of times. They do not overlap; of those that begin
/// at one place the longest wins, then the one with the shortest part.
pub(super) fn repeats(text: &[char], steps: &mut usize) -> Vec<(usize, usize, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| rest.len() > 1) {
        let same = same_from_the_start(rest, steps);
        let times = |(period, same): (usize, &usize)| (period, same / period + 1);
        let repeated = same.iter().enumerate().skip(1).map(times).filter(|(_, times)| *times > 1);
        // `max_by_key` returns the last of equal elements: the order is reversed to get the shortest.
        let longest = repeated.rev().max_by_key(|(period, times)| period * times);
        start += longest.map_or(1, |(period, times)| {
            found.push((start, period, times));
            period * times
        });
    }
    found
}

/// For each position, how many characters from there match the beginning: the Z-function, which looks at each character
/// at most twice.
fn same_from_the_start(text: &[char], steps: &mut usize) -> Vec<usize> {
    let mut same = vec![0; text.len()];
    let (mut left, mut right) = (0, 0);
    for place in 1..text.len() {
        let known = same.get(place - left).copied().unwrap_or(0);
        let mut length = if place < right { known.min(right - place) } else { 0 };
        while place + length < text.len() && text.get(length) == text.get(place + length) {
            length += 1;
            *steps += 1;
        }
        if place + length > right {
            (left, right) = (place, place + length);
        }
        if let Some(slot) = same.get_mut(place) {
            *slot = length;
        }
        *steps += 1;
    }
    same
}

/// Years, and dates with and without separators.
pub(super) fn dates(text: &[char], pieces: &mut Vec<Piece>, steps: &mut usize) {
    for start in 0..text.len() {
        let rest = text.get(start..).unwrap_or_default();
        let digits = digits(rest, 8);
        let mut push = |length, guesses| {
            pieces.push(Piece { start, end: start + length, guesses, kind: Kind::Date });
        };
        if digits >= 4 && number(rest, 0, 4).is_some_and(is_year) {
            push(4, YEARS);
        }
        for (length, cuts) in CUTS.iter().filter(|(length, _)| *length <= digits) {
            *steps += cuts.len();
            let part = |(first, second): &(usize, usize)| {
                is_date([
                    number(rest, 0, *first),
                    number(rest, *first, *second),
                    number(rest, *second, *length),
                ])
            };
            if cuts.iter().any(part) {
                push(*length, DAYS * YEARS);
            }
        }
        *steps += 1;
        if let Some(length) = separated(rest, steps) {
            push(length, DAYS * YEARS * SEPARATORS_USUAL);
        }
    }
}

/// The length of the longest date with separators at the beginning of a text.
fn separated(text: &[char], steps: &mut usize) -> Option<usize> {
    let first = digits(text, 4);
    let separator = text.get(first).filter(|sign| first > 0 && SEPARATORS.contains(sign))?;
    let rest = text.get(first + 1..)?;
    let second = digits(rest, 2);
    let _ = rest.get(second).filter(|sign| second > 0 && *sign == separator)?;
    let last = digits(rest.get(second + 1..)?, 4);
    let third = first + second + 2;
    *steps += last;
    let ends = (third + 1..=third + last).rev();
    ends.into_iter().find(|end| {
        let numbers = [(0, first), (first + 1, first + 1 + second), (third, *end)];
        is_date(numbers.map(|(from, to)| number(text, from, to)))
    })
}

/// The number of digits a text begins with, up to `most`.
fn digits(text: &[char], most: usize) -> usize {
    text.iter().take(most).take_while(|character| character.is_ascii_digit()).count()
}

fn number(text: &[char], from: usize, to: usize) -> Option<u32> {
    let digits = text.get(from..to)?.iter().map(|digit| digit.to_digit(10));
    digits.into_iter().try_fold(0, |number, digit| Some(number * 10 + digit?))
}

fn is_year(number: u32) -> bool {
    (FIRST_YEAR..=LAST_YEAR).contains(&number)
}

/// Whether these are day, month and year in a usual order, the year with two or four digits.
fn is_date(numbers: [Option<u32>; 3]) -> bool {
    let [Some(first), Some(second), Some(third)] = numbers else { return false };
    let is_day = |day: u32, month: u32| (1..=31).contains(&day) && (1..=12).contains(&month);
    let in_a_year = |a, b| is_day(a, b) || is_day(b, a);
    let may_be_year = |number| number < 100 || is_year(number);
    may_be_year(third) && in_a_year(first, second) || may_be_year(first) && in_a_year(second, third)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, find: impl Fn(&[char], &mut Vec<Piece>, &mut usize)) -> Vec<(String, f64)> {
        let characters: Vec<char> = text.chars().collect();
        let mut pieces = Vec::new();
        find(&characters, &mut pieces, &mut 0);
        let piece = |piece: &Piece| (characters[piece.start..piece.end].iter().collect(), piece.guesses);
        pieces.iter().map(piece).collect()
    }

    #[test]
    fn sequences_go_on_by_equal_steps() {
        let found = |text| found(text, sequences);
        let expected = [("abcd", 16.0), ("975", 24.0), ("zy", 16.0)];
        assert_eq!(found("abcdb975zy"), expected.map(|(text, guesses)| (text.to_owned(), guesses)));
        assert_eq!(found("αβγ"), [("αβγ".to_owned(), 78.0)]);
        assert_eq!(found("aaaa"), []);
        assert_eq!([found(""), found("a"), found("az")], [[], [], []]);
    }

    #[test]
    fn repeats_are_the_longest_from_each_place() {
        let found = |text: &str| repeats(&text.chars().collect::<Vec<_>>(), &mut 0);
        assert_eq!(found("aaaaa"), [(0, 1, 5)]);
        assert_eq!(found("aabaab"), [(0, 3, 2)]);
        assert_eq!(found("xabcabcabc!!"), [(1, 3, 3), (10, 1, 2)]);
        assert_eq!(found("abcd"), []);
        assert_eq!([found(""), found("a")], [[], []]);
    }

    #[test]
    fn dates_are_found_in_every_order() {
        let whole = |text: &str| {
            let whole = found(text, dates).into_iter().find(|(found, _)| found == text);
            whole.map(|(_, guesses)| guesses)
        };
        for text in ["1991", "2024"] {
            assert_eq!(whole(text), Some(50.0), "{text}");
        }
        for text in ["1191", "311299", "19991231", "12311999", "1231999", "11191"] {
            assert_eq!(whole(text), Some(18_250.0), "{text}");
        }
        for text in ["1/1/91", "31.12.1999", "1999-12-31", "31 12 99"] {
            assert_eq!(whole(text), Some(73_000.0), "{text}");
        }
        for text in ["0000", "321399", "31.13.1999", "31.12-1999", "1.1.", "..", "99999999", "1.1.1850"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
