//! Whatever a server answers arrives as it was sent: unknown fields, unknown kinds of blocks, odd numbers, the order of keys.

use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::{Map, Value, json};

use crate::support::{Home, PEER, Served};

/// Results sent through one conversation.
const RESULTS: usize = 60;

/// Keys that a result may have in some version of the protocol, or in none yet.
const KEYS: &str = "(_meta|annotations|messages|tools|completion|action|icons|title|x-[a-z]{1,4}|[a-zA-Z]{1,6})";

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any_number(),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((KEYS, inner), 0..4).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A number as somebody may write it: more digits than any type holds, an exponent, a zero at the end.
fn any_number() -> impl Strategy<Value = Value> {
    "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?"
        .prop_map(|text| serde_json::from_str(&text).unwrap())
}

fn any_fields() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((KEYS, any_value()), 0..4).prop_map(|fields| fields.into_iter().collect())
}

/// A block of a kind that exists or may exist one day, with more fields than anybody knows.
fn any_block() -> impl Strategy<Value = Value> {
    let kind = prop_oneof![
        "[a-z ]{0,30}".prop_map(|text| json!({"type": "text", "text": format!("said: {text}")})),
        Just(json!({"type": "image", "data": "QUJD", "mimeType": "image/png"})),
        Just(json!({"type": "resource_link", "uri": "file:///a", "name": "a"})),
        Just(json!({"type": "resource", "resource": {"uri": "file:///a", "blob": "QUJD"}})),
        "[a-z_]{3,9}".prop_map(|kind| json!({"type": format!("future_{kind}"), "body": {"z": 1, "a": 2}})),
    ];
    (kind, any_fields()).prop_map(|(mut block, more)| {
        for (key, value) in more {
            block.as_object_mut().unwrap().entry(key).or_insert(value);
        }
        block
    })
}

fn any_result() -> impl Strategy<Value = Value> {
    (prop::collection::vec(any_block(), 0..4), any_fields(), any::<bool>()).prop_map(|(blocks, more, first)| {
        let mut result = Map::new();
        if first {
            result.insert("content".into(), blocks.clone().into());
        }
        for (key, value) in more {
            result.entry(key).or_insert(value);
        }
        result.entry("content").or_insert_with(|| blocks.into());
        Value::Object(result)
    })
}

/// Sends random results through a conversation and compares what arrives, the order of keys included.
async fn arrive_as_sent(crib: &mut Served, seed: u8, expected: impl Fn(&Value) -> Value) {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = any_result();
    for _ in 0..RESULTS {
        let sent = strategy.new_tree(&mut runner).unwrap().current();
        let arrived = crib.meta("call_tool", json!({"tool": "raw/raw", "arguments": {"result": sent}})).await;
        assert_eq!(arrived.to_string(), expected(&sent).to_string());
    }
}

async fn home() -> Home {
    Home::with_servers(&[("raw", PEER, &["good"])]).reindexed().await
}

#[tokio::test]
async fn random_and_future_looking_results_arrive_at_a_legacy_client_as_they_were_sent() {
    let home = home().await;
    let mut crib = home.serve().await;
    arrive_as_sent(&mut crib, 1, Value::clone).await;
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn and_at_a_modern_client_with_nothing_but_the_type_of_the_result_before_them() {
    let home = home().await;
    let mut crib = home.serve_modern();
    arrive_as_sent(&mut crib, 2, |sent| {
        let mut whole = Map::from_iter([("resultType".to_owned(), json!("complete"))]);
        whole.extend(sent.as_object().unwrap().clone());
        Value::Object(whole)
    })
    .await;
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn numbers_beyond_every_type_go_both_ways_digit_by_digit() {
    for mode in ["good", "modern-only"] {
        let home = Home::with_servers(&[("odd", PEER, &[mode])]).reindexed().await;
        let mut crib = home.serve().await;
        let sent = r#"{"content":[],"n":[12345678901234567890123,0.10000000000000000000000000000000001,1e+400,-0.0,1.0,1e+2]}"#;
        let result: Value = serde_json::from_str(sent).unwrap();
        let call = json!({"tool": "odd/raw", "arguments": {"result": result}});
        assert_eq!(crib.meta("call_tool", call).await.to_string(), sent, "{mode}");
        assert_eq!(crib.close().await, Some(0));
    }
}
