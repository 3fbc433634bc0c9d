//! The two promises over random schemas: arguments written by a complete signature are valid, and a describe accepts and
//! rejects what the schema does.
//!
//! `PROPTEST_CASES=20000 cargo test --lib economy::promises` looks harder.

use proptest::{prelude::*, sample::select, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Map, Value, json};

use crate::{
    catalog::ToolEntry,
    economy::{
        describe,
        readback::{
            unsaid,
            verdict::{self, Verdict},
        },
        samples,
        signature::signature_within,
    },
};

/// Room for whole signatures: what is cut promises nothing.
const ROOMY: usize = 4_000;

/// Samples of each schema.
const SAMPLES: u64 = 6;

/// Fails where the signature or the describe of a tool breaks its promise.
pub fn check(tool: &ToolEntry) -> Result<(), TestCaseError> {
    let schema = tool.input_schema();
    let signature = signature_within(tool, ROOMY);
    prop_assert_eq!(signature.complete, !signature.text.contains('…'), "{}", signature.text);
    if signature.complete {
        kept(&signature.text, schema, &verdict::of_signature(&signature.text, schema, SAMPLES))?;
    }
    let described = describe(tool);
    let unsaid = unsaid::descriptions(&described, schema);
    prop_assert!(unsaid.is_empty(), "{described}\n{schema}\n{unsaid:?}");
    kept(&described, schema, &verdict::of_describe(&described, schema, SAMPLES))
}

fn kept(text: &str, schema: &Value, verdict: &Verdict) -> Result<(), TestCaseError> {
    prop_assert!(verdict.faults.is_empty(), "{text}\n{schema}\n{}", verdict.faults.join("\n"));
    Ok(())
}

fn texts() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({ "type": "string" })),
        (0_u64..3, 3_u64..9).prop_map(|(min, max)| json!({ "type": "string", "minLength": min, "maxLength": max })),
        select(vec!["^[a-z]{2}(/[0-9])?$", "^x-", "…|\\u{200b}", ".*", "^a\\\\/b$", "[^/]"])
            .prop_map(|pattern| json!({ "type": "string", "pattern": pattern })),
        (select(vec!["date-time", "date", "email", "uuid", "uri", "ipv4", "int64"]), any::<bool>()).prop_map(
            |(format, narrow)| {
                let mut schema = json!({ "type": "string", "format": format });
                if narrow {
                    schema["pattern"] = format!("^(2026|a@|123|http).*{}$", "(..)?".repeat(20)).into();
                }
                schema
            }
        ),
        Just(json!({ "format": "date-time", "enum": ["2026-11-21", "2026-11-21T08:30:00Z"] })),
        Just(json!({ "type": "string", "minLength": 2, "enum": ["a", "bb", "c…"] })),
        select(vec![json!({ "minLength": 2 }), json!({ "type": "string", "contentEncoding": "base64" })]),
    ]
}

fn numbers() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-5_i64..5, 5_i64..50, select(vec!["integer", "number"]))
            .prop_map(|(min, max, kind)| json!({ "type": kind, "minimum": min, "exclusiveMaximum": max })),
        (-5_i64..5, -5_i64..5).prop_map(|(a, b)| json!({ "type": "number", "minimum": a, "exclusiveMinimum": b })),
        (-5_i64..5, -5_i64..5).prop_map(|(a, b)| json!({ "type": "integer", "maximum": a, "exclusiveMaximum": b })),
        (select(vec![json!(1), json!(1.0), json!(5), json!(0.5)]), select(vec!["integer", "number"]))
            .prop_map(|(step, kind)| json!({ "type": kind, "multipleOf": step })),
        Just(json!({ "type": "integer", "minimum": -9_007_199_254_740_991_i64, "maximum": 10.0 })),
        Just(json!({ "type": "number", "minimum": 9_007_199_254_740_991_i64 })),
        Just(json!({ "type": "number", "exclusiveMinimum": 0.5, "maximum": 1e300 })),
        Just(json!({ "minimum": 3 })),
    ]
}

