//! The wire against an endpoint on this machine: eras, streams, sessions, headers.
#![expect(clippy::needless_pass_by_value, reason = "a value written in place reads better")]

use std::sync::atomic::AtomicUsize;

use serde_json::json;

use super::*;
use crate::{
    backends::{
        BackendError, Notices, Request, Session, Wanted,
        loopback::{Loopback, Reply, Seen, error, event, plain, result},
        scripted::Ear,
    },
    catalog::{Era, JsonObject},
};

/// What an endpoint of the era before says.
fn legacy(seen: &Seen) -> Reply {
    match (seen.verb.as_str(), seen.method()) {
        ("POST", "initialize") => {
            let able = json!({"tools": {"listChanged": true}});
            let answer = json!({"jsonrpc": "2.0", "id": seen.message["id"], "result": {"protocolVersion": "2025-06-18", "capabilities": able}});
            Reply::Plain("200 OK", "content-type: application/json\r\nmcp-session-id: s-1\r\n", answer.to_string())
        }
        ("POST", _) if !seen.headers.contains_key("mcp-session-id") => error("400 Bad Request", -32000),
        ("POST", _) => result(seen, json!({})),
        _ => Reply::Plain("405 Method Not Allowed", "", String::new()),
    }
}

/// What an endpoint says that speaks 2026-07-28 and nothing else.
fn modern(seen: &Seen) -> Reply {
    if seen.headers.get("mcp-protocol-version").map(String::as_str) != Some("2026-07-28") {
        return error("400 Bad Request", -32020);
    }
    match seen.method() {
        "server/discover" => result(seen, json!({"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}})),
        _ => result(seen, json!({"resultType": "complete"})),
    }
}

fn request(method: &'static str) -> Request {
    Request::new(method, JsonObject::new(), Duration::from_secs(8))
}

async fn call(session: &Arc<dyn Session>) -> Result<JsonObject, BackendError> {
    session.request(request("tools/call"), Arc::<Ear>::default()).await
}

#[derive(Debug, Default)]
struct Kept {
    told: Mutex<Vec<String>>,
    news: tokio::sync::Notify,
}

impl Kept {
    async fn wait_for(&self, expected: &[&str]) {
        let enough = async {
            while self.told.lock().unwrap().len() < expected.len() {
                self.news.notified().await;
            }
        };
        time::timeout(Duration::from_secs(20), enough).await.expect("nothing was told");
        assert_eq!(*self.told.lock().unwrap(), expected);
    }

    fn keep(&self, what: &str) {
        self.told.lock().unwrap().push(what.to_owned());
        self.news.notify_one();
    }
}

impl Notices for Kept {
    fn notice(&self, method: &str, _params: JsonObject) {
        self.keep(method);
    }

    fn ended(&self) {
        self.keep("ended");
    }
}

fn tools() -> Wanted {
    Wanted { tools: true, ..Wanted::default() }
}

fn changed(more: Value) -> String {
    event(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": more}))
}

#[tokio::test]
async fn an_unknown_endpoint_is_asked_in_the_modern_form_first() {
    let endpoint = Loopback::start(modern).await;
    let session = endpoint.connect(None).await.unwrap();
    assert_eq!(session.era(), Era::Modern);
    call(&session).await.unwrap();
    // Which headers the tool wants is not known, so it is listed first.
    assert_eq!(endpoint.methods(), ["server/discover", "tools/list", "tools/call"]);
    assert_eq!(endpoint.seen()[0].headers["mcp-method"], "server/discover");
}

#[tokio::test]
async fn an_endpoint_that_refuses_the_modern_form_in_any_words_is_greeted_as_before() {
    let refusals = [
        plain("200 OK", &json!({"jsonrpc": "2.0", "id": 1, "result": {}})),
        plain(
            "200 OK",
            &json!({"jsonrpc": "2.0", "id": 1, "result": {"supportedVersions": ["2025-11-25"], "capabilities": {}}}),
        ),
        error("400 Bad Request", -32000),
        error("200 OK", -32601),
        Reply::Plain("400 Bad Request", "", "what?".into()),
        Reply::Plain("404 Not Found", "", String::new()),
        Reply::Plain("405 Method Not Allowed", "", String::new()),
        Reply::Plain("406 Not Acceptable", "", String::new()),
        Reply::Plain("500 Internal Server Error", "", String::new()),
        Reply::Plain("202 Accepted", "", String::new()),
        Reply::Events(": nothing\n\n".into()),
    ];
    for refusal in refusals {
        for remembered in [None, Some(Era::Modern)] {
            let answer = refusal.clone();
            let endpoint = Loopback::start(move |seen| match seen.method() {
                "server/discover" => answer.clone(),
                _ => legacy(seen),
            })
            .await;
            let session = endpoint.connect(remembered).await.unwrap_or_else(|error| panic!("{refusal:?}: {error}"));
            assert_eq!(session.era(), Era::Legacy, "{refusal:?}");
            call(&session).await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_has_become_modern_is_found_out_at_its_first_refusal() {
    for code in [-32020, -32022, -32602, -32601] {
        let endpoint = Loopback::start(move |seen| match seen.method() {
            "initialize" => error("400 Bad Request", code),
            _ => modern(seen),
        })
        .await;
        let session = endpoint.connect(Some(Era::Legacy)).await.unwrap();
        assert_eq!(session.era(), Era::Modern);
        assert_eq!(endpoint.methods(), ["initialize", "server/discover"]);
    }
}

#[tokio::test]
async fn an_endpoint_that_is_deaf_to_the_modern_form_is_greeted_as_before_after_a_moment() {
    let endpoint = Loopback::start(|seen| match seen.method() {
        "server/discover" => Reply::Silence,
        _ => legacy(seen),
    })
    .await;
    let begun = std::time::Instant::now();
    let session = endpoint.connect(Some(Era::Modern)).await.unwrap();
    assert_eq!(session.era(), Era::Legacy);
    assert!(begun.elapsed() < Duration::from_secs(7), "it waited for its whole start");
}

#[tokio::test]
async fn an_endpoint_that_names_our_version_as_it_refuses_it_is_asked_once_more() {
    let asked = AtomicUsize::new(0);
    let endpoint = Loopback::start(move |seen| {
        if asked.fetch_add(1, Ordering::SeqCst) > 0 {
            return modern(seen);
        }
        let error = json!({"code": -32022, "message": "no", "data": {"supported": ["2026-07-28"]}});
        plain("400 Bad Request", &json!({"jsonrpc": "2.0", "id": seen.message["id"], "error": error}))
    })
    .await;
    assert_eq!(endpoint.connect(None).await.unwrap().era(), Era::Modern);
    assert_eq!(endpoint.methods(), ["server/discover", "server/discover"]);
}

#[tokio::test]
async fn an_endpoint_that_wants_credentials_is_asked_once() {
    let endpoint = Loopback::start(|_| Reply::Plain("401 Unauthorized", "", String::new())).await;
    let refused = endpoint.connect(None).await.unwrap_err();
    assert!(matches!(refused, BackendError::Unauthorized { status: 401, .. }), "{refused}");
    assert_eq!(endpoint.seen().len(), 1);
}

#[tokio::test]
async fn a_stream_that_breaks_is_asked_for_again_from_its_last_event() {
    let streams = AtomicUsize::new(0);
    let endpoint = Loopback::start(move |seen| match seen.verb.as_str() {
        "GET" if streams.fetch_add(1, Ordering::SeqCst) == 0 => {
            Reply::Events(format!("id: e-7\nretry: 1\n{}", changed(json!({}))))
        }
        "GET" => Reply::Open(String::new()),
        _ => legacy(seen),
    })
    .await;
    let session = endpoint.connect(Some(Era::Legacy)).await.unwrap();
    let kept = Arc::<Kept>::default();
    let watch = session.watch(tools(), Arc::<Kept>::clone(&kept)).await.unwrap();
    endpoint.until(|endpoint| endpoint.seen().iter().filter(|seen| seen.verb == "GET").count() == 2).await;
    let again = endpoint.seen().into_iter().rfind(|seen| seen.verb == "GET").unwrap();
    assert_eq!((again.headers["last-event-id"].as_str(), again.headers["mcp-session-id"].as_str()), ("e-7", "s-1"));
    let before = kept.told.lock().unwrap().len();
    endpoint.say(&changed(json!({})));
    kept.wait_for(&["notifications/tools/list_changed"; 2][..before + 1]).await;
    drop(watch);
    session.close(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_stream_that_cannot_be_opened_again_ends_the_watches_and_a_new_watch_tries_anew() {
    let streams = AtomicUsize::new(0);
    let endpoint = Loopback::start(move |seen| match (seen.verb.as_str(), streams.load(Ordering::SeqCst)) {
        ("GET", at) => {
            streams.store(at + 1, Ordering::SeqCst);
            let fails = (1..=6).contains(&at);
            if fails {
                Reply::Plain("503 Service Unavailable", "", String::new())
            } else {
                Reply::Open("retry: 1\n\n".into())
            }
        }
        _ => legacy(seen),
    })
    .await;
    let session = endpoint.connect(Some(Era::Legacy)).await.unwrap();
    let kept = Arc::<Kept>::default();
    let _watch = session.watch(tools(), Arc::<Kept>::clone(&kept)).await.unwrap();
    endpoint.say("break");
    kept.wait_for(&["ended"]).await;
    let again = Arc::<Kept>::default();
    let _watch = session.watch(tools(), Arc::<Kept>::clone(&again)).await.unwrap();
    endpoint.say(&changed(json!({})));
    again.wait_for(&["notifications/tools/list_changed"]).await;
    assert!(call(&session).await.is_ok());
}

#[tokio::test]
async fn the_first_call_waits_for_the_stream_on_which_a_backend_may_ask() {
    let endpoint = Loopback::start(|seen| match seen.verb.as_str() {
        "GET" => Reply::Open(String::new()),
        _ => legacy(seen),
    })
    .await;
    let session = endpoint.connect(Some(Era::Legacy)).await.unwrap();
    assert_eq!(endpoint.methods(), ["initialize", "notifications/initialized", "GET"]);
    session.close(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_modern_watch_is_a_stream_of_its_own_and_is_ended_by_hanging_up() {
    let endpoint = Loopback::start(|seen| match seen.method() {
        "subscriptions/listen" => {
            let meta = json!({"io.modelcontextprotocol/subscriptionId": seen.message["id"]});
            let agreed = json!({"_meta": meta, "notifications": seen.message["params"]["notifications"]});
            let method = "notifications/subscriptions/acknowledged";
            Reply::Open(event(&json!({"jsonrpc": "2.0", "method": method, "params": agreed})))
        }
        _ => modern(seen),
    })
    .await;
    let session = endpoint.connect(None).await.unwrap();
    let kept = Arc::<Kept>::default();
    let watch = session.watch(tools(), Arc::<Kept>::clone(&kept)).await.unwrap();
    assert_eq!(watch.agreed(), &tools());
    endpoint.say(": still here\n\n");
    endpoint.say(&changed(json!({})));
    kept.wait_for(&["notifications/tools/list_changed"]).await;
    drop(watch);
    endpoint.until(|endpoint| endpoint.hung_up() == 1).await;
    call(&session).await.unwrap();
    assert_eq!(endpoint.methods(), ["server/discover", "subscriptions/listen", "tools/list", "tools/call"]);
    let _watch = session.watch(tools(), Arc::<Kept>::clone(&kept)).await.unwrap();
    endpoint.say("break");
    kept.wait_for(&["notifications/tools/list_changed", "ended"]).await;
}

#[tokio::test]
async fn what_a_modern_backend_says_of_a_request_comes_on_its_stream_and_hanging_up_takes_it_back() {
    let endpoint = Loopback::start(|seen| match seen.method() {
        "prompts/get" => {
            let token = &seen.message["params"]["_meta"]["progressToken"];
            let told =
                |method: &str, params: Value| event(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
            let answer = json!({"jsonrpc": "2.0", "id": seen.message["id"], "result": {}});
            Reply::Events(
                [
                    told("notifications/progress", json!({"progressToken": token, "progress": 1})),
                    told("notifications/message", json!({"level": "info", "data": "x"})),
                    event(&answer),
                ]
                .concat(),
            )
        }
        "resources/read" => Reply::Silence,
        _ => modern(seen),
    })
    .await;
    let session = endpoint.connect(None).await.unwrap();
    let ear = Arc::<Ear>::default();
    session.request(request("prompts/get"), Arc::<Ear>::clone(&ear)).await.unwrap();
    assert_eq!(ear.subjects(), ["progress", "log"]);
    let reading = tokio::spawn({
        let session = Arc::clone(&session);
        async move { session.request(request("resources/read"), Arc::<Ear>::default()).await }
    });
    endpoint.until(|endpoint| endpoint.methods().last().is_some_and(|method| method == "resources/read")).await;
    reading.abort();
    endpoint.until(|endpoint| endpoint.hung_up() == 1).await;
    session.request(request("prompts/get"), ear).await.unwrap();
    assert!(!endpoint.methods().contains(&"notifications/cancelled".to_owned()));
}

#[tokio::test]
async fn an_endpoint_that_was_replaced_or_lost_its_session_ends_the_conversation_so_that_the_next_heals() {
    for (remembered, refusal) in [
        (Era::Legacy, error("400 Bad Request", -32000)),
        (Era::Legacy, error("400 Bad Request", -32022)),
        (Era::Legacy, Reply::Plain("404 Not Found", "", String::new())),
        (Era::Modern, error("400 Bad Request", -32000)),
        (Era::Modern, Reply::Plain("405 Method Not Allowed", "", String::new())),
    ] {
        let answer = refusal.clone();
        let endpoint = Loopback::start(move |seen| match seen.method() {
            "tools/call" => answer.clone(),
            "initialize" | "notifications/initialized" => legacy(seen),
            _ => modern(seen),
        })
        .await;
        let session = endpoint.connect(Some(remembered)).await.unwrap();
        assert!(call(&session).await.is_err());
        assert!(session.is_closed(), "{remembered:?} {refusal:?}");
    }
}

#[tokio::test]
async fn an_error_about_one_request_leaves_the_conversation_alone() {
    for (status, code) in
        [("400 Bad Request", -32602), ("400 Bad Request", -32021), ("404 Not Found", -32601), ("200 OK", -32000)]
    {
        let endpoint = Loopback::start(move |seen| match seen.method() {
            "tools/call" => error(status, code),
            _ => modern(seen),
        })
        .await;
        let session = endpoint.connect(None).await.unwrap();
        let failed = call(&session).await.unwrap_err();
        assert!(matches!(failed, BackendError::Rpc { code: sent, .. } if sent == code), "{failed}");
        assert!(!session.is_closed(), "{code}");
    }
}
