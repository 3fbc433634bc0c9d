//! What Streamable HTTP and HTTP+SSE share: one client for all backends, the operator's headers, what a status means, and streams
//! of events within bounds.

use std::{io, sync::OnceLock, time::Duration};

use futures::{Stream, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use reqwest::{Response, redirect};
use secrecy::ExposeSecret;
use sse_stream::SseStream;

use super::wire::{MAX_MESSAGE_BYTES, WireError};
use crate::config::HttpLaunch;

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
pub(super) fn events(response: Response) -> impl Stream<Item = Result<sse_stream::Sse, WireError>> + Unpin + Send {
    let mut event = EventSize::default();
    let bounded = response.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(|error| io::Error::other(error.without_url()))?;
        if event.takes(&chunk) {
            Ok(chunk)
        } else {
            Err(io::Error::other("an event is larger than any message may be"))
        }
    });
    Box::pin(
        SseStream::from_bytes_stream(bounded).map(|event| event.map_err(|error| WireError::Failed(error.to_string()))),
    )
}

/// How much of an event has come, wherever the chunks of a stream begin and end.
#[derive(Debug, Default)]
struct EventSize {
    bytes: usize,
    /// Bytes of the line that is coming.
    line: usize,
    /// The last byte was a carriage return, of which a line feed is the second half.
    returned: bool,
}

impl EventSize {
    /// False once the event is larger than any message may be. An empty line ends an event.
    fn takes(&mut self, chunk: &[u8]) -> bool {
        for &byte in chunk {
            let ends_line = byte == b'\r' || (byte == b'\n' && !self.returned);
            self.bytes += 1;
            if ends_line && self.line == 0 {
                self.bytes = 0;
            }
            if ends_line {
                self.line = 0;
            } else if byte != b'\n' {
                self.line += 1;
            }
            self.returned = byte == b'\r';
            if self.bytes > MAX_MESSAGE_BYTES {
                return false;
            }
        }
        true
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

    #[test]
    fn an_event_is_measured_wherever_its_chunks_end_and_a_stream_may_be_long() {
        let mut size = EventSize::default();
        let line = [b'x'; 1024];
        for _ in 0..(3 * MAX_MESSAGE_BYTES / 1024) {
            // The empty line that ends an event comes byte by byte.
            assert!(
                size.takes(&line) && size.takes(b"\r") && size.takes(b"\n") && size.takes(b"\r") && size.takes(b"\n")
            );
        }
        let mut size = EventSize::default();
        let endless = (0..=MAX_MESSAGE_BYTES / 1024).all(|_| size.takes(&line) && size.takes(b"\n"));
        assert!(!endless);
    }
}
