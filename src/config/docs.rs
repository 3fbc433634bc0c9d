//! `docs/configuration.md`, made from the raw types: a table for each section, between hand-written words.

use std::{collections::BTreeMap, fmt::Write, path::Path};

use serde_json::Value;

use super::{load_text, schema::config_schema};

/// The hand-written part.
const PREFACE: &str = include_str!("preface.md");

/// A file with the mistakes people make, for the report in the documentation.
const MISTAKES: &str = r#"[servers.github]
comand = "npx"
env = { TOKEN = "${GITHUB_TOKEN}" }
start_timeout = "1 parsec"

[pool]
max_sessions = 0
"#;

/// The documentation of every key, as Markdown.
#[must_use]
pub fn reference() -> String {
    let schema = config_schema();
    let mut tables = String::new();
    section(&mut tables, "[servers.NAME]", &schema["properties"]["servers"]["additionalProperties"]);
    for name in ["pool", "refresh", "context", "search"] {
        section(&mut tables, &format!("[{name}]"), &schema["properties"][name]);
    }
    let report = load_text(MISTAKES, Path::new("toolcrib.toml"), &BTreeMap::new())
        .map_or_else(|error| error.to_string(), |_| String::new());
    PREFACE.replace("{report}", &report).replace("{tables}", tables.trim_end())
}

fn section(out: &mut String, title: &str, schema: &Value) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(
        out,
        "## `{title}`\n\n{}\n\n| Key | Value | Default | Meaning |\n|---|---|---|---|",
        described(schema)
    );
    rows(out, "", schema);
    out.push('\n');
}

fn rows(out: &mut String, before: &str, schema: &Value) {
    for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
        if schema.get("properties").is_some() {
            rows(out, &format!("{before}{key}."), schema);
            continue;
        }
        let default = match schema.get("default") {
            Some(Value::Array(items)) if items.is_empty() => String::new(),
            Some(Value::Object(members)) if members.is_empty() => String::new(),
            Some(default) => format!("`{default}`"),
            None => String::new(),
        };
        let _ = writeln!(out, "| `{before}{key}` | {} | {default} | {} |", kind(schema), described(schema));
    }
}

fn kind(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(", ");
    }
    match (&schema["type"], schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
        (Value::Array(_), ..) => "span of time".into(),
        (name, Some(least), Some(most)) if name == "integer" => format!("{least} to {most}"),
        (name, ..) if name == "integer" => "number".into(),
        (name, ..) if name == "boolean" => "`true`, `false`".into(),
        (name, ..) if name == "array" => "list of texts".into(),
        (name, ..) if name == "object" => "table of texts".into(),
        _ => "text".into(),
    }
}

fn described(schema: &Value) -> String {
    // A pipe would end the cell.
    schema["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    /// Compares a generated file with the types, or makes it again.
    fn is_up_to_date(path: &str, text: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        if env::var_os("TOOLCRIB_UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(found == text, "{} is not what the types say; run this test with TOOLCRIB_UPDATE=1", path.display());
    }

    #[test]
    fn the_documentation_is_what_the_types_say() {
        is_up_to_date("docs/configuration.md", &reference());
    }

    #[test]
    fn the_schema_file_is_what_the_types_say() {
        is_up_to_date("schemas/config.schema.json", &format!("{:#}\n", config_schema()));
    }

    #[test]
    fn every_key_is_described() {
        fn look(path: &str, schema: &Value) {
            for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
                assert!(!described(schema).is_empty(), "{path}.{key}");
                look(&format!("{path}.{key}"), schema);
                look(&format!("{path}.{key}.*"), &schema["additionalProperties"]);
            }
        }
        look("", config_schema());
    }

    #[test]
    fn the_examples_of_the_documentation_load() {
        let env = BTreeMap::from(["GITHUB_TOKEN", "DOCS_TOKEN"].map(|name| (name.to_owned(), "x".to_owned())));
        for language in ["toml", "json"] {
            let (_, rest) = PREFACE.split_once(&format!("```{language}\n")).unwrap();
            let example = rest.split_once("```").unwrap().0;
            let loaded = load_text(example, Path::new("/c/toolcrib.toml"), &env).unwrap();
            assert!(loaded.broken.is_empty() && loaded.settings.servers.len() >= 2, "{:?}", loaded.broken);
        }
    }
}
