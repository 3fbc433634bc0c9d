//! The useful head of a large JSON text: its shape, the size of each array, and as many first items and fields as fit.
//!
//! Reads the text once and builds only what may be shown; what is skipped is counted, not kept.

use std::fmt::{self, Write};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::{Head as Shown, Next};
use crate::economy::{schema::write::json, tokens};

/// Most values kept of one text; the rest is only counted. Several times what the largest budget can show.
const MAX_NODES: usize = 40_000;

/// Most items kept of one array, and most characters of one string.
const MAX_ITEMS: usize = 1_000;
const MAX_STRING_CHARS: usize = 4_000;

/// Bytes of a token, at most, in any text long enough to matter here. Only saves counting what is far too long.
const MAX_TOKEN_BYTES: usize = 16;

/// Longest path told, in bytes. A longer one costs more than it helps.
const MAX_PATH_BYTES: usize = 120;

/// How much of each value is shown.
#[derive(Debug, Clone, Copy)]
struct Share {
    /// Items of an array.
    items: usize,
    /// Fields of an object.
    fields: usize,
    /// Characters of a string.
    chars: usize,
    /// Levels of nesting; deeper ones are only counted.
    depth: usize,
}

const fn share(items: usize, fields: usize, chars: usize, depth: usize) -> Share {
    Share { items, fields, chars, depth }
}

/// From the richest to the barest. The last ones show the shape alone.
const SHARES: [Share; 20] = [
    share(1_000, 400, 4_000, 64),
    share(600, 400, 4_000, 64),
    share(350, 400, 4_000, 64),
    share(200, 400, 4_000, 64),
    share(140, 300, 2_000, 64),
    share(100, 200, 1_000, 64),
    share(70, 150, 700, 64),
    share(50, 100, 500, 64),
    share(36, 80, 400, 64),
    share(25, 60, 300, 64),
    share(17, 50, 250, 64),
    share(12, 40, 200, 64),
    share(8, 34, 150, 64),
    share(5, 28, 100, 64),
    share(3, 24, 80, 64),
    share(2, 16, 60, 64),
    share(1, 12, 40, 64),
    share(1, 12, 40, 4),
    share(1, 12, 40, 2),
    share(1, 40, 20, 1),
];

