//! The parts of a JSON Schema that hold no other schema: strings, numbers, listed values, counts.

use serde_json::{Map, Number, Value};

use super::{
    equal::equal,
    formats,
    kind::{NumberType, Span, TextType, Type},
    merge::is_annotation,
};

/// Which numbers a schema takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wholeness {
    /// Whole ones.
    Whole,
    /// All.
    Any,
}

/// Names listed in `required`.
#[must_use]
pub fn required_names(schema: &Map<String, Value>) -> Vec<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A number with its range and step.
pub(super) fn read_number(schema: &Map<String, Value>, wholeness: Wholeness) -> NumberType {
    /// 2^53 - 1: generators write it for "any integer".
    const SAFE: f64 = 9_007_199_254_740_991.0;
    let integer = wholeness == Wholeness::Whole;
    let bound = |inclusive: &str, exclusive: &str, step: i64| -> Option<(Number, bool)> {
        let included = schema.get(inclusive).and_then(Value::as_number);
        let bound = match schema.get(exclusive) {
            Some(Value::Number(excluded)) => match excluded.as_i64().and_then(|edge| edge.checked_add(step)) {
                Some(next) if integer => (Number::from(next), false),
                _ => (excluded.clone(), true),
            },
            Some(Value::Bool(true)) => (included?.clone(), true), // draft 4
            _ => (included?.clone(), false),
        };
        // With both, the stricter one counts.
        let bound = match included {
            Some(included) if !bound.1 || schema.get(exclusive).is_some_and(Value::is_number) => {
                let (a, b) = (included.as_f64()?, bound.0.as_f64()?);
                if (step > 0 && a > b) || (step < 0 && a < b) { (included.clone(), false) } else { bound }
            }
            _ => bound,
        };
        // Only where it lies outward: a least value at the upper edge leaves next to nothing.
        let idle = |edge: f64| if step > 0 { edge <= -SAFE } else { edge >= SAFE };
        bound.0.as_f64().is_some_and(|edge| !idle(edge)).then(|| (whole_number(bound.0), bound.1))
    };
    let step = schema.get("multipleOf").and_then(Value::as_number);
    // Multiples of one are the whole numbers.
    let whole_steps = step.is_some_and(|step| step.as_f64() == Some(1.0));
    NumberType {
        integer: integer || whole_steps,
        min: bound("minimum", "exclusiveMinimum", 1),
        max: bound("maximum", "exclusiveMaximum", -1),
        multiple_of: step.filter(|_| !whole_steps).cloned(),
    }
}

/// `1.0` as `1`.
fn whole_number(number: Number) -> Number {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be a safe integer")]
    match number.as_f64() {
        Some(value) if number.is_f64() && value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 => {
            Number::from(value as i64)
        }
        _ => number,
    }
}

/// Smallest and largest count under two keywords.
pub(super) fn span(schema: &Map<String, Value>, min: &str, max: &str) -> Span {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a whole number below 2^53"
    )]
    let whole = |number: f64| {
        (number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&number)).then_some(number as u64)
    };
    // Some generators write counts as `2.0`.
    let count = |key: &str| schema.get(key).and_then(|count| count.as_u64().or_else(|| count.as_f64().and_then(whole)));
    Span { min: count(min).filter(|&least| least > 0), max: count(max).filter(|&most| most < 9_007_199_254_740_991) }
}

/// The values of `enum`, else the one of `const`.
pub(super) fn listed_values(schema: &Map<String, Value>) -> Option<&[Value]> {
    let listed = schema.get("enum").and_then(Value::as_array).map(Vec::as_slice);
    listed.or_else(|| schema.get("const").map(std::slice::from_ref))
}

fn has_length(text: &str, length: Span) -> bool {
    let chars = text.chars().count() as u64;
    length.min.is_none_or(|min| chars >= min) && length.max.is_none_or(|max| chars <= max)
}

fn has_type(value: &Value, kind: &Value) -> bool {
    let is = |kind: &str| match kind {
        "string" => value.is_string(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    match kind {
        Value::String(kind) => is(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

/// A string with its format, pattern and length.
pub(super) fn read_text(schema: &Map<String, Value>) -> TextType {
    let format = schema.get("format").and_then(Value::as_str).filter(|format| !format.is_empty());
    let known = format.filter(|format| formats::is_known(format));
    let pattern = schema.get("pattern").and_then(Value::as_str).and_then(|pattern| formats::beside(known, pattern));
    TextType {
        format: known.map(str::to_owned),
        pattern: pattern.map(str::to_owned),
        length: span(schema, "minLength", "maxLength"),
    }
}

/// Whether a type says all that its schema says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// Everything.
    All,
    /// There are rules beyond it.
    Part,
}

/// `enum` and `const`, less the values that the keywords beside them forbid.
pub(super) fn read_values(schema: &Map<String, Value>, values: &[Value]) -> (Type, Said) {
    let mut fitting: Vec<Value> = Vec::with_capacity(values.len());
    for value in values {
        let is_allowed = schema.get("const").is_none_or(|only| equal(only, value))
            && schema.get("type").is_none_or(|kind| has_type(value, kind))
            && value.as_str().is_none_or(|text| has_length(text, span(schema, "minLength", "maxLength")));
        if is_allowed && !fitting.iter().any(|known| equal(known, value)) {
            fitting.push(value.clone());
        }
    }
    let kind = if fitting.is_empty() { Type::Never } else { Type::Literals(fitting) };
    let is_checked = |keyword: &str| match keyword {
        "type" | "enum" | "const" | "minLength" | "maxLength" => true,
        "format" => schema.get("format").and_then(Value::as_str).is_none_or(|format| !formats::is_known(format)),
        other => is_annotation(other),
    };
    let all = schema.keys().all(|keyword| is_checked(keyword));
    (kind, if all { Said::All } else { Said::Part })
}
