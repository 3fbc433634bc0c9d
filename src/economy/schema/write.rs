//! How each type is written: TypeScript-like, because models read that best and it costs a fraction of JSON Schema.

use std::fmt::Write;

use serde_json::Value;

use super::kind::{Field, KeyType, ListType, NumberType, ObjectType, Span, TextType, Type};
use crate::economy::clean;

/// How much of a type is written out.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Objects nested deeper than this are written `{…}`.
    pub depth: usize,
    /// Most values of one enumeration; the number of the others follows as `…+12`.
    pub values: usize,
    /// Longest default in bytes of JSON; longer ones are left out, which costs no caller anything.
    pub default_bytes: usize,
    /// Longest regular expression in bytes; a longer one is `/…/`.
    pub pattern_bytes: usize,
    /// Whether `...` is written in objects that take further names: for where the others are said to take none.
    pub marks_open: bool,
    /// Nested fields with a note get a line of their own, with the note behind it.
    pub notes: bool,
}

impl Style {
    /// Everything, in lines.
    #[must_use]
    pub const fn whole(marks_open: bool) -> Self {
        let all = usize::MAX;
        Self { depth: all, values: all, default_bytes: all, pattern_bytes: all, marks_open, notes: true }
    }
}

/// Writes types, and remembers whether anything was left out.
#[derive(Debug)]
pub struct Writer {
    /// What was written.
    pub text: String,
    /// Nothing a caller needs was left out.
    pub complete: bool,
    style: Style,
    /// Writing stops soon after this many bytes: the result is thrown away then.
    limit: usize,
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub const fn new(style: Style, limit: usize) -> Self {
        Self { text: String::new(), complete: true, style, limit }
    }

