//! Only the wanted parts of a JSON result: JSONPath (RFC 9535), with errors that lead to the right path.

mod patterns;

use std::time::Duration;

use serde_json::{Value, json};
use serde_json_path::{JsonPath, ParseError};

use super::schema::write::json as shown;
use crate::catalog::JsonObject;

/// Longest path, in bytes. Real ones stay under 100.
const MAX_PATH_BYTES: usize = 1_000;

/// Most `..` of a path. A second one looks at each value once for each of its ancestors.
const MAX_DESCENTS: usize = 1;

/// Most ways in which the selectors of a path can combine: `[*, *]` doubles all that follows it.
const MAX_COMBINATIONS: usize = 64;

/// Most filters inside each other. The library's parser reads each one twice for each that it stands in: 16 take seconds.
const MAX_FILTERS: usize = 3;

/// Largest selection, in bytes of JSON: as large as any result. Parts that hold each other are written again and again.
const MAX_SELECTED_BYTES: usize = 32 * 1024 * 1024;

/// Most keys named in an error.
const MAX_KEYS: usize = 20;

/// Why nothing was selected.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// The path is no JSONPath.
    #[error("`{path}` is no JSONPath (RFC 9535)")]
    Path {
        /// What was given.
        path: String,
        /// Where it goes wrong.
        #[source]
        source: ParseError,
    },
    /// The path is too long.
    #[error("the JSONPath has {bytes} bytes; at most {MAX_PATH_BYTES} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The path descends through all levels too often: each time multiplies what is looked at.
    #[error("the JSONPath would look at the same values again and again")]
    TooDeep,
    /// Its patterns are more than a query is worth.
    #[error("the patterns of `{path}` are too many or too large")]
    Patterns {
        /// The path.
        path: String,
    },
    /// What it names is larger than any result may be.
    #[error("`{path}` selects more than {} MiB", MAX_SELECTED_BYTES / (1024 * 1024))]
    TooLarge {
        /// The path.
        path: String,
    },
    /// It took too long.
    #[error("selecting took longer than {} s", after.as_secs())]
    Slow {
        /// How long it was given.
        after: Duration,
    },
    /// The result has no JSON to select from.
    #[error("the result is no JSON, so `select` cannot be used on it")]
    NoJson,
    /// The path fits nothing in the result.
    #[error("`{path}` fits nothing in the result, which is {shape}")]
    Nothing {
        /// The path.
        path: String,
        /// What the result looks like.
        shape: String,
    },
}

impl SelectError {
    /// What the model can do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Path { .. } => "write a path like `$.items[*].name` or `$..id`".into(),
            Self::TooDeep => "use at most one `..`, one `$`, and few selectors in one pair of brackets".into(),
            Self::Patterns { .. } => "use a shorter pattern without counted repetitions".into(),
            Self::TooLarge { .. } | Self::Slow { .. } => "name what is wanted more closely".into(),
            Self::TooLong { .. } => "select a parent of the wanted parts".into(),
            Self::NoJson => "call again without `select`; `max_tokens` bounds any result".into(),
            Self::Nothing { .. } => "start the path with one of its keys, or leave it out".into(),
        }
    }
}

/// The parts of a value that a path names, at least one.
///
/// # Errors
/// Where the path is no JSONPath, or fits nothing.
pub fn parts<'v>(value: &'v Value, path: &str) -> Result<Vec<&'v Value>, SelectError> {
    let parsed = parse(path)?;
    let found = patterns::within_bounds(|| parsed.query(value).all());
    let found = found.ok_or_else(|| SelectError::Patterns { path: path.into() })?;
    if found.is_empty() {
        return Err(SelectError::Nothing { path: path.into(), shape: shape(value) });
    }
    Ok(found)
}

/// Parts as one text: one part as itself, a string without its quotes; several as an array.
///
/// # Errors
/// Where that is larger than any result may be.
pub fn text(parts: &[&Value], path: &str) -> Result<String, SelectError> {
    let mut out = String::new();
    match parts {
        [Value::String(text)] => return Ok(text.clone()),
        [only] => out.push_str(&only.to_string()),
        several => {
            for (at, part) in several.iter().enumerate() {
                out.push(if at == 0 { '[' } else { ',' });
                out.push_str(&part.to_string());
                if out.len() > MAX_SELECTED_BYTES {
                    return Err(SelectError::TooLarge { path: path.into() });
                }
            }
            out.push(']');
        }
    }
    Ok(out)
}