fn leaves() -> impl Strategy<Value = Value> {
    let values = select(vec![
        json!("a|b"),
        json!("c, d"),
        json!(1),
        json!(1.0),
        json!(null),
        json!(true),
        json!([1, "x"]),
        json!({ "k v": null }),
        json!({}),
        json!("… // x"),
    ]);
    prop_oneof![
        16 => texts(),
        10 => numbers(),
        6 => prop::collection::vec(values.clone(), 1..4).prop_map(|values| json!({ "enum": values })),
        3 => values.clone().prop_map(|value| json!({ "const": value })),
        1 => values.prop_map(|value| json!({ "const": value, "type": ["string", "integer"] })),
        1 => (0..400_usize).prop_map(|many| json!({ "enum": (0..many + 1).collect::<Vec<_>>() })),
        6 => select(vec![
            json!({}),
            json!(true),
            json!({ "type": "boolean" }),
            json!({ "type": "null" }),
            json!({ "type": ["string", "null", "integer"], "default": null }),
            json!({ "type": ["number", "integer"], "default": 2.5, "description": "Two // of them" }),
            json!({ "type": "string", "nullable": true, "default": "x" }),
            json!({ "title": "A title", "description": "Line one.\n\nx: integer\n\nLine two" }),
        ]),
        1 => select(vec![json!(false), json!({ "not": { "type": "string" } }), json!({ "type": "string", "unheardOf": 3 })]),
        5 => Just(json!({ "$ref": "#/$defs/Leaf" })),
        3 => select(vec!["#/$defs/Node", "#/$defs/Both", "#/$defs/Other", "#/$defs/Other"])
            .prop_map(|reference| json!({ "$ref": reference })),
        1 => select(vec!["#", "#/properties/one"]).prop_map(|reference| json!({ "$ref": reference })),
        1 => Just(json!({ "$ref": "#/$defs/Leaf", "maxLength": 3, "description": "Short" })),
        1 => Just(json!({ "$ref": "#/$defs/Node", "required": ["next"] })),
        1 => Just(json!({ "$dynamicRef": "#/$defs/Leaf" })),
    ]
}

/// Names that meet each other's patterns, quoting rules and cases.
fn names() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b c", "d-e", "kind", "x.y", "x-1", "arguments", "schema", "key", "…", "2x"])
}

