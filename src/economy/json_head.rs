//! The useful head of a large JSON text: its shape, the size of each array, and as many first items and fields as fit.
//!
//! Reads the text once and builds only what may be shown; what is skipped is counted, not kept.

use std::fmt::{self, Write};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::{schema::write::json, tokens};

/// Most values kept of one text; the rest is only counted. Several times what the largest budget can show.
const MAX_NODES: usize = 40_000;

/// Most items kept of one array, and most characters of one string.
const MAX_ITEMS: usize = 200;
const MAX_STRING_CHARS: usize = 4_000;

/// From the richest to the barest: items of an array, fields of an object, characters of a string.
const SHARES: [(usize, usize, usize); 14] = [
    (200, 400, 4_000),
    (140, 300, 2_000),
    (100, 200, 1_000),
    (70, 150, 700),
    (50, 100, 500),
    (36, 80, 400),
    (25, 60, 300),
    (17, 50, 250),
    (12, 40, 200),
    (8, 34, 150),
    (5, 28, 100),
    (3, 24, 80),
    (2, 16, 60),
    (1, 12, 40),
];

/// The head of a JSON text in at most `budget` tokens; `None` where the text is no JSON object or array, or not even the barest
/// head fits. Left out items show as `…+97`, cut strings end in `…`: it is for reading, not for parsing.
#[must_use]
pub fn json_head(text: &str, budget: usize) -> Option<String> {
    let mut left = MAX_NODES;
    let mut reader = serde_json::Deserializer::from_str(text);
    let head = Seed { left: &mut left }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    if matches!(head, Head::Scalar(_) | Head::Text(..)) {
        return None;
    }
    SHARES.iter().find_map(|&(items, fields, chars)| {
        let mut out = Out { text: String::new(), items, fields, chars, limit: budget.saturating_mul(16) };
        out.write(&head);
        (out.text.len() <= out.limit && tokens::fits(&out.text, budget)).then_some(out.text)
    })
}

/// What is kept of a value.
enum Head {
    Scalar(Value),
    /// A start, and characters in all.
    Text(String, usize),
    /// First items, and items in all.
    List(Vec<Head>, usize),
    /// First fields, and fields in all.
    Object(Vec<(String, Head)>, usize),
}

struct Out {
    text: String,
    items: usize,
    fields: usize,
    chars: usize,
    /// No token is longer than 16 bytes for long, so beyond this the text cannot fit.
    limit: usize,
}

impl Out {
    fn write(&mut self, head: &Head) {
        if self.text.len() > self.limit {
            return;
        }
        match head {
            Head::Scalar(value) => self.text.push_str(&value.to_string()),
            Head::Text(start, chars) => {
                let shown: String = start.chars().take(self.chars).collect();
                let is_cut = shown.chars().count() < *chars;
                let mut quoted = json(&Value::from(shown));
                if is_cut {
                    quoted.insert(quoted.len() - 1, '…');
                }
                self.text.push_str(&quoted);
            }
            Head::List(items, total) => {
                self.text.push('[');
                for (at, item) in items.iter().take(self.items).enumerate() {
                    self.separate(at);
                    self.write(item);
                }
                self.rest(items.len().min(self.items), *total);
                self.text.push(']');
            }
            Head::Object(fields, total) => {
                self.text.push('{');
                for (at, (name, value)) in fields.iter().take(self.fields).enumerate() {
                    self.separate(at);
                    self.text.push_str(&json(&Value::from(name.as_str())));
                    self.text.push(':');
                    self.write(value);
                }
                self.rest(fields.len().min(self.fields), *total);
                self.text.push('}');
            }
        }
    }

    fn separate(&mut self, at: usize) {
        if at > 0 {
            self.text.push(',');
        }
    }

    fn rest(&mut self, shown: usize, total: usize) {
        if shown < total {
            self.separate(shown);
            let _ = write!(self.text, "…+{}", total - shown);
        }
    }
}

struct Seed<'l> {
    left: &'l mut usize,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Head;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Head, D::Error> {
        *self.left = self.left.saturating_sub(1);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Head;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Head, E> {
        Ok(Head::Scalar(value.into()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Head, E> {
        Ok(Head::Scalar(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Head, E> {
        Ok(Head::Scalar(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Head, E> {
        Ok(Head::Scalar(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Head, E> {
        let start = value.char_indices().nth(MAX_STRING_CHARS).map_or(value, |(at, _)| &value[..at]);
        Ok(Head::Text(start.to_owned(), value.chars().count()))
    }

    fn visit_unit<E: Error>(self) -> Result<Head, E> {
        Ok(Head::Scalar(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Head, A::Error> {
        let mut items = Vec::new();
        while items.len() < MAX_ITEMS && *self.left > 0 {
            match sequence.next_element_seed(Seed { left: self.left })? {
                Some(item) => items.push(item),
                None => {
                    let total = items.len();
                    return Ok(Head::List(items, total));
                }
            }
        }
        let mut total = items.len();
        while sequence.next_element::<IgnoredAny>()?.is_some() {
            total += 1;
        }
        Ok(Head::List(items, total))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Head, A::Error> {
        let mut fields = Vec::new();
        let mut total = 0;
        while let Some(name) = map.next_key::<String>()? {
            total += 1;
            if *self.left > 0 {
                fields.push((name, map.next_value_seed(Seed { left: self.left })?));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Head::Object(fields, total))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_shows_its_first_items_and_how_many_there_are() {
        let text = Value::from(
            (0..1000).map(|at| serde_json::json!({ "id": at, "name": format!("item {at}") })).collect::<Vec<_>>(),
        )
        .to_string();
        let head = json_head(&text, 60).unwrap();
        insta::assert_snapshot!(head, @r#"[{"id":0,"name":"item 0"},{"id":1,"name":"item 1"},{"id":2,"name":"item 2"},{"id":3,"name":"item 3"},{"id":4,"name":"item 4"},…+995]"#);
        assert!(tokens::fits(&head, 60));
    }

    #[test]
    fn long_strings_and_deep_parts_are_cut_where_they_are() {
        let value = serde_json::json!({ "page": { "title": "Start", "body": "word ".repeat(5000) }, "links": [["a", "b"], ["c"]] });
        insta::assert_snapshot!(json_head(&value.to_string(), 60).unwrap(), @r#"{"page":{"title":"Start","body":"word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word …"},"links":[["a","b"],["c"]]}"#);
    }

    #[test]
    fn what_is_no_json_document_has_no_head() {
        for text in ["", "12", "\"text\"", "[1, 2", "{} trailing", "[log] line"] {
            assert_eq!(json_head(text, 100), None, "{text}");
        }
    }
}
