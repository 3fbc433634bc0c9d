//! The other half of the promise: reads a signature back, knowing nothing of the schema. `writing` makes arguments of it.

use serde_json::{Number, Value, json};

use crate::economy::schema::kind::{Field, KeyType, ListType, NumberType, ObjectType, Span, TextType, Type};

/// Reads `server/name(parameters)` as the object type of its parameters.
pub fn parse(signature: &str) -> ObjectType {
    let open = signature.find('(').expect("a signature has parameters");
    let mut parser = Parser { rest: &signature[open + 1..] };
    let object = parser.fields(')');
    assert_eq!(parser.rest, "", "{signature}");
    object
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn take(&mut self, token: &str) -> bool {
        self.rest.strip_prefix(token).map(|rest| self.rest = rest).is_some()
    }

    fn expect(&mut self, token: &str) {
        assert!(self.take(token), "expected {token:?} before {:?}", self.rest);
    }

    fn fields(&mut self, close: char) -> ObjectType {
        let close = close.to_string();
        let mut object = ObjectType::default();
        while !self.take(&close) {
            if !object.fields.is_empty() {
                self.expect(", ");
            }
            if self.take("[") {
                let key = if self.take("key]: ") {
                    KeyType::Any
                } else {
                    let kind = self.kind();
                    self.expect("]: ");
                    KeyType::Of(kind)
                };
                object.other = Some((key, self.kind()));
                continue;
            }
            let name =
                if self.rest.starts_with('"') { self.literal().as_str().unwrap().to_owned() } else { self.word() };
            let required = !self.take("?");
            self.expect(": ");
            let kind = self.kind();
            let default = self.take(" = ").then(|| self.literal());
            object.fields.push(Field { name, required, kind, default, note: String::new() });
        }
        object
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
            return Value::Number(self.number());
        }
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        let value = values.next().expect("a value").expect("JSON");
        let end = values.byte_offset();
        self.rest = &self.rest[end..];
        value
    }

    fn number(&mut self) -> Number {
        let end = self.rest.find(|c: char| !(c.is_ascii_digit() || "+-eE.".contains(c))).unwrap_or(self.rest.len());
        let text = &self.rest[..end];
        let text = text.find("..").map_or(text, |dots| &text[..dots]);
        self.rest = &self.rest[text.len()..];
        text.parse().expect("a number")
    }

    fn kind(&mut self) -> Type {
        let mut members = vec![self.member()];
        while self.take("|") {
            members.push(self.member());
        }
        if members.len() == 1 { members.remove(0) } else { Type::Union(members) }
    }

    fn member(&mut self) -> Type {
        let mut kind = self.base();
        loop {
            let length = if self.take("[]") {
                Span::default()
            } else if self.rest.starts_with('[') && self.rest[1..].starts_with(|c: char| c.is_ascii_digit() || c == '.')
            {
                self.expect("[");
                let span = self.span();
                self.expect("]");
                span
            } else {
                return kind;
            };
            let unique = self.take(" unique");
            kind = Type::List(Box::new(ListType { item: kind, length, unique }));
        }
    }

    fn span(&mut self) -> Span {
        let mut count = || {
            let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap();
            let (digits, rest) = self.rest.split_at(end);
            self.rest = rest;
            digits.parse().ok()
        };
        let min = count();
        if self.take("..") {
            let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap();
            let max = self.rest[..end].parse().ok();
            self.rest = &self.rest[end..];
            Span { min, max }
        } else {
            Span { min, max: min }
        }
    }

    fn base(&mut self) -> Type {
        if self.take("(") {
            let kind = self.kind();
            self.expect(")");
            return kind;
        }
        if self.take("{") {
            return Type::Object(Box::new(self.fields('}')));
        }
        if self.take("[") {
            let (mut items, mut rest) = (Vec::new(), None);
            while !self.take("]") {
                if !items.is_empty() {
                    self.expect(", ");
                }
                if self.take("...") {
                    let Type::List(list) = self.member() else { panic!("a rest is a list") };
                    rest = Some(Box::new(list.item));
                } else {
                    items.push(self.kind());
                }
            }
            return Type::Tuple(items, rest);
        }
        if self.rest.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit() || c == '{') {
            return Type::Literals(vec![self.literal()]);
        }
        match self.word().as_str() {
            "any" => Type::Any,
            "never" => Type::Never,
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "true" => Type::Literals(vec![json!(true)]),
            "false" => Type::Literals(vec![json!(false)]),
            "object" => {
                Type::Object(Box::new(ObjectType { other: Some((KeyType::Any, Type::Any)), ..ObjectType::default() }))
            }
            word @ ("integer" | "number") => Type::Number(self.range(word == "integer")),
            word => Type::Text(self.text(word)),
        }
    }

    fn range(&mut self, integer: bool) -> NumberType {
        let mut number = NumberType { integer, ..NumberType::default() };
        while self.rest.starts_with(' ') && !self.rest.starts_with(" =") {
            self.expect(" ");
            if self.take(">") {
                let excluded = !self.take("=");
                number.min = Some((self.number(), excluded));
            } else if self.take("<") {
                let excluded = !self.take("=");
                number.max = Some((self.number(), excluded));
            } else if self.take("%") {
                number.multiple_of = Some(self.number());
            } else {
                if !self.rest.starts_with("..") {
                    number.min = Some((self.number(), false));
                }
                self.expect("..");
                if self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
                    number.max = Some((self.number(), false));
                }
            }
        }
        number
    }

    fn text(&mut self, word: &str) -> TextType {
        let format = (word != "string").then(|| word.to_owned());
        let mut text = TextType { format, ..TextType::default() };
        if self.take("(") {
            text.length = self.span();
            self.expect(")");
        }
        if self.take(" /") {
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
            text.pattern = Some(pattern);
        }
        text
    }
}
