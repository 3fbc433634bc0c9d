//! The format of the file, as the sequence of steps that made it. A step that was released is never edited.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::error::{Fault, RegistryError};

/// Step `n` takes a file from format `n` to `n + 1`.
const STEPS: [&str; 3] =
    [include_str!("migrations/001.sql"), include_str!("migrations/002.sql"), include_str!("migrations/003.sql")];

/// The format that this program writes.
pub(super) const NEWEST: u32 = STEPS.len() as u32;

/// Marks a SQLite file as ours: `crib` in ASCII.
const APPLICATION_ID: u32 = 0x6372_6962;

/// Brings the file to the newest format. Several processes may try at once; one does it, the others see it done.
pub(super) fn run(connection: &mut Connection, path: &Path) -> Result<(), RegistryError> {
    let doing = "bring the format up to date";
    if check(connection, path)? == NEWEST {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let transaction = transaction.map_err(|error| Fault::from(error).at(path, doing))?;
    // Looked at again, now that nobody else can change it.
    let found = check(&transaction, path)?;
    let migrate = || {
        for step in STEPS.iter().skip(found as usize) {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "user_version", NEWEST)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        let made_by = concat!("toolcrib ", env!("CARGO_PKG_VERSION"));
        transaction.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('made_by', ?1)", [made_by])?;
        Ok::<_, rusqlite::Error>(())
    };
    if found < NEWEST {
        migrate().map_err(|error| Fault::from(error).at(path, doing))?;
    }
    transaction.commit().map_err(|error| Fault::from(error).at(path, doing))
}

/// The file's format, 0 for an empty file. A newer or foreign one is an error and stays untouched.
fn check(connection: &Connection, path: &Path) -> Result<u32, RegistryError> {
    let at = |error: rusqlite::Error| Fault::from(error).at(path, "read the format");
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(at);
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(at)?;
    if application == 0 && version == 0 && tables == 0 {
        return Ok(0);
    }
    if application != i64::from(APPLICATION_ID) {
        return Err(RegistryError::Foreign { path: path.into() });
    }
    let Some(found) = u32::try_from(version).ok().filter(|found| *found > 0) else {
        return Err(Fault::contents("its format number").at(path, "read the format"));
    };
    if found <= NEWEST {
        return Ok(found);
    }
    let made_by = connection.query_row("SELECT value FROM meta WHERE key = 'made_by'", [], |row| row.get(0));
    // A newer format may keep this elsewhere; the message is worth more than the name.
    let made_by = made_by.unwrap_or_else(|_| "a newer toolcrib".into());
    Err(RegistryError::Newer { path: path.into(), found, known: NEWEST, made_by })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(connection: &Connection) -> Vec<String> {
        let mut statement =
            connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn of_format(format: u32) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        for step in &STEPS[..format as usize] {
            connection.execute_batch(step).unwrap();
        }
        if format > 0 {
            connection.pragma_update(None, "user_version", format).unwrap();
            connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        }
        connection
    }

    #[test]
    fn every_earlier_format_becomes_the_newest() {
        let newest = tables(&of_format(NEWEST));
        for format in 0..=NEWEST {
            let mut connection = of_format(format);
            run(&mut connection, Path::new("r")).unwrap();
            assert_eq!(tables(&connection), newest, "from {format}");
            assert_eq!(check(&connection, Path::new("r")).unwrap(), NEWEST);
        }
    }

    #[test]
    fn use_that_was_counted_before_there_were_days_goes_to_that_of_the_last_call() {
        let mut connection = of_format(2);
        connection.execute("INSERT INTO tool_use VALUES ('s', 't', 7, 1, 900, 300, 86400000000001)", []).unwrap();
        run(&mut connection, Path::new("r")).unwrap();
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        let found = connection.query_row("SELECT day, calls, result_tokens FROM ledger", [], row).unwrap();
        assert_eq!(found, (1, 7, 300));
    }

    #[test]
    fn a_newer_format_is_refused_by_the_name_of_its_maker() {
        let mut connection = of_format(NEWEST);
        connection.pragma_update(None, "user_version", NEWEST + 1).unwrap();
        connection.execute("INSERT INTO meta VALUES ('made_by', 'toolcrib 9.1.0')", []).unwrap();
        let error = run(&mut connection, Path::new("r")).unwrap_err();
        insta::assert_snapshot!(error, @"the registry r was made by toolcrib 9.1.0 (format 4); this toolcrib reads format 3");
        insta::assert_snapshot!(error.hint(), @"use toolcrib 9.1.0 or newer, or name another directory with `--data-dir`");
    }

    #[test]
    fn a_newer_format_without_a_known_maker_is_refused_too() {
        let mut connection = of_format(NEWEST);
        connection.execute_batch("PRAGMA user_version = 7; DROP TABLE meta").unwrap();
        let error = run(&mut connection, Path::new("r")).unwrap_err();
        assert!(matches!(error, RegistryError::Newer { found: 7, made_by, .. } if made_by == "a newer toolcrib"));
    }

    #[test]
    fn another_programs_database_stays_untouched() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE moz_places (url TEXT)").unwrap();
        assert!(matches!(run(&mut connection, Path::new("r")), Err(RegistryError::Foreign { .. })));
        assert_eq!(tables(&connection).len(), 1);
    }
}
