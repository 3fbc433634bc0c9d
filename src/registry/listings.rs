//! SQL for what was read from servers: storing a listing, loading all of them.

use std::{collections::BTreeMap, sync::Arc};

use rusqlite::{Connection, Row, Transaction, params};

use super::{error::Fault, state};
use crate::{
    catalog::{Catalog, Fingerprint, JsonObject, ListingChange, Quarantined, ServerEntry, ToolEntry, diff, of_listing},
    ids::{ServerName, ToolId},
};

/// One of the lists that are kept raw, inside an entry.
type OfferList = fn(&mut ServerEntry) -> &mut Vec<JsonObject>;

/// The lists that are kept raw, each with its table.
const OFFERS: [(&str, OfferList); 3] = [
    ("prompts", |entry| &mut entry.prompts),
    ("resources", |entry| &mut entry.resources),
    ("resource_templates", |entry| &mut entry.resource_templates),
];

/// Stores a reading in place of the one before, and logs what changed.
pub(super) fn save(transaction: &Transaction<'_>, entry: Arc<ServerEntry>) -> Result<ListingChange, Fault> {
    let old = load_servers(transaction, Some(&entry.name))?.remove(&entry.name);
    let (change, changed) = match &old {
        Some(old) => (diff(old, &entry), of_listing(old) != of_listing(&entry)),
        None => (ListingChange::first_reading(&entry), true),
    };
    let settled = match &old {
        Some(old) => Arc::new(Arc::unwrap_or_clone(entry).settled(old)),
        None => entry,
    };
    if old.is_some() && !changed {
        update_reading(transaction, &settled)?;
    } else {
        transaction.execute("DELETE FROM servers WHERE name = ?1", [settled.name.as_str()])?;
        insert(transaction, &settled)?;
    }
    if changed {
        state::count_up(transaction, "generation")?;
        state::log_change(transaction, settled.read_at, &change)?;
    }
    Ok(change)
}

/// Everything, as one reader sees it at one moment.
pub(super) fn load(connection: &Connection) -> Result<Catalog, Fault> {
    let servers = load_servers(connection, None)?.into_iter().map(|(name, entry)| (name, Arc::new(entry))).collect();
    Ok(Catalog::new(servers, state::health(connection)?, state::generation(connection)?))
}

/// Only when and how it was read is new.
fn update_reading(transaction: &Transaction<'_>, entry: &ServerEntry) -> Result<(), Fault> {
    let sql = "UPDATE servers SET era = ?2, protocol_version = ?3, read_at = ?4, checksum = ?5 WHERE name = ?1";
    transaction.execute(
        sql,
        params![
            entry.name.as_str(),
            entry.era.as_str(),
            entry.protocol_version,
            state::nanos(entry.read_at),
            server_checksum(entry),
        ],
    )?;
    transaction.execute("DELETE FROM quarantined WHERE server = ?1", [entry.name.as_str()])?;
    insert_quarantined(transaction, entry)
}

fn insert(transaction: &Transaction<'_>, entry: &ServerEntry) -> Result<(), Fault> {
    let server = entry.name.as_str();
    transaction.execute(
        "INSERT INTO servers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            server,
            entry.era.as_str(),
            entry.protocol_version,
            text(&entry.server_info),
            text(&entry.capabilities),
            entry.instructions,
            state::nanos(entry.read_at),
            server_checksum(entry),
        ],
    )?;
    let mut statement = transaction.prepare("INSERT INTO tools VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    for (position, tool) in (0_i64..).zip(&entry.tools) {
        statement.execute(params![
            server,
            position,
            tool.name().as_str(),
            tool.title(),
            tool.description(),
            tool.definition_text(),
            tool.fingerprint.0,
            tool_checksum(tool),
        ])?;
    }
    for ((table, _), offers) in OFFERS.into_iter().zip([&entry.prompts, &entry.resources, &entry.resource_templates]) {
        let mut statement = transaction.prepare(&format!("INSERT INTO {table} VALUES (?1, ?2, ?3, ?4)"))?;
        for (position, offer) in (0_i64..).zip(offers) {
            let offer = text(offer);
            statement.execute(params![server, position, offer, checksum(&[offer.as_bytes()])])?;
        }
    }
    insert_quarantined(transaction, entry)
}

fn insert_quarantined(transaction: &Transaction<'_>, entry: &ServerEntry) -> Result<(), Fault> {
    let mut statement = transaction.prepare("INSERT INTO quarantined VALUES (?1, ?2, ?3, ?4)")?;
    for (position, item) in (0_i64..).zip(&entry.quarantined) {
        statement.execute(params![entry.name.as_str(), position, item.name, item.reason])?;
    }
    Ok(())
}

