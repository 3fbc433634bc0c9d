//! Texts of other clients' files: read with a cap, parsed into one shape, errors with line and column and no content.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde_json::{Map, Value};

use super::error::ImportError;
use crate::config::JSON_DIALECT;

/// Largest file read. Claude Code keeps its history beside its servers, and some of those reach tens of megabytes.
pub(super) const MAX_FILE_BYTES: u64 = 64 << 20;

/// The languages clients write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// With comments and trailing commas.
    Json,
    Toml,
    Yaml,
}

impl Language {
    /// By the ending of the file's name.
    pub(super) fn of(path: &Path) -> Self {
        match path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("toml") => Self::Toml,
            Some("yaml" | "yml") => Self::Yaml,
            _ => Self::Json,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Toml => "TOML",
            Self::Yaml => "YAML",
        }
    }
}

/// A syntax error: the parser's words and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub problem: String,
    pub line: usize,
    pub column: usize,
}

/// The text of a file, its byte order mark included.
pub(super) fn text_of(path: &Path) -> Result<String, ImportError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => ImportError::NotFound { path: path.into() },
        _ => ImportError::Read { path: path.into(), source },
    };
    let file = File::open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        // A pipe or a device could keep us waiting for ever.
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ImportError::TooLarge { path: path.into(), limit: MAX_FILE_BYTES });
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count() + 1;
        ImportError::NotUtf8 { path: path.into(), line }
    })
}

/// The root object of a file; an empty file is an empty object, as clients leave behind.
pub(super) fn root_of(path: &Path, language: Language) -> Result<Map<String, Value>, ImportError> {
    let text = text_of(path)?;
    let value = parse(&text, language).map_err(|mistake| ImportError::Syntax {
        path: path.into(),
        language: language.name(),
        problem: mistake.problem,
        line: mistake.line,
        column: mistake.column,
    })?;
    match value {
        Value::Object(root) => Ok(root),
        Value::Null => Ok(Map::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(ImportError::Shape { path: path.into(), problem: "its root is no object" })
        }
    }
}

/// The value a text stands for; `null` for an empty one.
pub(super) fn parse(text: &str, language: Language) -> Result<Value, Mistake> {
    let text = without_mark(text);
    match language {
        Language::Json => parse_json(text),
        Language::Toml => parse_toml(text),
        Language::Yaml => parse_yaml(text),
    }
}

/// A text without its byte order mark.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn parse_json(text: &str) -> Result<Value, Mistake> {
    jsonc_parser::parse_to_serde_value(text, &JSON_DIALECT).map_err(|error| {
        let (line, column) = position(text, error.range().start);
        Mistake { problem: error.kind().to_string().to_lowercase(), line, column }
    })
}

fn parse_toml(text: &str) -> Result<Value, Mistake> {
    // Not `toml`, which sorts the keys: people look for their servers in the order of their file.
    toml_edit::de::from_str(text).map_err(|error: toml_edit::de::Error| {
        let (line, column) = position(text, error.span().map_or(0, |span| span.start));
        // Only the parser's words: its `Display` quotes the line.
        Mistake { problem: error.message().trim().to_owned(), line, column }
    })
}

fn parse_yaml(text: &str) -> Result<Value, Mistake> {
    // Aliases that stand for gigabytes are refused by the parser.
    serde_norway::from_str(text).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
        // Its message can quote a key or a scalar, so only the kind of mistake is told.
        Mistake { problem: "the structure is broken".into(), line, column }
    })
}

/// 1-based line and column, in characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
