//! Which found tools are one tool under several names or on several servers, so that a reply shows them once.
//!
//! Sure things only: the names say the same, arguments are written the same way, and the descriptions agree. Of two tools that
//! merely look alike, the model must see both.

use std::{collections::HashSet, sync::Arc};

use super::{
    clean,
    signature::{self, MAX_SIGNATURE_BYTES},
    terms, tokens,
};
use crate::{catalog::ToolEntry, ids::ToolId};

/// How much of a description is compared, in bytes. What differs further behind is an example or a list.
const COMPARED_BYTES: usize = 600;

/// The share of their words that descriptions of one tool have in common, in hundredths.
const COMMON_WORDS: usize = 70;

/// Most servers and names listed behind a hit; the others are counted.
const MAX_LISTED: usize = 6;

/// A found tool with those that are the same as it.
#[derive(Debug, Clone)]
pub struct Folded<'t> {
    /// The best of them.
    pub tool: &'t Arc<ToolEntry>,
    /// The others, in their order.
    pub same: Vec<ToolId>,
}

/// The best `limit` of these tools, best first, when each is shown once. What is the same as one of them is kept with it.
#[must_use]
pub fn fold(tools: &[Arc<ToolEntry>], limit: usize) -> Vec<Folded<'_>> {
    let mut folded: Vec<(Folded<'_>, Likeness)> = Vec::with_capacity(limit);
    for tool in tools {
        let likeness = Likeness::of(tool);
        let known = folded.iter().position(|(known, of_known)| of_known.is_same(known.tool, &likeness, tool));
        if let Some(at) = known {
            folded[at].0.same.push(tool.id.clone());
        } else if folded.len() < limit {
            folded.push((Folded { tool, same: Vec::new() }, likeness));
        }
    }
    folded.into_iter().map(|(folded, _)| folded).collect()
}

/// What is said of the tools that are the same as a hit: other names on its server, other servers by this name. Each of them can be
/// called from what is written.
#[must_use]
pub fn note(tool: &ToolId, same: &[ToolId]) -> Option<String> {
    let (here, elsewhere): (Vec<&ToolId>, Vec<&ToolId>) = same.iter().partition(|other| other.server == tool.server);
    let (there, renamed): (Vec<&ToolId>, Vec<&ToolId>) =
        elsewhere.into_iter().partition(|other| other.tool == tool.tool);
    let named = listed("also named", here.iter().map(|other| other.tool.as_str()));
    let servers = listed("same on", there.iter().map(|other| other.server.as_str()));
    let renamed: Vec<String> = renamed.into_iter().map(ToString::to_string).collect();
    let others = listed("same as", renamed.iter().map(String::as_str));
    let notes: Vec<String> = [named, servers, others].into_iter().flatten().collect();
    (!notes.is_empty()).then(|| notes.join("; "))
}

fn listed<'n>(what: &str, names: impl ExactSizeIterator<Item = &'n str>) -> Option<String> {
    let all = names.len();
    let names: Vec<String> = names.take(MAX_LISTED).map(clean::line).collect();
    let more = if all > MAX_LISTED { format!(" and {} more", all - MAX_LISTED) } else { String::new() };
    (all > 0).then(|| format!("{what} {}{more}", names.join(", ")))
}

/// What tools are compared by.
struct Likeness {
    /// The name without case, separators and its server's own words.
    name: String,
    /// The words of its server's name, and of the house mark.
    own: Vec<String>,
}

impl Likeness {
    fn of(tool: &ToolEntry) -> Self {
        let own = terms::words(tool.id.server.as_str());
        let words = terms::words(tool.name().as_str());
        let mut name: String = words.iter().filter(|word| !own.contains(word)).map(String::as_str).collect();
        if name.is_empty() {
            name = words.concat();
        }
        Self { name, own }
    }

    fn is_same(&self, tool: &ToolEntry, other: &Self, other_tool: &ToolEntry) -> bool {
        // Two installations of one server, most often.
        if tool.id.tool == other_tool.id.tool && tool.fingerprint == other_tool.fingerprint {
            return true;
        }
        self.name == other.name
            && says_the_same(tool.description(), &self.own, other_tool.description(), &other.own)
            && takes_the_same(tool, other_tool)
    }
}

