//! What clients are told unasked: that a resource or a list of a server has changed.
//!
//! A client with a handshake subscribes to resources one by one and hears of lists anyway; one without opens a stream for what it
//! names. Either way the server is watched in its own era. A watch that breaks is opened again, and what may have been missed
//! meanwhile is told.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::{join_all, pending};
use serde_json::{Value, json};
use tokio::{
    sync::{
        Notify,
        mpsc::{self, Receiver, Sender},
    },
    time,
};
use tokio_util::task::AbortOnDropHandle;
use tracing::debug;

use super::{
    Broker, era,
    front::{Exchange, Outlet},
    offers,
};
use crate::{
    backends::{BackendError, ClientCapabilities, Lease, Notices, Wanted, Watch},
    catalog::JsonObject,
    config::ServerSpec,
    jsonrpc::{self, RpcError},
};

/// Resources that one client may subscribe to.
const MAX_SUBSCRIBED: usize = 256;

/// Notices waiting for a slow client. Beyond it the newest are dropped: they only say that something is to be read again.
const WAITING: usize = 256;

/// Pause before a broken watch is opened again: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a client with a handshake subscribed to. Dropping it ends the watches.
#[derive(Debug, Default)]
pub struct Subscriptions(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    resources: HashMap<String, AbortOnDropHandle<()>>,
    lists: Option<AbortOnDropHandle<()>>,
    is_over: bool,
}

/// One server to be watched.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) spec: ServerSpec,
    pub(super) wanted: Wanted,
    /// Whether clients know its resources by addresses of ours.
    pub(super) is_renamed: bool,
}

/// Who is told.
#[derive(Debug)]
enum Listener {
    /// A client with a handshake, outside of its requests.
    Unasked { out: Arc<dyn Outlet>, capabilities: ClientCapabilities },
    /// A client without, in the stream of this request.
    Stream(Exchange),
}

/// A watch, and what it has told.
#[derive(Debug)]
struct Open {
    _watch: Watch,
    agreed: Wanted,
    told: Receiver<(String, JsonObject)>,
    over: Arc<Notify>,
    /// Keeps the server awake, where it is to be.
    lease: Option<Lease>,
}

#[derive(Debug)]
struct Queue {
    notices: Sender<(String, JsonObject)>,
    over: Arc<Notify>,
}

impl Notices for Queue {
    fn notice(&self, method: &str, params: JsonObject) {
        let _ = self.notices.try_send((method.to_owned(), params));
    }

    fn ended(&self) {
        self.over.notify_one();
    }
}

