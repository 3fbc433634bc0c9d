//! Bad lists, each with what is taken of it and what is said of the rest.

use std::time::UNIX_EPOCH;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::catalog::Era;

fn raw(tools: Vec<Value>) -> RawListing {
    RawListing {
        era: Era::Legacy,
        protocol_version: "2025-06-18".into(),
        server_info: JsonObject::new(),
        capabilities: JsonObject::new(),
        instructions: None,
        tools,
        prompts: vec![],
        resources: vec![],
        resource_templates: vec![],
        notes: vec![],
    }
}

fn read(raw: RawListing) -> ServerEntry {
    ServerEntry::read("s".parse().unwrap(), raw, UNIX_EPOCH)
}

fn quarantined(entry: &ServerEntry) -> String {
    entry.quarantined.iter().map(|item| format!("{}: {}\n", item.name, item.reason)).collect()
}

fn names(entry: &ServerEntry) -> Vec<&str> {
    entry.tools.iter().map(|tool| tool.name().as_str()).collect()
}

/// `{"a":{"a":…}}`, this many levels of it.
fn nested(levels: usize) -> Value {
    (1..levels).fold(json!({}), |inside, _| json!({ "a": inside }))
}

#[test]
fn each_malformed_tool_is_named_with_its_reason_and_the_others_live() {
    let entry = read(raw(vec![
        json!({ "name": "first", "inputSchema": { "type": "object" }, "unknown": [1, { "kept": null }] }),
        json!("no object"),
        json!({ "description": "no name" }),
        json!({ "name": 7 }),
        json!({ "name": "" }),
        json!({ "name": "x".repeat(257) }),
        json!({ "name": "bell\u{7}" }),
        json!({ "name": "cre\u{200d}ate" }),
        json!({ "name": "first", "description": "a second one" }),
        json!({ "name": "true", "inputSchema": true }),
        json!({ "name": "null", "inputSchema": null }),
        json!({ "name": "text", "inputSchema": { "type": "string" } }),
        json!({ "name": "deep", "inputSchema": nested(64) }),
        json!({ "name": "large", "description": "x".repeat(256 * 1024) }),
        json!({ "name": "no schema" }),
        json!({ "name": "several types", "inputSchema": { "type": ["null", "object"] } }),
        json!({ "name": "no type", "inputSchema": { "properties": {} } }),
    ]));
    assert_eq!(names(&entry), ["first", "no schema", "several types", "no type"]);
    assert_eq!(entry.tools[0].definition()["unknown"], json!([1, { "kept": null }]));
    insta::assert_snapshot!(quarantined(&entry).replace(&"x".repeat(200), "x*200"), @r"
    #2: a tool is not a JSON object
    #3: a tool has no `name` text
    #4: a tool has no `name` text
    #5: a tool name cannot be empty
    x*200…: the tool name has 257 bytes; at most 256 are allowed
    bell\u{7}: a tool name cannot hold a control character (byte 4)
    cre\u{200d}ate: its name holds the invisible character U+200D
    first: a tool of this `name` is already in the list; the first one counts
    true: its `inputSchema` is not a JSON object
    null: its `inputSchema` is not a JSON object
    text: its `inputSchema` does not take an object
    deep: its definition is nested deeper than 64 levels
    large: its definition is larger than 256 KiB
    ");
}

#[test]
fn a_broken_tool_does_not_shut_out_a_sound_one_of_its_name() {
    let entry = read(raw(vec![json!({ "name": "t", "inputSchema": 1 }), json!({ "name": "t", "title": "sound" })]));
    assert_eq!(entry.tools[0].title(), Some("sound"));
}

#[test]
fn limits_hold_exactly() {
    let sized = |bytes: usize| json!({ "name": "t", "d": "x".repeat(bytes - r#"{"name":"t","d":""}"#.len()) });
    for (tool, taken) in [
        (sized(MAX_DEFINITION_BYTES - 1), true),
        (sized(MAX_DEFINITION_BYTES), true),
        (sized(MAX_DEFINITION_BYTES + 1), false),
        (json!({ "name": "t", "inputSchema": nested(MAX_DEPTH - 1) }), true),
        (json!({ "name": "t", "inputSchema": nested(MAX_DEPTH) }), false),
    ] {
        assert_eq!(read(raw(vec![tool])).tools.len() == 1, taken);
    }
    for (count, kept, notes) in [(1_999, 1_999, 0), (2_000, 2_000, 0), (2_001, 2_000, 1), (2_500, 2_000, 1)] {
        let entry = read(raw((0..count).map(|number| json!({ "name": format!("t{number}") })).collect()));
        assert_eq!((entry.tools.len(), entry.quarantined.len()), (kept, notes));
    }
}

#[test]
fn what_is_over_the_limit_is_one_note() {
    let entry = read(raw((0..2_500).map(|number| json!({ "name": format!("t{number}") })).collect()));
    insta::assert_snapshot!(quarantined(&entry), @"#2001…#2500: 500 tools over the limit of 2000");
}

#[test]
fn a_list_of_nothing_but_broken_tools_is_summed_up() {
    let entry = read(raw(vec![json!(0); 1_000]));
    assert_eq!(entry.quarantined.len(), MAX_QUARANTINED + 1);
    assert_eq!(entry.quarantined.last().unwrap().reason, "800 more were not taken either");
}

#[test]
fn prompts_and_resources_are_judged_alone_too() {
    let entry = read(RawListing {
        prompts: vec![json!({ "name": "p", "x": 1 }), json!({}), json!(1), json!({ "name": "p" })],
        resources: vec![json!({ "uri": "file:///a" }), json!({ "name": "no uri" })],
        resource_templates: vec![json!({ "uriTemplate": "x/{y}" }), json!([])],
        notes: vec!["`resources/list` answered -32601\u{1b}[31m".into()],
        ..raw(vec![])
    });
    assert_eq!((entry.prompts.len(), entry.resources.len(), entry.resource_templates.len()), (1, 1, 1));
    insta::assert_snapshot!(quarantined(&entry), @r"
    listing: `resources/list` answered -32601\u{1b}[31m
    #2: a prompt has no `name` text
    #3: a prompt is not a JSON object
    p: a prompt of this `name` is already in the list; the first one counts
    #2: a resource has no `uri` text
    #2: a resource template is not a JSON object
    ");
}

#[test]
fn what_a_server_says_of_itself_is_bounded() {
    let mut large = raw(vec![]);
    large.instructions = Some("ä".repeat(MAX_INSTRUCTIONS_BYTES));
    large.server_info.insert("name".into(), "x".repeat(MAX_DEFINITION_BYTES).into());
    let entry = read(large);
    assert_eq!(entry.instructions.as_ref().map(String::len), Some(MAX_INSTRUCTIONS_BYTES));
    assert!(entry.server_info.is_empty());
    insta::assert_snapshot!(quarantined(&entry), @r"
    serverInfo: its definition is larger than 256 KiB
    instructions: cut at 64 KiB
    ");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,8}|name|object".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = "name|inputSchema|type|title|description|\\PC{0,4}";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_comes_is_taken_or_named(tools in prop::collection::vec(any_json(), 0..8)) {
        let entry = read(raw(tools.clone()));
        prop_assert_eq!(entry.tools.len() + entry.quarantined.len(), tools.len());
        for tool in &entry.tools {
            prop_assert!(tool.input_schema().is_object());
            let text = tool.definition_text();
            prop_assert!(tools.iter().any(|raw| serde_json::to_string(raw).is_ok_and(|raw| raw == text)));
        }
    }
}
