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

/// Descriptions of a schema that a text does not hold, word for word.
pub fn unsaid(text: &str, schema: &Value) -> Vec<String> {
    let mut described = Described { root: schema, followed: Vec::new(), found: Vec::new() };
    described.gather("", schema);
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    // Where it is JSON, line breaks are escapes.
    let letters = |text: &str| letters(&text.replace("\\n", " "));
    let said = letters(text);
    described.found.retain(|(name, description)| {
        // "The owner" of `owner` is left out on purpose, and so is "Arguments for this tool".
        let plain = letters(&description.to_lowercase());
        let bare = letters(&name.to_lowercase());
        let repeats = ["the", "a", "an"].iter().any(|article| plain.strip_prefix(article) == Some(bare.as_str()))
            || plain.replacen("parameter", "", 1) == bare;
        let of_the_whole =
            schema.get("description").and_then(Value::as_str) == Some(description) && plain.contains("for");
        !said.contains(&letters(description)) && !repeats && !of_the_whole
    });
    described.found.into_iter().map(|(name, description)| format!("{name}: {description}")).collect()
}

/// Words of a tool's description that a describe does not hold, less those of the openings and headings that it drops.
pub fn unsaid_words(text: &str, description: &str) -> Vec<String> {
    const DROPPED: &str = "this tool endpoint function method operation command allows allow lets enables helps will \
        users used useful when need want please purpose description summary primary that args arguments parameters params param \
        string integer float number boolean bool list array dict object optional required input context";
    let words = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.chars().count() > 3)
            .map(|word| word.chars().flat_map(char::to_lowercase).collect())
            .collect()
    };
    let said: std::collections::HashSet<String> = words(text).into_iter().collect();
    let mut unsaid = words(description);
    unsaid.retain(|word| !said.contains(word) && !DROPPED.split(' ').any(|dropped| dropped == word));
    unsaid
}

/// Gathers the descriptions of what arguments can hold; definitions that nothing refers to are no part of that.
struct Described<'a> {
    root: &'a Value,
    followed: Vec<&'a str>,
    found: Vec<(String, String)>,
}

impl<'a> Described<'a> {
    fn gather(&mut self, name: &str, schema: &'a Value) {
        let Value::Object(map) = schema else { return };
        for (keyword, inner) in map {
            match (keyword.as_str(), inner) {
                ("description", Value::String(text)) => self.found.push((name.to_owned(), text.clone())),
                ("$ref", Value::String(reference)) if !self.followed.contains(&reference.as_str()) => {
                    self.followed.push(reference);
                    let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
                    target.into_iter().for_each(|target| self.gather(name, target));
                }
                ("properties" | "patternProperties" | "dependentSchemas", Value::Object(named)) => {
                    named.iter().for_each(|(name, inner)| self.gather(name, inner));
                }
                ("anyOf" | "oneOf" | "allOf" | "prefixItems" | "items", Value::Array(schemas)) => {
                    schemas.iter().for_each(|inner| self.gather(name, inner));
                }
                (
                    "items" | "additionalProperties" | "not" | "if" | "then" | "else" | "contains" | "propertyNames",
                    _,
                ) => {
                    self.gather(name, inner);
                }
                _ => {}
            }
        }
    }
}
