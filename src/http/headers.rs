//! Headers that repeat what the body says, for whatever stands in between and does not read bodies. They must agree: somebody may have
//! decided by the one what we do by the other.

use axum::http::{HeaderMap, HeaderName};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::guard;
use crate::catalog::JsonObject;

/// The protocol version of a request.
pub(super) const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// Begins the headers that repeat arguments.
const PARAM: &str = "mcp-param-";

/// Marks a property of a schema whose argument is repeated in a header.
const ANNOTATION: &str = "x-mcp-header";

/// How deep annotated properties may lie. Real ones lie at the top.
const MAX_DEPTH: usize = 16;

/// Compares the headers with a request of the modern era. `schema` knows the input schema of a tool, if anybody does.
///
/// # Errors
/// What does not agree.
pub(super) fn agree(
    headers: &HeaderMap,
    message: &Value,
    schema: impl FnOnce(&str) -> Option<JsonObject>,
) -> Result<(), String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let params = message.get("params");
    let Some(method) = text(message.get("method")) else { return Ok(()) };
    let said = single(headers, &METHOD)?.ok_or("the Mcp-Method header is missing")?;
    if said != method {
        return Err("the Mcp-Method header differs from the body's `method`".into());
    }
    let Some(key) = named_by(&method) else { return Ok(()) };
    let Some(name) = text(params.and_then(|params| params.get(key))) else { return Ok(()) };
    let said = single(headers, &NAME)?.ok_or_else(|| format!("the Mcp-Name header is missing; `{method}` needs it"))?;
    if decoded(said).as_deref() != Some(name.as_str()) {
        return Err(format!("the Mcp-Name header differs from the body's `{key}`"));
    }
    if method == "tools/call"
        && let Some(schema) = schema(&name)
    {
        let arguments = params.and_then(|params| params.get("arguments"));
        return agree_on_arguments(headers, &schema, arguments, MAX_DEPTH);
    }
    Ok(())
}

/// Which parameter of a method stands in `Mcp-Name`.
fn named_by(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    }
}

/// Properties at the end of a chain of `properties` may name a header that repeats their argument.
fn agree_on_arguments(
    headers: &HeaderMap,
    schema: &JsonObject,
    arguments: Option<&Value>,
    depth: usize,
) -> Result<(), String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let argument = arguments.and_then(|arguments| arguments.get(name)).filter(|argument| !argument.is_null());
        if let Some(suffix) = property.get(ANNOTATION).and_then(Value::as_str)
            && let Ok(header) = HeaderName::try_from(format!("{PARAM}{suffix}"))
        {
            agree_on_argument(headers, &header, name, argument)?;
        }
        if let Some(nested) = property.as_object().filter(|_| depth > 0) {
            agree_on_arguments(headers, nested, argument, depth - 1)?;
        }
    }
    Ok(())
}

fn agree_on_argument(
    headers: &HeaderMap,
    header: &HeaderName,
    name: &str,
    argument: Option<&Value>,
) -> Result<(), String> {
    let argument = argument.and_then(|argument| match argument {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(argument.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    });
    match (single(headers, header)?, argument) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(format!("the {header} header is there, but no argument `{name}`")),
        (None, Some(_)) => Err(format!("the {header} header is missing; the argument `{name}` needs it")),
        (Some(said), Some(argument)) => {
            let said = decoded(said).ok_or_else(|| format!("the {header} header cannot be decoded"))?;
            if said == argument || is_same_number(&said, &argument) {
                Ok(())
            } else {
                Err(format!("the {header} header differs from the argument `{name}`"))
            }
        }
    }
}

/// `42.0` is `42`.
fn is_same_number(one: &str, other: &str) -> bool {
    matches!((one.parse::<f64>(), other.parse::<f64>()), (Ok(one), Ok(other)) if one == other)
}

fn single<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, String> {
    guard::only(headers, name).map_err(|()| format!("the {name} header is there twice, or is no visible ASCII"))
}

/// A value that does not fit a header comes in Base64, between marks.
fn decoded(said: &str) -> Option<String> {
    match said.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded).ok()?).ok(),
        None => Some(said.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    fn call(name: &str, arguments: &Value) -> Value {
        json!({"method": "tools/call", "params": {"name": name, "arguments": arguments}})
    }

    fn plain(pairs: &[(&str, &str)], message: &Value) -> Result<(), String> {
        agree(&headers(pairs), message, |_| None)
    }

    #[test]
    fn method_and_name_must_be_there_and_agree() {
        let list = json!({"method": "tools/list"});
        assert_eq!(plain(&[("Mcp-Method", "tools/list")], &list), Ok(()));
        for wrong in [vec![], vec![("mcp-method", "TOOLS/LIST")], vec![("mcp-method", "tools/list"); 2]] {
            assert!(wrong.len() == 2 || plain(&wrong, &list).is_err(), "{wrong:?}");
        }
        let mut twice = headers(&[("mcp-method", "tools/list")]);
        twice.append(METHOD, HeaderValue::from_static("tools/list"));
        assert!(agree(&twice, &list, |_| None).is_err());
        let search = call("search_tools", &json!({}));
        let with = |name| plain(&[("mcp-method", "tools/call"), ("mcp-name", name)], &search);
        assert_eq!(with("search_tools"), Ok(()));
        assert_eq!(with("=?base64?c2VhcmNoX3Rvb2xz?="), Ok(()));
        for wrong in ["other", "Search_tools", "=?base64?c2VhcmNo?=", "=?base64?!?=", "=?base64?/w==?="] {
            assert!(with(wrong).is_err(), "{wrong}");
        }
        assert!(plain(&[("mcp-method", "tools/call")], &search).is_err());
        let read = json!({"method": "resources/read", "params": {"uri": "note://ü"}});
        let uri = [("mcp-method", "resources/read"), ("mcp-name", "=?base64?bm90ZTovL8O8?=")];
        assert_eq!(plain(&uri, &read), Ok(()));
    }

    #[test]
    fn annotated_arguments_must_agree_where_the_schema_is_known() {
        let schema = json!({"properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "deep": {"properties": {"count": {"type": "integer", "x-mcp-header": "Count"}}},
            "odd": {"x-mcp-header": "no header"},
        }});
        let check = |pairs: &[(&str, &str)], arguments: Value| {
            let base = [("mcp-method", "tools/call"), ("mcp-name", "query")];
            let all: Vec<(&str, &str)> = base.iter().chain(pairs).copied().collect();
            agree(&headers(&all), &call("query", &arguments), |_| schema.as_object().cloned())
        };
        let region = ("mcp-param-region", "west");
        assert_eq!(check(&[region], json!({"region": "west"})), Ok(()));
        assert_eq!(check(&[], json!({"region": null, "odd": "x"})), Ok(()));
        assert_eq!(check(&[("Mcp-Param-Count", "42.0")], json!({"deep": {"count": 42}})), Ok(()));
        assert!(check(&[], json!({"region": "west"})).is_err());
        assert!(check(&[region], json!({"region": "east"})).is_err());
        assert!(check(&[region], json!({})).is_err());
        assert!(check(&[("mcp-param-region", "=?base64?!?=")], json!({"region": "west"})).is_err());
    }
}
