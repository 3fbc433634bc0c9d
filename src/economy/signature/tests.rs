//! Signatures of a wide set of schemas, and the round trip that holds their promise.

use serde_json::{Map, Value, json};

use crate::economy::{describe, promises, samples, signature::*, tokens};

/// Each name with a schema of one property `x`, or a whole input schema where the value says `properties`.
fn zoo() -> Vec<(&'static str, Value)> {
    vec![
        ("plain", json!({ "type": "string" })),
        ("enumeration", json!({ "type": "string", "enum": ["open", "closed"], "default": "open" })),
        ("constant", json!({ "const": "v2" })),
        ("range", json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 30 })),
        ("at_least", json!({ "type": "integer", "minimum": 0 })),
        ("exclusive", json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1.5 })),
        ("draft4_exclusive", json!({ "type": "number", "minimum": 0, "exclusiveMinimum": true })),
        ("whole_exclusive", json!({ "type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10.0 })),
        (
            "safe_integer",
            json!({ "type": "integer", "minimum": -9007199254740991_i64, "maximum": 9007199254740991_i64 }),
        ),
        ("steps", json!({ "type": "integer", "multipleOf": 5 })),
        ("length", json!({ "type": "string", "minLength": 1, "maxLength": 64 })),
        ("exact_length", json!({ "type": "string", "minLength": 2, "maxLength": 2 })),
        ("pattern", json!({ "type": "string", "pattern": "^[a-z]+/[0-9]+$" })),
        ("long_pattern", json!({ "type": "string", "pattern": format!("^({})$", "abc|".repeat(40)) })),
        ("format", json!({ "type": "string", "format": "date-time" })),
        (
            "format_spelled_out",
            json!({ "type": "string", "format": "email", "pattern": "^(?!\\.)(?!.*\\.\\.)([A-Za-z0-9_'+\\-\\.]*)[A-Za-z0-9_+-]@([A-Za-z0-9][A-Za-z0-9\\-]*\\.)+[A-Za-z]{2,}$" }),
        ),
        ("format_with_own_rule", json!({ "type": "string", "format": "date", "pattern": "^2026-" })),
        ("unknown_format", json!({ "type": "string", "format": "color" })),
        ("nullable_union", json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] })),
        ("not_given", json!({ "anyOf": [{ "type": "string" }, { "type": "null" }], "default": null })),
        ("openapi_nullable", json!({ "type": "string", "nullable": true })),
        ("type_list", json!({ "type": ["string", "integer", "null"] })),
        ("list", json!({ "type": "array", "items": { "type": "string" } })),
        (
            "list_of_enum",
            json!({ "type": "array", "items": { "enum": ["a", "b"] }, "minItems": 1, "uniqueItems": true }),
        ),
        ("list_of_anything", json!({ "type": "array" })),
        (
            "tuple",
            json!({ "type": "array", "prefixItems": [{ "type": "number" }, { "type": "string" }], "items": false }),
        ),
        (
            "tuple_with_rest",
            json!({ "type": "array", "prefixItems": [{ "type": "number" }], "items": { "type": ["string", "null"] } }),
        ),
        (
            "tuple_with_few_more",
            json!({ "type": "array", "prefixItems": [{ "type": "number" }], "items": { "type": "string" }, "minItems": 1, "maxItems": 3 }),
        ),
        ("steps_of_one", json!({ "type": "number", "multipleOf": 1 })),
        (
            "format_with_long_rule",
            json!({ "type": "string", "format": "uuid", "pattern": format!("^({})", "0a|".repeat(40)) }),
        ),
        ("equal_numbers", json!({ "oneOf": [{ "const": 1 }, { "const": 1.0 }] })),
        ("unknown_keyword", json!({ "type": "string", "mustRhyme": true })),
        ("untyped_branch", json!({ "oneOf": [{ "type": "string" }, { "minimum": 3 }] })),
        (
            "named_and_by_pattern",
            json!({ "type": "object", "properties": { "x-a": { "type": "string" } }, "patternProperties": { "^x-": { "maxLength": 3 } } }),
        ),
        (
            "named_beside_pattern",
            json!({ "type": "object", "properties": { "a": { "type": "string" } }, "patternProperties": { "^x-": { "type": "null" } }, "additionalProperties": false }),
        ),
        (
            "forbidden_but_required",
            json!({ "type": "object", "properties": {}, "required": ["a"], "additionalProperties": false }),
        ),
        ("map", json!({ "type": "object", "additionalProperties": { "type": "number" } })),
        (
            "map_of_names",
            json!({ "type": "object", "propertyNames": { "enum": ["a", "b"] }, "additionalProperties": { "type": "string" } }),
        ),
        (
            "map_of_pattern",
            json!({ "type": "object", "patternProperties": { "^x-": { "type": "string" } }, "additionalProperties": false }),
        ),
        ("any_object", json!({ "type": "object" })),
        ("no_object", json!({ "type": "object", "additionalProperties": false })),
        (
            "nested",
            json!({ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "array", "items": { "type": "number" } } }, "required": ["a"] }),
        ),
        ("undeclared_required", json!({ "type": "object", "properties": {}, "required": ["a"] })),
        ("any", json!({})),
        ("anything", json!(true)),
        ("implied_object", json!({ "properties": { "a": { "type": "boolean" } } })),
        ("implied_number", json!({ "minimum": 3 })),
        (
            "disjoint_one_of",
            json!({ "oneOf": [{ "type": "object", "properties": { "kind": { "const": "a" }, "n": { "type": "integer" } }, "required": ["kind"] }, { "type": "object", "properties": { "kind": { "const": "b" } }, "required": ["kind"] }] }),
        ),
        ("overlapping_one_of", json!({ "oneOf": [{ "type": "integer" }, { "type": "number" }] })),
        ("constants", json!({ "oneOf": [{ "const": 1, "title": "low" }, { "const": 2, "title": "high" }] })),
        (
            "all_of",
            json!({ "allOf": [{ "type": "object", "properties": { "a": { "type": "string" } }, "required": ["a"] }, { "properties": { "b": { "type": "string" } } }] }),
        ),
        ("contradiction", json!({ "allOf": [{ "type": "string" }, { "type": "integer" }] })),
        ("negation", json!({ "type": "string", "not": { "const": "x" } })),
        (
            "condition",
            json!({ "type": "object", "properties": { "a": { "type": "string" } }, "if": { "required": ["a"] }, "then": { "required": ["b"] } }),
        ),
        (
            "base_with_branches",
            json!({ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "string" } }, "anyOf": [{ "required": ["a"] }, { "required": ["b"] }] }),
        ),
        ("long_default", json!({ "type": "string", "default": "a default that is far too long for a signature" })),
        ("hidden", json!({ "enum": ["a\u{200b}b", "c\u{202e}d"] })),
        (
            "odd_property",
            json!({ "type": "object", "properties": { "Parameter1.Name": { "type": "string" }, "start-date": { "type": "string" }, "2x": { "type": "string" } } }),
        ),
        (
            "reference",
            json!({ "type": "object", "properties": { "x": { "$ref": "#/$defs/Point" } }, "required": ["x"], "$defs": { "Point": { "type": "object", "properties": { "lat": { "type": "number" } }, "required": ["lat"] } } }),
        ),
        (
            "reference_to_property",
            json!({ "type": "object", "properties": { "x": { "type": "string", "enum": ["a"] }, "y": { "$ref": "#/properties/x" } } }),
        ),
        (
            "recursion",
            json!({ "type": "object", "properties": { "x": { "$ref": "#/definitions/Node" } }, "definitions": { "Node": { "type": "object", "properties": { "name": { "type": "string" }, "children": { "type": "array", "items": { "$ref": "#/definitions/Node" } } } } } }),
        ),
        (
            "remote_reference",
            json!({ "type": "object", "properties": { "x": { "$ref": "https://example.org/schema" } } }),
        ),
        (
            "root_branches",
            json!({ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "string" } }, "anyOf": [{ "required": ["a"] }, { "required": ["b"] }] }),
        ),
        ("root_map", json!({ "type": "object", "properties": {}, "additionalProperties": { "type": "string" } })),
        ("no_parameters", json!({ "type": "object", "properties": {} })),
        ("bare", json!({ "type": "object" })),
    ]
}

