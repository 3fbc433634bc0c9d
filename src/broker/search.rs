//! `search_tools`: the catalog and its index answer; no backend is asked. The answer is never empty.

use std::sync::Arc;

use serde::Serialize;
use toolcrib_index::{Hit, Query};
use tracing::warn;

use super::{Broker, DEFAULT_LIMIT, MAX_LIMIT, SearchRequest};
use crate::{
    catalog::{Catalog, Health, ToolEntry},
    economy::{
        self,
        search_reply::{self, SearchReply},
    },
    ids::{ServerName, ToolId},
    registry::UseEvent,
};

/// Most edits between a server's name and a slip of it.
const MAX_SLIP: usize = 2;

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
    pub async fn search(&self, request: &SearchRequest) -> SearchAnswer {
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
            self.find(request, server.as_ref(), slip, &catalog).await
        };
        self.library.registry().record_use(UseEvent::Search {
            hits: answer.hits.len() as u64,
            reply_tokens: economy::count(&answer.text) as u64,
        });
        answer
    }

    async fn find(
        &self,
        request: &SearchRequest,
        server: Option<&ServerName>,
        slip: Option<String>,
        catalog: &Catalog,
    ) -> SearchAnswer {
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
        let learns = self.library.settings().search.learn;
        let habits = if learns { self.learning.learned(self.library.registry()).await } else { Arc::default() };
        let hits = match self.library.index().await {
            Ok(index) => {
                let query = Query {
                    text: &request.query,
                    server: server.map(ServerName::as_str),
                    limit,
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
        let fits = hits.first().is_some_and(Hit::fits);
        let tools = known(&hits, catalog);
        if tools.is_empty() {
            return self.nothing(slip, server, catalog);
        }
        let poor = (!fits).then(|| "Nothing matches well. Nearest:".to_owned());
        let heading: Vec<String> = slip.into_iter().chain(poor).collect();
        let reply = SearchReply {
            heading: (!heading.is_empty()).then(|| heading.join(" ")),
            hits: shown(&tools, catalog),
            footing: None,
        };
        let text = search_reply::render(&reply, self.library.settings().context.search_tokens);
        let hits: Vec<FoundTool> = hits.iter().map(FoundTool::from).collect();
        if learns {
            self.learning.searched(&request.query, hits.iter().map(|hit| hit.id.clone()).collect());
        }
        SearchAnswer { text, hits, matched: fits }
    }

    /// Lists a server's tools, or the servers.
    fn browse(&self, server: Option<&ServerName>, limit: Option<usize>, catalog: &Catalog) -> SearchAnswer {
        let Some(name) = server else {
            return self.servers();
        };
        let tools = catalog.servers.get(name).map(|entry| entry.tools.as_slice()).unwrap_or_default();
        if tools.is_empty() {
            let text = format!(
                "The tools of {name} are not known yet{}.",
                note(name, catalog).map(|note| format!(" ({note})")).unwrap_or_default()
            );
            return SearchAnswer { text, hits: Vec::new(), matched: false };
        }
        let tools = &tools[..tools.len().min(limit.unwrap_or(usize::MAX))];
        let budget = self.library.settings().context.search_tokens;
        let reply = SearchReply { hits: shown(tools, catalog), ..SearchReply::default() };
        let text = search_reply::render(&reply, budget);
        let hits = tools.iter().take(MAX_LIMIT).map(|tool| FoundTool {
            id: tool.id.to_string(),
            score: 0.0,
            exact: false,
            fit: 0.0,
            reasons: Vec::new(),
        });
        SearchAnswer { text, hits: hits.collect(), matched: true }
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
        let mut text = slip.map(|slip| format!("{slip} ")).unwrap_or_default();
        match server {
            Some(name) => {
                text.push_str(&format!("Nothing on {name} matches. Its tools:\n"));
                text.push_str(&self.browse(Some(name), None, catalog).text);
            }
            None => {
                text.push_str("Nothing matches; try other words, one step at a time. Servers:\n");
                text.push_str(&self.summaries(self.library.settings().context.search_tokens));
            }
        }
        SearchAnswer { text, hits: Vec::new(), matched: false }
    }

    /// The server that a name means, a slip forgiven; else the servers of a `start*`, or an answer with the nearest names.
    fn server_meant(&self, asked: &str) -> Result<ServerName, SearchAnswer> {
        let enabled = || self.library.settings().servers.values().filter(|spec| spec.enabled).map(|spec| &spec.name);
        let plain = |text: &str| -> String {
            text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        let wanted = plain(asked);
        if let Some(name) = enabled().find(|name| name.as_str() == asked) {
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

/// The tools of the hits. A hit that the catalog no longer has is left out; the next search has a new index.
fn known(hits: &[Hit], catalog: &Catalog) -> Vec<Arc<ToolEntry>> {
    hits.iter().filter_map(|hit| catalog.tool(&hit.id.parse::<ToolId>().ok()?).cloned()).collect()
}

fn shown<'a>(tools: &'a [Arc<ToolEntry>], catalog: &Catalog) -> Vec<search_reply::Hit<'a>> {
    tools
        .iter()
        .map(|tool| search_reply::Hit { tool, notes: note(&tool.id.server, catalog).into_iter().collect() })
        .collect()
}

/// What must be said of a server that does not work.
fn note(server: &ServerName, catalog: &Catalog) -> Option<String> {
    match catalog.health(server) {
        Health::Failed { reason, .. } => Some(format!("{server} is failing: {reason}")),
        Health::Good { .. } | Health::Unknown => None,
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
