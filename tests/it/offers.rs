//! Prompts and resources of all servers under names of ours, listed without starting one.

use serde_json::{Value, json};

use crate::support::{Home, PEER, SAMPLE, Served};

async fn home() -> Home {
    Home::with_servers(&[("notes", PEER, &["offers"]), ("tasks", SAMPLE, &["tasks"])]).reindexed().await
}

async fn legacy(home: &Home, client: &str) -> (Served, Value) {
    let mut crib = home.spawn(&["serve", "--no-refresh"]);
    crib.client = client.to_owned();
    let started = crib.initialize("2025-11-25").await;
    (crib, started)
}

#[tokio::test]
async fn prompts_and_resources_are_listed_from_the_catalog_and_got_from_their_server() {
    let home = home().await;
    let (mut crib, started) = legacy(&home, "story").await;
    assert!(started["capabilities"]["prompts"].is_object() && started["capabilities"]["resources"].is_object());
    let prompts = crib.request("prompts/list", json!({})).await;
    let arguments = json!([{"name": "who", "required": true}]);
    let expected = json!([{"name": "notes/greet", "description": "Greets.", "arguments": arguments, "futureField": 1}]);
    assert_eq!(prompts["prompts"], expected);
    let resources = crib.request("resources/list", json!({})).await;
    let uri = "crib://notes/note://daily/today?full=1";
    assert_eq!(resources["resources"], json!([{"uri": uri, "name": "today", "futureField": 1}]));
    let templates = crib.request("resources/templates/list", json!({})).await;
    assert_eq!(templates["resourceTemplates"][0]["uriTemplate"], "crib://notes/note://daily/{day}");

    let got = crib.request("prompts/get", json!({"name": "notes/greet", "arguments": {"who": "Ada"}})).await;
    assert_eq!(got["messages"][0]["content"]["text"], "Greet \"Ada\"");
    assert_eq!((&got["futureField"], &got["messages"][0]["futureField"]), (&json!(1), &json!(1)), "{got}");
    for (asked, own) in [
        (uri, "note://daily/today?full=1"),
        ("crib://notes/note://daily/2026-11-21", "note://daily/2026-11-21"),
        ("note://daily/today?full=1", "note://daily/today?full=1"),
    ] {
        let read = crib.request("resources/read", json!({"uri": asked})).await;
        let text = format!("read {}", json!(own));
        let expected = json!([{"uri": format!("crib://notes/{own}"), "text": text, "futureField": 1}]);
        assert_eq!(read["contents"], expected, "{asked}");
    }
    for (reference, value) in [
        (json!({"type": "ref/prompt", "name": "notes/greet"}), "greet/A"),
        (json!({"type": "ref/resource", "uri": "crib://notes/note://daily/{day}"}), "note://daily/{day}/A"),
    ] {
        let params = json!({"ref": reference, "argument": {"name": "who", "value": "A"}});
        let completed = crib.request("completion/complete", params).await;
        assert_eq!(completed["completion"]["values"], json!([value]), "{completed}");
    }
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn a_client_of_the_stateless_era_is_offered_the_same() {
    let home = home().await;
    let mut crib = home.serve_modern();
    let discovered = crib.request("server/discover", json!({})).await;
    assert!(discovered["capabilities"]["prompts"].is_object(), "{discovered}");
    let prompts = crib.request("prompts/list", json!({})).await;
    assert_eq!(prompts["prompts"][0]["name"], "notes/greet");
    assert_eq!((&prompts["resultType"], prompts["ttlMs"].is_u64()), (&json!("complete"), true), "{prompts}");
    let read = crib.request("resources/read", json!({"uri": "crib://notes/note://x"})).await;
    assert_eq!(read["contents"][0]["text"], "read \"note://x\"");
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn what_nobody_has_is_an_error_that_says_so() {
    let home = home().await;
    let (mut crib, _) = legacy(&home, "story").await;
    for (method, params) in [
        ("prompts/get", json!({"name": "greet"})),
        ("prompts/get", json!({"name": "gone/greet"})),
        ("resources/read", json!({"uri": "file:///etc/passwd"})),
        ("resources/read", json!({"uri": "crib://gone/x"})),
    ] {
        let refused = crib.request(method, params.clone()).await;
        assert_eq!(refused["error"]["code"], -32602, "{method} {params}: {refused}");
    }
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn a_client_whose_model_would_pay_for_resources_is_not_offered_them_unless_the_operator_says_so() {
    let home = home().await;
    let (crib, started) = legacy(&home, "claude-code").await;
    assert!(started["capabilities"]["prompts"].is_object() && started["capabilities"].get("resources").is_none());
    assert_eq!(crib.close().await, Some(0));
    let plain = Home::with_servers(&[("tasks", SAMPLE, &["tasks"])]).reindexed().await;
    let (crib, started) = legacy(&plain, "story").await;
    assert!(started["capabilities"].get("prompts").is_none(), "there are none: {started}");
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn what_the_operator_does_not_offer_is_neither_listed_nor_given() {
    let home = Home::new();
    let command = Value::from(PEER).to_string();
    home.write(
        "toolcrib.toml",
        &format!(
            "[servers.notes]\ncommand = {command}\nargs = [\"offers\"]\n\n[offer]\nprompts = false\nresources = \"never\"\n"
        ),
    );
    let home = home.reindexed().await;
    let (mut crib, started) = legacy(&home, "story").await;
    assert!(started["capabilities"].get("prompts").is_none() && started["capabilities"].get("resources").is_none());
    for (method, list) in [("prompts/list", "prompts"), ("resources/list", "resources")] {
        assert_eq!(crib.request(method, json!({})).await[list], json!([]), "{method}");
    }
    let template = json!({"type": "ref/resource", "uri": "crib://notes/note://daily/{day}"});
    for (method, params) in [
        ("prompts/get", json!({"name": "notes/greet", "arguments": {"who": "Ada"}})),
        ("resources/read", json!({"uri": "crib://notes/note://daily/today?full=1"})),
        ("resources/read", json!({"uri": "note://daily/today?full=1"})),
        ("completion/complete", json!({"ref": template, "argument": {"name": "day", "value": "t"}})),
    ] {
        let refused = crib.request(method, params.clone()).await;
        assert_eq!(refused["error"]["code"], -32602, "{method} {params}: {refused}");
    }
    assert_eq!(crib.close().await, Some(0));
}
