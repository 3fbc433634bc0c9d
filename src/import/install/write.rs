//! Backups beside a client's file, and the replacement of the file itself.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::config::write_atomically;

/// Most backups of one file that are kept or looked at.
const MAX_BACKUPS: usize = 1_000;

/// The backups of a file that exist, oldest first.
pub(super) fn backups_of(path: &Path) -> Vec<PathBuf> {
    (1..=MAX_BACKUPS).map(|number| backup(path, number)).filter(|path| path.is_file()).collect()
}

/// Writes, or removes, the file. `old` is kept in a new backup unless an older one is being restored, which then goes.
pub(super) fn replace(
    path: &Path,
    new: Option<&str>,
    old: Option<&str>,
    restores: Option<&Path>,
) -> io::Result<Option<PathBuf>> {
    let Some(new) = new else {
        fs::remove_file(path)?;
        return Ok(None);
    };
    let backup = match (old, restores) {
        (Some(old), None) => Some(keep(path, old)?),
        _ => None,
    };
    write_atomically(path, new)?;
    if let Some(restored) = restores {
        // It says nothing any more that the file does not say. Left behind, it would only be a copy of secrets.
        let _ = fs::remove_file(restored);
    }
    Ok(backup)
}

fn keep(path: &Path, text: &str) -> io::Result<PathBuf> {
    for number in 1..=MAX_BACKUPS {
        let to = backup(path, number);
        let mut file = match File::create_new(&to) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        // Before the text is in it: nobody may read in the backup what they may not read in the file.
        file.set_permissions(fs::metadata(path)?.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        return Ok(to);
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "there are a thousand backups already"))
}

/// `FILE.toolcrib-backup`, then `FILE.toolcrib-backup-2` and so on.
fn backup(path: &Path, number: usize) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".toolcrib-backup");
    if number > 1 {
        name.push(format!("-{number}"));
    }
    path.with_file_name(name)
}
