//! The ledger: how servers and tools are used, by the day, in counts and tokens. Never what was asked or answered.
//!
//! Counting is done before the writer's transaction begins, so that no other process waits for it. Several toolcrib processes
//! add to the same rows.

use std::time::SystemTime;

use rusqlite::{Connection, Row, params, params_from_iter};

use super::{error::Fault, habits, state};
use crate::ids::{ServerName, ToolId, ToolName};

/// Days kept.
pub const MAX_DAYS: u32 = 400;

/// Most rows kept; the oldest days go first. A day adds one for each server and each tool that was shown or called.
const MAX_ROWS: u32 = 100_000;

const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// The amounts of a row, in the order of [`Amounts`].
const COLUMNS: [&str; 12] = [
    "conversations",
    "start_tokens",
    "searches",
    "search_tokens",
    "describes",
    "describe_tokens",
    "calls",
    "errors",
    "used_in",
    "led_tokens",
    "sent_tokens",
    "result_tokens",
];

/// Something that was used. All tokens are o200k_base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UseEvent {
    /// A client began a conversation.
    Start {
        /// When.
        at: SystemTime,
        /// Tokens of all that is advertised.
        tokens: u64,
        /// Each server that takes part, with its share of the summaries.
        servers: Vec<(ServerName, u64)>,
        /// Each pinned tool, with its definition.
        pins: Vec<(ToolId, u64)>,
    },
    /// A search was answered.
    Search {
        /// When.
        at: SystemTime,
        /// Whether a tool was found.
        matched: bool,
        /// Tokens of the reply.
        reply_tokens: u64,
        /// Tools in the reply, with their lines.
        shown: Vec<(ToolId, u64)>,
    },
    /// Tools were described, each with its part of the reply.
    Describe {
        /// When.
        at: SystemTime,
        /// The tools.
        shown: Vec<(ToolId, u64)>,
    },
    /// A tool was called and answered.
    Call {
        /// When.
        at: SystemTime,
        /// Which tool.
        tool: ToolId,
        /// Whether it answered with a result that is no error.
        succeeded: bool,
        /// Whether this is its first call in this conversation.
        first: bool,
        /// Tokens of the search and describe replies that led to the call.
        led_tokens: u64,
        /// What the backend sent, in tokens.
        sent_tokens: u64,
        /// What of it reached the model, in tokens.
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
}

/// What was counted of a server or a tool. All tokens are o200k_base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// Conversations that started with it: with the server's line, or with the pinned tool.
    pub conversations: u64,
    /// What it cost at their start.
    pub start_tokens: u64,
    /// Searches that showed it.
    pub searches: u64,
    /// Its lines in their replies.
    pub search_tokens: u64,
    /// How often it was described.
    pub describes: u64,
    /// What that cost.
    pub describe_tokens: u64,
    /// Calls, failed ones included.
    pub calls: u64,
    /// Calls that ended in an error.
    pub errors: u64,
    /// Conversations in which it was called.
    pub used_in: u64,
    /// Search and describe replies that led to calls, the whole replies.
    pub led_tokens: u64,
    /// What the backend sent.
    pub sent_tokens: u64,
    /// What of it reached the model.
    pub result_tokens: u64,
}

/// One server or one tool in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The server.
    pub server: ServerName,
    /// The tool; `None` for the server itself.
    pub tool: Option<ToolName>,
    /// What was counted in the days asked for.
    pub amounts: Amounts,
    /// Start of the first day it was seen on, of all days kept.
    pub first_seen: SystemTime,
    /// The last call, of all days kept.
    pub last_used: Option<SystemTime>,
}

/// What was counted in some days.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// Conversations.
    pub conversations: u64,
    /// What they started with, in o200k_base tokens.
    pub start_tokens: u64,
    /// Searches.
    pub searches: u64,
    /// Searches that found nothing.
    pub without_match: u64,
    /// o200k_base tokens of all search replies.
    pub search_tokens: u64,
    /// Start of the first day of all that are kept; `None` where nothing was counted.
    pub since: Option<SystemTime>,
    /// Every server and tool of all days kept, by name; a server stands before its tools.
    pub entries: Vec<LedgerEntry>,
}

