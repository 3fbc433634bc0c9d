//! Splits a request into the needs it states: "read the file and post a summary to Slack" wants two tools.
//!
//! A cut is made only where what follows begins with what somebody does: "search and replace", "name and address" and
//! lists of arguments stay whole. Knows no index.

use std::sync::LazyLock;

use regex::Regex;

use crate::{analyzer, query::LITERALS};

/// Most needs of one request. Each is searched by itself.
const MAX_NEEDS: usize = 6;

/// Marks and words between two needs. `None` cannot be: a test compiles it.
static BETWEEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r"(?ix)
          \s* [;\n] \s*
        | [.!?] \s+
        | ,? \s+ (?: (?: and | but | or ) \s+ )?
          (?: then | finally | afterwards | lastly | next | subsequently | additionally | also | as\s+well\s+as
            | followed\s+by | before | after\s+that ) \b ,? \s*
        | , \s* (?: and \s+ )?
        | \s+ and \s+ ";
    Regex::new(pattern).ok()
});

/// What may stand before the verb of a need.
const LEADS: [&str; 15] = [
    "also", "and", "can", "could", "finally", "i", "like", "me", "need", "please", "then", "to", "want", "would", "you",
];

/// What one asks a tool to do, in the imperative. Sorted.
const VERBS: &[&str] = &[
    "accept",
    "activate",
    "add",
    "analyse",
    "analyze",
    "append",
    "apply",
    "archive",
    "ask",
    "assign",
    "attach",
    "authenticate",
    "backup",
    "block",
    "book",
    "build",
    "buy",
    "calculate",
    "call",
    "cancel",
    "capture",
    "change",
    "check",
    "clean",
    "clear",
    "click",
    "clone",
    "close",
    "collect",
    "comment",
    "commit",
    "compare",
    "compile",
    "complete",
    "compose",
    "compress",
    "compute",
    "configure",
    "connect",
    "convert",
    "copy",
    "count",
    "create",
    "deactivate",
    "debug",
    "decline",
    "delete",
    "deliver",
    "deploy",
    "describe",
    "detect",
    "determine",
    "disable",
    "disconnect",
    "display",
    "download",
    "draft",
    "draw",
    "duplicate",
    "edit",
    "email",
    "embed",
    "enable",
    "encrypt",
    "ensure",
    "estimate",
    "evaluate",
    "examine",
    "execute",
    "explain",
    "explore",
    "export",
    "extract",
    "fetch",
    "fill",
    "filter",
    "find",
    "fix",
    "forecast",
    "format",
    "forward",
    "freeze",
    "gather",
    "generate",
    "get",
    "give",
    "grab",
    "highlight",
    "identify",
    "import",
    "insert",
    "inspect",
    "install",
    "investigate",
    "invite",
    "invoke",
    "join",
    "kill",
    "launch",
    "list",
    "load",
    "locate",
    "lock",
    "look",
    "make",
    "manage",
    "mark",
    "measure",
    "merge",
    "message",
    "modify",
    "monitor",
    "move",
    "mute",
    "navigate",
    "notify",
    "obtain",
    "open",
    "optimize",
    "organize",
    "parse",
    "pause",
    "perform",
    "pin",
    "place",
    "plan",
    "play",
    "plot",
    "post",
    "predict",
    "prepare",
    "preview",
    "print",
    "provide",
    "provision",
    "publish",
    "pull",
    "push",
    "put",
    "query",
    "read",
    "rebuild",
    "recommend",
    "record",
    "redeploy",
    "refresh",
    "register",
    "reject",
    "reload",
    "remind",
    "remove",
    "rename",
    "render",
    "reply",
    "report",
    "request",
    "reschedule",
    "reserve",
    "reset",
    "resolve",
    "restart",
    "restore",
    "resume",
    "retrieve",
    "return",
    "review",
    "revoke",
    "roll",
    "rotate",
    "run",
    "save",
    "scan",
    "schedule",
    "scrape",
    "search",
    "select",
    "send",
    "set",
    "share",
    "show",
    "sign",
    "sort",
    "start",
    "stop",
    "store",
    "submit",
    "subscribe",
    "suggest",
    "summarise",
    "summarize",
    "switch",
    "sync",
    "synchronize",
    "tag",
    "take",
    "tell",
    "test",
    "track",
    "train",
    "transcribe",
    "transfer",
    "translate",
    "trigger",
    "turn",
    "type",
    "unassign",
    "uninstall",
    "unlock",
    "unmute",
    "unsubscribe",
    "update",
    "upgrade",
    "upload",
    "validate",
    "verify",
    "view",
    "visualize",
    "wait",
    "watch",
    "write",
];