fn zoo_tool(name: &str, schema: Value) -> ToolEntry {
    let is_whole = [
        "reference",
        "reference_to_property",
        "recursion",
        "remote_reference",
        "root_branches",
        "root_map",
        "no_parameters",
        "bare",
    ];
    if is_whole.contains(&name) {
        samples::tool(&format!("zoo/{name}"), "", schema)
    } else {
        samples::with(&format!("zoo/{name}"), if name == "not_given" { &[] } else { &["x"] }, json!({ "x": schema }))
    }
}

#[test]
fn every_kind_of_schema_has_its_signature() {
    let lines: Vec<String> = zoo()
        .into_iter()
        .map(|(name, schema)| {
            let signature = signature(&zoo_tool(name, schema));
            assert_eq!(signature.complete, !signature.text.contains('…'), "{}", signature.text);
            signature.text
        })
        .collect();
    insta::assert_snapshot!("zoo", lines.join("\n"));
}

#[test]
fn required_parameters_come_first_each_group_in_schema_order() {
    let tool = samples::with(
        "github/list_issues",
        &["repo", "owner"],
        json!({
            "state": { "enum": ["open", "closed"] }, "owner": { "type": "string" },
            "limit": { "type": "integer", "default": 30 }, "repo": { "type": "string" },
        }),
    );
    insta::assert_snapshot!(signature(&tool).text, @r#"github/list_issues(owner: string, repo: string, state?: "open"|"closed", limit?: integer = 30)"#);
}

#[test]
fn a_huge_enumeration_is_shown_in_part_with_the_number_of_the_others() {
    let zones: Vec<String> = (0..306).map(|at| format!("Zone/Number_{at}")).collect();
    let signature = signature(&samples::with("a/b", &["zone"], json!({ "zone": { "enum": zones } })));
    insta::assert_snapshot!(signature.text, @r#"a/b(zone: "Zone/Number_0"|"Zone/Number_1"|"Zone/Number_2"|"Zone/Number_3"|"Zone/Number_4"|"Zone/Number_5"|"Zone/Number_6"|"Zone/Number_7"|"Zone/Number_8"|"Zone/Number_9"|"Zone/Number_10"|"Zone/Number_11"|…+294)"#);
    assert!(!signature.complete);
}

#[test]
fn what_does_not_fit_gives_way_from_the_end_and_is_counted() {
    let mut properties = Map::new();
    for at in 0..205 {
        properties.insert(format!("Parameter{at}.Name"), json!({ "type": "string" }));
    }
    let signature = signature(&samples::with("twilio/CreateStream", &[], Value::Object(properties)));
    assert!(signature.text.len() < MAX_SIGNATURE_BYTES + 40, "{}", signature.text);
    assert!(
        signature.text.ends_with(&")") && signature.text.contains("…+") && !signature.complete,
        "{}",
        signature.text
    );
}

#[test]
fn required_parameters_that_do_not_fit_are_counted_as_such() {
    let names: Vec<String> = (0..60).map(|at| format!("required_parameter_{at}")).collect();
    let properties: Map<String, Value> =
        names.iter().cloned().chain(["more".to_owned()]).map(|name| (name, json!({ "type": "string" }))).collect();
    let required: Vec<&str> = names.iter().map(String::as_str).collect();
    let signature = signature(&samples::with("a/b", &required, Value::Object(properties)));
    assert!(signature.text.ends_with("…+49 (48 required))"), "{}", signature.text);
}

#[test]
fn deep_objects_are_folded_before_parameters_are_dropped() {
    let deep = json!({ "type": "object", "properties": { "a": { "type": "object", "properties": { "b": { "type": "object", "properties": {
        "description_of_the_first": { "type": "string" }, "description_of_the_second": { "type": "string" } } } } } } });
    let properties = json!({ "one": deep, "two": deep, "three": deep, "four": deep, "five": deep });
    insta::assert_snapshot!(signature(&samples::with("a/b", &[], properties)).text, @r#"a/b(one?: {a?: {b?: {…}}}, two?: {a?: {b?: {…}}}, three?: {a?: {b?: {…}}}, four?: {a?: {b?: {…}}}, five?: {a?: {b?: {…}}})"#);
}

#[test]
fn a_hostile_schema_costs_a_bounded_amount_of_work() {
    let mut definitions = Map::new();
    for at in 0..30 {
        let next = json!({ "$ref": format!("#/$defs/d{}", at + 1) });
        definitions
            .insert(format!("d{at}"), json!({ "type": "object", "properties": { "a": next, "b": next, "c": next } }));
    }
    definitions.insert("d30".into(), json!({ "type": "string" }));
    let schema = json!({ "type": "object", "properties": { "x": { "$ref": "#/$defs/d0" } }, "$defs": definitions });
    let tool = samples::tool("a/b", "", schema);
    assert!(!signature(&tool).complete);
    assert!(describe(&tool).contains("schema"));
}

#[test]
fn a_signature_is_a_fraction_of_its_schema() {
    let tool = samples::with(
        "github/create_issue",
        &["owner", "repo", "title"],
        json!({
            "owner": { "type": "string", "description": "Repository owner" }, "repo": { "type": "string", "description": "Repository name" },
            "title": { "type": "string", "description": "Issue title" }, "body": { "type": "string", "description": "Issue body" },
            "labels": { "type": "array", "items": { "type": "string" }, "description": "Labels to apply" },
        }),
    );
    let text = signature(&tool).text;
    insta::assert_snapshot!(format!("{} of {}: {text}", tokens::count(&text), tokens::count(&tool.input_schema().to_string())), @r#"23 of 84: github/create_issue(owner: string, repo: string, title: string, body?: string, labels?: string[])"#);
}

#[test]
fn arguments_written_by_the_signatures_of_the_zoo_are_valid() {
    for (name, schema) in zoo() {
        promises::check(&zoo_tool(name, schema)).unwrap();
    }
}
