//! One request of a client while it is worked on: what the client can be asked and told, and the way back to it.

use std::sync::Arc;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Client, Outlet, client::Running};
use crate::{
    broker::era::Standing,
    catalog::{Era, JsonObject},
    jsonrpc::{self, Id, Request, RpcError},
};

/// A request while it is worked on. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Whose request it is.
    pub client: Arc<Client>,
    /// Its id.
    pub id: Id,
    /// Its `_meta`, as sent.
    pub meta: Arc<JsonObject>,
    /// Its era.
    pub era: Era,
    /// What the client said of itself, in this request or in its handshake: `clientInfo`.
    pub info: Arc<JsonObject>,
    /// What the client said that it can do, likewise.
    pub capabilities: Arc<JsonObject>,
    /// Cancelled with the request.
    pub cancelled: CancellationToken,
    out: Arc<dyn Outlet>,
}

/// A request before it is known how it is to be read.
pub(super) struct Opened {
    client: Arc<Client>,
    id: Id,
    meta: JsonObject,
    cancelled: CancellationToken,
    out: Arc<dyn Outlet>,
}

impl Exchange {
    pub(super) fn open(client: &Arc<Client>, request: &Request, running: &Running, out: Arc<dyn Outlet>) -> Opened {
        let meta = request.params.get("_meta").and_then(Value::as_object).cloned().unwrap_or_default();
        Opened { client: Arc::clone(client), id: request.id.clone(), meta, cancelled: running.token().clone(), out }
    }

    /// What the client calls itself.
    #[must_use]
    pub fn client_name(&self) -> Option<&str> {
        self.info.get("name").and_then(Value::as_str)
    }

    /// Tells the client something in the course of this request; `false` where it is gone.
    pub async fn tell(&self, method: &str, params: JsonObject) -> bool {
        self.out.send(jsonrpc::notification(method, params)).await
    }

    /// Asks a client with a handshake something in the course of this request; `None` where it does not answer any more.
    ///
    /// Dropping the future takes the question back.
    pub async fn ask(&self, method: &str, params: JsonObject) -> Option<Result<JsonObject, RpcError>> {
        self.client.ask(&self.out, method, params).await
    }
}

impl Opened {
    pub(super) fn of(self, standing: Standing) -> Exchange {
        let Self { client, id, meta, cancelled, out } = self;
        let Standing { era, info, capabilities } = standing;
        Exchange {
            client,
            id,
            meta: Arc::new(meta),
            era,
            info: Arc::new(info),
            capabilities: Arc::new(capabilities),
            cancelled,
            out,
        }
    }
}