/// Every server, or one. Must run in a transaction, so that the tables belong together.
fn load_servers(
    connection: &Connection,
    only: Option<&ServerName>,
) -> Result<BTreeMap<ServerName, ServerEntry>, Fault> {
    let only = only.map(ServerName::as_str);
    let mut servers = BTreeMap::new();
    each_row(connection, "servers", "name", "name", only, |row| {
        let entry = server(row)?;
        servers.insert(entry.name.clone(), entry);
        Ok(())
    })?;
    // Rows come in the order in which they were stored, which is the order of the list; no sorting is needed.
    each_row(connection, "tools", "server", "rowid", only, |row| {
        let entry = owner(&mut servers, row)?;
        in_place(row, entry.tools.len())?;
        entry.tools.push(Arc::new(tool(&entry.name, row)?));
        Ok(())
    })?;
    for (table, list) in OFFERS {
        each_row(connection, table, "server", "rowid", only, |row| {
            let offers = list(owner(&mut servers, row)?);
            in_place(row, offers.len())?;
            if row.get::<_, i64>(3)? != checksum(&[text_at(row, 2)?.as_bytes()]) {
                return Err(Fault::contents(format!("an item of `{table}`")));
            }
            offers.push(object(row, 2)?);
            Ok(())
        })?;
    }
    each_row(connection, "quarantined", "server", "server, position", only, |row| {
        let item = Quarantined { name: row.get(2)?, reason: row.get(3)? };
        owner(&mut servers, row)?.quarantined.push(item);
        Ok(())
    })?;
    Ok(servers)
}

fn each_row(
    connection: &Connection,
    table: &str,
    key: &str,
    order: &str,
    only: Option<&str>,
    mut take: impl FnMut(&Row<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let filter = if only.is_some() { format!("WHERE {key} = ?1") } else { String::new() };
    let mut statement = connection.prepare(&format!("SELECT * FROM {table} {filter} ORDER BY {order}"))?;
    let mut rows = match only {
        Some(only) => statement.query([only])?,
        None => statement.query([])?,
    };
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}

/// The entry that a row belongs to, by its first column.
fn owner<'a>(servers: &'a mut BTreeMap<ServerName, ServerEntry>, row: &Row<'_>) -> Result<&'a mut ServerEntry, Fault> {
    servers.get_mut(text_at(row, 0)?).ok_or_else(|| Fault::contents("a row of an unknown server"))
}

/// Rows of a list follow each other without a gap; anything else means that some are lost or moved.
fn in_place(row: &Row<'_>, place: usize) -> Result<(), Fault> {
    if usize::try_from(row.get::<_, i64>(1)?) == Ok(place) {
        Ok(())
    } else {
        Err(Fault::contents("the order of a list"))
    }
}

fn server(row: &Row<'_>) -> Result<ServerEntry, Fault> {
    let entry = ServerEntry {
        name: text_at(row, 0)?.parse().map_err(|_| Fault::contents("the name of a server"))?,
        era: state::era(text_at(row, 1)?)?,
        protocol_version: row.get(2)?,
        server_info: object(row, 3)?,
        capabilities: object(row, 4)?,
        instructions: row.get(5)?,
        tools: Vec::new(),
        prompts: Vec::new(),
        resources: Vec::new(),
        resource_templates: Vec::new(),
        quarantined: Vec::new(),
        read_at: state::time(row.get(6)?),
    };
    if row.get::<_, i64>(7)? == server_checksum(&entry) {
        Ok(entry)
    } else {
        Err(Fault::contents(format!("what `{}` says of itself", entry.name)))
    }
}

/// The definition's text is taken as it is; its checksum stands in for parsing it.
fn tool(server: &ServerName, row: &Row<'_>) -> Result<ToolEntry, Fault> {
    let name = text_at(row, 2)?;
    let damaged = || Fault::contents(format!("the definition of {server}/{}", name.escape_debug()));
    let title = row.get_ref(3)?.as_str_or_null().map_err(|_| damaged())?;
    let id = ToolId::new(server.clone(), name.parse().map_err(|_| damaged())?);
    let fingerprint = Fingerprint(row.get(6)?);
    let (description, definition) = (text_at(row, 4)?.into(), text_at(row, 5)?.into());
    let tool = ToolEntry::restore(id, fingerprint, title.map(Box::from), description, definition);
    if row.get::<_, i64>(7)? == tool_checksum(&tool) { Ok(tool) } else { Err(damaged()) }
}

fn text_at<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, Fault> {
    row.get_ref(column)?.as_str().map_err(|_| Fault::contents("a text"))
}

fn object(row: &Row<'_>, column: usize) -> Result<JsonObject, Fault> {
    serde_json::from_str(text_at(row, column)?).map_err(|_| Fault::contents("a JSON object"))
}

/// A map of strings to values always has a text.
fn text(object: &JsonObject) -> String {
    serde_json::to_string(object).unwrap_or_else(|_| "{}".into())
}

fn server_checksum(entry: &ServerEntry) -> i64 {
    let (server_info, capabilities) = (text(&entry.server_info), text(&entry.capabilities));
    let instructions = entry.instructions.as_deref().unwrap_or_default();
    let texts =
        [entry.name.as_str(), entry.era.as_str(), &entry.protocol_version, &server_info, &capabilities, instructions];
    checksum(&texts.map(str::as_bytes))
}

fn tool_checksum(tool: &ToolEntry) -> i64 {
    let texts = [tool.name().as_str(), tool.title().unwrap_or_default(), tool.description(), tool.definition_text()];
    let [name, title, description, definition] = texts.map(str::as_bytes);
    checksum(&[name, title, description, definition, &tool.fingerprint.0])
}

/// CRC-32 over the parts. A table's rows always have the same parts, so only texts that trade letters across a border
/// could be confused; the byte between them is in no UTF-8 text.
fn checksum(parts: &[&[u8]]) -> i64 {
    let mut hash = crc32fast::Hasher::new();
    for part in parts {
        hash.update(part);
        hash.update(&[0xff]);
    }
    hash.finalize().into()
}
