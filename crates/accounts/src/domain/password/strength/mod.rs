//! How many guesses a password would take: the method of zxcvbn (Wheeler, USENIX Security 2016), bounded by construction.
//!
//! A password is cut into the pieces that an attacker's program would try: words, names, common passwords, the person's
//! own names, adjacent keys, sequences, repeats, dates, and random characters. Of all ways to cut it, the cheapest
//! counts. Each further piece costs ten thousand guesses more, so more than three pieces take more than the 10¹⁰
//! guesses of the best score: there is no need to look for a fourth. The work grows with the length of the password
//! times that of the longest word, whatever it contains; decision 26 has the arithmetic, and `steps` counts it.

mod keyboard;
mod patterns;
pub(super) mod piece;
mod words;

use self::words::Words;
use crate::domain::password::strength::piece::{Kind, Piece};

/// The maximum number of pieces: four cost more than 10¹².
const PIECES_MAX: usize = 3;
/// The cost of further pieces, on top of their own guesses.
const PIECE_COSTS: [f64; PIECES_MAX] = [1.0, 1e4, 1e8];
/// The number of orders in which the pieces can be tried.
const ORDERS: [f64; PIECES_MAX] = [1.0, 2.0, 6.0];
/// Guesses for each character outside any pattern.
const PER_CHARACTER: f64 = 10.0;
/// From this length, random characters cost more than 10¹⁰ guesses, the highest score.
const RANDOM_MAX: usize = 10;
/// The least that a piece of a password costs an attacker, however common it is.
const LEAST: [f64; 2] = [10.0, 50.0];
/// Guesses below which a password has score 0, 1, 2, 3.
const SCORES: [f64; 4] = [1e3, 1e6, 1e8, 1e10];
/// The margin zxcvbn adds to each bound, so that an estimate just above it because of the cost of its pieces still
/// falls below.
const SCORE_MARGIN: f64 = 5.0;

/// How hard a password is to guess.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    /// Infinite if beyond counting.
    pub(super) guesses: f64,
    /// The kind of the longest piece.
    pub(super) kind: Kind,
    /// The work it took to compute.
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests hold it to its bound"))]
    pub(super) steps: usize,
}

impl Estimate {
    /// 0 to 4.
    pub(super) fn score(&self) -> u8 {
        SCORES.iter().map(|bound| u8::from(self.guesses >= bound + SCORE_MARGIN)).sum()
    }
}

/// Estimates the guesses for `text`, whose author's own names are `names`: folded, and each tried early.
pub(super) fn estimate(text: &str, names: &[String]) -> Estimate {
    let characters: Vec<char> = text.chars().collect();
    let mut steps = 0;
    let (guesses, kind) = guesses(&characters, &Words::new(names), &mut steps);
    Estimate { guesses, kind, steps }
}

fn guesses(text: &[char], words: &Words, steps: &mut usize) -> (f64, Kind) {
    if text.is_empty() {
        return (1.0, Kind::Random);
    }
    let mut pieces = Vec::new();
    words.find(text, &mut pieces, steps);
    keyboard::find(text, &mut pieces, steps);
    patterns::sequences(text, &mut pieces, steps);
    patterns::dates(text, &mut pieces, steps);
    repeats(text, words, &mut pieces, steps);
    pieces.sort_by_key(|piece| piece.start);
    let mut cover = Cover::new(text.len());
    let mut next = pieces.iter().peekable();
    for start in 0..text.len() {
        while let Some(piece) = next.next_if(|piece| piece.start == start) {
            cover.offer(*piece);
            *steps += 1;
        }
        for end in (start + 1..=text.len()).take(RANDOM_MAX) {
            cover.offer(random(start, end));
            *steps += 1;
        }
    }
    cover.cheapest()
}

/// Repeats cost as much as the repeated part times how often it occurs. The part is at most half as long as the repeat,
/// and repeats do not overlap: all parts together are no longer than the text.
fn repeats(text: &[char], words: &Words, pieces: &mut Vec<Piece>, steps: &mut usize) {
    for (start, period, times) in patterns::repeats(text, steps) {
        let Some(part) = text.get(start..start + period) else { continue };
        let of_part = guesses(part, words, steps).0;
        let times_guesses = f64::from(u32::try_from(times).unwrap_or(u32::MAX));
        let end = start + period * times;
        pieces.push(Piece { start, end, guesses: of_part * times_guesses, kind: Kind::Repeat });
    }
}

/// Characters without a pattern: one guess more than the cheapest piece with a pattern, so that the pattern wins.
fn random(start: usize, end: usize) -> Piece {
    let length = i32::try_from(end - start).unwrap_or(i32::MAX);
    let least = if length == 1 { LEAST[0] } else { LEAST[1] };
    Piece { start, end, guesses: PER_CHARACTER.powi(length).max(least + 1.0), kind: Kind::Random }
}

/// The cheapest way to make a prefix of the text out of a given number of pieces.
#[derive(Clone, Copy, Debug)]
struct Best {
    /// The product of the guesses of its pieces.
    product: f64,
    /// Its last piece.
    last: Piece,
}

/// For each prefix of the text, the cheapest ways to make it out of one, two and three pieces.
struct Cover {
    ways: Vec<[Option<Best>; PIECES_MAX]>,
}

impl Cover {
    fn new(length: usize) -> Self {
        Self { ways: vec![[None; PIECES_MAX]; length + 1] }
    }

    /// Considers a piece. Every piece that ends where it begins has been offered before.
    fn offer(&mut self, mut piece: Piece) {
        let length = piece.end - piece.start;
        if length + 1 < self.ways.len() {
            piece.guesses = piece.guesses.max(if length == 1 { LEAST[0] } else { LEAST[1] });
        }
        let before = self.ways.get(piece.start).copied().unwrap_or_default();
        let Some(ways) = self.ways.get_mut(piece.end) else { return };
        for (index, way) in ways.iter_mut().enumerate() {
            let product_before = match index.checked_sub(1) {
                None => (piece.start == 0).then_some(1.0),
                Some(fewer) => before.get(fewer).copied().flatten().map(|best| best.product),
            };
            let Some(product_before) = product_before else { continue };
            let product = product_before * piece.guesses;
            if way.is_none_or(|best| product < best.product) {
                *way = Some(Best { product, last: piece });
            }
        }
    }

    /// The fewest guesses for the whole text, and the kind of its longest piece.
    fn cheapest(&self) -> (f64, Kind) {
        let whole = self.ways.last().copied().unwrap_or_default();
        let cost = |index: usize| {
            let best = whole.get(index).copied().flatten()?;
            Some(ORDERS.get(index)? * best.product + PIECE_COSTS.get(index)?)
        };
        let costs = (0..PIECES_MAX).filter_map(|index| cost(index).map(|guesses| (guesses, index)));
        let cheapest = costs.min_by(|a, b| a.0.total_cmp(&b.0));
        cheapest.map_or((f64::INFINITY, Kind::Random), |(guesses, index)| (guesses, self.longest(index)))
    }

    /// The kind of the longest piece when the whole text is made out of `index + 1` pieces.
    fn longest(&self, mut index: usize) -> Kind {
        let mut end = self.ways.len() - 1;
        let mut longest = (0, Kind::Random);
        while let Some(best) = self.ways.get(end).and_then(|ways| *ways.get(index)?) {
            let length = best.last.end - best.last.start;
            if length > longest.0 {
                longest = (length, best.last.kind);
            }
            let Some(fewer) = index.checked_sub(1) else { break };
            (index, end) = (fewer, best.last.start);
        }
        longest.1
    }
}

#[cfg(test)]
mod tests;