/// Verbs that stand in lists of things as often: "labels, comments and commit messages". They begin a need only where
/// "the", "it", "all" or the like follows. Sorted.
const NOUNS_TOO: [&str; 33] = [
    "archive", "block", "book", "change", "check", "click", "comment", "commit", "copy", "count", "display", "draft",
    "email", "estimate", "export", "filter", "forecast", "import", "measure", "message", "plan", "play", "plot",
    "post", "pull", "query", "record", "report", "request", "review", "search", "tag", "test",
];

/// The parts of a request that each state a need, in their order; none where it states only one.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let literals: Vec<_> = LITERALS.iter().flat_map(|literals| literals.find_iter(text)).collect();
    let is_quoted = |at: usize| literals.iter().any(|literal| literal.start() < at && at < literal.end());
    let mut cuts = Vec::new();
    let mut start = 0;
    for between in BETWEEN.iter().flat_map(|between| between.find_iter(text)) {
        let (before, after) = (&text[start..between.start()], &text[between.end()..]);
        if !is_quoted(between.start()) && begins_a_need(after) && says_something(before) {
            cuts.push(before);
            start = between.end();
        }
    }
    if !cuts.is_empty() && says_something(&text[start..]) {
        cuts.push(&text[start..]);
    }
    cuts.truncate(MAX_NEEDS);
    if cuts.len() > 1 { cuts } else { Vec::new() }
}

/// Whether a text begins with what somebody does, and goes on to say with what.
fn begins_a_need(text: &str) -> bool {
    let mut words = words(text).skip_while(|word| is_lead(word));
    let is_verb = words.next().is_some_and(|verb| {
        VERBS.binary_search(&verb.as_str()).is_ok()
            && (NOUNS_TOO.binary_search(&verb.as_str()).is_err()
                || words.next().is_some_and(|next| analyzer::is_stop_word(&next)))
    });
    let sentence = text.split(['.', ';', '\n']).next().unwrap_or_default();
    is_verb && analyzer::terms(sentence).len() > 1
}

fn says_something(text: &str) -> bool {
    analyzer::terms(text).iter().any(|term| !is_lead(&term.word))
}

fn is_lead(word: &str) -> bool {
    LEADS.binary_search(&word).is_ok()
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_words_are_sorted_so_that_they_are_found() {
        assert!(LEADS.is_sorted() && VERBS.is_sorted() && NOUNS_TOO.is_sorted());
    }

    #[test]
    fn each_need_of_a_request_is_a_part() {
        assert_eq!(split("read the file and post a summary to Slack"), ["read the file", "post a summary to Slack"]);
        assert_eq!(split("book a flight then add it to my calendar"), ["book a flight", "add it to my calendar"]);
        assert_eq!(
            split("List the vaults, get the market names. Finally, could you show me the server time?"),
            ["List the vaults", "get the market names", "Finally, could you show me the server time?"]
        );
    }

    #[test]
    fn lists_and_names_stay_whole() {
        for text in [
            "search and replace",
            "name and address of the customer",
            "list open issues, pull requests and commits",
            "export labels, comments and commit messages",
            "send 'stop, then call me' to Bob",
            "create an issue",
            "",
        ] {
            assert_eq!(split(text), Vec::<&str>::new(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_splits_into_parts_of_itself(text in "(\\PC| and | then |, get ){0,60}") {
            let parts = split(&text);
            prop_assert!(parts.len() != 1 && parts.len() <= MAX_NEEDS);
            prop_assert!(parts.iter().all(|part| text.contains(part)));
        }
    }
}
