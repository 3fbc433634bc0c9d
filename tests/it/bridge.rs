//! Clients and servers of both eras, in any combination: what a server asks while a call runs reaches the client, and the answer
//! comes back.

use serde_json::{Value, json};

use crate::support::{Home, PEER, Served};

/// What a client can be asked that can be asked everything.
fn everything() -> Value {
    json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {"listChanged": true}})
}

/// Each kind of question, and the answer of a client.
fn questions() -> [(&'static str, Value, Value); 3] {
    let schema = json!({"type": "object", "properties": {"name": {"type": "string"}}});
    [
        (
            "elicitation/create",
            json!({"mode": "form", "message": "Who?", "requestedSchema": schema}),
            json!({"action": "accept", "content": {"name": "Ada"}}),
        ),
        (
            "sampling/createMessage",
            json!({"messages": [{"role": "user", "content": {"type": "text", "text": "Hi"}}], "maxTokens": 10}),
            json!({"model": "m-1", "role": "assistant", "content": {"type": "text", "text": "Hello"}}),
        ),
        ("roots/list", json!({}), json!({"roots": [{"uri": "file:///work", "name": "work"}]})),
    ]
}

async fn home(mode: &str) -> Home {
    Home::with_servers(&[("odd", PEER, &[mode])]).reindexed().await
}

fn ask(method: &str, params: &Value) -> Value {
    json!({"tool": "odd/ask", "arguments": {"method": method, "params": params}})
}

fn text(result: &Value) -> Value {
    let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {result}"));
    serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {result}"))
}

/// Answers the questions of a result as a client of 2026-07-28 does, by making its request again.
async fn answered(crib: &mut Served, call: &Value, asked: &Value, answer: &Value) -> Value {
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let keys = asked["inputRequests"].as_object().unwrap().keys();
    let responses: serde_json::Map<String, Value> = keys.map(|key| (key.clone(), answer.clone())).collect();
    let params = json!({
        "name": "call_tool",
        "arguments": call,
        "inputResponses": responses,
        "requestState": asked["requestState"],
    });
    crib.request("tools/call", params).await
}

#[tokio::test]
async fn a_legacy_client_is_asked_by_a_legacy_server() {
    let home = home("good").await;
    for (method, params, reply) in questions() {
        let mut crib = home.serve_asking(everything(), &[(method, reply.clone())]).await;
        let result = crib.meta("call_tool", ask(method, &params)).await;
        assert_eq!(text(&result), reply, "{method}");
        assert_eq!(crib.asked.len(), 1);
        assert_eq!(crib.asked[0]["method"], method);
        // A progress token is added on the way; nothing else changes.
        let mut arrived = crib.asked[0]["params"].clone();
        arrived.as_object_mut().unwrap().remove("_meta");
        assert_eq!(arrived, params);
        assert_eq!(crib.close().await, Some(0));
    }
}

#[tokio::test]
async fn a_legacy_client_is_asked_by_a_modern_server() {
    let home = home("modern-only").await;
    for (method, params, reply) in questions() {
        let mut crib = home.serve_asking(everything(), &[(method, reply.clone())]).await;
        let result = crib.meta("call_tool", ask(method, &params)).await;
        let said = json!({"responses": {"who": reply, "again": reply}, "state": "half done"});
        assert_eq!(text(&result), said, "{method}");
        assert_eq!(crib.asked.len(), 2);
        assert_eq!(crib.close().await, Some(0));
    }
}

#[tokio::test]
async fn a_modern_client_is_asked_by_a_legacy_server_through_its_result() {
    let home = home("good").await;
    let mut crib = home.serve_modern();
    crib.capabilities = everything();
    for (method, params, reply) in questions() {
        let call = ask(method, &params);
        let asked = crib.meta("call_tool", call.clone()).await;
        let request = &asked["inputRequests"]["question-1"];
        assert_eq!((&request["method"], &request["params"]), (&json!(method), &params), "{asked}");
        let result = answered(&mut crib, &call, &asked, &reply).await;
        assert_eq!(text(&result), reply, "{method}");
        assert_eq!(result["resultType"], "complete");
    }
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn a_modern_client_is_asked_by_a_modern_server_through_its_result() {
    let home = home("modern-only").await;
    let mut crib = home.serve_modern();
    crib.capabilities = everything();
    for (method, params, reply) in questions() {
        let call = ask(method, &params);
        let asked = crib.meta("call_tool", call.clone()).await;
        assert_ne!(asked["requestState"], "half done", "a server's state is sealed: {asked}");
        let result = answered(&mut crib, &call, &asked, &reply).await;
        assert_eq!(text(&result), json!({"responses": {"who": reply, "again": reply}, "state": "half done"}));
    }
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn a_state_is_good_for_its_own_request_once_and_for_nothing_else() {
    let home = home("good").await;
    let mut crib = home.serve_modern();
    crib.capabilities = everything();
    let (method, params, reply) = questions()[0].clone();
    let call = ask(method, &params);
    let asked = crib.meta("call_tool", call.clone()).await;
    let mut other = call.clone();
    other["arguments"]["params"]["message"] = "Another?".into();
    let refused = answered(&mut crib, &other, &asked, &reply).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    let mut forged = asked.clone();
    forged["requestState"] = format!("{}x", asked["requestState"].as_str().unwrap()).into();
    let refused = answered(&mut crib, &call, &forged, &reply).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    assert_eq!(text(&answered(&mut crib, &call, &asked, &reply).await), reply);
    let again = answered(&mut crib, &call, &asked, &reply).await;
    assert_eq!(again["error"]["code"], -32602, "{again}");
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn a_server_is_told_what_its_client_can_answer_and_asks_no_other() {
    let expected = json!({"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}});
    for mode in ["good", "modern-only"] {
        let home = home(mode).await;
        let able = json!({"tool": "odd/able"});
        let mut crib = home.serve_asking(everything(), &[]).await;
        assert_eq!(text(&crib.meta("call_tool", able.clone()).await), expected, "{mode}");
        assert_eq!(crib.close().await, Some(0));
        let mut crib = home.serve_modern();
        assert_eq!(text(&crib.meta("call_tool", able).await), json!({}), "{mode}");
        assert_eq!(crib.close().await, Some(0));
    }
    let home = home("good").await;
    let mut crib = home.serve().await;
    let (method, params, _) = questions()[0].clone();
    let refused = text(&crib.meta("call_tool", ask(method, &params)).await);
    assert_eq!(refused["code"], -32601, "{refused}");
    let roots = text(&crib.meta("call_tool", ask("roots/list", &json!({}))).await);
    assert_eq!(roots, json!({"roots": []}));
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn an_address_to_visit_first_becomes_a_question_of_either_era() {
    let home = home("good").await;
    let visit = json!({"tool": "odd/visit"});
    let accept = json!({"action": "accept"});
    let mut crib = home.serve_asking(everything(), &[("elicitation/create", accept.clone())]).await;
    assert_eq!(text(&crib.meta("call_tool", visit.clone()).await), "welcome");
    assert_eq!(crib.asked[0]["params"]["url"], "https://login.example/start");
    assert_eq!(crib.close().await, Some(0));
    let mut crib = home.serve_modern();
    crib.capabilities = everything();
    let asked = crib.meta("call_tool", visit.clone()).await;
    assert_eq!(asked["inputRequests"]["question-1"]["params"]["url"], "https://login.example/start", "{asked}");
    assert_eq!(text(&answered(&mut crib, &visit, &asked, &accept).await), "welcome");
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn a_legacy_client_asked_to_visit_an_address_is_told_an_id_that_newer_servers_do_not_give() {
    let home = home("modern-only").await;
    let accept = json!({"action": "accept"});
    let mut crib = home.serve_asking(everything(), &[("elicitation/create", accept)]).await;
    let params = json!({"mode": "url", "url": "https://login.example/start", "message": "Sign in"});
    crib.meta("call_tool", ask("elicitation/create", &params)).await;
    let ids: Vec<_> = crib.asked.iter().map(|asked| asked["params"]["elicitationId"].clone()).collect();
    assert!(ids.len() == 2 && ids[0].is_string() && ids[0] != ids[1], "{ids:?}");
    assert_eq!(crib.close().await, Some(0));
}

#[tokio::test]
async fn a_client_is_not_asked_what_it_has_not_declared_whatever_the_eras() {
    for mode in ["good", "modern-only"] {
        let home = home(mode).await;
        let (method, params, _) = questions()[0].clone();
        let call = ask(method, &params);
        let mut crib = home.serve_asking(json!({"sampling": {}}), &[]).await;
        let legacy = crib.text("call_tool", call.clone()).await;
        assert_eq!(crib.close().await, Some(0));
        let mut crib = home.serve_modern();
        crib.capabilities = json!({"sampling": {}});
        let modern = crib.text("call_tool", call).await;
        assert_eq!(crib.close().await, Some(0));
        for said in [legacy, modern] {
            assert!(said.contains("elicitation/create is not supported by this client"), "{mode}: {said}");
        }
    }
}
