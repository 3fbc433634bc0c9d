//! `crib/history`: what this conversation searched and called.

use serde_json::{Value, json};

use super::{Answer, bounded, span};
use crate::broker::{Conversation, conversation::Step};

/// The tool's name.
pub(super) const HISTORY: &str = "history";

/// Hits named of a search.
const MAX_HITS: usize = 3;

pub(super) fn definition() -> Value {
    super::definition(
        HISTORY,
        "What this conversation searched and called through toolcrib, newest first, with the ids of results that were cut.",
        &json!({}),
        &[],
        true,
    )
}

/// The steps of a conversation, newest first, and their sums.
pub(super) fn answer(conversation: &Conversation, budget: usize) -> Answer {
    let steps = conversation.steps();
    if steps.is_empty() {
        return Ok("nothing was searched or called yet".into());
    }
    let (mut searches, mut describes, mut calls) = (0, 0, 0);
    let mut lines = Vec::with_capacity(steps.len() + 1);
    for (age, step) in steps.iter().rev() {
        let said = match step {
            Step::Searched { query, hits } => {
                searches += 1;
                let shown = hits.iter().take(MAX_HITS).map(String::as_str).collect::<Vec<_>>().join(", ");
                let more = hits.len().saturating_sub(MAX_HITS);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                format!("search {query:?}: {shown}{more}")
            }
            Step::Described { tools } => {
                describes += 1;
                format!("describe {}", tools.join(", "))
            }
            Step::Called { tool, succeeded, kept } => {
                calls += 1;
                let outcome = if *succeeded { "answered" } else { "failed" };
                let kept = kept.as_ref().map(|kept| format!(", whole kept as {kept}")).unwrap_or_default();
                format!("call {tool}: {outcome}{kept}")
            }
        };
        lines.push(format!("{} ago: {said}", span(*age)));
    }
    lines.insert(0, format!("{searches} searches, {describes} describes, {calls} calls"));
    Ok(bounded(&lines, budget))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_tells_each_step_and_the_sums() {
        let conversation = Conversation::local();
        assert_eq!(answer(&conversation, 500).unwrap(), "nothing was searched or called yet");
        let hits = ["git/log", "git/show", "git/diff", "git/status"].map(str::to_owned).to_vec();
        conversation.note(Step::Searched { query: "history of a file".into(), hits });
        conversation.note(Step::Described { tools: vec!["git/log".into()] });
        let tool = "git/log".parse().unwrap();
        conversation.note(Step::Called { tool, succeeded: true, kept: Some("a1b2c3".into()) });
        insta::assert_snapshot!(answer(&conversation, 500).unwrap(), @r#"
        1 searches, 1 describes, 1 calls
        0 s ago: call git/log: answered, whole kept as a1b2c3
        0 s ago: describe git/log
        0 s ago: search "history of a file": git/log, git/show, git/diff and 1 more
        "#);
        let short = answer(&conversation, 36).unwrap();
        assert!(short.ends_with("more"), "{short}");
    }
}
