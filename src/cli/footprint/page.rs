//! The footprint as one page: the picture, what it means, and every server in a table. Nothing is loaded from anywhere.

use std::fmt::Write;

use super::{Figures, chart, grouped, number, svg::escaped};

const STYLE: &str = "\
:root{color-scheme:light dark}body{margin:2rem auto;max-width:880px;padding:0 1rem;\
font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;color:#1c2024;background:#f6f6f8}\
svg{max-width:100%;height:auto}table{border-collapse:collapse;width:100%;margin:1.5rem 0;font-variant-numeric:tabular-nums}\
th,td{text-align:right;padding:.3rem .6rem;border-bottom:1px solid #d9d9e0}th:first-child,td:first-child{text-align:left}\
tfoot td{font-weight:600}footer{color:#60646c}\
@media(prefers-color-scheme:dark){body{color:#edeef0;background:#0d0e10}th,td{border-color:#33373d}footer{color:#a8adb5}}";

/// The whole page, as HTML that is XML as well.
pub(super) fn html(figures: &Figures) -> String {
    let footprint = &figures.footprint;
    let with_use = !figures.measured.is_empty();
    let mut rows = String::new();
    for server in figures.by_cost() {
        let mut cells = vec![
            server.server.to_string(),
            number(server.tools),
            number(server.direct_tokens),
            number(server.start_tokens),
        ];
        if with_use {
            let used = figures.measured.servers.iter().find(|used| used.name == server.server);
            cells.push(used.map_or_else(String::new, |used| grouped(used.read_instead())));
            cells.push(used.map_or_else(String::new, |used| grouped(used.amounts.calls)));
        }
        rows.push_str(&row("td", &cells));
    }
    for pin in &footprint.pins {
        let cells = [format!("pinned: {}", pin.tool), "1".into(), String::new(), number(pin.direct_tokens)];
        rows.push_str(&row("td", &padded(cells.to_vec(), with_use)));
    }
    let fixed = ["search, describe, call".into(), "3".into(), String::new(), number(figures.fixed_tokens())];
    rows.push_str(&row("td", &padded(fixed.to_vec(), with_use)));
    let total =
        ["all".into(), number(footprint.tools), number(footprint.direct_tokens), number(footprint.toolcrib_tokens)];
    let foot = row("td", &padded(total.to_vec(), with_use));
    let mut head = vec!["server".to_owned(), "tools".into(), "loaded directly".into(), "through toolcrib".into()];
    if with_use {
        head.extend([figures.measured.read_header(), "calls".into()]);
    }
    let sentences: String = figures.sentences().iter().map(|text| format!("<p>{}</p>\n", escaped(text))).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width\"/>\n<title>toolcrib footprint</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<main>\n{}{sentences}<table>\n<thead>\n{}</thead>\n<tbody>\n{rows}</tbody>\n<tfoot>\n{foot}</tfoot>\n\
         </table>\n</main>\n<footer>Tokens are counted with o200k_base; they stand for any one model's to some percent. \
         Drawn by toolcrib footprint.</footer>\n</body>\n</html>\n",
        chart::svg(figures),
        row("th", &head)
    )
}

fn row(tag: &str, cells: &[String]) -> String {
    let mut row = String::from("<tr>");
    for cell in cells {
        // Writing to a `String` cannot fail.
        let _ = write!(row, "<{tag}>{}</{tag}>", escaped(cell));
    }
    row.push_str("</tr>\n");
    row
}

fn padded(mut cells: Vec<String>, with_use: bool) -> Vec<String> {
    cells.resize(if with_use { 6 } else { 4 }, String::new());
    cells
}
