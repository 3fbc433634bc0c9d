//! Who a text's tokens are spent on: which server's line, which tool's hit. For the ledger, after the answer is out.
//!
//! Read from the texts themselves, as a model gets them, so that it stays true however they are rendered.

use serde_json::Value;

use super::tokens;
use crate::{catalog::JsonObject, ids::ServerName};

/// Longest texts of a result that are kept until somebody counts them, in bytes; longer ones are counted at once, from a sample.
const MAX_WAITING_BYTES: usize = 1024 * 1024;

/// The texts of a result, to be counted later, without the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultText {
    /// What is to be counted: the text blocks, and the structured content.
    Waiting {
        /// Text blocks and embedded texts.
        texts: Vec<String>,
        /// `structuredContent` as JSON, where there is some.
        structured: Option<String>,
    },
    /// Counted already.
    Counted(usize),
}

/// Tokens of each server's share of the summaries, in the order of `servers`. A line that begins with a server's name is its
/// own; lists of names are shared by the servers without a line.
#[must_use]
pub fn summary_shares(summaries: &str, servers: &[ServerName]) -> Vec<usize> {
    let mut shares = vec![0; servers.len()];
    let mut common = 0;
    for line in summaries.split_inclusive('\n') {
        let tokens = tokens::count(line);
        let name = line.trim_end().split([' ', ':']).next().unwrap_or_default();
        let ends_well = line[name.len()..].trim_end().is_empty() || line[name.len()..].starts_with([':', ' ']);
        let is_line = ends_well && (line.contains(':') || line.contains(" (") || line.trim_end() == name);
        match servers.iter().position(|server| server.as_str() == name).filter(|_| is_line) {
            Some(at) => shares[at] += tokens,
            None => common += tokens,
        }
    }
    let without: Vec<usize> = (0..shares.len()).filter(|&at| shares[at] == 0).collect();
    for (place, &at) in without.iter().enumerate() {
        // The first ones take what does not divide.
        shares[at] = common / without.len() + usize::from(place < common % without.len());
    }
    shares
}

/// Tokens of a search reply, and of each hit's line in it, in the order of `hits` (full names). A hit without a line has none.
#[must_use]
pub fn reply_shares(text: &str, hits: &[String]) -> (usize, Vec<usize>) {
    let mut shares = vec![0; hits.len()];
    let mut total = 0;
    // Lines begin with letters, and there a token ends before the line does: the lines add up to the whole.
    for line in text.split_inclusive('\n') {
        let tokens = tokens::count(line);
        total += tokens;
        let owner =
            hits.iter().position(|hit| line.strip_prefix(hit.as_str()).is_some_and(|rest| rest.starts_with('(')));
        if let Some(at) = owner {
            shares[at] += tokens;
        }
    }
    (total, shares)
}

impl ResultText {
    /// The texts of a result.
    #[must_use]
    pub fn of(result: &JsonObject) -> Self {
        let blocks = result.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let text = |block: &Value| {
            let holder = if block["type"] == "resource" { block.get("resource")? } else { block };
            holder.get("text")?.as_str().map(str::to_owned)
        };
        let texts: Vec<String> = blocks.iter().filter_map(text).collect();
        let structured = result.get("structuredContent").filter(|value| !value.is_null()).map(Value::to_string);
        let bytes = texts.iter().chain(&structured).map(String::len).sum::<usize>();
        let waiting = Self::Waiting { texts, structured };
        if bytes > MAX_WAITING_BYTES { Self::Counted(waiting.count()) } else { waiting }
    }

    /// What a client shows a model of it, in o200k_base tokens: the texts or the structured content, whichever is more. Some show
    /// both; that is not held against a backend. Long texts are counted from a sample.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Counted(tokens) => *tokens,
            Self::Waiting { texts, structured } => {
                let texts = texts.iter().map(|text| tokens::count_roughly(text)).sum::<usize>();
                texts.max(structured.as_deref().map_or(0, tokens::count_roughly))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::economy::samples;

    fn names(names: &[&str]) -> Vec<ServerName> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_servers_line_is_its_own_and_a_list_of_names_is_everybodys() {
        let servers = names(&["git", "github", "slack", "aws-s3"]);
        let text = "git (3): commits\ngithub: issues\nslack aws-{s3 ecs}";
        let shares = summary_shares(text, &servers);
        assert_eq!(shares.iter().sum::<usize>(), tokens::count(text));
        assert_eq!(shares[0], tokens::count("git (3): commits\n"));
        assert!(shares[2] > 0 && shares[3] > 0, "{shares:?}");
        assert_eq!(summary_shares("", &servers), [0; 4]);
        assert_eq!(summary_shares("x y", &[]), Vec::<usize>::new());
    }

    #[test]
    fn the_lines_of_a_reply_add_up_to_the_whole_with_a_line_for_each_hit() {
        let hits = ["a/open", "a/open_all", "b/close"].map(str::to_owned);
        let text = "Nothing matches well. Nearest:\na/open_all(id: string) — Opens all.\na/open() — Opens.\nand 3 more";
        let (total, shares) = reply_shares(text, &hits);
        assert_eq!(total, tokens::count(text));
        assert_eq!(
            shares,
            [tokens::count("a/open() — Opens.\n"), tokens::count("a/open_all(id: string) — Opens all.\n"), 0]
        );
    }

    #[test]
    fn of_two_copies_of_a_result_one_is_counted() {
        let result = json!({
            "content": [{ "type": "text", "text": "{\"a\": 1}" }, { "type": "image", "data": "AAAA" },
                { "type": "resource", "resource": { "uri": "x", "text": "hello world" } }],
            "structuredContent": { "a": 1 },
        });
        let text = ResultText::of(&samples::object(result));
        assert_eq!(text.count(), tokens::count("{\"a\": 1}") + 2);
        let large = json!({ "content": [{ "type": "text", "text": "word ".repeat(1 << 18) }] });
        let ResultText::Counted(tokens) = ResultText::of(&samples::object(large)) else { panic!("kept") };
        assert!(tokens.abs_diff(1 << 18) < 10_000, "{tokens}");
    }
}
