//! Whether a text kept its promise for one schema, and the samples that show where it did not.

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use super::{
    grammar,
    neighbours::{neighbour, words},
    samples::{Chance, Sampler},
    strings,
};

/// What samples said of a text.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Samples that were judged on both sides.
    pub judged: usize,
    /// Of these, how many the schema accepts.
    pub accepted: usize,
    /// Samples on which text and schema disagree, with the reason.
    pub faults: Vec<String>,
}

/// Arguments written by a complete signature, against the schema of the tool as the broker checks it.
pub fn of_signature(text: &str, schema: &Value, samples: u64) -> Verdict {
    let mut verdict = Verdict::default();
    let read = grammar::signature(text);
    // A schema that no validator takes accepts nothing and rejects nothing.
    let (Some(ours), Some(theirs)) = (validator(&read), as_the_broker_checks(schema)) else { return verdict };
    let dialect = Dialect::of(schema);
    for seed in 0..samples {
        let sample = Sampler::new(&read, seed).sample();
        if !ours.is_valid(&sample) || !dialect.can_judge(&sample) {
            continue;
        }
        verdict.judged += 1;
        match theirs.validate(&sample) {
            Ok(()) => verdict.accepted += 1,
            Err(error) => verdict.faults.push(format!("{sample}: {error} at {}", error.instance_path())),
        }
    }
    verdict
}

/// Samples of the schema and of what the describe says, and their neighbours: both must think the same of each.
pub fn of_describe(text: &str, schema: &Value, samples: u64) -> Verdict {
    let mut verdict = Verdict::default();
    let read = grammar::describe(text);
    let (Some(ours), Some(theirs)) = (validator(&read), validator(schema)) else { return verdict };
    let dialect = Dialect::of(schema);
    let mut known = Vec::new();
    words(schema, &mut known);
    let mut judge = |sample: &Value| {
        if !dialect.can_judge(sample) || !sample.is_object() {
            return;
        }
        verdict.judged += 1;
        let (said, is) = (ours.is_valid(sample), theirs.is_valid(sample));
        verdict.accepted += usize::from(is);
        if said != is {
            let reason =
                theirs.validate(sample).or_else(|_| ours.validate(sample)).err().map(|error| error.to_string());
            let side = if said { "described only" } else { "accepted only" };
            verdict.faults.push(format!("{side} {sample}: {}", reason.unwrap_or_default()));
        }
    };
    for seed in 0..samples {
        for source in [schema, &read] {
            let sample = Sampler::new(source, seed).sample();
            judge(&sample);
            let mut chance = Chance::new(seed.wrapping_add(77));
            for _ in 0..4 {
                judge(&neighbour(&sample, &known, &mut chance));
            }
        }
    }
    verdict
}

/// As `broker/validate.rs` does, and with lookaround where that has no answer, so that every schema is judged.
fn as_the_broker_checks(schema: &Value) -> Option<Validator> {
    let linear = jsonschema::options().with_pattern_options(PatternOptions::regex()).build(schema).ok();
    linear.or_else(|| jsonschema::options().build(schema).ok())
}

/// With every format checked, whatever the draft says of formats: to a caller they are rules. Checked by the usual spellings,
/// because the validators' own checks differ from draft to draft.
fn validator(schema: &Value) -> Option<Validator> {
    let mut options = jsonschema::options().should_validate_formats(true);
    for format in strings::FORMATS {
        options = options.with_format(format, move |text: &str| strings::of_format(format).contains(&text));
    }
    options.build(schema).ok()
}

/// What differs from draft to draft in the values themselves.
#[derive(Debug, Clone, Copy)]
struct Dialect {
    is_fourth: bool,
}

impl Dialect {
    fn of(schema: &Value) -> Self {
        let declared = schema.get("$schema").and_then(Value::as_str);
        Self { is_fourth: declared.is_some_and(|name| name.contains("draft-04")) }
    }

    /// In draft 4 `1.0` is no integer; no caller writes it for one. Beyond JSON's safe integers bounds count as not said.
    fn can_judge(self, sample: &Value) -> bool {
        match sample {
            Value::Number(number) => number.as_f64().is_some_and(|value| {
                value.abs() < 9_007_199_254_740_991.0 && !(self.is_fourth && number.is_f64() && value.fract() == 0.0)
            }),
            Value::Array(items) => items.iter().all(|item| self.can_judge(item)),
            Value::Object(map) => map.values().all(|value| self.can_judge(value)),
            _ => true,
        }
    }
}