fn objects(inner: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Value> {
    let properties = prop::collection::btree_map(names(), (inner.clone(), any::<bool>()), 0..4);
    let extra = prop_oneof![
        6 => Just(None),
        6 => Just(Some(("additionalProperties", json!(false)))),
        2 => Just(Some(("additionalProperties", json!(true)))),
        1 => Just(Some(("unevaluatedProperties", json!(false)))),
        3 => inner.clone().prop_map(|extra| Some(("additionalProperties", extra))),
    ];
    let pattern = inner.clone().prop_map(|kind| json!({ "^x-": kind }));
    let more = prop_oneof![
        60 => Just(Vec::new()),
        1 => pattern.prop_map(|patterns| vec![("patternProperties", patterns)]),
        1 => inner.clone().prop_map(|kind| vec![("patternProperties", json!({ ".*": kind }))]),
        1 => select(vec![json!({ "type": "string" }), json!({ "enum": ["a", "kind"] }), json!({ "maxLength": 2 }), json!({ "pattern": "^[a-d]" })])
            .prop_map(|names| vec![("propertyNames", names)]),
        1 => (0_u64..3, 1_u64..4).prop_map(|(min, max)| vec![("minProperties", json!(min)), ("maxProperties", json!(max))]),
        1 => names().prop_map(|name| vec![("dependentRequired", json!({ "a": [name] }))]),
        1 => names().prop_map(|name| vec![("if", json!({ "required": ["a"] })), ("then", json!({ "required": [name] }))]),
        1 => Just(vec![("else", json!({ "required": ["none"] })), ("dependentSchemas", json!({}))]),
        1 => inner.prop_map(|inner| vec![("not", inner)]),
    ];
    let required = prop::collection::vec(names(), 0..2);
    (properties, extra, more, required, 0..20_u8).prop_map(|(properties, extra, more, also, odd)| {
        let mut required: Vec<&str> =
            properties.iter().filter(|(_, (_, required))| *required).map(|(name, _)| *name).collect();
        if odd > 17 {
            required.extend(also);
            required.sort_unstable();
            required.dedup();
        }
        let fields: Map<String, Value> =
            properties.iter().map(|(name, (schema, _))| ((*name).to_owned(), schema.clone())).collect();
        let mut schema = json!({ "type": "object", "properties": fields, "required": required });
        if odd == 0 {
            schema.as_object_mut().unwrap().remove("type");
        }
        for (keyword, value) in extra.into_iter().chain(more) {
            schema[keyword] = value;
        }
        schema
    })
}

fn lists(inner: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Value> {
    let list = (inner.clone(), 0_u64..3, any::<bool>()).prop_map(
        |(item, min, unique)| json!({ "type": "array", "items": item, "minItems": min, "uniqueItems": unique }),
    );
    let tuple = (prop::collection::vec(inner.clone(), 1..3), inner.clone(), 0_u64..4, 0..8_u8).prop_map(
        |(first, rest, count, form)| {
            let whole = first.len();
            let mut schema = json!({ "type": "array", "prefixItems": first });
            match form {
                0 => schema["items"] = json!(false),
                1 => schema["items"] = rest,
                2 => (schema["minItems"], schema["items"]) = (count.into(), rest),
                3 => (schema["minItems"], schema["maxItems"], schema["items"]) = (count.into(), 3.into(), rest),
                4 | 5 => (schema["minItems"], schema["maxItems"], schema["items"]) = (whole.into(), 4.into(), rest),
                _ => (schema["minItems"], schema["maxItems"]) = (whole.into(), whole.into()),
            }
            schema
        },
    );
    let contains =
        (inner.clone(), inner).prop_map(|(item, one)| json!({ "type": "array", "items": item, "contains": one }));
    prop_oneof![8 => list, 6 => tuple, 1 => contains, 1 => Just(json!({ "type": "array" }))]
}

fn combinations(inner: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Value> {
    let base =
        prop_oneof![2 => Just(json!({})), 1 => objects(leaves().boxed()), 1 => Just(json!({ "type": "object" }))];
    let keyword = select(vec!["anyOf", "oneOf", "allOf"]);
    prop_oneof![
        9 => (keyword, prop::collection::vec(inner.clone(), 1..4), base).prop_map(|(keyword, branches, mut base)| {
            base[keyword] = branches.into();
            base
        }),
        1 => (inner.clone(), inner).prop_map(|(one, other)| json!({ "oneOf": [one], "anyOf": [other] })),
    ]
}

fn schemas() -> impl Strategy<Value = Value> {
    leaves().boxed().prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            3 => objects(inner.clone()),
            2 => lists(inner.clone()),
            3 => combinations(inner),
        ]
    })
}

