//! The words by which a definition puts one tool before another, gathered from real definitions.

/// Verbs that make a call of what follows.
pub const CALLS: &[&str] = &["call", "use", "run", "invoke", "execute", "read", "fetch"];
pub const CALLING: &[&str] = &["calling", "using", "running", "invoking", "executing", "starting", "checking"];

/// What a call may be for when it gives what this tool takes.
pub const GIVES: &[&str] = &[
    "get",
    "find",
    "obtain",
    "discover",
    "look",
    "list",
    "retrieve",
    "resolve",
    "fetch",
    "identify",
    "determine",
    "see",
    "learn",
];

/// What says that something comes out of the tool that is named next.
pub const SOURCES: &[&str] = &[
    "returned",
    "provided",
    "given",
    "produced",
    "generated",
    "obtained",
    "retrieved",
    "found",
    "discovered",
    "listed",
    "reported",
    "received",
    "created",
    "discoverable",
    "available",
    "output",
];

/// What a condition says where the model, which starts with nothing, meets it.
pub const LACKS: &[&str] = &[
    "not have",
    "don't have",
    "n't have",
    "n't know",
    "not know",
    "unknown",
    "not known",
    "need to discover",
    "need to find",
    "not already",
    "n't already",
    "not been",
    "hasn't been",
    "unless",
    "not familiar",
    "unfamiliar",
    "without",
    "not available",
    "when you need an id",
    "isn't known",
];

/// What makes a call advice rather than a need.
pub const ADVICE: &[&str] = &[
    "may",
    "might",
    "can",
    "could",
    "consider",
    "optionally",
    "optional",
    "recommended",
    "prefer",
    "instead",
    "unlike",
    "rather",
    "alternatively",
    "needed",
    "pair",
    "combine",
    "also",
    "useful",
    "cannot",
];

/// Looking before a change is wise, not needed.
pub const CHECKS: &[&str] = &[
    "verify", "inspect", "check", "confirm", "test", "diagnose", "review", "ensure", "assess", "validate", "preview",
    "decide", "explore", "debug", "current", "filter",
];

/// Past participles of what must have happened.
pub const DONE: &[&str] = &[
    "initialized",
    "initialised",
    "created",
    "started",
    "registered",
    "opened",
    "loaded",
    "connected",
    "configured",
    "installed",
    "authenticated",
    "downloaded",
    "built",
    "completed",
];

/// Last words of parameters that only another tool can tell.
pub const KEYS: &[&str] = &["id", "arn", "key", "slug", "uuid", "guid", "uid", "etag", "revision"];

/// A word without the ending of its plural or possessive.
pub fn singular(word: &str) -> &str {
    let word = word.strip_suffix("'s").unwrap_or(word);
    word.strip_suffix('s').filter(|stem| stem.len() > 1).unwrap_or(word)
}
