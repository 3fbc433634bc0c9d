use super::*;
use crate::economy::samples::object;

const READ_ON: &str = "Read on: crib/read_result(id: \"r7\", from: 40)";

fn limits(tokens: usize) -> Limits<'static> {
    Limits { tokens, copies: Copies::KeepText, read_on: READ_ON }
}

fn text_of(fitted: &Fitted) -> String {
    texts(&fitted.result).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_small_result_passes_as_it_came() {
    let result = object(
        json!({ "content": [{ "type": "text", "text": "ok [1, 2]", "annotations": { "priority": 1 } }], "_meta": { "x": 1 } }),
    );
    assert_eq!(fit(&result, &limits(8000)), Fitted { result, cut: None });
}

#[test]
fn json_loses_its_white_space_and_nothing_else() {
    let text = "{\n  \"a\": [1.0, 1e400],\n  \"b \\\" c\": \"x  y\"\n}";
    assert_eq!(minified(text).unwrap(), r#"{"a":[1.0,1e400],"b \" c":"x  y"}"#);
    for other in ["plain", "[info] started", "{not json}", "12"] {
        assert_eq!(minified(other), None);
    }
}

#[test]
fn a_text_copy_of_structured_content_is_not_sent_twice() {
    for (text, structured) in [
        ("{\"a\": 1}", json!({ "a": 1 })),
        ("[1, 2]", json!({ "result": [1, 2] })),
        ("plain words", json!({ "result": "plain words" })),
        ("the file", json!({ "content": "the file" })),
        ("{\n \"a\": 1\n}", json!({ "result": "{\n \"a\": 1\n}" })),
    ] {
        let result = object(json!({ "content": [{ "type": "text", "text": text }], "structuredContent": structured }));
        let kept_text = fit(&result, &limits(8000)).result;
        assert!(!kept_text.contains_key("structuredContent") && texts(&kept_text).count() == 1, "{text}");
        let kept = fit(&result, &Limits { copies: Copies::KeepStructured, ..limits(8000) }).result;
        assert!(kept.contains_key("structuredContent") && texts(&kept).count() == 0, "{text}");
    }
}

#[test]
fn a_text_that_says_something_else_stays_beside_structured_content() {
    let result = object(
        json!({ "content": [{ "type": "text", "text": "2 files" }], "structuredContent": { "files": ["a", "b"] } }),
    );
    assert_eq!(fit(&result, &limits(8000)).result, result);
}

#[test]
fn errors_images_and_links_are_never_touched() {
    let error = object(json!({ "isError": true, "content": [{ "type": "text", "text": "x ".repeat(5000) }] }));
    assert_eq!(fit(&error, &limits(100)).result, error);
    let image = json!({ "type": "image", "data": "A".repeat(90_000), "mimeType": "image/png" });
    let link = json!({ "type": "resource_link", "uri": "file:///a", "name": "a" });
    let result = object(json!({ "content": [image, { "type": "text", "text": "word ".repeat(3000) }, link] }));
    let fitted = fit(&result, &limits(200));
    let blocks = fitted.result["content"].as_array().unwrap();
    assert!(blocks.contains(&image) && blocks.contains(&link));
}

#[test]
fn a_long_text_is_cut_at_a_line_and_says_what_is_missing() {
    let text: String = (1..=2000).map(|at| format!("line {at} of the log\n")).collect();
    let result = object(json!({ "content": [{ "type": "text", "text": text }] }));
    let fitted = fit(&result, &limits(150));
    insta::assert_snapshot!(text_of(&fitted), @r#"
    line 1 of the log
    line 2 of the log
    line 3 of the log
    line 4 of the log
    line 5 of the log
    line 6 of the log
    line 7 of the log
    line 8 of the log
    line 9 of the log
    line 10 of the log
    line 11 of the log
    line 12 of the log
    line 13 of the log
    [cut: 90 of 15001 tokens shown, 40893 characters in all. Read on: crib/read_result(id: "r7", from: 40)]
    "#);
    let cut = fitted.cut.unwrap();
    assert_eq!(cut.total_chars, text.len());
    assert!(tokens::count(&text_of(&fitted)) <= 150, "{cut:?}");
}

#[test]
fn rows_of_a_database_are_cut_to_their_first_and_counted() {
    let rows: Vec<Value> =
        (0..5000).map(|at| json!({ "id": at, "name": format!("customer {at}"), "active": at % 2 == 0 })).collect();
    let result =
        object(json!({ "content": [], "structuredContent": { "columns": ["id", "name", "active"], "rows": rows } }));
    let fitted = fit(&result, &limits(200));
    insta::assert_snapshot!(text_of(&fitted), @r#"
    {"columns":["id","name","active"],"rows":[{"id":0,"name":"customer 0","active":true},{"id":1,"name":"customer 1","active":false},{"id":2,"name":"customer 2","active":true},{"id":3,"name":"customer 3","active":false},{"id":4,"name":"customer 4","active":true},{"id":5,"name":"customer 5","active":false},{"id":6,"name":"customer 6","active":true},{"id":7,"name":"customer 7","active":false},…+4992]}
    [cut: 130 of about 78054 tokens shown, 245323 characters in all. Read on: crib/read_result(id: "r7", from: 40)]
    "#);
    assert!(tokens::count(&text_of(&fitted)) <= 200);
}

#[test]
fn text_after_a_long_text_goes_and_is_counted() {
    let blocks: Vec<Value> =
        (0..4).map(|_| json!({ "type": "text", "text": "some words here ".repeat(100) })).collect();
    let result = object(json!({ "content": blocks }));
    let fitted = fit(&result, &limits(500));
    let total: usize = texts(&result).map(tokens::count).sum();
    assert_eq!(fitted.cut.unwrap().total_tokens, total);
    assert!(tokens::count(&text_of(&fitted)) <= 500);
}

#[test]
fn an_embedded_text_resource_is_budgeted_like_a_text() {
    let block = json!({ "type": "resource", "resource": { "uri": "file:///a", "mimeType": "text/plain", "text": "word ".repeat(3000) } });
    let fitted = fit(&object(json!({ "content": [block] })), &limits(200));
    assert!(tokens::count(&text_of(&fitted)) <= 200);
    assert_eq!(fitted.result["content"][0]["resource"]["uri"], "file:///a");
}

#[test]
fn no_budget_is_too_small_and_no_result_too_odd() {
    for result in [
        json!({}),
        json!({ "content": null }),
        json!({ "content": [1, null, {}] }),
        json!({ "content": [{ "type": "text" }] }),
    ] {
        for tokens in [0, 1, 50] {
            let fitted = fit(&object(result.clone()), &limits(tokens));
            assert_eq!(fitted.cut, None, "{result}");
        }
    }
}
