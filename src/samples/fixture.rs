//! Reads the definition of a sample server. Knows the layout of `fixtures/samples/*.json`, not what the tools do.

use serde::{Deserialize, de::Error as _};
use serde_json::{Map, Value};

/// A JSON object, in the order it was written.
pub type JsonObject = Map<String, Value>;

/// Key of a tool that is ours alone: arguments with which a fresh server answers the call. Never sent.
const EXAMPLE: &str = "example";

/// A sample server's definition.
#[derive(Debug)]
pub(super) struct Fixture {
    pub(super) title: String,
    pub(super) version: String,
    pub(super) description: String,
    pub(super) instructions: Option<String>,
    pub(super) tools: Vec<SampleTool>,
    /// What the server knows when it starts; its script gives it a type.
    pub(super) seed: Value,
}

/// One tool of the definition.
#[derive(Debug)]
pub(super) struct SampleTool {
    pub(super) name: String,
    /// As it is listed.
    pub(super) definition: JsonObject,
    /// Arguments of a call that succeeds on a fresh server.
    pub(super) example: JsonObject,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFixture {
    title: String,
    version: String,
    description: String,
    #[serde(default)]
    instructions: Option<String>,
    tools: Vec<JsonObject>,
    seed: Value,
}

impl Fixture {
    /// Reads a whole definition; a tool without name, input schema or example fails it.
    pub(super) fn read(text: &str) -> serde_json::Result<Self> {
        let raw: RawFixture = serde_json::from_str(text)?;
        let tools = raw.tools.into_iter().map(SampleTool::read).collect::<Result<_, _>>()?;
        Ok(Self {
            title: raw.title,
            version: raw.version,
            description: raw.description,
            instructions: raw.instructions,
            tools,
            seed: raw.seed,
        })
    }
}

impl SampleTool {
    fn read(mut definition: JsonObject) -> serde_json::Result<Self> {
        let name = match definition.get("name") {
            Some(Value::String(name)) => name.clone(),
            _ => return Err(serde_json::Error::custom("a tool has no name")),
        };
        // `shift_remove` keeps the order of the keys that stay; it is part of what tests compare.
        let Some(Value::Object(example)) = definition.shift_remove(EXAMPLE) else {
            return Err(serde_json::Error::custom(format!("tool `{name}` has no `{EXAMPLE}`")));
        };
        if !definition.get("inputSchema").is_some_and(Value::is_object) {
            return Err(serde_json::Error::custom(format!("tool `{name}` has no `inputSchema`")));
        }
        Ok(Self { name, definition, example })
    }

    /// The schema its arguments must fit.
    pub(super) fn input_schema(&self) -> &Value {
        // `read` refuses a definition without one.
        self.definition.get("inputSchema").unwrap_or(&Value::Null)
    }

    /// Whether its result is structured content.
    pub(super) fn is_structured(&self) -> bool {
        self.definition.contains_key("outputSchema")
    }
}
