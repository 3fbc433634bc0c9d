//! How tools are used: counts and sizes, for footprints and pins. Never what was asked or answered.

use std::time::SystemTime;

use rusqlite::{Connection, params};

use super::{error::Fault, habits, state};
use crate::ids::ToolId;

/// Most tools whose use is counted; the longest unused goes first.
const MAX_TOOLS: i64 = 20_000;

/// Something that was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UseEvent {
    /// A tool was called and answered.
    Call {
        /// Which tool.
        tool: ToolId,
        /// When.
        at: SystemTime,
        /// Whether it answered with a result that is no error.
        succeeded: bool,
        /// Size of the backend's result, in bytes of JSON.
        result_bytes: u64,
        /// What of it reached the model, in o200k_base tokens.
        result_tokens: u64,
    },
    /// A search led to a call that worked.
    Followed {
        /// What of the search is kept.
        words: String,
        /// The tool that was called.
        tool: ToolId,
        /// When.
        at: SystemTime,
    },
    /// A search was answered.
    Search {
        /// Tools in the reply.
        hits: u64,
        /// Size of the reply, in o200k_base tokens.
        reply_tokens: u64,
    },
}

/// How one tool was used so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolUse {
    /// Which tool.
    pub tool: ToolId,
    /// Calls, failed ones included.
    pub calls: u64,
    /// Calls that ended in an error.
    pub errors: u64,
    /// Bytes of JSON of all results.
    pub result_bytes: u64,
    /// o200k_base tokens of all results that reached a model.
    pub result_tokens: u64,
    /// The last call.
    pub last_used: SystemTime,
}

/// How search was used so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SearchUse {
    /// Searches.
    pub searches: u64,
    /// Searches that found nothing.
    pub without_match: u64,
    /// o200k_base tokens of all replies.
    pub reply_tokens: u64,
}

pub(super) fn record(connection: &Connection, event: &UseEvent) -> Result<(), Fault> {
    match event {
        UseEvent::Call { tool, at, succeeded, result_bytes, result_tokens } => {
            let sql = "INSERT INTO tool_use VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET \
                       calls = calls + 1, errors = errors + excluded.errors, \
                       result_bytes = result_bytes + excluded.result_bytes, \
                       result_tokens = result_tokens + excluded.result_tokens, \
                       last_used = max(last_used, excluded.last_used) RETURNING calls";
            let row = params![
                tool.server.as_str(),
                tool.tool.as_str(),
                i64::from(!succeeded),
                signed(*result_bytes),
                signed(*result_tokens),
                state::nanos(*at),
            ];
            let calls: i64 = connection.prepare(sql)?.query_row(row, |row| row.get(0))?;
            if calls == 1 { forget_longest_unused(connection) } else { Ok(()) }
        }
        UseEvent::Followed { words, tool, at } => habits::record(connection, words, tool, *at),
        UseEvent::Search { hits, reply_tokens } => {
            let sql = "UPDATE search_use SET searches = searches + 1, without_match = without_match + ?1, \
                       reply_tokens = reply_tokens + ?2";
            connection.prepare(sql)?.execute([i64::from(*hits == 0), signed(*reply_tokens)])?;
            Ok(())
        }
    }
}

fn forget_longest_unused(connection: &Connection) -> Result<(), Fault> {
    let tools: i64 = connection.query_row("SELECT count(*) FROM tool_use", [], |row| row.get(0))?;
    let sql = "DELETE FROM tool_use WHERE (server, tool) IN \
               (SELECT server, tool FROM tool_use ORDER BY last_used, server, tool LIMIT ?1)";
    connection.execute(sql, [(tools - MAX_TOOLS).max(0)])?;
    Ok(())
}

/// Every used tool, most called first.
pub(super) fn tools(connection: &Connection) -> Result<Vec<ToolUse>, Fault> {
    let sql = "SELECT server, tool, calls, errors, result_bytes, result_tokens, last_used FROM tool_use \
               ORDER BY calls DESC, server, tool";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut tools = Vec::new();
    while let Some(row) = rows.next()? {
        let name = row.get::<_, String>(1)?.try_into().map_err(|_| Fault::contents("the name of a tool"))?;
        tools.push(ToolUse {
            tool: ToolId::new(state::server_name(row.get(0)?)?, name),
            calls: state::count(row, 2)?,
            errors: state::count(row, 3)?,
            result_bytes: state::count(row, 4)?,
            result_tokens: state::count(row, 5)?,
            last_used: state::time(row.get(6)?),
        });
    }
    Ok(tools)
}

pub(super) fn searches(connection: &Connection) -> Result<SearchUse, Fault> {
    let sql = "SELECT searches, without_match, reply_tokens FROM search_use";
    Ok(connection.query_row(sql, [], |row| {
        Ok(SearchUse {
            searches: state::count(row, 0)?,
            without_match: state::count(row, 1)?,
            reply_tokens: state::count(row, 2)?,
        })
    })?)
}

pub(super) fn forget(connection: &Connection) -> Result<(), Fault> {
    connection.execute("DELETE FROM tool_use", [])?;
    connection.execute("UPDATE search_use SET searches = 0, without_match = 0, reply_tokens = 0", [])?;
    Ok(())
}

/// A size for SQLite's signed integers, cut at a terabyte so that sums never overflow.
fn signed(size: u64) -> i64 {
    i64::try_from(size.min(1 << 40)).unwrap_or_default()
}
