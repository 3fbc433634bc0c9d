//! What is sent: requests, notifications, responses.

use std::fmt;

use serde_json::{Map, Value};

/// A JSON object in the order in which it came.
pub type JsonObject = Map<String, Value>;

/// One message, read.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Wants an answer.
    Request(Request),
    /// Wants none.
    Notification(Notification),
    /// Is one.
    Response(Response),
}

/// A message that wants an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its id, to be echoed.
    pub id: Id,
    /// What is wanted.
    pub method: String,
    /// Of what; empty where it had none.
    pub params: JsonObject,
}

/// A message that wants no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// What has happened.
    pub method: String,
    /// To what; empty where it had none.
    pub params: JsonObject,
}

/// The answer to a request of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The id of the request.
    pub id: Id,
    /// Its result, or its error.
    pub outcome: Result<JsonObject, RpcError>,
}

/// The id of a request: a text or a number, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Id(Value);

/// An error of the protocol: `code`, `message`, and whatever else the one who made it put in.
#[derive(Debug, Clone, PartialEq)]
pub struct RpcError(JsonObject);

impl Id {
    /// An id; `None` where the value is neither text nor number.
    #[must_use]
    pub fn new(value: Value) -> Option<Self> {
        match value {
            Value::String(_) | Value::Number(_) => Some(Self(value)),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// As it is sent.
    #[must_use]
    pub const fn as_value(&self) -> &Value {
        &self.0
    }

    /// As a number, also where it was echoed as a text.
    #[must_use]
    pub fn as_number(&self) -> Option<u64> {
        self.0.as_u64().or_else(|| self.0.as_str()?.parse().ok())
    }
}

impl From<u64> for Id {
    fn from(number: u64) -> Self {
        Self(number.into())
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl RpcError {
    /// What was sent is no JSON.
    pub const PARSE: i64 = -32700;
    /// It is no message.
    pub const INVALID_REQUEST: i64 = -32600;
    /// There is no such method.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// The parameters are wrong.
    pub const INVALID_PARAMS: i64 = -32602;
    /// Something failed on this side.
    pub const INTERNAL: i64 = -32603;

    /// An error.
    #[must_use]
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self(JsonObject::from_iter([
            ("code".to_owned(), Value::from(code)),
            ("message".to_owned(), message.into().into()),
        ]))
    }

    /// The same with `data`.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.0.insert("data".into(), data);
        self
    }

    /// The same under another code.
    #[must_use]
    pub fn with_code(mut self, code: i64) -> Self {
        self.0.insert("code".into(), code.into());
        self
    }

    /// An error as a peer sent it.
    #[must_use]
    pub const fn as_sent(error: JsonObject) -> Self {
        Self(error)
    }

    /// Its code; 0 where it has none.
    #[must_use]
    pub fn code(&self) -> i64 {
        self.0.get("code").and_then(Value::as_i64).unwrap_or(0)
    }

    /// What it says.
    #[must_use]
    pub fn message(&self) -> &str {
        self.0.get("message").and_then(Value::as_str).unwrap_or("no message")
    }

    /// As it is sent.
    #[must_use]
    pub fn into_object(self) -> JsonObject {
        self.0
    }
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    /// The error to answer with, and the id of the request where it had one that can be told.
    pub fn read(value: Value) -> Result<Self, Box<(Option<Id>, RpcError)>> {
        let invalid = |id: Option<Id>, why: &str| Err(Box::new((id, RpcError::new(RpcError::INVALID_REQUEST, why))));
        let Value::Object(mut message) = value else { return invalid(None, "a message must be a JSON object") };
        let raw_id = message.shift_remove("id");
        let had_id = raw_id.is_some();
        let id = raw_id.and_then(Id::new);
        if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return invalid(id, "`jsonrpc` must be \"2.0\"");
        }
        let method = match message.shift_remove("method") {
            Some(Value::String(method)) => Some(method),
            Some(_) => return invalid(id, "`method` must be text"),
            None => None,
        };
        let params = match message.shift_remove("params") {
            None | Some(Value::Null) => JsonObject::new(),
            Some(Value::Object(params)) => params,
            Some(_) => {
                let error = RpcError::new(RpcError::INVALID_PARAMS, "`params` must be an object");
                return Err(Box::new((id, error)));
            }
        };
        match (method, id) {
            (Some(method), Some(id)) => Ok(Self::Request(Request { id, method, params })),
            (Some(_), None) if had_id => invalid(None, "`id` must be a text or a number"),
            (Some(method), None) => Ok(Self::Notification(Notification { method, params })),
            (None, Some(id)) => match (message.shift_remove("result"), message.shift_remove("error")) {
                (Some(Value::Object(result)), None) => Ok(Self::Response(Response { id, outcome: Ok(result) })),
                (None | Some(Value::Null), Some(Value::Object(error))) => {
                    Ok(Self::Response(Response { id, outcome: Err(RpcError(error)) }))
                }
                _ => invalid(None, "a response has either a `result` or an `error`, an object"),
            },
            (None, None) => invalid(None, "a message has a `method`, or answers one"),
        }
    }
}

/// A request to be sent.
#[must_use]
pub fn request(id: &Id, method: &str, params: JsonObject) -> Value {
    message([("id", id.0.clone()), ("method", method.into()), ("params", Value::Object(params))])
}

/// A notification to be sent.
#[must_use]
pub fn notification(method: &str, params: JsonObject) -> Value {
    let mut sent = vec![("method", method.into())];
    if !params.is_empty() {
        sent.push(("params", Value::Object(params)));
    }
    message(sent)
}

/// A response to be sent. Without an id it answers what had none that could be read.
#[must_use]
pub fn answer(id: Option<&Id>, outcome: Result<JsonObject, RpcError>) -> Value {
    let id = id.map_or(Value::Null, |id| id.0.clone());
    match outcome {
        Ok(result) => message([("id", id), ("result", Value::Object(result))]),
        Err(error) => message([("id", id), ("error", Value::Object(error.0))]),
    }
}

/// Moves the parts, which may be large, and copies none.
fn message(parts: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let mut message = JsonObject::from_iter([("jsonrpc".to_owned(), Value::from("2.0"))]);
    message.extend(parts.into_iter().map(|(key, value)| (key.to_owned(), value)));
    Value::Object(message)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_are_told_apart_by_what_they_have() {
        let read = |value: Value| Message::read(value);
        let request = read(json!({"jsonrpc": "2.0", "id": "a", "method": "ping"})).unwrap();
        assert!(matches!(request, Message::Request(Request { method, .. }) if method == "ping"));
        let notification = read(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).unwrap();
        assert!(matches!(notification, Message::Notification(_)));
        let response =
            read(json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "no", "x": 1}})).unwrap();
        let Message::Response(Response { outcome: Err(error), .. }) = response else { panic!("{response:?}") };
        assert_eq!(error.into_object()["x"], 1, "nothing of an error is lost");
    }

    #[test]
    fn what_is_no_message_is_answered_with_what_is_wrong() {
        for (value, code, id) in [
            (json!([]), RpcError::INVALID_REQUEST, None),
            (json!({"id": 1, "method": "x"}), RpcError::INVALID_REQUEST, Some(Id::from(1))),
            (json!({"jsonrpc": "2.0", "id": null, "method": "x"}), RpcError::INVALID_REQUEST, None),
            (json!({"jsonrpc": "2.0", "id": {}, "method": "x"}), RpcError::INVALID_REQUEST, None),
            (json!({"jsonrpc": "2.0", "id": 1, "method": 5}), RpcError::INVALID_REQUEST, Some(Id::from(1))),
            (
                json!({"jsonrpc": "2.0", "id": 1, "method": "x", "params": [1]}),
                RpcError::INVALID_PARAMS,
                Some(Id::from(1)),
            ),
            (json!({"jsonrpc": "2.0", "id": 1}), RpcError::INVALID_REQUEST, None),
            (json!({"jsonrpc": "2.0"}), RpcError::INVALID_REQUEST, None),
        ] {
            let (answered, error) = *Message::read(value.clone()).unwrap_err();
            assert_eq!((error.code(), answered), (code, id), "{value}");
        }
    }
}