/// A result with only the parts that a path names, as one text of compact JSON, or as plain text where it is a string.
/// Reads `structuredContent`, else the first text that is JSON; a framework's `{"result": …}` around the value is seen through.
///
/// # Errors
/// As `select`, and where the result holds no JSON.
pub fn select_from_result(result: &JsonObject, path: &str) -> Result<JsonObject, SelectError> {
    parse(path)?; // a bad path is told before a missing JSON
    let from_text = || {
        let blocks = result.get("content")?.as_array()?;
        blocks.iter().find_map(|block| serde_json::from_str::<Value>(block.get("text")?.as_str()?).ok())
    };
    let structured = result.get("structuredContent").filter(|value| !value.is_null()).cloned();
    let value = structured.or_else(from_text).filter(|value| value.is_object() || value.is_array());
    let value = value.ok_or(SelectError::NoJson)?;
    let selected = match parts(&value, path) {
        Err(nothing @ SelectError::Nothing { .. }) => {
            let wrapped = value.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("result"));
            wrapped.and_then(|inner| parts(inner, path).ok()).ok_or(nothing)
        }
        selected => selected,
    }?;
    let text = text(&selected, path)?;
    let mut chosen = result.clone();
    chosen.shift_remove("structuredContent");
    chosen.insert("content".into(), json!([{ "type": "text", "text": text }]));
    Ok(chosen)
}

fn parse(path: &str) -> Result<JsonPath, SelectError> {
    if path.len() > MAX_PATH_BYTES {
        return Err(SelectError::TooLong { bytes: path.len() });
    }
    if !is_bounded(path) {
        return Err(SelectError::TooDeep);
    }
    JsonPath::parse(&rooted(path)).map_err(|source| SelectError::Path { path: path.into(), source })
}

/// Whether the work of a path grows with what it looks at and no faster: few descents, few combinations of selectors, no query from the
/// root inside a filter, few filters inside each other. Judged by its text, outside quotes.
fn is_bounded(path: &str) -> bool {
    let (mut roots, mut descents, mut combinations) = (0_usize, 0_usize, 1_usize);
    // Selectors so far in each open pair of brackets, and whether one is a filter; a filter's parentheses hold arguments instead.
    let mut open: Vec<(char, usize, bool)> = Vec::new();
    let (mut quote, mut escaped, mut before) = (None, false, ' ');
    for character in path.chars() {
        if let Some(end) = quote {
            quote = if character == end && !escaped { None } else { quote };
            escaped = character == '\\' && !escaped;
            continue;
        }
        match character {
            '\'' | '"' => quote = Some(character),
            '$' => roots += 1,
            '.' if before == '.' => descents += 1,
            '[' | '(' => open.push((character, 1, false)),
            '?' => {
                open.last_mut().into_iter().for_each(|(_, _, is_filter)| *is_filter = true);
                if open.iter().filter(|(_, _, is_filter)| *is_filter).count() > MAX_FILTERS {
                    return false;
                }
            }
            ',' => open.last_mut().into_iter().for_each(|(_, selectors, _)| *selectors += 1),
            ']' | ')' => {
                if let Some(('[', selectors, _)) = open.pop() {
                    combinations = combinations.saturating_mul(selectors);
                }
            }
            _ => {}
        }
        before = character;
    }
    roots <= 1 && descents <= MAX_DESCENTS && combinations <= MAX_COMBINATIONS
}

/// A path from the root: `items[0]` is taken for `$.items[0]`, because models leave the root out.
#[must_use]
pub fn rooted(path: &str) -> String {
    let trimmed = path.trim();
    match trimmed.chars().next() {
        Some('$') => trimmed.to_owned(),
        Some('.' | '[') => format!("${trimmed}"),
        _ => format!("$.{trimmed}"),
    }
}

