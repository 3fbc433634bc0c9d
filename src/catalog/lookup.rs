//! Finding tools by what somebody wrote: exact names first, then what can only mean one thing, else the nearest.
//!
//! A name is never guessed across servers: where two tools could be meant, both are shown and none is taken.

use std::{collections::HashMap, sync::Arc};

use super::ToolEntry;
use crate::ids::{ServerName, ToolId};

/// Most near names offered for one that does not exist.
const MAX_NEAREST: usize = 5;

/// Longest text that is looked up, in bytes. Longer ones are no names: server, border and tool take 289 at most.
const MAX_TEXT_BYTES: usize = 512;

/// Least likeness of a name that is worth offering, from 0 to 1.
const MIN_LIKENESS: f64 = 0.45;

/// What clients put before the names of an MCP server's tools, ours included: models copy it into arguments.
const CLIENT_PREFIXES: [&str; 2] = ["mcp__toolcrib__", "mcp__"];

/// What a written name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// Exactly this tool.
    One(ToolId),
    /// One of these, at least two, in the catalog's order.
    Many(Vec<ToolId>),
    /// No tool.
    None {
        /// Tools with similar names, nearest first; at most 5.
        nearest: Vec<ToolId>,
    },
}

/// Maps over the tools of one snapshot. Positions count through the catalog's tools in their order.
#[derive(Debug)]
pub(super) struct Lookup {
    tools: Vec<Arc<ToolEntry>>,
    by_name: HashMap<Box<str>, Vec<u32>>,
    by_folded_name: HashMap<Box<str>, Vec<u32>>,
    servers_by_folded_name: HashMap<Box<str>, Vec<ServerName>>,
}

