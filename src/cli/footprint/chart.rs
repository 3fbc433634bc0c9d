//! The footprint as one picture: everything on scales that start at zero, so that lengths can be compared by eye.

use super::{
    Figures, MARK, grouped, number,
    svg::{Anchor, Svg},
};

/// Servers drawn with a bar of their own; the others are summed up in one.
const MAX_BARS: usize = 40;

/// Longest name shown, in characters.
const MAX_NAME: usize = 26;

const WIDTH: f64 = 880.0;
const MARGIN: f64 = 32.0;
/// Where bars begin: the column of names is before it.
const LEFT: f64 = 236.0;
/// Longest bar. The rest of the line is for its number.
const LONGEST: f64 = 440.0;
const BAR: f64 = 14.0;
const ROW: f64 = 22.0;

/// The page and the picture share colours; dark ones where the reader's system is dark.
pub(super) const STYLE: &str = "\
text{font:13px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1c2024}\
.paper{fill:#ffffff}.title{font-size:19px;font-weight:600}.part{font-size:14px;font-weight:600}.quiet{fill:#60646c}\
.number{font-variant-numeric:tabular-nums}.direct{fill:#d9663a}.crib{fill:#0b8f82}.crib-text{fill:#08776c;font-weight:600}\
.search{fill:#3fb6a8}.describe{fill:#93d7ce}.grid{stroke:#d9d9e0;stroke-width:1}\
@media(prefers-color-scheme:dark){text{fill:#edeef0}.paper{fill:#15171a}.quiet{fill:#a8adb5}.direct{fill:#e9794c}\
.crib{fill:#19b3a3}.crib-text{fill:#43cbbd}.search{fill:#15877c}.describe{fill:#0e5c55}.grid{stroke:#33373d}}";

/// One line of a part.
struct Row {
    name: String,
    tokens: u64,
    /// What stands right of the bar.
    label: String,
    /// What stands at the right edge, in toolcrib's colour.
    beside: String,
    class: &'static str,
}

/// The whole picture.
pub(super) fn svg(figures: &Figures) -> String {
    let mut svg = Svg::default();
    let footprint = &figures.footprint;
    let title = format!(
        "{}: {} tokens at start, {} through toolcrib",
        counted(footprint.servers.len(), "MCP server"),
        number(footprint.direct_tokens),
        number(footprint.toolcrib_tokens)
    );
    let mut y = MARGIN + 14.0;
    svg.text((MARGIN, y), Anchor::Start, "title", &title);
    y += 24.0;
    let below = format!(
        "{}. What a client puts before the model at start, in o200k_base tokens.",
        counted(footprint.tools, "tool")
    );
    svg.text((MARGIN, y), Anchor::Start, "quiet", &below);
    y = start_part(&mut svg, figures, y + 34.0);
    y = servers_part(&mut svg, figures, y + 30.0);
    if !figures.measured.is_empty() {
        y = measured_part(&mut svg, figures, y + 30.0);
    }
    y += 30.0;
    if let Some(price) = &figures.price {
        let text = format!(
            "At {} for a million input tokens, each start costs {} loaded directly and {} through toolcrib.",
            price.shown(),
            price.of(footprint.direct_tokens as u64),
            price.of(footprint.toolcrib_tokens as u64)
        );
        svg.text((MARGIN, y), Anchor::Start, "quiet", &text);
        y += 20.0;
    }
    svg.text((MARGIN, y), Anchor::Start, "quiet", "toolcrib footprint: one MCP server in front of all of yours");
    svg.finish((WIDTH, y + MARGIN - 8.0), STYLE, &title, MARK)
}

/// All servers against toolcrib, on one scale.
fn start_part(svg: &mut Svg, figures: &Figures, y: f64) -> f64 {
    let footprint = &figures.footprint;
    let direct = footprint.direct_tokens as u64;
    let through = footprint.toolcrib_tokens as u64;
    let less = match footprint.saved_tokens {
        0 => String::new(),
        _ => format!(" ({} % less)", footprint.saved_percent),
    };
    let rows = [
        Row::new("loaded directly", direct, grouped(direct), "direct"),
        Row::new("through toolcrib", through, format!("{}{less}", grouped(through)), "crib"),
    ];
    bars(svg, "At start", "", &rows, y)
}

