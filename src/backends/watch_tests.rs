//! Watches over a scripted backend of each era.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::{
    backends::{
        BackendError,
        scripted::{Scripted, error, result, settle, told},
    },
    catalog::Era,
};

/// Keeps what it is told.
#[derive(Debug, Default)]
struct Kept {
    notices: Mutex<Vec<(String, Value)>>,
    ends: AtomicUsize,
}

impl Kept {
    fn take(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut *self.notices.lock().unwrap())
    }

    fn ends(&self) -> usize {
        self.ends.load(Ordering::SeqCst)
    }
}

impl Notices for Kept {
    fn notice(&self, method: &str, params: JsonObject) {
        self.notices.lock().unwrap().push((method.to_owned(), Value::Object(params)));
    }

    fn ended(&self) {
        self.ends.fetch_add(1, Ordering::SeqCst);
    }
}

fn everything(uris: &[&str]) -> Wanted {
    let uris = uris.iter().map(|uri| (*uri).to_owned()).collect();
    Wanted { tools: true, prompts: true, resources: true, uris }
}

fn able() -> Value {
    json!({"tools": {"listChanged": true}, "prompts": {}, "resources": {"subscribe": true, "listChanged": true}})
}

/// A modern backend that agrees to all but prompts.
fn agreeing() -> Arc<Scripted> {
    Scripted::new(|message| {
        if message["method"] != "subscriptions/listen" {
            return Vec::new();
        }
        let mut agreed = message["params"]["notifications"].clone();
        agreed.as_object_mut().unwrap().remove("promptsListChanged");
        vec![told(ACKNOWLEDGED, json!({"_meta": {SUBSCRIPTION: message["id"]}, "notifications": agreed}))]
    })
}

fn updated(uri: &str) -> Value {
    told("notifications/resources/updated", json!({"uri": uri, "futureField": 1}))
}

