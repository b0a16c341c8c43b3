//! Turns daily numbers into bars: plain values, which the template only prints.

/// The width of the drawing. Its units are tenths of a pixel at the intended size, so that integers suffice.
pub(super) const WIDTH: u64 = 3200;
pub(super) const HEIGHT: u64 = 1280;
/// Where the bars begin, to the right of the axis and its numbers.
const LEFT: u64 = 440;
const TOP: u64 = 80;
/// The length of the lines behind the bars.
pub(super) const LINE: u64 = WIDTH - LEFT;
/// The base line of the bars; the days are below it.
const FLOOR: u64 = 1060;
/// Lines above the base at most.
const LINES: u64 = 4;
/// Labelled days, counted from the last.
const LABELS: usize = 3;
/// Days between two labels at least.
const LABEL_EVERY: usize = 2;

/// A chart of one number per day. The last day is not over yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chart {
    pub(super) bars: Vec<Bar>,
    pub(super) ticks: Vec<Tick>,
    pub(super) days: Vec<Day>,
    /// The position of the axis with its numbers.
    pub(super) axis: u64,
    /// Where the lines behind the bars begin.
    pub(super) lines: u64,
}

/// The bar of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) x: u64,
    pub(super) y: u64,
    pub(super) width: u64,
    pub(super) height: u64,
}

/// A round number on the axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tick {
    pub(super) y: u64,
    pub(super) number: i64,
}

/// A labelled day: the label is below the middle of its bar, or ends with the bar if that is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) x: u64,
    pub(super) index: usize,
}

impl Chart {
    /// `mirrored`: time runs from right to left, in the direction of reading, as in the table of the same numbers.
    pub(super) fn new(numbers: &[i64], mirrored: bool) -> Self {
        let numbers: Vec<u64> = numbers.iter().map(|number| u64::try_from(*number).unwrap_or(0)).collect();
        let (step, top) = scale(numbers.iter().copied().max().unwrap_or(0));
        let slot = LINE / u64::try_from(numbers.len()).unwrap_or(1).max(1);
        let width = slot * 7 / 10;
        let place = |x: u64, width: u64| if mirrored { WIDTH - x - width } else { x };
        let left = |index: usize| LEFT + slot * u64::try_from(index).unwrap_or(0) + (slot - width) / 2;
        let bar = |(index, number): (usize, &u64)| {
            // Any number above zero gets a visible bar, however small it is beside the others.
            let height = part(*number, top).max(if *number > 0 { 15 } else { 0 });
            Bar { x: place(left(index), width), y: FLOOR - height, width, height }
        };
        let tick = |number: u64| Tick {
            y: FLOOR - part(number, top),
            number: i64::try_from(number).unwrap_or(i64::MAX),
        };
        let label = |index: usize| {
            let is_last = index + 1 == numbers.len();
            Day { x: place(left(index) + if is_last { width } else { width / 2 }, 0), index }
        };
        let between = (numbers.len() / LABELS).max(LABEL_EVERY);
        Self {
            bars: numbers.iter().enumerate().map(bar).collect(),
            ticks: (0..=top / step).map(|line| tick(line * step)).collect(),
            days: (0..numbers.len()).rev().step_by(between).map(label).collect(),
            axis: place(LEFT - 80, 0),
            lines: place(LEFT, LINE),
        }
    }
}

/// The height of a number above the base line.
fn part(number: u64, top: u64) -> u64 {
    let height = u128::from(number) * u128::from(FLOOR - TOP) / u128::from(top);
    u64::try_from(height).unwrap_or(0)
}

/// The distance between the lines, 1, 2 or 5 followed by zeros, and the highest line, which no number exceeds.
fn scale(most: u64) -> (u64, u64) {
    let tens = std::iter::successors(Some(1_u64), |ten| ten.checked_mul(10));
    let steps = tens.flat_map(|ten| [1, 2, 5].map(|digit| ten.saturating_mul(digit)));
    let step = steps.into_iter().find(|step| step.saturating_mul(LINES) >= most).unwrap_or(u64::MAX);
    (step, step.saturating_mul(most.div_ceil(step).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(chart: &Chart) -> Vec<i64> {
        chart.ticks.iter().map(|tick| tick.number).collect()
    }

    #[test]
    fn days_without_anything_are_flat() {
        let chart = Chart::new(&[0; 30], false);
        assert!(chart.bars.iter().all(|bar| bar.height == 0 && bar.y == FLOOR));
        assert_eq!(chart.ticks, [Tick { y: FLOOR, number: 0 }, Tick { y: TOP, number: 1 }]);
        let days: Vec<_> = chart.days.iter().map(|day| day.index).collect();
        assert_eq!(days, [29, 19, 9]);
    }

    #[test]
    fn a_spike_fills_the_drawing_and_the_smallest_number_is_seen() {
        let mut days = [0; 30];
        (days[3], days[4]) = (10_000, 1);
        let chart = Chart::new(&days, false);
        assert_eq!((chart.bars[3].y, chart.bars[3].height), (TOP, FLOOR - TOP));
        assert_eq!((chart.bars[4].height, chart.bars[5].height), (15, 0));
        assert_eq!(numbers(&chart), [0, 5_000, 10_000]);
    }

    #[test]
    fn the_axis_has_few_round_numbers() {
        for (most, expected) in [
            (1, &[0, 1][..]),
            (2, &[0, 1, 2]),
            (4, &[0, 1, 2, 3, 4]),
            (5, &[0, 2, 4, 6]),
            (9, &[0, 5, 10]),
            (21, &[0, 10, 20, 30]),
            (140, &[0, 50, 100, 150]),
            (999, &[0, 500, 1_000]),
            (10_000, &[0, 5_000, 10_000]),
        ] {
            assert_eq!(numbers(&Chart::new(&[most], false)), expected, "{most}");
        }
    }

    #[test]
    fn no_number_is_too_large_or_too_small() {
        let chart = Chart::new(&[i64::MAX, 1, -5, i64::MIN], false);
        let heights: Vec<_> = chart.bars.iter().map(|bar| bar.height).collect();
        assert_eq!((&heights[1..], chart.ticks.len()), (&[15, 0, 0][..], 3));
        assert!(heights[0] > (FLOOR - TOP) / 2 && chart.bars[0].y >= TOP);
        assert_eq!(Chart::new(&[], false).bars, []);
    }

    #[test]
    fn everything_stays_in_the_drawing_and_time_runs_as_people_read() {
        let days: Vec<i64> = (0..30).collect();
        let (there, back) = (Chart::new(&days, false), Chart::new(&days, true));
        assert!(there.bars.is_sorted_by_key(|bar| bar.x) && there.axis < LEFT);
        assert!(back.bars.is_sorted_by_key(|bar| WIDTH - bar.x) && back.axis > WIDTH - LEFT);
        for bar in there.bars.iter().chain(&back.bars) {
            assert!(bar.x + bar.width <= WIDTH && bar.y + bar.height == FLOOR && bar.y >= TOP, "{bar:?}");
        }
        assert_eq!((there.lines, back.lines), (LEFT, 0));
        assert!(there.bars[0].x >= LEFT && back.bars[0].x + back.bars[0].width <= WIDTH - LEFT);
    }
}
