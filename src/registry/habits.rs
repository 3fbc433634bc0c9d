//! Which tools searches led to: words that anybody may know, a tool, when. Never what was asked beyond that, never an
//! argument.

use std::time::SystemTime;

use rusqlite::{Connection, params};

use super::{error::Fault, state};
use crate::ids::ToolId;

/// Most habits kept; the longest unused goes first.
const MAX_HABITS: i64 = 2_000;

/// Longest text of words kept, in bytes. Searches are cut far below.
const MAX_WORDS_BYTES: usize = 1_000;

/// A search that led to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Habit {
    /// What of the search is kept; see `toolcrib_index::Habits::memorable`.
    pub words: String,
    /// The tool that was called.
    pub tool: ToolId,
    /// How often.
    pub uses: u64,
    /// When last.
    pub last_used: SystemTime,
}

/// Counts that a search led to a call.
pub(super) fn record(connection: &Connection, words: &str, tool: &ToolId, at: SystemTime) -> Result<(), Fault> {
    if words.len() > MAX_WORDS_BYTES {
        return Ok(());
    }
    let sql = "INSERT INTO habits VALUES (?1, ?2, ?3, 1, ?4) ON CONFLICT DO UPDATE SET uses = uses + 1, \
               last_used = max(last_used, excluded.last_used) RETURNING uses";
    let row = params![words, tool.server.as_str(), tool.tool.as_str(), state::nanos(at)];
    let uses: i64 = connection.prepare(sql)?.query_row(row, |row| row.get(0))?;
    if uses > 1 {
        return Ok(());
    }
    let habits: i64 = connection.query_row("SELECT count(*) FROM habits", [], |row| row.get(0))?;
    let sql = "DELETE FROM habits WHERE (words, server, tool) IN \
               (SELECT words, server, tool FROM habits ORDER BY last_used, words, server, tool LIMIT ?1)";
    connection.execute(sql, [(habits - MAX_HABITS).max(0)])?;
    Ok(())
}

/// Every habit, the last used first.
pub(super) fn all(connection: &Connection) -> Result<Vec<Habit>, Fault> {
    let sql = "SELECT words, server, tool, uses, last_used FROM habits ORDER BY last_used DESC, words, server, tool";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let name = row.get::<_, String>(2)?.try_into().map_err(|_| Fault::contents("the name of a tool"))?;
        found.push(Habit {
            words: row.get(0)?,
            tool: ToolId::new(state::server_name(row.get(1)?)?, name),
            uses: state::count(row, 3)?,
            last_used: state::time(row.get(4)?),
        });
    }
    Ok(found)
}

/// Forgets all; how many there were.
pub(super) fn erase(connection: &Connection) -> Result<usize, Fault> {
    Ok(connection.execute("DELETE FROM habits", [])?)
}
