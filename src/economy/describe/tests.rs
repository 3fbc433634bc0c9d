use serde_json::json;

use super::*;
use crate::economy::{readback::unsaid, samples, tokens};

fn counted(tool: &ToolEntry) -> String {
    let text = describe(tool);
    format!(
        "{} tokens of {}\n{text}",
        tokens::count(&text),
        tokens::count(&Value::Object(definition(tool).clone()).to_string())
    )
}

#[test]
fn a_describe_says_everything_in_a_line_per_parameter() {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "since": { "type": "string", "format": "date-time", "description": "Only newer ones.\n\n Local time is UTC.", "title": "Since" },
            "repo": { "type": "string", "description": "Repository name", "examples": ["octo/hello"] },
            "state": { "type": "string", "enum": ["open", "closed"], "default": "open", "title": "State" },
            "filter": {
                "type": "object",
                "properties": {
                    "label": { "type": "string", "description": "Exact label" },
                    "range": { "type": "object", "properties": { "from": { "type": "integer", "format": "int64" }, "to": { "type": "integer" } } },
                },
                "required": ["label"],
                "additionalProperties": false,
            },
            "tags": { "type": "array", "items": { "type": "string", "description": "A tag" }, "maxItems": 5 },
            "old": { "type": "boolean", "deprecated": true },
        },
        "required": ["repo"],
        "additionalProperties": false,
    });
    insta::assert_snapshot!(counted(&samples::tool("github/list_issues", "List issues.\n\n\n\nNewest first.\u{200b}", schema)), @r#"
    105 tokens of 216
    github/list_issues
    List issues.

    Newest first.

    repo: string // Repository name; e.g. "octo/hello"
    since?: date-time // Only newer ones. Local time is UTC.
    state?: "open"|"closed" = "open"
    filter?: {
      label: string // Exact label
      range?: {
        from?: integer // int64
        to?: integer
        ...
      }
    }
    tags?: string[..5] // A tag
    old?: boolean // deprecated
    no other keys
    "#);
}

#[test]
fn only_the_parameter_that_the_form_cannot_say_is_given_as_schema() {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "value": { "title": "Value", "type": "string", "not": { "const": "" } },
            "tree": { "$ref": "#/$defs/Node" },
        },
        "required": ["name"],
        "$defs": { "Node": { "type": "object", "title": "Node", "properties": { "children": { "type": "array", "items": { "$ref": "#/$defs/Node" } } } } },
    });
    insta::assert_snapshot!(describe(&samples::tool("a/b", "", schema)), @r##"
    a/b

    name: string
    value?: schema {"type":"string","not":{"const":""}}
    tree?: schema {"$ref":"#/$defs/Node"}
    #/$defs/Node = {"type":"object","properties":{"children":{"type":"array","items":{"$ref":"#/$defs/Node"}}}}
    "##);
}

#[test]
fn conditions_across_parameters_are_given_as_the_whole_schema() {
    let schema = json!({
        "type": "object",
        "properties": { "id": { "type": "string" }, "title": { "type": "string" } },
        "anyOf": [{ "required": ["id"] }, { "required": ["title"] }],
    });
    insta::assert_snapshot!(describe(&samples::tool("a/b", "Finds it.", schema)), @r#"
    a/b
    Finds it.

    schema {"type":"object","properties":{"id":{"type":"string"},"title":{"type":"string"}},"anyOf":[{"required":["id"]},{"required":["title"]}]}
    "#);
}

#[test]
fn a_tool_without_parameters_says_so_and_hints_are_words() {
    let tool = samples::tool("a/b", "", json!({ "type": "object" }));
    let mut definition = definition(&tool).clone();
    definition.insert(
        "annotations".into(),
        json!({ "destructiveHint": true, "readOnlyHint": false, "title": "Drop it all" }),
    );
    let tool = ToolEntry::new(tool.id, &definition);
    assert_eq!(describe(&tool), "a/b [destructive]\nDrop it all\n\nno arguments");
}

#[test]
fn what_a_doc_string_says_of_parameters_stands_on_their_lines() {
    let schema = json!({
        "type": "object",
        "properties": {
            "owner": { "type": "string", "title": "Owner", "description": "The owner" },
            "ticket": { "type": "integer", "description": "Number of the ticket." },
            "pages": { "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "null" }], "default": null },
            "filter": { "type": "object", "properties": { "state": { "enum": ["open", "done"] } }, "not": { "required": ["all"] } },
        },
        "required": ["owner", "ticket"],
        "additionalProperties": false,
    });
    let description = "This tool lists the comments of a ticket.\n\n    Args:\n        owner (str): Login of the owner\n        ticket (int): number of the ticket\n        pages (int, optional): How many pages;\n            all by default\n        filter: Which ones\n        ctx: The context\n\n    Returns:\n        Comments, oldest first\n    ";
    let tool = samples::tool("desk/list_comments", description, schema);
    assert_eq!(unsaid::words(&describe(&tool), description), Vec::<String>::new());
    insta::assert_snapshot!(counted(&tool), @r#"
    88 tokens of 185
    desk/list_comments
    Lists the comments of a ticket.

    Returns:
        Comments, oldest first

    owner: string // Login of the owner
    ticket: integer // Number of the ticket.
    pages?: integer 1..|null // How many pages; all by default
    filter?: schema {"type":"object","properties":{"state":{"enum":["open","done"]}},"not":{"required":["all"]}} // Which ones
    no other keys
    "#);
}

#[test]
fn objects_take_further_names_unless_it_is_said_that_they_do_not() {
    let inner = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    let mut closed = inner.clone();
    closed["additionalProperties"] = json!(false);
    let described = |schema: Value| describe(&samples::tool("a/b", "", schema)).split_off("a/b\n\n".len());
    let open = json!({ "type": "object", "properties": { "one": inner } });
    assert_eq!(described(open), "one?: {a?: string}");
    let inside = json!({ "type": "object", "properties": { "one": inner, "two": closed } });
    assert_eq!(described(inside), "one?: {a?: string, ...}\ntwo?: {a?: string}\n...\nno other keys");
    let outside = json!({ "type": "object", "properties": { "two": closed }, "additionalProperties": false });
    assert_eq!(described(outside), "two?: {a?: string}\nno other keys");
    assert_eq!(described(json!({ "type": "object", "additionalProperties": false })), "no arguments at all");
    assert_eq!(described(json!({ "type": "object" })), "no arguments");
}

#[test]
fn a_schema_that_only_its_own_draft_explains_keeps_the_name_of_the_draft() {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": { "x": { "$ref": "#/definitions/Any", "maxLength": 3 } },
        "definitions": { "Any": {} },
    });
    let tool = samples::tool("a/b", "", schema);
    insta::assert_snapshot!(describe(&tool), @r##"
    a/b

    schema {"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"x":{"$ref":"#/definitions/Any","maxLength":3}},"definitions":{"Any":{}}}
    "##);
    assert!(!super::super::signature(&tool).complete);
}
