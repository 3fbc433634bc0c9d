use super::*;
use crate::economy::samples::object;

fn limits(tokens: usize) -> Limits {
    Limits::asked(tokens, Copies::KeepText)
}

/// The texts of a result as they go out.
fn text_of(fitted: &Fitted) -> String {
    let mut result = fitted.result.clone();
    if let Some(cut) = &fitted.cut {
        say_cut(&mut result, cut, Some("a1b2c3"));
    }
    texts(&result).collect::<Vec<_>>().join("\n")
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
    [lines 4-1999 not shown]
    line 2000 of the log
    [cut: 38 of 15001 tokens shown, 40893 characters in 2000 lines in all. Read on with call_tool {"tool":"crib/read_result","arguments":{"id":"a1b2c3","lines":"4-"}}, or by pattern (regex)]
    "#);
    let cut = fitted.cut.as_ref().unwrap();
    assert_eq!(cut.total_chars, text.len());
    assert!(tokens::count(&text_of(&fitted)) <= 150);
}

#[test]
fn rows_of_a_database_are_cut_to_their_first_and_counted() {
    let rows: Vec<Value> =
        (0..5000).map(|at| json!({ "id": at, "name": format!("customer {at}"), "active": at % 2 == 0 })).collect();
    let result =
        object(json!({ "content": [], "structuredContent": { "columns": ["id", "name", "active"], "rows": rows } }));
    let fitted = fit(&result, &limits(200));
    insta::assert_snapshot!(text_of(&fitted), @r#"
    {"columns":["id","name","active"],"rows":[{"id":0,"name":"customer 0","active":true},{"id":1,"name":"customer 1","active":false},{"id":2,"name":"customer 2","active":true},{"id":3,"name":"customer 3","active":false},{"id":4,"name":"customer 4","active":true},…+4995]}
    [cut: 88 of about 78054 tokens shown, 245323 characters in all. Read on with call_tool {"tool":"crib/read_result","arguments":{"id":"a1b2c3","path":"$.rows[5:]"}}, or by another path, or pattern (regex)]
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
    assert_eq!(fitted.cut.as_ref().unwrap().total_tokens, total);
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

#[test]
fn each_item_of_a_list_as_a_text_of_its_own_is_a_copy_too() {
    let blocks = json!([{ "type": "text", "text": "{\"id\": 1}" }, { "type": "text", "text": "plain" }]);
    let result = object(json!({ "content": blocks, "structuredContent": { "result": [{ "id": 1 }, "plain"] } }));
    assert!(!fit(&result, &limits(8000)).result.contains_key("structuredContent"));
    let other = object(json!({ "content": blocks, "structuredContent": { "result": [{ "id": 2 }, "plain"] } }));
    assert!(fit(&other, &limits(8000)).result.contains_key("structuredContent"));
}

#[test]
fn a_result_far_over_shows_a_part_of_the_budget_and_one_a_little_over_nearly_all() {
    let text = |lines: usize| (0..lines).map(|at| format!("line {at} of a text\n")).collect::<String>();
    let of = |lines| object(json!({ "content": [{ "type": "text", "text": text(lines) }] }));
    let standard = Limits::standard(1_000, Copies::KeepText);
    let (little, far) = (fit(&of(200), &standard).cut.unwrap(), fit(&of(2_000), &standard).cut.unwrap());
    assert!(
        (850..=1_000).contains(&little.kept_tokens) && (100..=250).contains(&far.kept_tokens),
        "{little:?} {far:?}"
    );
    assert_eq!(far.whole.text, text(2_000));
}

#[test]
fn structured_content_beside_another_text_is_shown_and_kept() {
    let rows: Vec<Value> = (0..900).map(|at| json!({ "id": at })).collect();
    let result =
        object(json!({ "content": [{ "type": "text", "text": "900 rows" }], "structuredContent": { "rows": rows } }));
    let fitted = fit(&result, &limits(200));
    let text = text_of(&fitted);
    assert!(text.starts_with("900 rows\n{\"rows\":[{\"id\":0}"), "{text}");
    assert!(text.contains(r#""path":"$.rows["#), "{text}");
    assert!(fitted.cut.unwrap().whole.structured.unwrap().ends_with("{\"id\":899}]}"));
}

#[test]
fn what_is_not_kept_is_said_without_a_way_to_read_on() {
    let result = object(json!({ "content": [{ "type": "text", "text": "word ".repeat(3000) }] }));
    let mut fitted = fit(&result, &limits(200));
    say_cut(&mut fitted.result, &fitted.cut.unwrap(), None);
    let blocks = fitted.result["content"].as_array().unwrap();
    insta::assert_snapshot!(blocks.last().unwrap()["text"].as_str().unwrap(), @"[cut: 100 of 3001 tokens shown, 15000 characters in all; the rest is not kept. Ask for less: narrower arguments, or select (JSONPath) where the result is JSON]");
}

#[test]
fn a_path_is_named_only_where_it_can_be_read() {
    let rows = |text: &str| json!((0..900).map(|at| json!({ "id": at, "name": text })).collect::<Vec<_>>()).to_string();
    let texts = |all: [&str; 2]| {
        let blocks: Vec<Value> = all.iter().map(|text| json!({ "type": "text", "text": text })).collect();
        object(json!({ "content": blocks }))
    };
    for (result, next) in [
        (texts([&rows("tile"), "900 rows"]), Next::Line(1)),
        (texts(["900 rows", &rows("tile")]), Next::Line(2)),
        (object(json!({ "content": [{ "type": "text", "text": rows("tile") }] })), Next::Path("$[17:]".into())),
    ] {
        let cut = fit(&result, &limits(250)).cut.unwrap();
        assert_eq!(cut.next, next);
    }
}

#[test]
fn a_notice_never_has_more_than_its_room() {
    let key = "\u{301}é\"{}".repeat(12);
    let rows: Vec<Value> = (0..900).map(|at| json!({ "id": at })).collect();
    let result = object(json!({ "content": [{ "type": "text", "text": json!({ key: rows }).to_string() }] }));
    let mut fitted = fit(&result, &limits(200));
    let cut = fitted.cut.unwrap();
    assert!(matches!(cut.next, Next::Path(_)), "{:?}", cut.next);
    say_cut(&mut fitted.result, &cut, Some("a1b2c3"));
    let notice = texts(&fitted.result).last().unwrap().to_owned();
    assert!(tokens::count(&notice) <= NOTICE_TOKENS && notice.contains(r#""pattern":"...""#), "{notice}");
}

proptest::proptest! {
    #[test]
    fn whatever_the_result_the_budget_holds_and_what_is_no_text_stays(
        parts in proptest::collection::vec("(# )?\\PC{0,60}\n{0,2}|<h1>[a-z]{1,9}</h1>|\\[[0-9]{1,9}, \"\\PC{0,9}\"\\]", 1..5),
        times in 1_usize..300,
        budget in 0_usize..500,
        standard: bool,
        structured: bool,
    ) {
        let image = json!({ "type": "image", "data": "QUJD", "mimeType": "image/png" });
        let mut blocks: Vec<Value> = parts.iter().map(|part| json!({ "type": "text", "text": part.repeat(times) })).collect();
        blocks.insert(parts.len() / 2, image.clone());
        let mut result = object(json!({ "content": blocks, "_meta": { "k": 1 } }));
        if structured {
            result.insert("structuredContent".into(), json!({ "rows": vec![parts; times].concat() }));
        }
        let limits = if standard { Limits::standard(budget, Copies::KeepText) } else { limits(budget) };
        let Fitted { mut result, cut } = fit(&result, &limits);
        if let Some(cut) = &cut {
            say_cut(&mut result, cut, Some("a1b2c3"));
            let used: usize = texts(&result).map(tokens::count).sum();
            proptest::prop_assert!(used <= budget.max(NOTICE_TOKENS), "{used} of {budget}");
        }
        proptest::prop_assert_eq!(&result["_meta"], &json!({ "k": 1 }));
        proptest::prop_assert!(result["content"].as_array().unwrap().contains(&image));
    }
}
