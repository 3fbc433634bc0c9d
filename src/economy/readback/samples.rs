//! Arguments made from a JSON Schema: least ones, fullest ones and random ones.
//!
//! Nothing here need be right: whoever uses a sample asks a validator about it first.

use serde_json::{Map, Number, Value, json};

use super::strings;

/// Deepest value made where the schema leaves a choice.
const MAX_DEPTH: usize = 7;

/// Repeatable chance.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`; 0 where there is none.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }

    pub fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }
}

/// How much of what may be left out is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fullness {
    Least,
    Fullest,
    Random,
}

/// Makes values of the schemas of one document.
#[derive(Debug)]
pub struct Sampler<'a> {
    root: &'a Value,
    chance: Chance,
    fullness: Fullness,
    /// Values that may still be made: references and branches multiply.
    left: usize,
}

impl<'a> Sampler<'a> {
    pub fn new(root: &'a Value, seed: u64) -> Self {
        let fullness = match seed {
            0 => Fullness::Least,
            1 => Fullness::Fullest,
            _ => Fullness::Random,
        };
        Self { root, chance: Chance::new(seed), fullness, left: 4_000 }
    }

    /// A value for the whole document.
    pub fn sample(&mut self) -> Value {
        let root = self.root;
        self.value(root, 0)
    }

    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        // A schema may demand what never ends.
        if depth > 3 * MAX_DEPTH || self.left == 0 {
            return Value::Null;
        }
        self.left = self.left.saturating_sub(1);
        let whole = self.gathered(schema, 0);
        if let Some(value) = whole.get("const") {
            return value.clone();
        }
        if let Some(Value::Array(values)) = whole.get("enum")
            && !values.is_empty()
        {
            return values[self.chance.below(values.len())].clone();
        }
        match self.type_of(&whole) {
            "object" => self.object(&whole, depth),
            "array" => self.array(&whole, depth),
            "string" => Value::from(self.text(&whole)),
            "integer" => self.number(&whole, true),
            "number" => self.number(&whole, false),
            "boolean" => Value::from(self.chance.one_in(2)),
            "null" => Value::Null,
            _ => [json!(7), json!("x"), json!({ "k": [] }), json!(null), json!([1.5])][self.chance.below(5)].clone(),
        }
    }

    /// A schema with its references, parts and one of its branches taken in.
    fn gathered(&mut self, schema: &Value, depth: usize) -> Map<String, Value> {
        let Value::Object(schema) = schema else {
            let nothing = Map::from_iter([("enum".to_owned(), json!(["impossible"]))]);
            return if schema == &Value::Bool(false) { nothing } else { Map::new() };
        };
        let mut whole = schema.clone();
        if depth > 8 {
            return whole;
        }
        let mut parts: Vec<Value> = Vec::new();
        if let Some(target) = whole.remove("$ref").as_ref().and_then(Value::as_str).and_then(|text| self.resolve(text))
        {
            parts.push(target);
        }
        if let Some(Value::Array(all)) = whole.remove("allOf") {
            parts.extend(all);
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(Value::Array(branches)) = whole.remove(keyword)
                && !branches.is_empty()
            {
                // The least sample keeps out of recursion by the first branch without a reference.
                let plain = branches.iter().position(|branch| branch.get("$ref").is_none());
                let at = match (self.fullness, plain) {
                    (Fullness::Least, Some(at)) => at,
                    _ => self.chance.below(branches.len()),
                };
                parts.push(branches[at].clone());
            }
        }
        if whole.remove("if").is_some() {
            let branches = [whole.remove("then"), whole.remove("else")];
            parts.extend(branches.into_iter().flatten().filter(|_| self.chance.one_in(2)));
        }
        for part in parts {
            let part = self.gathered(&part, depth + 1);
            absorb(&mut whole, part);
        }
        whole
    }

    fn resolve(&self, reference: &str) -> Option<Value> {
        let pointer = reference.strip_prefix('#')?.replace("%24", "$").replace("%20", " ");
        self.root.pointer(&pointer).cloned()
    }

    fn type_of(&mut self, schema: &Map<String, Value>) -> &'static str {
        const KINDS: [&str; 7] = ["object", "array", "string", "integer", "number", "boolean", "null"];
        let known = |kind: &Value| KINDS.iter().find(|known| kind == **known).copied();
        match schema.get("type") {
            Some(Value::Array(kinds)) if !kinds.is_empty() => {
                known(&kinds[self.chance.below(kinds.len())]).unwrap_or("any")
            }
            Some(kind) => known(kind).unwrap_or("any"),
            None => {
                let has = |keywords: &[&str]| keywords.iter().any(|keyword| schema.contains_key(*keyword));
                let kind = if has(&[
                    "properties",
                    "required",
                    "additionalProperties",
                    "patternProperties",
                    "propertyNames",
                    "minProperties",
                    "dependentRequired",
                ]) {
                    "object"
                } else if has(&["items", "prefixItems", "contains", "minItems"]) {
                    "array"
                } else if has(&["minLength", "maxLength", "pattern", "format"]) {
                    "string"
                } else if has(&["minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"]) {
                    "number"
                } else {
                    "any"
                };
                if self.chance.one_in(4) { "any" } else { kind }
            }
        }
    }

    fn object(&mut self, schema: &Map<String, Value>, depth: usize) -> Value {
        let mut out = Map::new();
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in properties {
            let wanted = match self.fullness {
                Fullness::Least => false,
                Fullness::Fullest => true,
                Fullness::Random => self.chance.one_in(2),
            };
            let room = depth < MAX_DEPTH && self.left > 0 && property != &Value::Bool(false);
            if required.contains(&name.as_str()) || (wanted && room) {
                out.insert(name.clone(), self.value(property, depth + 1));
            }
        }
        for name in required {
            if !out.contains_key(name) {
                let extra = schema.get("additionalProperties").cloned().unwrap_or(Value::Bool(true));
                out.insert(name.to_owned(), self.value(&extra, depth + 1));
            }
        }
        if depth < MAX_DEPTH && self.left > 0 && self.fullness != Fullness::Least {
            self.other_names(schema, &mut out, depth);
        }
        Value::Object(out)
    }

    fn other_names(&mut self, schema: &Map<String, Value>, out: &mut Map<String, Value>, depth: usize) {
        if let Some(extra @ (Value::Object(_) | Value::Bool(true))) = schema.get("additionalProperties") {
            let least = schema.get("minProperties").and_then(Value::as_u64).unwrap_or(0);
            for at in 0..least.clamp(1, 4) {
                let name = match schema.get("propertyNames") {
                    Some(names) => self.value(names, depth + 1),
                    None => json!(format!("anotherName{at}")),
                };
                if let Some(name) = name.as_str() {
                    let value = self.value(extra, depth + 1);
                    out.entry(name.to_owned()).or_insert(value);
                }
            }
        }
        for (pattern, value) in schema.get("patternProperties").and_then(Value::as_object).into_iter().flatten() {
            if let Some(name) = strings::of_pattern(pattern, 0, &mut self.chance) {
                let value = self.value(value, depth + 1);
                out.entry(name).or_insert(value);
            }
        }
    }

    fn array(&mut self, schema: &Map<String, Value>, depth: usize) -> Value {
        let count = |keyword: &str| schema.get(keyword).and_then(Value::as_f64).map(|count| count as usize);
        let first = match (schema.get("prefixItems"), schema.get("items")) {
            (Some(Value::Array(first)), _) | (_, Some(Value::Array(first))) => first.as_slice(),
            _ => &[],
        };
        let least = count("minItems").unwrap_or(0).min(40);
        let most = count("maxItems").unwrap_or(usize::MAX);
        let rest = match schema.get("items") {
            Some(items @ (Value::Object(_) | Value::Bool(_))) => items.clone(),
            _ => schema.get("additionalItems").cloned().unwrap_or(Value::Bool(true)),
        };
        let usual = if rest == Value::Bool(false) { first.len() } else { first.len().max(least) + 2 };
        let most = most.min(usual).max(least);
        let wanted = match self.fullness {
            _ if depth >= MAX_DEPTH || self.left == 0 => least,
            // A caller writes a tuple whole.
            Fullness::Least => least.max(first.len().min(most)),
            Fullness::Fullest => most,
            Fullness::Random => least + self.chance.below(most - least + 1),
        };
        let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        let mut items: Vec<Value> = Vec::new();
        for at in 0..wanted {
            let kind = first.get(at).unwrap_or(&rest).clone();
            for _ in 0..if unique { 12 } else { 1 } {
                let item = self.value(&kind, depth + 1);
                if !(unique && items.contains(&item)) {
                    items.push(item);
                    break;
                }
            }
        }
        if let Some(contained) = schema.get("contains")
            && self.chance.one_in(2)
        {
            items.push(self.value(contained, depth + 1));
        }
        Value::Array(items)
    }

    fn number(&mut self, schema: &Map<String, Value>, whole: bool) -> Value {
        let number = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
        let low = number("exclusiveMinimum").or_else(|| number("minimum"));
        let high = number("exclusiveMaximum").or_else(|| number("maximum"));
        let (low, high) = match (low, high) {
            (Some(low), Some(high)) => (low, high),
            (Some(low), None) => (low, low + 1000.0),
            (None, Some(high)) => (high - 1000.0, high),
            (None, None) => (-1000.0, 1000.0),
        };
        let share = match self.chance.below(6) {
            0 => 0.0,
            1 => 1.0,
            _ => self.chance.below(1001) as f64 / 1000.0,
        };
        let mut value = low + (high - low) * share;
        if let Some(step) = number("multipleOf") {
            value = (value / step).ceil() * step;
        } else if whole {
            value = value.round();
        }
        if value.fract() == 0.0 && value.abs() < 9e15 {
            let edge = |keyword: &str| number(keyword) == Some(value);
            let value = value as i64;
            return Value::from(if edge("exclusiveMinimum") { value + 1 } else { value });
        }
        Number::from_f64(value).map_or(Value::Null, Value::Number)
    }

    fn text(&mut self, schema: &Map<String, Value>) -> String {
        let count = |keyword: &str| schema.get(keyword).and_then(Value::as_f64).map(|count| count as usize);
        let least = count("minLength").unwrap_or(0).min(10_000);
        let most = count("maxLength").unwrap_or(usize::MAX);
        let fits = |text: &String| {
            let length = text.chars().count();
            length >= least && length <= most
        };
        let pattern = schema.get("pattern").and_then(Value::as_str);
        let format = schema.get("format").and_then(Value::as_str);
        for _ in 0..8 {
            let usual = format.map(strings::of_format).filter(|usual| !usual.is_empty());
            let made = match (usual, pattern) {
                (Some(usual), Some(pattern)) if self.chance.one_in(2) || usual.is_empty() => {
                    strings::of_pattern(pattern, least, &mut self.chance)
                }
                (Some(usual), _) => usual.get(self.chance.below(usual.len())).map(|text| (*text).to_owned()),
                (None, Some(pattern)) => strings::of_pattern(pattern, least, &mut self.chance),
                (None, None) => None,
            };
            match made {
                Some(made) if fits(&made) => return made,
                Some(_) => {}
                None => break,
            }
        }
        let length = match self.fullness {
            Fullness::Least => least,
            Fullness::Fullest => most.min(least + 60),
            Fullness::Random => least + self.chance.below(most.min(least + 8).saturating_sub(least) + 1),
        };
        (0..length).map(|_| char::from(b'a' + self.chance.below(26) as u8)).collect()
    }
}