fn takes_the_same(one: &ToolEntry, other: &ToolEntry) -> bool {
    let parameters = |tool| {
        let signature = signature::signature_within(tool, MAX_SIGNATURE_BYTES);
        let list = signature.text.split_once('(').map(|(_, list)| list.to_owned());
        (list, signature.complete)
    };
    let (of_one, complete) = parameters(one);
    // A signature that leaves something out says nothing of what it leaves out.
    of_one == parameters(other).0 && (complete || one.input_schema() == other.input_schema())
}

/// Whether two descriptions agree in nearly all words but the names of their servers.
fn says_the_same(one: &str, of_one: &[String], other: &str, of_other: &[String]) -> bool {
    if one == other {
        return true;
    }
    let words = |text: &str| -> HashSet<String> {
        let head = &text[..tokens::floor_char_boundary(text, COMPARED_BYTES)];
        let words = head.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let words = words.map(str::to_lowercase);
        words.filter(|word| !of_one.contains(word) && !of_other.contains(word)).collect()
    };
    let (one, other) = (words(one), words(other));
    let common = one.intersection(&other).count();
    common * 100 >= COMMON_WORDS * (one.len() + other.len() - common)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::economy::samples;

    fn tool(id: &str, description: &str, parameter: &str) -> Arc<ToolEntry> {
        let properties = json!({ parameter: { "type": "string" } });
        Arc::new(samples::tool(
            id,
            description,
            json!({ "type": "object", "properties": properties, "required": [parameter] }),
        ))
    }

    fn notes(tools: &[Arc<ToolEntry>]) -> Vec<String> {
        let folded = fold(tools, 10);
        let line = |folded: &Folded<'_>| match note(&folded.tool.id, &folded.same) {
            Some(note) => format!("{} [{note}]", folded.tool.id),
            None => folded.tool.id.to_string(),
        };
        folded.iter().map(line).collect()
    }

    #[test]
    fn two_names_of_one_tool_are_one_line() {
        let said = "Get the whole text of an article.";
        let tools = [tool("wiki/wiki_get_article", said, "title"), tool("wiki/get_article", said, "title")];
        assert_eq!(notes(&tools), ["wiki/wiki_get_article [also named get_article]"]);
    }

    #[test]
    fn one_tool_on_several_servers_is_one_line_that_names_them() {
        let tools = [
            tool("db-prod/query", "Run a read-only SQL query", "sql"),
            tool("db-test/query", "Run a read-only SQL query", "sql"),
            tool("warehouse/query", "Run a read-only Warehouse SQL query", "sql"),
            tool("files/query", "Find files by their contents and names", "sql"),
        ];
        assert_eq!(notes(&tools), ["db-prod/query [same on db-test, warehouse]", "files/query"]);
    }

    #[test]
    fn what_differs_in_name_arguments_or_words_stays_apart() {
        let said = "Acts on an uptime check by its id.";
        let tools = [
            tool("ocean/check_get", said, "id"),
            tool("ocean/check_get_state", said, "id"),
            tool("sea/check_get", said, "check"),
            tool("lake/check_get", "Buys a fish and has it fried.", "id"),
        ];
        assert_eq!(notes(&tools).len(), 4);
    }

    #[test]
    fn long_tools_are_the_same_only_when_their_whole_schemas_are() {
        let wide = |last: &str| -> Value {
            let properties: serde_json::Map<String, Value> = (0..60)
                .map(|at| (format!("some_long_field_{at}"), json!({ "type": "string" })))
                .chain([(last.to_owned(), json!({}))])
                .collect();
            json!({ "type": "object", "properties": properties })
        };
        let tool = |id: &str, last: &str| Arc::new(samples::tool(id, "Writes a record.", wide(last)));
        assert_eq!(
            notes(&[tool("a/write", "x"), tool("b/write", "y"), tool("c/write", "x")]),
            ["a/write [same on c]", "b/write"]
        );
    }

    #[test]
    fn folding_frees_places_for_the_next() {
        let tools: Vec<Arc<ToolEntry>> = ["a/query", "b/query", "c/query", "a/insert", "a/delete"]
            .iter()
            .map(|id| tool(id, "Does it with a database.", "sql"))
            .collect();
        let shown: Vec<String> = fold(&tools, 2).iter().map(|folded| folded.tool.id.to_string()).collect();
        assert_eq!(shown, ["a/query", "a/insert"]);
    }
}
