//! Results that are too long: cut where they are useful, kept whole, and read on. And the other tools of toolcrib's own server.

use serde_json::{Value, json};

use crate::support::{Home, PEER, SAMPLE, Served};

/// A home with a server that answers whatever it is told to, and these lines in its configuration.
async fn home_with(server_lines: &str, general: &str) -> Home {
    let home = Home::new();
    let quoted = |text: &str| Value::from(text).to_string();
    home.write(
        "toolcrib.toml",
        &format!(
            "[servers.raw]\ncommand = {}\nargs = [\"good\"]\n{server_lines}\n\n[servers.tasks]\ncommand = {}\nargs = [\"tasks\"]\n\n{general}\n",
            quoted(PEER),
            quoted(SAMPLE)
        ),
    );
    home.reindexed().await
}

/// A text of so many numbered lines.
fn log(lines: usize) -> String {
    (1..=lines).map(|at| format!("{at} step of the build{}\n", if at % 700 == 0 { " FAILED" } else { "" })).collect()
}

async fn answer(crib: &mut Served, content: Value, more: Value) -> Value {
    let mut call = json!({"tool": "raw/raw", "arguments": {"result": {"content": content}}});
    for (key, value) in more.as_object().unwrap() {
        call[key] = value.clone();
    }
    crib.meta("call_tool", call).await
}

fn texts(result: &Value) -> Vec<&str> {
    result["content"].as_array().unwrap().iter().filter_map(|block| block["text"].as_str()).collect()
}

/// The call that a cut result names, as the model would copy it.
fn named_call(result: &Value) -> Value {
    let texts = texts(result);
    let notice = texts.last().unwrap();
    let from = notice.find("call_tool {").unwrap_or_else(|| panic!("no call is named: {notice}")) + "call_tool ".len();
    serde_json::Deserializer::from_str(&notice[from..]).into_iter().next().unwrap().unwrap()
}

