//! Keyboard patterns: runs of adjacent keys.

use super::piece::{Kind, Piece, as_f64, variations};

/// Shorter runs are found just as fast by trying all characters.
const RUN_MIN: usize = 3;
/// The number of keys where a run may begin, with and without shift, and the average number of neighbours of a key.
const KEYS: f64 = 94.0;
const NEIGHBOURS: f64 = 4.0;
/// More turns than this cost more than 10¹⁰ guesses.
const TURNS_MAX: usize = 12;

/// A row of keys: without and with shift, from the left, and its offset to the right.
struct Row(&'static str, &'static str, i32);

/// The digits above the letters.
const DIGITS: Row = Row("`1234567890-=", "~!@#$%^&*()_+", 0);

/// Three letter layouts, and the numeric keypad, whose rows are aligned.
const LAYOUTS: [(&[Row], Rows); 4] = [
    (
        &[
            DIGITS,
            Row(r"qwertyuiop[]\", "QWERTYUIOP{}|", 1),
            Row("asdfghjkl;'", "ASDFGHJKL:\"", 1),
            Row("zxcvbnm,./", "ZXCVBNM<>?", 1),
        ],
        Rows::Slanted,
    ),
    (
        &[
            DIGITS,
            Row("qwertzuiopü+", "QWERTZUIOPÜ*", 1),
            Row("asdfghjklöä#", "ASDFGHJKLÖÄ'", 1),
            Row("yxcvbnm,.-", "YXCVBNM;:_", 1),
        ],
        Rows::Slanted,
    ),
    (
        &[
            DIGITS,
            Row("azertyuiop^$", "AZERTYUIOP¨£", 1),
            Row("qsdfghjklmù*", "QSDFGHJKLM%µ", 1),
            Row("wxcvbn,;:!", "WXCVBN?./§", 1),
        ],
        Rows::Slanted,
    ),
    (&[Row("789", "", 0), Row("456", "", 0), Row("123", "", 0)], Rows::Straight),
];

#[derive(Clone, Copy)]
enum Rows {
    /// Each row is offset by half a key from the one above.
    Slanted,
    Straight,
}

/// A key, and whether the shift key is down.
#[derive(Clone, Copy)]
struct Stroke {
    x: i32,
    y: i32,
    shifted: bool,
}

/// Finds every run of adjacent keys in `text`.
pub(super) fn find(text: &[char], pieces: &mut Vec<Piece>, steps: &mut usize) {
    for (rows, geometry) in LAYOUTS {
        let strokes: Vec<Option<Stroke>> = text.iter().map(|letter| stroke(rows, *letter)).collect();
        let mut start = 0;
        while start < strokes.len() {
            let run = Run::from(strokes.get(start..).unwrap_or_default(), geometry);
            *steps += run.length;
            if run.length >= RUN_MIN {
                let guesses = run.guesses();
                pieces.push(Piece { start, end: start + run.length, guesses, kind: Kind::Keys });
            }
            start += run.length;
        }
    }
}

fn stroke(rows: &[Row], letter: char) -> Option<Stroke> {
    let place = |keys: &str| keys.chars().position(|key| key == letter).and_then(|x| i32::try_from(x).ok());
    rows.iter().zip(0..).find_map(|(Row(plain, with_shift, moved), y)| {
        let found = place(plain).map(|x| (x, false)).or_else(|| place(with_shift).map(|x| (x, true)));
        found.map(|(x, shifted)| Stroke { x: x + moved, y, shifted })
    })
}

/// The run of keys that begins at one place.
struct Run {
    length: usize,
    turns: usize,
    shifted: usize,
}

impl Run {
    /// At least one key long, even if the character is not on the layout.
    fn from(strokes: &[Option<Stroke>], geometry: Rows) -> Self {
        let mut strokes = strokes.iter().map_while(|stroke| *stroke);
        let Some(mut last) = strokes.next() else { return Self { length: 1, turns: 0, shifted: 0 } };
        let mut run = Self { length: 1, turns: 0, shifted: usize::from(last.shifted) };
        let mut direction = None;
        for stroke in strokes {
            let step = (stroke.x - last.x, stroke.y - last.y);
            if !geometry.are_neighbours(step) {
                break;
            }
            run.turns += usize::from(direction != Some(step));
            run.length += 1;
            run.shifted += usize::from(stroke.shifted);
            (last, direction) = (stroke, Some(step));
        }
        run
    }

    /// Runs up to this length with up to this many turns: the sum over lengths of C(length − 1, turns − 1) is C(length,
    /// turns).
    fn guesses(&self) -> f64 {
        let mut chosen = 1.0;
        let mut neighbours = 1.0;
        let mut guesses = 0.0;
        for turns in 1..=self.turns.min(TURNS_MAX) {
            chosen *= as_f64(self.length + 1 - turns) / as_f64(turns);
            neighbours *= NEIGHBOURS;
            guesses += KEYS * chosen * neighbours;
        }
        let plain = self.length - self.shifted;
        match self.shifted {
            0 => guesses,
            _ if plain == 0 => 2.0 * guesses,
            shifted => guesses * variations(shifted, plain),
        }
    }
}

impl Rows {
    fn are_neighbours(self, step: (i32, i32)) -> bool {
        match self {
            Self::Slanted => matches!(step, (-1 | 1, 0) | (0 | 1, -1) | (-1 | 0, 1)),
            Self::Straight => step != (0, 0) && step.0.abs() <= 1 && step.1.abs() <= 1,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "whole numbers are exact")]

    use super::*;

    fn cost(text: &str) -> f64 {
        let characters: Vec<char> = text.chars().collect();
        let mut pieces = Vec::new();
        find(&characters, &mut pieces, &mut 0);
        let whole = pieces.iter().filter(|piece| piece.end - piece.start == characters.len());
        whole.map(|piece| piece.guesses).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn rows_and_corners_are_cheap() {
        assert_eq!(cost("qwertyuiop"), 94.0 * 4.0 * 10.0);
        assert_eq!(cost("poiuytrewq"), cost("qwertyuiop"));
        assert_eq!(cost("1qaz"), 94.0 * 4.0 * 4.0);
        for text in ["zxcvbn", "qwertzuiop", "azertyuiop", "1478963", "asdfGHJK", "!@#$%"] {
            assert!(cost(text).is_finite(), "{text}");
        }
        assert!(cost("qwedcxz") > cost("qwertyu") && cost("QWERTY") == 2.0 * cost("qwerty"));
    }

    #[test]
    fn other_texts_are_no_runs() {
        for text in ["", "q", "qw", "qm5", "violet", "漢字語", "aaaa"] {
            assert!(cost(text).is_infinite(), "{text}");
        }
    }
}
