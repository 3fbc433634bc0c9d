//! String formats, and the patterns by which generators spell them out.

/// Formats that validators check or that tell a caller how to write the value.
const FORMATS: [&str; 19] = [
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

/// Whether validators know a format. Of another they take no notice, so it is a note, not a rule.
#[must_use]
pub fn is_known(format: &str) -> bool {
    FORMATS.contains(&format)
}

/// A calendar date, as zod writes it.
macro_rules! zod_date {
    () => {
        r"(?:(?:\d\d[2468][048]|\d\d[13579][26]|\d\d0[48]|[02468][048]00|[13579][26]00)-02-29|\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|(?:02)-(?:0[1-9]|1\d|2[0-8])))"
    };
}

/// A time of day without its zone, as zod writes it.
macro_rules! zod_time {
    () => {
        r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"
    };
}

/// Format, the pattern that a generator writes beside it, and what of the pattern the format leaves unsaid.
///
/// The generators are zod 3 and 4 and OData's OpenAPI. The patterns are narrower than the format only where nobody writes: quoted
/// mail addresses, years of five digits, leap seconds, UUIDs of no known version.
const SPELLED_OUT: [(&str, &str, Option<&str>); 14] = [
    ("date", concat!("^", zod_date!(), "$"), None),
    ("date-time", concat!("^", zod_date!(), "T(?:", zod_time!(), r"(?:Z|([+-](?:[01]\d|2[0-3]):[0-5]\d)))$"), None),
    ("date-time", concat!("^", zod_date!(), "T(?:", zod_time!(), "(?:Z))$"), Some("Z$")),
    (
        "date-time",
        r"^[0-9]{4,}-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,12})?(Z|[+-][0-9][0-9]:[0-9][0-9])$",
        None,
    ),
    ("date", r"^[0-9]{4,}-(0[1-9]|1[012])-(0[1-9]|[12][0-9]|3[01])$", None),
    (
        "duration",
        r"^P(?:(\d+W)|(?!.*W)(?=\d|T\d)(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.,]\d+)?S)?)?)$",
        None,
    ),
    (
        "email",
        r"^(?!\.)(?!.*\.\.)([A-Za-z0-9_'+\-\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$",
        None,
    ),
    (
        "email",
        r"^(?:[A-Za-z0-9_'+\-]+\.)*[A-Za-z0-9_'+\-]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9\-]*\.)+[A-Za-z]{2,}$",
        None,
    ),
    (
        "hostname",
        r"^(?=.{1,253}\.?$)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-0-9a-zA-Z]{0,61}[0-9a-zA-Z])?)*\.?$",
        None,
    ),
    (
        "ipv4",
        r"^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9][0-9]|[0-9])$",
        None,
    ),
    (
        "uuid",
        "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-8][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}|00000000-0000-0000-0000-000000000000|ffffffff-ffff-ffff-ffff-ffffffffffff)$",
        None,
    ),
    ("uuid", "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$", None),
    ("uuid", "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$", None),
    (
        "uuid",
        "^([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-4[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12})$",
        Some("^.{14}4.{4}[89abAB]"),
    ),
];

/// The pattern that has to be told beside a format: none where the format says it all.
#[must_use]
pub fn beside<'p>(format: Option<&str>, pattern: &'p str) -> Option<&'p str> {
    if matches!(pattern, "" | ".*") {
        return None;
    }
    let Some(format) = format else { return Some(pattern) };
    SPELLED_OUT
        .iter()
        .find(|(known, spelling, _)| *known == format && *spelling == pattern)
        .map_or(Some(pattern), |(_, _, left)| *left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::economy::readback::strings;

    #[test]
    fn a_pattern_that_is_left_out_takes_every_usual_spelling_of_its_format() {
        for (format, pattern, left) in SPELLED_OUT {
            let takes = |pattern: &str, text: &str| {
                jsonschema::is_valid(&serde_json::json!({ "type": "string", "pattern": pattern }), &text.into())
            };
            for text in strings::of_format(format) {
                assert_eq!(
                    takes(pattern, text),
                    left.is_none_or(|left| takes(left, text)),
                    "{format} {text} {pattern}"
                );
            }
        }
    }

    #[test]
    fn a_rule_of_ones_own_is_kept_however_long_it_is() {
        let own = format!("^2026-({})$", "01|".repeat(40));
        assert_eq!(beside(Some("date"), &own), Some(own.as_str()));
        assert_eq!(beside(None, ".*"), None);
    }
}
