//! Plots as SVG, readable in light and dark: on a white ground of their own.

use std::path::Path;

use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::prelude::*;

use super::figures::{Curve, Number};
use crate::shell::Result;

const SIZE: (u32, u32) = (760, 380);
const COLOURS: [RGBColor; 5] = [
    RGBColor(36, 86, 200),
    RGBColor(200, 90, 30),
    RGBColor(30, 130, 76),
    RGBColor(120, 60, 160),
    RGBColor(90, 90, 90),
];
/// Room above the highest point, for the names of the curves.
const LEGEND: f64 = 1.3;
const FONT: &str = "sans-serif";

/// What the axes of a plot say.
pub(crate) struct Plot<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
    /// Whether each step to the right is a factor.
    pub(crate) by_factors: bool,
}

/// Draws the curves into a file.
pub(crate) fn draw(file: &Path, plot: &Plot, curves: &[Curve]) -> Result {
    let points = || curves.iter().flat_map(|curve| curve.points.iter().copied());
    let (low, high) = points().fold((f64::MAX, 0.0_f64), |(low, high), (x, _)| (low.min(x), high.max(x)));
    let top = points().fold(0.0_f64, |top, (_, y)| top.max(y)) * LEGEND;
    if high <= 0.0 || top <= 0.0 {
        return Err(format!("{}: nothing to draw", plot.title));
    }
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE).map_err(|e| e.to_string())?;
    let mut chart = ChartBuilder::on(&area);
    chart
        .caption(plot.title, (FONT, 18))
        .margin(14)
        .margin_right(44)
        .x_label_area_size(44)
        .y_label_area_size(78);
    if plot.by_factors {
        let range = (low.max(1.0)..high).log_scale();
        lines(chart.build_cartesian_2d(range, 0.0..top), plot, curves)?;
    } else {
        lines(chart.build_cartesian_2d(0.0..high, 0.0..top), plot, curves)?;
    }
    area.present().map_err(|e| format!("{}: {e}", file.display()))
}

type Built<'a, X> = std::result::Result<
    ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, plotters::coord::types::RangedCoordf64>>,
    DrawingAreaErrorKind<std::io::Error>,
>;

fn lines<X>(chart: Built<X>, plot: &Plot, curves: &[Curve]) -> Result
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let failed = |e: DrawingAreaErrorKind<std::io::Error>| e.to_string();
    let mut chart = chart.map_err(failed)?;
    let number = |value: &f64| Number(*value).to_string();
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).bold_line_style(RGBColor(225, 228, 232));
    mesh.x_desc(plot.x).y_desc(plot.y).label_style((FONT, 13)).axis_desc_style((FONT, 14));
    mesh.x_label_formatter(&number).y_label_formatter(&number).draw().map_err(failed)?;
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        let line = LineSeries::new(curve.points.iter().copied(), colour.stroke_width(2)).point_size(4);
        let series = chart.draw_series(line).map_err(failed)?;
        let colour = *colour;
        series.label(&curve.name).legend(move |(x, y)| Circle::new((x + 10, y), 4, colour.filled()));
    }
    let mut legend = chart.configure_series_labels();
    legend.background_style(WHITE.mix(0.85)).label_font((FONT, 13));
    legend.position(SeriesLabelPosition::UpperLeft).draw().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_names_its_axes_and_curves() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let curve = Curve { name: "GET /v1/me".to_owned(), points: vec![(1.0, 5.0), (64.0, 20_000.0)] };
        for by_factors in [false, true] {
            let plot = Plot { title: "Throughput", x: "connections", y: "requests/s", by_factors };
            draw(file.path(), &plot, std::slice::from_ref(&curve)).unwrap();
            let text = std::fs::read_to_string(file.path()).unwrap();
            for word in ["<svg", "Throughput", "connections", "requests/s", "GET /v1/me", "20,000"] {
                assert!(text.contains(word), "{word} is missing in {text}");
            }
        }
        let plot = Plot { title: "x", x: "x", y: "y", by_factors: false };
        assert!(draw(file.path(), &plot, &[]).unwrap_err().contains("nothing to draw"));
    }
}
