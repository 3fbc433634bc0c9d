//! Spans of time as people write them: a number of seconds, or `"90s"`, `"5m"`, `"1h 30m"`.

use std::{borrow::Cow, fmt, ops::RangeInclusive, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::problems::{KeyPath, Problems};

/// A span of time as written; [`RawDuration::check`] reads it, so that a bad one is a problem like any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawDuration(String);

impl RawDuration {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    fn as_written(&self) -> String {
        if self.0.chars().all(|c| c.is_ascii_digit()) { self.0.clone() } else { format!("{:?}", self.0) }
    }

    /// The span, if it can be read and lies within bounds.
    pub(super) fn check(&self, at: &KeyPath, bounds: &RangeInclusive<Duration>, problems: &mut Problems) -> Duration {
        match parse(&self.0) {
            Ok(span) if bounds.contains(&span) => span,
            Ok(_) => {
                let (least, most) = (show(*bounds.start()), show(*bounds.end()));
                problems.add_value(
                    at,
                    self.as_written(),
                    "is out of bounds",
                    format!("write a span from {least} to {most}"),
                );
                *bounds.start()
            }
            Err(reason) => {
                let remedy = "write a number of seconds, or a text like \"90s\", \"5m\" or \"24h\"";
                problems.add_value(at, self.as_written(), reason, remedy);
                *bounds.start()
            }
        }
    }
}

/// The shortest way to write a span.
pub(super) fn show(span: Duration) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let seconds = span.as_secs();
    UNITS
        .into_iter()
        .find(|(unit, _)| seconds >= *unit && seconds.is_multiple_of(*unit))
        .map_or_else(|| format!("{seconds}s"), |(unit, letter)| format!("{}{letter}", seconds / unit))
}

fn parse(text: &str) -> Result<Duration, &'static str> {
    const TOO_LONG: &str = "is too long a span of time";
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("is no span of time");
    }
    let bare = rest.chars().all(|c| c.is_ascii_digit());
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if digits == 0 {
            return Err("is no span of time");
        }
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| TOO_LONG)?;
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let part = match unit {
            "ms" => Some(Duration::from_millis(number)),
            "s" | "sec" | "secs" | "second" | "seconds" => Some(Duration::from_secs(number)),
            "" if bare => Some(Duration::from_secs(number)),
            "m" | "min" | "mins" | "minute" | "minutes" => number.checked_mul(60).map(Duration::from_secs),
            "h" | "hour" | "hours" => number.checked_mul(3_600).map(Duration::from_secs),
            "d" | "day" | "days" => number.checked_mul(86_400).map(Duration::from_secs),
            _ => return Err("has a unit of time that is not known (ms, s, m, h, d)"),
        };
        total = part.and_then(|part| total.checked_add(part)).ok_or(TOO_LONG)?;
        rest = after.trim_start();
    }
    Ok(total)
}

impl Serialize for RawDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RawDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrSeconds)
    }
}

struct TextOrSeconds;

impl de::Visitor<'_> for TextOrSeconds {
    type Value = RawDuration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds or a text like \"90s\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RawDuration, E> {
        Ok(RawDuration(text.into()))
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<RawDuration, E> {
        Ok(RawDuration(seconds.to_string()))
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<RawDuration, E> {
        Ok(RawDuration(seconds.to_string()))
    }
}

impl JsonSchema for RawDuration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "minimum": 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, seconds) in
            [("0", 0), ("90", 90), ("90s", 90), (" 5 min ", 300), ("1h 30m", 5_400), ("2days", 172_800)]
        {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text:?}");
        }
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
    }

    #[test]
    fn what_is_no_span_says_why() {
        for text in ["", "soon", "-5", "1.5h", "5 parsecs", "5m3", "99999999999999999999", "18446744073709551615h"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn spans_are_shown_in_their_largest_unit() {
        for text in ["59s", "1m", "90s", "10m", "24h", "365d"] {
            let normal = if text == "24h" { "1d" } else { text };
            assert_eq!(parse(text).map(show), Ok(normal.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn reading_a_span_never_panics(text in "([0-9]{0,22}|ms|s|m|h|d| |-|ü){0,8}") {
            let _ = parse(&text);
        }
    }
}
