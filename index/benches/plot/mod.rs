//! Draws how time and memory grow, as a self-contained SVG with logarithmic axes.

use std::fmt::Write;

use super::Row;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 130.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 50.0;

/// What is drawn of a row, with its colour and the words at the end of its line.
type Line = (&'static str, &'static str, fn(&Row) -> f64);

const LINES: [Line; 3] = [
    ("#1f6feb", "search p50, ms", |row| row.p50_ms),
    ("#9a6700", "search p99, ms", |row| row.p99_ms),
    ("#1a7f37", "memory, MB", |row| row.memory_mb),
];

/// The drawing. Powers of ten are ruled.
pub fn draw(rows: &[Row]) -> String {
    let sizes = || rows.iter().map(|row| row.tools as f64);
    let values = || rows.iter().flat_map(|row| LINES.map(|(_, _, value)| value(row).max(0.01)));
    let across = Axis::over(sizes(), LEFT, WIDTH - RIGHT);
    let up = Axis::over(values(), HEIGHT - BOTTOM, TOP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    // Writing to a `String` cannot fail.
    for value in up.powers() {
        let y = up.at(value);
        let _ = writeln!(svg, "<path d=\"M{LEFT} {y:.1}H{}\" stroke=\"#d0d7de\"/>", WIDTH - RIGHT);
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>", LEFT - 8.0, y + 4.0);
    }
    for value in across.powers() {
        let x = across.at(value);
        let _ = writeln!(svg, "<path d=\"M{x:.1} {TOP}V{}\" stroke=\"#d0d7de\"/>", HEIGHT - BOTTOM);
        let _ =
            writeln!(svg, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{value}</text>", HEIGHT - BOTTOM + 18.0);
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">tools</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 12.0
    );
    for (colour, words, value) in LINES {
        let points: Vec<(f64, f64)> =
            rows.iter().map(|row| (across.at(row.tools as f64), up.at(value(row).max(0.01)))).collect();
        let path = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ");
        let _ = writeln!(svg, "<polyline points=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
        if let Some((x, y)) = points.last() {
            let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{words}</text>", x + 8.0, y + 4.0);
        }
    }
    svg + "</svg>\n"
}

/// A logarithmic axis between whole powers of ten.
struct Axis {
    low: i32,
    high: i32,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min).log10().floor() as i32;
        let high = values.fold(f64::NEG_INFINITY, f64::max).log10().ceil() as i32;
        Self { low, high: high.max(low + 1), from, to }
    }

    fn at(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.low)) / f64::from(self.high - self.low);
        self.from + share * (self.to - self.from)
    }

    fn powers(&self) -> impl Iterator<Item = f64> {
        (self.low..=self.high).map(|power| 10_f64.powi(power))
    }
}
