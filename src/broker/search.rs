//! `search_tools`: the catalog and its index answer; no backend is asked. The answer is never empty.

use std::{collections::HashSet, sync::Arc};

use serde::Serialize;
use toolcrib_index::{Hit, Query};
use tracing::warn;

use super::{Broker, Conversation, DEFAULT_LIMIT, MAX_LIMIT, SearchRequest, asides, conversation::Step};
use crate::{
    catalog::{Catalog, ToolEntry},
    economy::{
        self,
        fold::{self, Folded},
        listing,
        search_reply::{self, SearchReply},
    },
    ids::{ServerName, ToolId},
};

/// Most edits between a server's name and a slip of it.
const MAX_SLIP: usize = 2;

/// How many more hits are asked for than are shown: those that are the same as another leave their places to the next.
const SPARE: usize = 10;

/// First places of a list in which toolcrib's own tools are shown.
const OWN_PLACES: usize = 2;

/// The answer to a search.
#[derive(Debug)]
pub struct SearchAnswer {
    /// The reply as a model reads it.
    pub text: String,
    /// The hits, best first, for programs.
    pub hits: Vec<FoundTool>,
    /// Whether something fits.
    pub matched: bool,
}

/// One hit.
#[derive(Debug, Clone, Serialize)]
pub struct FoundTool {
    /// The tool.
    pub id: String,
    /// What the list is ordered by.
    pub score: f32,
    /// Whether the query names it.
    pub exact: bool,
    /// How well it fits what is asked, about 0 to 1.
    pub fit: f32,
    /// What the score is the sum of, where the request asks for it: points, and what earned them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<(f32, String)>,
}

impl Broker {
    /// Searches. Whatever goes wrong is said in the answer.
    pub async fn search(&self, request: &SearchRequest, conversation: &Conversation) -> SearchAnswer {
        let catalog = self.library.catalog();
        let (server, slip) = match &request.server {
            None => (None, None),
            Some(asked) => match self.server_meant(asked) {
                Ok(name) => {
                    let slip = (name.as_str() != asked).then(|| format!("(server {name} taken for \"{asked}\")"));
                    (Some(name), slip)
                }
                Err(answer) => return answer,
            },
        };
        let answer = if request.query.is_empty() {
            self.browse(server.as_ref(), request.limit, &catalog)
        } else {
            self.find(request, server.as_ref(), slip, &catalog, conversation).await
        };
        self.counting.searched(&answer, conversation, self.library.registry());
        let hits = answer.hits.iter().map(|hit| hit.id.clone()).collect();
        conversation.note(Step::Searched { query: request.query.clone(), hits });
        answer
    }

    async fn find(
        &self,
        request: &SearchRequest,
        server: Option<&ServerName>,
        slip: Option<String>,
        catalog: &Catalog,
        conversation: &Conversation,
    ) -> SearchAnswer {
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
        let learns = self.library.settings().search.learn;
        let habits = if learns { self.learning.learned(self.library.registry()).await } else { Arc::default() };
        let hits = match self.library.index().await {
            Ok(index) => {
                let query = Query {
                    text: &request.query,
                    server: server.map(ServerName::as_str),
                    limit: limit + SPARE,
                    habits: &habits,
                    explain: request.explain,
                };
                // Under a millisecond at thousands of tools: not worth another thread.
                index.search(&query).unwrap_or_else(|error| {
                    warn!(error = %error, "the search index could not be read");
                    Vec::new()
                })
            }
            Err(error) => {
                warn!(error = %error, "there is no search index");
                Vec::new()
            }
        };
        let hits = self.without_intruders(hits);
        let fits = hits.first().is_some_and(Hit::fits);
        let tools = self.known(&hits);
        if tools.is_empty() {
            return self.nothing(slip, server, catalog);
        }
        let folded = fold::fold(&tools, limit);
        let shown: Vec<&ToolId> =
            folded.iter().flat_map(|folded| [&folded.tool.id].into_iter().chain(&folded.same)).collect();
        if learns {
            self.learning.searched(&request.query, shown.iter().map(ToString::to_string).collect(), conversation);
        }
        let is_shown: HashSet<String> = folded.iter().map(|folded| folded.tool.id.to_string()).collect();
        let found = hits.iter().filter(|hit| is_shown.contains(&hit.id)).map(FoundTool::from).collect();
        let poor = (!fits).then(|| "Nothing matches well. Nearest:".to_owned());
        let heading: Vec<String> = slip.into_iter().chain(poor).collect();
        let settings = self.library.settings();
        let reply = SearchReply {
            heading: (!heading.is_empty()).then(|| heading.join(" ")),
            hits: self.library.asides(catalog).hits(folded, catalog, settings),
            footing: None,
        };
        let text = search_reply::render(&reply, settings.context.search_tokens);
        SearchAnswer { text, hits: found, matched: fits }
    }

    /// Lists a server's tools, or the servers.
    fn browse(&self, server: Option<&ServerName>, limit: Option<usize>, catalog: &Catalog) -> SearchAnswer {
        let Some(name) = server else {
            return self.servers();
        };
        let tools = self.library.tools_of(name);
        if tools.is_empty() {
            let text = format!(
                "The tools of {name} are not known yet{}.",
                asides::trouble(name, catalog).map(|trouble| format!(" ({trouble})")).unwrap_or_default()
            );
            return SearchAnswer { text, hits: Vec::new(), matched: false };
        }
        let tools = &tools[..tools.len().min(limit.unwrap_or(usize::MAX))];
        let text = self.listed(None, name, tools, catalog);
        let hits = tools.iter().take(MAX_LIMIT).map(|tool| FoundTool {
            id: tool.id.to_string(),
            score: 0.0,
            exact: false,
            fit: 0.0,
            reasons: Vec::new(),
        });
        SearchAnswer { text, hits: hits.collect(), matched: true }
    }

