//! What Streamable HTTP and HTTP+SSE share: one client for all backends, the operator's headers, what a status means, and streams
//! of events within bounds.

use std::{sync::OnceLock, time::Duration};

use futures::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reqwest::{Response, redirect};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::wire::{MAX_MESSAGE_BYTES, WireError};
use crate::{
    config::HttpLaunch,
    jsonrpc::events::{Event, EventReader},
};

/// Longest time for a connection to be made. An address that does not answer is known by then.
const CONNECT: Duration = Duration::from_secs(10);

/// Redirects followed, all on the same origin.
const MAX_REDIRECTS: usize = 3;

/// The HTTP client of all backends, made at the first use: most people have none that need it.
#[derive(Debug, Default)]
pub(super) struct Client(OnceLock<Result<reqwest::Client, String>>);

impl Client {
    /// The client.
    pub(super) fn get(&self) -> Result<&reqwest::Client, WireError> {
        self.0.get_or_init(build).as_ref().map_err(|reason| WireError::Failed(reason.clone()))
    }
}

fn build() -> Result<reqwest::Client, String> {
    // Another part of the process may have chosen one already; any is good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let policy = redirect::Policy::custom(|attempt| {
        let same = attempt.previous().last().is_some_and(|before| before.origin() == attempt.url().origin());
        // Elsewhere the headers, with their credentials, must not go.
        if same && attempt.previous().len() <= MAX_REDIRECTS { attempt.follow() } else { attempt.stop() }
    });
    let builder = reqwest::Client::builder().connect_timeout(CONNECT).redirect(policy);
    builder.build().map_err(|error| format!("the HTTP client could not be made ({error})"))
}

/// The operator's headers, marked so that nothing prints them.
pub(super) fn headers(launch: &HttpLaunch) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &launch.headers {
        // Both were checked with the configuration.
        if let (Ok(name), Ok(mut value)) =
            (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.expose_secret()))
        {
            value.set_sensitive(SENSITIVE);
            headers.insert(name, value);
        }
    }
    headers
}

const SENSITIVE: bool = true;

/// A failure of reqwest without the address, which may hold a key.
pub(super) fn failed(error: reqwest::Error) -> WireError {
    let error = error.without_url();
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    WireError::Failed(if error.is_connect() { format!("cannot connect{cause}") } else { format!("{error}{cause}") })
}

/// What a status other than success means.
pub(super) fn refused(status: StatusCode) -> WireError {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => WireError::Unauthorized(status.as_u16()),
        StatusCode::BAD_REQUEST
        | StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::NOT_ACCEPTABLE
        | StatusCode::GONE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE => WireError::WrongTransport(status.as_u16()),
        other => WireError::NoAnswer(format!("HTTP {other}")),
    }
}

/// The events of a response; one larger than any message ends the stream.
pub(super) fn events(response: Response) -> impl Stream<Item = Result<Event, WireError>> + Unpin + Send {
    Box::pin(decoded(response.bytes_stream().map(|chunk| chunk.map_err(failed)), MAX_MESSAGE_BYTES))
}

/// The events of a stream that comes in chunks.
fn decoded<B: AsRef<[u8]>>(
    chunks: impl Stream<Item = Result<B, WireError>> + Unpin,
    most: usize,
) -> impl Stream<Item = Result<Event, WireError>> {
    // Events of one chunk are read one by one, so that no more of them are held than one.
    let state = (chunks, EventReader::new(most), None::<(B, usize)>);
    stream::try_unfold(state, |(mut chunks, mut reader, mut chunk)| async move {
        loop {
            if let Some((bytes, read)) = &mut chunk {
                let mut rest = bytes.as_ref().get(*read..).unwrap_or_default();
                let event = reader.read(&mut rest).map_err(|error| WireError::Failed(error.to_string()))?;
                *read = bytes.as_ref().len() - rest.len();
                if let Some(event) = event {
                    return Ok(Some((event, (chunks, reader, chunk))));
                }
            }
            let Some(next) = chunks.next().await else { return Ok(None) };
            chunk = Some((next?, 0));
        }
    })
}

/// The messages of an event: none, one, or those of a batch of 2025-03-26.
pub(super) fn messages(event: &Event) -> Vec<Value> {
    match event.data.as_deref().map(serde_json::from_str) {
        Some(Ok(Value::Array(batch))) => batch,
        Some(Ok(message)) => vec![message],
        Some(Err(_)) | None => Vec::new(),
    }
}

/// A body up to the largest message.
pub(super) async fn body(response: Response) -> Result<Vec<u8>, WireError> {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.map_err(failed)?);
        if body.len() > MAX_MESSAGE_BYTES {
            return Err(WireError::Failed("an answer is larger than any message may be".into()));
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_event_of_a_chunk_comes_and_one_that_is_too_large_is_the_last() {
        let chunks = ["data: [1,", "2]\n\ndata: 3\n\nda", "ta: what\n\n", "data: a far too long one\n\n"];
        let chunks = stream::iter(chunks.map(|chunk| Ok::<_, WireError>(chunk.as_bytes())));
        let read: Vec<_> = decoded(chunks, 20).map(|event| event.map(|event| messages(&event))).collect().await;
        let too_large = WireError::Failed("an event is larger than 20 bytes".into());
        assert_eq!(read, [Ok(vec![1.into(), 2.into()]), Ok(vec![3.into()]), Ok(vec![]), Err(too_large)]);
    }
}
