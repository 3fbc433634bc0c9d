//! The grammar of signatures and describes, read into the JSON Schema that a reader of the text has in mind.

use serde_json::{Map, Value, json};

/// Reads `server/name(parameters)`. A caller who has nothing but the signature writes what is named in it and nothing else, so
/// its objects are closed.
pub fn signature(text: &str) -> Value {
    let open = text.find('(').expect("a signature has parameters");
    let mut reader = Reader { rest: &text[open + 1..], sealed: true };
    let object = reader.fields(Layout::Line, ")");
    assert_eq!(reader.rest, "", "{text}");
    object.schema(true)
}

/// Reads a whole describe: the contract is its last block.
pub fn describe(text: &str) -> Value {
    let (_, contract) = text.rsplit_once("\n\n").expect("a describe ends in a contract");
    match contract.strip_prefix("schema ") {
        Some(whole) => serde_json::from_str(whole).expect("a whole schema is JSON"),
        None => read_contract(contract),
    }
}

fn read_contract(contract: &str) -> Value {
    let mut sealed = contract.lines().any(|line| line == "no other keys");
    let mut object = Object::default();
    let mut definitions = Vec::new();
    let mut rest = contract;
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix("#/") {
            let (line, next) = tail.split_once('\n').unwrap_or((tail, ""));
            let (pointer, schema) = line.split_once(" = ").expect("a definition has a schema");
            definitions.push((pointer.to_owned(), serde_json::from_str(schema).expect("a definition is JSON")));
            rest = next;
            continue;
        }
        let (line, next) = rest.split_once('\n').unwrap_or((rest, ""));
        match line {
            "no arguments" => rest = next,
            "no arguments at all" => {
                sealed = true;
                rest = next;
            }
            "no other keys" => rest = next,
            _ => {
                let mut reader = Reader { rest, sealed };
                reader.part(&mut object);
                reader.note();
                assert!(reader.rest.is_empty() || reader.take("\n"), "a line ends before {:?}", reader.rest);
                rest = reader.rest;
            }
        }
    }
    let mut schema = object.schema(sealed);
    for (pointer, definition) in definitions {
        define(&mut schema, &pointer, definition);
    }
    schema
}

/// Puts a definition where references look for it.
fn define(schema: &mut Value, pointer: &str, definition: Value) {
    let mut place = schema;
    for name in pointer.split('/') {
        let name = name.replace("%24", "$").replace("%20", " ").replace("~1", "/").replace("~0", "~");
        let Value::Object(map) = place else { panic!("no place for {pointer}") };
        place = map.entry(name).or_insert_with(|| json!({}));
    }
    *place = definition;
}

/// How the parts of an object are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Line,
    Lines,
}

#[derive(Debug, Default)]
struct Object {
    properties: Map<String, Value>,
    required: Vec<Value>,
    other: Option<(Option<Value>, Value)>,
    open: bool,
}

impl Object {
    fn schema(self, sealed: bool) -> Value {
        let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        let named: Vec<Value> = self.properties.keys().map(|name| json!(name)).collect();
        if !self.properties.is_empty() {
            schema.insert("properties".into(), Value::Object(self.properties));
        }
        if !self.required.is_empty() {
            schema.insert("required".into(), Value::Array(self.required));
        }
        match self.other {
            Some((key, value)) => {
                if let Some(key) = key {
                    schema.insert("propertyNames".into(), json!({ "anyOf": [{ "enum": named }, key] }));
                    if schema["propertyNames"]["anyOf"][0]["enum"].as_array().is_some_and(Vec::is_empty) {
                        schema["propertyNames"] = schema["propertyNames"]["anyOf"][1].take();
                    }
                }
                schema.insert("additionalProperties".into(), value);
            }
            None if sealed && !self.open => {
                schema.insert("additionalProperties".into(), json!(false));
            }
            None => {}
        }
        Value::Object(schema)
    }
}

struct Reader<'a> {
    rest: &'a str,
    sealed: bool,
}

