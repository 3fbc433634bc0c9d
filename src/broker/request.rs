//! What a model sent, read as it was meant.
//!
//! Weaker models send arguments as a JSON string, flatten them beside `tool`, or write `"5"` for 5. Where that can mean
//! one thing only, it is taken so; else the error shows the shape that works. Knows no catalog and no backend.

use serde_json::{Value, json};

use crate::{catalog::JsonObject, ids::ToolId};

/// Hits of a search that names no limit.
pub const DEFAULT_LIMIT: usize = 5;

/// Most hits of one search.
pub const MAX_LIMIT: usize = 20;

/// Most tools in one `describe_tool`.
pub const MAX_DESCRIBED: usize = 10;

/// Longest query that is looked at, in bytes; the rest is cut. Bounds the work of a search.
const MAX_QUERY_BYTES: usize = 2_048;

/// A call of one of the three meta-tools.
#[derive(Debug, Clone, PartialEq)]
pub enum MetaCall {
    /// `search_tools`.
    Search(SearchRequest),
    /// `describe_tool`.
    Describe(DescribeRequest),
    /// `call_tool`.
    Call(CallRequest),
}

/// Arguments of `search_tools`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    /// What is wanted, in plain words. Empty browses.
    pub query: String,
    /// Only this server's tools.
    pub server: Option<String>,
    /// Most hits, 1 to 20; absent where the model named none.
    pub limit: Option<usize>,
    /// Whether each hit should say what it earned its score by. For people; a model cannot ask for it.
    pub explain: bool,
}

/// Arguments of `describe_tool`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeRequest {
    /// The tools, as written.
    pub tools: Vec<String>,
}

/// Arguments of `call_tool`.
#[derive(Debug, Clone, PartialEq)]
pub struct CallRequest {
    /// The tool, as written.
    pub tool: String,
    /// Arguments for it.
    pub arguments: JsonObject,
    /// Arguments found beside `tool` although `arguments` is there as well. Taken only where the tool has them.
    pub beside: JsonObject,
    /// `JSONPath` that keeps a part of the result.
    pub select: Option<String>,
    /// A lower budget for this result, in `o200k_base` tokens.
    pub max_tokens: Option<usize>,
    /// The name under which the tool is pinned, where it was called by that.
    pub pinned_as: Option<String>,
}

/// Why a call of a meta-tool cannot be understood. The text teaches the right shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no meta-tool of this name.
    #[error("there is no tool `{name}` here; the tools are search_tools, describe_tool and call_tool. To run a tool of a server: call_tool {}", json!({"tool": name, "arguments": {}}))]
    UnknownMetaTool {
        /// What was asked for.
        name: String,
    },
    /// The arguments are no object and cannot be read as one.
    #[error("the arguments of {meta} must be a JSON object, like {}", example(.meta))]
    NotAnObject {
        /// The meta-tool.
        meta: &'static str,
    },
    /// The arguments of a pinned tool are no object and cannot be read as one.
    #[error("the arguments of {name} must be a JSON object, as its schema says")]
    PinNotAnObject {
        /// The name under which it is advertised.
        name: String,
    },
    /// A needed argument is missing.
    #[error("{meta} needs `{name}`, like {}", example(.meta))]
    Missing {
        /// The meta-tool.
        meta: &'static str,
        /// The argument.
        name: &'static str,
    },
    /// An argument has the wrong type.
    #[error("`{name}` of {meta} must be {expected}, like {}", example(.meta))]
    WrongType {
        /// The meta-tool.
        meta: &'static str,
        /// The argument.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

const SEARCH: &str = "search_tools";
const DESCRIBE: &str = "describe_tool";
const CALL: &str = "call_tool";

fn example(meta: &str) -> Value {
    match meta {
        SEARCH => json!({"query": "create a pull request"}),
        DESCRIBE => json!({"tools": ["github/create_pull_request"]}),
        _ => json!({"tool": "github/create_pull_request", "arguments": {"title": "…"}}),
    }
}

impl MetaCall {
    /// Reads a call of a meta-tool.
    ///
    /// # Errors
    /// Where the name is not one of the three or the arguments can be read in no or in several ways.
    pub fn parse(name: &str, arguments: Option<Value>) -> Result<Self, RequestError> {
        match name {
            SEARCH => parse_search(object(SEARCH, arguments)?).map(Self::Search),
            DESCRIBE => parse_describe(object(DESCRIBE, arguments)?).map(Self::Describe),
            CALL => parse_call(object(CALL, arguments)?).map(Self::Call),
            _ => Err(RequestError::UnknownMetaTool { name: name.into() }),
        }
    }
}

impl CallRequest {
    /// Reads a call of a pinned tool: all of its arguments are the tool's own.
    ///
    /// # Errors
    /// Where the arguments are no object.
    pub fn of_pin(name: &str, tool: &ToolId, arguments: Option<Value>) -> Result<Self, RequestError> {
        Ok(Self {
            tool: tool.to_string(),
            arguments: any_object(arguments).ok_or_else(|| RequestError::PinNotAnObject { name: name.into() })?,
            beside: JsonObject::new(),
            select: None,
            max_tokens: None,
            pinned_as: Some(name.into()),
        })
    }
}

fn object(meta: &'static str, value: Option<Value>) -> Result<JsonObject, RequestError> {
    any_object(value).ok_or(RequestError::NotAnObject { meta })
}

/// An object, also where it came as a string that holds one.
fn any_object(value: Option<Value>) -> Option<JsonObject> {
    match value {
        None | Some(Value::Null) => Some(JsonObject::new()),
        Some(Value::Object(object)) => Some(object),
        Some(Value::String(text)) => parsed_object(&text),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_)) => None,
    }
}