    /// Every one of these tools of a server: by a line each where that fits, else by their names.
    fn listed(
        &self,
        heading: Option<String>,
        server: &ServerName,
        tools: &[Arc<ToolEntry>],
        catalog: &Catalog,
    ) -> String {
        let budget = self.library.settings().context.search_tokens;
        if search_reply::may_fit(tools.len(), budget) {
            let all = tools.iter().map(|tool| Folded { tool, same: Vec::new() }).collect();
            let hits = self.library.asides(catalog).hits(all, catalog, self.library.settings());
            let reply = SearchReply { heading: heading.clone(), hits, footing: None };
            if let Some(text) = search_reply::render_whole(&reply, budget) {
                return text;
            }
        }
        let heading = heading.map(|heading| heading + "\n").unwrap_or_default();
        let names: Vec<&str> = tools.iter().map(|tool| tool.name().as_str()).collect();
        let room = budget.saturating_sub(economy::count(&heading));
        heading + &listing::names(server.as_str(), &names, room)
    }

    /// Every enabled server; the budget of a search is not for this.
    fn servers(&self) -> SearchAnswer {
        let summaries = self.list_servers(|_| true);
        let text = if summaries.is_empty() {
            "No servers are connected. The user can run `toolcrib import --apply`.".into()
        } else {
            summaries
        };
        SearchAnswer { text, hits: Vec::new(), matched: true }
    }

    /// No tool has a word of the query.
    fn nothing(&self, slip: Option<String>, server: Option<&ServerName>, catalog: &Catalog) -> SearchAnswer {
        let slip = slip.map(|slip| format!("{slip} ")).unwrap_or_default();
        let text = match server.map(|name| (name, self.library.tools_of(name))).filter(|(_, tools)| !tools.is_empty()) {
            Some((name, tools)) => {
                let heading = format!("{slip}Nothing on {name} matches. Its tools:");
                self.listed(Some(heading), name, &tools, catalog)
            }
            None => {
                let mut text = format!("{slip}Nothing matches; try other words, one step at a time. Servers:\n");
                let room = self.library.settings().context.search_tokens.saturating_sub(economy::count(&text));
                text.push_str(&self.summaries(room));
                text
            }
        };
        SearchAnswer { text, hits: Vec::new(), matched: false }
    }

    /// Hits without those of toolcrib's own server that are not near the top: whoever wants them asks for them, and in the tail of
    /// another search they only cost.
    fn without_intruders(&self, hits: Vec<Hit>) -> Vec<Hit> {
        let Some(own) = self.library.built_in_server() else { return hits };
        let is_own = |hit: &Hit| hit.id.split_once('/').is_some_and(|(server, _)| server == own.as_str());
        let kept = hits.into_iter().enumerate().filter(|(at, hit)| *at < OWN_PLACES || hit.exact || !is_own(hit));
        kept.map(|(_, hit)| hit).collect()
    }

    /// The tools of the hits. A hit that the catalog no longer has is left out; the next search has a new index.
    fn known(&self, hits: &[Hit]) -> Vec<Arc<ToolEntry>> {
        hits.iter().filter_map(|hit| self.library.tool(&hit.id.parse::<ToolId>().ok()?)).collect()
    }

    /// The server that a name means, a slip forgiven; else the servers of a `start*`, or an answer with the nearest names.
    fn server_meant(&self, asked: &str) -> Result<ServerName, SearchAnswer> {
        let enabled = || self.library.settings().servers.values().filter(|spec| spec.enabled).map(|spec| &spec.name);
        let plain = |text: &str| -> String {
            text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        let wanted = plain(asked);
        if let Some(name) = enabled().chain(self.library.built_in_server()).find(|name| name.as_str() == asked) {
            return Ok(name.clone());
        }
        // `aws-*`, as the summaries call many servers that start alike.
        if let Some(start) = asked.strip_suffix('*')
            && enabled().any(|name| name.as_str().starts_with(start))
        {
            let text = self.list_servers(|name| name.as_str().starts_with(start));
            return Err(SearchAnswer { text, hits: Vec::new(), matched: true });
        }
        let mut near: Vec<(usize, &ServerName)> =
            enabled().map(|name| (strsim::osa_distance(&plain(name.as_str()), &wanted), name)).collect();
        near.sort();
        match near.as_slice() {
            // A short name allows fewer edits: `git` is not a slip of `pipe`.
            [(edits, name), rest @ ..]
                if *edits <= MAX_SLIP.min(wanted.chars().count() / 3)
                    && rest.first().is_none_or(|(next, _)| next > edits) =>
            {
                Ok((*name).clone())
            }
            _ => {
                let summaries = self.summaries(self.library.settings().context.search_tokens);
                let text = format!("There is no server `{asked}`. Servers:\n{summaries}");
                Err(SearchAnswer { text, hits: Vec::new(), matched: false })
            }
        }
    }
}

impl From<&Hit> for FoundTool {
    fn from(hit: &Hit) -> Self {
        Self {
            id: hit.id.clone(),
            score: hit.score,
            exact: hit.exact,
            fit: hit.fit,
            reasons: hit.reasons.iter().map(|reason| (reason.points, reason.why.clone())).collect(),
        }
    }
}
