//! What the peer's client watches, and the tool `change` that says it has changed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{is_modern, result, send};

/// Resources subscribed to, and open streams with what they are about.
#[derive(Default)]
pub struct Watched {
    uris: BTreeSet<String>,
    streams: Vec<(Value, Value)>,
    asked: Vec<String>,
}

pub fn capabilities() -> Value {
    json!({
        "completions": {},
        "logging": {},
        "tools": {"listChanged": true},
        "prompts": {},
        "resources": {"subscribe": true},
    })
}

impl Watched {
    /// Takes what concerns it; false where it is another's.
    pub fn takes(&mut self, mode: &str, message: &Value) -> bool {
        if !mode.starts_with("changes") {
            return false;
        }
        let (id, params) = (&message["id"], &message["params"]);
        match (message["method"].as_str().unwrap_or_default(), params["name"].as_str().unwrap_or_default()) {
            (method @ ("resources/subscribe" | "resources/unsubscribe"), _) if !is_modern(mode) => {
                let uri = params["uri"].as_str().unwrap_or_default().to_owned();
                self.asked.push(format!("{} {uri}", method.trim_start_matches("resources/")));
                if method == "resources/subscribe" {
                    self.uris.insert(uri)
                } else {
                    self.uris.remove(&uri)
                };
                result(id, json!({}));
            }
            ("subscriptions/listen", _) if is_modern(mode) => {
                let wanted = params["notifications"].clone();
                self.asked.push(format!("listen {wanted}"));
                self.tell(id, "notifications/subscriptions/acknowledged", json!({"notifications": wanted}));
                self.streams.push((id.clone(), wanted));
            }
            ("notifications/cancelled", _) => {
                let before = self.streams.len();
                self.streams.retain(|(stream, _)| *stream != params["requestId"]);
                if self.streams.len() == before {
                    return false;
                }
                self.asked.push("cancelled".into());
            }
            ("tools/call", "change") => {
                self.change(mode);
                result(id, json!({"content": [{"type": "text", "text": "changed"}], "resultType": "complete"}));
            }
            ("tools/call", "asked") => {
                let text = json!(self.asked).to_string();
                result(id, json!({"content": [{"type": "text", "text": text}], "resultType": "complete"}));
            }
            _ => return false,
        }
        true
    }

    fn change(&self, mode: &str) {
        if !is_modern(mode) {
            send(&json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
            for uri in &self.uris {
                send(&json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}}));
            }
            return;
        }
        for (stream, wanted) in &self.streams {
            if wanted["toolsListChanged"] == true {
                self.tell(stream, "notifications/tools/list_changed", json!({}));
            }
            for uri in wanted["resourceSubscriptions"].as_array().into_iter().flatten() {
                self.tell(stream, "notifications/resources/updated", json!({"uri": uri, "futureField": 1}));
            }
        }
    }

    fn tell(&self, stream: &Value, method: &str, mut params: Value) {
        params["_meta"] = json!({"io.modelcontextprotocol/subscriptionId": stream});
        send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }
}