fn parsed_object(text: &str) -> Option<JsonObject> {
    if text.trim().is_empty() {
        return Some(JsonObject::new());
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Some(object),
        // Twice encoded: seen of models that escape what they quote.
        Ok(Value::String(inner)) => match serde_json::from_str(&inner) {
            Ok(Value::Object(object)) => Some(object),
            _ => None,
        },
        _ => None,
    }
}

fn parse_search(mut object: JsonObject) -> Result<SearchRequest, RequestError> {
    let mut query = optional_text(SEARCH, "query", object.remove("query"))?.unwrap_or_default();
    if query.len() > MAX_QUERY_BYTES {
        query.truncate(query.floor_char_boundary(MAX_QUERY_BYTES));
    }
    let server = optional_text(SEARCH, "server", object.remove("server"))?.filter(|server| !server.trim().is_empty());
    let limit = optional_count(SEARCH, "limit", object.remove("limit"))?.map(|limit| limit.clamp(1, MAX_LIMIT));
    Ok(SearchRequest { query: query.trim().into(), server, limit, explain: false })
}

fn parse_describe(mut object: JsonObject) -> Result<DescribeRequest, RequestError> {
    const EXPECTED: &str = "an array of tool names";
    let named = ["tools", "tool", "name", "names"].into_iter().find_map(|key| object.remove(key));
    let Some(value) = named else {
        return Err(RequestError::Missing { meta: DESCRIBE, name: "tools" });
    };
    let wrong = || RequestError::WrongType { meta: DESCRIBE, name: "tools", expected: EXPECTED };
    let items = match value {
        Value::Array(items) => items,
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Array(items)) => items,
            _ => text.split(',').map(|part| Value::String(part.trim().into())).collect(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return Err(wrong()),
    };
    let mut tools = Vec::with_capacity(items.len());
    for item in items {
        let name = item.as_str().ok_or_else(wrong)?.trim().to_owned();
        if !name.is_empty() && !tools.contains(&name) {
            tools.push(name);
        }
    }
    if tools.is_empty() {
        return Err(RequestError::Missing { meta: DESCRIBE, name: "tools" });
    }
    Ok(DescribeRequest { tools })
}

fn parse_call(mut object: JsonObject) -> Result<CallRequest, RequestError> {
    let mut arguments = match object.remove("arguments") {
        None | Some(Value::Null) => None,
        Some(Value::Object(arguments)) => Some(arguments),
        Some(Value::String(text)) => Some(parsed_object(&text).ok_or(RequestError::WrongType {
            meta: CALL,
            name: "arguments",
            expected: "an object",
        })?),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
            return Err(RequestError::WrongType { meta: CALL, name: "arguments", expected: "an object" });
        }
    };
    let tool = match object.remove("tool") {
        Some(tool) => tool,
        // `tool` put inside `arguments`, or called by another gateway's word for it.
        None => {
            match arguments.as_mut().and_then(|inner| inner.remove("tool")).or_else(|| object.remove("tool_name")) {
                Some(tool) => tool,
                None => object.remove("name").ok_or(RequestError::Missing { meta: CALL, name: "tool" })?,
            }
        }
    };
    let tool = tool
        .as_str()
        .map(|tool| tool.trim().to_owned())
        .filter(|tool| !tool.is_empty())
        .ok_or(RequestError::WrongType { meta: CALL, name: "tool", expected: "a tool's name as text" })?;
    let select = optional_text(CALL, "select", object.remove("select"))?.filter(|select| !select.trim().is_empty());
    let max_tokens = optional_count(CALL, "max_tokens", object.remove("max_tokens"))?;
    // What is left stands beside `tool`: the arguments themselves, flattened, unless `arguments` is there too.
    let (arguments, beside) = match arguments {
        Some(arguments) => (arguments, object),
        None => (object, JsonObject::new()),
    };
    Ok(CallRequest { tool, arguments, beside, select, max_tokens, pinned_as: None })
}