/// Joins what two schemas ask for, as far as making a value needs it.
fn absorb(whole: &mut Map<String, Value>, part: Map<String, Value>) {
    for (keyword, theirs) in part {
        match (keyword.as_str(), whole.get_mut(&keyword), theirs) {
            ("properties", Some(Value::Object(ours)), Value::Object(theirs)) => {
                for (name, schema) in theirs {
                    let joined = match ours.get(&name) {
                        Some(known) => json!({ "allOf": [known, schema] }),
                        None => schema,
                    };
                    ours.insert(name, joined);
                }
            }
            ("required", Some(Value::Array(ours)), Value::Array(theirs)) => ours.extend(theirs),
            ("enum", Some(Value::Array(ours)), Value::Array(theirs)) => {
                if ours.iter().any(|value| theirs.contains(value)) {
                    ours.retain(|value| theirs.contains(value));
                }
            }
            ("minimum" | "minLength" | "minItems" | "exclusiveMinimum", Some(ours), theirs) => {
                if theirs.as_f64() > ours.as_f64() {
                    *ours = theirs;
                }
            }
            ("maximum" | "maxLength" | "maxItems" | "exclusiveMaximum", Some(ours), theirs) => {
                if theirs.as_f64() < ours.as_f64() {
                    *ours = theirs;
                }
            }
            ("type", Some(ours), theirs) => {
                let narrower = match (&*ours, &theirs) {
                    (Value::Array(kinds), Value::String(_)) => kinds.contains(&theirs),
                    (Value::String(kind), Value::String(_)) => kind == "number",
                    _ => false,
                };
                if narrower {
                    *ours = theirs;
                }
            }
            (_, Some(_), _) => {}
            (_, None, theirs) => drop(whole.insert(keyword, theirs)),
        }
    }
}