    /// Whether more was written than allowed.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.text.len() > self.limit
    }

    /// Writes that something is left out here.
    pub fn cut(&mut self) {
        self.text.push('…');
        self.complete = false;
    }

    /// Writes `name?: type = default`.
    pub fn field(&mut self, field: &Field, depth: usize) {
        self.name(&field.name);
        self.text.push_str(if field.required { ": " } else { "?: " });
        match &field.kind {
            // `null` as the default of an optional field only says "not given", which leaving it out says too.
            Type::Union(members) if !self.style.notes && !field.required && field.default == Some(Value::Null) => {
                self.union(members.iter().filter(|member| **member != Type::Null), depth);
            }
            kind => self.kind(kind, depth),
        }
        let Some(default) = field.default.as_ref().filter(|default| !default.is_null()) else { return };
        let shown = json(default);
        if shown.len() <= self.style.default_bytes {
            self.text.push_str(" = ");
            self.text.push_str(&shown);
        }
    }

    /// Writes a type. `depth` is the number of objects around it.
    pub fn kind(&mut self, kind: &Type, depth: usize) {
        if self.is_over() {
            self.complete = false;
            return;
        }
        match kind {
            Type::Any => self.text.push_str("any"),
            Type::Never => self.text.push_str("never"),
            Type::Null => self.text.push_str("null"),
            Type::Boolean => self.text.push_str("boolean"),
            Type::Cut => self.cut(),
            Type::Partly(inner) => {
                self.bracketed(inner, depth);
                self.cut();
            }
            Type::Number(number) => self.number(number),
            Type::Text(text) => self.string(text),
            Type::Literals(values) => self.literals(values),
            Type::List(list) => self.list(list, depth),
            Type::Tuple(items, rest) => self.tuple(items, rest.as_deref(), depth),
            Type::Object(object) => self.object(object, depth),
            Type::Union(members) => self.union(members.iter(), depth),
        }
    }

    fn union<'m>(&mut self, members: impl Iterator<Item = &'m Type>, depth: usize) {
        for (at, member) in members.enumerate() {
            if at > 0 {
                self.text.push('|');
            }
            self.kind(member, depth);
        }
    }

    /// Writes a name, quoted where it is no identifier.
    pub fn name(&mut self, name: &str) {
        let plain = !name.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '-'));
        if plain {
            self.text.push_str(name);
        } else {
            self.text.push_str(&json(&Value::from(name)));
        }
    }

    fn number(&mut self, number: &NumberType) {
        self.text.push_str(if number.integer { "integer" } else { "number" });
        // Writing to a String cannot fail.
        let _ = match (&number.min, &number.max) {
            (None, None) => Ok(()),
            (Some((min, false)), Some((max, false))) => write!(self.text, " {min}..{max}"),
            (Some((min, false)), None) => write!(self.text, " {min}.."),
            (None, Some((max, false))) => write!(self.text, " ..{max}"),
            (min, max) => {
                for (bound, sign) in [(min, '>'), (max, '<')] {
                    if let Some((value, excluded)) = bound {
                        let _ = write!(self.text, " {sign}{}{value}", if *excluded { "" } else { "=" });
                    }
                }
                Ok(())
            }
        };
        if let Some(factor) = &number.multiple_of {
            let _ = write!(self.text, " %{factor}");
        }
    }

    fn string(&mut self, text: &TextType) {
        self.text.push_str(text.format.as_deref().unwrap_or("string"));
        self.span(text.length, '(', ')');
        if let Some(pattern) = &text.pattern {
            if pattern.len() <= self.style.pattern_bytes {
                self.text.push_str(" /");
                self.text.push_str(&slashes_escaped(pattern));
                self.text.push('/');
            } else {
                self.text.push_str(" /");
                self.cut();
                self.text.push('/');
            }
        }
    }

    fn span(&mut self, span: Span, open: char, close: char) {
        if span == Span::default() {
            return;
        }
        let shown = |bound: Option<u64>| bound.map(|count| count.to_string()).unwrap_or_default();
        self.text.push(open);
        if span.min == span.max {
            self.text.push_str(&shown(span.min));
        } else {
            let _ = write!(self.text, "{}..{}", shown(span.min), shown(span.max));
        }
        self.text.push(close);
    }

    fn literals(&mut self, values: &[Value]) {
        // Naming one more costs what the count costs.
        let shown = if values.len() <= self.style.values.saturating_add(1) { values.len() } else { self.style.values };
        for (at, value) in values.iter().take(shown).enumerate() {
            if at > 0 {
                self.text.push('|');
            }
            self.text.push_str(&json(value));
            if self.is_over() {
                self.complete = false;
                return;
            }
        }
        if shown < values.len() {
            self.text.push('|');
            self.cut();
            let _ = write!(self.text, "+{}", values.len() - shown);
        }
    }

    fn list(&mut self, list: &ListType, depth: usize) {
        self.bracketed(&list.item, depth);
        self.text.push_str(if list.length == Span::default() { "[]" } else { "" });
        self.span(list.length, '[', ']');
        if list.unique {
            self.text.push_str(" unique");
        }
    }

    /// Writes a type so that what follows belongs to all of it.
    fn bracketed(&mut self, kind: &Type, depth: usize) {
        let loose = match kind {
            Type::Union(members) => members.len() != 1,
            Type::Literals(values) => values.len() != 1,
            Type::Number(number) => number.min.is_some() || number.max.is_some() || number.multiple_of.is_some(),
            Type::Text(text) => text.pattern.is_some(),
            Type::List(list) => list.unique,
            _ => false,
        };
        if loose {
            self.text.push('(');
        }
        self.kind(kind, depth);
        if loose {
            self.text.push(')');
        }
    }

    fn tuple(&mut self, items: &[Type], rest: Option<&ListType>, depth: usize) {
        self.text.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.text.push_str(", ");
            }
            self.kind(item, depth);
        }
        if let Some(rest) = rest {
            self.text.push_str(if items.is_empty() { "..." } else { ", ..." });
            self.list(rest, depth);
        }
        self.text.push(']');
    }

    /// Writes `[key]: T`: what fields of other names hold.
    pub fn other_names(&mut self, key: &KeyType, kind: &Type, depth: usize) {
        self.text.push('[');
        match key {
            KeyType::Any => self.text.push_str("key"),
            KeyType::Of(key) => self.kind(key, depth),
        }
        self.text.push_str("]: ");
        self.kind(kind, depth);
    }

    fn object(&mut self, object: &ObjectType, depth: usize) {
        let takes_anything_else = object.takes_anything_else();
        if object.fields.is_empty() && takes_anything_else {
            self.text.push_str("object");
            return;
        }
        let other = object.other.as_ref().filter(|_| !takes_anything_else);
        if depth >= self.style.depth && !(object.fields.is_empty() && other.is_none()) {
            self.text.push('{');
            self.cut();
            self.text.push('}');
            return;
        }
        let tall = self.style.notes && object.fields.iter().any(|field| !field.note.is_empty());
        let indent = "  ".repeat(depth + 1);
        self.text.push('{');
        for (at, field) in object.fields.iter().enumerate() {
            if tall {
                let _ = write!(self.text, "\n{indent}");
            } else if at > 0 {
                self.text.push_str(", ");
            }
            self.field(field, depth + 1);
            if tall && !field.note.is_empty() {
                let _ = write!(self.text, " // {}", field.note);
            }
        }
        let marked = takes_anything_else && self.style.marks_open;
        if other.is_some() || marked {
            match (tall, object.fields.is_empty()) {
                (true, _) => drop(write!(self.text, "\n{indent}")),
                (false, false) => self.text.push_str(", "),
                (false, true) => {}
            }
        }
        if let Some((key, kind)) = other {
            self.other_names(key, kind, depth + 1);
        }
        if marked {
            self.text.push_str("...");
        }
        if tall {
            let _ = write!(self.text, "\n{}", "  ".repeat(depth));
        }
        self.text.push('}');
    }
}

/// Compact JSON in which characters that nobody sees are escapes.
#[must_use]
pub fn json(value: &Value) -> String {
    // An ellipsis is ours: it says that a signature is not complete.
    let is_escaped = |character: char| clean::is_hidden(character) || character == '…';
    let plain = value.to_string();
    if !plain.contains(is_escaped) {
        return plain;
    }
    let mut out = String::with_capacity(plain.len() + 16);
    for character in plain.chars() {
        if is_escaped(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    out
}

/// A regular expression that can stand between slashes.
fn slashes_escaped(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut escaped = false;
    for character in pattern.chars() {
        match character {
            '/' if !escaped => out.push_str("\\/"),
            _ if clean::is_hidden(character) || matches!(character, '\n' | '…') => {
                // A backslash before it would take the escape apart.
                if escaped {
                    out.pop();
                }
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            _ => out.push(character),
        }
        escaped = character == '\\' && !escaped;
    }
    out
}