fn optional_text(meta: &'static str, name: &'static str, value: Option<Value>) -> Result<Option<String>, RequestError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        // `["read a file", "post it"]` for a query: the words are what counts.
        Some(Value::Array(parts)) if parts.iter().all(Value::is_string) => {
            Ok(Some(parts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")))
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Array(_)) => {
            Err(RequestError::WrongType { meta, name, expected: "text" })
        }
    }
}

fn optional_count(meta: &'static str, name: &'static str, value: Option<Value>) -> Result<Option<usize>, RequestError> {
    let wrong = RequestError::WrongType { meta, name, expected: "a whole number above 0" };
    let number = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => None,
    };
    match number {
        // The cast saturates; what is larger than any list is as good as the largest.
        Some(count) if count >= 1.0 => Ok(Some(count as usize)),
        _ => Err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn call(arguments: Value) -> Result<CallRequest, RequestError> {
        match MetaCall::parse(CALL, Some(arguments))? {
            MetaCall::Call(call) => Ok(call),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn arguments_sent_as_a_string_flattened_or_with_the_tool_inside_mean_the_same() {
        let meant = call(json!({"tool": "a/b", "arguments": {"x": 1}})).unwrap();
        for variant in [
            json!({"tool": "a/b", "arguments": "{\"x\": 1}"}),
            json!({"tool": "a/b", "arguments": "\"{\\\"x\\\": 1}\""}),
            json!({"tool": "a/b", "x": 1}),
            json!({"tool": " a/b ", "arguments": {"x": 1}}),
            json!({"arguments": {"tool": "a/b", "x": 1}}),
            json!({"tool_name": "a/b", "arguments": {"x": 1}}),
            json!("{\"tool\": \"a/b\", \"arguments\": {\"x\": 1}}"),
        ] {
            assert_eq!(call(variant.clone()).as_ref(), Ok(&meant), "{variant}");
        }
    }

    #[test]
    fn a_tools_own_name_argument_is_not_taken_for_the_tool() {
        let call = call(json!({"tool": "a/b", "name": "Ada"})).unwrap();
        assert_eq!(call.arguments, *json!({"name": "Ada"}).as_object().unwrap());
    }

    #[test]
    fn errors_show_a_call_that_works() {
        let error = call(json!({"arguments": {}})).unwrap_err();
        insta::assert_snapshot!(error, @r#"call_tool needs `tool`, like {"tool":"github/create_pull_request","arguments":{"title":"…"}}"#);
        let error = MetaCall::parse("create_issue", None).unwrap_err();
        insta::assert_snapshot!(error, @r#"there is no tool `create_issue` here; the tools are search_tools, describe_tool and call_tool. To run a tool of a server: call_tool {"tool":"create_issue","arguments":{}}"#);
    }

    #[test]
    fn one_tool_to_describe_may_come_as_text() {
        for tools in [json!("a/b"), json!(["a/b", "a/b"]), json!("[\"a/b\"]")] {
            let parsed = MetaCall::parse(DESCRIBE, Some(json!({"tools": tools}))).unwrap();
            assert_eq!(parsed, MetaCall::Describe(DescribeRequest { tools: vec!["a/b".into()] }));
        }
    }

    #[test]
    fn a_limit_out_of_range_is_brought_into_range() {
        for (given, taken) in
            [(json!(100), Some(20)), (json!("3"), Some(3)), (json!(null), None), (json!(2.0), Some(2))]
        {
            let parsed = MetaCall::parse(SEARCH, Some(json!({"query": "x", "limit": given}))).unwrap();
            let MetaCall::Search(search) = parsed else { panic!("{parsed:?}") };
            assert_eq!(search.limit, taken);
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("(tool|tools|query|arguments|limit|select|\\PC{0,6})", inner), 0..4)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_arguments_make_it_panic(name in "(search_tools|describe_tool|call_tool|x)", arguments in any_json()) {
            let _ = MetaCall::parse(&name, Some(arguments));
        }
    }
}
