//! Reads a JSON Schema (draft 4 to 2020-12) as a [`Type`].
//!
//! Two promises. What the type accepts, the schema accepts, unless the type holds [`Type::Cut`] or [`Type::Partly`], which are
//! shown as `…`. And a reading is `exact` where the type says everything the schema says of arguments. Bounds at the edge of
//! JSON's safe integers count as nothing said. A keyword that nobody here knows is never passed over: it makes both `…` and inexact.

use serde_json::{Map, Value};

use super::{
    kind::{Field, ListType, Span, Type},
    leaf::{Said, Wholeness, listed_values, read_number, read_text, read_values, span},
    merge::is_annotation,
    note::note,
};

/// Deepest nesting followed. The deepest real schema has 24 levels.
const MAX_DEPTH: usize = 40;

/// Keywords that the reading below takes into account wherever they stand.
fn is_understood(keyword: &str) -> bool {
    matches!(
        keyword,
        "type"
            | "properties"
            | "required"
            | "additionalProperties"
            | "items"
            | "enum"
            | "anyOf"
            | "minimum"
            | "maximum"
            | "format"
            | "pattern"
            | "minLength"
            | "maxLength"
            | "const"
            | "$ref"
            | "oneOf"
            | "allOf"
            | "minItems"
            | "maxItems"
            | "uniqueItems"
            | "exclusiveMinimum"
            | "exclusiveMaximum"
            | "multipleOf"
            | "propertyNames"
            | "patternProperties"
            | "minProperties"
            | "maxProperties"
            | "prefixItems"
            | "additionalItems"
            | "unevaluatedProperties"
    )
}

/// Reads the types of one schema document.
#[derive(Debug)]
pub struct Reader<'a> {
    pub(super) root: &'a Value,
    /// References being followed, to notice circles.
    pub(super) following: Vec<String>,
    depth: usize,
    /// Schemas that may still be visited, against schemas that multiply by their references.
    nodes: usize,
    pub(super) notes: bool,
    /// Whether the types read since this was last set say everything.
    pub exact: bool,
    /// Whether one of them takes less than its schema does, so that it says nothing about what the schema rejects.
    pub(super) narrowed: bool,
}

impl<'a> Reader<'a> {
    /// Reads at most `nodes` sub-schemas of `root`; with `notes`, descriptions too.
    #[must_use]
    pub const fn new(root: &'a Value, nodes: usize, notes: bool) -> Self {
        Self { root, following: Vec::new(), depth: 0, nodes, notes, exact: true, narrowed: false }
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
        let note = if self.notes { note(name, schema, self.root) } else { String::new() };
        Field { name: name.to_owned(), required, kind, default, note }
    }

    pub(super) fn lost(&mut self, kind: Type) -> Type {
        self.exact = false;
        kind
    }

    /// Notes that a type takes less than its schema.
    pub(super) const fn narrow(&mut self) {
        self.exact = false;
        self.narrowed = true;
    }

    pub(super) fn partly(&mut self, kind: Type) -> Type {
        self.lost(match kind {
            Type::Any | Type::Cut => Type::Cut,
            Type::Partly(_) => kind,
            other => Type::Partly(Box::new(other)),
        })
    }

    fn read_object_schema(&mut self, schema: &Map<String, Value>) -> Type {
        // A schema with a name of its own is a document of its own: its references start elsewhere.
        let is_root = self.root.as_object().is_some_and(|root| std::ptr::eq(root, schema));
        if !is_root && ["$id", "id"].iter().any(|name| schema.get(*name).is_some_and(Value::is_string)) {
            return self.lost(Type::Cut);
        }
        if let Some(reference) = schema.get("$ref") {
            return self.read_reference(reference, schema);
        }
        if let Some(Value::Array(parts)) = schema.get("allOf") {
            return self.read_all_of(schema, parts);
        }
        let unsaid = schema
            .keys()
            .any(|keyword| !is_understood(keyword) && !is_annotation(keyword) && !is_idle(keyword, schema));
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
                match members.len() {
                    0 => self.lost(Type::Cut),
                    1 => members.swap_remove(0),
                    _ => Type::Union(members),
                }
            }
            Some(_) => self.lost(Type::Cut),
            None => self.read_untyped(schema),
        }
    }

    /// A schema that names no type: the one its keywords speak of, which accepts less than the schema does.
    fn read_untyped(&mut self, schema: &Map<String, Value>) -> Type {
        let has = |keywords: &[&str]| keywords.iter().any(|keyword| schema.contains_key(*keyword));
        let kind = if has(&[
            "properties",
            "required",
            "additionalProperties",
            "unevaluatedProperties",
            "patternProperties",
            "propertyNames",
            "minProperties",
            "maxProperties",
        ]) {
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
        self.narrow();
        self.read_kind(kind, schema)
    }

    fn read_kind(&mut self, kind: &str, schema: &Map<String, Value>) -> Type {
        // Keywords of another kind of value do nothing, but whoever wrote them meant something by them.
        let strays = match kind {
            "object" => schema.contains_key("items") || schema.contains_key("prefixItems"),
            _ => schema.contains_key("properties"),
        };
        if strays && !schema.get("type").is_some_and(Value::is_array) {
            let kind = self.read_one_kind(kind, schema);
            return self.partly(kind);
        }
        self.read_one_kind(kind, schema)
    }

    fn read_one_kind(&mut self, kind: &str, schema: &Map<String, Value>) -> Type {
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
        let whole = items.len() as u64;
        let closed = rest == Some(&Value::Bool(false)) || length.max == Some(whole);
        if length.min.unwrap_or(0) < whole || (rest.is_none() && !closed) {
            // A shorter array is accepted too unless the schema says how many there are; so is what stands behind.
            self.narrow();
        }
        let rest = rest.filter(|_| !closed).map(|rest| {
            let beyond = |count: u64| count.saturating_sub(whole);
            let length = Span { min: length.min.map(beyond).filter(|&least| least > 0), max: length.max.map(beyond) };
            Box::new(ListType { item: self.read(rest), length, unique: false })
        });
        let too_short = length.min > Some(whole) && rest.is_none();
        let tuple = Type::Tuple(items, rest);
        if unique || too_short { self.partly(tuple) } else { tuple }
    }
}

/// Whether a keyword that is not understood has no effect here.
fn is_idle(keyword: &str, schema: &Map<String, Value>) -> bool {
    match keyword {
        "then" | "else" => !schema.contains_key("if"),
        "minContains" | "maxContains" => !schema.contains_key("contains"),
        "dependencies" | "dependentRequired" | "dependentSchemas" => {
            schema.get(keyword).and_then(Value::as_object).is_some_and(Map::is_empty)
        }
        _ => false,
    }
}