pub(super) fn record(connection: &Connection, event: &UseEvent) -> Result<(), Fault> {
    match event {
        UseEvent::Start { at, tokens, servers, pins } => {
            add_to_day(connection, *at, [1, *tokens, 0, 0, 0])?;
            let started = |tokens: u64| Amounts { conversations: 1, start_tokens: tokens, ..Amounts::default() };
            for (server, tokens) in servers {
                add(connection, *at, server, None, &started(*tokens))?;
            }
            pins.iter().try_for_each(|(tool, tokens)| add_tool(connection, *at, tool, &started(*tokens)))
        }
        UseEvent::Search { at, matched, reply_tokens, shown } => {
            add_to_day(connection, *at, [0, 0, 1, u64::from(!matched), *reply_tokens])?;
            shown.iter().try_for_each(|(tool, tokens)| {
                let amounts = Amounts { searches: 1, search_tokens: *tokens, ..Amounts::default() };
                add_tool(connection, *at, tool, &amounts)
            })
        }
        UseEvent::Describe { at, shown } => {
            add_to_day(connection, *at, [0; 5])?;
            shown.iter().try_for_each(|(tool, tokens)| {
                let amounts = Amounts { describes: 1, describe_tokens: *tokens, ..Amounts::default() };
                add_tool(connection, *at, tool, &amounts)
            })
        }
        UseEvent::Call { at, tool, succeeded, first, led_tokens, sent_tokens, result_tokens } => {
            add_to_day(connection, *at, [0; 5])?;
            let amounts = Amounts {
                calls: 1,
                errors: u64::from(!succeeded),
                used_in: u64::from(*first),
                led_tokens: *led_tokens,
                sent_tokens: *sent_tokens,
                result_tokens: *result_tokens,
                ..Amounts::default()
            };
            add_tool(connection, *at, tool, &amounts)
        }
        UseEvent::Followed { words, tool, at } => habits::record(connection, words, tool, *at),
    }
}

/// What was counted in the last `days` days up to `now`, today included.
pub(super) fn read(connection: &Connection, days: u32, now: SystemTime) -> Result<Ledger, Fault> {
    let since = day(now) - i64::from(days.max(1)) + 1;
    let sql = "SELECT coalesce(sum(conversations), 0), coalesce(sum(start_tokens), 0), coalesce(sum(searches), 0), \
               coalesce(sum(without_match), 0), coalesce(sum(search_tokens), 0), (SELECT min(day) FROM ledger_days) \
               FROM ledger_days WHERE day >= ?1";
    let mut ledger = connection.query_row(sql, [since], |row| {
        Ok(Ledger {
            conversations: state::count(row, 0)?,
            start_tokens: state::count(row, 1)?,
            searches: state::count(row, 2)?,
            without_match: state::count(row, 3)?,
            search_tokens: state::count(row, 4)?,
            since: row.get::<_, Option<i64>>(5)?.map(start_of),
            entries: Vec::new(),
        })
    })?;
    let sums = COLUMNS.map(|column| format!("coalesce(sum({column}) FILTER (WHERE day >= ?1), 0)")).join(", ");
    let sql = format!(
        "SELECT {sums}, server, tool, min(day), max(last_used) FROM ledger GROUP BY server, tool ORDER BY server, tool"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([since])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(13)?;
        let tool = match name.as_str() {
            "" => None,
            _ => Some(name.try_into().map_err(|_| Fault::contents("the name of a tool"))?),
        };
        ledger.entries.push(LedgerEntry {
            server: state::server_name(row.get(12)?)?,
            tool,
            amounts: Amounts::of(row)?,
            first_seen: start_of(row.get(14)?),
            last_used: row.get::<_, Option<i64>>(15)?.map(state::time),
        });
    }
    Ok(ledger)
}

/// Forgets all; how many days there were.
pub(super) fn forget(connection: &Connection) -> Result<usize, Fault> {
    connection.execute("DELETE FROM ledger", [])?;
    Ok(connection.execute("DELETE FROM ledger_days", [])?)
}

fn add_tool(connection: &Connection, at: SystemTime, tool: &ToolId, amounts: &Amounts) -> Result<(), Fault> {
    add(connection, at, &tool.server, Some(&tool.tool), amounts)
}

fn add(
    connection: &Connection,
    at: SystemTime,
    server: &ServerName,
    tool: Option<&ToolName>,
    amounts: &Amounts,
) -> Result<(), Fault> {
    let holes: Vec<String> = (5..5 + COLUMNS.len()).map(|at| format!("?{at}")).collect();
    let sums = COLUMNS.map(|column| format!("{column} = {column} + excluded.{column}")).join(", ");
    let sql = format!(
        "INSERT INTO ledger ({}, day, server, tool, last_used) VALUES ({}, ?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET {sums}, \
         last_used = coalesce(max(last_used, excluded.last_used), last_used, excluded.last_used)",
        COLUMNS.join(", "),
        holes.join(", ")
    );
    let called = (amounts.calls > 0).then(|| state::nanos(at));
    let name = tool.map(ToolName::as_str).unwrap_or_default();
    let mut statement = connection.prepare(&sql)?;
    let day = day(at);
    let names: [&dyn rusqlite::ToSql; 4] = [&day, &server.as_str(), &name, &called];
    let numbers = amounts.signed();
    let numbers = numbers.iter().map(|number| number as &dyn rusqlite::ToSql);
    statement.execute(params_from_iter(names.into_iter().chain(numbers)))?;
    Ok(())
}