/// What a value looks like from outside: enough to write a better path.
fn shape(value: &Value) -> String {
    let keys = |object: &JsonObject| {
        let mut names: Vec<String> =
            object.keys().take(MAX_KEYS).map(|key| shown(&Value::from(key.as_str()))).collect();
        if object.len() > MAX_KEYS {
            names.push(format!("…+{}", object.len() - MAX_KEYS));
        }
        names.join(", ")
    };
    match value {
        Value::Object(object) => format!("an object with {}", keys(object)),
        Value::Array(items) => match items.first() {
            Some(Value::Object(first)) => format!("an array of {} objects with {}", items.len(), keys(first)),
            _ => format!("an array of {} values", items.len()),
        },
        Value::String(_) => "a string".into(),
        _ => "a single value".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::economy::samples::object;

    #[test]
    fn one_part_comes_as_itself_and_several_as_an_array() {
        let value = json!({ "items": [{ "id": 1 }, { "id": 2 }], "next": "b" });
        let selected = |path: &str| text(&parts(&value, path).unwrap(), path).unwrap();
        assert_eq!(selected("$.next"), "b");
        assert_eq!(selected("$.items[*].id"), "[1,2]");
        assert_eq!(selected("items[0].id"), "1");
        assert_eq!(selected("$.items[?@.id > 1].id"), "2");
    }

    #[test]
    fn a_path_that_fits_nothing_shows_what_there_is() {
        let error = parts(&json!([{ "id": 1, "title": "x" }]), "$.items").unwrap_err();
        insta::assert_snapshot!(format!("{error}; {}", error.hint()), @r#"`$.items` fits nothing in the result, which is an array of 1 objects with "id", "title"; start the path with one of its keys, or leave it out"#);
    }

    #[test]
    fn a_path_that_is_none_shows_how_one_looks() {
        let error = parts(&json!({}), "$.a[").unwrap_err();
        insta::assert_snapshot!(format!("{error}; {}", error.hint()), @r#"`$.a[` is no JSONPath (RFC 9535); write a path like `$.items[*].name` or `$..id`"#);
        assert!(matches!(parts(&json!({}), &"x".repeat(2000)), Err(SelectError::TooLong { bytes: 2000 })));
        for path in [
            "$..a..b",
            "$..*..*",
            &format!("${}", "[*,*]".repeat(12)),
            "$[?count($..*) > 1]",
            "$['a','b'][*,*,*][0,1,2,3,4,5,6,7,8,9,10]",
            &format!("$[?{}@.a{}]", "@[?".repeat(60), "]".repeat(60)),
            &format!("$[?{}", "count(@[?".repeat(60)),
        ] {
            assert!(matches!(parts(&json!({}), path), Err(SelectError::TooDeep)), "{path}");
        }
        for path in [
            "$..a",
            "$['a..b','c,$']",
            "$.items[0,1,2]['id','name']",
            "$[?search(@.a, 'x,y..z') && @.b]",
            "$[?@.a[?@.b[?@.c]]]",
        ] {
            assert!(matches!(parts(&json!({}), path), Err(SelectError::Nothing { .. })), "{path}");
        }
    }

    #[test]
    fn a_pattern_is_compiled_once_and_within_bounds() {
        let values = Value::from((0..20_000).map(|at| json!({ "a": format!("text {at}") })).collect::<Vec<_>>());
        assert_eq!(parts(&values, "$[?search(@.a,'^text 1.*9$') && match(@.a,'[a-z]+ [^0]*')]").unwrap().len(), 820);
        assert!(
            matches!(parts(&values, "$[?match(@.a,'[')]"), Err(SelectError::Nothing { .. })),
            "no pattern fits nothing"
        );
        for path in ["$[?match(@.a,'((x{100}){100}){100}')]", "$[?match(@.a,@.a)]"] {
            let error = parts(&values, path).unwrap_err();
            assert!(matches!(error, SelectError::Patterns { .. }), "{error}; {}", error.hint());
        }
        assert_eq!(parts(&values, "$[?search(@.a,'^text 1$')]").unwrap().len(), 1, "the next query is not its heir");
    }

    #[test]
    fn a_selected_result_is_one_text() {
        let result = object(json!({
            "content": [{ "type": "text", "text": "{\"result\": {\"rows\": [{\"n\": 1}]}}" }],
            "structuredContent": { "result": { "rows": [{ "n": 1 }] } },
            "_meta": { "k": 1 },
        }));
        let selected = select_from_result(&result, "$.rows[*].n").unwrap();
        assert_eq!(
            Value::Object(selected),
            json!({ "content": [{ "type": "text", "text": "1" }], "_meta": { "k": 1 } })
        );
    }

    #[test]
    fn a_result_that_is_no_json_says_so() {
        let result = object(json!({ "content": [{ "type": "text", "text": "plain words" }] }));
        let error = select_from_result(&result, "$.a").unwrap_err();
        assert!(matches!(error, SelectError::NoJson), "{error}");
    }
}