/// Each server, on the scale of the dearest.
fn servers_part(svg: &mut Svg, figures: &Figures, y: f64) -> f64 {
    let all = figures.by_cost();
    let drawn = if all.len() > MAX_BARS { MAX_BARS - 1 } else { all.len() };
    let (named, rest) = all.split_at(drawn);
    let mut rows: Vec<Row> = named
        .iter()
        .map(|server| {
            let direct = server.direct_tokens as u64;
            let mut row = Row::new(server.server.as_str(), direct, grouped(direct), "direct");
            row.beside = number(server.start_tokens);
            row
        })
        .collect();
    if !rest.is_empty() {
        let direct: usize = rest.iter().map(|server| server.direct_tokens).sum();
        let start: usize = rest.iter().map(|server| server.start_tokens).sum();
        // Without a bar: it would make the scale, and the servers by themselves hairs.
        let mut row = Row::new(&format!("{} more servers", rest.len()), 0, number(direct), "direct");
        row.beside = number(start);
        rows.push(row);
    }
    for pin in &figures.footprint.pins {
        let mut row = Row::new(&format!("pinned: {}", pin.tool), 0, String::new(), "crib");
        row.beside = number(pin.direct_tokens);
        rows.push(row);
    }
    let mut fixed = Row::new("search, describe, call", 0, String::new(), "crib");
    fixed.beside = number(figures.fixed_tokens());
    rows.push(fixed);
    bars(svg, "By server, loaded directly", "through toolcrib", &rows, y)
}

/// What conversations really read, on one scale.
fn measured_part(svg: &mut Svg, figures: &Figures, y: f64) -> f64 {
    let measured = &figures.measured;
    let (direct, read) = (measured.direct(), measured.read_instead());
    let scale = Scale::of(direct.max(read));
    let heading = format!("Measured {}: {}", measured.span(), measured.conversations());
    svg.text((MARGIN, y), Anchor::Start, "part", &heading);
    let top = y + 12.0;
    let bottom = top + 2.0 * ROW + 4.0;
    grid(svg, &scale, top, bottom);
    let row = Row::new("loaded directly", direct, grouped(direct), "direct");
    draw(svg, &row, &scale, top);
    let at = top + ROW;
    svg.text((LEFT - 12.0, at + 15.0), Anchor::End, "", "through toolcrib");
    let parts = [
        ("crib", "starts", measured.ledger.start_tokens),
        ("search", "searches", measured.ledger.search_tokens),
        ("describe", "describes", measured.describe_tokens()),
    ];
    let mut x = LEFT;
    for (class, name, tokens) in parts {
        let length = scale.length(tokens);
        if length > 0.0 {
            svg.bar((x, at + 4.0), (length, BAR), class, &format!("{name}: {}", grouped(tokens)));
        }
        x += length;
    }
    svg.text((x + 8.0, at + 15.0), Anchor::Start, "number", &grouped(read));
    let [starts, searches, describes] = parts.map(|(_, name, tokens)| format!("{name} {}", grouped(tokens)));
    let y = bottom + 36.0;
    svg.text((LEFT, y), Anchor::Start, "quiet", &format!("{starts}, {searches}, {describes}"));
    let results = format!(
        "Results come on top either way: {} tokens, {} more kept out by the budget.",
        grouped(measured.result_tokens()),
        grouped(measured.kept_out_tokens())
    );
    svg.text((LEFT, y + 19.0), Anchor::Start, "quiet", &results);
    y + 19.0
}