/// The head of a JSON text in at most `budget` tokens; `None` where the text is no JSON object or array, or not even the barest
/// head fits. Left out items show as `…+97`, cut strings end in `…`: it is for reading, not for parsing. What comes next is the
/// rest of the longest array that was cut, else of a string.
#[must_use]
pub fn head(text: &str, budget: usize) -> Option<Shown> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let mut left = MAX_NODES;
    let mut reader = serde_json::Deserializer::from_str(text);
    let head = Seed { left: &mut left }.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    SHARES.iter().find_map(|&share| {
        let limit = budget.saturating_mul(MAX_TOKEN_BYTES);
        let mut out = Out { text: String::new(), share, limit, path: Vec::new(), cut: None };
        out.write(&head);
        let fits = out.text.len() <= out.limit && tokens::fits(&out.text, budget);
        fits.then(|| Shown { next: out.cut.map_or(Next::Search, |cut| Next::Path(cut.path)), text: out.text })
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

struct Out<'h> {
    text: String,
    share: Share,
    /// Beyond this the text cannot fit, in bytes.
    limit: usize,
    /// Where the writer is.
    path: Vec<Step<'h>>,
    /// The largest part that was cut so far.
    cut: Option<Part>,
}

#[derive(Clone, Copy)]
enum Step<'h> {
    Field(&'h str),
    Item(usize),
}

/// A part that was cut.
struct Part {
    path: String,
    /// Items left out; none for a string.
    items: usize,
}

impl<'h> Out<'h> {
    fn write(&mut self, head: &'h Head) {
        if self.text.len() > self.limit {
            return;
        }
        match head {
            Head::Scalar(value) => self.text.push_str(&value.to_string()),
            Head::Text(start, chars) => {
                let shown: String = start.chars().take(self.share.chars).collect();
                let is_cut = shown.chars().count() < *chars;
                let mut quoted = json(&Value::from(shown));
                if is_cut {
                    quoted.insert(quoted.len() - 1, '…');
                    self.note_cut(0, "");
                }
                self.text.push_str(&quoted);
            }
            Head::List(items, total) => {
                let shown = items.len().min(if self.is_deep() { 0 } else { self.share.items });
                self.text.push('[');
                for (at, item) in items.iter().take(shown).enumerate() {
                    self.separate(at);
                    self.path.push(Step::Item(at));
                    self.write(item);
                    self.path.pop();
                }
                self.rest(shown, *total);
                if shown < *total {
                    self.note_cut(total - shown, &format!("[{shown}:]"));
                }
                self.text.push(']');
            }
            Head::Object(fields, total) => {
                let shown = fields.len().min(if self.is_deep() { 0 } else { self.share.fields });
                self.text.push('{');
                for (at, (name, value)) in fields.iter().take(shown).enumerate() {
                    self.separate(at);
                    self.text.push_str(&json(&Value::from(name.as_str())));
                    self.text.push(':');
                    self.path.push(Step::Field(name));
                    self.write(value);
                    self.path.pop();
                }
                self.rest(shown, *total);
                self.text.push('}');
            }
        }
    }

    fn is_deep(&self) -> bool {
        self.path.len() >= self.share.depth
    }

    /// The part where the writer is goes on at `rest`. The one with the most items is remembered, the first of equals.
    fn note_cut(&mut self, items: usize, rest: &str) {
        if self.cut.as_ref().is_some_and(|known| known.items >= items) {
            return;
        }
        let mut path = String::from("$");
        for step in &self.path {
            // Writing to a String cannot fail.
            let _ = match step {
                Step::Item(at) => write!(path, "[{at}]"),
                Step::Field(name) if is_plain(name) => write!(path, ".{name}"),
                Step::Field(name) => write!(path, "[{}]", json(&Value::from(*name))),
            };
        }
        path.push_str(rest);
        if path.len() <= MAX_PATH_BYTES {
            self.cut = Some(Part { path, items });
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

/// Whether a name needs no brackets in a path.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
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

    fn shown(text: &str, budget: usize) -> (String, Next) {
        let head = head(text, budget).unwrap();
        assert!(tokens::fits(&head.text, budget));
        (head.text, head.next)
    }

    #[test]
    fn an_array_shows_its_first_items_and_how_many_there_are() {
        let text = Value::from(
            (0..1000).map(|at| serde_json::json!({ "id": at, "name": format!("item {at}") })).collect::<Vec<_>>(),
        )
        .to_string();
        let (head, next) = shown(&text, 60);
        insta::assert_snapshot!(head, @r#"[{"id":0,"name":"item 0"},{"id":1,"name":"item 1"},{"id":2,"name":"item 2"},{"id":3,"name":"item 3"},{"id":4,"name":"item 4"},…+995]"#);
        assert_eq!(next, Next::Path("$[5:]".into()));
    }

    #[test]
    fn long_strings_and_deep_parts_are_cut_where_they_are() {
        let value = serde_json::json!({ "page": { "title": "Start", "body": "word ".repeat(5000) }, "links": [["a", "b"], ["c"]] });
        let (head, next) = shown(&value.to_string(), 60);
        insta::assert_snapshot!(head, @r#"{"page":{"title":"Start","body":"word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word …"},"links":[["a","b"],["c"]]}"#);
        assert_eq!(next, Next::Path("$.page.body".into()));
    }

    #[test]
    fn the_path_leads_to_the_longest_array_that_was_cut() {
        let value = serde_json::json!({ "odd name": { "a": vec![1; 500] }, "b": vec!["some words here"; 300] });
        assert_eq!(shown(&value.to_string(), 80).1, Next::Path(r#"$["odd name"].a[8:]"#.into()));
    }

    #[test]
    fn what_is_wide_and_deep_shows_its_shape() {
        let leaf = serde_json::json!({ "x": vec![1; 30], "y": { "z": vec!["words"; 30] } });
        let level = |inner: &Value| -> Value {
            Value::Object((0..30).map(|at| (format!("field_{at}"), inner.clone())).collect())
        };
        let (head, _) = shown(&level(&level(&leaf)).to_string(), 200);
        insta::assert_snapshot!(head, @r#"{"field_0":{…+30},"field_1":{…+30},"field_2":{…+30},"field_3":{…+30},"field_4":{…+30},"field_5":{…+30},"field_6":{…+30},"field_7":{…+30},"field_8":{…+30},"field_9":{…+30},"field_10":{…+30},"field_11":{…+30},"field_12":{…+30},"field_13":{…+30},"field_14":{…+30},"field_15":{…+30},"field_16":{…+30},"field_17":{…+30},"field_18":{…+30},"field_19":{…+30},"field_20":{…+30},…+9}"#);
    }

    #[test]
    fn what_is_no_json_document_has_no_head() {
        for text in ["", "12", "\"text\"", "[1, 2", "{} trailing", "[log] line"] {
            assert_eq!(head(text, 100), None, "{text}");
        }
    }
}
