//! Reads a JSON Schema (draft 4 to 2020-12) as a [`Type`].
//!
//! Two promises. What the type accepts, the schema accepts, unless the type holds [`Type::Cut`] or [`Type::Partly`], which are
//! shown as `…`. And a reading is `exact` where the type says everything the schema says of arguments. Two things count as
//! nothing said: bounds at the edge of JSON's safe integers, and other names in an object that does not speak of them.

use serde_json::{Map, Value};

use super::{
    disjoint::disjoint,
    kind::{Field, KeyType, ListType, ObjectType, TextType, Type},
    leaf::{Said, Wholeness, listed_values, read_number, read_text, read_values, required_names, span},
    merge::{is_annotation, merged},
    note::note,
};

/// Deepest nesting followed. The deepest real schema has 24 levels.
const MAX_DEPTH: usize = 40;

/// Most branches of one `anyOf` or `oneOf`.
const MAX_BRANCHES: usize = 24;

/// Keywords that restrict and that no type here can say.
const UNSAID: [&str; 14] = [
    "not",
    "if",
    "then",
    "else",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "contains",
    "minContains",
    "maxContains",
    "unevaluatedItems",
    "$dynamicRef",
    "$recursiveRef",
    "additionalItems",
];

/// Reads the types of one schema document.
#[derive(Debug)]
pub struct Reader<'a> {
    root: &'a Value,
    /// References being followed, to notice circles.
    following: Vec<String>,
    depth: usize,
    /// Schemas that may still be visited, against schemas that multiply by their references.
    nodes: usize,
    notes: bool,
    /// Whether the types read since this was last set say everything.
    pub exact: bool,
}

impl<'a> Reader<'a> {
    /// Reads at most `nodes` sub-schemas of `root`; with `notes`, descriptions too.
    #[must_use]
    pub const fn new(root: &'a Value, nodes: usize, notes: bool) -> Self {
        Self { root, following: Vec::new(), depth: 0, nodes, notes, exact: true }
    }

    /// Lets it visit so many more sub-schemas.
    pub const fn allow(&mut self, nodes: usize) {
        self.nodes = nodes;
    }

    /// The type of a sub-schema.
    pub fn read(&mut self, schema: &Value) -> Type {
        if self.nodes == 0 || self.depth >= MAX_DEPTH {
            return self.lost(Type::Cut);
        }
        self.nodes -= 1;
        self.depth += 1;
        let kind = match schema {
            Value::Bool(true) => Type::Any,
            Value::Bool(false) => Type::Never,
            Value::Object(object) => self.read_object_schema(object),
            _ => self.lost(Type::Cut),
        };
        self.depth -= 1;
        kind
    }

    /// A field of an object.
    pub fn field(&mut self, name: &str, schema: &Value, required: bool) -> Field {
        let kind = self.read(schema);
        let default = schema.get("default").cloned();
        let note = if self.notes { self.note(name, schema) } else { String::new() };
        Field { name: name.to_owned(), required, kind, default, note }
    }

    fn lost(&mut self, kind: Type) -> Type {
        self.exact = false;
        kind
    }

    fn partly(&mut self, kind: Type) -> Type {
        self.lost(match kind {
            Type::Any | Type::Cut => Type::Cut,
            Type::Partly(_) => kind,
            other => Type::Partly(Box::new(other)),
        })
    }

    fn read_object_schema(&mut self, schema: &Map<String, Value>) -> Type {
        if let Some(reference) = schema.get("$ref") {
            return self.read_reference(reference, schema);
        }
        if let Some(Value::Array(parts)) = schema.get("allOf") {
            return self.read_all_of(schema, parts);
        }
        let unsaid = UNSAID.iter().any(|keyword| schema.contains_key(*keyword) && !self.is_idle(keyword, schema));
        let kind = match (schema.get("anyOf"), schema.get("oneOf")) {
            (Some(Value::Array(branches)), None) => self.read_branches(schema, "anyOf", branches),
            (None, Some(Value::Array(branches))) => self.read_branches(schema, "oneOf", branches),
            (None, None) => self.read_plain(schema),
            _ => {
                let kind = self.read_plain(schema);
                self.partly(kind)
            }
        };
        if unsaid { self.partly(kind) } else { kind }
    }

    /// Whether a keyword of [`UNSAID`] has no effect here.
    #[expect(clippy::unused_self, reason = "reads as a question to the reader beside its siblings")]
    fn is_idle(&self, keyword: &str, schema: &Map<String, Value>) -> bool {
        match keyword {
            "additionalItems" => true, // read with `items`
            "then" | "else" => !schema.contains_key("if"),
            "dependencies" | "dependentRequired" | "dependentSchemas" => {
                schema.get(keyword).and_then(Value::as_object).is_some_and(Map::is_empty)
            }
            _ => false,
        }
    }

