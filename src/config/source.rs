//! A configuration file's text, read with a cap and parsed into one shape whatever its format, with the line of each key.
//!
//! Knows TOML and JSON syntax, and no key of either.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use jsonc_parser::{CollectOptions, ParseOptions, ast};
use serde_json::{Map, Number, Value};
use toml::de::{DeTable, DeValue};

use super::{
    error::ConfigError,
    problems::{KeyPath, Lines, Problems},
};

/// Largest configuration file read. A thousand servers fit into a fifth of it.
pub(super) const MAX_FILE_BYTES: u64 = 4 << 20;

/// Syntax errors reported of one file: one mistake often looks like several.
const MAX_SYNTAX_ERRORS: usize = 5;

/// What every client accepts in its files; stricter than the parser's default, which takes anything JSON-like.
pub(crate) const JSON_DIALECT: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// The languages a configuration can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `toolcrib.toml`.
    Toml,
    /// The `{"mcpServers": {…}}` that clients use, with comments and trailing commas.
    Json,
}

/// A parsed file.
pub(super) struct Document {
    pub format: Format,
    pub root: Map<String, Value>,
    pub lines: Lines,
    /// Keys that stand twice in the same object, of which the last one counts. TOML forbids them itself.
    pub repeated: Vec<KeyPath>,
}

/// Reads the text of a file.
pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => ConfigError::NotFound { path: path.into() },
        io::ErrorKind::IsADirectory => ConfigError::Directory { path: path.into() },
        _ => ConfigError::Read { path: path.into(), source },
    };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(ConfigError::Directory { path: path.into() });
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ConfigError::TooLarge { path: path.into(), limit: MAX_FILE_BYTES });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count() + 1;
        ConfigError::NotUtf8 { path: path.into(), line }
    })
}

/// The format, by what the file begins with: TOML cannot begin with a brace or a slash, and JSON with nothing else.
pub(super) fn format_of(text: &str) -> Format {
    match without_mark(text).trim_start().chars().next() {
        Some('{' | '/') => Format::Json,
        _ => Format::Toml,
    }
}

/// Parses a text; every syntax error that can be told apart is a problem.
pub(super) fn parse(text: &str) -> Result<Document, Problems> {
    let text = without_mark(text);
    match format_of(text) {
        Format::Toml => parse_toml(text),
        Format::Json => parse_json(text),
    }
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn parse_toml(text: &str) -> Result<Document, Problems> {
    let breaks = LineBreaks::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mut problems = Problems::default();
        for error in errors.iter().take(MAX_SYNTAX_ERRORS) {
            // Only the parser's own words: the `Display` of its errors quotes the line, which may hold a secret.
            let line = error.span().map(|span| breaks.line(span.start));
            problems.add_syntax(line, format!("is not TOML: {}", error.message().trim()), "correct the line");
        }
        return Err(problems);
    }
    let mut document = Document { format: Format::Toml, root: Map::new(), lines: Lines::new(), repeated: Vec::new() };
    document.root = document.take_table(table.into_inner(), &KeyPath::root(), &breaks);
    Ok(document)
}

fn parse_json(text: &str) -> Result<Document, Problems> {
    let breaks = LineBreaks::of(text);
    let refuse = |line, reason: String, remedy| {
        let mut problems = Problems::default();
        problems.add_syntax(line, reason, remedy);
        problems
    };
    let parsed = jsonc_parser::parse_to_ast(text, &CollectOptions::default(), &JSON_DIALECT).map_err(|error| {
        let line = breaks.line(error.range().start);
        refuse(
            Some(line),
            format!("is not JSON: {}", error.kind().to_string().to_lowercase()),
            "correct the line; comments and trailing commas are fine",
        )
    })?;
    let Some(ast::Value::Object(object)) = parsed.value else {
        return Err(refuse(None, "holds no JSON object".into(), "write {\"mcpServers\": {…}}"));
    };
    let mut document = Document { format: Format::Json, root: Map::new(), lines: Lines::new(), repeated: Vec::new() };
    document.root = document.take_object(object, &KeyPath::root(), &breaks);
    Ok(document)
}

impl Document {
    fn take_table(&mut self, table: DeTable<'_>, at: &KeyPath, breaks: &LineBreaks) -> Map<String, Value> {
        let mut members = Map::new();
        for (key, value) in table {
            let at = at.key(key.get_ref());
            self.lines.insert(at.shown().to_owned(), breaks.line(key.span().start));
            let value = self.take_toml(value.into_inner(), &at, breaks);
            members.insert(key.into_inner().into_owned(), value);
        }
        members
    }

    fn take_toml(&mut self, value: DeValue<'_>, at: &KeyPath, breaks: &LineBreaks) -> Value {
        match value {
            DeValue::String(text) => Value::String(text.into_owned()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => number.into(),
                // Beyond every bound of ours, whatever it was.
                Err(_) if number.as_str().starts_with('-') => i64::MIN.into(),
                Err(_) => i64::MAX.into(),
            },
            DeValue::Float(number) => fraction(number.as_str().parse().unwrap_or(f64::MAX)),
            DeValue::Boolean(boolean) => Value::Bool(boolean),
            DeValue::Datetime(datetime) => Value::String(datetime.to_string()),
            DeValue::Array(items) => Value::Array(
                items
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| self.take_toml(item.into_inner(), &at.index(index), breaks))
                    .collect(),
            ),
            DeValue::Table(table) => Value::Object(self.take_table(table, at, breaks)),
        }
    }

    fn take_object(&mut self, object: ast::Object<'_>, at: &KeyPath, breaks: &LineBreaks) -> Map<String, Value> {
        let mut members = Map::new();
        for member in object.properties {
            let at = at.key(member.name.as_str());
            self.lines.insert(at.shown().to_owned(), breaks.line(member.range.start));
            let value = self.take_json(member.value, &at, breaks);
            if members.insert(member.name.into_string(), value).is_some() {
                self.repeated.push(at);
            }
        }
        members
    }

    fn take_json(&mut self, value: ast::Value<'_>, at: &KeyPath, breaks: &LineBreaks) -> Value {
        match value {
            ast::Value::Object(object) => Value::Object(self.take_object(object, at, breaks)),
            ast::Value::Array(array) => Value::Array(
                array
                    .elements
                    .into_iter()
                    .enumerate()
                    .map(|(index, item)| self.take_json(item, &at.index(index), breaks))
                    .collect(),
            ),
            ast::Value::StringLit(text) => Value::String(text.value.into_owned()),
            ast::Value::NumberLit(number) => match number.value.parse::<Number>() {
                Ok(number) => Value::Number(number),
                Err(_) => fraction(f64::MAX),
            },
            ast::Value::BooleanLit(boolean) => Value::Bool(boolean.value),
            ast::Value::NullKeyword(_) => Value::Null,
        }
    }
}

fn fraction(number: f64) -> Value {
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// Where the lines of a text end.
struct LineBreaks(Vec<usize>);

impl LineBreaks {
    fn of(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}
