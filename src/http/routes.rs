//! What is served where.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::Method,
    middleware,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Service,
    guard::{self, guard},
    legacy,
    post::{self, Place},
    refusal::Refusal,
    session::Sessions,
};
use crate::{broker::Conversation, ids::ServerName};

/// What all requests share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) service: Service,
    /// The port that clients name.
    pub(super) port: u16,
    pub(super) sessions: Sessions,
    /// Clients without sessions cannot be told apart: they are one conversation.
    pub(super) conversation: Arc<Conversation>,
    /// Work that goes on without a connection.
    pub(super) tasks: TaskTracker,
    /// Nothing more is begun.
    pub(super) stop: CancellationToken,
    /// Where clients without sessions have been.
    opened: Mutex<HashSet<Option<ServerName>>>,
}

impl Shared {
    pub(super) fn new(service: Service, port: u16, stop: CancellationToken) -> Self {
        Self {
            sessions: Sessions::new(&service.limits),
            service,
            port,
            conversation: Arc::new(Conversation::local_shared()),
            tasks: TaskTracker::new(),
            stop,
            opened: Mutex::default(),
        }
    }

    /// The first request without a session begins their conversation in that place.
    pub(super) fn opened_without_session(&self, place: &Option<ServerName>) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if !opened.contains(place) {
            // There are as many places as there are servers.
            opened.insert(place.clone());
            drop(opened);
            self.service.fronts.opened(place.as_ref());
        }
    }
}

pub(super) fn router(shared: &Arc<Shared>) -> Router {
    Router::new()
        .route("/mcp", any(all_servers))
        .route("/servers/{server}/mcp", any(one_server))
        .route(guard::HEALTH, get(healthy))
        .fallback(nowhere)
        .layer(middleware::from_fn_with_state(Arc::clone(shared), guard))
        .with_state(Arc::clone(shared))
}

async fn healthy() -> &'static str {
    "ok\n"
}

async fn nowhere() -> Refusal {
    Refusal::NoPlace
}

async fn all_servers(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    serve(&shared, None, request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn one_server(State(shared): State<Arc<Shared>>, Path(server): Path<String>, request: Request) -> Response {
    let Ok(server) = server.parse::<ServerName>() else { return Refusal::NoPlace.into_response() };
    serve(&shared, Some(server), request).await.unwrap_or_else(IntoResponse::into_response)
}

async fn serve(shared: &Arc<Shared>, server: Option<ServerName>, request: Request) -> Result<Response, Refusal> {
    let front = shared.service.fronts.front(server.as_ref()).ok_or(Refusal::NoPlace)?;
    let place = Place { server, front };
    match *request.method() {
        Method::POST => post::post(shared, place, request).await,
        Method::GET => legacy::listen(shared, &place, &request),
        Method::DELETE => legacy::end(shared, &place, &request),
        _ => Err(Refusal::Method { allowed: "GET, POST, DELETE" }),
    }
}