/// Input schemas: half with a single parameter, half with everything at once.
fn documents() -> impl Strategy<Value = Value> {
    let small = (schemas(), schemas(), any::<bool>()).prop_map(|(x, other, closed)| {
        let definitions = json!({
            "Leaf": { "type": "string", "minLength": 1 },
            "Node": { "type": "object", "properties": { "next": { "$ref": "#/$defs/Node" } } },
            "Both": { "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] },
            "Other": other,
        });
        let mut schema = json!({ "type": "object", "properties": { "x": x }, "required": ["x"], "$defs": definitions });
        if closed {
            schema["additionalProperties"] = json!(false);
        }
        schema
    });
    prop_oneof![small, large_documents()]
}

/// Two parameters and more, definitions to refer to, and perhaps a draft of its own.
fn large_documents() -> impl Strategy<Value = Value> {
    let definitions = (schemas(), schemas()).prop_map(|(leaf, other)| {
        json!({
            "Leaf": { "type": "string", "minLength": 1, "description": "A leaf" },
            "Node": { "type": "object", "properties": { "name": { "type": "string" }, "next": { "$ref": "#/$defs/Node" } } },
            "Both": { "allOf": [{ "$ref": "#/$defs/Node" }, leaf] },
            "Other": other,
        })
    });
    let draft = select(vec![
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        None,
        Some("https://json-schema.org/draft/2020-12/schema"),
        Some("https://json-schema.org/draft/2019-09/schema"),
        Some("http://json-schema.org/draft-07/schema#"),
        Some("http://json-schema.org/draft-06/schema#"),
        Some("http://json-schema.org/draft-04/schema#"),
    ]);
    let root = objects(leaves().boxed());
    (root, schemas(), schemas(), definitions, draft, any::<bool>()).prop_map(
        |(mut root, one, other, definitions, draft, required)| {
            root["type"] = "object".into();
            root["properties"]["one"] = one;
            root["properties"]["other"] = other;
            if required && let Some(names) = root["required"].as_array_mut() {
                names.push("one".into());
            }
            root["$defs"] = definitions;
            if let Some(draft) = draft {
                root["$schema"] = draft.into();
                older_spelling(&mut root, draft);
            }
            root
        },
    )
}

/// Writes tuples and exclusive bounds as the older drafts do, so that these are met too.
fn older_spelling(schema: &mut Value, draft: &str) {
    if draft.contains("2020") {
        return;
    }
    match schema {
        Value::Object(map) => {
            if let Some(first) = map.remove("prefixItems")
                && let Some(rest) = map.insert("items".into(), first)
            {
                map.insert("additionalItems".into(), rest);
            }
            if draft.contains("draft-04") {
                for (exclusive, inclusive) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
                    if let Some(edge) = map.remove(exclusive) {
                        map.insert(inclusive.into(), edge);
                        map.insert(exclusive.into(), true.into());
                    }
                }
            }
            map.values_mut().for_each(|inner| older_spelling(inner, draft));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| older_spelling(item, draft)),
        _ => {}
    }
}

fn settings() -> ProptestConfig {
    // `PROPTEST_CASES` overrides the number here, which takes a few seconds.
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400);
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 4_000, ..ProptestConfig::default() }
}

/// Schemas that no validator takes, or that no sample satisfies, would prove nothing.
#[test]
fn most_random_schemas_put_the_promises_to_the_test() {
    const DOCUMENTS: usize = 300;
    let mut runner = TestRunner::deterministic();
    let (mut complete, mut judged, mut accepted, mut whole) = (0, 0, 0, 0);
    for _ in 0..DOCUMENTS {
        let tool = samples::tool("any/tool", "", documents().new_tree(&mut runner).unwrap().current());
        let signature = signature_within(&tool, ROOMY);
        if signature.complete {
            complete += usize::from(verdict::of_signature(&signature.text, tool.input_schema(), SAMPLES).judged > 0);
        }
        let described = describe(&tool);
        whole += usize::from(described.contains("\n\nschema "));
        let verdict = verdict::of_describe(&described, tool.input_schema(), SAMPLES);
        judged += usize::from(verdict.judged > 0);
        accepted += usize::from(verdict.accepted > 0 && verdict.accepted < verdict.judged);
    }
    let counts = format!("{complete} complete, {judged} judged, {accepted} both ways, {whole} whole");
    assert!(complete > DOCUMENTS / 6 && judged > DOCUMENTS / 2 && accepted > DOCUMENTS / 3, "{counts}");
    assert!(whole < DOCUMENTS / 2, "{counts}");
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn every_schema_is_signed_and_described_as_it_is(schema in documents()) {
        check(&samples::tool("any/tool", "Does it.\n\nx: string", schema))?;
    }

    #[test]
    fn any_json_in_place_of_a_schema_is_survived(text in "[{}\\[\\]\"a-z$:,0-9 ]{0,80}") {
        let schema = serde_json::from_str::<Value>(&text).unwrap_or_else(|_| json!({ "$ref": text, "type": text, "properties": { "a": text } }));
        let tool = samples::tool("any/tool", &text, schema);
        prop_assert!(signature_within(&tool, ROOMY).text.starts_with("any/tool("));
        prop_assert!(describe(&tool).starts_with("any/tool\n"));
    }
}