#[tokio::test]
async fn a_long_result_is_cut_and_the_call_it_names_reads_on_from_there() {
    let home = home_with("", "").await;
    let mut crib = home.serve().await;
    let result = answer(&mut crib, json!([{"type": "text", "text": log(9_000)}]), json!({})).await;
    let shown = texts(&result).concat();
    assert!(shown.starts_with("1 step of the build\n") && shown.contains("9000 step of the build"), "{shown}");
    let call = named_call(&result);
    let from: usize = call["arguments"]["lines"].as_str().unwrap().trim_end_matches('-').parse().unwrap();
    let next = crib.text("call_tool", call.clone()).await;
    assert!(next.starts_with(&format!("{from} step of the build\n")), "{next}");
    let found = crib
        .text("call_tool", json!({"tool": "crib/read_result", "arguments": {"id": call["arguments"]["id"], "pattern": "FAILED", "context": 0}}))
        .await;
    assert!(
        found.contains("2100:2100 step of the build FAILED") && found.ends_with("[12 matching lines of 9000]"),
        "{found}"
    );
    assert_eq!(crib.close().await, Some(0));
    // It outlives the conversation: the next one of the same user reads it too.
    let mut crib = home.serve_modern();
    let next = crib.text("call_tool", call).await;
    assert!(next.starts_with(&format!("{from} step of the build\n")), "{next}");
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn images_beside_a_long_text_and_errors_pass_untouched() {
    let home = home_with("", "").await;
    let mut crib = home.serve().await;
    let image = json!({"type": "image", "data": "QUJD".repeat(20_000), "mimeType": "image/png"});
    let result = answer(&mut crib, json!([image, {"type": "text", "text": log(9_000)}]), json!({})).await;
    assert_eq!(result["content"][0], image);
    let error = json!({"result": {"isError": true, "content": [{"type": "text", "text": log(9_000)}]}});
    let result = crib.meta("call_tool", json!({"tool": "raw/raw", "arguments": error})).await;
    assert_eq!(result["content"][0]["text"], log(9_000));
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn a_call_may_ask_for_less_and_the_operator_sets_budgets_or_none() {
    let home = home_with("result_tokens = 300\ntool_result_tokens = { echo = 0 }", "").await;
    let mut crib = home.serve().await;
    let text = json!([{"type": "text", "text": log(400)}]);
    let by_server = texts(&answer(&mut crib, text.clone(), json!({})).await).concat();
    assert!(by_server.contains("[cut: ") && by_server.len() < 1_500, "{by_server}");
    let by_call = texts(&answer(&mut crib, text, json!({"max_tokens": 220})).await).concat();
    assert!(by_call.contains("[cut: ") && by_call.len() < by_server.len() + 400, "{by_call}");
    let untouched = "x  y ".repeat(3_000);
    let result = crib.meta("call_tool", json!({"tool": "raw/echo", "arguments": {"text": untouched}})).await;
    assert!(result.to_string().contains(&untouched), "{}", texts(&result).concat());
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn what_was_selected_is_kept_where_it_is_too_long_itself() {
    let home = home_with("", "").await;
    let mut crib = home.serve().await;
    let rows: Vec<Value> = (0..3_000).map(|id| json!({"id": id, "name": format!("row number {id}")})).collect();
    let content = json!([{"type": "text", "text": json!({"rows": rows, "noise": "n".repeat(5_000)}).to_string()}]);
    let result = answer(&mut crib, content, json!({"select": "$.rows", "max_tokens": 400})).await;
    let call = named_call(&result);
    let path = call["arguments"]["path"].as_str().unwrap().to_owned();
    let from: usize = path.trim_start_matches("$[").trim_end_matches(":]").parse().unwrap();
    let next = crib.text("call_tool", call).await;
    assert!(next.starts_with(&format!("[{{\"id\":{from},")), "{path}: {next}");
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn the_built_in_tools_are_found_and_called_but_never_advertised() {
    let home = home_with("", "").await;
    let mut crib = home.spawn(&["serve", "--no-refresh"]);
    let started = crib.initialize("2025-11-25").await;
    let listed = crib.request("tools/list", json!({})).await;
    assert!(!started["instructions"].to_string().contains("crib:"), "{started}");
    assert_eq!(listed["tools"].as_array().unwrap().len(), 3);
    let found = crib.text("search_tools", json!({"query": "read more of a result that was cut"})).await;
    assert!(found.starts_with("crib/read_result(id: string"), "{found}");
    let browsed = crib.text("search_tools", json!({"query": "", "server": "crib"})).await;
    for tool in ["read_result", "status", "refresh", "history"] {
        assert!(browsed.contains(&format!("crib/{tool}(")), "{browsed}");
    }
    let status = crib.text("call_tool", json!({"tool": "crib/status"})).await;
    assert!(
        status.starts_with("2 servers, 0 running") && status.contains("tasks (6): starts at its first call"),
        "{status}"
    );
    let refreshed = crib.text("call_tool", json!({"tool": "crib/refresh", "arguments": {"server": "tasks"}})).await;
    assert_eq!(refreshed, "tasks: unchanged");
    let history = crib.text("call_tool", json!({"tool": "crib/history"})).await;
    assert!(history.starts_with("2 searches, 0 describes, 2 calls\n"), "{history}");
    assert!(history.contains("search \"read more of a result that was cut\": crib/read_result"), "{history}");
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn a_built_in_tool_that_is_switched_off_does_not_exist() {
    let home = home_with("", "[crib]\nread_result = false\nstatus = false\nrefresh = false\nhistory = false").await;
    let mut crib = home.serve().await;
    let result = crib.meta("call_tool", json!({"tool": "crib/status"})).await;
    assert_eq!(result["isError"], json!(true), "{result}");
    let result = answer(&mut crib, json!([{"type": "text", "text": log(9_000)}]), json!({})).await;
    assert!(
        texts(&result).last().unwrap().contains("the rest is not kept. Ask for less"),
        "{:?}",
        texts(&result).last()
    );
    assert!(!home.path().join("data/results.sqlite").exists());
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn a_result_that_is_not_kept_is_answered_with_those_that_are() {
    let home = home_with("", "").await;
    let mut crib = home.serve().await;
    let call = json!({"tool": "crib/read_result", "arguments": {"id": "ffffff", "lines": "1-"}});
    let none = crib.text("call_tool", call.clone()).await;
    assert!(none.contains("none in this conversation"), "{none}");
    let result = answer(&mut crib, json!([{"type": "text", "text": log(9_000)}]), json!({})).await;
    let id = named_call(&result)["arguments"]["id"].as_str().unwrap().to_owned();
    let some = crib.text("call_tool", call).await;
    assert!(some.contains(&format!("{id} (raw/raw)")), "{some}");
    let bad = crib.text("call_tool", json!({"tool": "crib/read_result", "arguments": {"id": id, "lines": "x"}})).await;
    assert!(bad.contains("is no range; write `120-400`"), "{bad}");
    assert_eq!(crib.close().await, Some(0));
}
