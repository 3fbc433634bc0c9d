//! What is repeated in headers, how it is written, and what may not be annotated.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn call(arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "query", "arguments": arguments}})
}

fn shown(headers: &[(HeaderName, HeaderValue)]) -> Vec<String> {
    headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
}

fn learned(schema: &Value) -> Mirror {
    let mirror = Mirror::default();
    mirror.learn("query", schema);
    mirror
}

fn decoded(value: &HeaderValue) -> String {
    let text = value.to_str().unwrap();
    match text.strip_prefix(ENCODED.0).and_then(|text| text.strip_suffix(ENCODED.1)) {
        Some(inner) => String::from_utf8(BASE64_STANDARD.decode(inner).unwrap()).unwrap(),
        None => text.to_owned(),
    }
}

#[test]
fn annotated_arguments_are_repeated_from_where_they_stand() {
    let mirror = learned(&json!({"type": "object", "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "text": {"type": "string"},
        "limit": {"type": "integer", "x-mcp-header": "Limit"},
        "dry": {"type": "boolean", "x-mcp-header": "Dry-Run"},
        "note": {"type": ["string", "null"], "x-mcp-header": "Note"},
        "tenant": {"type": "object", "properties": {"id": {"type": "string", "x-mcp-header": "Tenant"}}},
    }}));
    let arguments =
        json!({"region": "eu-1", "text": "x", "limit": 42.0, "dry": false, "note": null, "tenant": {"id": "t 1"}});
    insta::assert_snapshot!(shown(&mirror.headers(&call(&arguments))).join("\n"), @r"
    mcp-method: tools/call
    mcp-name: query
    mcp-param-region: eu-1
    mcp-param-limit: 42
    mcp-param-dry-run: false
    mcp-param-tenant: t 1
    ");
    // What is not where the schema has it is not repeated, nor is what no header can hold.
    let elsewhere = json!({"id": "t", "region": ["eu-1"], "tenant": "t"});
    assert_eq!(shown(&mirror.headers(&call(&elsewhere))).len(), 2);
}

#[test]
fn what_is_no_plain_text_is_encoded() {
    let mirror = learned(&json!({"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}));
    let written = |text: &str| {
        let headers = mirror.headers(&call(&json!({"a": text})));
        headers[2].1.to_str().unwrap().to_owned()
    };
    assert_eq!(written("us-west1"), "us-west1");
    assert_eq!(written(""), "");
    assert_eq!(written("Hello, 世界"), "=?base64?SGVsbG8sIOS4lueVjA==?=");
    assert_eq!(written(" padded "), "=?base64?IHBhZGRlZCA=?=");
    assert_eq!(written("line1\nline2"), "=?base64?bGluZTEKbGluZTI=?=");
    assert_eq!(written("=?base64?literal?="), "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
    let named = json!({"method": "resources/read", "params": {"uri": "note://täglich", "name": "x"}});
    assert_eq!(
        shown(&mirror.headers(&named)),
        ["mcp-method: resources/read", "mcp-name: =?base64?bm90ZTovL3TDpGdsaWNo?="]
    );
    let unnamed = json!({"method": "completion/complete", "params": {"name": "x"}});
    assert_eq!(shown(&mirror.headers(&unnamed)), ["mcp-method: completion/complete"]);
}

#[test]
fn a_tool_with_an_annotation_against_the_rules_is_left_out_and_the_others_stay() {
    let wrong = [
        json!({"x-mcp-header": "Root"}),
        json!({"properties": {"a": {"type": "string", "x-mcp-header": ""}}}),
        json!({"properties": {"a": {"type": "string", "x-mcp-header": "two words"}}}),
        json!({"properties": {"a": {"type": "string", "x-mcp-header": "line\r\nbreak"}}}),
        json!({"properties": {"a": {"type": "string", "x-mcp-header": 1}}}),
        json!({"properties": {"a": {"type": "number", "x-mcp-header": "A"}}}),
        json!({"properties": {"a": {"type": "object", "x-mcp-header": "A"}}}),
        json!({"properties": {"a": {"type": ["null"], "x-mcp-header": "A"}}}),
        json!({"properties": {"a": {"x-mcp-header": "A"}}}),
        json!({"properties": {"a": {"type": "string", "x-mcp-header": "A"}, "b": {"type": "string", "x-mcp-header": "a"}}}),
        json!({"properties": {"a": {"type": "array", "items": {"type": "string", "x-mcp-header": "A"}}}}),
        json!({"properties": {"a": {"anyOf": [{"type": "string", "x-mcp-header": "A"}]}}}),
        json!({"properties": {"a": {"then": {"properties": {"b": {"type": "string", "x-mcp-header": "A"}}}}}}),
        json!({"$defs": {"default": {"type": "string", "x-mcp-header": "A"}}}),
    ];
    let good = json!({"properties": {
        "x-mcp-header": {"type": "string", "x-mcp-header": "Odd"},
        "b": {"type": "object", "default": {"x-mcp-header": "data"}},
    }});
    let mirror = Mirror::default();
    let mut list: Vec<Value> = wrong.iter().map(|schema| json!({"name": "wrong", "inputSchema": schema})).collect();
    list.extend([json!({"name": "query", "inputSchema": good}), json!({"name": "none"}), json!("no tool at all")]);
    let unusable = mirror.learn_list(&mut list);
    assert_eq!(unusable.len(), wrong.len());
    assert_eq!(unusable[1].reason, "x-mcp-header of `a` is no name of a header");
    assert_eq!(list.len(), 3);
    let headers = mirror.headers(&call(&json!({"x-mcp-header": "v"})));
    assert_eq!(shown(&headers)[2], "mcp-param-odd: v");
}

proptest! {
    #[test]
    fn any_text_survives_a_header(text in any::<String>()) {
        let value = encoded(&text).unwrap();
        prop_assert!(value.as_bytes().iter().all(|byte| (b' '..=b'~').contains(byte)));
        prop_assert_eq!(decoded(&value), text);
    }
}
