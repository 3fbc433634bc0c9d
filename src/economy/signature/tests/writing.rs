//! Arguments made from what a signature said and from nothing else, so that a check against the schema proves the signature.

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use serde_json::{Map, Number, Value, json};

use crate::economy::schema::kind::{KeyType, NumberType, ObjectType, TextType, Type};

/// Writes values of types. `None` where this test cannot (a regular expression of another dialect).
pub struct Generator {
    pub state: u64,
    pub runner: TestRunner,
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self { state: seed, runner: TestRunner::deterministic() }
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.state >> 33).unwrap() % limit.max(1)
    }

    pub fn object(&mut self, object: &ObjectType, depth: usize) -> Option<Value> {
        let mut map = Map::new();
        for field in &object.fields {
            if field.required || (depth < 6 && self.below(2) == 0) {
                let value = self.value(&field.kind, depth + 1);
                match value {
                    Some(value) => drop(map.insert(field.name.clone(), value)),
                    None if field.required => return None,
                    None => {}
                }
            }
        }
        if let Some((key, kind)) = &object.other
            && depth < 6
        {
            let key = match key {
                KeyType::Any => Value::from("anotherName"),
                KeyType::Of(kind) => self.value(kind, depth)?,
            };
            let value = self.value(kind, depth + 1)?;
            let key = key.as_str()?;
            if !object.fields.iter().any(|field| field.name == key) {
                map.insert(key.to_owned(), value);
            }
        }
        Some(Value::Object(map))
    }

    pub fn value(&mut self, kind: &Type, depth: usize) -> Option<Value> {
        Some(match kind {
            Type::Any => [json!(7), json!("x"), json!({"k": []}), json!(null)][self.below(4)].clone(),
            Type::Never | Type::Cut | Type::Partly(_) => return None,
            Type::Null => Value::Null,
            Type::Boolean => Value::from(self.below(2) == 0),
            Type::Number(number) => self.number(number)?,
            Type::Text(text) => self.text(text)?,
            Type::Literals(values) => values[self.below(values.len())].clone(),
            Type::List(list) => {
                let least = usize::try_from(list.length.min.unwrap_or(0)).ok()?;
                let most =
                    list.length.max.and_then(|max| usize::try_from(max).ok()).unwrap_or(least + 2).min(least + 2);
                let wanted = if depth > 6 { least } else { least + self.below(most - least + 1) };
                let mut items = Vec::new();
                for _ in 0..wanted * 20 {
                    let item = self.value(&list.item, depth + 1)?;
                    if items.len() < wanted && !(list.unique && items.contains(&item)) {
                        items.push(item);
                    }
                }
                if items.len() < least {
                    return None;
                }
                Value::Array(items)
            }
            Type::Tuple(items, rest) => {
                let mut values = items.iter().map(|item| self.value(item, depth + 1)).collect::<Option<Vec<_>>>()?;
                if let Some(rest) = rest
                    && self.below(2) == 0
                {
                    values.push(self.value(rest, depth + 1)?);
                }
                Value::Array(values)
            }
            Type::Object(object) => self.object(object, depth + 1)?,
            Type::Union(members) => {
                let at = self.below(members.len());
                self.value(&members[at], depth)?
            }
        })
    }

    fn number(&mut self, number: &NumberType) -> Option<Value> {
        let bound =
            |bound: &Option<(Number, bool)>| bound.as_ref().map(|(n, excluded)| (n.as_f64().unwrap(), *excluded));
        let (min, max) = (bound(&number.min), bound(&number.max));
        let step = number.multiple_of.as_ref().and_then(Number::as_f64);
        let (low, high) = match (min, max) {
            (Some((low, _)), Some((high, _))) => (low, high),
            (Some((low, _)), None) => (low, low + 1000.0),
            (None, Some((high, _))) => (high - 1000.0, high),
            (None, None) => (-1000.0, 1000.0),
        };
        let fits = |value: &f64| {
            min.is_none_or(|(low, excluded)| *value > low || (!excluded && *value >= low))
                && max.is_none_or(|(high, excluded)| *value < high || (!excluded && *value <= high))
        };
        for _ in 0..50 {
            #[expect(clippy::cast_precision_loss, reason = "a test value")]
            let share = self.below(1001) as f64 / 1000.0;
            let mut value = low + (high - low) * share;
            if let Some(step) = step {
                value = (value / step).ceil() * step;
            } else if number.integer {
                value = value.round();
            }
            if fits(&value) {
                #[expect(clippy::cast_possible_truncation, reason = "a whole test value")]
                return Some(if value.fract() == 0.0 { Value::from(value as i64) } else { Value::from(value) });
            }
        }
        None
    }

    fn text(&mut self, text: &TextType) -> Option<Value> {
        if let Some(pattern) = &text.pattern {
            let strategy = proptest::string::string_regex(&ascii_classes(pattern)).ok()?;
            for _ in 0..20 {
                let made = strategy.new_tree(&mut self.runner).ok()?.current();
                let length = made.chars().count() as u64;
                // Beyond ASCII the dialects differ in what white space and word characters are.
                if made.is_ascii()
                    && text.length.min.is_none_or(|min| length >= min)
                    && text.length.max.is_none_or(|max| length <= max)
                {
                    return Some(Value::from(made));
                }
            }
            return None;
        }
        let made = match text.format.as_deref() {
            Some("date-time") => "2026-11-21T08:30:00Z",
            Some("date") => "2026-11-21",
            Some("time") => "08:30:00Z",
            Some("duration") => "P1D",
            Some("email") => "a@example.org",
            Some("hostname") => "example.org",
            Some("ipv4") => "192.0.2.1",
            Some("ipv6") => "2001:db8::1",
            Some("uri" | "uri-reference" | "iri") => "https://example.org/a",
            Some("uuid") => "123e4567-e89b-42d3-a456-426614174000",
            Some("regex") => "^a+$",
            Some("json-pointer") => "/a/0",
            _ => {
                let least = usize::try_from(text.length.min.unwrap_or(0)).ok()?;
                let most =
                    text.length.max.and_then(|max| usize::try_from(max).ok()).unwrap_or(least + 8).min(least + 8);
                let length = least + self.below(most - least + 1);
                return Some(Value::from(
                    (0..length).map(|_| char::from(b'a' + u8::try_from(self.below(26)).unwrap())).collect::<String>(),
                ));
            }
        };
        let length = made.len() as u64; // ASCII
        let fits = text.length.min.is_none_or(|min| length >= min) && text.length.max.is_none_or(|max| length <= max);
        fits.then(|| Value::from(made))
    }
}

/// The pattern as the generator reads it: without anchors, its classes as ECMAScript means them.
fn ascii_classes(pattern: &str) -> String {
    let body = pattern.trim_start_matches('^').trim_end_matches('$');
    body.replace("\\d", "[0-9]").replace("\\w", "[0-9A-Za-z_]").replace("\\s", " ").replace("(?:", "(")
}