#[tokio::test(start_paused = true)]
async fn a_backend_with_a_handshake_is_subscribed_to_a_resource_once_however_many_watch_it() {
    let wire = Scripted::new(|message| result(message, json!({})));
    let session = wire.session(Era::Legacy, able());
    let (one, two): (Arc<Kept>, Arc<Kept>) = Default::default();
    let first = session.watch(everything(&["note://a"]), Arc::<Kept>::clone(&one)).await.unwrap();
    let second = session.watch(everything(&["note://a", "note://b"]), Arc::<Kept>::clone(&two)).await.unwrap();
    // Prompts do not announce that their list changes.
    assert_eq!(first.agreed(), &Wanted { prompts: false, ..everything(&["note://a"]) });
    assert_eq!(wire.sent_of("resources/subscribe").len(), 2);
    wire.say(updated("note://a"));
    wire.say(updated("note://b"));
    wire.say(told("notifications/tools/list_changed", json!({})));
    wire.say(told("notifications/prompts/list_changed", json!({})));
    let change = ("notifications/tools/list_changed".to_owned(), json!({}));
    let update = |uri: &str| ("notifications/resources/updated".to_owned(), json!({"uri": uri, "futureField": 1}));
    assert_eq!(one.take(), [update("note://a"), change.clone()]);
    assert_eq!(two.take(), [update("note://a"), update("note://b"), change]);
    drop(first);
    settle().await;
    assert!(wire.sent_of("resources/unsubscribe").is_empty());
    drop(second);
    assert_eq!(wire.wait_for("resources/unsubscribe", 2).await.len(), 2);
    wire.say(updated("note://a"));
    assert!(one.take().is_empty() && two.take().is_empty());
    assert_eq!((one.ends(), two.ends()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_is_watched_again_is_subscribed_to_again() {
    let wire = Scripted::new(|message| result(message, json!({})));
    let session = wire.session(Era::Legacy, able());
    for round in 1..=3 {
        let watch = session.watch(everything(&["note://a"]), Arc::<Kept>::default()).await.unwrap();
        assert_eq!(wire.sent_of("resources/subscribe").len(), round);
        drop(watch);
        wire.wait_for("resources/unsubscribe", round).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_first_subscription_is_the_error_of_the_watch() {
    let wire = Scripted::new(|message| error(message, -32002));
    let session = wire.session(Era::Legacy, able());
    let kept = Arc::<Kept>::default();
    let refused = session.watch(everything(&["note://gone"]), Arc::<Kept>::clone(&kept)).await.unwrap_err();
    assert!(matches!(refused, BackendError::Rpc { code: -32002, .. }), "{refused:?}");
    wire.say(told("notifications/tools/list_changed", json!({})));
    wire.hang_up();
    assert!(kept.take().is_empty());
    assert_eq!(kept.ends(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_a_backend_does_not_announce_is_not_agreed_to_and_not_asked_for() {
    let wire = Scripted::new(|message| result(message, json!({})));
    let session = wire.session(Era::Legacy, json!({"tools": {}, "resources": {}}));
    let watch = session.watch(everything(&["note://a"]), Arc::<Kept>::default()).await.unwrap();
    assert_eq!(watch.agreed(), &Wanted::default());
    assert!(wire.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn watches_of_a_modern_backend_are_told_apart_by_the_request_that_asked_for_them() {
    let wire = agreeing();
    let session = wire.session(Era::Modern, json!({}));
    let (one, two): (Arc<Kept>, Arc<Kept>) = Default::default();
    let first = session.watch(everything(&["note://a"]), Arc::<Kept>::clone(&one)).await.unwrap();
    let second = session.watch(everything(&["note://b"]), Arc::<Kept>::clone(&two)).await.unwrap();
    assert_eq!(first.agreed(), &Wanted { prompts: false, ..everything(&["note://a"]) });
    let asked = wire.sent_of("subscriptions/listen");
    assert_eq!(
        asked[0]["params"]["notifications"],
        json!({"toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true, "resourceSubscriptions": ["note://a"]})
    );
    assert!(asked[0]["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"].is_string());
    let change = |id: &Value| told("notifications/tools/list_changed", json!({"_meta": {SUBSCRIPTION: id, "x/y": 1}}));
    wire.say(change(&asked[1]["id"]));
    assert!(one.take().is_empty());
    assert_eq!(two.take(), [("notifications/tools/list_changed".into(), json!({"_meta": {"x/y": 1}}))]);
    // What was not agreed to is not passed on.
    wire.say(told("notifications/prompts/list_changed", json!({"_meta": {SUBSCRIPTION: asked[1]["id"]}})));
    assert!(two.take().is_empty());
    drop(second);
    let cancelled = wire.wait_for("notifications/cancelled", 1).await;
    assert_eq!(cancelled[0]["params"]["requestId"], asked[1]["id"]);
    wire.say(change(&asked[1]["id"]));
    wire.say(change(&asked[0]["id"]));
    assert_eq!((one.take().len(), two.take().len(), two.ends()), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_once_whether_by_its_answer_by_a_cancellation_or_with_the_session() {
    for end in ["answer", "cancelled", "session"] {
        let wire = agreeing();
        let session = wire.session(Era::Modern, json!({}));
        let kept = Arc::<Kept>::default();
        let watch = session.watch(everything(&[]), Arc::<Kept>::clone(&kept)).await.unwrap();
        let asked = wire.sent_of("subscriptions/listen").remove(0);
        match end {
            "answer" => wire.say(result(&asked, json!({"resultType": "complete"})).remove(0)),
            "cancelled" => wire.say(told("notifications/cancelled", json!({"requestId": asked["id"]}))),
            _ => session.close(std::time::Duration::ZERO).await,
        }
        settle().await;
        assert_eq!(kept.ends(), 1, "{end}");
        drop(watch);
        settle().await;
        assert_eq!(kept.ends(), 1, "{end}");
        assert!(wire.sent_of("notifications/cancelled").is_empty(), "{end}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_modern_backend_that_refuses_or_says_nothing_gives_no_watch() {
    let refusing = Scripted::new(|message| error(message, -32601));
    let refused = refusing.session(Era::Modern, json!({})).watch(everything(&[]), Arc::<Kept>::default()).await;
    assert!(matches!(refused, Err(BackendError::Rpc { code: -32601, .. })), "{refused:?}");
    let silent = Scripted::new(|_| Vec::new());
    let late = silent.session(Era::Modern, json!({})).watch(everything(&[]), Arc::<Kept>::default()).await;
    assert!(matches!(late, Err(BackendError::CallTimeout { .. })), "{late:?}");
    silent.wait_for("notifications/cancelled", 1).await;
}

#[tokio::test(start_paused = true)]
async fn watching_is_bounded() {
    let wire = Scripted::new(|message| result(message, json!({})));
    let session = wire.session(Era::Legacy, able());
    let many: Vec<String> = (0..MAX_URIS).map(|at| format!("note://{at}")).collect();
    let all = session.watch(Wanted { uris: many, ..Wanted::default() }, Arc::<Kept>::default()).await.unwrap();
    let more = session.watch(everything(&["note://more"]), Arc::<Kept>::default()).await;
    assert!(matches!(more, Err(BackendError::Unsupported { .. })), "{more:?}");
    drop(all);
    let mut held = Vec::new();
    for _ in 0..MAX_WATCHES {
        held.push(session.watch(everything(&[]), Arc::<Kept>::default()).await.unwrap());
    }
    let more = session.watch(everything(&[]), Arc::<Kept>::default()).await;
    assert!(matches!(more, Err(BackendError::Unsupported { .. })), "{more:?}");
}
