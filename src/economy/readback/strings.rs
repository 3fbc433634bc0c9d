//! Strings that satisfy a format, a pattern and a length.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::samples::Chance;

/// Formats that our texts use as the name of a type.
pub const FORMATS: [&str; 19] = [
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "uuid",
    "regex",
    "json-pointer",
    "iri",
    "iri-reference",
    "uri-template",
    "idn-email",
    "idn-hostname",
    "relative-json-pointer",
];

/// What callers write under a format: usual spellings, each of which any sensible pattern for the format takes.
pub fn of_format(format: &str) -> &'static [&'static str] {
    match format {
        "date-time" => &["2026-11-21T08:30:00Z", "1999-12-31T23:59:59.999Z", "2024-02-29T00:00:00+02:00"],
        "date" => &["2026-11-21", "2024-02-29", "1970-01-01"],
        "time" => &["08:30:00Z", "23:59:59+02:00"],
        "duration" => &["P1D", "PT15M", "P1Y2M3DT4H5M6S", "P2W"],
        "email" | "idn-email" => &["a@example.org", "jo.doe+news@mail.example.co.uk", "x_1@sub-domain.example.com"],
        "hostname" | "idn-hostname" => &["example.org", "a-1.sub.example.com"],
        "ipv4" => &["192.0.2.1", "255.255.255.255", "0.0.0.0"],
        "ipv6" => &["2001:db8::1", "::1", "fe80:0:0:0:1:2:3:4"],
        "uri" | "iri" => &["https://example.org/a?b=c#d", "mailto:a@example.org"],
        "uri-reference" | "iri-reference" => &["/a/b", "https://example.org"],
        "uri-template" => &["/a/{id}"],
        "uuid" => &["123e4567-e89b-42d3-a456-426614174000", "01893D5E-7C2A-7B4E-9F00-A1B2C3D4E5F6"],
        "regex" => &["^a+$", "[0-9]"],
        "json-pointer" => &["/a/0", ""],
        "relative-json-pointer" => &["1/a", "0#"],
        _ => &[],
    }
}

/// A string that a regular expression takes, mostly; `None` where it cannot be read (another dialect).
///
/// Where a count is open, one part of it may be repeated until the whole has about `least` characters.
pub fn of_pattern(pattern: &str, least: usize, chance: &mut Chance) -> Option<String> {
    let readable = without_lookaround(pattern).replace("\\/", "/").replace("\\-", "\\x2d");
    let hir = regex_syntax::parse(&readable).ok()?;
    let mut out = String::new();
    write(&hir, least, chance, &mut out);
    Some(out)
}

fn write(hir: &Hir, least: usize, chance: &mut Chance, out: &mut String) {
    const MOST_MORE: u32 = 4;
    if out.len() > 4_000 {
        return;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(Class::Unicode(class)) => {
            // The dialects agree on ASCII only.
            let usual: Vec<char> = (' '..='~')
                .filter(|c| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(c)))
                .collect();
            match (usual.get(chance.below(usual.len())), class.ranges().first()) {
                (Some(character), _) => out.push(*character),
                (None, Some(range)) => out.push(range.start()),
                (None, None) => {}
            }
        }
        HirKind::Class(Class::Bytes(_)) => {}
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX);
            let usual = most.min(repetition.min.saturating_add(MOST_MORE));
            let more = chance.below((usual - repetition.min.min(usual)) as usize + 1);
            for at in 0..most.min(2_000) as usize {
                let wanted = at < repetition.min as usize + more || (out.len() < least && !chance.one_in(60));
                if !wanted {
                    break;
                }
                write(&repetition.sub, least, chance, out);
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, least, chance, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, least, chance, out)),
        HirKind::Alternation(branches) => write(&branches[chance.below(branches.len())], least, chance, out),
    }
}

/// Conditions on what stands around are dropped: the check of the sample judges it anyway.
fn without_lookaround(pattern: &str) -> String {
    let mut out = pattern.to_owned();
    while let Some(start) = ["(?!", "(?=", "(?<!", "(?<="].iter().filter_map(|open| out.find(open)).min() {
        let (mut depth, mut escaped, mut end) = (0_usize, false, out.len());
        for (at, character) in out[start..].char_indices() {
            match character {
                _ if escaped => {}
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            escaped = character == '\\' && !escaped;
            if depth == 0 {
                end = start + at + 1;
                break;
            }
        }
        out.replace_range(start..end, "");
    }
    out
}