impl Lookup {
    pub(super) fn new<'a>(
        servers: impl Iterator<Item = &'a ServerName>,
        tools: impl Iterator<Item = &'a Arc<ToolEntry>>,
    ) -> Self {
        let tools: Vec<_> = tools.map(Arc::clone).collect();
        let mut by_name: HashMap<Box<str>, Vec<u32>> = HashMap::with_capacity(tools.len());
        let mut by_folded_name: HashMap<Box<str>, Vec<u32>> = HashMap::with_capacity(tools.len());
        for (position, tool) in (0..).zip(&tools) {
            let name = tool.name().as_str();
            by_name.entry(name.into()).or_default().push(position);
            by_folded_name.entry(fold(name).into()).or_default().push(position);
        }
        let mut servers_by_folded_name: HashMap<Box<str>, Vec<ServerName>> = HashMap::new();
        for server in servers {
            servers_by_folded_name.entry(fold(server.as_str()).into()).or_default().push(server.clone());
        }
        Self { tools, by_name, by_folded_name, servers_by_folded_name }
    }

    pub(super) fn tool(&self, id: &ToolId) -> Option<&Arc<ToolEntry>> {
        let positions = self.by_name.get(id.tool.as_str())?;
        self.at(positions).find(|tool| tool.id.server == id.server)
    }

    pub(super) fn named(&self, name: &str) -> Vec<ToolId> {
        self.by_name
            .get(name)
            .map(|positions| self.at(positions).map(|tool| tool.id.clone()).collect())
            .unwrap_or_default()
    }

    pub(super) fn resolve(&self, text: &str) -> Resolution {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_TEXT_BYTES {
            return Resolution::None { nearest: Vec::new() };
        }
        // Identity: written in full, nothing else can be meant.
        if let Some(tool) = text.parse().ok().and_then(|id| self.tool(&id)) {
            return Resolution::One(tool.id.clone());
        }
        let bare = self.by_name.get(text).map(Vec::as_slice).unwrap_or_default();
        let qualified = self.qualified(text);
        let mut meant = match bare {
            // `linear_get` may be a tool of linear called so, or its `get`: the exact name decides. But the exact name of
            // another server's tool must not capture what names a server.
            [only] if qualified.iter().all(|other| self.server_of(*other) == self.server_of(*only)) => vec![*only],
            _ => [bare, &qualified].concat(),
        };
        if meant.is_empty() {
            meant = self.loosely_named(text);
        }
        meant.sort_unstable();
        meant.dedup();
        let mut meant: Vec<_> = self.at(&meant).map(|tool| tool.id.clone()).collect();
        match meant.len() {
            0 => Resolution::None { nearest: self.nearest(text) },
            1 => Resolution::One(meant.remove(0)),
            _ => Resolution::Many(meant),
        }
    }

    /// Tools meant by a server and a tool in one text, case and separators aside, wherever the border between them is.
    fn qualified(&self, text: &str) -> Vec<u32> {
        let mut found = self.split_anywhere(text);
        for prefix in CLIENT_PREFIXES {
            if found.is_empty()
                && let Some(rest) = text.strip_prefix(prefix)
            {
                found = self.split_anywhere(rest);
            }
        }
        found
    }

    fn split_anywhere(&self, text: &str) -> Vec<u32> {
        // Whoever writes a slash says where the border is.
        let slash = text.find('/').map(|at| (at, '/'));
        let borders = slash.map_or_else(
            || text.char_indices().filter(|(_, character)| is_separator(*character)).collect(),
            |border| vec![border],
        );
        let mut found = Vec::new();
        for (at, separator) in borders {
            let servers = self.servers_named(&text[..at]);
            let tools = self.by_folded_name.get(fold(&text[at + separator.len_utf8()..]).as_str());
            found.extend(tools.into_iter().flatten().copied().filter(|tool| self.is_of(*tool, servers)));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Tools of this bare name, case and separators aside. Where the text starts with the name of a server, tools of
    /// others are not meant, whatever they are called: `github/get` must never reach a `github_get` of somebody else.
    fn loosely_named(&self, text: &str) -> Vec<u32> {
        let borders = text.char_indices().filter(|(_, character)| is_separator(*character));
        let starts: Vec<_> = borders.map(|(at, _)| self.servers_named(&text[..at])).filter(|s| !s.is_empty()).collect();
        let tools = self.by_folded_name.get(fold(text).as_str()).map(Vec::as_slice).unwrap_or_default();
        tools.iter().copied().filter(|tool| starts.iter().all(|servers| self.is_of(*tool, servers))).collect()
    }

    /// Tools whose names are like `text`, nearest first; ties in the catalog's order.
    fn nearest(&self, text: &str) -> Vec<ToolId> {
        let wanted = Wanted::new(text);
        let mut scored: Vec<_> = self
            .tools
            .iter()
            .map(|tool| (wanted.likeness(&tool.id), tool))
            .filter(|(likeness, _)| *likeness >= MIN_LIKENESS)
            .collect();
        scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        scored.into_iter().take(MAX_NEAREST).map(|(_, tool)| tool.id.clone()).collect()
    }

    fn at<'a>(&'a self, positions: &'a [u32]) -> impl Iterator<Item = &'a Arc<ToolEntry>> {
        positions.iter().filter_map(|position| self.tools.get(*position as usize))
    }

    /// Servers of this name, case and separators aside.
    fn servers_named(&self, text: &str) -> &[ServerName] {
        self.servers_by_folded_name.get(fold(text).as_str()).map(Vec::as_slice).unwrap_or_default()
    }

    fn is_of(&self, tool: u32, servers: &[ServerName]) -> bool {
        self.server_of(tool).is_some_and(|server| servers.contains(server))
    }

    fn server_of(&self, position: u32) -> Option<&ServerName> {
        self.tools.get(position as usize).map(|tool| &tool.id.server)
    }
}

/// A name that was not found, prepared for comparing.
struct Wanted {
    folded: String,
    folded_tool: String,
    parts: Vec<String>,
}

impl Wanted {
    fn new(text: &str) -> Self {
        let tool = text.rsplit_once('/').map_or(text, |(_, tool)| tool);
        Self { folded: fold(text), folded_tool: fold(tool), parts: parts(text) }
    }

    /// Half how few letters differ, half how many words are shared. Words catch `issue_create` for `create_issue`,
    /// letters catch `creat_isue`.
    fn likeness(&self, id: &ToolId) -> f64 {
        let name = fold(id.tool.as_str());
        let full = format!("{}{name}", fold(id.server.as_str()));
        let letters = alike(&self.folded_tool, &name).max(alike(&self.folded, &full));
        let mut theirs = parts(id.server.as_str());
        let own = parts(id.tool.as_str());
        let own_share = share(&self.parts, &own);
        theirs.extend(own);
        letters.midpoint(own_share.max(share(&self.parts, &theirs)))
    }
}

/// Share of letters that stay when one becomes the other, from 0 to 1. Lengths too far apart are not worth counting.
fn alike(one: &str, other: &str) -> f64 {
    let (shorter, longer) = (one.len().min(other.len()), one.len().max(other.len()));
    if shorter * 2 < longer {
        return 0.0;
    }
    1.0 - strsim::osa_distance(one, other) as f64 / longer as f64
}

/// Shared words among all words, from 0 to 1.
fn share(wanted: &[String], theirs: &[String]) -> f64 {
    let shared = wanted.iter().filter(|part| theirs.contains(part)).count();
    let all = wanted.len() + theirs.len() - shared;
    if all == 0 { 0.0 } else { shared as f64 / all as f64 }
}

/// A name without case and separators: `Read-File`, `readFile` and `read_file` are one.
fn fold(text: &str) -> String {
    text.chars().filter(|character| !is_separator(*character)).flat_map(char::to_lowercase).collect()
}

/// Words of a name, lower case: split at separators and where a capital follows a small letter.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut after_small = false;
    for character in text.chars() {
        let starts_word = is_separator(character) || (after_small && character.is_uppercase());
        if starts_word && parts.last().is_some_and(|part| !part.is_empty()) {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut().filter(|_| !is_separator(character)) {
            part.extend(character.to_lowercase());
        }
        after_small = character.is_lowercase();
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Only these are dropped: an invisible or foreign letter must keep making a name another one.
const fn is_separator(character: char) -> bool {
    matches!(character, '_' | '-' | '.' | '/' | ':' | ' ')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::JsonObject;

    fn lookup(ids: &[&str]) -> Lookup {
        let tools: Vec<_> =
            ids.iter().map(|id| Arc::new(ToolEntry::new(id.parse().unwrap(), &JsonObject::new()))).collect();
        let mut servers: Vec<_> = tools.iter().map(|tool| tool.id.server.clone()).collect();
        servers.dedup();
        Lookup::new(servers.iter(), tools.iter())
    }

    fn shown(resolution: Resolution) -> String {
        let join = |ids: Vec<ToolId>| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        match resolution {
            Resolution::One(id) => id.to_string(),
            Resolution::Many(ids) => format!("many: {}", join(ids)),
            Resolution::None { nearest } => format!("none: {}", join(nearest)),
        }
    }

    #[test]
    fn a_name_is_taken_as_meant_where_it_can_mean_one_thing() {
        let lookup = lookup(&[
            "aws-iam_2/list_users",
            "fs/readFile",
            "fs/list-dir",
            "github/create_issue",
            "github/repos/search",
            "linear/create_issue",
            "linear/linear_get",
            "notion/API-post-page",
        ]);
        for (text, meant) in [
            ("github/create_issue", "github/create_issue"),
            (" github/create_issue\n", "github/create_issue"),
            ("GitHub/Create-Issue", "github/create_issue"),
            ("github.create_issue", "github/create_issue"),
            ("github:create_issue", "github/create_issue"),
            ("github__create_issue", "github/create_issue"),
            ("github_create_issue", "github/create_issue"),
            ("mcp__github__create_issue", "github/create_issue"),
            ("mcp__toolcrib__github__create_issue", "github/create_issue"),
            ("read_file", "fs/readFile"),
            ("READ-FILE", "fs/readFile"),
            ("list_dir", "fs/list-dir"),
            ("repos/search", "github/repos/search"),
            ("github/repos.search", "github/repos/search"),
            ("aws_iam_2__list_users", "aws-iam_2/list_users"),
            ("api_post_page", "notion/API-post-page"),
            ("linear_get", "linear/linear_get"),
            ("create_issue", "many: github/create_issue linear/create_issue"),
            ("createIssue", "many: github/create_issue linear/create_issue"),
            ("", "none: "),
            ("___", "none: "),
        ] {
            assert_eq!(shown(lookup.resolve(text)), meant, "{text:?}");
        }
    }

    #[test]
    fn the_name_of_a_server_is_never_captured_by_anothers_tool() {
        let lookup = lookup(&["evil/github_get", "evil/get", "github/get", "github/list"]);
        assert_eq!(shown(lookup.resolve("github/get")), "github/get");
        assert_eq!(shown(lookup.resolve("github_get")), "many: evil/github_get github/get");
        // Without `get` on github, its name still does not lead to somebody else.
        let lookup = self::lookup(&["evil/github_get", "github/list"]);
        for text in ["github/get", "github/Get", "github__get", "GitHub.get"] {
            assert!(matches!(lookup.resolve(text), Resolution::None { .. }), "{text}");
        }
    }

    #[test]
    fn letters_that_look_alike_are_different_letters() {
        let lookup = lookup(&["github/create_issue"]);
        for text in ["github/cre\u{430}te_issue", "github/create\u{200d}_issue", "github/ｃreate_issue"] {
            assert!(matches!(lookup.resolve(text), Resolution::None { .. }), "{text}");
        }
    }

    #[test]
    fn a_name_that_does_not_exist_is_answered_with_the_nearest() {
        let lookup = lookup(&[
            "github/create_issue",
            "github/create_issue_comment",
            "github/close_issue",
            "jira/create_ticket",
            "weather/forecast",
        ]);
        insta::assert_snapshot!(shown(lookup.resolve("github/creat_isue")), @"none: github/create_issue");
        insta::assert_snapshot!(shown(lookup.resolve("issue_create")), @"none: github/create_issue github/create_issue_comment");
        insta::assert_snapshot!(shown(lookup.resolve("get_forecast")), @"none: weather/forecast");
        insta::assert_snapshot!(shown(lookup.resolve("launch_rocket")), @"none:");
    }

    #[test]
    fn words_end_at_separators_and_capitals() {
        assert_eq!(parts("TwilioApiV2010--CreateCall"), ["twilio", "api", "v2010", "create", "call"]);
        assert_eq!(parts("getHTTPUrl"), ["get", "httpurl"]);
        assert_eq!(parts("__"), Vec::<String>::new());
    }

    proptest! {
        /// Two servers with the same tools: a name that does not say which server never reaches one of them.
        #[test]
        fn a_bare_name_of_two_servers_never_routes(tool in "[a-zA-Z_.-]{0,8}[a-zA-Z]", other in "[a-z_]{1,8}") {
            let ids = [format!("one/{tool}"), format!("one/x{other}"), format!("two/{tool}"), format!("two/x{other}")];
            let lookup = lookup(&ids.each_ref().map(String::as_str));
            prop_assert!(!matches!(lookup.resolve(&tool), Resolution::One(_)));
            prop_assert_eq!(lookup.resolve(&ids[0]), Resolution::One(ids[0].parse().unwrap()));
        }

        #[test]
        fn any_text_gets_an_answer(text in "\\PC{0,40}|[a-z_/.]{0,600}") {
            lookup(&["a/b", "mcp/x", "ä".replace('ä', "ae/ö").as_str()]).resolve(&text);
        }
    }
}
