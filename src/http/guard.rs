//! Who may come in: the right host, no foreign page, the token. Decided from the head of a request, before anything else.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{refusal::Refusal, routes::Shared, token::Token};

/// The one path that needs no token: it says that the server is there, and nothing else.
pub(super) const HEALTH: &str = "/healthz";

/// Whether somebody on a connection has shown the token.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Arc<AtomicBool>);

impl Known {
    pub(super) fn is(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Stands before every route.
pub(super) async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    match admit(&shared.service.token, shared.port, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn admit(token: &Token, port: u16, request: &Request) -> Result<(), Refusal> {
    check_host(request.uri(), request.headers(), port)?;
    check_origin(request.headers())?;
    if request.uri().path() == HEALTH {
        return Ok(());
    }
    check_token(request.headers(), token)?;
    if let Some(known) = request.extensions().get::<Known>() {
        known.0.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// A name that somebody pointed at this machine does not lead in (DNS rebinding).
fn check_host(uri: &Uri, headers: &HeaderMap, port: u16) -> Result<(), Refusal> {
    let host = only(headers, &header::HOST).map_err(|()| Refusal::Host)?.ok_or(Refusal::Host)?;
    let is_ours = |authority: &Authority| {
        // Without a port it is that of the scheme.
        !authority.as_str().contains('@') && is_loopback(authority.host()) && authority.port_u16().unwrap_or(80) == port
    };
    let named: Authority = host.parse().map_err(|_| Refusal::Host)?;
    // A request line may name a host of its own, which goes before the header.
    if is_ours(&named) && uri.authority().is_none_or(is_ours) { Ok(()) } else { Err(Refusal::Host) }
}

/// A page in a browser may ask where it was loaded from this machine. Other programs send no origin.
fn check_origin(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(origin) = only(headers, &header::ORIGIN).map_err(|()| Refusal::Origin)? else { return Ok(()) };
    let uri: Uri = origin.parse().map_err(|_| Refusal::Origin)?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let is_local = uri.authority().is_some_and(|named| !named.as_str().contains('@') && is_loopback(named.host()));
    if is_web && is_local { Ok(()) } else { Err(Refusal::Origin) }
}

fn check_token(headers: &HeaderMap, token: &Token) -> Result<(), Refusal> {
    let shown = only(headers, &header::AUTHORIZATION).map_err(|()| Refusal::Token)?.ok_or(Refusal::Token)?;
    let (scheme, credentials) = shown.split_once(' ').ok_or(Refusal::Token)?;
    let is_right = scheme.eq_ignore_ascii_case("bearer") && token.is(credentials.trim().as_bytes());
    if is_right { Ok(()) } else { Err(Refusal::Token) }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bare {
        Some(address) => address.parse::<Ipv6Addr>().is_ok_and(|address| IpAddr::V6(address).is_loopback()),
        None => {
            host.eq_ignore_ascii_case("localhost")
                || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

/// The value of a header that may come once at most.
pub(super) fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, ()> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn only_loopback_hosts_with_our_port_lead_in() {
        let uri = Uri::from_static("/mcp");
        for (host, expected) in [
            ("localhost:7477", true),
            ("LocalHost:7477", true),
            ("127.0.0.1:7477", true),
            ("127.0.0.2:7477", true),
            ("[::1]:7477", true),
            ("localhost", false),
            ("localhost:7478", false),
            ("localhost.:7477", false),
            ("evil.example:7477", false),
            ("127.0.0.1.evil.example:7477", false),
            ("localhost@evil.example:7477", false),
            ("evil.example@localhost:7477", false),
            ("[::ffff:127.0.0.1]:7477", false),
            ("0.0.0.0:7477", false),
            ("2130706433:7477", false),
            ("::1:7477", false),
            ("", false),
            ("localhost:7477/x", false),
        ] {
            assert_eq!(check_host(&uri, &headers(&[(header::HOST, host)]), 7477).is_ok(), expected, "{host}");
        }
        assert!(check_host(&uri, &HeaderMap::new(), 7477).is_err(), "no host at all");
        let mut twice = headers(&[(header::HOST, "localhost:7477")]);
        twice.append(header::HOST, HeaderValue::from_static("localhost:7477"));
        assert!(check_host(&uri, &twice, 7477).is_err());
        let absolute = Uri::from_static("http://evil.example:7477/mcp");
        assert!(check_host(&absolute, &headers(&[(header::HOST, "localhost:7477")]), 7477).is_err());
        assert!(check_host(&uri, &headers(&[(header::HOST, "localhost")]), 80).is_ok(), "the port of the scheme");
    }

    #[test]
    fn pages_of_this_machine_may_ask_and_no_others() {
        for (origin, expected) in [
            ("http://localhost:6274", true),
            ("http://127.0.0.1", true),
            ("https://[::1]:443", true),
            ("null", false),
            ("http://evil.example", false),
            ("http://localhost.evil.example", false),
            ("http://localhost@evil.example", false),
            ("chrome-extension://abc", false),
            ("file://localhost/x", false),
            ("localhost:7477", false),
            ("", false),
        ] {
            assert_eq!(check_origin(&headers(&[(header::ORIGIN, origin)])).is_ok(), expected, "{origin}");
        }
        assert!(check_origin(&HeaderMap::new()).is_ok(), "other programs send none");
    }

    #[test]
    fn the_token_is_asked_for_in_one_form() {
        let token = Token::chosen("0123456789abcdef").unwrap();
        for (shown, expected) in [
            ("Bearer 0123456789abcdef", true),
            ("bearer  0123456789abcdef", true),
            ("Bearer 0123456789abcdee", false),
            ("Basic 0123456789abcdef", false),
            ("Bearer", false),
            ("Bearer ", false),
            ("0123456789abcdef", false),
        ] {
            let shown_in = headers(&[(header::AUTHORIZATION, shown)]);
            assert_eq!(check_token(&shown_in, &token).is_ok(), expected, "{shown}");
        }
        assert!(check_token(&HeaderMap::new(), &token).is_err());
    }
}