/// Conversations, their tokens, searches, those without a match, tokens of the replies. Every event comes by here, so that the
/// first of a day makes room.
fn add_to_day(connection: &Connection, at: SystemTime, amounts: [u64; 5]) -> Result<(), Fault> {
    let [conversations, start_tokens, searches, without_match, search_tokens] = amounts.map(signed);
    let numbers = params![day(at), conversations, start_tokens, searches, without_match, search_tokens];
    let update = "UPDATE ledger_days SET conversations = conversations + ?2, start_tokens = start_tokens + ?3, \
                  searches = searches + ?4, without_match = without_match + ?5, search_tokens = search_tokens + ?6 \
                  WHERE day = ?1";
    if connection.prepare(update)?.execute(numbers)? == 0 {
        connection.prepare("INSERT INTO ledger_days VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(numbers)?;
        make_room(connection, day(at))?;
    }
    Ok(())
}

/// Once a day: drops what is too old, and the oldest days where there are too many rows.
fn make_room(connection: &Connection, today: i64) -> Result<(), Fault> {
    let oldest = today - i64::from(MAX_DAYS) + 1;
    connection.execute("DELETE FROM ledger_days WHERE day < ?1", [oldest])?;
    connection.execute("DELETE FROM ledger WHERE day < ?1", [oldest])?;
    // No such row where there are few, and then nothing is before it.
    let sql = "DELETE FROM ledger WHERE day <= (SELECT day FROM ledger ORDER BY day DESC LIMIT 1 OFFSET ?1)";
    connection.execute(sql, [MAX_ROWS])?;
    Ok(())
}

impl Amounts {
    fn of(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            conversations: state::count(row, 0)?,
            start_tokens: state::count(row, 1)?,
            searches: state::count(row, 2)?,
            search_tokens: state::count(row, 3)?,
            describes: state::count(row, 4)?,
            describe_tokens: state::count(row, 5)?,
            calls: state::count(row, 6)?,
            errors: state::count(row, 7)?,
            used_in: state::count(row, 8)?,
            led_tokens: state::count(row, 9)?,
            sent_tokens: state::count(row, 10)?,
            result_tokens: state::count(row, 11)?,
        })
    }

    fn signed(&self) -> [i64; 12] {
        [
            self.conversations,
            self.start_tokens,
            self.searches,
            self.search_tokens,
            self.describes,
            self.describe_tokens,
            self.calls,
            self.errors,
            self.used_in,
            self.led_tokens,
            self.sent_tokens,
            self.result_tokens,
        ]
        .map(signed)
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: &Self) -> Self {
        Self {
            conversations: self.conversations.saturating_add(other.conversations),
            start_tokens: self.start_tokens.saturating_add(other.start_tokens),
            searches: self.searches.saturating_add(other.searches),
            search_tokens: self.search_tokens.saturating_add(other.search_tokens),
            describes: self.describes.saturating_add(other.describes),
            describe_tokens: self.describe_tokens.saturating_add(other.describe_tokens),
            calls: self.calls.saturating_add(other.calls),
            errors: self.errors.saturating_add(other.errors),
            used_in: self.used_in.saturating_add(other.used_in),
            led_tokens: self.led_tokens.saturating_add(other.led_tokens),
            sent_tokens: self.sent_tokens.saturating_add(other.sent_tokens),
            result_tokens: self.result_tokens.saturating_add(other.result_tokens),
        }
    }

    /// What of the backends' results was kept out of the context: the budget, white space, second copies.
    #[must_use]
    pub const fn kept_out_tokens(&self) -> u64 {
        self.sent_tokens.saturating_sub(self.result_tokens)
    }
}

/// Days since 1970 in UTC.
fn day(at: SystemTime) -> i64 {
    state::nanos(at).div_euclid(NANOS_PER_DAY)
}

fn start_of(day: i64) -> SystemTime {
    state::time(day.saturating_mul(NANOS_PER_DAY))
}

/// A size for SQLite's signed integers, cut at a terabyte so that sums never overflow.
fn signed(size: u64) -> i64 {
    i64::try_from(size.min(1 << 40)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
