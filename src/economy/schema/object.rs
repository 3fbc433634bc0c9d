//! Reads object schemas: named fields, what other names hold, and which names there may be.

use serde_json::{Map, Value};

use super::{
    kind::{Field, KeyType, ObjectType, TextType, Type},
    leaf::required_names,
    read::Reader,
};

/// What a schema says of names that it does not list.
struct Others {
    held: Option<(KeyType, Type)>,
    /// There is more to it than can be told.
    lossy: bool,
}

impl Reader<'_> {
    /// The type of an object schema.
    pub(super) fn read_object(&mut self, schema: &Map<String, Value>) -> Type {
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let required = required_names(schema);
        let mut fields = Vec::with_capacity(properties.len());
        for (name, property) in properties {
            fields.push(self.field(name, property, required.contains(&name.as_str())));
        }
        let extra = schema.get("additionalProperties").or_else(|| schema.get("unevaluatedProperties"));
        let closed = extra == Some(&Value::Bool(false));
        let rules_names = ["patternProperties", "propertyNames"].iter().any(|keyword| schema.contains_key(*keyword));
        for name in required.iter().filter(|name| !properties.contains_key(**name)) {
            let kind = match extra {
                // What a rule for names makes of this one would have to be worked out.
                _ if rules_names && !is_every_name(schema) => self.lost(Type::Cut),
                Some(extra) => self.read(extra),
                None => Type::Any,
            };
            if !fields.iter().any(|field: &Field| field.name == *name) {
                fields.push(Field {
                    name: (*name).to_owned(),
                    required: true,
                    kind,
                    default: None,
                    note: String::new(),
                });
            }
        }
        let Others { held, lossy } = self.read_other_names(schema, extra, &fields);
        let least = schema.get("minProperties").and_then(Value::as_f64).unwrap_or(0.0);
        let most = schema.get("maxProperties").and_then(Value::as_f64);
        let surely = fields.iter().filter(|field| field.required).count() as f64;
        let at_most = if held.is_some() { f64::INFINITY } else { fields.len() as f64 };
        if most.is_some() && !closed {
            self.exact = false; // further names count too
        }
        let object = Type::Object(Box::new(ObjectType { fields, other: held, closed }));
        let counted = least > surely || most.is_some_and(|most| most < at_most);
        if lossy || counted { self.partly(object) } else { object }
    }

    fn read_other_names(&mut self, schema: &Map<String, Value>, extra: Option<&Value>, fields: &[Field]) -> Others {
        let lossy = Others { held: None, lossy: true };
        let patterns = schema.get("patternProperties").and_then(Value::as_object).filter(|map| !map.is_empty());
        if let Some(patterns) = patterns {
            let mut each = patterns.iter();
            let (Some((pattern, value)), None) = (each.next(), each.next()) else { return lossy };
            if schema.contains_key("propertyNames") || !fields.iter().all(|field| surely_misses(pattern, &field.name)) {
                return lossy;
            }
            let kind = self.read(value);
            if is_every_text(pattern) {
                return Others { held: Some((KeyType::Any, kind)), lossy: false };
            }
            if extra != Some(&Value::Bool(false)) {
                self.narrow(); // names beside the pattern are taken as well
            }
            let text = TextType { pattern: Some(pattern.clone()), ..TextType::default() };
            return Others { held: Some((KeyType::Of(Type::Text(text)), kind)), lossy: false };
        }
        let key = match schema.get("propertyNames") {
            Some(names) if !is_every_name(schema) => Some(self.read_key(names)),
            _ => None,
        };
        let allows = |key: &Type| fields.iter().all(|field| takes_name(key, &field.name));
        if key.as_ref().is_some_and(|key| !allows(key)) {
            return lossy;
        }
        let kind = match extra {
            Some(Value::Bool(false)) => return Others { held: None, lossy: false },
            None if !fields.is_empty() && key.is_none() => return Others { held: None, lossy: false },
            None => Type::Any,
            Some(extra) => self.read(extra),
        };
        Others { held: Some((key.map_or(KeyType::Any, KeyType::Of), kind)), lossy: false }
    }

    /// Names are strings, whether or not their schema says so.
    fn read_key(&mut self, names: &Value) -> Type {
        match names.as_object() {
            Some(names) if !names.contains_key("type") => {
                let mut typed = names.clone();
                typed.insert("type".into(), "string".into());
                self.read(&Value::Object(typed))
            }
            _ => self.read(names),
        }
    }
}

/// Whether `propertyNames` is there and says nothing: generators of maps write "names are strings".
fn is_every_name(schema: &Map<String, Value>) -> bool {
    schema.get("patternProperties").is_none()
        && match schema.get("propertyNames") {
            Some(Value::Object(names)) => names.iter().all(|(keyword, value)| keyword == "type" && value == "string"),
            Some(other) => other == &Value::Bool(true),
            None => true,
        }
}

fn is_every_text(pattern: &str) -> bool {
    matches!(pattern, "" | ".*")
}

/// Whether a type of names surely takes this one.
fn takes_name(key: &Type, name: &str) -> bool {
    match key {
        Type::Literals(values) => values.iter().any(|value| value == name),
        Type::Text(text) => *text == TextType::default(),
        Type::Any => true,
        _ => false,
    }
}

/// Whether a pattern surely does not match a name: it is anchored, and they start differently.
fn surely_misses(pattern: &str, name: &str) -> bool {
    let Some(anchored) = pattern.strip_prefix('^') else { return false };
    // A branch elsewhere is not anchored by it, and what is counted may be there no times.
    if anchored.contains('|') {
        return false;
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut plain = &anchored[..anchored.find(|c| !is_plain(c)).unwrap_or(anchored.len())];
    if anchored[plain.len()..].starts_with(['*', '?', '{']) {
        plain = &plain[..plain.len().saturating_sub(1)];
    }
    !plain.is_empty() && !name.starts_with(plain)
}
