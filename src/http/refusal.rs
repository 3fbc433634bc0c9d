//! What is answered to requests that are not carried out; the only place that makes errors into HTTP.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::jsonrpc::{self, Id, RpcError};

/// Why a request is not carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The `Host` is none of this server's, as with a name that was pointed at this machine.
    #[error("the Host header names no address of this server")]
    Host,
    /// A page of somebody else asks.
    #[error("requests from this origin are not served")]
    Origin,
    /// The token is missing or wrong.
    #[error(
        "the token is missing or wrong; send `Authorization: Bearer` and the token that `toolcrib serve --http` showed"
    )]
    Token,
    /// There is nothing here.
    #[error("nothing is served here")]
    NoPlace,
    /// There is something, but not for this method.
    #[error("this method is not served here")]
    Method {
        /// What is.
        allowed: &'static str,
    },
    /// The client would not take what is sent.
    #[error("the Accept header must allow {0}")]
    Accept(&'static str),
    /// What the client sends is no JSON by its own word.
    #[error("the Content-Type must be application/json")]
    ContentType,
    /// The body is too long.
    #[error("the body is longer than {most} bytes")]
    TooLong {
        /// The limit.
        most: usize,
    },
    /// The body did not come in time.
    #[error("the body did not come in time")]
    TooSlow,
    /// The body broke off.
    #[error("the body broke off")]
    BrokenOff,
    /// A request without a session that needs one.
    #[error("the Mcp-Session-Id header is missing; begin with `initialize`")]
    NoSession,
    /// The session is over, or never was.
    #[error("there is no such session; begin with `initialize`")]
    UnknownSession,
    /// Every session is busy.
    #[error("too many sessions are open")]
    TooManySessions,
    /// A stream that is not kept any more, or never was.
    #[error("there is no such stream to resume")]
    UnknownStream,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoChance,
    /// An error of the protocol about the request itself.
    #[error("{}", .0.1.message())]
    Rpc(Box<(Option<Id>, RpcError)>),
}

impl Refusal {
    /// An error of the protocol, with the id of the request that it is about.
    pub(super) fn rpc(id: Option<Id>, error: RpcError) -> Self {
        Self::Rpc(Box::new((id, error)))
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Host | Self::Origin => StatusCode::FORBIDDEN,
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::NoPlace | Self::UnknownSession => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Accept(_) => StatusCode::NOT_ACCEPTABLE,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::BrokenOff | Self::NoSession | Self::UnknownStream | Self::Rpc(_) => StatusCode::BAD_REQUEST,
            Self::TooManySessions | Self::NoChance => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Whether whoever sent this may be kept from sending more over the same connection.
    const fn ends_connection(&self) -> bool {
        matches!(self, Self::Host | Self::Origin | Self::Token | Self::TooLong { .. } | Self::TooSlow | Self::BrokenOff)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, ends) = (self.status(), self.ends_connection());
        let name = match &self {
            Self::Token => Some((header::WWW_AUTHENTICATE, "Bearer")),
            Self::Method { allowed } => Some((header::ALLOW, *allowed)),
            _ => None,
        };
        let (id, error) = match self {
            Self::Rpc(error) => *error,
            other => (None, RpcError::new(RpcError::INVALID_REQUEST, other.to_string())),
        };
        let mut response = json(status, &jsonrpc::answer(id.as_ref(), Err(error)));
        if let Some((name, value)) = name {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        if ends {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// A message as the whole answer.
pub(super) fn json(status: StatusCode, message: &Value) -> Response {
    json_text(status, &message.to_string())
}

/// The same of a message that is written already.
pub(super) fn json_text(status: StatusCode, message: &str) -> Response {
    let mut response = Response::new(Body::from(message.to_owned()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer that says nothing else.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
