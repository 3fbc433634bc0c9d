//! The JSON Schema of `toolcrib.toml`, made from the raw types.

use std::sync::LazyLock;

use schemars::{
    Schema,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform},
};
use serde_json::Value;

use super::raw::{RawConfig, RawServer};

static CONFIG: LazyLock<Value> =
    LazyLock::new(|| generate(SchemaSettings::into_generator(settings()).into_root_schema_for::<RawConfig>()));
static SERVER: LazyLock<Value> =
    LazyLock::new(|| generate(SchemaSettings::into_generator(settings()).into_root_schema_for::<RawServer>()));

/// The schema of the whole file.
#[must_use]
pub fn config_schema() -> &'static Value {
    &CONFIG
}

/// The schema of one `[servers.NAME]`.
pub(super) fn server_schema() -> &'static Value {
    &SERVER
}

fn settings() -> SchemaSettings {
    SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true)
}

fn generate(mut schema: Schema) -> Value {
    RecursiveTransform(plain).transform(&mut schema);
    schema.to_value()
}

/// TOML has no null and no width of numbers; both would only puzzle a reader of the schema.
fn plain(schema: &mut Schema) {
    schema.remove("format");
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                // A description of the key says more than that of its type.
                if schema.get(&key).is_none() {
                    schema.insert(key, value);
                }
            }
        }
    }
}