    fn read_reference(&mut self, reference: &Value, schema: &Map<String, Value>) -> Type {
        let Some(target) = reference.as_str().and_then(|text| self.resolve(text)) else {
            return self.lost(Type::Cut);
        };
        let reference = reference.as_str().unwrap_or_default().to_owned();
        if self.following.contains(&reference) {
            return self.lost(Type::Cut);
        }
        self.following.push(reference);
        let bare = schema.keys().all(|key| key == "$ref" || is_annotation(key));
        let kind = if bare {
            self.read(target)
        } else {
            let mut rest = schema.clone();
            rest.shift_remove("$ref");
            match merged(&rest, target) {
                Some(both) => self.read(&Value::Object(both)),
                None => self.lost(Type::Cut),
            }
        };
        self.following.pop();
        kind
    }

    fn resolve(&self, reference: &str) -> Option<&'a Value> {
        let pointer = reference.strip_prefix('#')?;
        // `#name` is an anchor; no real schema of the catalog has one.
        self.root.pointer(&percent_decoded(pointer))
    }

    fn read_all_of(&mut self, schema: &Map<String, Value>, parts: &[Value]) -> Type {
        let mut whole = schema.clone();
        whole.shift_remove("allOf");
        for part in parts {
            let target = part.get("$ref").and_then(Value::as_str).and_then(|reference| {
                let circle = self.following.iter().any(|followed| followed == reference);
                if circle { None } else { self.resolve(reference) }
            });
            let next = match target {
                Some(target) if part.as_object().is_some_and(|part| part.len() == 1) => merged(&whole, target),
                _ => merged(&whole, part),
            };
            match next {
                Some(next) => whole = next,
                None => return self.lost(Type::Cut),
            }
        }
        self.read(&Value::Object(whole))
    }

    fn read_branches(&mut self, schema: &Map<String, Value>, keyword: &str, branches: &[Value]) -> Type {
        let mut base = schema.clone();
        base.shift_remove(keyword);
        let plain_base = base.keys().all(|key| is_annotation(key));
        let mut read: Vec<Type> = Vec::new();
        let mut cut = branches.len() > MAX_BRANCHES;
        for branch in branches.iter().take(MAX_BRANCHES) {
            let kind = if plain_base {
                self.read(branch)
            } else if is_circle_free(branch)
                && let Some(both) = merged(&base, branch)
            {
                self.read(&Value::Object(both))
            } else {
                cut = true;
                continue;
            };
            read.push(kind);
        }
        let overlapping =
            keyword == "oneOf" && (1..read.len()).any(|at| (0..at).any(|before| !disjoint(&read[before], &read[at])));
        // A branch that takes anything makes the others idle; one that was flattened out of an overlapping `oneOf` does not.
        if !overlapping && !cut && read.contains(&Type::Any) {
            return Type::Any;
        }
        let mut kinds: Vec<Type> = Vec::new();
        read.into_iter().for_each(|kind| kind.join(&mut kinds));
        if cut || overlapping {
            self.exact = false;
            kinds.push(Type::Cut);
        }
        match kinds.len() {
            0 => Type::Never,
            1 => kinds.swap_remove(0),
            _ => Type::Union(kinds),
        }
    }

    /// A schema without references and combinations.
    fn read_plain(&mut self, schema: &Map<String, Value>) -> Type {
        if let Some(values) = listed_values(schema) {
            let (kind, said) = read_values(schema, values);
            return if said == Said::All { kind } else { self.partly(kind) };
        }
        match schema.get("type") {
            Some(Value::String(kind)) => self.read_kind(kind, schema),
            Some(Value::Array(kinds)) => {
                let mut members = Vec::new();
                for kind in kinds.iter().filter_map(Value::as_str) {
                    // `number` takes what `integer` takes.
                    if kind == "integer" && kinds.iter().any(|other| other == "number") {
                        continue;
                    }
                    let member = self.read_kind(kind, schema);
                    member.join(&mut members);
                }
                if members.len() == 1 { members.swap_remove(0) } else { Type::Union(members) }
            }
            Some(_) => self.lost(Type::Cut),
            None => self.read_untyped(schema),
        }
    }

    /// A schema that names no type: the one its keywords speak of, which accepts less than the schema does.
    fn read_untyped(&mut self, schema: &Map<String, Value>) -> Type {
        let has = |keywords: &[&str]| keywords.iter().any(|keyword| schema.contains_key(*keyword));
        let kind = if has(&["properties", "required", "additionalProperties", "patternProperties", "propertyNames"]) {
            "object"
        } else if has(&["items", "prefixItems", "minItems", "maxItems", "uniqueItems"]) {
            "array"
        } else if has(&["minLength", "maxLength", "pattern", "format"]) {
            "string"
        } else if has(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]) {
            "number"
        } else {
            return Type::Any;
        };
        self.exact = false;
        self.read_kind(kind, schema)
    }

    fn read_kind(&mut self, kind: &str, schema: &Map<String, Value>) -> Type {
        match kind {
            "string" => Type::Text(read_text(schema)),
            "integer" => Type::Number(read_number(schema, Wholeness::Whole)),
            "number" => Type::Number(read_number(schema, Wholeness::Any)),
            "boolean" => Type::Boolean,
            "null" => Type::Null,
            "array" => self.read_array(schema),
            "object" => self.read_object(schema),
            _ => self.lost(Type::Cut),
        }
    }

    fn read_array(&mut self, schema: &Map<String, Value>) -> Type {
        let length = span(schema, "minItems", "maxItems");
        let unique = schema.get("uniqueItems") == Some(&Value::Bool(true));
        let (first, rest) = match (schema.get("prefixItems"), schema.get("items")) {
            (Some(Value::Array(first)), rest) => (first, rest),
            (_, Some(Value::Array(first))) => (first, schema.get("additionalItems")),
            (_, items) => {
                let item = items.map_or(Type::Any, |items| self.read(items));
                return Type::List(Box::new(ListType { item, length, unique }));
            }
        };
        let shown = length.max.map_or(first.len(), |max| first.len().min(usize::try_from(max).unwrap_or(usize::MAX)));
        let items = first.iter().take(shown).map(|item| self.read(item)).collect::<Vec<_>>();
        let whole = u64::try_from(items.len()).ok();
        let closed = rest == Some(&Value::Bool(false)) || length.max == whole;
        // A shorter array is accepted too unless the schema says how many there are.
        self.exact &= closed && length.min == whole;
        let rest = rest.filter(|_| !closed).map(|rest| Box::new(self.read(rest)));
        let tuple = Type::Tuple(items, rest);
        if unique || length.min > whole { self.partly(tuple) } else { tuple }
    }

    fn read_object(&mut self, schema: &Map<String, Value>) -> Type {
        let empty = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let required = required_names(schema);
        let mut fields = Vec::with_capacity(properties.len());
        for (name, property) in properties {
            let is_required = required.contains(&name.as_str());
            if property == &Value::Bool(false) && !is_required {
                self.exact = false;
                continue;
            }
            fields.push(self.field(name, property, is_required));
        }
        let extra = schema.get("additionalProperties").or_else(|| schema.get("unevaluatedProperties"));
        let closed = extra == Some(&Value::Bool(false));
        for name in required.iter().filter(|name| !properties.contains_key(**name)) {
            let kind = extra.map_or(Type::Any, |extra| self.read(extra));
            fields.push(Field { name: (*name).to_owned(), required: true, kind, default: None, note: String::new() });
        }
        let (other, lossy) = self.read_other_names(schema, extra, fields.is_empty());
        let least = schema.get("minProperties").and_then(Value::as_u64).unwrap_or(0);
        let most = schema.get("maxProperties").and_then(Value::as_u64).unwrap_or(u64::MAX);
        let surely = fields.iter().filter(|field| field.required).count() as u64;
        let at_most = if other.is_some() { u64::MAX } else { fields.len() as u64 };
        let object = Type::Object(Box::new(ObjectType { fields, other, closed }));
        if lossy || least > surely || most < at_most { self.partly(object) } else { object }
    }

    /// What fields of unnamed names hold, and whether the schema says more of them than can be told.
    fn read_other_names(
        &mut self,
        schema: &Map<String, Value>,
        extra: Option<&Value>,
        no_fields: bool,
    ) -> (Option<(KeyType, Type)>, bool) {
        let patterns = schema.get("patternProperties").and_then(Value::as_object).filter(|map| !map.is_empty());
        if let Some(patterns) = patterns {
            let mut each = patterns.iter();
            let (Some((pattern, value)), None) = (each.next(), each.next()) else { return (None, true) };
            let text = TextType { pattern: Some(pattern.clone()), ..TextType::default() };
            let kind = self.read(value);
            self.exact &= extra == Some(&Value::Bool(false));
            return (Some((KeyType::Of(Type::Text(text)), kind)), schema.contains_key("propertyNames"));
        }
        let kind = match extra {
            Some(Value::Bool(false)) => return (None, false),
            None if !no_fields => return (None, false),
            None => Type::Any,
            Some(extra) => self.read(extra),
        };
        let key = match schema.get("propertyNames") {
            None => KeyType::Any,
            Some(names) => {
                let names = match names.as_object() {
                    Some(names) if !names.contains_key("type") => {
                        let mut typed = names.clone();
                        typed.insert("type".into(), "string".into());
                        self.read(&Value::Object(typed))
                    }
                    _ => self.read(names),
                };
                if names == Type::Text(TextType::default()) { KeyType::Any } else { KeyType::Of(names) }
            }
        };
        (Some((key, kind)), false)
    }

    /// What a schema says to people: description, examples, whether it is out of use.
    fn note(&mut self, name: &str, schema: &Value) -> String {
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|reference| self.resolve(reference));
        let said = |key: &str| schema.get(key).or_else(|| target?.get(key));
        note(name, said)
    }
}

/// A branch that is only a reference is merged with its base after following it, which `merged` does not do.
fn is_circle_free(branch: &Value) -> bool {
    branch.get("$ref").is_none()
}

fn percent_decoded(pointer: &str) -> String {
    if pointer.contains('%') {
        pointer.replace("%24", "$").replace("%20", " ").replace("%25", "%")
    } else {
        pointer.to_owned()
    }
}