impl Reader<'_> {
    fn take(&mut self, token: &str) -> bool {
        self.rest.strip_prefix(token).map(|rest| self.rest = rest).is_some()
    }

    fn expect(&mut self, token: &str) {
        assert!(self.take(token), "expected {token:?} before {:?}", self.rest);
    }

    fn fields(&mut self, layout: Layout, close: &str) -> Object {
        let mut object = Object::default();
        let mut first = true;
        loop {
            if layout == Layout::Lines {
                self.rest = self.rest.trim_start_matches(['\n', ' ']);
            }
            if self.take(close) {
                return object;
            }
            if layout == Layout::Line && !first {
                self.expect(", ");
            }
            first = false;
            self.part(&mut object);
            if layout == Layout::Lines {
                self.note();
                assert!(self.rest.starts_with('\n'), "a line ends before {:?}", self.rest);
            }
        }
    }

    /// A named field, what other names hold, or that there may be others.
    fn part(&mut self, object: &mut Object) {
        if self.take("...") {
            object.open = true;
        } else if self.take("[") {
            let key = (!self.take("key]: ")).then(|| {
                let key = self.kind();
                self.expect("]: ");
                key
            });
            object.other = Some((key, self.kind()));
        } else {
            let name =
                if self.rest.starts_with('"') { self.literal().as_str().unwrap().to_owned() } else { self.word() };
            if !self.take("?") {
                object.required.push(json!(name));
            }
            self.expect(": ");
            let kind = if self.take("schema ") { self.literal() } else { self.kind() };
            if self.take(" = ") {
                self.literal();
            }
            assert!(object.properties.insert(name.clone(), kind).is_none(), "{name} twice");
        }
    }

    fn note(&mut self) {
        if self.take(" // ") {
            self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..];
        }
    }

    fn word(&mut self) -> String {
        let end =
            self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_$-".contains(c))).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        assert!(!word.is_empty(), "a word before {rest:?}");
        word.to_owned()
    }

    fn literal(&mut self) -> Value {
        // Words and numbers end where the grammar goes on; the streaming reader wants white space there.
        for (word, value) in [("true", json!(true)), ("false", json!(false)), ("null", Value::Null)] {
            if self.take(word) {
                return value;
            }
        }
        if self.rest.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return self.number();
        }
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        let value = values.next().expect("a value").expect("JSON");
        let end = values.byte_offset();
        self.rest = &self.rest[end..];
        value
    }

    fn number(&mut self) -> Value {
        let end = self.rest.find(|c: char| !(c.is_ascii_digit() || "+-eE.".contains(c))).unwrap_or(self.rest.len());
        let text = &self.rest[..end];
        let text = text.find("..").map_or(text, |dots| &text[..dots]);
        self.rest = &self.rest[text.len()..];
        serde_json::from_str(text).expect("a number")
    }

    fn kind(&mut self) -> Value {
        let mut members = vec![self.member()];
        while self.take("|") {
            members.push(self.member());
        }
        if members.len() == 1 { members.remove(0) } else { json!({ "anyOf": members }) }
    }

    fn member(&mut self) -> Value {
        let mut kind = self.base();
        loop {
            let mut list = Map::from_iter([("type".to_owned(), json!("array"))]);
            if self.take("[]") {
                // any number of them
            } else if self.rest.starts_with('[') && self.rest[1..].starts_with(|c: char| c.is_ascii_digit() || c == '.')
            {
                self.expect("[");
                self.span(&mut list, "minItems", "maxItems");
                self.expect("]");
            } else {
                return kind;
            }
            if self.take(" unique") {
                list.insert("uniqueItems".into(), json!(true));
            }
            list.insert("items".into(), kind);
            kind = Value::Object(list);
        }
    }

    /// `1..10`, `..10`, `1..`, `3`.
    fn span(&mut self, schema: &mut Map<String, Value>, min: &str, max: &str) {
        let least = self.count();
        let most = if self.take("..") { self.count() } else { least };
        least.into_iter().for_each(|count| drop(schema.insert(min.into(), json!(count))));
        most.into_iter().for_each(|count| drop(schema.insert(max.into(), json!(count))));
    }

    fn count(&mut self) -> Option<u64> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).expect("a count ends");
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.parse().ok()
    }

    fn base(&mut self) -> Value {
        if self.take("(") {
            let kind = self.kind();
            self.expect(")");
            return kind;
        }
        // An open object without fields is written `object`.
        if self.take("{}") {
            return json!({ "type": "object", "maxProperties": 0 });
        }
        if self.is_json_object() {
            return json!({ "const": self.literal() });
        }
        if self.take("{") {
            let layout = if self.rest.starts_with('\n') { Layout::Lines } else { Layout::Line };
            let sealed = self.sealed;
            return self.fields(layout, "}").schema(sealed);
        }
        if self.rest.starts_with('[') {
            // A constant has no space behind its commas.
            let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
            if let Some(Ok(value)) = values.next()
                && self.take(&value.to_string())
            {
                return json!({ "const": value });
            }
            self.expect("[");
            return self.tuple();
        }
        if self.rest.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
            return json!({ "const": self.literal() });
        }
        match self.word().as_str() {
            "any" => json!({}),
            "never" => json!(false),
            "true" => json!({ "const": true }),
            "false" => json!({ "const": false }),
            word @ ("object" | "null" | "boolean") => json!({ "type": word }),
            word @ ("integer" | "number") => self.range(word),
            word => self.text(word),
        }
    }

    /// JSON has no space behind the colon, a type has.
    fn is_json_object(&self) -> bool {
        let Some(name) = self.rest.strip_prefix('{').filter(|rest| rest.starts_with('"')) else { return false };
        let mut names = serde_json::Deserializer::from_str(name).into_iter::<String>();
        let end = matches!(names.next(), Some(Ok(_))).then(|| names.byte_offset());
        end.is_some_and(|end| name[end..].starts_with(':') && !name[end..].starts_with(": "))
    }

    fn tuple(&mut self) -> Value {
        let mut items = Vec::new();
        let mut schema = Map::from_iter([("type".to_owned(), json!("array"))]);
        let mut rest = json!(false);
        while !self.take("]") {
            if !items.is_empty() {
                self.expect(", ");
            }
            if self.take("...") {
                let Value::Object(mut list) = self.member() else { panic!("a rest is a list") };
                let count = items.len() as u64;
                rest = list.remove("items").expect("a rest has items");
                for keyword in ["minItems", "maxItems"] {
                    if let Some(length) = list.get(keyword).and_then(Value::as_u64) {
                        schema.insert(keyword.into(), json!(length + count));
                    }
                }
            } else {
                items.push(self.kind());
            }
        }
        schema.entry("minItems").or_insert_with(|| json!(items.len()));
        schema.insert("prefixItems".into(), Value::Array(items));
        schema.insert("items".into(), rest);
        Value::Object(schema)
    }

    fn range(&mut self, word: &str) -> Value {
        let mut schema = Map::from_iter([("type".to_owned(), json!(word))]);
        while self.rest.starts_with(' ') && ![" =", " //", " unique"].iter().any(|next| self.rest.starts_with(next)) {
            self.expect(" ");
            if self.take(">") {
                let keyword = if self.take("=") { "minimum" } else { "exclusiveMinimum" };
                schema.insert(keyword.into(), self.number());
            } else if self.take("<") {
                let keyword = if self.take("=") { "maximum" } else { "exclusiveMaximum" };
                schema.insert(keyword.into(), self.number());
            } else if self.take("%") {
                schema.insert("multipleOf".into(), self.number());
            } else {
                if !self.rest.starts_with("..") {
                    schema.insert("minimum".into(), self.number());
                }
                self.expect("..");
                if self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
                    schema.insert("maximum".into(), self.number());
                }
            }
        }
        Value::Object(schema)
    }

    fn text(&mut self, word: &str) -> Value {
        let mut schema = Map::from_iter([("type".to_owned(), json!("string"))]);
        if word != "string" {
            assert!(super::strings::FORMATS.contains(&word), "{word} is no type");
            schema.insert("format".into(), json!(word));
        }
        if self.take("(") {
            self.span(&mut schema, "minLength", "maxLength");
            self.expect(")");
        }
        if !self.rest.starts_with(" //") && self.take(" /") {
            let mut pattern = String::new();
            let mut escaped = false;
            let mut characters = self.rest.char_indices();
            let end = loop {
                let (at, character) = characters.next().expect("the pattern ends");
                if character == '/' && !escaped {
                    break at + 1;
                }
                pattern.push(character);
                escaped = character == '\\' && !escaped;
            };
            self.rest = &self.rest[end..];
            schema.insert("pattern".into(), json!(pattern));
        }
        Value::Object(schema)
    }
}