/// A heading, its rows on one scale, and the scale.
fn bars(svg: &mut Svg, heading: &str, beside: &str, rows: &[Row], y: f64) -> f64 {
    svg.text((MARGIN, y), Anchor::Start, "part", heading);
    svg.text((WIDTH - MARGIN, y), Anchor::End, "crib-text", beside);
    let scale = Scale::of(rows.iter().map(|row| row.tokens).max().unwrap_or_default());
    let top = y + 12.0;
    let drawn = rows.iter().filter(|row| row.tokens > 0).count().max(1);
    grid(svg, &scale, top, top + drawn as f64 * ROW + 4.0);
    for (at, row) in rows.iter().enumerate() {
        // Rows without a bar stand below the scale.
        let below = if at >= drawn { 26.0 } else { 0.0 };
        draw(svg, row, &scale, top + at as f64 * ROW + below);
    }
    let below = if rows.len() > drawn { (rows.len() - drawn) as f64 * ROW } else { 0.0 };
    top + drawn as f64 * ROW + 26.0 + below
}

fn draw(svg: &mut Svg, row: &Row, scale: &Scale, top: f64) {
    svg.text((LEFT - 12.0, top + 15.0), Anchor::End, "", &shortened(&row.name));
    if row.tokens > 0 {
        let length = scale.length(row.tokens);
        svg.bar((LEFT, top + 4.0), (length, BAR), row.class, &format!("{}: {}", row.name, row.label));
        svg.text((LEFT + length + 8.0, top + 15.0), Anchor::Start, "number", &row.label);
    } else if !row.label.is_empty() {
        svg.text((LEFT, top + 15.0), Anchor::Start, "number", &row.label);
    }
    if !row.beside.is_empty() {
        svg.text((WIDTH - MARGIN, top + 15.0), Anchor::End, "crib-text number", &row.beside);
    }
}

fn grid(svg: &mut Svg, scale: &Scale, top: f64, bottom: f64) {
    for tick in (0..=scale.most / scale.step).map(|count| count * scale.step) {
        let x = LEFT + scale.exact(tick);
        svg.line((x, top), (x, bottom), "grid");
        let anchor = if tick == 0 { Anchor::Start } else { Anchor::End };
        svg.text((x, bottom + 15.0), anchor, "quiet number", &grouped(tick));
    }
}

/// A linear scale from zero.
struct Scale {
    most: u64,
    step: u64,
}

impl Scale {
    /// With two to five steps of 1, 2 or 5 times a power of ten.
    fn of(most: u64) -> Self {
        let most = most.max(1);
        let mut step: u64 = 1;
        // 1, 2, 5, 10, 20 …
        for (times, by) in [(2, 1), (5, 2), (2, 1)].into_iter().cycle() {
            if most / step <= 5 {
                break;
            }
            step = step / by * times;
        }
        Self { most, step }
    }

    fn exact(&self, tokens: u64) -> f64 {
        LONGEST * tokens as f64 / self.most as f64
    }

    /// Length of a bar. What is there is seen, if only as a hair.
    fn length(&self, tokens: u64) -> f64 {
        if tokens == 0 { 0.0 } else { self.exact(tokens).max(1.0) }
    }
}

impl Row {
    fn new(name: &str, tokens: u64, label: String, class: &'static str) -> Self {
        Self { name: name.into(), tokens, label, beside: String::new(), class }
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{} {noun}s", number(count)) }
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= MAX_NAME {
        return name.to_owned();
    }
    name.chars().take(MAX_NAME - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_has_two_to_five_round_steps() {
        let steps = |most| {
            let scale = Scale::of(most);
            (scale.step, scale.most / scale.step)
        };
        assert_eq!(
            [0, 5, 9, 490, 2_499, 288_000].map(steps),
            [(1, 1), (1, 5), (2, 4), (100, 4), (500, 4), (50_000, 5)]
        );
        for most in (1..2_000).map(|n| n * 7_919).chain([u64::MAX]) {
            let (_, count) = steps(most);
            assert!((1..=5).contains(&count), "{most}: {count}");
        }
    }
}
