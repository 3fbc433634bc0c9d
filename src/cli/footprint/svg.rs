//! Writing SVG: elements and escaped texts, nothing else. The same figures make the same bytes.

use std::fmt::Write;

/// An SVG picture in the making.
#[derive(Debug, Default)]
pub(super) struct Svg {
    body: String,
}

/// How a text stands on its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    End,
}

impl Svg {
    /// A text with its baseline at `y`.
    pub(super) fn text(&mut self, at: (f64, f64), anchor: Anchor, class: &str, text: &str) {
        let anchor = if anchor == Anchor::End { " text-anchor=\"end\"" } else { "" };
        self.put(format_args!(
            "<text x=\"{}\" y=\"{}\"{anchor} class=\"{class}\">{}</text>\n",
            short(at.0),
            short(at.1),
            escaped(text)
        ));
    }

    /// A filled rectangle; `title` is what a pointer over it shows.
    pub(super) fn bar(&mut self, at: (f64, f64), size: (f64, f64), class: &str, title: &str) {
        // Corners rounder than half a thin bar would make it look shorter than it is.
        let round = 2.0_f64.min(size.0 / 2.0);
        self.put(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\" class=\"{class}\"><title>{}</title></rect>\n",
            short(at.0),
            short(at.1),
            short(size.0),
            short(size.1),
            short(round),
            escaped(title)
        ));
    }

    /// A line.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), class: &str) {
        self.put(format_args!(
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" class=\"{class}\"/>\n",
            short(from.0),
            short(from.1),
            short(to.0),
            short(to.1)
        ));
    }

    /// The whole picture. `title` is what a screen reader says of it.
    pub(super) fn finish(self, size: (f64, f64), style: &str, title: &str, mark: &str) -> String {
        let (width, height) = (short(size.0), short(size.1));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             role=\"img\">\n{mark}\n<title>{}</title>\n<style>{style}</style>\n\
             <rect width=\"{width}\" height=\"{height}\" rx=\"8\" class=\"paper\"/>\n{}</svg>\n",
            escaped(title),
            self.body
        )
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a `String` cannot fail.
        let _ = self.body.write_fmt(element);
    }
}

/// A text between tags or quotes of XML and HTML. Characters that XML cannot hold become `?`.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('?'),
            c => out.push(c),
        }
    }
    out
}

/// A coordinate with two digits at most.
fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
