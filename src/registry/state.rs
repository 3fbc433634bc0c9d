//! SQL for what is known beside the listings: health, eras, counters, the log of changes.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::Fault;
use crate::{
    catalog::{Era, Health, ListingChange},
    ids::ServerName,
};

/// Most changes kept in the log; the oldest go first.
const MAX_CHANGES: i64 = 1_000;

/// A change of a server's listing, as it was logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedChange {
    /// When the server was read.
    pub at: SystemTime,
    /// What changed.
    pub change: ListingChange,
}

pub(super) fn generation(connection: &Connection) -> Result<u64, Fault> {
    counter(connection, "generation")
}

/// Counts every change of a listing, of health and of eras, whoever made it; `generation` counts those of listings only.
pub(super) fn revision(connection: &Connection) -> Result<u64, Fault> {
    counter(connection, "revision")
}

fn counter(connection: &Connection, key: &str) -> Result<u64, Fault> {
    let found = connection.prepare("SELECT value FROM meta WHERE key = ?1")?.query_row([key], |row| count(row, 0));
    found.optional()?.ok_or_else(|| Fault::contents("a counter"))
}

/// Counts up and gives the new count.
pub(super) fn count_up(connection: &Connection, key: &str) -> Result<u64, Fault> {
    let sql = "UPDATE meta SET value = value + 1 WHERE key = ?1 RETURNING value";
    let found = connection.prepare(sql)?.query_row([key], |row| count(row, 0));
    found.optional()?.ok_or_else(|| Fault::contents("a counter"))
}

pub(super) fn index_key(connection: &Connection) -> Result<Option<String>, Fault> {
    let key = connection.query_row("SELECT value FROM meta WHERE key = 'index_key'", [], |row| row.get(0));
    Ok(key.optional()?)
}

pub(super) fn set_index_key(connection: &Connection, key: &str) -> Result<(), Fault> {
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('index_key', ?1)", [key])?;
    Ok(())
}

pub(super) fn health(connection: &Connection) -> Result<BTreeMap<ServerName, Health>, Fault> {
    let mut statement = connection.prepare("SELECT server, failures, reason, at FROM health")?;
    let mut rows = statement.query([])?;
    let mut health = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (failures, reason, at) = (row.get(1)?, row.get::<_, Option<String>>(2)?, time(row.get(3)?));
        let state = match reason {
            Some(reason) => Health::Failed { at, failures, reason },
            None => Health::Good { at },
        };
        health.insert(server_name(row.get(0)?)?, state);
    }
    Ok(health)
}

pub(super) fn set_health(connection: &Connection, server: &ServerName, health: &Health) -> Result<(), Fault> {
    let (failures, reason, at) = match health {
        Health::Unknown => {
            connection.prepare("DELETE FROM health WHERE server = ?1")?.execute([server.as_str()])?;
            return Ok(());
        }
        Health::Good { at } => (0, None, at),
        Health::Failed { at, failures, reason } => (*failures, Some(reason.as_str()), at),
    };
    let sql = "INSERT OR REPLACE INTO health (server, failures, reason, at) VALUES (?1, ?2, ?3, ?4)";
    connection.prepare(sql)?.execute(params![server.as_str(), failures, reason, nanos(*at)])?;
    Ok(())
}

pub(super) fn eras(connection: &Connection) -> Result<BTreeMap<ServerName, Era>, Fault> {
    let mut statement = connection.prepare("SELECT server, era FROM eras")?;
    let mut rows = statement.query([])?;
    let mut eras = BTreeMap::new();
    while let Some(row) = rows.next()? {
        eras.insert(server_name(row.get(0)?)?, era(&row.get::<_, String>(1)?)?);
    }
    Ok(eras)
}

pub(super) fn set_era(connection: &Connection, server: &ServerName, era: Era) -> Result<(), Fault> {
    let sql = "INSERT OR REPLACE INTO eras (server, era) VALUES (?1, ?2)";
    connection.prepare(sql)?.execute([server.as_str(), era.as_str()])?;
    Ok(())
}

/// Forgets a server, its use included. False if nothing was known of it. Its changes stay in the log.
pub(super) fn remove_server(connection: &Connection, server: &ServerName) -> Result<bool, Fault> {
    let listed = connection.execute("DELETE FROM servers WHERE name = ?1", [server.as_str()])?;
    if listed > 0 {
        count_up(connection, "generation")?;
    }
    let mut rows = listed;
    for table in ["health", "eras", "ledger", "habits"] {
        rows += connection.execute(&format!("DELETE FROM {table} WHERE server = ?1"), [server.as_str()])?;
    }
    Ok(rows > 0)
}

pub(super) fn log_change(connection: &Connection, at: SystemTime, change: &ListingChange) -> Result<(), Fault> {
    let text = serde_json::to_string(change).map_err(|_| Fault::contents("a change"))?;
    let sql = "INSERT INTO changes (at, server, change) VALUES (?1, ?2, ?3)";
    connection.prepare(sql)?.execute(params![nanos(at), change.server.as_str(), text])?;
    let oldest_kept = connection.last_insert_rowid() - MAX_CHANGES;
    connection.prepare("DELETE FROM changes WHERE id <= ?1")?.execute([oldest_kept])?;
    Ok(())
}

/// The latest changes, newest first.
pub(super) fn changes(connection: &Connection, limit: usize) -> Result<Vec<LoggedChange>, Fault> {
    let mut statement = connection.prepare("SELECT at, change FROM changes ORDER BY id DESC LIMIT ?1")?;
    let mut rows = statement.query([i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let change = serde_json::from_str(&row.get::<_, String>(1)?).map_err(|_| Fault::contents("a logged change"))?;
        changes.push(LoggedChange { at: time(row.get(0)?), change });
    }
    Ok(changes)
}

/// A number that is never negative.
pub(super) fn count(row: &Row<'_>, column: usize) -> Result<u64, rusqlite::Error> {
    let number: i64 = row.get(column)?;
    number.try_into().map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

pub(super) fn era(text: &str) -> Result<Era, Fault> {
    [Era::Legacy, Era::Modern].into_iter().find(|era| era.as_str() == text).ok_or_else(|| Fault::contents("an era"))
}

pub(super) fn server_name(text: String) -> Result<ServerName, Fault> {
    text.try_into().map_err(|_| Fault::contents("the name of a server"))
}

/// Nanoseconds since 1970, negative before; 64 bits last until 2262.
pub(super) fn nanos(time: SystemTime) -> i64 {
    let whole = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    time.duration_since(UNIX_EPOCH).map_or_else(|before| -whole(before.duration()), whole)
}

pub(super) fn time(nanos: i64) -> SystemTime {
    let span = Duration::from_nanos(nanos.unsigned_abs());
    let shifted = if nanos < 0 { UNIX_EPOCH.checked_sub(span) } else { UNIX_EPOCH.checked_add(span) };
    shifted.unwrap_or(UNIX_EPOCH)
}
