//! How a request of a client is carried out: begun, or resumed where it was parked; followed to its result, or to a question that
//! only the client's next request can answer.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::{
    Broker, Hop, era,
    front::Exchange,
    offers::{Asked, OfferError},
    one_server::Raw,
    parking::{self, Resumed, Running},
    relay::{self, Forwarder, Relay},
    reply,
};
use crate::{
    backends::{Answers, BackendError},
    catalog::JsonObject,
    jsonrpc::{Request, RpcError},
};

/// A request as it came.
pub(super) struct Incoming {
    pub(super) what: What,
    /// Answers to questions of before, and the state that came with them.
    pub(super) responses: JsonObject,
    pub(super) state: Option<String>,
}

impl Incoming {
    /// A request, with the answers that it brings.
    pub(super) fn of(what: What, request: &Request) -> Result<Self, RpcError> {
        let wrong = |why: &str| RpcError::new(RpcError::INVALID_PARAMS, why);
        let responses = match request.params.get("inputResponses") {
            None => JsonObject::new(),
            Some(Value::Object(responses)) if responses.values().all(Value::is_object) => responses.clone(),
            Some(_) => return Err(wrong("`inputResponses` must be an object of objects")),
        };
        let state = match request.params.get("requestState") {
            None => None,
            Some(Value::String(state)) => Some(state.clone()),
            Some(_) => return Err(wrong("`requestState` must be text")),
        };
        Ok(Self { what, responses, state })
    }
}

/// What is requested.
pub(super) enum What {
    /// A call of a meta-tool, or of a pinned one.
    Tool {
        /// Which.
        name: String,
        /// Its arguments.
        arguments: Option<Value>,
    },
    /// A prompt, a resource, a completion.
    Offer(Asked),
    /// Anything, of one server.
    Raw(Raw),
}

/// Why a request has no result of its own.
enum Ended {
    /// Its server or its name is at fault.
    Refused(RpcError),
    /// Nothing is: it cannot be carried out now.
    Hindered(&'static str),
}

impl Broker {
    /// Carries a request out.
    ///
    /// Dropping the future cancels the backend's request, unless the call is parked by then.
    pub(super) async fn serve(
        self: &Arc<Self>,
        incoming: Incoming,
        exchange: &Exchange,
    ) -> Result<JsonObject, RpcError> {
        let Incoming { what, responses, state } = incoming;
        // A model reads results; whoever asks for a prompt or a resource reads errors.
        let has_model = match &what {
            What::Tool { .. } => true,
            What::Offer(_) => false,
            What::Raw(raw) => raw.method == "tools/call",
        };
        let principal = exchange.client.conversation().principal();
        let bound_to = match &what {
            What::Tool { name, arguments } => parking::binding(principal, name, arguments.as_ref()),
            What::Offer(asked) => {
                let (method, subject) = asked.subject();
                parking::binding(principal, method, Some(&subject))
            }
            What::Raw(Raw { server, method, params }) => {
                parking::binding(principal, &format!("{server}: {method}"), Some(&Value::Object(params.clone())))
            }
        };
        let resumed = match state {
            // Whoever answers before it is asked answers the server, which may take it.
            None if !responses.is_empty() => Some(Resumed::Backend(Answers { responses, state: None })),
            None => None,
            Some(state) => {
                let resumed = self.parking().resume(&state, responses, &bound_to);
                Some(resumed.map_err(|bad| RpcError::new(RpcError::INVALID_PARAMS, bad.to_string()))?)
            }
        };
        let (running, forwarder) = match resumed {
            Some(Resumed::Running(running)) => {
                let forwarder = running.relay.move_to(exchange);
                (running, forwarder)
            }
            Some(Resumed::Backend(answers)) => self.begin(what, Some(answers), exchange),
            None => self.begin(what, None, exchange),
        };
        self.follow(running, forwarder, &bound_to).await.or_else(|ended| match ended {
            Ended::Hindered(why) if has_model => Ok(reply::error(why)),
            Ended::Hindered(why) => Err(RpcError::new(RpcError::INTERNAL, why)),
            Ended::Refused(error) => Err(error),
        })
    }

    /// Starts a request of its own: it goes on while the client is asked.
    fn begin(self: &Arc<Self>, what: What, answers: Option<Answers>, exchange: &Exchange) -> (Running, Forwarder) {
        let (relay, forwarder, questions) = relay::open(exchange, exchange.client.conversation().number());
        let relay = Arc::new(relay);
        // A client that is asked inline leaves no questions behind; its channel is closed from the start.
        let questions = questions.unwrap_or_else(|| mpsc::channel(1).1);
        let hop = Hop { meta: era::passed_on(exchange), caller: Arc::<Relay>::clone(&relay), answers };
        let (broker, conversation) = (Arc::clone(self), Arc::clone(exchange.client.conversation()));
        let work: BoxFuture<'static, Result<JsonObject, RpcError>> = match what {
            What::Tool { name, arguments } => {
                Box::pin(async move { Ok(broker.meta_call(&name, arguments, hop, &conversation).await) })
            }
            What::Offer(asked) => Box::pin(async move { broker.offer(asked, hop).await.map_err(refusal) }),
            What::Raw(raw) => Box::pin(async move { broker.pass(raw, hop).await }),
        };
        let result = AbortOnDropHandle::new(tokio::spawn(work.in_current_span()));
        (Running { result, questions, relay }, forwarder)
    }

    /// Waits for the result, or for a question that only the client's next request can answer.
    async fn follow(&self, mut running: Running, forwarder: Forwarder, bound_to: &[u8]) -> Result<JsonObject, Ended> {
        let forwarding = forwarder.run();
        tokio::pin!(forwarding);
        let (mut asks, mut forwards) = (true, true);
        let asked = loop {
            tokio::select! {
                () = &mut forwarding, if forwards => forwards = false,
                question = running.questions.recv(), if asks => match question {
                    Some(question) => break question,
                    None => asks = false,
                },
                result = &mut running.result => {
                    // The last holder of the way back; what is queued goes out before the result.
                    drop(running);
                    if forwards {
                        forwarding.await;
                    }
                    let result = result
                        .map_err(|_| Ended::Hindered("the call ended unexpectedly; try it again"))?
                        .map_err(Ended::Refused)?;
                    return Ok(if era::wants_input(&result) { self.parking().sealed(result, bound_to) } else { result });
                }
            }
        };
        let mut questions = vec![asked];
        while let Ok(more) = running.questions.try_recv() {
            questions.push(more);
        }
        running.relay.pause();
        if forwards {
            forwarding.await;
        }
        let parked = self.parking().park(running, questions, bound_to);
        parked.ok_or(Ended::Hindered("too many calls wait for their users already; try again later"))
    }
}

/// Why a prompt or a resource could not be given, as an error of the protocol: there is no model to read a result.
fn refusal(error: OfferError) -> RpcError {
    match error {
        OfferError::Unknown { what: "resource", ref name } => {
            RpcError::new(RpcError::INVALID_PARAMS, error.to_string()).with_data(json!({"uri": name}))
        }
        OfferError::Unknown { .. } => RpcError::new(RpcError::INVALID_PARAMS, error.to_string()),
        OfferError::Backend(BackendError::Rpc { error, .. }) => RpcError::as_sent(*error),
        OfferError::Backend(failure) => RpcError::new(RpcError::INTERNAL, format!("{failure}; {}", failure.hint())),
    }
}