impl Subscriptions {
    /// Ends all watches, for good.
    pub(super) fn end(&self) {
        let mut held = self.held();
        held.is_over = true;
        (held.resources, held.lists) = (HashMap::new(), None);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener {
    /// The client of a request with a handshake: for as long as it is there.
    fn unasked(exchange: &Exchange) -> Self {
        Self::Unasked { out: Arc::clone(exchange.client.unasked()), capabilities: era::client_capabilities(exchange) }
    }

    fn capabilities(&self) -> ClientCapabilities {
        match self {
            Self::Unasked { capabilities, .. } => capabilities.clone(),
            Self::Stream(exchange) => era::client_capabilities(exchange),
        }
    }

    /// `false` where the client is gone.
    async fn tell(&self, method: &str, params: JsonObject) -> bool {
        match self {
            Self::Unasked { out, .. } => out.send(jsonrpc::notification(method, params)).await,
            Self::Stream(exchange) => era::tell_subscriber(exchange, method, params).await,
        }
    }
}

impl Target {
    /// What clients call a resource of this server.
    fn named(&self, uri: &str) -> String {
        if self.is_renamed { offers::address(self.spec.name.as_str(), uri) } else { uri.to_owned() }
    }

    fn renamed(&self, mut params: JsonObject) -> JsonObject {
        if let Some(uri) = params.get("uri").and_then(Value::as_str).map(|uri| self.named(uri)) {
            params.insert("uri".into(), uri.into());
        }
        params
    }

    /// Everything that may have changed while nobody watched.
    fn anything(&self, agreed: &Wanted) -> Vec<(&'static str, JsonObject)> {
        let lists = [
            (agreed.tools, "notifications/tools/list_changed"),
            (agreed.prompts, "notifications/prompts/list_changed"),
            (agreed.resources, "notifications/resources/list_changed"),
        ];
        let lists = lists.into_iter().filter(|(agreed, _)| *agreed).map(|(_, method)| (method, JsonObject::new()));
        let updated = |uri: &String| {
            let uri = Value::from(self.named(uri));
            ("notifications/resources/updated", JsonObject::from_iter([("uri".to_owned(), uri)]))
        };
        lists.chain(agreed.uris.iter().map(updated)).collect()
    }
}

impl Broker {
    /// Subscribes a client with a handshake to a resource, which it calls `uri`.
    ///
    /// # Errors
    /// Where the server cannot be watched, or the client watches too much.
    pub(super) async fn subscribe(
        self: &Arc<Self>,
        uri: &str,
        target: Target,
        exchange: &Exchange,
    ) -> Result<JsonObject, RpcError> {
        let subscriptions = exchange.client.subscriptions();
        let (is_known, count) = {
            let held = subscriptions.held();
            (held.resources.contains_key(uri), held.resources.len())
        };
        if is_known {
            return Ok(JsonObject::new());
        }
        if count >= MAX_SUBSCRIBED {
            let message = format!("a client may subscribe to {MAX_SUBSCRIBED} resources");
            return Err(RpcError::new(RpcError::INVALID_PARAMS, message));
        }
        let listener = Listener::unasked(exchange);
        let open = self.open_watch(&target, &listener.capabilities()).await.map_err(refusal)?;
        if open.agreed.uris.is_empty() {
            let message = "this server takes no subscriptions to resources";
            return Err(RpcError::new(RpcError::METHOD_NOT_FOUND, message));
        }
        let broker = Arc::clone(self);
        let watching = tokio::spawn(async move { broker.keep_watching(open, &target, &listener).await });
        let watching = AbortOnDropHandle::new(watching);
        let mut held = subscriptions.held();
        if !held.is_over {
            held.resources.insert(uri.to_owned(), watching);
        }
        Ok(JsonObject::new())
    }

    /// Takes a subscription back. One that is not there is taken back already.
    pub(super) fn unsubscribe(uri: &str, exchange: &Exchange) -> JsonObject {
        exchange.client.subscriptions().held().resources.remove(uri);
        JsonObject::new()
    }

    /// Tells a client with a handshake of changes of a server's lists whenever that runs. Begun once for a client.
    pub(super) fn tell_of_lists(self: &Arc<Self>, spec: &ServerSpec, exchange: &Exchange) {
        let mut held = exchange.client.subscriptions().held();
        if held.is_over || held.lists.is_some() {
            return;
        }
        let wanted = Wanted { tools: true, prompts: true, resources: true, uris: Vec::new() };
        let target = Target { spec: spec.clone(), wanted, is_renamed: false };
        let (broker, listener) = (Arc::clone(self), Listener::unasked(exchange));
        let watching = tokio::spawn(async move { broker.watch_while_awake(None, &target, &listener).await });
        held.lists = Some(AbortOnDropHandle::new(watching));
    }

    /// Serves `subscriptions/listen`: says what is agreed to, then tells of it until the request is cancelled. Servers whose resources
    /// are watched are woken for it; of the one in `sleeping`, the lists are watched whenever it runs. `agreed` is what is agreed to
    /// besides resources.
    pub(super) async fn listen_to(
        &self,
        waking: Vec<Target>,
        sleeping: Option<Target>,
        mut agreed: JsonObject,
        exchange: &Exchange,
    ) {
        let listener = Listener::Stream(exchange.clone());
        let capabilities = listener.capabilities();
        let opening = waking.into_iter().map(|target| async {
            let open = self.open_watch(&target, &capabilities).await;
            (open, target)
        });
        let mut watches = Vec::new();
        let mut uris = Vec::new();
        for (open, target) in join_all(opening).await {
            match open {
                Ok(open) => {
                    uris.extend(open.agreed.uris.iter().map(|uri| target.named(uri)));
                    watches.push((open, target));
                }
                // It is left out of what is agreed to; that is how a client learns of it.
                Err(failure) => debug!(server.name = %target.spec.name, error = %failure, "cannot be watched"),
            }
        }
        // Of a server that runs nothing may be missed once it is agreed to.
        let running = sleeping.as_ref().and_then(|target| self.pool.live(&target.spec.name, &capabilities));
        let awake = match (running, &sleeping) {
            (Some(lease), Some(target)) => watched(&lease, target).await.ok(),
            _ => None,
        };
        if !uris.is_empty() {
            agreed.insert("resourceSubscriptions".into(), json!(uris));
        }
        era::acknowledge(exchange, agreed).await;
        let kept = async {
            join_all(watches.into_iter().map(|(open, target)| {
                let listener = &listener;
                async move { self.keep_watching(open, &target, listener).await }
            }))
            .await;
            pending::<()>().await;
        };
        let lists = async {
            match &sleeping {
                Some(target) => self.watch_while_awake(awake, target, &listener).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = kept => {}
            () = lists => {}
            () = exchange.client.silent() => {}
        }
    }

    /// Watches a server, which is woken for it and kept awake.
    async fn open_watch(&self, target: &Target, client: &ClientCapabilities) -> Result<Open, BackendError> {
        let lease = self.pool.lease(&target.spec, client).await?;
        self.library.spoke(&target.spec.name, lease.session().era()).await;
        let mut open = watched(&lease, target).await?;
        open.lease = Some(lease);
        Ok(open)
    }

    /// Tells of what a watch tells, and opens it again where it breaks, until the client is gone.
    async fn keep_watching(&self, first: Open, target: &Target, listener: &Listener) {
        let mut open = first;
        let mut pause = FIRST_PAUSE;
        while forward(&mut open, target, listener).await {
            drop(open);
            open = loop {
                time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
                match self.open_watch(target, &listener.capabilities()).await {
                    Ok(open) => break open,
                    Err(failure) => {
                        debug!(server.name = %target.spec.name, error = %failure, "a watch could not be opened again");
                    }
                }
            };
            for (method, params) in target.anything(&open.agreed) {
                listener.tell(method, params).await;
            }
            pause = FIRST_PAUSE;
        }
    }

    /// Watches a server whenever somebody else has it running, until the client is gone. `open` is a watch of the session that runs
    /// already.
    async fn watch_while_awake(&self, mut open: Option<Open>, target: &Target, listener: &Listener) {
        loop {
            let mut watch = match open.take() {
                Some(open) => open,
                None => self.watch_next(target, listener).await,
            };
            if !forward(&mut watch, target, listener).await {
                return;
            }
            drop(watch);
            // A session that has just ended may still be found for a moment.
            time::sleep(FIRST_PAUSE).await;
        }
    }

    /// Waits until the server runs and tells something; then it is watched, and kept awake by that no longer than by others.
    async fn watch_next(&self, target: &Target, listener: &Listener) -> Open {
        loop {
            let lease = self.pool.wait_for(&target.spec.name, &listener.capabilities()).await;
            let open = watched(&lease, target).await.ok().filter(|open| open.agreed.is_anything());
            let session = Arc::downgrade(lease.session());
            drop(lease);
            if let Some(open) = open {
                // While it slept its lists came from the catalog, and it may have changed them before it was watched.
                for (method, params) in target.anything(&open.agreed) {
                    listener.tell(method, params).await;
                }
                return open;
            }
            // It tells nothing; its next session may.
            while session.upgrade().is_some_and(|session| !session.is_closed()) {
                time::sleep(LONGEST_PAUSE).await;
            }
            time::sleep(FIRST_PAUSE).await;
        }
    }
}

async fn watched(lease: &Lease, target: &Target) -> Result<Open, BackendError> {
    let (notices, told) = mpsc::channel(WAITING);
    let over = Arc::new(Notify::new());
    let queue = Queue { notices, over: Arc::clone(&over) };
    let watch = lease.session().watch(target.wanted.clone(), Arc::new(queue)).await?;
    let agreed = watch.agreed().clone();
    Ok(Open { _watch: watch, agreed, told, over, lease: None })
}

/// Tells until the watch ends; `false` where the client is gone.
async fn forward(open: &mut Open, target: &Target, listener: &Listener) -> bool {
    loop {
        tokio::select! {
            // What was told before the end is told on.
            biased;
            told = open.told.recv() => {
                let Some((method, params)) = told else { return true };
                if !listener.tell(&method, target.renamed(params)).await {
                    return false;
                }
            }
            () = open.over.notified() => return true,
        }
    }
}

fn refusal(failure: BackendError) -> RpcError {
    match failure {
        BackendError::Rpc { error, .. } => RpcError::as_sent(*error),
        failure => RpcError::new(RpcError::INTERNAL, format!("{failure}; {}", failure.hint())),
    }
}
